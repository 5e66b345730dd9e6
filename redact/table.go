package redact

import "fmt"

// Table is what a Redactor decided: the way back from pseudonyms to what they stand
// for. It is as confidential as the logs.
type Table struct {
	Schema string `json:"schema"`
	// Words, IDs and Numbers are by pseudonym. IDs are numbers that are known by their
	// form or by what stands around them, Numbers those that are replaced wherever they stand,
	// and addresses whose pseudonyms look like counts.
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
	for to, text := range r.digits {
		t.Numbers[to] = text
	}
	for _, runs := range r.space.back {
		for _, m := range runs {
			t.Addresses = append(t.Addresses, Moved{hex(m.from), hex(m.to), hex(m.moved)})
		}
	}
	return t
}

func hex(v uint64) string { return fmt.Sprintf("0x%x", v) }
