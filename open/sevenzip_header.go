//go:build !js

package open

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
	"slices"
)

// The library believes each count in the header of a 7z archive and makes room
// for as many. checkSevenzip walks the header before it, as 7zFormat.txt of
// 7-Zip describes it, and refuses counts that the bytes behind cannot hold.
func checkSevenzip(r io.ReaderAt) error {
	start := make([]byte, 32)
	if _, err := r.ReadAt(start, 0); err != nil {
		return err
	}
	at, n := binary.LittleEndian.Uint64(start[12:]), binary.LittleEndian.Uint64(start[20:])
	if n > maxDirectory || at > 1<<60 {
		return errDirectory
	}
	head := make([]byte, n)
	if _, err := r.ReadAt(head, 32+int64(at)); err != nil && err != io.EOF {
		return err
	}
	if n > 0 && head[0] == idEncodedHeader {
		var err error
		if head, err = decodedHeader(r, head[1:]); err != nil {
			return err
		}
	}
	c := &headerCursor{rest: head}
	c.expect(idHeader)
	id := c.byte()
	if id == idMainStreams {
		c.streams()
		id = c.byte()
	}
	if id == idFiles {
		c.count()
	}
	return c.err
}

// Property numbers of 7zFormat.txt.
const (
	idEnd             = 0x00
	idHeader          = 0x01
	idMainStreams     = 0x04
	idFiles           = 0x05
	idPackInfo        = 0x06
	idUnpackInfo      = 0x07
	idSubStreams      = 0x08
	idSize            = 0x09
	idCRC             = 0x0a
	idFolder          = 0x0b
	idUnpackSize      = 0x0c
	idNumUnpackStream = 0x0d
	idEncodedHeader   = 0x17
)

// decodedHeader unpacks a header that is itself packed.
func decodedHeader(r io.ReaderAt, streams []byte) ([]byte, error) {
	c := &headerCursor{rest: streams}
	s := c.streams()
	switch {
	case c.err != nil:
		return nil, c.err
	case slices.ContainsFunc(s.coders, func(c coder) bool { return c.id == methodAES }):
		return nil, errEncrypted
	case len(s.coders) != 1 || len(s.packed) != 1 || len(s.unpacked) != 1 || s.at > 1<<60 || s.packed[0] > 1<<60:
		return nil, errHeader
	case s.unpacked[0] > maxDirectory:
		return nil, errDirectory
	}
	in := io.NopCloser(io.NewSectionReader(r, 32+int64(s.at), int64(s.packed[0])))
	open := map[string]func([]byte, uint64, []io.ReadCloser) (io.ReadCloser, error){
		"\x00": func([]byte, uint64, []io.ReadCloser) (io.ReadCloser, error) { return in, nil }, "\x03\x01\x01": unlzma, "\x21": unlzma2,
	}[s.coders[0].id]
	if open == nil {
		return nil, errHeader
	}
	out, err := open(s.coders[0].props, s.unpacked[0], []io.ReadCloser{in})
	if err != nil {
		return nil, err
	}
	head := make([]byte, s.unpacked[0])
	_, err = io.ReadFull(out, head)
	return head, err
}

var errHeader = errors.New("unexpected header")

type coder struct {
	id    string
	props []byte
}

// streams is what is needed of a StreamsInfo to unpack a header.
type streams struct {
	at       uint64 // of the first packed byte, behind the start header
	packed   []uint64
	coders   []coder
	unpacked []uint64
}

// headerCursor walks a header and keeps its first error.
type headerCursor struct {
	rest []byte
	err  error
}

func (c *headerCursor) fail() {
	if c.err == nil {
		c.err = errHeader
	}
	c.rest = nil
}

