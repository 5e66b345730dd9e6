package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
)

const (
	// around is how many lines are shown before and behind a piece of evidence.
	around = 2
	// mostExcerptLines and mostExcerptBytes bound the lines that are shown of a
	// report's evidence, and how much of the input is read for them.
	mostExcerptLines, mostExcerptBytes = 3000, 8 << 20
	// longestExcerpt is what is shown of a long line, in characters, beforeMark
	// of them before what is marked.
	longestExcerpt, beforeMark = 400, 80
	// mostWhys bounds what is said of one line.
	mostWhys = 8
)

// excerpt is some lines of an input in a row, with evidence marked.
type excerpt struct {
	Input string
	Lines []excerptLine
}

// excerptLine is a line of which pieces are marked, and why they count.
type excerptLine struct {
	Number int
	Pieces []excerptPiece
	Whys   []string
}

type excerptPiece struct {
	Text   string
	Marked bool
}

// span is a piece of a line in characters, counted from 0, the end exclusive.
type span struct{ from, to int }

// quoting shows evidence within the lines around it.
type quoting struct {
	report       *Report
	inputs       map[string]*Input
	lines, bytes int // shown and read so far
}

// marks are what is marked in the lines of one input.
type marks struct {
	spans map[int][]span
	whys  map[int][]reason
}

// reason says why a piece of a line counts, and what address it holds.
type reason struct{ why, address string }

// excerpts returns the lines of pieces of evidence, which stand in the order of
// the inputs, and how many pieces were left out.
func (q *quoting) excerpts(es []Evidence) (out []excerpt, left int) {
	for i := 0; i < len(es); {
		if q.lines >= mostExcerptLines || q.bytes >= mostExcerptBytes {
			return out, len(es) - i
		}
		n, last := 1, max(es[i].EndLine, es[i].Line)
		for ; i+n < len(es) && es[i+n].Input == es[i].Input && es[i+n].Line <= last+2*around+1; n++ {
			last = max(last, es[i+n].EndLine, es[i+n].Line)
			if last-es[i].Line > mostExcerptLines {
				break
			}
		}
		out = append(out, q.excerpt(es[i:i+n], last))
		i += n
	}
	return out, 0
}

// excerpt shows pieces of evidence that stand near each other, the last of
// them ending in line last.
func (q *quoting) excerpt(es []Evidence, last int) excerpt {
	m := marks{spans: make(map[int][]span), whys: make(map[int][]reason)}
	texts := make(map[int]string)
	for _, e := range es {
		m.add(&e, texts)
	}
	x := excerpt{Input: es[0].Input}
	for n := max(es[0].Line-around, 1); n <= last+around; n++ {
		text, known := texts[n]
		if !known {
			if text, known = q.line(es[0].Input, n); !known {
				continue
			}
		}
		q.lines++
		x.Lines = append(x.Lines, m.line(n, text))
	}
	return x
}

// line returns a line of an input that is no evidence itself.
func (q *quoting) line(input string, n int) (string, bool) {
	in := q.inputs[input]
	if in == nil || in.line == nil || n > in.Lines || q.lines >= mostExcerptLines || q.bytes >= mostExcerptBytes {
		return "", false
	}
	text := in.line(n)
	q.bytes += len(text)
	return text, true
}

// add marks a piece of evidence, which may go on over line ends.
func (m *marks) add(e *Evidence, texts map[int]string) {
	from, length := e.Column-1, e.Length
	for i, text := range strings.Split(e.Text, "\n") {
		n, size := e.Line+i, len([]rune(text))
		texts[n] = text
		from = min(max(from, 0), size)
		if to := min(from+length, size); to > from {
			m.spans[n] = append(m.spans[n], span{from, to})
		}
		length -= size - from + 1
		from = 0
	}
	if why := (reason{e.Why, e.Address}); !slices.Contains(m.whys[e.Line], why) {
		m.whys[e.Line] = append(m.whys[e.Line], why)
	}
}

// line cuts a line into pieces that are marked and not.
func (m *marks) line(n int, text string) excerptLine {
	l := excerptLine{Number: n, Whys: m.said(n)}
	r := []rune(strings.TrimRight(text, " \t\r"))
	spans := joined(m.spans[n])
	for i := range spans { // of a line that ends in marked blanks
		spans[i].from, spans[i].to = min(spans[i].from, len(r)), min(spans[i].to, len(r))
	}
	end := 0
	for _, w := range windows(r, spans) {
		if w.from > end {
			l.Pieces = append(l.Pieces, excerptPiece{" … ", false})
		}
		l.add(r, spans, w)
		end = w.to
	}
	if end < len(r) {
		l.Pieces = append(l.Pieces, excerptPiece{" …", false})
	}
	return l
}

// add shows a part of a line with what is marked in it.
func (l *excerptLine) add(r []rune, spans []span, w span) {
	piece := func(from, to int, marked bool) {
		from, to = max(from, w.from), min(to, w.to)
		if from < to {
			l.Pieces = append(l.Pieces, excerptPiece{Plain(string(r[from:to])), marked})
		}
	}
	at := 0
	for _, s := range spans {
		piece(at, s.from, false)
		piece(s.from, s.to, true)
		at = s.to
	}
	piece(at, len(r), false)
}

// said tells why the pieces of a line count: of several with their addresses.
func (m *marks) said(n int) []string {
	var out []string
	for i, w := range m.whys[n] {
		switch {
		case i == mostWhys:
			return append(out, fmt.Sprintf("and %d more", len(m.whys[n])-i))
		case len(m.whys[n]) > 1 && w.address != "":
			out = append(out, strings.TrimPrefix(w.address, "0x")+": "+w.why)
		default:
			out = append(out, w.why)
		}
	}
	return out
}

// shown are the lines of a piece of evidence, of long ones what is around it.
func (e *Evidence) shown() []string {
	m := marks{spans: make(map[int][]span), whys: make(map[int][]reason)}
	texts := make(map[int]string)
	m.add(e, texts)
	var out []string
	for i := range strings.Count(e.Text, "\n") + 1 {
		n := e.Line + i
		if r := []rune(texts[n]); len(r) > longestExcerpt {
			var b strings.Builder
			for _, p := range m.line(n, texts[n]).Pieces {
				b.WriteString(p.Text)
			}
			texts[n] = b.String()
		}
		out = append(out, texts[n])
	}
	return out
}

// joined orders spans and joins those that touch.
func joined(spans []span) []span {
	kd.SortStable(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	var out []span
	for _, s := range spans {
		if n := len(out); n > 0 && s.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
			continue
		}
		out = append(out, s)
	}
	return out
}

// windows chooses what is shown of a line: all of it, or what is around the
// first marks.
func windows(r []rune, spans []span) []span {
	if len(r) <= longestExcerpt {
		return []span{{0, len(r)}}
	}
	if len(spans) < 2 {
		from := 0
		if len(spans) > 0 {
			from = min(max(spans[0].from-beforeMark, 0), len(r)-longestExcerpt)
		}
		return []span{{from, from + longestExcerpt}}
	}
	var out []span
	for _, s := range spans[:min(len(spans), mostWhys)] {
		to := min(s.to, s.from+longestExcerpt/2)
		out = append(out, span{max(s.from-beforeMark, 0), min(to+beforeMark, len(r))})
	}
	return joined(out)
}
