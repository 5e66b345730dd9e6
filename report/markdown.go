package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"kdlocks/kd"
)

// WriteMarkdown prints the report for a ticket.
func WriteMarkdown(w io.Writer, r *Report, s Style) error {
	m := &markdown{names: index(r)}
	v := r.Verdict
	fmt.Fprintf(m, "## kdlocks: %s%s\n\n%s\n", v.Kind, v.sure(), escape(v.Summary))
	for _, s := range r.Sessions {
		fmt.Fprintf(m, "\nSession %d: %s: %s\n", s.Session, s.Verdict.Kind, escape(s.Verdict.Summary))
	}
	for _, issue := range r.issueLines() {
		fmt.Fprintf(m, "\n**%s**\n", escape(issue))
	}
	m.WriteString(r.eachFinding(m.finding, func(n, first int, f *Finding) {
		m.title(n, f)
		fmt.Fprintf(m, "\nThe same root as in \\[%d\\].\n", first)
	}))
	m.rules()
	checks := r.inWords()
	m.selfCheck(&checks)
	m.list("Driver Verifier", firstOf(r.verifierLines(), mostVerifier))
	if err := m.objects(); err != nil {
		return err
	}
	m.gaps()
	m.list("Not looked at", r.NotSeen)
	m.list("Notes", r.noteLines(checks.told))
	if s.Coverage {
		if err := m.coverage(); err != nil {
			return err
		}
	}
	_, err := w.Write(m.Bytes())
	return err
}

type markdown struct {
	bytes.Buffer
	names
}

func (m *markdown) list(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(m, "\n### %s\n\n", title)
	for _, l := range lines {
		fmt.Fprintf(m, "- %s\n", escape(l))
	}
}

func (m *markdown) gaps() {
	if len(m.r.Gaps) == 0 {
		return
	}
	m.WriteString("\n### Missing\n\n")
	for _, g := range m.r.Gaps {
		fmt.Fprintf(m, "- %s: %s.", escape(g.What), escape(g.Why))
		if g.NextCommand != "" {
			fmt.Fprintf(m, " Type %s", code(g.NextCommand))
		}
		fmt.Fprintln(m)
	}
}

func (m *markdown) selfCheck(checks *selfChecks) {
	fmt.Fprintf(m, "\n### %s\n\n", checks.title())
	for _, c := range checks.failed {
		fmt.Fprintf(m, "- %s\n", escape(c.title))
		for _, text := range append(c.places, c.costs...) {
			fmt.Fprintf(m, "  - %s\n", escape(text))
		}
	}
	for _, rest := range []string{checks.left(), checks.unchecked()} {
		if rest != "" {
			fmt.Fprintf(m, "- %s\n", escape(rest))
		}
	}
}

func (m *markdown) title(n int, f *Finding) {
	fmt.Fprintf(m, "\n### \\[%d\\] %s\n\n", n, escape(f.Title))
	fmt.Fprintf(m, "%s, %sseverity %s, %s%s\n", code(f.ID), f.label(), f.Severity, f.Confidence, f.graded())
}

func (m *markdown) finding(n int, f *Finding) {
	m.title(n, f)
	if f.Summary != m.r.Verdict.Summary {
		fmt.Fprintf(m, "\n%s\n", escape(f.Summary))
	}
	m.steps(f, f.Cycle)
	m.steps(f, f.Chain)
	m.people("Also entangled", f.Others, len(f.Others))
	m.people("Blocked behind", f.Bystanders, max(len(f.Bystanders), f.BlockedThreads-len(f.Others)))
	m.stackGroups(f)
	if f.Suspect != nil {
		fmt.Fprintf(m, "\n**Suspect:** %s, %s\n", code(kd.ShortNames(f.Suspect.Module)), escape(f.Suspect.Reason))
	}
	fmt.Fprintf(m, "\n**Why:** %s\n", escape(f.Explanation))
	if f.Rule != nil {
		m.clauses(f.Rule)
	} else {
		m.evidence(f)
	}
	fmt.Fprintf(m, "\n**What would disprove it:** %s\n\n**What to do:** %s\n", escape(f.Disproof), escape(f.Remedy))
	if f.Rule != nil {
		m.bullets("References", f.References)
	}
	if len(f.NextCommands) > 0 {
		fmt.Fprintf(m, "\n**Type next:**\n\n%s", fenced(strings.Join(f.NextCommands, "\n")))
	}
}

