package report

import (
	"fmt"
	"io"
	"slices"

	"kdlocks/compare"
	"kdlocks/kd"
	"kdlocks/rules"
	"kdlocks/snapshot"
)

// CompareSchema names the version of a comparison's JSON form.
const CompareSchema = "kdlocks.compare/v1"

// Comparison is what several captures of one machine say together. Captures
// are counted from 1 in the order of time; what has an item for each capture
// goes by that order. Every field may be absent when its value is unknown.
type Comparison struct {
	Schema  string  `json:"schema"`
	Verdict Verdict `json:"verdict"`
	// Undecided is true when a fact is missing that the verdict hangs on.
	Undecided bool              `json:"undecided,omitempty"`
	Captures  []ComparedCapture `json:"captures"`
	// Order is what their order was read from.
	Order     string           `json:"order,omitempty"`
	Reordered bool             `json:"reordered,omitempty"`
	SpanMS    *int64           `json:"span_ms,omitempty"`
	Refused   []RefusedCapture `json:"refused,omitempty"`

	Findings []ComparedFinding `json:"findings"`
	// KnownIssues are those that rules recognised; they never change the verdict.
	KnownIssues []ComparedIssue `json:"known_issues,omitempty"`
	Roots       []ComparedRoot  `json:"roots"`
	Locks       []ComparedLock  `json:"locks"`
	// ThreadCounts and Threads are about the first capture and the last.
	ThreadCounts *ThreadCounts        `json:"thread_counts,omitempty"`
	Threads      List[ComparedThread] `json:"threads"`
	// Gaps are the facts that the last capture lacks by itself, NotSeen the kinds
	// of evidence that it does not hold.
	Gaps         []Gap    `json:"gaps"`
	NotSeen      []string `json:"not_looked_at,omitempty"`
	Notes        []string `json:"notes"`
	NextCommands []string `json:"next_commands"`
}

// ComparedCapture is one capture of a comparison.
type ComparedCapture struct {
	Capture int    `json:"capture"`
	Name    string `json:"name"`
	// AfterMS is the time since the first capture.
	AfterMS   *int64  `json:"after_ms,omitempty"`
	At        *At     `json:"at,omitempty"` // where it begins
	Target    Target  `json:"target"`
	Resources int     `json:"resources"`
	Threads   int     `json:"threads"`
	Verdict   Verdict `json:"verdict"` // of the capture by itself
}

// RefusedCapture is a capture that was not compared, and why.
type RefusedCapture struct {
	Name string `json:"name"`
	At   *At    `json:"at,omitempty"`
	With string `json:"with"`
	Why  string `json:"why"`
}

// ComparedFinding is a deadlock, suspected deadlock or orphaned lock, followed
// through the captures.
type ComparedFinding struct {
	ID           string             `json:"id"`
	Fate         string             `json:"fate"`
	Stands       bool               `json:"stands_at_end"`
	Kind         string             `json:"kind"`
	Severity     string             `json:"severity"`
	Confidence   string             `json:"confidence"`
	Grade        string             `json:"grade"`
	FoundIn      int                `json:"found_in"` // the last capture whose detectors found it
	Summary      string             `json:"summary"`
	Why          string             `json:"why"`
	Threads      []string           `json:"threads"`
	Resources    []string           `json:"resources"`
	Cycle        []Step             `json:"cycle,omitempty"`
	Motions      []ThreadMotion     `json:"motions"` // of the threads, in their order
	Suspect      *Suspect           `json:"suspect,omitempty"`
	Captures     []CaptureAnswer    `json:"captures"`
	Remedy       string             `json:"remedy"`
	Evidence     []ComparedEvidence `json:"evidence"`
	NextCommands []string           `json:"next_commands"`

	names []string // of the threads of the cycle
}

// ThreadMotion is what a thread did from the first capture to the last.
type ThreadMotion struct {
	Thread string `json:"thread"`
	Motion string `json:"motion"`
	Why    string `json:"why"`
}

// CaptureAnswer is what one capture says of a finding.
type CaptureAnswer struct {
	Capture int    `json:"capture"`
	Stands  string `json:"stands"` // yes, no, not shown
	Why     string `json:"why,omitempty"`
	// BlockedThreads are those behind it, where its detectors found it.
	BlockedThreads *int `json:"blocked_threads,omitempty"`
}

