package symbols

import (
	"errors"
	"io"
	"math/bits"
)

const msfMagic = "Microsoft C/C++ MSF 7.00\r\n\x1aDS\x00\x00\x00"

// maxPDB is the largest PDB read. Those of the kernel have 10 to 15 MB.
const maxPDB = 512 << 20

var errMSF = errors.New("PDB: damaged container")

// msf is a container of streams, each of which is made of blocks anywhere in the
// file (LLVM: The MSF File Format).
type msf struct {
	r       io.ReaderAt
	size    int64
	block   uint32 // bytes of a block, a power of two
	streams []stream
}

// stream is where a stream lies: the numbers of its blocks, 32 bits each.
type stream struct {
	size   uint32
	blocks []byte
}

// openMSF reads the superblock and the directory of streams.
func openMSF(r io.ReaderAt, size int64) (*msf, error) {
	if size > maxPDB {
		return nil, errors.New("PDB: too large")
	}
	var h [56]byte
	if n, err := r.ReadAt(h[:], 0); n < len(h) {
		return nil, eof(err)
	}
	m := &msf{r: r, size: size, block: le.Uint32(h[32:])}
	if m.block < 512 || m.block > 1<<16 || bits.OnesCount32(m.block) != 1 {
		return nil, errMSF
	}
	// The blocks of the directory are listed in blocks that are listed here.
	bytes := le.Uint32(h[44:])
	list := m.count(bytes) * 4
	if int64(bytes) > size || m.count(list)*4 > m.block-52 {
		return nil, errMSF
	}
	top := make([]byte, m.count(list)*4)
	if n, err := r.ReadAt(top, 52); n < len(top) {
		return nil, eof(err)
	}
	blocks, err := m.read(stream{list, top}, list)
	if err != nil {
		return nil, err
	}
	directory, err := m.read(stream{bytes, blocks}, bytes)
	if err != nil {
		return nil, err
	}
	return m, m.list(directory)
}

// count is how many blocks hold size bytes.
func (m *msf) count(size uint32) uint32 {
	return uint32((uint64(size) + uint64(m.block) - 1) / uint64(m.block))
}

// list reads the directory: the number of streams, their sizes, and the blocks
// of each.
func (m *msf) list(directory []byte) error {
	if len(directory) < 4 {
		return errMSF
	}
	n, rest := le.Uint32(directory), directory[4:]
	if uint64(n)*4 > uint64(len(rest)) {
		return errMSF
	}
	sizes, rest := rest[:n*4], rest[n*4:]
	total := int64(0)
	m.streams = make([]stream, n)
	for i := range m.streams {
		size := le.Uint32(sizes[i*4:])
		if size == 0xffffffff { // a stream that was taken out
			continue
		}
		// Streams do not share blocks, but the old directory may.
		if total += int64(size); int64(size) > m.size || total > 2*m.size {
			return errMSF
		}
		list := uint64(m.count(size)) * 4
		if list > uint64(len(rest)) {
			return errMSF
		}
		m.streams[i] = stream{size, rest[:list]}
		rest = rest[list:]
	}
	return nil
}

// stream reads a stream, or the first limit bytes of it. One that is not there
// is empty.
func (m *msf) stream(i, limit uint32) ([]byte, error) {
	if uint64(i) >= uint64(len(m.streams)) {
		return nil, nil
	}
	return m.read(m.streams[i], limit)
}

func (m *msf) read(s stream, limit uint32) ([]byte, error) {
	data := make([]byte, min(s.size, limit))
	_, err := io.ReadFull(&streamReader{m: m, stream: s}, data)
	return data, err
}

// reader reads the first limit bytes of a stream piece by piece.
func (m *msf) reader(i, limit uint32) io.Reader {
	r := &streamReader{m: m}
	if uint64(i) < uint64(len(m.streams)) {
		r.stream = m.streams[i]
		r.size = min(r.size, limit)
	}
	return r
}

// streamReader holds what is left of a stream.
type streamReader struct {
	m *msf
	stream
	pos uint32 // bytes of the first block that were read
}

func (s *streamReader) Read(p []byte) (int, error) {
	want := min(int64(len(p)), int64(s.size))
	if want == 0 {
		return 0, io.EOF
	}
	// Blocks that follow each other are read at once.
	block := int64(s.m.block)
	first, n := le.Uint32(s.blocks), 1
	for int64(n)*block-int64(s.pos) < want && n < len(s.blocks)/4 && le.Uint32(s.blocks[n*4:]) == first+uint32(n) {
		n++
	}
	want = min(want, int64(n)*block-int64(s.pos))
	at := int64(first)*block + int64(s.pos)
	if at > s.m.size-want {
		return 0, errMSF
	}
	if n, err := s.m.r.ReadAt(p[:want], at); int64(n) < want {
		return 0, eof(err)
	}
	s.size -= uint32(want)
	end := int64(s.pos) + want
	s.blocks, s.pos = s.blocks[end/block*4:], uint32(end%block)
	return int(want), nil
}

// eof makes the end of a file inside of something an error.
func eof(err error) error {
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
