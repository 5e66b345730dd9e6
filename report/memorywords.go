package report

import (
	"strconv"

	"kdlocks/kd"
	"kdlocks/memory"
)

// MemoryWords is what x, s, dps and their kin printed of the target's memory.
type MemoryWords struct {
	Session  int            `json:"session,omitempty"`
	Symbols  []MemorySymbol `json:"symbols,omitempty"`
	Searches []MemorySearch `json:"searches,omitempty"`
	Words    []MemoryWord   `json:"words,omitempty"`
}

// MemorySymbol is where a name is.
type MemorySymbol struct {
	Address string `json:"address"`
	Name    string `json:"name"`
	At      At     `json:"at"`
}

// MemorySearch is a search for a value. Whole says that all it found is known.
type MemorySearch struct {
	Value   string `json:"value"`
	Command string `json:"command"`
	Whole   bool   `json:"whole"`
	At      At     `json:"at"`
}

// MemoryWord is a line of memory. Found says that a search printed it.
type MemoryWord struct {
	Address string   `json:"address"`
	Values  []string `json:"values"`
	Symbol  string   `json:"symbol,omitempty"`
	Found   bool     `json:"found,omitempty"`
	At      At       `json:"at"`
}

func (b *builder) memoryWords(m *memory.Memory) MemoryWords {
	out := MemoryWords{Session: b.session}
	for i := range m.Symbols {
		s := &m.Symbols[i]
		out.Symbols = append(out.Symbols, MemorySymbol{hex(s.Addr), s.Name, b.at(s.At, 0)})
	}
	for i := range m.Searches {
		s := &m.Searches[i]
		out.Searches = append(out.Searches, MemorySearch{hex(s.Value), s.Command, s.Whole, b.at(s.At, 0)})
	}
	for i := range m.Words {
		w := &m.Words[i]
		var values []string
		for _, v := range w.Values {
			values = append(values, word(v))
		}
		out.Words = append(out.Words, MemoryWord{hex(w.Addr), values, w.Symbol, w.Found, b.at(w.At, 0)})
	}
	return out
}

// word prints a value, which may be zero.
func word(v kd.Addr) string {
	if v == 0 {
		return "0"
	}
	return hex(v)
}

// tables are what was printed of memory, command by command of one kind.
func (m *MemoryWords) tables(r *Report) []titled {
	symbols := &table{columns: []column{{head: "Address"}, {head: "Name", prose: true}, {head: "Line", spare: true}}}
	for _, s := range m.Symbols {
		symbols.add(r.bare(s.Address), s.Name, strconv.Itoa(s.At.Line))
	}
	searches := &table{columns: []column{{head: "Searched"}, {head: "Command", prose: true}, {head: "Whole"}, {head: "Line", spare: true}}}
	for _, s := range m.Searches {
		searches.add(r.bare(s.Value), s.Command, map[bool]string{true: "yes", false: "no"}[s.Whole], strconv.Itoa(s.At.Line))
	}
	words := &table{columns: []column{{head: "Address"}, {head: "Value"}, {head: "Symbol", prose: true}, {head: "Found"}, {head: "Line", spare: true}}}
	for _, w := range m.Words {
		words.add(r.bare(w.Address), r.bare(w.Values[0]), w.Symbol, map[bool]string{true: "yes"}[w.Found], strconv.Itoa(w.At.Line))
	}
	var out []titled
	for _, t := range []titled{{"Symbols", symbols}, {"Searches of memory", searches}, {"Words of memory", words}} {
		if len(t.table.rows) > 0 {
			out = append(out, t)
		}
	}
	return out
}
