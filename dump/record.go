package dump

// record is a structure of the kernel as it was read, from its beginning on.
type record struct {
	l  *layout
	va uint64
	b  []byte
}

// record reads the first bytes of a structure into buf, which it keeps.
func (m *memory) record(l *layout, buf []byte, va uint64) (record, error) {
	err := m.ReadVirtual(buf, va)
	return record{l, va, buf}, err
}

// readRecord is record by the layout of the dump.
func (d *Dump) readRecord(buf []byte, va uint64) (record, error) {
	return d.mem.record(d.layout, buf, va)
}

// at returns the n bytes of a field, zeros if the kernel has it not.
func (r record) at(id fieldID, plus uint64, n int) []byte {
	f := r.l.fields[id]
	off := uint64(f.off) + plus
	if !f.known || off+uint64(n) > uint64(len(r.b)) {
		return zeros[:n]
	}
	return r.b[off : off+uint64(n)]
}

var zeros [16]byte

func (r record) u64(id fieldID) uint64 { return le.Uint64(r.at(id, 0, 8)) }
func (r record) u32(id fieldID) uint32 { return r.l.fields[id].span(le.Uint32(r.at(id, 0, 4))) }
func (r record) u16(id fieldID) uint16 { return le.Uint16(r.at(id, 0, 2)) }
func (r record) u8(id fieldID) uint8   { return r.at(id, 0, 1)[0] }
func (r record) bit(id fieldID) bool   { return r.l.has(id) && r.u32(id) != 0 }

// extent returns how many bytes from its beginning a structure must be read to have
// these fields, each with 16 bytes.
func (l *layout) extent(ids ...fieldID) int {
	n := uint64(0)
	for _, id := range ids {
		n = max(n, l.at(id)+16)
	}
	return int(n)
}
