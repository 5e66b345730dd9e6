package report

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"kdlocks/kd"
)

const (
	// mostCommands bounds the rows of a table of coverage. Where there are more
	// commands, those of one name share a row.
	mostCommands = 40
	// mostCovered bounds the inputs that have a table.
	mostCovered = 20
	// mostQuotedOf and mostQuotedLines bound the lines that are quoted of one
	// row and of the whole report, longestQuoted the characters of each.
	mostQuotedOf, mostQuotedLines, longestQuoted = 5, 100, 300
)

// coverageRow is what became of the lines of one command, of several of one
// name, or of none.
type coverageRow struct {
	command   string
	sections  int // that share the row
	line, end int
	Coverage
	// spans are the lines, first and last, that hold those not understood; no
	// more than are needed to quote from.
	spans [][2]int
}

// coverage returns the rows of an input, and how many were left out.
func (in *Input) coverage() (rows []coverageRow, left int) {
	name := func(command string) string { return command }
	if len(in.Sections) > mostCommands {
		name = firstWord
	}
	at := make(map[string]int)
	outside := coverageRow{command: "(outside any command)", Coverage: in.Outside}
	next := 1 // the line behind the sections so far
	for i := range in.Sections {
		sec := &in.Sections[i]
		outside.span(next, sec.Line-1)
		from := max(sec.Line, next)
		next = max(next, sec.EndLine+1)
		n, known := at[name(sec.Command)]
		if !known || len(in.Sections) <= mostCommands {
			n = len(rows)
			at[name(sec.Command)] = n
			rows = append(rows, coverageRow{command: name(sec.Command), line: sec.Line})
		}
		rows[n].add(sec, from)
	}
	outside.span(next, in.Lines)
	if left = len(rows) - mostCommands; left > 0 {
		kd.SortStable(rows, func(a, b coverageRow) int { return cmp.Compare(b.NotUnderstood, a.NotUnderstood) })
		rows = rows[:mostCommands]
	}
	if outside.Coverage != (Coverage{}) {
		rows = append(rows, outside)
	}
	return rows, max(left, 0)
}

// firstWord is the command without its arguments.
func firstWord(command string) string {
	if i := strings.IndexAny(command, " \t;"); i > 0 {
		return command[:i]
	}
	return command
}

func (r *coverageRow) add(sec *Section, from int) {
	r.sections++
	r.end = max(r.end, sec.EndLine)
	r.Claimed += sec.Claimed
	r.Noise += sec.Noise
	r.NotUnderstood += sec.NotUnderstood
	if sec.NotUnderstood > 0 && len(r.spans) < mostQuotedOf {
		r.spans = append(r.spans, [2]int{from, sec.EndLine})
	}
}

// span adds the lines between two sections.
func (r *coverageRow) span(first, last int) {
	if r.NotUnderstood > 0 && first <= last {
		r.spans = append(r.spans, [2]int{first, last})
	}
}

func (r *coverageRow) title() string {
	if r.sections > 1 {
		return fmt.Sprintf("%s (%d times)", kd.Clip(r.command), r.sections)
	}
	return kd.Clip(r.command)
}

// cells returns the row as the table shows it.
func (r *coverageRow) cells() []string {
	where := ""
	if r.line > 0 {
		where = fmt.Sprintf("%d-%d", r.line, r.end)
	}
	return []string{r.title(), where, strconv.Itoa(r.Claimed), strconv.Itoa(r.Noise), strconv.Itoa(r.NotUnderstood)}
}

// first returns the first lines of the row that were not understood, at most n.
func (r *coverageRow) first(in *Input, n int) []Line {
	var out []Line
	for _, s := range r.spans {
		for l := range in.unclear(s[0], s[1]).All() {
			if len(out) == n {
				return out
			}
			out = append(out, l)
		}
	}
	return out
}

// covered returns the inputs that have a table of coverage: where there are
// many, those with lines that were not understood come first.
func (r *Report) covered() (inputs []*Input, left string) {
	for i := range r.Inputs {
		inputs = append(inputs, &r.Inputs[i])
	}
	if len(inputs) <= mostCovered {
		return inputs, ""
	}
	kd.SortStable(inputs, func(a, b *Input) int { return cmp.Compare(b.unknown(), a.unknown()) })
	unknown := 0
	for _, in := range inputs[mostCovered:] {
		unknown += in.unknown()
	}
	left = fmt.Sprintf("... and %d more inputs, in which %d lines were not understood (use -o json for all)", len(inputs)-mostCovered, unknown)
	return inputs[:mostCovered], left
}

