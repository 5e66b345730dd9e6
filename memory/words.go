package memory

import (
	"cmp"
	"slices"
	"strings"

	"kdlocks/kd"
)

// Symbol is where a name is, as x prints it.
type Symbol struct {
	Addr kd.Addr
	Name string // "nt!ExAllocatePool"
	At   kd.Ref // of the address
}

// Words is a line of the target's memory, as s, dps, dd and their kin print it.
type Words struct {
	Addr   kd.Addr
	Values []kd.Addr // at most four, in their order
	Size   int       // bytes of each value: 4 or 8
	// Symbol is the name that dps prints behind its one value, "" if there is none.
	Symbol string
	// Found says that a search printed the line.
	Found bool
	At    kd.Ref // of the address
}

// Search is a search of memory that was typed: for a value, or for the letters of a tag.
type Search struct {
	Value   kd.Addr // 0 if it was for letters
	Letters string
	Command string
	// Whole says that all it printed was read: a prompt came behind it, and no line in
	// between that is none of memory, such as an error or a mark that lines were left out.
	Whole bool
	At    kd.Ref
}

// Memory is what was printed of the target's memory.
type Memory struct {
	Symbols  []Symbol
	Words    []Words
	Searches []Search
	// Hits are where searches found the letters of a tag.
	Hits []Hit
}

// Hit is a place at which the letters of a tag stand.
type Hit struct {
	Letters string
	Addr    kd.Addr
	At      kd.Ref // of the address
}

// empty reports whether nothing was printed.
func (m *Memory) empty() bool {
	return m == nil || len(m.Symbols)+len(m.Words)+len(m.Searches)+len(m.Hits) == 0
}

// add joins what another log shows.
func (m *Memory) add(o *Memory) *Memory {
	if m == nil || o == nil {
		return cmp.Or(m, o)
	}
	return &Memory{slices.Concat(m.Symbols, o.Symbols), slices.Concat(m.Words, o.Words), slices.Concat(m.Searches, o.Searches), slices.Concat(m.Hits, o.Hits)}
}

// Function returns the name of a function without its module, "" if a name has
// none or is followed by an offset.
func Function(symbol string) string {
	_, f, ok := strings.Cut(symbol, "!")
	if !ok || strings.IndexByte(f, '+') >= 0 {
		return ""
	}
	return f
}

// MapAddrs replaces each address by what f makes of it.
func (m *Memory) MapAddrs(f func(kd.Addr) kd.Addr) {
	if m == nil {
		return
	}
	for i := range m.Symbols {
		m.Symbols[i].Addr = f(m.Symbols[i].Addr)
	}
	for i := range m.Searches {
		m.Searches[i].Value = f(m.Searches[i].Value)
	}
	for i := range m.Words {
		w := &m.Words[i]
		w.Addr = f(w.Addr)
		for k := range w.Values {
			w.Values[k] = f(w.Values[k])
		}
	}
}
