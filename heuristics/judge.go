package heuristics

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

// Verdict is the judgement on one snapshot in one sentence.
type Verdict struct {
	Kind       Kind
	Confidence Confidence
	Summary    string
}

// Judgement is all that is said of one snapshot.
type Judgement struct {
	Snap     *snapshot.Snapshot
	Verdict  Verdict
	Findings []Finding // the weightiest first
	Notes    []kd.Note
	Gaps     []kd.Gap
	// Undecided is set when a fact is missing that a verdict hangs on.
	Undecided bool
	// SelfChecks are what the input was asked about itself.
	SelfChecks []SelfCheck
	// NotSeen says what kinds of evidence the snapshot does not hold.
	NotSeen []string
}

// mostFindings bounds the findings of one detector; what is left out is noted.
const mostFindings = 200

// lookAgain is the command that goes on from a finding about which nothing is
// missing: the whole of its first thread, else of its lock.
func (d *diagnosis) lookAgain(f *Finding) []string {
	switch {
	case len(f.Threads) > 0:
		return []string{"!thread " + d.addr(f.Threads[0]) + " 1f"}
	case len(f.Resources) > 0:
		return []string{"!locks -v " + d.addr(f.Resources[0])}
	}
	return nil
}

// inUserMode turns !thread into what a user-mode debugger has for it, where the
// thread was printed by one (Microsoft Learn: Thread Syntax).
func (d *diagnosis) inUserMode(command string) string {
	addr, ok := strings.CutPrefix(command, "!thread ")
	if !ok {
		return command
	}
	addr, _, _ = strings.Cut(addr, " ")
	a, ok := kd.ParseAddr(addr)
	if t := d.snap.Thread(a); ok && t != nil && t.User && t.CID.Known {
		return fmt.Sprintf("~~[%x] kv", t.CID.Thread)
	}
	return command
}

// mostListed bounds the bystanders that a finding names; Blocked counts all.
const mostListed = 1000

// Judge runs all detectors over a snapshot.
func Judge(s *snapshot.Snapshot) Judgement {
	d := diagnose(s)
	j := Judgement{Snap: s}
	j.Findings = d.detect()
	d.seenStopCode(j.Findings)
	slices.SortStableFunc(j.Findings, weigh)
	d.tellRoles(j.Findings)
	d.groupStacks(j.Findings)
	nothing := len(j.Findings) == 0 || rank(j.Findings[0].Kind) >= rank(NoDeadlock)
	if !s.HasLocks && !d.decides() && nothing {
		d.gap(kd.Gap{What: "who owns and waits for resources", Why: kd.NotInInput, Next: d.askLocks(), Decides: true})
	}
	if n, held := s.HeldUnlisted(); n > 0 {
		d.gap(kd.Gap{What: fmt.Sprintf("who owns and waits for %d of %s", n, kd.Plural(held, "held lock")), Why: kd.NotInInput, Next: "!locks", Decides: nothing})
	}
	switch n := s.Unread(); {
	case !n.Known() || s.Held.Unread:
	case n.N == 1:
		d.gap(kd.Gap{What: "who owns and waits for the one lock that is counted", Why: kd.NotInInput, Next: "!locks", Decides: nothing})
	default:
		d.gap(kd.Gap{What: "the list of held locks", Why: kd.NotInInput, Next: "!locks", Decides: nothing})
	}
	if s.Held.Unread {
		d.gap(kd.Gap{What: "how many locks are held", Why: kd.Unreadable, Next: "!locks", Decides: nothing})
	}
	for i := range j.Findings {
		f := &j.Findings[i]
		if f.Suspect != nil {
			for _, e := range f.Suspect.frames {
				f.seen(e.At, e.Addr, e.Why)
			}
		}
		if len(f.Next) == 0 {
			f.Next = d.lookAgain(f)
		}
		for k, c := range f.Next {
			f.Next[k] = d.inUserMode(c)
		}
		slices.SortStableFunc(f.Evidence, byPlace)
		f.Bystanders, f.Others = f.Bystanders[:min(len(f.Bystanders), mostListed)], f.Others[:min(len(f.Others), mostListed)]
	}
	d.collected()
	j.Notes = append(slices.Clone(s.Notes), d.notes...)
	j.SelfChecks = d.selfChecks(j.Findings)
	j.Gaps = d.gaps
	j.shortNames()
	j.Undecided = d.decides()
	j.NotSeen = notSeen(s)
	j.Verdict = d.verdict(j)
	j.Verdict.Summary = kd.ShortNames(j.Verdict.Summary)
	return j
}

