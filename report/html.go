package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"kdlocks/kd"
	"kdlocks/picture"
)

const (
	// firstPanels are shown at once, the others when asked for.
	firstPanels = 3
	// mostHTMLRows bounds each table of the page.
	mostHTMLRows = 300
	// mostBrief bounds the findings beyond those shown in full that have a row.
	mostBrief = 200
	// mostStacks and mostFrames bound the stacks that a finding shows,
	// mostStackRows those of the page.
	mostStacks, mostFrames, mostStackRows = 6, 64, 3000
	// longestText and longestCell bound what is shown of a text and of a cell of
	// a table, in bytes.
	longestText, longestCell = 16 << 10, 1 << 10
	// mostNamed bounds the addresses of a list of threads.
	mostNamed = 200
)

// head is the first bytes of a text.
func head(s string, most int) string {
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// WriteHTML prints the report as one page that needs nothing else: no script,
// no network, no other file.
func WriteHTML(w io.Writer, r *Report, _ Style) error {
	p, err := r.page()
	if err != nil {
		return err
	}
	var m markup
	p.write(&m)
	return m.to(w)
}

// htmlReport is what the page shows.
type htmlReport struct {
	Title, Class, Kind, Sure, Summary, Facts string
	Sessions                                 []Session
	Issues                                   []string
	RuleParts                                []htmlRules
	RuleLines                                []string
	Panels, MorePanels                       []drawing
	Legend                                   drawing
	PictureMore, Words                       string
	FindingCount                             int
	Findings                                 []htmlFinding
	OtherFindings                            []Finding
	FindingsLeft                             string
	Verifier                                 []string
	VerifierLeft                             string
	Gaps                                     []Gap
	GapsLeft                                 string
	NotSeen                                  []string
	Checks                                   htmlChecks
	Notes                                    []string
	NoteCount                                int
	NotesLeft                                string
	Locks, Threads                           htmlTable
	Heaps                                    []htmlTable
	Inputs                                   []htmlInput
	InputsLeft                               []string
	Charts                                   []drawing
	ChartWords                               []string
}

// htmlChecks is what the self-checks found.
type htmlChecks struct {
	Title, Left, Unchecked string
	Failed                 []htmlCheck
}

type htmlCheck struct {
	Title  string
	Places []string
	Costs  []string
}

// htmlGroup is a group of threads with the same stack.
type htmlGroup struct {
	Name   string
	Frames []string
}

// htmlTable is a table, and what is said above and below it.
type htmlTable struct {
	Name, Said string
	Heads      []string
	Rows       [][]string
	Left       string
}

// htmlRules is a list of rules that are told behind the findings.
type htmlRules struct {
	ID, Title string
	Notes     []ruleNote
}

// htmlClause is a clause of a rule and what became of it.
type htmlClause struct {
	Truth, Head string
	Lines       []string
}

type htmlFinding struct {
	Number int
	*Finding
	Clauses      []htmlClause
	ClausesOf    string
	Candidates   []string
	Tell         bool // the summary is not that of the verdict
	Blocks       []excerpt
	EvidenceLeft string
	Steps        []htmlTable
	Stacks       []htmlTable
	People       []htmlPeople
	GroupsOf     string
	Groups       []htmlGroup
	GroupsLeft   []string
	SameRoot     int // the number of the finding that tells all of it, 0 if none does
}

// htmlPeople is a list of threads.
type htmlPeople struct{ Name, Text string }

type htmlInput struct {
	Name, Facts string
	Table       htmlTable
	Quotes      []htmlQuote
}

type htmlQuote struct {
	Title string
	Lines []Line
	More  int
}

// verdictClasses are those of the style sheet.
var verdictClasses = map[string]string{
	"deadlock": "bad", "stall": "bad", "orphaned-lock": "bad", "suspected-deadlock": "warn", "undecided": "warn",
	"blocked-chain": "warn", "contention": "warn", "no-deadlock": "good",
	"memory-exhausted": "bad", "memory-leak": "warn", "no-leak": "good",
}

func (r *Report) page() (*htmlReport, error) {
	v := r.Verdict
	p := &htmlReport{
		Kind: strings.ToUpper(v.Kind), Sure: strings.TrimSpace(v.sure()), Class: verdictClasses[v.Kind], Summary: Plain(v.Summary),
		Sessions: r.Sessions, FindingCount: len(r.Findings), NotSeen: r.NotSeen, NoteCount: len(r.Notes),
	}
	p.Title = p.Kind
	if len(r.Inputs) > 0 {
		p.Title += ", " + Plain(r.Inputs[0].Name)
	}
	p.Facts = r.facts()
	p.Issues, p.RuleLines = r.issueLines(), r.ruleLines()
	for _, part := range []htmlRules{{"rules-unchecked", uncheckedTitle, r.uncheckedRules()}, {"rules-excluded", excludedTitle, r.excludedRules()}} {
		if part.Notes != nil {
			p.RuleParts = append(p.RuleParts, part)
		}
	}
	if err := p.pictures(r.Picture()); err != nil {
		return nil, err
	}
	for _, c := range r.Charts() {
		d, err := draw(func(w io.Writer) error { return picture.WriteChart(w, &c) })
		if err != nil {
			return nil, err
		}
		p.Charts, p.ChartWords = append(p.Charts, d), append(p.ChartWords, c.Title)
	}
	p.findings(r)
	p.remarks(r)
	p.Locks, p.Threads, p.Heaps = r.htmlLocks(), r.htmlThreads(), r.heapHTML()
	p.inputs(r)
	return p, nil
}

// facts are inputs and target in a line.
func (r *Report) facts() string {
	var out []string
	if n := len(r.Inputs); n == 1 {
		out = append(out, Plain(r.Inputs[0].Name))
	} else if n > 1 {
		out = append(out, kd.Plural(n, "input"))
	}
	if t := r.Target; t != nil {
		if t.Build != "" {
			out = append(out, "build "+Plain(t.Build))
		}
		if t.Arch != "" && t.Arch != "unknown" {
			out = append(out, t.Arch)
		}
		if t.Uptime != "" {
			out = append(out, "up "+Plain(t.Uptime))
		}
		if b := t.Bugcheck; b != nil {
			out = append(out, Plain(strings.TrimSpace("stop code "+b.Code+" "+b.Name)))
		}
	}
	return strings.Join(out, " · ")
}

// pictures draws each panel apart, so that a page can break between them.
func (p *htmlReport) pictures(pic *picture.Picture) error {
	for i := range pic.Panels {
		d, err := draw(func(w io.Writer) error { return picture.WritePanel(w, &pic.Panels[i]) })
		if err != nil {
			return err
		}
		if i < firstPanels {
			p.Panels = append(p.Panels, d)
		} else {
			p.MorePanels = append(p.MorePanels, d)
		}
	}
	p.PictureMore = pic.More
	if len(pic.Panels) == 0 {
		return nil
	}
	p.Words = picture.Text(&picture.Picture{Panels: pic.Panels})
	var err error
	p.Legend, err = draw(func(w io.Writer) error { return picture.WriteLegend(w, pic) })
	return err
}

func (p *htmlReport) findings(r *Report) {
	n := index(r)
	q := &quoting{report: r, inputs: make(map[string]*Input)}
	for i := range r.Inputs {
		q.inputs[r.Inputs[i].Name] = &r.Inputs[i]
	}
	rows := 0
	left := 0
	for i := range r.Findings {
		f := &r.Findings[i]
		switch {
		case r.inFull(i):
		case len(p.OtherFindings) < mostBrief:
			p.OtherFindings = append(p.OtherFindings, *f)
			continue
		default:
			left++
			continue
		}
		h := htmlFinding{Number: i + 1, Finding: f, Tell: f.Summary != r.Verdict.Summary, SameRoot: sameRoot(r.Findings, i) + 1}
		h.groups(n)
		h.clauses()
		blocks, rest := q.excerpts(f.Evidence)
		if h.Blocks = blocks; rest > 0 {
			h.EvidenceLeft = fmt.Sprintf("… and %d more pieces of evidence (use -o json for all)", rest)
		}
		for _, s := range []htmlTable{n.stepTable("Cycle", f, f.Cycle), n.stepTable("Chain", f, f.Chain)} {
			if len(s.Rows) > 0 {
				h.Steps = append(h.Steps, s)
			}
		}
		if rows < mostStackRows {
			h.Stacks = r.stacksOf(f)
		}
		for _, s := range h.Stacks {
			rows += len(s.Rows)
		}
		h.People = append(n.listed("Also entangled", f, f.Others), n.listed("Blocked behind", f, f.Bystanders)...)
		p.Findings = append(p.Findings, h)
	}
	if left > 0 {
		p.FindingsLeft = fmt.Sprintf("… and %d more findings (use -o json for all)", left)
	}
}

// clauses shows those of a known issue.
func (h *htmlFinding) clauses() {
	m := h.Rule
	if m == nil {
		return
	}
	h.ClausesOf, h.Candidates = m.origin(), m.candidates()
	for i := range m.Clauses {
		c := &m.Clauses[i]
		out := htmlClause{Truth: c.Truth, Head: c.head()}
		shown, left := c.places()
		for k := range shown {
			out.Lines = append(out.Lines, shown[k].place()+": "+shown[k].Why)
		}
		if left != "" {
			out.Lines = append(out.Lines, left)
		}
		for k := range c.Missing {
			out.Lines = append(out.Lines, c.Missing[k].line())
		}
		h.Clauses = append(h.Clauses, out)
	}
}

// groups shows the stacks of the threads behind a finding.
func (h *htmlFinding) groups(n names) {
	f := h.Finding
	groups := f.groupsShown()
	if len(groups) == 0 {
		return
	}
	h.GroupsOf, h.GroupsLeft = f.groupsTitle(), f.groupsLeft()
	for _, g := range groups {
		h.Groups = append(h.Groups, htmlGroup{Name: fmt.Sprintf("%d x, %s", g.Count, n.thread(f.Session, g.Threads[0])), Frames: g.Frames})
	}
}

// stepTable spells a cycle or chain out.
func (n names) stepTable(name string, f *Finding, steps []Step) htmlTable {
	t := htmlTable{Name: name, Said: name, Heads: []string{"#", "Thread", "waits for", "held by", "Grade"}}
	for i, s := range steps {
		if i == mostHTMLRows {
			t.Left = fmt.Sprintf("… and %d more hops (use -o json for all)", len(steps)-i)
			break
		}
		who, held := "not named", "not named"
		if s.Thread != "" {
			who = n.thread(f.Session, s.Thread)
		}
		if s.HeldBy != "" {
			held = n.thread(f.Session, s.HeldBy)
		}
		if s.Queued {
			held += " (queued before it)"
		}
		if s.Guess {
			held += " (a guess)"
		}
		t.Rows = append(t.Rows, []string{strconv.Itoa(i + 1), who, head(n.lock(&s), longestCell), held, s.Grade})
	}
	return t
}

// listed names threads by address.
func (n names) listed(name string, f *Finding, threads []string) []htmlPeople {
	if len(threads) == 0 {
		return nil
	}
	var out []string
	for _, t := range threads[:min(len(threads), mostNamed)] {
		out = append(out, n.r.bare(t))
	}
	if left := len(threads) - len(out); left > 0 {
		out = append(out, fmt.Sprintf("… and %d more (use -o json for all)", left))
	}
	return []htmlPeople{{fmt.Sprintf("%s (%d listed)", name, len(threads)), strings.Join(out, " ")}}
}

// stacksOf returns the stacks of the threads that a finding is about.
func (r *Report) stacksOf(f *Finding) []htmlTable {
	var out []htmlTable
	if r.lookup == nil {
		return nil
	}
	for _, a := range f.Threads[:min(len(f.Threads), mostStacks)] {
		th := r.lookup(f.Session, a)
		if th == nil || len(th.Frames) == 0 {
			continue
		}
		left := len(th.Frames) - mostFrames
		if left > 0 {
			th.Frames = th.Frames[:mostFrames]
		}
		st := r.stackTable(th)
		t := htmlTable{Name: fmt.Sprintf("Stack of thread %s%s, line %d", r.bare(a), th.who(), th.At.Line), Rows: st.rows}
		for _, c := range st.columns {
			t.Heads = append(t.Heads, c.head)
		}
		if left > 0 {
			t.Left = fmt.Sprintf("… and %d more frames (use kdlocks stacks for all)", left)
		}
		out = append(out, t)
	}
	return out
}

// remarks adds what is said beside the findings.
func (p *htmlReport) remarks(r *Report) {
	p.Verifier = r.verifierLines()
	if left := len(p.Verifier) - mostVerifier; left > 0 {
		p.Verifier, p.VerifierLeft = p.Verifier[:mostVerifier], fmt.Sprintf("… and %d more (use -o json for all)", left)
	}
	p.Gaps = r.Gaps
	if left := len(p.Gaps) - mostHTMLRows; left > 0 {
		p.Gaps, p.GapsLeft = p.Gaps[:mostHTMLRows], fmt.Sprintf("… and %d more (use -o json for all)", left)
	}
	notes := r.untold(p.checks(r))
	p.NoteCount = len(notes)
	for i, n := range notes {
		if i == mostHTMLRows {
			p.NotesLeft = fmt.Sprintf("… and %d more (use -o json for all)", len(notes)-i)
			break
		}
		text := n.Text
		if n.At != nil {
			text = fmt.Sprintf("%s line %d: %s", n.At.Input, n.At.Line, text)
		}
		p.Notes = append(p.Notes, text)
	}
}

// checks shows the self-checks and returns the notes that this tells.
func (p *htmlReport) checks(r *Report) map[string]bool {
	words := r.inWords()
	p.Checks = htmlChecks{Title: words.title(), Left: words.left(), Unchecked: words.unchecked()}
	for _, c := range words.failed {
		p.Checks.Failed = append(p.Checks.Failed, htmlCheck{Title: c.title, Places: c.places, Costs: c.costs})
	}
	return words.told
}

func (p *htmlReport) inputs(r *Report) {
	q := quota{rest: mostQuotedLines}
	inputs, rest := r.covered()
	for _, in := range inputs {
		t, rows, left := in.coverageTable()
		h := htmlInput{Name: in.Name, Facts: in.facts(), Table: htmlTable{Name: "Coverage", Rows: t.rows, Left: left}}
		for _, c := range t.columns {
			h.Table.Heads = append(h.Table.Heads, c.head)
		}
		in.quotes(rows, &q, func(title string, lines []Line, more int) {
			h.Quotes = append(h.Quotes, htmlQuote{title, lines, more})
		})
		p.Inputs = append(p.Inputs, h)
	}
	for _, left := range []string{q.said(), rest} {
		if left != "" {
			p.InputsLeft = append(p.InputsLeft, left)
		}
	}
}

func (in *Input) facts() string {
	out := []string{fmt.Sprintf("%d bytes", in.Bytes)}
	if in.Encoding != "" {
		out = append(out, in.Encoding)
	}
	return strings.Join(append(out, fmt.Sprintf("%d of %d lines understood", in.LinesUnderstood, in.Lines)), " · ")
}