// ComparedEvidence is a piece of a capture.
type ComparedEvidence struct {
	Capture int `json:"capture"`
	Evidence
}

// ComparedRoot is a thread at the end of wait chains.
type ComparedRoot struct {
	Thread string `json:"thread"`
	Name   string `json:"name"`
	State  string `json:"state"`
	Why    string `json:"why"`
	// Blocked are the threads behind it, for each capture; null where the
	// capture does not have it as a root.
	Blocked      []*int             `json:"blocked_threads"`
	ID           string             `json:"id"` // the detector that says most of it
	Summary      string             `json:"summary"`
	Evidence     []ComparedEvidence `json:"evidence"`
	NextCommands []string           `json:"next_commands,omitempty"`
}

// ComparedLock is one ERESOURCE in all captures.
type ComparedLock struct {
	Address string `json:"address"`
	Symbol  string `json:"symbol,omitempty"`
	State   string `json:"state"`
	Why     string `json:"why"`
	// WaitersSame, WaitersNew and WaitersGone count the listed waiters of the
	// last capture that shows it against the first.
	WaitersSame int `json:"waiters_same"`
	WaitersNew  int `json:"waiters_new"`
	WaitersGone int `json:"waiters_gone"`
	// NewWaiters and GoneWaiters name no more than a thousand each.
	NewWaiters  []string      `json:"new_waiters,omitempty"`
	GoneWaiters []string      `json:"gone_waiters,omitempty"`
	Contentions *int64        `json:"contentions,omitempty"` // from the first to the last
	PerSecond   *float64      `json:"contentions_per_second,omitempty"`
	Captures    []LockCapture `json:"captures"`

	waited bool
}

// mostMoved bounds the new and the gone waiters that are named of one lock.
const mostMoved = 1000

// LockCapture is a lock in one capture.
type LockCapture struct {
	Capture    int      `json:"capture"`
	Shown      bool     `json:"shown"`
	Mode       string   `json:"mode,omitempty"`
	Owners     []string `json:"owners,omitempty"` // as printed
	Waiting    *int     `json:"waiting,omitempty"`
	Contention *int     `json:"contention,omitempty"`
	At         *At      `json:"at,omitempty"`
}

// ThreadCounts count threads by what became of them.
type ThreadCounts struct {
	Still     int `json:"still"`
	Rearmed   int `json:"re_armed"`
	Moved     int `json:"moved"`
	Replaced  int `json:"another_thread"`
	NotKnown  int `json:"cannot_tell"`
	OnlyFirst int `json:"only_in_first"`
	OnlyLast  int `json:"only_in_last"`
}

// ComparedThread is one thread of the first capture, the last, or both.
type ComparedThread struct {
	Address string       `json:"address"`
	Motion  string       `json:"motion,omitempty"` // absent if only one shows it
	Why     string       `json:"why,omitempty"`
	First   *ThreadFacts `json:"first,omitempty"`
	Last    *ThreadFacts `json:"last,omitempty"`
}

// ThreadFacts are what one capture shows of a thread.
type ThreadFacts struct {
	CID             string `json:"cid,omitempty"`
	Image           string `json:"image,omitempty"`
	State           string `json:"state"`
	WaitReason      string `json:"wait_reason,omitempty"`
	ContextSwitches *int64 `json:"context_switches,omitempty"`
	WaitStartTick   *int64 `json:"wait_start_tick,omitempty"`
	WaitTicks       *int64 `json:"wait_ticks,omitempty"`
	WaitMS          *int64 `json:"wait_ms,omitempty"`
	At              At     `json:"at"`
}

// comparer builds a Comparison.
type comparer struct {
	builders []*builder // of the sources of each argument
	numbers  map[*compare.Capture]int
}

