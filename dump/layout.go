package dump

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// field is where something lies in a structure.
type field struct {
	off   uint32
	bit   uint8
	bits  uint8 // 0 for all of it
	known bool
}

// layout is how the structures of one kernel are laid out.
type layout struct {
	first, last string // versions of ntoskrnl that have it: "10.0.19041.329"
	fields      [fieldCount]field
}

// has reports whether the kernel has a field.
func (l *layout) has(id fieldID) bool { return l.fields[id].known }

// at returns the offset of a field, or a size, in bytes; 0 if the kernel has it not.
func (l *layout) at(id fieldID) uint64 { return uint64(l.fields[id].off) }

// span returns bits of a number that was read where a field is.
func (f field) span(v uint32) uint32 {
	if f.bits == 0 || f.bits >= 32 {
		return v
	}
	return v >> f.bit & (1<<f.bits - 1)
}

// layoutsText are layouts out of Microsoft's public symbols, by way of
// JPCERTCC/Windows-Symbol-Tables (BSD-3-Clause). A column is what a range of versions of the
// x64 kernel has in common; a cell is a hexadecimal offset or size in bytes, with bit and
// number of bits where it is a bit field.
//
//go:embed layouts.tsv
var layoutsText string

// layouts are those that kdlocks has.
var layouts = sync.OnceValue(func() []*layout {
	all, err := parseLayouts(layoutsText)
	if err != nil {
		panic(err) // a test reads the same text
	}
	return all
})

func parseLayouts(text string) ([]*layout, error) {
	ids := make(map[string]fieldID)
	for id, name := range fieldNames {
		ids[name] = fieldID(id)
	}
	var out []*layout
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		name, cells := cells[0], cells[1:]
		for len(out) < len(cells) {
			out = append(out, &layout{})
		}
		for i, cell := range cells {
			switch name {
			case "first":
				out[i].first = cell
			case "last":
				out[i].last = cell
			default:
				id, ok := ids[name]
				if !ok {
					return nil, fmt.Errorf("no field %s", name)
				}
				f, err := parseField(cell)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", name, err)
				}
				out[i].fields[id] = f
			}
		}
	}
	return out, nil
}

// parseField reads "4c:5:1": offset in hexadecimal, bit, number of bits.
func parseField(cell string) (field, error) {
	if cell == "-" {
		return field{}, nil
	}
	off, rest, _ := strings.Cut(cell, ":")
	v, err := strconv.ParseUint(off, 16, 32)
	if err != nil {
		return field{}, err
	}
	f := field{off: uint32(v), known: true}
	if rest == "" {
		return f, nil
	}
	bit, n, _ := strings.Cut(rest, ":")
	at, err := strconv.ParseUint(bit, 10, 5)
	if err != nil {
		return field{}, err
	}
	count, err := strconv.ParseUint(n, 10, 6)
	f.bit, f.bits = uint8(at), uint8(count)
	return f, err
}

// kernelOf returns the build that a version of ntoskrnl belongs to: 19041 of
// 10.0.19041.329.
func kernelOf(version string) uint32 {
	parts := strings.Split(version, ".")
	if len(parts) < 3 {
		return 0
	}
	v, _ := strconv.ParseUint(parts[2], 10, 32)
	return uint32(v)
}

// sameKernel are builds of Windows that an enablement package makes of another, whose
// kernel they have (Microsoft's release information of Windows 10).
var sameKernel = map[uint32]uint32{18363: 18362, 19042: 19041, 19043: 19041, 19044: 19041, 19045: 19041}

// layoutsOf returns the layouts that kernels of a build are known to have.
func layoutsOf(build uint32) []*layout {
	if k, ok := sameKernel[build]; ok {
		build = k
	}
	var out []*layout
	for _, l := range layouts() {
		if kernelOf(l.first) <= build && build <= kernelOf(l.last) {
			out = append(out, l)
		}
	}
	return out
}