func (in *Input) unknown() int { return in.Lines - in.LinesUnderstood }

// coverageTable makes the table of an input.
func (in *Input) coverageTable() (t *table, rows []coverageRow, left string) {
	rows, n := in.coverage()
	t = &table{columns: []column{{head: "Command", prose: true}, {head: "Lines"}, {head: "Claimed"}, {head: "Noise"}, {head: "Not understood"}}}
	for i := range rows {
		t.add(rows[i].cells()...)
	}
	if n > 0 {
		left = fmt.Sprintf("... and %d more commands (use -o json for all)", n)
	}
	return t, rows, left
}

// summary is the sentence above the table.
func (in *Input) summary() string {
	return fmt.Sprintf("%s: %d of %d lines understood", in.Name, in.LinesUnderstood, in.Lines)
}

// quota is how many lines may still be quoted, and how many were left out when
// none might.
type quota struct{ rest, skipped int }

// said tells of the rows that nothing was quoted of, "" if there are none.
func (q quota) said() string {
	if q.skipped == 0 {
		return ""
	}
	return fmt.Sprintf("... and %d more lines not understood of other commands (use -o json for all)", q.skipped)
}

// quotes walks the rows that have lines not understood, with the first of them
// and how many more there are.
func (in *Input) quotes(rows []coverageRow, q *quota, show func(title string, lines []Line, more int)) {
	for i := range rows {
		r := &rows[i]
		switch {
		case r.NotUnderstood == 0:
			continue
		case q.rest == 0:
			q.skipped += r.NotUnderstood
			continue
		}
		lines := r.first(in, min(mostQuotedOf, q.rest))
		q.rest -= len(lines)
		for i := range lines {
			lines[i].Text = clip(strings.TrimSpace(lines[i].Text))
		}
		show(r.title(), lines, r.NotUnderstood-len(lines))
	}
}

// clip cuts a line that is too long to quote.
func clip(s string) string {
	if len(s) <= longestQuoted {
		return s
	}
	n := 0
	for i := range s {
		if n++; n > longestQuoted {
			return s[:i] + "…"
		}
	}
	return s
}

// coverage prints how much of each input was understood.
func (p *page) coverage() error {
	fmt.Fprintf(p, "\n%s\n", p.bold("Coverage"))
	q := quota{rest: mostQuotedLines}
	inputs, rest := p.r.covered()
	for _, in := range inputs {
		t, rows, left := in.coverageTable()
		p.fold("  ", in.summary())
		if err := t.write(p, p.s.Width); err != nil {
			return err
		}
		if left != "" {
			fmt.Fprintln(p, left)
		}
		in.quotes(rows, &q, func(title string, lines []Line, more int) {
			p.fold("  ", "Lines not understood, "+title)
			for _, l := range lines {
				p.fold(fmt.Sprintf("  %d | ", l.Line), l.Text)
			}
			if more > 0 {
				fmt.Fprintf(p, "  ... and %d more (use -o json for all)\n", more)
			}
		})
	}
	for _, left := range []string{q.said(), rest} {
		if left != "" {
			p.fold("  ", left)
		}
	}
	return nil
}

func (m *markdown) coverage() error {
	m.WriteString("\n### Coverage\n")
	q := quota{rest: mostQuotedLines}
	inputs, rest := m.r.covered()
	for _, in := range inputs {
		t, rows, left := in.coverageTable()
		fmt.Fprintf(m, "\n%s\n\n", escape(in.summary()))
		if err := t.markdown(m); err != nil {
			return err
		}
		if left != "" {
			fmt.Fprintf(m, "\n%s\n", left)
		}
		in.quotes(rows, &q, func(title string, lines []Line, more int) {
			var b strings.Builder
			for _, l := range lines {
				fmt.Fprintf(&b, "%d: %s\n", l.Line, l.Text)
			}
			if more > 0 {
				fmt.Fprintf(&b, "... and %d more\n", more)
			}
			fmt.Fprintf(m, "\nLines not understood, %s:\n\n%s", code(title), fenced(b.String()))
		})
	}
	for _, left := range []string{q.said(), rest} {
		if left != "" {
			fmt.Fprintf(m, "\n%s\n", left)
		}
	}
	return nil
}