// BuildComparison makes the report of a comparison. sources are those of each
// argument that captures were read from; found is what rules say of each capture,
// nil if none were asked.
func BuildComparison(sources [][]Source, c *compare.Comparison, found map[*compare.Capture][]rules.Result) *Comparison {
	b := comparer{numbers: make(map[*compare.Capture]int)}
	for _, s := range sources {
		b.builders = append(b.builders, &builder{sources: s})
	}
	r := &Comparison{
		Schema: CompareSchema, Verdict: verdict(c.Verdict), Undecided: c.Undecided, Order: string(c.Order), Reordered: c.Reordered, SpanMS: known(c.SpanMS),
		Captures: []ComparedCapture{}, Findings: []ComparedFinding{}, Roots: []ComparedRoot{}, Locks: []ComparedLock{}, Gaps: []Gap{},
		Notes: append([]string{}, c.Notes...), NextCommands: append([]string{}, c.Next...),
	}
	for i, k := range c.Captures {
		b.numbers[k] = i + 1
		r.Captures = append(r.Captures, b.capture(c, k))
	}
	if n := len(c.Captures); n > 0 {
		r.NotSeen = c.Captures[n-1].NotSeen
		for _, g := range c.Captures[n-1].Gaps {
			r.Gaps = append(r.Gaps, Gap{What: g.What, Why: string(g.Why), NextCommand: g.Next, Decides: g.Decides && c.Undecided})
		}
	}
	for _, f := range c.Refused {
		r.Refused = append(r.Refused, RefusedCapture{Name: f.Capture.Name, At: b.first(f.Capture), With: f.With.Name, Why: f.Why})
	}
	for _, h := range c.Hangs {
		r.Findings = append(r.Findings, b.hang(c, h))
	}
	r.KnownIssues = b.issues(c, found)
	for _, root := range c.Roots {
		r.Roots = append(r.Roots, b.root(root))
	}
	for _, l := range c.Locks {
		r.Locks = append(r.Locks, b.lock(c, l))
	}
	if len(c.Captures) > 0 {
		t := ThreadCounts(c.Tally)
		r.ThreadCounts = &t
	}
	r.Threads = b.threads(c)
	for _, list := range sources {
		for _, s := range list {
			if in := input(s); in.Lines > in.LinesUnderstood {
				r.Notes = append(r.Notes, fmt.Sprintf("%s: %d of %d lines not understood (analyze --coverage shows where)", in.Name, in.Lines-in.LinesUnderstood, in.Lines))
			}
		}
	}
	for _, k := range b.builders {
		if k.cut {
			r.Notes = append(r.Notes, fmt.Sprintf("evidence is left out after %d MiB of quoted lines", mostQuoted>>20))
			break
		}
	}
	return r
}

func (b *comparer) of(k *compare.Capture) *builder { return b.builders[k.Given] }

func (b *comparer) at(k *compare.Capture, r kd.Ref) *At {
	if !r.Known() {
		return nil
	}
	return ptr(b.of(k).at(r, 0))
}

func (b *comparer) first(k *compare.Capture) *At { return b.at(k, k.First()) }

func (b *comparer) capture(c *compare.Comparison, k *compare.Capture) ComparedCapture {
	out := ComparedCapture{
		Capture: b.numbers[k], Name: k.Name, At: b.first(k), Target: *target(k.Snap),
		Resources: len(k.Snap.Resources), Threads: k.Snap.ThreadCount(), Verdict: verdict(k.Verdict),
	}
	if k != c.Captures[0] {
		out.AfterMS = known(c.Captures[0].Until(k))
	}
	return out
}

func (b *comparer) hang(c *compare.Comparison, h *compare.Hang) ComparedFinding {
	f := h.Finding
	out := ComparedFinding{
		ID: f.Check.ID, Fate: string(h.Fate), Kind: string(h.Kind), Severity: string(h.Severity), Confidence: string(h.Confidence),
		Grade: f.Grade.String(), FoundIn: b.numbers[h.From], Summary: h.Summary, Why: h.Why,
		Threads: hexes(f.Threads), Resources: hexes(f.Resources), Cycle: steps(h.From.Snap, f.Cycle), Remedy: f.Remedy,
		Motions: []ThreadMotion{}, Evidence: b.evidence(h.Places), NextCommands: append([]string{}, h.Next...),
	}
	out.Stands = h.Stand()
	if f.Suspect != nil {
		out.Suspect = &Suspect{Module: f.Suspect.Module, Reason: f.Suspect.Reason}
	}
	if h.Fate == compare.Dissolved {
		out.Remedy = "None: it went by itself."
	}
	for _, a := range f.Threads {
		m, why := c.MotionOf(a)
		out.Motions = append(out.Motions, ThreadMotion{a.String(), string(m), why})
	}
	for _, s := range f.Cycle {
		who := "somebody who is not named"
		if s.Thread != 0 {
			who = h.From.Who(s.Thread)
		}
		out.names = append(out.names, who)
	}
	for i, a := range h.Answers {
		out.Captures = append(out.Captures, CaptureAnswer{Capture: i + 1, Stands: string(a.Stands), Why: a.Why, BlockedThreads: known(h.Blocked[i])})
	}
	return out
}

