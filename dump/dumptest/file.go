package dumptest

import (
	"fmt"
	"io"
)

// File is a sparse file in memory: what was not written reads as zeros, and
// takes no room.
type File struct {
	pages map[int64]*[pageSize]byte
	size  int64
}

// WriteAt is that of io.WriterAt.
func (f *File) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("dumptest: write at %d", off)
	}
	if f.pages == nil {
		f.pages = make(map[int64]*[pageSize]byte)
	}
	n := len(p)
	f.size = max(f.size, off+int64(n))
	for len(p) > 0 {
		page := f.pages[off/pageSize]
		if page == nil {
			page = new([pageSize]byte)
			f.pages[off/pageSize] = page
		}
		k := copy(page[off%pageSize:], p)
		p, off = p[k:], off+int64(k)
	}
	return n, nil
}

// ReadAt is that of io.ReaderAt.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= f.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), f.size-off))
	for rest := p[:n]; len(rest) > 0; {
		k := int(min(int64(len(rest)), pageSize-off%pageSize))
		clear(rest[:k])
		if page := f.pages[off/pageSize]; page != nil {
			copy(rest[:k], page[off%pageSize:])
		}
		rest, off = rest[k:], off+int64(k)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Size is the size of the file.
func (f *File) Size() int64 { return f.size }

// Truncate cuts the file, or makes it larger.
func (f *File) Truncate(size int64) {
	for at, page := range f.pages {
		switch start := at * pageSize; {
		case start >= size:
			delete(f.pages, at)
		case start+pageSize > size:
			clear(page[size-start:])
		}
	}
	f.size = size
}

// Counted is a file that keeps where it was read.
type Counted struct {
	io.ReaderAt
	Reads []int64 // offsets
}

// ReadAt reads the file.
func (c *Counted) ReadAt(p []byte, off int64) (int, error) {
	c.Reads = append(c.Reads, off)
	return c.ReaderAt.ReadAt(p, off)
}

// Again reads a page at every place that was read, and nothing else.
func (c *Counted) Again() {
	var page [pageSize]byte
	for _, off := range c.Reads {
		c.ReaderAt.ReadAt(page[:], off)
	}
}
