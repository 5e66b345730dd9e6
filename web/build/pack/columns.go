package pack

import (
	"encoding/binary"
	"errors"
	"math"
)

// columns rewrites the entries of the table of functions in place, so that numbers
// of one kind follow each other, each as its distance from the one before, and of the
// places of parts only whether there is one; and clears the list of where entries are,
// which follows from their sizes. unpack.js undoes both.
func (t *pclntab) columns() error {
	if err := t.unplaced(t.names, t.cus, nameOf); err != nil {
		return err
	}
	if err := t.unplaced(t.tables, t.functions, tableOf); err != nil {
		return err
	}
	entries, begin, end, err := t.entries()
	if err != nil {
		return err
	}
	out, err := byColumns(entries)
	if err != nil {
		return err
	}
	if len(out) > end-begin {
		return errors.New("entries of functions overlap")
	}
	for i := 1; i < t.funcs; i++ {
		clear(t.b[t.functions+8*i : t.functions+8*i+8])
	}
	clear(t.b[t.functions : t.functions+4])
	clear(t.b[begin:end])
	copy(t.b[begin:], out)
	return nil
}

// entries returns the entries of functions, which follow each other as the list
// says, and where they begin and end.
func (t *pclntab) entries() (entries [][]byte, begin, end int, err error) {
	begin = t.functions + 8*t.funcs + 4 // the list ends with where the last function does
	entries = make([][]byte, t.funcs)
	at := 0
	for i := range entries {
		list := t.b[t.functions+8*i:]
		entries[i] = t.function(i)
		if at == 0 {
			at = int(binary.LittleEndian.Uint32(list[4:]))
			begin = t.functions + at
		}
		if entries[i] == nil || int(binary.LittleEndian.Uint32(list[4:])) != at || binary.LittleEndian.Uint32(list) != binary.LittleEndian.Uint32(entries[i]) {
			return nil, 0, 0, errors.New("entries of functions are not in order")
		}
		at += (len(entries[i]) + 7) &^ 7
	}
	return entries, begin, min(t.functions+at, len(t.b)), nil
}

// byColumns writes the first number of each entry, then the second of each, and so on.
func byColumns(entries [][]byte) ([]byte, error) {
	var out []byte
	for field, more := 0, true; more; field++ {
		more = false
		before := uint32(0)
		for _, e := range entries {
			if 4*field >= len(e) {
				continue
			}
			more = true
			coded := uint32(0)
			switch v := binary.LittleEndian.Uint32(e[4*field:]); {
			case nameOf.in(e, field) || tableOf.in(e, field):
				coded = v
			case v == 0:
			case v == math.MaxUint32:
				coded = 1
			default:
				d := int32(v - before)
				coded = uint32(d<<1^d>>31) + 2
				if coded < 2 {
					return nil, errors.New("a number of a function is too large")
				}
				before = v
			}
			out = binary.AppendUvarint(out, uint64(coded))
		}
	}
	return out, nil
}