func (c *headerCursor) bytes(n uint64) []byte {
	if n > uint64(len(c.rest)) {
		c.fail()
		return nil
	}
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

func (c *headerCursor) byte() byte {
	if b := c.bytes(1); b != nil {
		return b[0]
	}
	return idEnd
}

func (c *headerCursor) expect(id byte) {
	if c.byte() != id {
		c.fail()
	}
}

// number reads a number: the leading ones of its first byte count those behind.
func (c *headerCursor) number() uint64 {
	first := c.byte()
	n := bits.LeadingZeros8(^first)
	var v uint64
	for i, b := range c.bytes(uint64(n)) {
		v |= uint64(b) << (8 * i)
	}
	if n < 7 {
		v |= uint64(first&(1<<(7-n)-1)) << (8 * n)
	}
	return v
}

// count reads how many things follow, each at least a byte long.
func (c *headerCursor) count() uint64 {
	n := c.number()
	if n > uint64(len(c.rest)) {
		c.fail()
		return 0
	}
	return n
}

func (c *headerCursor) numbers(n uint64) (out []uint64) {
	for ; n > 0 && c.err == nil; n-- {
		out = append(out, c.number())
	}
	return out
}

// digests skips checksums, and returns the byte behind.
func (c *headerCursor) digests(n uint64) byte {
	if c.byte() == 0 {
		defined := uint64(0)
		for _, b := range c.bytes((n + 7) / 8) {
			defined += uint64(bits.OnesCount8(b))
		}
		n = defined
	}
	c.bytes(4 * n)
	return c.byte()
}

func (c *headerCursor) streams() (s streams) {
	id := c.byte()
	if id == idPackInfo {
		s.at, s.packed = c.packInfo()
		id = c.byte()
	}
	var folders uint64
	if id == idUnpackInfo {
		folders, s.coders, s.unpacked = c.unpackInfo()
		id = c.byte()
	}
	if id == idSubStreams {
		c.subStreams(folders)
		id = c.byte()
	}
	if id != idEnd {
		c.fail()
	}
	return s
}

func (c *headerCursor) packInfo() (at uint64, sizes []uint64) {
	at = c.number()
	n := c.count()
	id := c.byte()
	if id == idSize {
		sizes = c.numbers(n)
		id = c.byte()
	}
	if id == idCRC {
		id = c.digests(n)
	}
	if id != idEnd {
		c.fail()
	}
	return at, sizes
}

func (c *headerCursor) unpackInfo() (folders uint64, coders []coder, sizes []uint64) {
	c.expect(idFolder)
	folders = c.count()
	c.expect(0) // not external
	outs := uint64(0)
	for i := uint64(0); i < folders && c.err == nil; i++ {
		more, out := c.folder()
		coders, outs = append(coders, more...), outs+out
	}
	c.expect(idUnpackSize)
	sizes = c.numbers(outs)
	id := c.byte()
	if id == idCRC {
		id = c.digests(folders)
	}
	if id != idEnd {
		c.fail()
	}
	return folders, coders, sizes
}

// folder reads the methods of a stream, and returns how many streams come out.
func (c *headerCursor) folder() (coders []coder, outs uint64) {
	ins := uint64(0)
	for n := c.count(); n > 0 && c.err == nil; n-- {
		flags := c.byte()
		method := coder{id: string(c.bytes(uint64(flags & 0x0f)))}
		in, out := uint64(1), uint64(1)
		if flags&0x10 != 0 {
			in, out = c.count(), c.count()
		}
		if flags&0x20 != 0 {
			method.props = bytes.Clone(c.bytes(c.count()))
		}
		coders, ins, outs = append(coders, method), ins+in, outs+out
	}
	if outs == 0 || ins < outs {
		c.fail()
		return nil, 0
	}
	c.numbers(2 * (outs - 1)) // bind pairs
	if packed := ins - (outs - 1); packed > 1 {
		c.numbers(packed)
	}
	return coders, outs
}

func (c *headerCursor) subStreams(folders uint64) {
	files := folders
	id := c.byte()
	sizes := uint64(0)
	if id == idNumUnpackStream {
		files = 0
		for i := uint64(0); i < folders && c.err == nil; i++ {
			n := c.number()
			if n > maxDirectory {
				c.fail()
			}
			files, sizes = files+n, sizes+max(n, 1)-1
		}
		id = c.byte()
	}
	if files > uint64(len(c.rest))+folders {
		c.fail()
	}
	if id == idSize {
		c.numbers(sizes)
		id = c.byte()
	}
	if id == idCRC {
		id = c.digests(files)
	}
	if id != idEnd {
		c.fail()
	}
}
