package open

import (
	"archive/zip"
	"bufio"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// zipFromStart takes the members of a zip whose directory, which stands at the
// end, is cut off or damaged: each member has a header of its own before it.
func (o *opener) zipFromStart(a *archive, cause error) error {
	var off int64
	for n := 0; ; n++ {
		h, err := localHeader(a.data, off)
		if err == nil && n == o.opt.MaxInputs {
			err = ErrLimit
		}
		if err == nil {
			off, err = o.zipLocal(a, h)
		}
		if err != nil && o.ctx.Err() == nil && !errors.Is(err, errStop) {
			o.noteSkipped(&a.found)
			o.noteTrouble(a)
			if a.found.inputs == 0 {
				return cause
			}
			return fmt.Errorf("%w; what stands at its beginning is analysed", cause)
		}
		if err != nil {
			return err
		}
	}
}

// local is the header before a member, APPNOTE.TXT 4.3.7.
type local struct {
	name        string
	flags       uint16
	method      uint16
	crc         uint32
	size        int64 // packed, -1 when not known
	descriptor  bool  // checksum and sizes stand behind the data
	data, after int64 // where the data begins, and ends when size is known
}

const (
	flagEncrypted  = 1 << 0
	flagDescriptor = 1 << 3
)

// errNoHeader says that no member begins there.
var errNoHeader = errors.New("no header")

func localHeader(r io.ReaderAt, off int64) (*local, error) {
	b := make([]byte, 30)
	if n, err := r.ReadAt(b, off); n < len(b) {
		return nil, err
	}
	if string(b[:4]) != "PK\x03\x04" {
		return nil, errNoHeader
	}
	u16 := func(i int) uint16 { return binary.LittleEndian.Uint16(b[i:]) }
	h := &local{flags: u16(6), method: u16(8), crc: binary.LittleEndian.Uint32(b[14:]), size: int64(binary.LittleEndian.Uint32(b[18:]))}
	name := make([]byte, u16(26))
	if n, err := r.ReadAt(name, off+30); n < len(name) {
		return nil, err
	}
	h.name, h.data = string(name), off+30+int64(len(name))+int64(u16(28))
	h.descriptor = h.flags&flagDescriptor != 0
	if h.descriptor || h.size == 1<<32-1 {
		h.size = -1
	}
	h.after = h.data + h.size
	return h, nil
}

// zipLocal takes a member and returns where the next one begins.
func (o *opener) zipLocal(a *archive, h *local) (int64, error) {
	n := a.in.Size - h.data
	if h.size >= 0 {
		n = min(n, h.size)
	}
	packed := &byteCounter{r: bufio.NewReaderSize(io.NewSectionReader(a.data, h.data, max(n, 0)), headSize)}
	var r io.Reader
	switch {
	case h.flags&flagEncrypted != 0:
		o.trouble(a, fmt.Errorf("%s!%s: %w", a.in.Name, h.name, errEncrypted))
	case h.method == zip.Deflate:
		r = flate.NewReader(packed)
	case h.method == zip.Store && h.size >= 0:
		r = io.MultiReader(packed, cutAt{h.size, packed})
	default:
		o.trouble(a, fmt.Errorf("%s!%s: it cannot be read without the list of members", a.in.Name, h.name))
	}
	if r == nil && h.size < 0 {
		return 0, errNoHeader
	}
	if r != nil && h.name != "" && h.name[len(h.name)-1] != '/' {
		if !h.descriptor {
			r = &summed{r: r, want: h.crc}
		}
		if err := o.member(a, h.name, r); err != nil {
			return 0, err
		}
	}
	if h.size >= 0 {
		return h.after, nil
	}
	return behindDescriptor(a, h, packed, r)
}

// behindDescriptor finds the next member when no size says where it begins.
func behindDescriptor(a *archive, h *local, packed *byteCounter, r io.Reader) (int64, error) {
	buf := make([]byte, headSize)
	for {
		n, err := readFull(r, buf) // what was not text was not read to its end
		if a.count(n) {
			return 0, ErrLimit
		}
		if err == io.EOF {
			break
		} else if err != nil {
			return 0, err
		}
	}
	end := h.data + packed.n
	for _, n := range []int64{0, 12, 16, 20, 24} { // none, 32 or 64 bits, with signature or without
		if _, err := localHeader(a.data, end+n); err == nil {
			return end + n, nil
		}
	}
	return 0, errNoHeader
}

// byteCounter counts what is taken; flate takes no byte more than it needs of
// a reader of bytes.
type byteCounter struct {
	r *bufio.Reader
	n int64
}

func (c *byteCounter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *byteCounter) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

// cutAt ends a stored member: with an error when bytes of it are missing.
type cutAt struct {
	size int64
	c    *byteCounter
}

func (c cutAt) Read([]byte) (int, error) {
	if c.c.n < c.size {
		return 0, io.ErrUnexpectedEOF
	}
	return 0, io.EOF
}
