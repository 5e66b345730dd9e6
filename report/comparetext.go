package report

import (
	"bufio"
	"fmt"
	"io"
	"reflect"
	"strings"

	"kdlocks/compare"
	"kdlocks/kd"
)

// Bounds of the text forms; JSON has all.
const (
	mostLocks    = 12 // of one state
	mostRoots    = 12
	mostRefused  = 12
	mostCompared = 12 // findings
	mostQuotes   = 16 // of one finding in one capture
)

// WriteComparisonJSON prints the comparison as JSON of the schema
// kdlocks.compare/v1, threads one by one.
func WriteComparisonJSON(w io.Writer, c *Comparison, _ Style) error {
	j := jsonStream{w: bufio.NewWriterSize(w, 1<<16)}
	j.object(reflect.ValueOf(c).Elem())
	if j.err != nil {
		return j.err
	}
	return j.w.Flush()
}

// WriteComparison prints the comparison for people: the verdict, the captures,
// then what is frozen, what moves and what was freed.
func WriteComparison(w io.Writer, c *Comparison, s Style) error {
	p := &comparisonPage{page{names: names{r: &Report{}}, s: s}, c}
	v := c.Verdict
	fmt.Fprintf(p, "%s%s\n", p.paint(colors[v.Kind], strings.ToUpper(v.Kind)), v.sure())
	p.fold("", v.Summary)
	for _, issue := range c.issueLines() {
		p.fold("", issue)
	}
	p.captures()
	for i := range c.Findings {
		if i == mostCompared {
			fmt.Fprintf(p, "\n… and %d more findings (use -o json for all)\n", len(c.Findings)-i)
			break
		}
		p.finding(i+1, &c.Findings[i])
	}
	p.roots()
	if err := p.locks(); err != nil {
		return err
	}
	p.threads()
	p.rest()
	_, err := w.Write(p.Bytes())
	return err
}

type comparisonPage struct {
	page
	c *Comparison
}

func (p *comparisonPage) title(s string) { fmt.Fprintf(p, "\n%s\n", p.bold(s)) }

func (p *comparisonPage) captures() {
	if len(p.c.Captures) > 0 {
		p.title("Captures")
	}
	for _, k := range p.c.Captures {
		p.fold(fmt.Sprintf("  %d  ", k.Capture), captureLine(k))
	}
	if p.c.Order != "" {
		p.fold("  ", "In the order of time by "+p.c.Order+".")
	}
	for i, r := range p.c.Refused {
		if i == mostRefused {
			fmt.Fprintf(p, "  … and %d more not compared\n", len(p.c.Refused)-i)
			break
		}
		p.fold("  not compared: ", refusedLine(r))
	}
}

func refusedLine(r RefusedCapture) string {
	return fmt.Sprintf("%s with %s: %s", r.Name, r.With, r.Why)
}

// captureLine describes a capture in one line.
func captureLine(k ComparedCapture) string {
	text := fmt.Sprintf("%s: %s, %s", k.Name, kd.Plural(k.Resources, "lock"), kd.Plural(k.Threads, "thread"))
	if k.AfterMS != nil {
		text += fmt.Sprintf(", %s later", compare.Span(*k.AfterMS))
	}
	return text + ". By itself: " + k.Verdict.Kind
}

func (p *comparisonPage) finding(n int, f *ComparedFinding) {
	p.WriteString("\n")
	p.WriteString(p.bold(wrap(fmt.Sprintf("%s: %s (%s, %s, evidence grade %s)", f.ID, f.Fate, f.Severity, f.Confidence, f.Grade), fmt.Sprintf("[%d] ", n), "    ", p.s.prose())))
	switch {
	case !f.Stands:
		p.fold("    ", fmt.Sprintf("Capture %d by itself says: %s", f.FoundIn, f.Summary))
	case !strings.Contains(p.c.Verdict.Summary, f.Summary):
		p.fold("    ", f.Summary)
	}
	if len(f.Cycle) > 0 {
		p.head("Cycle")
	}
	from, to := stepsLeft(len(f.Cycle))
	for i, s := range f.Cycle {
		if i == from {
			fmt.Fprintf(p, "    … %d more hops (use -o json for all) …\n", to-from)
		}
		if from <= i && i < to {
			continue
		}
		p.fold("    ", f.names[i])
		p.fold("      waits for ", p.lock(&s))
		if m := f.motion(s.Thread); m != nil {
			p.fold("      ", m.Motion+": "+m.Why)
		}
	}
	p.head("Frozen or moving")
	p.fold("    ", f.Why)
	for _, a := range f.Captures {
		p.fold(fmt.Sprintf("    %d  ", a.Capture), answerLine(a))
	}
	if f.Suspect != nil {
		p.head("Suspect")
		p.fold("    ", f.Suspect.Module+": "+f.Suspect.Reason)
	}
	p.quotes(f.Evidence)
	p.head("What to do")
	p.fold("    ", f.Remedy)
}