// shortNames shortens the names in sentences: evidence quotes them whole.
func (j *Judgement) shortNames() {
	for i := range j.Findings {
		f := &j.Findings[i]
		f.Summary, f.Explanation = kd.ShortNames(f.Summary), kd.ShortNames(f.Explanation)
		if f.Suspect != nil {
			f.Suspect.Reason = kd.ShortNames(f.Suspect.Reason)
		}
		for k := range f.Evidence {
			f.Evidence[k].Why = kd.ShortNames(f.Evidence[k].Why)
		}
	}
	for i := range j.Gaps {
		j.Gaps[i].What = kd.ShortNames(j.Gaps[i].What)
	}
}

// detect runs the detectors.
func (d *diagnosis) detect() []Finding {
	var out []Finding
	for _, c := range checks {
		found := c.find(d)
		if most := d.kept(found); len(found) > most {
			d.notes = append(d.notes, kd.Note{Text: fmt.Sprintf("%s: more than %d findings, the first %d are kept", c.ID, most, most)})
			found = found[:most]
		}
		out = append(out, found...)
	}
	for i := range out {
		switch f := &out[i]; f.Kind {
		case Deadlock:
			f.Explanation += d.notWaiting(f.Threads)
		case BlockedChain:
			d.ageOfRoot(f)
		}
		out[i].Explanation += d.tellAnyOf(&out[i])
	}
	d.lowerRoles(out)
	d.tellLive(out)
	return out
}

// ageOfRoot finds out for how long the root of a chain has waited, and whether
// anything holds it up at all. How long it was idle tells nothing.
func (d *diagnosis) ageOfRoot(f *Finding) {
	f.age = -1
	if len(f.Threads) == 0 {
		return
	}
	t := d.snap.Thread(f.Threads[0])
	if t == nil {
		return
	}
	switch t.State {
	case threads.Waiting:
		if !waitsForResource(t) && !isIdleWorker(t) && !idlesInLoop(t) {
			f.age = t.WaitMS
		}
	case threads.Running, threads.Ready, threads.Standby, threads.DeferredReady:
		if f.turn == inTurn && f.Severity != High {
			f.turn = lastOfAll
		}
	}
}

// tellLive weakens deadlocks over several locks or the answers of several
// commands where the machine ran meanwhile.
func (d *diagnosis) tellLive(fs []Finding) {
	at := d.snap.Target.LiveAt
	if !at.Known() {
		return
	}
	told := false
	for i := range fs {
		f := &fs[i]
		if f.Kind != Deadlock {
			continue
		}
		if d.ofMoments(f) {
			f.Grade = max(f.Grade, waitgraph.B)
			if f.Confidence == Certain {
				f.Confidence, f.Summary = VeryLikely, f.Worded(VeryLikely)
			}
		}
		if !told {
			d.notes = append(d.notes, kd.Note{At: at, Text: snapshot.LiveText})
		}
		told = true
	}
}

// notWaiting tells of threads of a deadlock that are not printed as waiting.
func (d *diagnosis) notWaiting(ts []kd.Addr) string {
	const few = 64
	for _, a := range ts[:min(len(ts), few)] {
		if b := d.snap.Brief(a); b != nil && b.State == threads.Waiting {
			continue
		}
		if t := d.snap.Thread(a); t != nil && t.State != threads.Waiting && t.State != threads.StateUnknown {
			return fmt.Sprintf(" %s is printed as %s: a wait for an ERESOURCE is begun anew every few seconds, and its stack shows it at that moment. That makes it less than certain.", capital(d.thread(a)), t.State)
		}
	}
	return ""
}

// ofMoments reports whether a finding puts together what was read at several
// moments: on a live machine one !locks reads its locks one after the other.
func (d *diagnosis) ofMoments(f *Finding) bool {
	return d.snap.Target.LiveAt.Known() && (len(f.Resources) > 1 || d.rounds(f.Resources) > 1)
}

