package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"regexp"
)

// The entry of a function says where its name is and where its tables are. The linker
// writes each of them once, so that these places are numbers which compress badly.
// Here each function has its own, in the order of the entries: a place follows from
// what stands before, and what repeats compresses well.

// A kind of part: whether a field of an entry, counted in words, has the place of one,
// and what the part that some bytes begin with is, nil if it is cut off.
type kind struct {
	in   func(entry []byte, field int) bool
	read func(b []byte) []byte
	// written is the part as it is to be.
	written func(part []byte) []byte
}

var (
	nameOf = kind{
		in:      func(_ []byte, field int) bool { return 4*field == funcName },
		read:    func(b []byte) []byte { return b[:bytes.IndexByte(b, 0)+1] },
		written: func(name []byte) []byte { return typeArguments.ReplaceAll(name, []byte("[...]")) },
	}
	tableOf = kind{
		in: func(entry []byte, field int) bool {
			k := field - funcFixed/4
			return 4*field == funcStack || k >= 0 && k < int(binary.LittleEndian.Uint32(entry[funcTables:]))
		},
		read:    readTable,
		written: func(table []byte) []byte { return table },
	}
)

// typeArguments are what a stack trace leaves out of the name of a function.
var typeArguments = regexp.MustCompile(`\[.*\]`)

// readTable returns a table of values and places. It ends with a value that does not
// change, but for the first.
func readTable(b []byte) []byte {
	r := reader{b: b}
	for first := true; r.err == nil; first = false {
		if r.uint() == 0 && !first {
			return b[:len(b)-len(r.b)]
		}
		r.uint()
	}
	return nil
}

// eachPart calls f with each entry that can have the place of a part, and with that
// place, field by field.
func (t *pclntab) eachPart(k kind, f func(place []byte) error) error {
	for field, more := 0, true; more; field++ {
		more = false
		for i := range t.funcs {
			e := t.function(i)
			if 4*field >= len(e) {
				continue
			}
			more = true
			if place := e[4*field:]; k.in(e, field) && binary.LittleEndian.Uint32(place) != 0 {
				if err := f(place); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// line writes the parts of a kind one behind the other.
func (t *pclntab) line(from, to int, k kind) error {
	out := []byte{0} // a place of 0 says that there is none
	err := t.eachPart(k, func(place []byte) error {
		at := int(binary.LittleEndian.Uint32(place))
		if at >= to-from {
			return errors.New("a part of a function is nowhere")
		}
		part := k.read(t.b[from+at : to])
		if len(part) == 0 {
			return errors.New("a part of a function is cut off")
		}
		binary.LittleEndian.PutUint32(place, uint32(len(out)))
		out = append(out, k.written(part)...)
		return nil
	})
	if err != nil {
		return err
	}
	if len(out) > to-from {
		return errors.New("the parts of functions are too many")
	}
	clear(t.b[from:to])
	copy(t.b[from:], out)
	return nil
}

// unplaced puts 1 where the place of a part stands. unpack.js undoes it.
func (t *pclntab) unplaced(from, to int, k kind) error {
	next := 1
	return t.eachPart(k, func(place []byte) error {
		if int(binary.LittleEndian.Uint32(place)) != next || next >= to-from {
			return errors.New("the parts of functions are not in order")
		}
		binary.LittleEndian.PutUint32(place, 1)
		next += len(k.read(t.b[from+next : to]))
		return nil
	})
}