// motion returns that of a thread, nil if it is not one of the finding's.
func (f *ComparedFinding) motion(thread string) *ThreadMotion {
	for i := range f.Motions {
		if f.Motions[i].Thread == thread {
			return &f.Motions[i]
		}
	}
	return nil
}

func answerLine(a CaptureAnswer) string {
	text := map[string]string{"yes": "stands", "no": "does not stand", "not shown": "not shown"}[a.Stands]
	if a.Why != "" {
		text += ": " + a.Why
	}
	if a.BlockedThreads != nil {
		text += fmt.Sprintf(" (%s behind it)", kd.Plural(*a.BlockedThreads, "thread"))
	}
	return text
}

// quotes prints evidence, capped for each capture.
func (p *comparisonPage) quotes(list []ComparedEvidence) {
	if len(list) == 0 {
		return
	}
	p.head("Evidence")
	shown := make(map[int]int)
	for _, e := range list {
		if shown[e.Capture]++; shown[e.Capture] > mostQuotes {
			continue
		}
		p.fold(fmt.Sprintf("    %d  ", e.Capture), fmt.Sprintf("%s:%d:%d: %s", e.Input, e.Line, e.Column, e.Why))
		for line := range strings.SplitSeq(e.Text, "\n") {
			p.fold("       | ", line)
		}
	}
	for _, k := range p.c.Captures {
		if n := shown[k.Capture]; n > mostQuotes {
			fmt.Fprintf(p, "    … and %d more of capture %d\n", n-mostQuotes, k.Capture)
		}
	}
}

func (p *comparisonPage) roots() {
	if len(p.c.Roots) == 0 {
		return
	}
	p.title(fmt.Sprintf("Roots that others wait for (%d)", len(p.c.Roots)))
	for i, r := range p.c.Roots {
		if i == mostRoots {
			fmt.Fprintf(p, "  … and %d more\n", len(p.c.Roots)-i)
			break
		}
		p.fold("  - ", fmt.Sprintf("%s. %s", rootLine(r), where(r.Evidence)))
		p.fold("      ", r.Summary)
	}
}

func rootLine(r ComparedRoot) string {
	return fmt.Sprintf("%s: %s, %s behind it: %s", r.State, r.Name, counts(r.Blocked), r.Why)
}

// eachLine says each of some things in a line.
func eachLine[T any](list []T, line func(T) string) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = line(list[i])
	}
	return out
}

// where names the places of evidence.
func where(list []ComparedEvidence) string {
	var out []string
	for _, e := range list {
		out = append(out, fmt.Sprintf("%s:%d", e.Input, e.Line))
	}
	return strings.Join(out, ", ")
}

// counts prints one number for each capture: 3 → 5; the first and the last of
// very many.
func counts(ns []*int) string {
	const most = 6
	var out []string
	for i, n := range ns {
		if len(ns) > most && i == most-1 {
			out, i = append(out, "…"), len(ns)-1
			n = ns[i]
			out = append(out, orDash(number(n)))
			break
		}
		out = append(out, orDash(number(n)))
	}
	return strings.Join(out, " → ")
}

// lockStates are the titles of the tables, in their order.
var lockStates = []struct {
	state compare.State
	title string
}{
	{compare.Stuck, "Frozen locks: same owner, same waiters"},
	{compare.Growing, "Growing: same owner, all waiters still wait, and more came"},
	{compare.Moving, "Moving: they change hands"},
	{compare.Held, "Held: an owner is the same; whether it let go in between is not known"},
	{compare.Freed, "Freed"},
	{compare.New, "New"},
	{compare.Reused, "Another lock at the same address"},
	{compare.Unclear, "Cannot tell"},
}

