package image

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

const pageSize = 0x1000

// maxPages is how many pages of an image are kept, 4 MiB: the function table and
// the unwind data of a kernel with the code its threads wait in. When it is
// reached all are given up; they are read again as needed.
const maxPages = 1024

// page is a page of the image or why it is not there.
type page struct {
	data []byte
	err  error
}

func (i *Image) page(rva uint32) page {
	n := rva / pageSize
	if pg, ok := i.pages[n]; ok {
		return pg
	}
	if len(i.pages) >= maxPages {
		clear(i.pages)
	}
	pg := page{data: make([]byte, min(pageSize, i.Size-n*pageSize))}
	if err := i.mem.ReadVirtual(pg.data, i.Base+uint64(n)*pageSize); err != nil {
		pg = page{err: err}
	}
	i.pages[n] = pg
	return pg
}

// Read fills p with the memory at rva. It fails with a *ReadError when a page is
// not there and with ErrMalformed outside of the image; what names in both what
// was wanted. Pages are read once, so memory that changes is not seen to.
func (i *Image) Read(p []byte, rva uint32, what string) error {
	if uint64(rva)+uint64(len(p)) > uint64(i.Size) {
		return fmt.Errorf("%w: %s at RVA %#x is outside of it", ErrMalformed, what, rva)
	}
	for len(p) > 0 {
		pg := i.page(rva)
		if pg.err != nil {
			return &ReadError{What: what, VA: i.Base + uint64(rva), Err: pg.err}
		}
		n := copy(p, pg.data[rva%pageSize:])
		p, rva = p[n:], rva+uint32(n)
	}
	return nil
}

func (i *Image) uint16(rva uint32, what string) (uint16, error) {
	var b [2]byte
	err := i.Read(b[:], rva, what)
	return binary.LittleEndian.Uint16(b[:]), err
}

func (i *Image) uint32(rva uint32, what string) (uint32, error) {
	var b [4]byte
	err := i.Read(b[:], rva, what)
	return binary.LittleEndian.Uint32(b[:]), err
}

// maxText is longer than any name the tools of Windows write by default; a
// decorated C++ name can be cut short of 4096.
const maxText = 4096

// text reads the bytes at rva up to a zero.
func (i *Image) text(rva uint32, what string) (string, error) {
	var out []byte
	for len(out) < maxText {
		if rva >= i.Size {
			return "", fmt.Errorf("%w: %s runs out of it", ErrMalformed, what)
		}
		pg := i.page(rva)
		if pg.err != nil {
			return "", &ReadError{What: what, VA: i.Base + uint64(rva), Err: pg.err}
		}
		part := pg.data[rva%pageSize:]
		part = part[:min(len(part), maxText-len(out))]
		if n := bytes.IndexByte(part, 0); n >= 0 {
			part = part[:n]
			if out == nil {
				return string(part), nil
			}
			return string(append(out, part...)), nil
		}
		out, rva = append(out, part...), rva+uint32(len(part))
	}
	return "", fmt.Errorf("%w: %s has no end", ErrMalformed, what)
}
