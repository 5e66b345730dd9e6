package threads

import (
	"bytes"
	"hash/maphash"
	"strings"

	"kdlocks/kd"
	"kdlocks/stacks"
)

// siteKind says what a call site means to a skimmed stack.
type siteKind struct {
	calls  callBits
	traits Traits
}

// bad marks, in the place of its calls, a site that not every frame may have:
// the block is read whole.
const bad callBits = 1 << 31

var badSite = siteKind{calls: bad}

// sites remembers the call sites that were met: a large listing has millions
// of frames and some thousands of sites.
type sites struct {
	seed   maphash.Seed
	byText map[uint64]site
	// byFrom has the site that was met last behind a return address, or one like
	// it, which saves hashing the text: the text decides.
	byFrom []site
	text   []byte // of all sites
	// learned are the functions of new sites that nobody was told of yet, lines of
	// module!function.
	learned []byte
}

// site is small, so that many of them fit into the processor's cache.
type site struct {
	at     uint32 // in text
	calls  callBits
	len    uint16 // 0 if the text was not kept
	traits Traits
}

func (k *site) kind() siteKind { return siteKind{k.calls, k.traits} }

// mostSites bounds the memory of the texts, in bytes.
const mostSites = 4 << 20

const fromBits = 13

// slot returns the place in the cache of a return address.
func (s *sites) slot(from digits) *site {
	if s.byFrom == nil {
		s.seed, s.byText, s.byFrom = maphash.MakeSeed(), make(map[uint64]site), make([]site, 1<<fromBits)
	}
	return &s.byFrom[(from.hi*31+from.lo)*0x9e3779b97f4a7c15>>(64-fromBits)]
}

func (s *sites) textOf(k *site) []byte { return s.text[k.at : int(k.at)+int(k.len)] }

// kind returns what the call site of a line is.
func (s *sites) kind(from digits, text []byte) siteKind {
	if len(text) == 0 {
		return badSite
	}
	slot := s.slot(from)
	h := maphash.Bytes(s.seed, text)
	known, ok := s.byText[h]
	if !ok || !bytes.Equal(s.textOf(&known), text) {
		known = s.learn(h, text)
	}
	*slot = known
	return known.kind()
}

// learn judges a call site that was not met before.
func (s *sites) learn(h uint64, text []byte) site {
	const longest = 1 << 12
	var kind siteKind
	if module, function, ok := plainCall(text); ok {
		s.learned = append(append(s.learned, text[:len(module)+1+len(function)]...), '\n')
		kind = siteKind{callBitsOf(module, function), traitsOf(string(function))}
	} else {
		kind = s.judge(string(text[:min(len(text), longest)]))
	}
	if len(text) >= longest {
		kind = badSite
	}
	k := site{calls: kind.calls, traits: kind.traits}
	if len(s.text)+len(text) > mostSites || len(text) >= longest {
		return k // has no text, so it is judged anew each time
	}
	k.at, k.len = uint32(len(s.text)), uint16(len(text))
	s.text = append(s.text, text...)
	s.byText[h] = k
	return k
}

// plainCall returns the module and the function of a call site of the form
// module!class::function+0x76 in letters, digits and underscores, which any
// frame may have.
func plainCall(text []byte) (module, function []byte, ok bool) {
	m := wordLen(text)
	if m == 0 || m == len(text) || text[m] != '!' || '0' <= text[0] && text[0] <= '9' {
		return nil, nil, false
	}
	rest := text[m+1:]
	n := wordLen(rest)
	if n == 0 || '0' <= rest[0] && rest[0] <= '9' {
		return nil, nil, false
	}
	for bytes.HasPrefix(rest[n:], []byte("::")) {
		next := wordLen(rest[n+2:])
		if next == 0 {
			return nil, nil, false
		}
		n += 2 + next
	}
	offset, ok := bytes.CutPrefix(rest[n:], []byte("+0x"))
	return text[:m], rest[:n], ok && 0 < len(offset) && len(offset) <= 8 && kd.AddrDigits(string(offset)) == len(offset)
}

// wordLen counts the letters, digits and underscores that a text begins with.
func wordLen(text []byte) int {
	for i, c := range text {
		if c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return i
		}
	}
	return len(text)
}

// judge reads a call site as Reader would, behind argument columns and without
// them.
func (s *sites) judge(text string) siteKind {
	const zero = " 00000000`00000000"
	plain, ok1 := frameWith(text)
	_, ok2 := frameWith(":" + zero + zero + zero + zero + " : " + text)
	switch {
	case !ok1 || !ok2 || len(plain.Args) > 0 || plain.Cut || plain.Trap != 0:
		return badSite
	case strings.ContainsAny(text, "&*\"#") || strings.Contains(text, "<<") || strings.Contains(text, "</") || !isPrintable(text):
		return badSite // perhaps mangled
	case strings.Contains(strings.ReplaceAll(plain.Symbol, "`anonymous namespace'", ""), " "):
		return badSite // perhaps two lines that were run together
	}
	if plain.Module != "" || plain.Unnamed() != 0 {
		s.learned = append(s.learned, plain.Module+"!"+plain.Function+"\n"...)
	}
	return siteKind{callBitsOf(plain.Module, plain.Function), traitsOf(plain.Function)}
}

// traitsOf returns what a function on a stack means.
func traitsOf(function string) Traits {
	var t Traits
	for _, r := range routines {
		if containsAny(function, r.words) {
			t |= r.traits
		}
	}
	return t
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

// isPrintable reports whether a text is printable ASCII with no blank at its end.
func isPrintable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return !strings.HasSuffix(s, " ")
}