// locksByState returns the locks with waiters of a state, and counts those
// without.
func (c *Comparison) locksByState(s compare.State) (waited []*ComparedLock, others int) {
	for i := range c.Locks {
		switch l := &c.Locks[i]; {
		case l.State != string(s):
		case l.waited:
			waited = append(waited, l)
		default:
			others++
		}
	}
	return waited, others
}

func (p *comparisonPage) locks() error {
	var others []string
	for _, st := range lockStates {
		waited, n := p.c.locksByState(st.state)
		if n > 0 {
			others = append(others, fmt.Sprintf("%d %s", n, st.state))
		}
		if len(waited) == 0 {
			continue
		}
		p.title(fmt.Sprintf("%s (%d)", st.title, len(waited)))
		if err := p.lockList(waited[:min(len(waited), mostLocks)]); err != nil {
			return err
		}
		if rest := len(waited) - mostLocks; rest > 0 {
			fmt.Fprintf(p, "… and %d more (use -o json for all)\n", rest)
		}
	}
	if len(others) > 0 {
		p.title("Locks that nobody waits for")
		p.fold("  ", strings.Join(others, ", "))
	}
	return nil
}

// lockList prints a table, or lines where the width is too small for one: what
// is said of a lock and where is not left out.
func (p *comparisonPage) lockList(ls []*ComparedLock) error {
	t := p.c.lockTable(ls)
	if _, over := t.measure(p.s.Width); p.s.Width == 0 || over <= 0 {
		return t.write(p, p.s.Width)
	}
	for _, l := range ls {
		p.fold("  - ", fmt.Sprintf("%s, owner %s: %s; waiting %s, contention %s. %s", lockName(l), owner(l), l.Why, waitingCell(l), contentionCell(l), placesOf(l)))
	}
	return nil
}

func (c *Comparison) lockTable(ls []*ComparedLock) *table {
	t := &table{columns: []column{{head: "Lock"}, {head: "Owner"}, {head: "Waiting"}, {head: "Contention"}, {head: "Where"}, {head: "Why", prose: true}}}
	for _, l := range ls {
		t.add(lockName(l), owner(l), waitingCell(l), contentionCell(l), placesOf(l), l.Why)
	}
	return t
}

func lockName(l *ComparedLock) string {
	name := (*Report)(nil).bare(l.Address)
	if l.Symbol != "" {
		name += " " + l.Symbol
	}
	return name
}

// owner is the first owner in the last capture that shows any.
func owner(l *ComparedLock) string {
	for i := len(l.Captures) - 1; i >= 0; i-- {
		os := l.Captures[i].Owners
		if len(os) == 0 {
			continue
		}
		name := (*Report)(nil).bare(os[0])
		if len(os) > 1 {
			name += fmt.Sprintf(" +%d", len(os)-1)
		}
		return name
	}
	return "-"
}

func waitingCell(l *ComparedLock) string {
	var ns []*int
	for _, k := range l.Captures {
		ns = append(ns, k.Waiting)
	}
	if l.WaitersNew+l.WaitersGone == 0 {
		return counts(ns)
	}
	return fmt.Sprintf("%s (+%d -%d)", counts(ns), l.WaitersNew, l.WaitersGone)
}

func contentionCell(l *ComparedLock) string {
	var text string
	for i := len(l.Captures) - 1; i >= 0 && text == ""; i-- {
		if n := l.Captures[i].Contention; n != nil {
			text = number(n)
		}
	}
	switch {
	case text == "":
		return "-"
	case l.Contentions == nil:
		return text
	case l.PerSecond != nil && *l.Contentions > 0:
		return fmt.Sprintf("%s (+%d, %.1f/s)", text, *l.Contentions, *l.PerSecond)
	}
	return fmt.Sprintf("%s (+%d)", text, *l.Contentions)
}

// placesOf names the head lines of the first and the last capture that show a
// lock.
func placesOf(l *ComparedLock) string {
	var out []string
	for _, k := range l.Captures {
		if k.At != nil {
			out = append(out, fmt.Sprintf("%s:%d", k.At.Input, k.At.Line))
		}
	}
	if len(out) > 2 {
		out = []string{out[0], "…", out[len(out)-1]}
	}
	return strings.Join(out, " ")
}

