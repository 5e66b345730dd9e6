package redact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"kdlocks/kd"
	"kdlocks/transcript"
)

// Restorer puts what was replaced back into texts.
type Restorer struct{ r *Redactor }

// NewRestorer returns the way back that a Table describes.
func NewRestorer(t *Table) (*Restorer, error) {
	if t.Schema != TableSchema {
		return nil, fmt.Errorf("schema %q: not %s", t.Schema, TableSchema)
	}
	r := New(Options{})
	for _, pairs := range []map[string]string{t.Words, t.IDs, t.Numbers} {
		for to, text := range pairs {
			if len(to) != len(text) || to == "" {
				return nil, fmt.Errorf("%q does not stand for %q: it has another length", to, text)
			}
		}
	}
	for to, text := range t.Words {
		r.words[to] = &word{to: text}
		r.folded[lower(to)] = lower(text)
	}
	for to, text := range t.IDs {
		r.ids[to] = &word{to: text}
	}
	for to, text := range t.Numbers {
		r.ids[to] = &word{to: text}
		r.loose[to] = r.ids[to]
	}
	if err := r.space.load(t.Addresses); err != nil {
		return nil, err
	}
	r.narrow = len(r.space.runs[narrow]) > 0
	return &Restorer{r}, nil
}

// load takes the runs of a table.
func (s *space) load(all []Moved) error {
	for _, m := range all {
		from, _ := parse(m.From)
		to, _ := parse(m.To)
		original, ok := parse(m.Original)
		i := regionOf(from)
		if !ok || i < 0 || to <= from {
			return errors.New("a range of addresses is none: " + m.From)
		}
		s.runs[i] = append(s.runs[i], run{from, to, original})
	}
	for i := range s.runs {
		kd.SortStable(s.runs[i], func(a, b run) int {
			if a.from < b.from {
				return -1
			}
			return 1
		})
	}
	return nil
}

func parse(s string) (uint64, bool) {
	v, ok := kd.ParseAddr(s)
	return uint64(v), ok
}

// Write writes a text with what was replaced put back, as UTF-8. Of lines of JSON it
// reads the strings, as those of a report.
func (r *Restorer) Write(ctx context.Context, w io.Writer, in transcript.Input) error {
	return r.r.write(ctx, w, in, func(s string, _ int32, put func(int, string)) {
		all, ok := literals(s)
		if !ok {
			r.r.replace(s, put)
		}
		for _, l := range all {
			l.restore(r.r, put)
		}
	})
}

// literal is a string of JSON: its text, and where each byte of it stands in the line.
type literal struct {
	text string
	at   []int
}

// restore puts back what was replaced in a string. An escape stays what it is.
func (l *literal) restore(r *Redactor, put func(int, string)) {
	r.eachLine(l.text, func(i int, to string) {
		for k := range len(to) {
			if l.text[i+k] != to[k] {
				put(l.at[i+k], to[k:k+1])
			}
		}
	})
}

// literals returns the strings of a line of JSON, false if it is none.
func literals(s string) ([]literal, bool) {
	var out []literal
	for i := 0; i < len(s); {
		if s[i] == '"' {
			l, end := readLiteral(s, i+1)
			if end == 0 {
				return nil, false
			}
			out = append(out, l)
			i = end
			continue
		}
		if n := constantLen(s[i:]); n > 0 {
			i += n
			continue
		}
		return nil, false
	}
	return out, len(out) > 0
}

// constantLen returns the length of what stands between the strings of JSON, 0 if s does not begin
// with it.
func constantLen(s string) int {
	for _, w := range []string{"true", "false", "null"} {
		if strings.HasPrefix(s, w) {
			return len(w)
		}
	}
	if strings.IndexByte("{}[],: \t\r+-.eE0123456789", s[0]) >= 0 {
		return 1
	}
	return 0
}

// readLiteral reads a string that begins behind a quotation mark, and returns where
// what follows it begins; 0 if it has no end or is none.
func readLiteral(s string, i int) (l literal, end int) {
	var text []byte
	for i < len(s) {
		switch s[i] {
		case '"':
			l.text = string(text)
			return l, i + 1
		case '\\':
			c, n := unescape(s[i:])
			if n == 0 {
				return l, 0
			}
			text = utf8.AppendRune(text, c)
			for len(l.at) < len(text) {
				l.at = append(l.at, i)
			}
			i += n
		default:
			text, l.at = append(text, s[i]), append(l.at, i)
			i++
		}
	}
	return l, 0
}

// unescape returns the character of an escape in JSON and its length; 0 if it is none.
func unescape(s string) (rune, int) {
	if len(s) < 2 {
		return 0, 0
	}
	if k := strings.IndexByte(`"\/bfnrt`, s[1]); k >= 0 {
		return rune("\"\\/\b\f\n\r\t"[k]), 2
	}
	if s[1] != 'u' || len(s) < 6 || hexLen(s[2:6]) < 4 {
		return 0, 0
	}
	v, _ := value("0x" + s[2:6])
	return rune(v), 6 // one half of a pair becomes U+FFFD, which is no letter
}
