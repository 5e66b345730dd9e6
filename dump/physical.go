package dump

import "io"

// physical reads physical memory out of the file, and keeps the pages that were read last.
type physical struct {
	r      io.ReaderAt
	frames frames
	slots  [cachedPages]cached
}

// cachedPages is how many pages are kept: a page has one place that it can be kept in.
const cachedPages = 1 << 12

type cached struct {
	pfn  uint64
	data *[pageSize]byte // nil if there is none
}

// page returns a physical page. It stays as it is until another page is asked for.
func (m *physical) page(pfn uint64) (*[pageSize]byte, bool) {
	c := &m.slots[(pfn^pfn>>12)%cachedPages]
	if c.data != nil && c.pfn == pfn {
		return c.data, true
	}
	off, ok := m.frames.find(pfn)
	if !ok {
		return nil, false
	}
	if c.data == nil {
		c.data = new([pageSize]byte)
	}
	c.pfn = ^uint64(0)
	if n, _ := m.r.ReadAt(c.data[:], off); n < pageSize {
		return nil, false // the file ends before it
	}
	c.pfn = pfn
	return c.data, true
}

// entry reads an entry of a page table, of 4 or 8 bytes.
func (m *physical) entry(pa, size uint64) (uint64, bool) {
	p, ok := m.page(pa >> pageShift)
	switch {
	case !ok:
		return 0, false
	case size == 4:
		return uint64(le.Uint32(p[pa%pageSize:])), true
	}
	return le.Uint64(p[pa%pageSize:]), true
}
