package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"kdlocks/kd"
)

// WriteText prints the report as an engineer would paste it into a case:
// verdict, cycle or chain, evidence by line, suspect with its reason, what to
// do, what to type next, and what was not looked at.
func WriteText(w io.Writer, r *Report, s Style) error {
	p := &page{names: index(r), s: s}
	p.verdict()
	p.overview()
	p.WriteString(r.eachFinding(p.finding, func(n, first int, f *Finding) {
		p.title(n, f)
		fmt.Fprintf(p, "    The same root as in [%d].\n", first)
	}))
	p.counterCharts()
	p.rules()
	checks := r.inWords()
	p.selfCheck(&checks)
	p.list("Driver Verifier", firstOf(r.verifierLines(), mostVerifier))
	if err := p.objects(); err != nil {
		return err
	}
	p.gaps()
	p.list("Not looked at", r.NotSeen)
	p.list("Notes", r.noteLines(checks.told))
	if s.Coverage {
		if err := p.coverage(); err != nil {
			return err
		}
	}
	_, err := w.Write(p.Bytes())
	return err
}

// mostFindings bounds the findings of the text form, and the known issues beside
// them; they stand in the order of their weight.
const mostFindings = 32

// eachFinding gives the findings of the text forms to write, by their numbers
// counted from 1, and those that tell no more than an earlier one to again, with
// the number of that. It returns the line on those that are left out.
func (r *Report) eachFinding(write func(n int, f *Finding), again func(n, first int, f *Finding)) string {
	left := 0
	for i := range r.Findings {
		switch k := sameRoot(r.Findings, i); {
		case !r.inFull(i):
			left++
		case k >= 0:
			again(i+1, k+1, &r.Findings[i])
		default:
			write(i+1, &r.Findings[i])
		}
	}
	if left == 0 {
		return ""
	}
	return fmt.Sprintf("\n... and %d more findings (use -o json for all)\n", left)
}

// inFull reports whether the forms for people tell all of a finding. Known issues
// are counted by themselves, so that they are told behind any number of others.
func (r *Report) inFull(i int) bool {
	if r.Findings[i].Rule != nil {
		return i-r.detected < mostFindings
	}
	return i < mostFindings
}

// mostOverview bounds the lines of the overview.
const mostOverview = 12

// overview names the findings, where there are too many for one screen.
func (p *page) overview() {
	const few = 3
	if len(p.r.Findings) < few {
		return
	}
	p.head("Findings")
	shown := 0
	for i := range p.r.Findings {
		f := &p.r.Findings[i]
		if sameRoot(p.r.Findings, i) >= 0 {
			continue
		}
		if shown++; shown > mostOverview {
			fmt.Fprintf(p, "    ... and %d more\n", len(p.r.Findings)-i)
			return
		}
		line := fmt.Sprintf("    [%d] %s: %s", i+1, f.ID, Plain(f.Summary))
		p.WriteString(shorten(line, p.s.prose()) + "\n")
	}
}

// page collects the text of a report.
type page struct {
	bytes.Buffer
	names
	s Style
}

func (p *page) fold(first, text string) {
	p.WriteString(wrap(text, first, strings.Repeat(" ", kd.Cells(first)), p.s.prose()))
}

func (p *page) head(title string) { fmt.Fprintf(p, "\n  %s\n", p.bold(title)) }

func (p *page) bold(s string) string { return p.paint("1", s) }

