package symbols

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"
)

// symbols are the names of a Table and where they lie.
type symbols struct {
	byRVA  []symbol // by address, the better name first
	byName []uint32 // indexes of byRVA, by name, public ones first
}

type symbol struct {
	rva     uint32
	name    span
	private bool // known inside of one object file alone, as static functions are
}

// addSymbol adds a name at rva.
func (t *Table) addSymbol(name []byte, rva uint32, private bool) error {
	if len(name) == 0 {
		return nil
	}
	s, err := t.intern(name)
	if err != nil {
		return err
	}
	t.byRVA = append(t.byRVA, symbol{rva, s, private})
	return nil
}

// sortSymbols makes the names of t ready to be asked for.
func (t *Table) sortSymbols() {
	slices.SortFunc(t.byRVA, func(a, b symbol) int {
		x, y := t.name(a.name), t.name(b.name)
		return cmp.Or(
			cmp.Compare(a.rva, b.rva),
			cmp.Compare(decoration(x), decoration(y)),
			cmp.Compare(len(x), len(y)),
			strings.Compare(x, y),
			cmp.Compare(visibility(a), visibility(b)))
	})
	// A function is often told twice: as public and as procedure.
	t.byRVA = slices.Clip(slices.CompactFunc(t.byRVA, func(a, b symbol) bool {
		return a.rva == b.rva && t.name(a.name) == t.name(b.name)
	}))
	t.byName = make([]uint32, len(t.byRVA))
	for i := range t.byName {
		t.byName[i] = uint32(i)
	}
	slices.SortFunc(t.byName, func(a, b uint32) int {
		x, y := t.byRVA[a], t.byRVA[b]
		return cmp.Or(
			strings.Compare(t.name(x.name), t.name(y.name)),
			cmp.Compare(visibility(x), visibility(y)),
			cmp.Compare(a, b))
	})
}

// decoration is 1 for names a compiler made or decorated, 0 for others.
func decoration(name string) int {
	if strings.IndexByte("?_", name[0]) >= 0 {
		return 1
	}
	return 0
}

func visibility(s symbol) int {
	if s.private {
		return 1
	}
	return 0
}

// RVA tells where a name lies: the distance in bytes from the base of the
// image. The name is written as in the symbol file. A public symbol goes before
// those of single object files. A name that stands for several places is not
// known.
func (t *Table) RVA(name string) (uint32, bool) {
	i, ok := slices.BinarySearchFunc(t.byName, name, func(i uint32, name string) int {
		return strings.Compare(t.name(t.byRVA[i].name), name)
	})
	if !ok {
		return 0, false
	}
	s := t.byRVA[t.byName[i]]
	if i+1 < len(t.byName) {
		next := t.byRVA[t.byName[i+1]]
		if next.private == s.private && t.name(next.name) == name {
			return 0, false
		}
	}
	return s.rva, true
}

// At tells the nearest name at or below rva, and how many bytes above it rva
// lies. The table does not know where functions or the image end: that is for
// the caller to look at. Of several names at one place it tells one without a
// leading ? or _, then the shortest, then the first of the alphabet.
func (t *Table) At(rva uint32) (name string, off uint32, ok bool) {
	end := len(t.byRVA)
	if rva < math.MaxUint32 {
		end = sort.Search(end, func(i int) bool { return t.byRVA[i].rva > rva })
	}
	if end == 0 {
		return "", 0, false
	}
	at := t.byRVA[end-1].rva
	first := sort.Search(end, func(i int) bool { return t.byRVA[i].rva >= at })
	return t.name(t.byRVA[first].name), rva - at, true
}
