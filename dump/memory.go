package dump

// memory is the virtual memory of the kernel.
type memory struct {
	paging
}

// ReadVirtual fills p with what is at an address, or returns a *Fault that names the
// first address that cannot be read.
func (m *memory) ReadVirtual(p []byte, va uint64) error {
	for len(p) > 0 {
		page, fault := m.at(va)
		if fault != nil {
			return fault
		}
		n := copy(p, page[va%pageSize:])
		p = p[n:]
		if va += uint64(n); va == 0 && len(p) > 0 {
			return &Fault{VA: va, Why: NotCanonical}
		}
	}
	return nil
}

// at returns the page that an address is in.
func (m *memory) at(va uint64) (*[pageSize]byte, *Fault) {
	pfn, fault := m.frame(va)
	if fault != nil {
		return nil, fault
	}
	page, ok := m.physical.page(pfn)
	if !ok {
		return nil, &Fault{VA: va, Level: "page", Why: NotInDump, PA: pfn<<pageShift | va%pageSize}
	}
	return page, nil
}

// place returns where in the file an address is, 0 if it is not there.
func (m *memory) place(va uint64) int64 {
	pfn, fault := m.frame(va)
	if fault != nil {
		return 0
	}
	off, ok := m.physical.frames.find(pfn)
	if !ok {
		return 0
	}
	return off + int64(va%pageSize)
}

func (m *memory) u64(va uint64) (uint64, error) {
	var b [8]byte
	err := m.ReadVirtual(b[:], va)
	return le.Uint64(b[:]), err
}

func (m *memory) u32(va uint64) (uint32, error) {
	var b [4]byte
	err := m.ReadVirtual(b[:], va)
	return le.Uint32(b[:]), err
}

// unicode reads a UNICODE_STRING: two lengths in bytes, then at +8 where it is.
func (m *memory) unicode(va uint64, most int) (string, error) {
	var b [16]byte
	if err := m.ReadVirtual(b[:], va); err != nil {
		return "", err
	}
	s := make([]byte, min(int(le.Uint16(b[:])), 2*most)&^1)
	if err := m.ReadVirtual(s, le.Uint64(b[8:])); err != nil {
		return "", err
	}
	return utf16Text(s), nil
}