func (m *markdown) steps(f *Finding, steps []Step) {
	if len(steps) == 0 {
		return
	}
	m.WriteString("\n| thread | waits for | held by |\n|---|---|---|\n")
	from, to := stepsLeft(len(steps))
	for i, s := range steps {
		if i == from {
			fmt.Fprintf(m, "| ... %d more hops ... | | |\n", to-from)
		}
		if from <= i && i < to {
			continue
		}
		held := ""
		if s.HeldBy != "" {
			held = m.thread(f.Session, s.HeldBy)
		}
		if s.Queued {
			held += " (queued before it)"
		}
		if s.Guess {
			held += " (a guess)"
		}
		fmt.Fprintf(m, "| %s | %s | %s |\n", escape(m.thread(f.Session, s.Thread)), escape(m.lock(&s)), escape(held))
	}
}

// people names some of the threads of a list of n.
func (m *markdown) people(title string, threads []string, n int) {
	if len(threads) == 0 {
		return
	}
	var list []string
	for _, t := range threads[:min(len(threads), mostPeople)] {
		list = append(list, code(m.r.bare(t)))
	}
	if left := n - len(list); left > 0 {
		list = append(list, fmt.Sprintf("... and %d more", left))
	}
	fmt.Fprintf(m, "\n**%s (%d):** %s\n", title, n, strings.Join(list, " "))
}

func (m *markdown) stackGroups(f *Finding) {
	groups := f.groupsShown()
	if len(groups) == 0 {
		return
	}
	var b strings.Builder
	for _, g := range groups {
		fmt.Fprintf(&b, "%d x, thread %s\n", g.Count, m.thread(f.Session, g.Threads[0]))
		for _, name := range g.Frames[:min(len(g.Frames), mostGroupFrames)] {
			fmt.Fprintf(&b, "  %s\n", kd.ShortNames(name))
		}
		if left := len(g.Frames) - mostGroupFrames; left > 0 {
			fmt.Fprintf(&b, "  ... %s\n", kd.Plural(left, "more frame"))
		}
	}
	for _, left := range f.groupsLeft() {
		b.WriteString(left + "\n")
	}
	fmt.Fprintf(m, "\n**%s:**\n\n%s", f.groupsTitle(), fenced(b.String()))
}

func (m *markdown) evidence(f *Finding) {
	if len(f.Evidence) == 0 {
		return
	}
	var b strings.Builder
	for i, e := range f.Evidence {
		if i == mostEvidence {
			fmt.Fprintf(&b, "... and %d more (use -o json for all)\n", len(f.Evidence)-i)
			break
		}
		fmt.Fprintf(&b, "%s:%d:%d  # %s\n    %s\n", e.Input, e.Line, e.Column, e.Why, strings.TrimSpace(strings.Join(e.shown(), "\n    ")))
	}
	fmt.Fprintf(m, "\n**Evidence:**\n\n%s", fenced(b.String()))
}

// escape makes input harmless in running Markdown text and in table cells.
func escape(s string) string {
	var b strings.Builder
	for _, r := range Plain(s) {
		switch {
		case strings.ContainsRune("\\`*_[]|#~", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// code sets a word in code marks that are longer than any inside it.
func code(s string) string {
	s = Plain(s)
	if !strings.Contains(s, "`") {
		return "`" + s + "`"
	}
	mark := strings.Repeat("`", longestRun(s, '`')+1)
	return mark + " " + s + " " + mark
}

// fenced sets text in a code block that its content cannot close.
func fenced(s string) string {
	fence := strings.Repeat("`", max(3, longestRun(s, '`')+1))
	return fence + "\n" + kd.PlainLines(strings.TrimRight(s, "\n")) + "\n" + fence + "\n"
}

func longestRun(s string, c byte) int {
	longest, run := 0, 0
	for i := 0; i < len(s); i++ {
		if s[i] != c {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}
