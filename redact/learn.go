package redact

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"strings"
	"unicode"

	"kdlocks/kd"
	"kdlocks/stacks"
	"kdlocks/transcript"
)

// Learn reads the inputs and decides what becomes of each name and address. It is
// called once, with all inputs of one case. Its errors are those of reading; an
// input that is no text wraps transcript.ErrNotText. What was read until then is
// learned all the same.
func (r *Redactor) Learn(ctx context.Context, inputs []transcript.Input) error {
	if r.learned {
		return errors.New("redact: Learn was called before")
	}
	r.learned = true
	size := int64(0)
	for _, in := range inputs {
		size += in.Size
	}
	fates := fates(ctx, inputs, r.progress(0, passes*size))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	all := sha256.New()
	var errs []error
	read := size
	for i, in := range inputs {
		r.learnLine(in.Name, true)
		errs = append(errs, r.learnInput(ctx, in, fates[i], all, r.progress(read, passes*size)))
		read += in.Size
	}
	for i, in := range inputs {
		errs = append(errs, r.keepNumbers(ctx, in, fates[i], r.progress(read, passes*size)))
		read += in.Size
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if r.opt.Key != "" {
		all = sha256.New()
		io.WriteString(all, "kdlocks redact\n"+r.opt.Key)
	}
	r.key = all.Sum(nil)
	r.decide()
	return errors.Join(errs...)
}

// passes is how often Learn reads an input at most.
const passes = 3

// fates returns what became of the lines of each input.
func fates(ctx context.Context, inputs []transcript.Input, progress func(done int64)) [][]transcript.Status {
	tell := func(done, _ int64) { progress(done) }
	if progress == nil {
		tell = nil
	}
	read, _ := transcript.Read(ctx, inputs, tell) // whatever is wrong, EachLine says so too
	out := make([][]transcript.Status, len(inputs))
	for i := range read.Sources {
		out[i] = read.Sources[i].Status
	}
	return out
}

// understood reports whether somebody knows what a text says: the reader of its line,
// or whoever took line numbers and times off that stand beside.
func understood(status []transcript.Status, s string, num int32) bool {
	if num == 0 {
		return strings.IndexFunc(s, unicode.IsLetter) < 0
	}
	return int(num) <= len(status) && status[num-1] != transcript.NotUnderstood && !isRemark(s) && !isMemoryRow(s)
}

// isRemark reports whether a line is a prompt with a comment, or with a text to echo: what
// stands there is what somebody wrote.
func isRemark(s string) bool {
	_, typed, ok := strings.Cut(s, "> ")
	typed = strings.TrimLeft(typed, " ")
	return ok && (strings.HasPrefix(typed, "*") || strings.HasPrefix(typed, "$$") || strings.HasPrefix(typed, ".echo"))
}

func (r *Redactor) learnInput(ctx context.Context, in transcript.Input, status []transcript.Status, all hash.Hash, progress func(done int64)) error {
	for _, s := range status {
		if s == transcript.NotUnderstood {
			r.count.NotUnderstood++
		}
	}
	p := newPage(func(s string, num int32, _ func(int, string)) { r.learnLine(s, understood(status, s, num)) }, progress)
	var buf []byte
	return p.read(ctx, in, func(l *line) {
		buf = append(append(buf[:0], l.Text...), l.End...)
		all.Write(buf)
	})
}

// keepNumbers takes back what was learned of numbers in lines that nobody understands, and
// of names that look like numbers, where they stand in others, too: there they are counts,
// times, sizes or addresses.
func (r *Redactor) keepNumbers(ctx context.Context, in transcript.Input, status []transcript.Status, progress func(done int64)) error {
	if len(r.loose)+len(r.named) == 0 {
		return nil
	}
	p := newPage(func(s string, num int32, _ func(int, string)) {
		if !understood(status, s, num) {
			return
		}
		t := tokens{s: s, masked: r.strange}
		for tok, ok := t.next(); ok; tok, ok = t.next() {
			if tok.kind == aNumber {
				delete(r.loose, s[tok.start:tok.end])
				delete(r.named, lower(s[tok.start:tok.end]))
			}
		}
	}, progress)
	return p.read(ctx, in, nil)
}

// looseDigits is how many digits a decimal number in a line that nobody understands
// must have to be taken for somebody's: of a ticket, a telephone, a customer.
const looseDigits = 5

// isLoose reports whether a number where nobody understands what it says may say who it is from.
func isLoose(text string) bool {
	if len(text) >= looseDigits && digitLen(text) == len(text) && text[:3] != "000" {
		return true
	}
	if len(text) > 2 && len(text) < 8 && allLetters(text) {
		return !known().has(lower(text)) // ada and dee are hexadecimal numbers, too
	}
	return len(text) == 8 && hexLen(text) == 8 && spells(text)
}

// learnLine learns what stands in a line. understood is false where nobody knows
// what it says.
func (r *Redactor) learnLine(s string, understood bool) {
	t := tokens{s: s, masked: r.strange}
	for {
		before := t.last
		tok, ok := t.next()
		if !ok {
			return
		}
		text := s[tok.start:tok.end]
		switch tok.kind {
		case aWord:
			r.narrow = r.narrow || text == "ChildEBP"
			r.learnWord(text, tok)
			if hexLen(text) == len(text) && len(text) > 2 && r.strange(text) && len(r.named) < r.most {
				r.named[lower(text)] = true
			}
			if low := lower(text); tok.end < len(s) && s[tok.end] == '!' && r.vocab.ofRule(low) {
				r.keep[low] = true
			}
		case anID:
			r.intern(r.ids, text)
		case aVersion:
			if w := r.intern(r.ids, text); w != nil {
				w.keep = true
			}
		case aNumber:
			if !understood && isLoose(text) && !r.keep[lower(text)] {
				r.intern(r.loose, text)
			}
			r.noteBare(text)
			v, digits := value(text)
			if i := regionOf(v); i >= 0 && digits >= 8 && !isOffset(s, tok, v) && !amongCounts(s, tok) {
				r.space.see(i, v)
			} else if f := kd.Addr(v).Fold(); digits == 16 && uint64(f) != v && regionOf(uint64(f)) == narrow {
				r.space.see(narrow, uint64(f))
			}
			r.narrow = r.narrow || digits == 8 && regionOf(v) == narrow && provesNarrow(s, before, tok)
		}
	}
}

// noteBare remembers a number that a moved address may be taken for, or that is one.
func (r *Redactor) noteBare(text string) {
	if isBare(text) && !r.bare[text] && len(r.bare) < r.most {
		r.bare[strings.Clone(text)] = true
	}
}

// provesNarrow reports whether a number of 8 digits stands where an address of the
// debuggee must: behind the words that debuggers put before one, or at the head of a
// line of two.
func provesNarrow(s string, before, tok token) bool {
	if strings.HasPrefix(s, "Resource @ ") {
		return true
	}
	if before.end == 0 { // what x and dps print
		c := kd.Cursor{Text: s, Pos: tok.end}
		return strings.HasPrefix(c.Peek(), "nt!") && strings.Trim(s[:tok.start], " ") == ""
	}
	gap := s[before.end:tok.start]
	if before.kind == aNumber {
		return before.end-before.start == 8 && gap == " " && strings.Trim(s[:before.start], " ") == ""
	}
	return addressed[lower(s[before.start:before.end])] && len(gap) < 5 && strings.Trim(gap, " @=:(") == ""
}

// addressed are the words that stand before addresses of the debuggee.
var addressed = map[string]bool{
	"thread": true, "threads": true, "process": true, "ethread": true, "eprocess": true, "resource": true, "locks": true, "now": true,
	"init": true, "current": true, "base": true, "limit": true, "sp": true, "irp": true, "object": true,
}

// strange reports whether a word is not in the vocabulary.
func (r *Redactor) strange(text string) bool {
	if w := r.words[text]; w != nil {
		return !w.keep
	}
	return !r.knows(lower(text))
}

func (r *Redactor) knows(low string) bool { return r.keep[low] || r.vocab.has(low) }

func (r *Redactor) learnWord(text string, tok token) {
	w := r.words[text]
	if w == nil {
		if w = r.intern(r.words, text); w == nil {
			return
		}
		w.keep = r.knows(lower(text))
	}
	if !tok.function {
		return
	}
	switch {
	case stacks.OfWindows(tok.module) || r.keep[lower(tok.module)]:
		w.keep = true // what Windows calls its functions is public; those that rules look for are in the vocabulary
	default:
		w.function = true
	}
}

// intern returns the entry of a word; nil where there are too many.
func (r *Redactor) intern(in map[string]*word, text string) *word {
	if w := in[text]; w != nil {
		return w
	}
	if len(r.words)+len(r.ids)+len(r.loose) >= r.most {
		r.full = true
		return nil
	}
	text = strings.Clone(text)
	w := &word{}
	in[text] = w
	return w
}
