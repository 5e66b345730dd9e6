package dumptest

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// layoutsTSV has a row for each type ("KTHREAD": its size) and field
// ("KTHREAD.State": its offset, or offset:bit:bits), in hexadecimal offsets and
// decimal bits, and a column for each build. A row of one value holds for all
// builds; "-" is a field that a build does not have.
//
//go:embed layouts.tsv
var layoutsTSV string

// field is where a field lies in its type: bytes from its start and, for a
// bit field, its first bit and number of bits (0 for a plain field).
type field struct {
	off       uint64
	bit, bits uint
}

type layout struct {
	build  string
	pdb    string // GUID and age of ntkrnlmp.pdb in hexadecimal
	fields map[string]field
}

var layouts = sync.OnceValue(parseLayouts)

func parseLayouts() []layout {
	var all []layout
	for line := range strings.Lines(layoutsTSV) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		key, values := cells[0], cells[1:]
		if key == "build" {
			for _, b := range values {
				all = append(all, layout{build: b, fields: make(map[string]field)})
			}
			continue
		}
		for i := range all {
			v := values[min(i, len(values)-1)]
			switch {
			case key == "pdb":
				all[i].pdb = v
			case v != "-":
				all[i].fields[key] = parseField(v)
			}
		}
	}
	return all
}

func parseField(s string) field {
	off, bits, _ := strings.Cut(s, ":")
	var f field
	f.off, _ = strconv.ParseUint(off, 16, 64)
	if bits != "" {
		fmt.Sscanf(bits, "%d:%d", &f.bit, &f.bits)
	}
	return f
}

// Builds lists the builds that a machine can be made of, oldest first, one for
// each layout of the kernel's structures ("6.1.7601.24540" …
// "10.0.22000.2003").
func Builds() []string {
	var names []string
	for _, l := range layouts() {
		names = append(names, l.build)
	}
	return names
}

func layoutOf(build string) (*layout, error) {
	all := layouts()
	i := slices.IndexFunc(all, func(l layout) bool { return l.build == build })
	if i < 0 {
		return nil, fmt.Errorf("dumptest: no layout of build %q", build)
	}
	return &all[i], nil
}

// has says whether the build has the type or field.
func (l *layout) has(key string) bool {
	_, ok := l.fields[key]
	return ok
}

// release is the third number of the build: 7601 … 22000.
func (l *layout) release() int {
	n, _ := strconv.Atoi(strings.Split(l.build, ".")[2])
	return n
}

// version is the first two numbers of the build.
func (l *layout) version() (major, minor uint32) {
	fmt.Sscanf(l.build, "%d.%d.", &major, &minor)
	return major, minor
}

// off is the offset of a field; a name that the build lacks is a mistake in
// this package, which m.Err reports.
func (m *Machine) off(key string) uint64 {
	f, ok := m.layout.fields[key]
	if !ok {
		m.fail("build %s has no %s", m.layout.build, key)
	}
	return f.off
}

// Field is the address of a field ("EPROCESS.ActiveProcessLinks") of the
// structure at va: what [Machine.Poke] needs to damage it.
func (m *Machine) Field(va uint64, key string) uint64 { return va + m.off(key) }

// sizeOf is the size of a type in bytes.
func (m *Machine) sizeOf(name string) uint64 { return m.off(name) }