// rounds counts the answers of !locks that some resources were printed in.
func (d *diagnosis) rounds(rs []kd.Addr) int {
	seen := make(map[int]bool)
	for _, a := range rs {
		if r := d.snap.Resource(a); r != nil {
			seen[r.Round] = true
		}
	}
	return len(seen)
}

func byPlace(a, b Evidence) int {
	switch {
	case a.At.Before(b.At):
		return -1
	case b.At.Before(a.At):
		return 1
	}
	return 0
}

// rank is the order of verdicts, weightiest first.
func rank(k Kind) int {
	return slices.Index([]Kind{Deadlock, Stall, OrphanedLock, SuspectedDeadlock, Undecided, BlockedChain, Contention, NoDeadlock, Context}, k)
}

// weigh orders findings: by what they say of the system, then a thread that
// waits for itself before cycles, then deadlocks by evidence, then chains by
// what holds up their root, then by how many threads they block for how long,
// then the specific before the general.
func weigh(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(rank(a.Kind), rank(b.Kind)),
		cmp.Compare(family(a), family(b)),
		cmp.Compare(proof(a), proof(b)),
		cmp.Compare(place(a), place(b)),
		cmp.Compare(weight(b), weight(a)),
		cmp.Compare(b.Blocked, a.Blocked),
		cmp.Compare(specific(a), specific(b)),
	)
}

// place orders chains by their turn.
func place(f Finding) int {
	switch {
	case f.Kind != BlockedChain:
		return 0
	case f.turn == firstOfAll:
		return -1
	case f.turn == lastOfAll:
		return 1
	}
	return 0
}

// weight is how many threads a finding blocks, of a chain times the seconds that
// its root has waited: an unknown age counts as a minute, and beyond an hour it
// tells no more.
func weight(f Finding) int {
	if f.Kind != BlockedChain {
		return f.Blocked
	}
	age := f.age
	if age < 0 {
		age = 60_000
	}
	return f.Blocked * int(min(max(age/1000, 1), 3600))
}

// proof orders deadlocks by their evidence; A and B both prove a cycle.
func proof(f Finding) waitgraph.Grade {
	if f.Kind != Deadlock {
		return waitgraph.B
	}
	return max(f.Grade, waitgraph.B)
}

func family(f Finding) int {
	switch f.Check {
	case deadlockCycle:
		return 1
	case workerExhaustion:
		return -1
	}
	return 0
}

// specific puts the chain behind the finding that understands its root, and what
// names the slowest of many roots before them.
func specific(f Finding) int {
	switch {
	case f.Check == blockedChain:
		return 2
	case f.Check == ownerRunning, f.Check == stoppedByWatchdog:
		return 1
	case f.Check == writerStarvation && len(f.Threads) > 0:
		return -1
	}
	return 0
}

func (d *diagnosis) verdict(j Judgement) Verdict {
	if len(j.Findings) > 0 {
		f := j.Findings[0]
		switch {
		case rank(f.Kind) < rank(Undecided):
			return Verdict{f.Kind, f.Confidence, f.Summary + more(j) + d.elsewhere(f) + behindStall(j)}
		case f.Kind == Undecided:
			return Verdict{Undecided, Certain, f.Summary + d.elsewhere(f)}
		case !j.Undecided && rank(f.Kind) < rank(NoDeadlock):
			return Verdict{f.Kind, f.Confidence, f.Summary + d.elsewhere(f)}
		}
	}
	if j.Undecided {
		return d.undecided(j)
	}
	text := d.noDeadlock()
	if len(j.Findings) > 0 && j.Findings[0].Kind == NoDeadlock {
		text += " " + j.Findings[0].Summary
	}
	return Verdict{NoDeadlock, Likely, text}
}

// behindStall adds to the verdict on a processor that stalled what the locks
// show.
func behindStall(j Judgement) string {
	if j.Findings[0].Check != stoppedByWatchdog {
		return ""
	}
	for _, f := range j.Findings[1:] {
		if f.Kind == BlockedChain {
			return " Of the locks: " + f.Summary
		}
	}
	return ""
}

