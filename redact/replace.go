package redact

import (
	"strings"

	"kdlocks/kd"
)

// value returns the value of a number and how many digits it has; 0 if it can be no
// address.
func value(s string) (v uint64, digits int) {
	i := 0
	if len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		i = 2
	}
	decimal := i == 0
	for i < len(s) {
		c := s[i]
		h := hexValue(c)
		if h < 0 {
			n := tickLen(s[i:])
			if n == 0 || len(s)-i-n != 8 {
				return 0, 0
			}
			i += n
			decimal = false
			continue
		}
		if digits++; digits > 16 {
			return 0, 0
		}
		decimal = decimal && isDigit(c)
		v = v<<4 | uint64(h)
		i++
	}
	if decimal && digits != 8 && digits != 16 {
		return 0, 0
	}
	return v, digits
}

// replace tells put what stands in a line in place of what, which is as long.
func (r *Redactor) replace(s string, put func(at int, to string)) {
	t := tokens{s: s, masked: r.isMasked}
	for {
		before := t.last
		tok, ok := t.next()
		if !ok {
			return
		}
		text := s[tok.start:tok.end]
		to := ""
		switch tok.kind {
		case aWord:
			if to = r.wordFor(text); to != "" {
				r.count.Words++
			}
		case anID:
			if to = r.idFor(text); to != "" {
				r.count.IDs++
			}
		case aNumber:
			if r.named[lower(text)] {
				to = r.wordFor(text)
				r.count.Words++
				break
			}
			to = r.addressFor(s, before, tok)
			if w := r.loose[text]; to == "" && w != nil {
				to = w.to
				r.count.IDs++
			}
		}
		if to != "" {
			put(tok.start, to)
		}
	}
}

func (r *Redactor) isMasked(text string) bool { return r.wordFor(text) != "" }

// wordFor returns the pseudonym of a word, "" if it stays. A word that stood in
// no input in this case, as in a report, is known by its other forms.
func (r *Redactor) wordFor(text string) string {
	if w := r.words[text]; w != nil {
		return w.to
	}
	low := lower(text)
	if p := r.folded[low]; p != "" {
		return withCase(p, text)
	}
	if r.full && !r.knows(low) {
		return withCase(pseudonym(r.key, low, 0), text)
	}
	return ""
}

// idFor returns the pseudonym of an ID, "" if it stays.
func (r *Redactor) idFor(text string) string {
	if w := r.ids[text]; w != nil {
		return w.to
	}
	if r.full {
		return digitsFor(lower(text), newStream(r.key, "id", lower(text)))
	}
	return ""
}

// addressFor returns what an address is replaced by, "" if a number is none.
func (r *Redactor) addressFor(s string, before, tok token) string {
	text := s[tok.start:tok.end]
	v, digits := value(text)
	to, ok := r.moved(s, before, tok, v, digits)
	if !ok {
		return ""
	}
	r.count.Addresses++
	if to == v {
		r.count.Unmoved++
		return ""
	}
	return like(text, to)
}

// moved returns where an address is moved to, false if a number is none.
func (r *Redactor) moved(s string, before, tok token, v uint64, digits int) (uint64, bool) {
	i := regionOf(v)
	if i >= 0 && (isOffset(s, tok, v) || amongCounts(s, tok)) {
		return v, false
	}
	if i == narrow {
		if !r.narrow || digits > 8 && digits < 16 || isCode(v) || countsSomething(s, before, tok) {
			return v, false
		}
		return place(r.space.runs[narrow], narrow, v)
	}
	if i >= 0 {
		return place(r.space.runs[i], i, v)
	}
	if low := uint64(kd.Addr(v).Fold()); r.narrow && low != v && regionOf(low) == narrow && !isCode(low) {
		to, ok := place(r.space.runs[narrow], narrow, low)
		return to | v&^0xffff_ffff, ok
	}
	return v, false
}

// isOffset reports whether a number is the distance from a symbol.
func isOffset(s string, tok token, v uint64) bool {
	return tok.start > 0 && s[tok.start-1] == '+' && v>>63 == 0
}

// amongCounts reports whether a number of 8 decimal digits stands in a row of counts: in one
// of Kb, or among decimal numbers of other lengths.
//
//	NSpc    246479     90827424          0            0
func amongCounts(s string, tok token) bool {
	if tok.end-tok.start != 8 || digitLen(s[tok.start:tok.end]) != 8 {
		return false
	}
	if strings.HasPrefix(s[tok.end:], " Kb") || strings.HasPrefix(s[tok.end:], "Kb") {
		return true
	}
	before := strings.Fields(s[:tok.start])
	for i := len(before) - 1; i > 0 && digitLen(before[i]) == len(before[i]); i-- {
		if len(before[i]) != 8 {
			return true
		}
	}
	for w := range strings.FieldsSeq(s[tok.end:]) {
		if digitLen(w) != len(w) {
			return false
		}
		if len(w) != 8 {
			return len(before) > 0
		}
	}
	return false
}

// isCode tells the status codes among the numbers that could be addresses of 32 bits:
// NTSTATUS errors with facility 0, and HRESULTs that Windows returns most.
func isCode(v uint64) bool {
	return v>>16 == 0xc000 || v>>16 == 0x8007 || v == 0x8004_0001 || v == 0x8004_0005 || v == 0xe06d_7363
}

// counted are words before numbers that are no addresses, whatever they look like.
var counted = map[string]bool{
	"count": true, "ticks": true, "tickcount": true, "timestamp": true, "checksum": true, "flags": true, "datestamp": true,
	"efl": true, "cr0": true, "cr4": true, "status": true, "error": true, "code": true,
}

func countsSomething(s string, before, tok token) bool {
	if before.kind != aWord || tok.start-before.end > 16 {
		return false
	}
	return counted[lower(s[before.start:before.end])] && strings.Trim(s[before.end:tok.start], " =:(") == ""
}

// like writes an address as another one is written: with its digits, its case, its 0x and its backtick.
func like(text string, v uint64) string {
	out := []byte(text)
	upper := false
	first := 0
	if len(text) > 2 && text[0] == '0' && text[1]|0x20 == 'x' {
		first = 2
	}
	for _, c := range out[first:] { // the name of an entity is in lower case
		upper = upper || 'A' <= c && c <= 'F'
	}
	digits := "0123456789abcdef"
	if upper {
		digits = "0123456789ABCDEF"
	}
	before := hexLen(text[first:]) // before the backtick
	for i := len(out) - 1; i >= first; i-- {
		if i >= first+before && i < len(out)-8 {
			continue
		}
		out[i] = digits[v&15]
		v >>= 4
	}
	return string(out)
}
