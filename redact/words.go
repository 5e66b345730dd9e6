package redact

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"kdlocks/stacks"
)

// spokenText has the words that kdlocks itself says or looks for, in lower case: those of its
// readers, detectors, reports and rules. A test holds that none is missing.
// One that ends with * stands for all words that begin so.
//
//go:embed words.txt
var spokenText string

// debuggerText has further words that debuggers print and that tell nobody anything.
//
//go:embed debugger.txt
var debuggerText string

// known is the vocabulary: what stands in a log without telling who it is from.
type vocabulary struct {
	words    map[string]bool
	prefixes []string
	modules  []string        // short prefixes, which are of modules alone
	parts    map[string]bool // of names of functions
	numbered map[string]bool // words that numbers follow
}

var known = sync.OnceValue(func() *vocabulary {
	v := &vocabulary{words: map[string]bool{}, parts: map[string]bool{}, numbered: map[string]bool{}}
	v.add(spokenText)
	v.add(debuggerText)
	slices.Sort(v.prefixes)
	return v
})

// add reads words, one or several a line. A line that begins with # is a comment.
// word* stands for all that begin so, word# for the word with a number, and +word
// is a part of the names of functions, too.
func (v *vocabulary) add(text string) {
	for line := range strings.Lines(text) {
		if line[0] == '#' {
			continue
		}
		for _, w := range strings.Fields(line) {
			w, part := strings.CutPrefix(w, "+")
			v.parts[w] = v.parts[w] || part
			if p, ok := strings.CutSuffix(w, "*"); ok {
				if len(p) > 3 {
					v.prefixes = append(v.prefixes, p)
				} else {
					v.modules = append(v.modules, p)
				}
			} else if p, ok := strings.CutSuffix(w, "#"); ok {
				v.numbered[p] = true
			} else {
				v.words[w] = true
			}
		}
	}
}

// has reports whether a word in lower case is in the vocabulary.
func (v *vocabulary) has(low string) bool {
	low = strings.Trim(low, "_")
	if len(low) < 2 || v.words[low] || v.numbered[low] {
		return true
	}
	if stem, ok := strings.CutSuffix(low, "s"); ok && v.words[stem] {
		return true
	}
	if stem := strings.TrimRight(low, "0123456789"); len(stem) < len(low) && (v.numbered[stem] || len(stem) < 2 && len(low) < 4) {
		return true // among them a letter with a number, as in v1
	}
	for _, p := range v.prefixes {
		if strings.HasPrefix(low, p) {
			return true
		}
	}
	return stacks.OfWindows(low) || isCommand(low)
}

// isCommand tells k and lm with their letters: kvnL, lmDvm.
func isCommand(low string) bool {
	if rest, ok := strings.CutPrefix(low, "lm"); ok && len(rest) < 7 {
		return strings.Trim(rest, "vdoctnifpkuelsma") == ""
	}
	return low[0] == 'k' && len(low) < 6 && strings.Trim(low, "kbpvnfmlcr") == ""
}

// ofRule reports whether rules may know a module by how its name begins.
func (v *vocabulary) ofRule(low string) bool {
	for _, p := range v.modules {
		if strings.HasPrefix(low, p) {
			return true
		}
	}
	return false
}

// lower returns a word in lower case. Only ASCII letters have one, so that no
// word changes its length.
func lower(w string) string {
	for i := 0; i < len(w); i++ {
		if 'A' <= w[i] && w[i] <= 'Z' {
			b := []byte(w)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] |= 0x20
				}
			}
			return string(b)
		}
	}
	return w
}

// consonants are the letters of pseudonyms: they make neither hexadecimal numbers nor
// words that anybody uses.
const consonants = "ghjklmnpqrstvwxz"

const alphabet = "abcdefghijklmnopqrstuvwxyz"

// taken are beginnings that mean something to who reads the names of functions.
var taken = []string{"nt", "zw", "ps", "mm", "rtl", "kx", "hv", "mrx", "np", "lsp", "mpksl", "win"}

// pseudonym makes a word of the same form: letters for letters, digits for digits.
// A later attempt makes another; the last ones may have vowels.
func pseudonym(key []byte, low string, attempt int) string {
	random := newStream(key, "word", low, string(rune(' '+attempt)))
	letters := consonants
	if attempt > mostAttempts/2 {
		letters = alphabet
	}
	out := make([]byte, 0, len(low))
	for i := 0; i < len(low); {
		c := low[i]
		switch {
		case isLetter(c):
			out = append(out, letters[random.below(uint64(len(letters)))])
		case isDigit(c):
			out = append(out, '0'+byte(random.below(10)))
		case c < utf8.RuneSelf:
			out = append(out, c)
		default:
			r, n := utf8.DecodeRuneInString(low[i:])
			out = append(out, foreign(r, n, random)...)
			i += n
			continue
		}
		i++
	}
	return string(out)
}

// mostAttempts is how many pseudonyms are tried for a word.
const mostAttempts = 64

// foreign returns another letter of the same length in UTF-8.
func foreign(r rune, size int, random *stream) string {
	if r == utf8.RuneError {
		return "\uFFFD"[:size]
	}
	switch size {
	case 2:
		return string(rune(0xe0 + random.below(23)))
	case 3:
		return string(rune(0x4e00 + random.below(20000)))
	}
	return string(rune(0x20000 + random.below(40000)))
}

// usable reports whether a pseudonym cannot be taken for anything else.
func (v *vocabulary) usable(p string) bool {
	bare := strings.TrimLeft(p, "_")
	for _, t := range taken {
		if strings.HasPrefix(bare, t) {
			return false
		}
	}
	return hexLen(p) < len(p) && (!isDigit(p[0]) || !isMeasure(p)) && !v.has(p) && !bucketParts[p]
}

// withCase gives a pseudonym the case of a word.
func withCase(p, w string) string {
	if lower(w) == w {
		return p
	}
	b := []byte(p)
	for i := range b {
		if 'A' <= w[i] && w[i] <= 'Z' && isLetter(b[i]) {
			b[i] &^= 0x20
		}
	}
	return string(b)
}

// keepParts puts the parts of a function's name back that tell what it does, as
// verdicts rest on them: the Acquire and Exclusive of MyAcquireExclusive.
func (v *vocabulary) keepParts(p, w string) string {
	b := []byte(p)
	for i := 0; i < len(w); {
		n := v.partAt(w[i:])
		if n > 0 {
			copy(b[i:], w[i:i+n])
		} else {
			n = partLen(w[i:])
		}
		i += n
	}
	return string(b)
}

// partAt returns the length of the longest run of parts that w begins with and that
// are together a word of the vocabulary, 0 if there is none.
func (v *vocabulary) partAt(w string) int {
	best := 0
	for n, k := 0, 0; n < len(w) && k < mostParts; k++ {
		n += partLen(w[n:])
		if low := lower(w[:n]); v.parts[low] || n > 2 && v.words[low] {
			best = n
		}
	}
	return best
}

// mostParts is how many parts of a name are tried together.
const mostParts = 6

// partLen returns how long the first part of a name in CamelCase is.
func partLen(w string) int {
	upper := func(i int) bool { return i < len(w) && 'A' <= w[i] && w[i] <= 'Z' }
	small := func(i int) bool { return i < len(w) && 'a' <= w[i] && w[i] <= 'z' }
	n := 1
	switch {
	case upper(0) && small(1), small(0):
		for small(n) {
			n++
		}
	case upper(0):
		for upper(n) && !small(n+1) {
			n++
		}
	}
	return n
}