// more counts further findings of the verdict's kind.
func more(j Judgement) string {
	n := 0
	for _, f := range j.Findings[1:] {
		if f.Kind == j.Findings[0].Kind {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s of this kind: see the findings.)", kd.Plural(n, "more finding"))
}

func (d *diagnosis) undecided(j Judgement) Verdict {
	visible := ""
	switch n := len(j.Snap.VerifierDeadlocks); {
	case len(j.Findings) > 0:
		visible = " What it shows: " + j.Findings[0].Summary
	case n > 0:
		visible = fmt.Sprintf(" What it shows: Driver Verifier printed %s of locks that can deadlock (!deadlock); that they did is not said.", kd.Plural(n, "order"))
	}
	for _, g := range j.Gaps {
		if g.Decides && len(j.Findings) > 0 && speaksOfNoLock[j.Findings[0].Check] {
			return Verdict{Undecided, Certain, fmt.Sprintf("%s Whether locks are to blame is undecided: %s is missing (%s); run %s.", j.Findings[0].Summary, g.What, g.Why, g.Next)}
		}
		if g.Decides {
			return Verdict{Undecided, Certain, fmt.Sprintf("Undecided: %s is missing (%s); run %s.", g.What, g.Why, g.Next) + visible}
		}
	}
	return Verdict{Undecided, Certain, "Undecided." + visible}
}

// speaksOfNoLock are checks that tell why a machine stopped or stands, whatever
// its locks: where they speak first, the verdict begins with it.
var speaksOfNoLock = map[*Check]bool{namedByStopCode: true, stoppedByWatchdog: true, stopByFault: true, ownerSpins: true}

// askLocks is the command that lists who owns and waits for what: for the one
// resource that the stop code names, where it names one.
func (d *diagnosis) askLocks() string {
	if s := d.stopCode(); s != nil {
		for _, a := range s.args {
			if v, _, ok := d.snap.Target.Bugcheck.Arg(a.index); ok && v != 0 && a.is == aResource {
				return "!locks -v " + d.addr(v)
			}
		}
	}
	return "!locks"
}

func (d *diagnosis) noDeadlock() string {
	s := d.snap
	waited, untrusted := 0, 0
	for _, r := range s.Resources {
		if r.HeadUntrusted {
			untrusted++
		}
		if r.Waiting() > 0 {
			waited++
		}
	}
	text := fmt.Sprintf("No deadlock among the %s listed", kd.Plural(len(s.Resources), "resource"))
	if s.Total.Known() {
		text += fmt.Sprintf(" (of %d)", s.Total.N)
	}
	if untrusted > 0 {
		return text + fmt.Sprintf("; the state of %d of them is not trustworthy.", untrusted)
	}
	if waited == 0 {
		return text + ": nobody waits for any of them."
	}
	return text + "."
}

// decides reports whether a fact is missing already that a verdict hangs on.
func (d *diagnosis) decides() bool {
	return slices.ContainsFunc(d.gaps, func(g kd.Gap) bool { return g.Decides })
}

// notSeen lists what could hide a hang and is not in the snapshot.
func notSeen(s *snapshot.Snapshot) []string {
	out := []string{"pushlocks, fast mutexes and spinlocks, which !locks does not list"}
	if !s.HasLocks {
		out = append([]string{"resources: no !locks output was given"}, out...)
	}
	if s.ThreadCount() == 0 {
		out = append(out, "threads and stacks: no !thread output was given")
	}
	noStack, notResident := 0, 0
	for _, t := range s.Threads {
		if len(t.Stack.Frames) == 0 {
			noStack++
		}
		if t.NotResident {
			notResident++
		}
	}
	for _, b := range s.Skimmed() {
		if b.Has(threads.NoStack) {
			noStack++
		}
		if b.Has(threads.NotResident) {
			notResident++
		}
	}
	if noStack > 0 {
		out = append(out, "the stacks of "+kd.Plural(noStack, "thread"))
	}
	if notResident > 0 {
		out = append(out, kd.Plural(notResident, "stack")+" not resident in memory")
	}
	return out
}

// Worst returns the judgement whose verdict weighs most, the first of equals;
// nil if there is none.
func Worst(js []Judgement) *Judgement {
	var worst *Judgement
	for i := range js {
		if worst == nil || rank(js[i].Verdict.Kind) < rank(worst.Verdict.Kind) {
			worst = &js[i]
		}
	}
	return worst
}
