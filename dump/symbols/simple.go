package symbols

// simple are the types a PDB tells by the low byte of an index below firstType
// (cvinfo.h: TYPE_ENUM_e). The names are those of Volatility's pdbconv.py, so
// that a field has the same type from an ISF and from a PDB.
var simple = []struct {
	index uint8
	name  string
	size  uint32
}{
	{0x03, "void", 0},
	{0x08, "HRESULT", 4},
	{0x10, "char", 1}, {0x20, "unsigned char", 1},
	{0x68, "int8", 1}, {0x69, "uint8", 1},
	{0x70, "char", 1}, {0x71, "wchar", 2},
	{0x7a, "rchar16", 2}, {0x7b, "rchar32", 4}, {0x7c, "char8", 1},
	{0x11, "short", 2}, {0x21, "unsigned short", 2},
	{0x72, "short", 2}, {0x73, "unsigned short", 2},
	{0x12, "long", 4}, {0x22, "unsigned long", 4},
	{0x74, "int", 4}, {0x75, "unsigned int", 4},
	{0x13, "long long", 8}, {0x23, "unsigned long long", 8},
	{0x76, "long long", 8}, {0x77, "unsigned long long", 8},
	{0x14, "int128", 16}, {0x24, "uint128", 16},
	{0x78, "int128", 16}, {0x79, "uint128", 16},
	{0x30, "bool8", 1}, {0x31, "bool16", 2}, {0x32, "bool32", 4}, {0x33, "bool64", 8},
	{0x46, "f16", 2}, {0x40, "f32", 4}, {0x45, "f32pp", 4}, {0x44, "f48", 6},
	{0x41, "double", 8}, {0x42, "f80", 10}, {0x43, "f128", 16},
}

// addSimple puts the simple types, and pointers to them, at their indexes.
func (t *Table) addSimple() error {
	for _, s := range simple {
		name, err := t.intern([]byte(s.name))
		if err != nil {
			return err
		}
		id := uint32(s.index)
		t.nodes[id] = node{kind: kindBase, name: name, size: s.size}
		t.nodes[0x400|id] = node{kind: kindPointer, sub: id, size: 4}
		t.nodes[0x600|id] = node{kind: kindPointer, sub: id, size: 8}
	}
	return nil
}
