package report

import (
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"

	"kdlocks/heuristics"
	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/rules"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// Source is one input as the report quotes it.
type Source struct {
	Name     string
	Bytes    int64
	Encoding string
	Lines    int
	Line     func(int32) string // decoded, counted from 1, without its end
	Plain    func(int32) bool   // the line is all ASCII
	Sections []kd.Section
	// Memory, when not nil, tells for a line of what was read out of a dump where in the
	// memory of the machine its fact is, and where in the file; 0 where that is not known.
	Memory func(line int32) (va uint64, offset int64)
	// Dump describes the dump, nil for a text.
	Dump     *Dump
	Coverage []kd.Coverage // of each section
	Outside  kd.Coverage   // of the lines outside of all
	// NotUnderstood walks the numbers of the lines from first to last that no
	// reader knew.
	NotUnderstood func(first, last int32) iter.Seq[int32]
	Notes         []kd.Note // what had to be repaired in it
}

// Answers are what the rules of a set say of each judgement and of each session
// that is not judged. Without a set none were asked.
type Answers struct {
	Set           *rules.Set
	Judged, Aside [][]rules.Result
}

// Build makes the report of the judgements on the sessions of some sources, of
// those that tell of modules and memory only, and of what rules say.
func Build(sources []Source, judged []heuristics.Judgement, aside []*snapshot.Snapshot, told Answers) *Report {
	b := builder{sources: sources}
	if len(judged) == 1 {
		b.typed = typed(sources)
	}
	r := &Report{Schema: Schema, Findings: []Finding{}, SelfCheck: []SelfCheck{}, Notes: []Note{}, Gaps: []Gap{}}
	for _, s := range sources {
		r.Inputs = append(r.Inputs, input(s))
	}
	for _, s := range sources {
		b.notes(r, s.Notes)
	}
	r.Resources, r.Threads, r.Waits = resourcesOf(sources, judged), threadsOf(sources, judged), waitsOf(sources, judged)
	r.IRPs = irpsOf(sources, judged)
	r.lookup = lookup(sources, judged)
	r.resolve = func(addrs []kd.Addr) []Answer {
		snaps := make([]*snapshot.Snapshot, len(judged))
		for i := range judged {
			snaps[i] = judged[i].Snap
		}
		return Resolve(sources, snaps, addrs)
	}
	if set := told.Set; set != nil {
		r.Rules = &Rules{Asked: len(set.Rules), CouldNotCheck: []RuleMatch{}, Excluded: []RuleMatch{}, Notes: set.Notes}
		r.asked = set.Rules
	}
	var issues []Finding
	for i := range judged {
		r.threadCount += judged[i].Snap.ThreadCount()
		r.ofProgram = judged[i].Snap.UserMode() && (i == 0 || r.ofProgram)
		r.kernel = r.kernel || judged[i].Snap.Target.KernelPrompt()
		if len(judged) > 1 {
			b.session = i + 1
			r.Sessions = append(r.Sessions, Session{Session: i + 1, Target: *target(judged[i].Snap), Verdict: verdict(judged[i].Verdict)})
		}
		b.add(r, &judged[i])
		if told.Set != nil {
			issues = append(issues, b.rules(r, told.Judged[i])...)
		}
	}
	b.session = 0
	for i, snap := range aside {
		b.memory(r, snap)
		b.notes(r, snap.Notes)
		if told.Set != nil {
			issues = append(issues, b.rules(r, told.Aside[i])...)
		}
	}
	r.detected = len(r.Findings)
	r.Findings = append(r.Findings, issues...)
	if told.Set != nil {
		r.Rules.count(b.unheard)
	}
	b.sessionCheck(r, judged)
	if b.cut {
		r.Notes = append(r.Notes, Note{Text: fmt.Sprintf("evidence is left out after %d MiB of quoted lines", mostQuoted>>20)})
	}
	worst := heuristics.Worst(judged)
	if worst == nil {
		return r
	}
	r.Verdict = verdict(worst.Verdict)
	r.Target, r.NotSeen = target(worst.Snap), worst.NotSeen
	if len(judged) > 1 {
		at := 1
		for i := range judged {
			if &judged[i] == worst {
				at = i + 1
			}
		}
		r.Verdict.Summary = fmt.Sprintf("In session %d of %d: %s", at, len(judged), r.Verdict.Summary)
		if worst.Snap.Target.Moment > 0 && at < len(judged) && worst.Verdict.Kind != heuristics.NoDeadlock {
			r.Verdict.Summary += " The input shows another list behind it: kdlocks compare tells whether it still holds."
		}
	}
	return r
}

type builder struct {
	sources []Source
	session int
	last    mark
	quoted  int // bytes of input quoted as evidence so far
	cut     bool
	// typed are the commands that need not be typed again.
	typed map[string]bool
	// unheard are the rules that nothing in the input is about, and the command
	// whose output each asks for.
	unheard map[string]string
}

// mostQuoted bounds the bytes of input that a report quotes: a line may be
// very long and hold very many facts.
const mostQuoted = 8 << 20

func (b *builder) add(r *Report, j *heuristics.Judgement) {
	readHops(j)
	for _, list := range [][]*threads.Thread{j.Snap.Threads, j.Snap.Named} {
		for _, t := range list {
			if t.Addr != 0 {
				r.people = append(r.people, person{b.session, hex(t.Addr), t.Process.Image, t.CID.String(), t.State.String(), t.WaitReason})
			}
		}
	}
	b.processors(r, j.Snap)
	b.lockLists(r, j.Snap)
	b.objectLists(r, j.Snap)
	b.moduleLists(r, j.Snap)
	b.memory(r, j.Snap)
	before := len(r.Findings)
	for i := range j.Findings {
		r.Findings = append(r.Findings, b.finding(j.Snap, &j.Findings[i]))
	}
	for i := range j.SelfChecks {
		r.SelfCheck = append(r.SelfCheck, b.selfCheck(&j.SelfChecks[i], j.Findings, before))
	}
	b.notes(r, j.Notes)
	for _, g := range j.Gaps {
		r.Gaps = append(r.Gaps, Gap{What: g.What, Session: b.session, Why: string(g.Why), NextCommand: g.Next, Decides: g.Decides})
	}
	r.Undecided = r.Undecided || j.Undecided
}

// readHops reads the threads whole that the text forms and the pictures name.
func readHops(j *heuristics.Judgement) {
	for i := range j.Findings[:min(len(j.Findings), mostFindings)] {
		for _, hops := range [][]heuristics.Step{j.Findings[i].Cycle, j.Findings[i].Chain} {
			for n, s := range hops {
				if n < mostSteps || n >= len(hops)-tailHops {
					_, _ = j.Snap.Thread(s.Thread), j.Snap.Thread(s.HeldBy)
				}
			}
		}
	}
}

func (b *builder) notes(r *Report, notes []kd.Note) {
	for _, n := range notes {
		r.Notes = append(r.Notes, b.note(n))
	}
}

func (b *builder) note(n kd.Note) Note {
	note := Note{Text: kd.ShortNames(n.Text), Session: b.session}
	if n.At.Known() {
		at := b.at(n.At, 0)
		note.At = &at
	}
	return note
}

func input(s Source) Input {
	in := Input{Name: s.Name, Dump: s.Dump, Bytes: s.Bytes, Encoding: s.Encoding, Lines: s.Lines, Outside: Coverage(s.Outside), Sections: make([]Section, len(s.Sections))}
	in.LinesUnderstood = in.Outside.understood()
	for i, sec := range s.Sections {
		in.Sections[i] = Section{Command: sec.Command, Line: int(sec.Line), EndLine: int(sec.EndLine), Coverage: Coverage(s.Coverage[i])}
		in.LinesUnderstood += in.Sections[i].understood()
	}
	in.unclear = func(first, last int) List[Line] { return Lines(s.Line, s.NotUnderstood(int32(first), int32(last))) }
	in.NotUnderstood = in.unclear(1, s.Lines)
	in.line = func(n int) string { return s.Line(int32(n)) }
	return in
}

func verdict(v heuristics.Verdict) Verdict {
	return Verdict{Kind: string(v.Kind), Confidence: string(v.Confidence), Summary: v.Summary}
}

func target(s *snapshot.Snapshot) *Target {
	t := &Target{Arch: s.Target.Arch.String(), Build: s.Target.Build, Version: s.Target.Version, Uptime: s.Target.Uptime, machine: strings.Trim(s.Target.Machine, `"`)}
	t.Processors, t.BuiltBy, t.KernelBase, t.SessionTime = s.Target.Processors, s.Target.BuiltBy, hex(s.Target.KernelBase), s.Target.SessionTime
	t.Process, t.FailureBucket = s.Target.Process, s.Target.FailureBucket
	if bc := s.Target.Bugcheck; bc != nil {
		t.Bugcheck = &Bugcheck{Code: fmt.Sprintf("0x%x", bc.Code), Name: bc.Name}
		for _, a := range bc.Args {
			t.Bugcheck.Args = append(t.Bugcheck.Args, a.String())
		}
	}
	return t
}

// at turns a Ref into a place as people count: the column in characters.
func (b *builder) at(r kd.Ref, endLine int32) At {
	col, _ := b.chars(r)
	if r.More > 0 {
		endLine = max(endLine, r.EndLine())
	}
	a := At{Input: b.sources[r.Input].Name, Line: int(r.Line), EndLine: int(endLine), Column: col}
	a.InDump = b.inDump(r)
	return a
}

// inDump returns where in a dump a fact is.
func (b *builder) inDump(r kd.Ref) (d InDump) {
	if memory := b.sources[r.Input].Memory; memory != nil {
		if va, off := memory(r.Line); va != 0 {
			d = InDump{Memory: hex(kd.Addr(va)), Offset: off}
		}
	}
	return d
}

// chars returns column and length of a Ref in characters.
func (b *builder) chars(r kd.Ref) (col, length int) {
	if r.More == 0 && b.sources[r.Input].Plain(r.Line) {
		return max(int(r.Col), 1), int(r.Len)
	}
	text := b.line(r)
	start := min(max(int(r.Col)-1, 0), len(text))
	end := min(start+int(r.Len), len(text))
	return b.before(r, text, start) + 1, utf8.RuneCountInString(text[start:end])
}

// before counts the characters before a byte of a line. It goes on from the
// last place asked for in the same line, so that a line with very many facts
// is walked once.
func (b *builder) before(r kd.Ref, text string, to int) int {
	m := &b.last
	if m.input != r.Input || m.line != r.Line || m.to > to || m.to > len(text) {
		*m = mark{input: r.Input, line: r.Line}
	}
	m.chars += utf8.RuneCountInString(text[m.to:to])
	m.to = to
	return m.chars
}

// mark is a place in a line whose characters were counted.
type mark struct {
	input, line int32
	to, chars   int
}

// line returns the lines of a place as they stand in the input.
func (b *builder) line(r kd.Ref) string {
	s := &b.sources[r.Input]
	text := s.Line(r.Line)
	for n := r.Line + 1; n <= min(r.EndLine(), int32(s.Lines)); n++ {
		text += "\n" + s.Line(n)
	}
	return text
}

// eachSession calls f for the sessions in their order until it reports false.
func eachSession(sources []Source, judged []heuristics.Judgement, f func(*builder, *snapshot.Snapshot) bool) {
	for i := range judged {
		b := &builder{sources: sources}
		if len(judged) > 1 {
			b.session = i + 1
		}
		if !f(b, judged[i].Snap) {
			return
		}
	}
}

func resourcesOf(sources []Source, judged []heuristics.Judgement) List[Resource] {
	return List[Resource]{func(yield func(Resource) bool) {
		eachSession(sources, judged, func(b *builder, s *snapshot.Snapshot) bool {
			for _, r := range s.Resources {
				if !yield(b.resource(s, r)) {
					return false
				}
			}
			return true
		})
	}}
}

func threadsOf(sources []Source, judged []heuristics.Judgement) List[Thread] {
	return List[Thread]{func(yield func(Thread) bool) {
		eachSession(sources, judged, func(b *builder, s *snapshot.Snapshot) bool {
			for t := range s.AllThreads() {
				if !yield(b.thread(t)) {
					return false
				}
			}
			return true
		})
	}}
}

// lookup finds threads by session, counted from 1 and 0 for the only one, and
// address.
func lookup(sources []Source, judged []heuristics.Judgement) func(int, string) *Thread {
	return func(session int, address string) *Thread {
		a, ok := kd.ParseAddr(address)
		if i := max(session-1, 0); ok && i < len(judged) {
			if t := judged[i].Snap.Thread(a); t != nil {
				b := &builder{sources: sources, session: session}
				return ptr(b.thread(t))
			}
		}
		return nil
	}
}

func ptr[T any](v T) *T { return &v }

func tri(t threads.Tri) *bool {
	if t == threads.Unknown {
		return nil
	}
	return ptr(t == threads.Yes)
}

// known returns nil for the -1 that stands for an unknown number.
func known[T int | int64](v T) *T {
	if v < 0 {
		return nil
	}
	return &v
}

// hex returns "" for an unknown address.
func hex(a kd.Addr) string {
	if a == 0 {
		return ""
	}
	return a.String()
}

// ifKnown returns nil for a count that is unknown.
func ifKnown(n int, ok bool) *int {
	if !ok {
		return nil
	}
	return &n
}

func hexes(as []kd.Addr) []string {
	out := make([]string, len(as))
	for i, a := range as {
		out[i] = a.String()
	}
	return out
}

func (b *builder) resource(s *snapshot.Snapshot, r *snapshot.Resource) Resource {
	out := Resource{
		Address: r.Addr.String(), Session: b.session, Symbol: r.Symbol, Mode: r.Mode.String(), PrintedBy: r.Extension,
		Contention:           ifKnown(r.Contended()),
		SharedWaiterCount:    ifKnown(r.SharedWaiting()),
		ExclusiveWaiterCount: ifKnown(r.ExclusiveWaiting()),
		Owners:               []Owner{}, SharedWaiters: b.waiters(r.SharedWaiters), ExclusiveWaiters: b.waiters(r.ExclusiveWaiters),
		At: b.at(r.At, r.EndLine),
	}
	if r.SharedOwners.Known() {
		out.OwningThreads = ptr(r.SharedOwners.N)
	}
	switch r.Reading {
	case locks.Doubtful:
		out.Reading = "doubtful"
	case locks.Hearsay:
		out.Reading = "hearsay"
	case locks.Irreconcilable:
		out.Reading = "irreconcilable"
	}
	for i := range r.Resolved {
		out.Owners = append(out.Owners, b.owner(s, &r.Resolved[i]))
		if r.Extension != "" {
			out.Owners[i].Count = nil
		}
	}
	return out
}

func (b *builder) waiters(ws []locks.Waiter) []Waiter {
	out := make([]Waiter, len(ws))
	for i, w := range ws {
		out[i] = Waiter{Thread: w.Thread.String(), At: b.at(w.At, 0)}
	}
	return out
}

func (b *builder) owner(s *snapshot.Snapshot, o *snapshot.Owner) Owner {
	out := Owner{
		Raw: o.Raw.String(), Count: ptr(o.Count), Remark: o.Remark, How: string(o.How),
		Thread: hex(o.Thread), Live: tri(o.Live), Why: o.Why, At: b.at(o.At, 0),
	}
	if o.Slot.Frame < 0 {
		return out
	}
	t := s.Thread(o.Thread)
	if t == nil {
		return out
	}
	out.Frame = ptr(o.Slot.Frame)
	if o.Slot.Setter >= 0 {
		f := t.Stack.Frames[o.Slot.Setter]
		out.SetBy = &SetBy{Module: f.Module, Function: f.Function, Slot: "local"}
		if o.Slot.Param > 0 {
			out.SetBy.Slot = fmt.Sprintf("parameter %d", o.Slot.Param)
			if !t.Stack.X86 {
				out.SetBy.Slot += " (home space)"
			}
		}
	}
	return out
}

func (b *builder) finding(s *snapshot.Snapshot, f *heuristics.Finding) Finding {
	out := Finding{
		ID: f.Check.ID, Session: b.session, Title: f.Check.Title, Severity: string(f.Severity), Confidence: string(f.Confidence),
		Grade: f.Grade.String(), Kind: string(f.Kind), Summary: f.Summary,
		Threads: hexes(f.Threads), Resources: hexes(f.Resources),
		Cycle: steps(s, f.Cycle), Chain: steps(s, f.Chain),
		Others: hexes(f.Others), Bystanders: hexes(f.Bystanders), BlockedThreads: f.Blocked,
		Explanation: f.Explanation, Disproof: f.Disproof, Remedy: f.Remedy, References: f.Check.References,
		Evidence: []Evidence{}, NextCommands: []string{},
	}
	if f.Suspect != nil {
		out.Suspect = &Suspect{Module: f.Suspect.Module, Reason: f.Suspect.Reason}
	}
	for _, e := range f.Evidence {
		quoted, ok := b.quote(e.At, e.Addr, e.Why)
		if !ok {
			break
		}
		out.Evidence = append(out.Evidence, quoted)
	}
	out.NextCommands = append(out.NextCommands, untyped(f.Next, b.typed)...)
	for _, g := range f.Groups {
		out.StackGroups = append(out.StackGroups, StackGroup{Count: g.Count, Threads: hexes(g.Threads), Frames: g.Frames})
	}
	out.StacksGrouped, out.StacksMissing = f.Grouped, f.NoStack
	return out
}

// quote makes evidence of a place, and reports false when the report has quoted
// its most.
func (b *builder) quote(at kd.Ref, a kd.Addr, why string) (Evidence, bool) {
	if b.quoted += len(b.line(at)); b.quoted > mostQuoted {
		b.cut = true
		return Evidence{}, false
	}
	col, length := b.chars(at)
	endLine := 0
	if at.More > 0 {
		endLine = int(at.EndLine())
	}
	return Evidence{
		Input: b.sources[at.Input].Name, Line: int(at.Line), EndLine: endLine, Column: col, Length: length,
		Text: b.line(at), Address: hex(a), Why: why, InDump: b.inDump(at),
	}, true
}

func steps(s *snapshot.Snapshot, in []heuristics.Step) []Step {
	var out []Step
	for _, hop := range in {
		step := Step{Thread: hex(hop.Thread), WaitsFor: hex(hop.WaitsFor), Kind: string(hop.What), HeldBy: hex(hop.HeldBy), Queued: hop.Queued, Guess: hop.Guess, Grade: hop.Grade.String()}
		if r := s.Resource(hop.WaitsFor); r != nil {
			step.Symbol = r.Symbol
		}
		out = append(out, step)
	}
	return out
}
