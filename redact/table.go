package redact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"kdlocks/kd"
	"kdlocks/transcript"
)

// Table is what a Redactor decided: the way back from pseudonyms to what they stand
// for. It is as confidential as the logs.
type Table struct {
	Schema string `json:"schema"`
	// Words, IDs and Numbers are by pseudonym. IDs are numbers that are known by their
	// form or by what stands around them, Numbers those that are replaced wherever they stand.
	Words     map[string]string `json:"words"`
	IDs       map[string]string `json:"ids"`
	Numbers   map[string]string `json:"numbers"`
	Addresses []Moved           `json:"addresses"`
}

// Moved is a range of addresses that moved as a whole. From is the first as it
// stands in the redacted text and To the first behind the range, Original is what From was;
// all are written as reports write addresses.
type Moved struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Original string `json:"original"`
}

// TableSchema is the value of Table.Schema.
const TableSchema = "kdlocks.redact/v1"

// Table returns the way back. It is complete once Learn has returned.
func (r *Redactor) Table() *Table {
	t := &Table{Schema: TableSchema, Words: map[string]string{}, IDs: map[string]string{}, Numbers: map[string]string{}}
	for text, w := range r.words {
		if w.to != "" {
			t.Words[w.to] = text
		}
	}
	for text, w := range r.ids {
		switch {
		case w.to == "":
		case r.loose[text] != nil || saysText(text): // its pseudonym does not spell anything
			t.Numbers[w.to] = text
		default:
			t.IDs[w.to] = text
		}
	}
	for _, runs := range r.space.back {
		for _, m := range runs {
			t.Addresses = append(t.Addresses, Moved{hex(m.from), hex(m.to), hex(m.moved)})
		}
	}
	return t
}

func parse(s string) (uint64, bool) {
	v, ok := kd.ParseAddr(s)
	return uint64(v), ok
}

func hex(v uint64) string { return fmt.Sprintf("0x%x", v) }

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
	for _, m := range t.Addresses {
		from, _ := parse(m.From)
		to, _ := parse(m.To)
		original, ok := parse(m.Original)
		i := regionOf(from)
		if !ok || i < 0 || to <= from {
			return nil, errors.New("a range of addresses is none: " + m.From)
		}
		r.space.runs[i] = append(r.space.runs[i], run{from, to, original})
		r.narrow = r.narrow || i == narrow
	}
	for i := range r.space.runs {
		slices.SortFunc(r.space.runs[i], func(a, b run) int {
			if a.from < b.from {
				return -1
			}
			return 1
		})
	}
	return &Restorer{r}, nil
}

// Text returns a text with what was replaced put back.
func (r *Restorer) Text(s string) string { return r.r.Text(s) }

// Write writes a text with what was replaced put back, as UTF-8.
func (r *Restorer) Write(ctx context.Context, w io.Writer, in transcript.Input) error {
	return r.r.Write(ctx, w, in)
}
