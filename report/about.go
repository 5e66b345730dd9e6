package report

import (
	"slices"
	"strings"

	"kdlocks/kd"
)

// LineAbout says what was read from one line of an input.
type LineAbout struct {
	// Command is that of the section that the line is in, "" outside of all.
	Command string `json:"command,omitempty"`
	Read    bool   `json:"understood"`
	// Findings are what rests on the line, Notes what was remarked of it.
	Findings []LineUse `json:"findings,omitempty"`
	Notes    []string  `json:"notes,omitempty"`
	// Addresses are what the addresses on the line are, in their order.
	Addresses []Answer `json:"addresses,omitempty"`
}

// LineUse is a finding, by its number counted from 1, and why the line counts for it.
type LineUse struct {
	Finding int    `json:"finding"`
	ID      string `json:"id"`
	Why     string `json:"why"`
}

// mostAsked bounds the addresses of a line that are looked up.
const mostAsked = 64

// About says what was read from a line, counted from 1, of the input with an
// index.
func (r *Report) About(input, line int) LineAbout {
	in := &r.Inputs[input]
	out := LineAbout{Read: in.unclear == nil || in.unclear(line, line).IsZero()}
	for _, s := range in.Sections {
		if s.Line <= line && line <= s.EndLine {
			out.Command = s.Command
		}
	}
	for i := range r.Findings {
		for _, e := range r.Findings[i].Evidence {
			if e.Input == in.Name && e.Line <= line && line <= max(e.Line, e.EndLine) {
				out.Findings = append(out.Findings, LineUse{i + 1, r.Findings[i].ID, e.Why})
			}
		}
	}
	for _, n := range r.Notes {
		if n.At != nil && n.At.Input == in.Name && n.At.Line <= line && line <= max(n.At.Line, n.At.EndLine) {
			out.Notes = append(out.Notes, n.Text)
		}
	}
	if in.line != nil {
		out.Addresses = r.WhatIs(addressesOn(in.line(line)))
		out.Addresses = slices.DeleteFunc(out.Addresses, func(a Answer) bool { return a.Kind == "unknown" })
	}
	return out
}

// WhatIs says what addresses are in the sessions of the report.
func (r *Report) WhatIs(addrs []kd.Addr) []Answer {
	if r.resolve == nil {
		return nil
	}
	return r.resolve(addrs)
}

// addressesOn returns the words of a line that may be addresses, each once.
func addressesOn(text string) []kd.Addr {
	var out []kd.Addr
	for _, w := range strings.FieldsFunc(text, func(c rune) bool { return !isHexDigit(c) && c != '`' && c != 'x' }) {
		if len(strings.TrimPrefix(w, "0x")) < 8 {
			continue
		}
		if a, ok := kd.ParseAddr(w); ok && a != 0 && !slices.Contains(out, a) {
			out = append(out, a)
		}
		if len(out) == mostAsked {
			break
		}
	}
	return out
}

func isHexDigit(c rune) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// LineText returns a line, counted from 1, of the input with an index, as it
// stands there without its end.
func (r *Report) LineText(input, line int) string {
	if in := &r.Inputs[input]; in.line != nil && 1 <= line && line <= in.Lines {
		return in.line(line)
	}
	return ""
}