// evidence quotes places, those of the first capture first.
func (b *comparer) evidence(places []compare.Place) []ComparedEvidence {
	places = slices.Clone(places)
	kd.SortStable(places, func(x, y compare.Place) int {
		if n := b.numbers[x.Capture] - b.numbers[y.Capture]; n != 0 {
			return n
		}
		switch {
		case x.At.Before(y.At):
			return -1
		case y.At.Before(x.At):
			return 1
		}
		return 0
	})
	out := []ComparedEvidence{}
	for i, p := range places {
		if i > 0 && p.Capture == places[i-1].Capture && p.At == places[i-1].At {
			continue
		}
		if e, ok := b.of(p.Capture).quote(p.At, p.Addr, p.Why); ok {
			out = append(out, ComparedEvidence{b.numbers[p.Capture], e})
		}
	}
	return out
}

func (b *comparer) root(r *compare.Root) ComparedRoot {
	out := ComparedRoot{
		Thread: r.Thread.String(), Name: r.From.Who(r.Thread), State: string(r.State), Why: r.Why,
		ID: r.Finding.Check.ID, Summary: r.Finding.Summary, Evidence: b.evidence(r.Places), NextCommands: r.Next,
	}
	for _, n := range r.Blocked {
		out.Blocked = append(out.Blocked, known(n))
	}
	return out
}

func (b *comparer) lock(c *compare.Comparison, l *compare.Lock) ComparedLock {
	out := ComparedLock{
		Address: l.Addr.String(), Symbol: l.Symbol, State: string(l.State), Why: l.Why, waited: l.Waited,
		WaitersSame: len(l.Same), WaitersNew: len(l.New), WaitersGone: len(l.Gone),
		NewWaiters: hexes(l.New[:min(len(l.New), mostMoved)]), GoneWaiters: hexes(l.Gone[:min(len(l.Gone), mostMoved)]),
		Contentions: known(l.Rise),
	}
	if n, ok := l.PerSecond(); ok {
		out.PerSecond = &n
	}
	for i, r := range l.Seen {
		k := LockCapture{Capture: i + 1, Shown: r != nil, Waiting: known(l.Waiting[i])}
		if r != nil {
			k.Mode, k.At = r.Mode.String(), b.at(c.Captures[i], r.At)
			k.Contention = contentionOf(r)
			for j := range r.Resolved {
				k.Owners = append(k.Owners, r.Resolved[j].Raw.String())
			}
		}
		out.Captures = append(out.Captures, k)
	}
	return out
}

func contentionOf(r *snapshot.Resource) *int {
	return ifKnown(r.Contended())
}

func (b *comparer) threads(c *compare.Comparison) List[ComparedThread] {
	return List[ComparedThread]{func(yield func(ComparedThread) bool) {
		for t := range c.Threads() {
			first, last := c.Captures[0], c.Captures[len(c.Captures)-1]
			out := ComparedThread{Address: t.Addr.String(), Motion: string(t.Motion), Why: t.Why, First: b.facts(first, t.First), Last: b.facts(last, t.Last)}
			if !yield(out) {
				return
			}
		}
	}}
}

func (b *comparer) facts(k *compare.Capture, f *compare.Facts) *ThreadFacts {
	if f == nil {
		return nil
	}
	return &ThreadFacts{
		CID: f.CID, Image: f.Image, State: f.State, WaitReason: f.Reason, ContextSwitches: known(f.Switches),
		WaitStartTick: known(f.WaitStart), WaitTicks: known(f.Ticks), WaitMS: known(f.WaitMS), At: b.of(k).at(f.At, 0),
	}
}

// ComparisonWriter prints a comparison in one output format.
type ComparisonWriter func(w io.Writer, c *Comparison, s Style) error

// ComparisonWriterFor returns the writer of an output format, nil if
// comparisons have none.
func ComparisonWriterFor(format string) ComparisonWriter {
	switch format {
	case "json":
		return WriteComparisonJSON
	case "markdown":
		return WriteComparisonMarkdown
	case "table":
		return WriteComparison
	}
	return nil
}

// ComparisonFormats returns the names of the output formats of a comparison,
// sorted.
func ComparisonFormats() []string { return TableFormats() }
