package threads

import (
	"bytes"
	"hash/maphash"

	"kdlocks/kd"
	"kdlocks/stacks"
)

// siteKind says what a call site means to a skimmed stack.
type siteKind struct {
	traits Traits
	bad    bool // none that every frame may have: the block is read whole
}

var badSite = siteKind{bad: true}

// sites remembers the call sites that were met: a large listing has millions
// of frames and some thousands of sites.
type sites struct {
	seed   maphash.Seed
	byText map[uint64]site
	// byFrom finds a site by the return address of the frame before it, which
	// saves hashing the text. It is a cache: the text decides.
	byFrom []site
	text   []byte // of all sites
}

type site struct {
	from kd.Addr
	at   uint32 // in text
	len  uint16
	kind siteKind
}

// mostSites bounds the memory of the texts, in bytes.
const mostSites = 4 << 20

const fromBits = 13

// kind returns what the call site of a line is.
func (s *sites) kind(from kd.Addr, text []byte) siteKind {
	if len(text) == 0 {
		return badSite
	}
	if s.byFrom == nil {
		s.seed, s.byText, s.byFrom = maphash.MakeSeed(), make(map[uint64]site), make([]site, 1<<fromBits)
	}
	slot := &s.byFrom[uint64(from)*0x9e3779b97f4a7c15>>(64-fromBits)]
	if slot.from == from && s.same(*slot, text) {
		return slot.kind
	}
	h := maphash.Bytes(s.seed, text)
	known, ok := s.byText[h]
	if !ok || !s.same(known, text) {
		known = s.learn(h, text)
	}
	known.from = from
	*slot = known
	return known.kind
}

func (s *sites) same(k site, text []byte) bool {
	return int(k.len) == len(text) && bytes.Equal(s.text[k.at:int(k.at)+len(text)], text)
}

// learn judges a call site that was not met before.
func (s *sites) learn(h uint64, text []byte) site {
	const longest = 1 << 12
	k := site{kind: judgeSite(string(text[:min(len(text), longest)]))}
	if len(text) >= longest {
		k.kind = badSite
	}
	if len(s.text)+len(text) > mostSites || len(text) >= longest {
		return k // has no text, so it is judged anew each time
	}
	k.at, k.len = uint32(len(s.text)), uint16(len(text))
	s.text = append(s.text, text...)
	s.byText[h] = k
	return k
}

// judgeSite reads a call site as Reader would, behind argument columns and
// without them.
func judgeSite(text string) siteKind {
	const zero = " 00000000`00000000"
	plain, ok1 := frameWith(text)
	_, ok2 := frameWith(":" + zero + zero + zero + zero + " : " + text)
	switch {
	case !ok1 || !ok2 || len(plain.Args) > 0 || plain.Cut || plain.Trap != 0:
		return badSite
	case containsFold(plain.Function, "ExpWaitForResource"):
		return siteKind{traits: WaitsOnStack}
	case containsFold(plain.Function, "KeRemoveQueue"), containsFold(plain.Function, "KeRemovePriQueue"):
		return siteKind{traits: QueueWait}
	case containsFold(plain.Function, "ExAcquireSharedWaitForExclusive"), containsFold(plain.Function, "ExAcquireSharedStarveExclusive"):
		return siteKind{traits: SharedVariant}
	}
	return siteKind{}
}

// frameWith reads a frame that has some text behind its addresses.
func frameWith(text string) (stacks.Frame, bool) {
	var r stacks.Reader
	r.Line(kd.Line{Text: "Child-SP          RetAddr           Call Site"})
	if !r.Line(kd.Line{Text: "fffff880`07fab3e0 fffff800`0228da52 " + text}) || r.InArguments() {
		return stacks.Frame{}, false
	}
	return r.Take().Frames[0], true
}