func (p *comparisonPage) threads() {
	if t := p.c.ThreadCounts; t != nil {
		p.title("Threads, first capture against last")
		p.fold("  ", t.line())
	}
}

// line says the counts that are not zero.
func (t *ThreadCounts) line() string {
	var out []string
	for _, k := range []struct {
		n    int
		what string
	}{
		{t.Still, "have not run"}, {t.Rearmed, "wait on, their waits begun anew"}, {t.Moved, "have run"}, {t.Replaced, "are others at the same address"},
		{t.NotKnown, "cannot be told"}, {t.OnlyFirst, "only in the first"}, {t.OnlyLast, "only in the last"},
	} {
		if k.n > 0 {
			out = append(out, fmt.Sprintf("%d %s", k.n, k.what))
		}
	}
	if len(out) == 0 {
		return "none was printed"
	}
	return strings.Join(out, ", ")
}

func (p *comparisonPage) rest() {
	if len(p.c.NextCommands) > 0 {
		p.title("Type next")
		for _, n := range p.c.NextCommands {
			fmt.Fprintf(p, "  %s\n", Plain(n))
		}
	}
	p.r.Gaps = p.c.Gaps
	p.gaps()
	p.list("Not looked at", p.c.NotSeen)
	p.list("Notes", firstOf(p.c.Notes, mostNotes))
}

// WriteComparisonMarkdown prints the comparison for a ticket.
func WriteComparisonMarkdown(w io.Writer, c *Comparison, _ Style) error {
	m := &markdown{names: names{r: &Report{Gaps: c.Gaps}}}
	fmt.Fprintf(m, "## kdlocks compare: %s%s\n\n%s\n", c.Verdict.Kind, c.Verdict.sure(), escape(c.Verdict.Summary))
	for _, issue := range c.issueLines() {
		fmt.Fprintf(m, "\n**%s**\n", escape(issue))
	}
	m.list("Captures", eachLine(c.Captures, captureLine))
	m.list("Not compared", firstOf(eachLine(c.Refused, refusedLine), mostRefused))
	for i := range c.Findings[:min(len(c.Findings), mostCompared)] {
		m.compared(&c.Findings[i])
	}
	m.list("Roots", firstOf(eachLine(c.Roots, rootLine), mostRoots))
	for _, st := range lockStates {
		waited, _ := c.locksByState(st.state)
		if len(waited) == 0 {
			continue
		}
		fmt.Fprintf(m, "\n### %s (%d)\n\n", st.title, len(waited))
		if err := c.lockTable(waited[:min(len(waited), mostLocks)]).markdown(m); err != nil {
			return err
		}
		if rest := len(waited) - mostLocks; rest > 0 {
			fmt.Fprintf(m, "\n… and %d more\n", rest)
		}
	}
	if len(c.NextCommands) > 0 {
		fmt.Fprintf(m, "\n### Type next\n\n%s", fenced(strings.Join(c.NextCommands, "\n")))
	}
	m.gaps()
	m.list("Not looked at", c.NotSeen)
	m.list("Notes", firstOf(c.Notes, mostNotes))
	_, err := w.Write(m.Bytes())
	return err
}

func (m *markdown) compared(f *ComparedFinding) {
	fmt.Fprintf(m, "\n### %s: %s\n\n%s\n\n%s\n", code(f.ID), f.Fate, escape(f.Summary), escape(f.Why))
	m.WriteString("\n| capture | |\n|---|---|\n")
	for _, a := range f.Captures {
		fmt.Fprintf(m, "| %d | %s |\n", a.Capture, escape(answerLine(a)))
	}
	if len(f.Evidence) == 0 {
		return
	}
	var b strings.Builder
	for _, e := range f.Evidence[:min(len(f.Evidence), 2*mostQuotes)] {
		fmt.Fprintf(&b, "%s:%d:%d  # capture %d: %s\n    %s\n", e.Input, e.Line, e.Column, e.Capture, e.Why, strings.ReplaceAll(strings.TrimSpace(e.Text), "\n", "\n    "))
	}
	fmt.Fprintf(m, "\n**Evidence:**\n\n%s", fenced(b.String()))
}