func (p *page) paint(code, s string) string {
	if !p.s.Color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// colors of verdicts and severities: red, yellow, green.
var colors = map[string]string{
	"deadlock": "1;31", "orphaned-lock": "1;31", "suspected-deadlock": "1;33", "undecided": "1;33",
	"stall": "1;31", "blocked-chain": "1;33", "contention": "33", "no-deadlock": "1;32",
	"memory-exhausted": "1;31", "memory-leak": "1;33", "no-leak": "1;32",
}

func (p *page) verdict() {
	v := p.r.Verdict
	fmt.Fprintf(p, "%s%s\n", p.paint(colors[v.Kind], strings.ToUpper(v.Kind)), v.sure())
	p.fold("", v.Summary)
	for _, s := range p.r.Sessions {
		p.fold(fmt.Sprintf("  session %d: ", s.Session), s.Verdict.Kind+": "+s.Verdict.Summary)
	}
	for _, issue := range p.r.issueLines() {
		p.fold("", issue)
	}
}

func (p *page) title(n int, f *Finding) {
	session := ""
	if f.Session > 0 {
		session = fmt.Sprintf(", session %d", f.Session)
	}
	p.WriteString("\n")
	p.WriteString(p.bold(wrap(fmt.Sprintf("%s (%s%s, %s%s%s)", f.ID, f.label(), f.Severity, f.Confidence, f.graded(), session), fmt.Sprintf("[%d] ", n), "    ", p.s.prose())))
}

func (p *page) finding(n int, f *Finding) {
	p.title(n, f)
	if f.Summary != p.r.Verdict.Summary {
		p.fold("    ", f.Summary)
	}
	p.cycle("Cycle", f, f.Cycle, true)
	p.cycle("Chain", f, f.Chain, false)
	p.people("Also entangled", f, f.Others, len(f.Others))
	p.people("Blocked behind", f, f.Bystanders, max(len(f.Bystanders), f.BlockedThreads-len(f.Others)))
	p.stackGroups(f)
	if f.Suspect != nil {
		p.head("Suspect")
		p.fold("    ", kd.ShortNames(f.Suspect.Module)+": "+f.Suspect.Reason)
	}
	p.head("Why")
	p.fold("    ", f.Explanation)
	if f.Rule != nil {
		p.clauses(f.Rule)
	} else {
		p.evidence(f)
	}
	p.head("What would disprove it")
	p.fold("    ", f.Disproof)
	p.head("What to do")
	p.fold("    ", f.Remedy)
	if f.Rule != nil {
		p.bullets("References", f.References)
	}
	if len(f.NextCommands) > 0 {
		p.head("Type next")
		for _, c := range f.NextCommands {
			fmt.Fprintf(p, "    %s\n", Plain(c))
		}
	}
}

// Bounds of the groups of stacks that are shown, and of their frames.
const mostGroups, mostGroupFrames = 3, 10

// groupsTitle says whose stacks are grouped.
func (f *Finding) groupsTitle() string {
	if f.StacksGrouped < f.BlockedThreads {
		return fmt.Sprintf("Stacks of the first %d of them", f.StacksGrouped)
	}
	return "Their stacks"
}

// groupsShown are the groups that the forms for people show: none where no two
// threads have the same stack.
func (f *Finding) groupsShown() []StackGroup {
	if len(f.StackGroups) == 0 || f.StackGroups[0].Count < 2 {
		return nil
	}
	return f.StackGroups[:min(len(f.StackGroups), mostGroups)]
}

// groupsLeft says which threads are in none of the groups that are shown.
func (f *Finding) groupsLeft() []string {
	var out []string
	if rest := f.StackGroups[len(f.groupsShown()):]; len(rest) > 0 {
		n := 0
		for _, g := range rest {
			n += g.Count
		}
		out = append(out, fmt.Sprintf("%d more: %s", n, kd.Plural(len(rest), "other stack")))
	}
	if f.StacksMissing > 0 {
		out = append(out, fmt.Sprintf("%d more: no stack in the input", f.StacksMissing))
	}
	return out
}

func (p *page) stackGroups(f *Finding) {
	groups := f.groupsShown()
	if len(groups) == 0 {
		return
	}
	p.head(f.groupsTitle())
	for _, g := range groups {
		p.fold("    ", fmt.Sprintf("%d x, %s", g.Count, p.who(f.Session, g.Threads[0])))
		for j, name := range g.Frames {
			if j == mostGroupFrames {
				fmt.Fprintf(p, "      ... %s\n", kd.Plural(len(g.Frames)-j, "more frame"))
				break
			}
			p.fold("      ", kd.ShortNames(name))
		}
	}
	for _, left := range f.groupsLeft() {
		p.fold("    ", left)
	}
}

// mostSteps bounds the hops of a cycle or chain that are drawn. Of a longer one
// the middle is left out.
const mostSteps, firstSteps, lastSteps = 16, 8, 4

// stepsLeft returns the first of n hops that is left out, and the one behind the
// last: n for both if none is.
func stepsLeft(n int) (from, to int) {
	if n <= mostSteps {
		return n, n
	}
	return firstSteps, n - lastSteps
}

// cycle draws who waits for what, held by whom.
func (p *page) cycle(title string, f *Finding, steps []Step, closed bool) {
	if len(steps) == 0 {
		return
	}
	p.head(title)
	from, to := stepsLeft(len(steps))
	for i, s := range steps {
		if i == from {
			fmt.Fprintf(p, "    ... %d more hops (use -o json for all) ...\n", to-from)
		}
		if from <= i && i < to {
			continue
		}
		p.fold("    ", p.who(f.Session, s.Thread))
		p.fold("      waits for ", p.lock(&s))
		held, label := p.who(f.Session, s.HeldBy), "      "+s.by()
		switch {
		case i < len(steps)-1:
		case closed:
			held += " <- closes the cycle"
		default:
			held += " <- the root"
		}
		p.fold(label, held)
	}
}

// who names a thread of a step.
func (p *page) who(session int, a string) string {
	if a == "" {
		return "somebody who is not named"
	}
	return "thread " + p.thread(session, a)
}

// mostPeople bounds the threads that are named in a list.
const mostPeople = 16

// people names some of the threads of a list of n.
func (p *page) people(title string, f *Finding, threads []string, n int) {
	if len(threads) == 0 {
		return
	}
	p.head(fmt.Sprintf("%s (%d)", title, n))
	var list []string
	for i, t := range threads {
		if i == mostPeople {
			list = append(list, fmt.Sprintf("... and %d more", n-i))
			break
		}
		list = append(list, p.bare(t))
	}
	p.fold("    ", strings.Join(list, " "))
}

func (p *page) bare(a string) string { return p.r.bare(a) }

// mostEvidence bounds the evidence of a finding that the text forms quote.
const mostEvidence = 48

func (p *page) evidence(f *Finding) {
	if len(f.Evidence) == 0 {
		return
	}
	p.head("Evidence")
	for i, e := range f.Evidence {
		if i == mostEvidence {
			fmt.Fprintf(p, "    ... and %d more (use -o json for all)\n", len(f.Evidence)-i)
			break
		}
		p.fold("    ", fmt.Sprintf("%s:%d:%d: %s", e.Input, e.Line, e.Column, e.Why))
		for _, line := range e.shown() {
			p.fold("      | ", line)
		}
	}
}

// selfCheck says what the input contradicts itself in, and what that costs.
func (p *page) selfCheck(checks *selfChecks) {
	fmt.Fprintf(p, "\n%s\n", p.bold(checks.title()))
	for _, c := range checks.failed {
		p.fold("  ! ", c.title)
		for _, place := range c.places {
			p.fold("      ", place)
		}
		for _, cost := range c.costs {
			p.fold("    > ", cost)
		}
	}
	for _, rest := range []string{checks.left(), checks.unchecked()} {
		if rest != "" {
			p.fold("  - ", rest)
		}
	}
}

func (p *page) gaps() {
	if len(p.r.Gaps) == 0 {
		return
	}
	fmt.Fprintf(p, "\n%s\n", p.bold("Missing"))
	for _, g := range p.r.Gaps {
		mark := "  - "
		if g.Decides {
			mark = "  ! "
		}
		p.fold(mark, g.sentence())
	}
}

// list prints a section of single lines.
func (p *page) list(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(p, "\n%s\n", p.bold(title))
	for _, l := range lines {
		p.fold("  - ", l)
	}
}

// Bounds of lists behind the findings, in the forms for people.
const mostVerifier, mostNotes = 40, 40

// firstOf cuts a list short, and says so in its last line.
func firstOf(lines []string, most int) []string {
	if len(lines) <= most {
		return lines
	}
	return append(lines[:most:most], fmt.Sprintf("... and %d more (use -o json for all)", len(lines)-most))
}

// noteLines are the notes that were not told elsewhere, and how many lines of
// each input were not understood.
func (r *Report) noteLines(told map[string]bool) []string {
	var notes, unknown []string
	for _, n := range r.untold(told) {
		notes = append(notes, n.where()+n.Text)
	}
	for _, in := range r.Inputs {
		if rest := in.Lines - in.LinesUnderstood; rest > 0 {
			unknown = append(unknown, fmt.Sprintf("%s: %d of %d lines not understood (--coverage shows where)", in.Name, rest, in.Lines))
		}
	}
	return append(firstOf(notes, mostNotes), firstOf(unknown, mostNotes)...)
}
