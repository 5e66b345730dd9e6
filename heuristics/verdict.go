package heuristics

import (
	"fmt"
	"slices"

	"kdlocks/kd"
	"kdlocks/memory"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// Verdict is the judgement on one snapshot in one sentence.
type Verdict struct {
	Kind       Kind
	Confidence Confidence
	Summary    string
}

func (d *diagnosis) verdict(j Judgement) Verdict {
	if len(j.Findings) > 0 {
		f := j.Findings[0]
		switch {
		case rank(f.Kind) < rank(Undecided):
			return Verdict{f.Kind, f.Confidence, f.Summary + more(j) + d.elsewhere(f) + behindStall(j) + besidesMemory(j)}
		case f.Kind == Undecided:
			return Verdict{Undecided, Certain, f.Summary + d.elsewhere(f)}
		case !j.Undecided && f.Kind == MemoryLeak:
			return Verdict{f.Kind, f.Confidence, f.Summary + more(j)}
		case !j.Undecided && rank(f.Kind) < rank(NoDeadlock):
			return Verdict{f.Kind, f.Confidence, f.Summary + d.elsewhere(f)}
		}
	}
	if j.Undecided {
		return d.undecided(j)
	}
	text := d.noDeadlock()
	if m := d.memoryIsThere(); m != "" {
		text += " Memory is not short: " + m + "."
	}
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

// besidesMemory adds to the verdict on locks that memory is used up, too.
func besidesMemory(j Judgement) string {
	for _, f := range j.Findings[1:] {
		if f.Kind == MemoryExhausted && j.Findings[0].Kind != MemoryExhausted {
			return " Besides: " + f.Summary
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
	visible, memory := "", d.memoryIsThere()
	switch n := len(j.Snap.VerifierDeadlocks); {
	case len(j.Findings) > 0:
		visible = " What it shows: " + j.Findings[0].Summary
	case d.stop != nil:
		visible = " What it shows: the machine stopped with " + d.stop.String() + "."
	case n > 0:
		visible = fmt.Sprintf(" What it shows: Driver Verifier printed %s of locks that can deadlock (!deadlock); that they did is not said.", kd.Plural(n, "order"))
	case memory != "":
		visible = " What it shows: memory is not short (" + memory + ")."
	}
	for _, g := range j.Gaps {
		if g.Decides && len(j.Findings) > 0 && speaksOfNoLock[j.Findings[0].Check] {
			return Verdict{Undecided, Certain, fmt.Sprintf("%s Whether locks are to blame is undecided: %s is missing (%s)%s.", j.Findings[0].Summary, g.What, g.Why, toRun(g))}
		}
		if g.Decides {
			return Verdict{Undecided, Certain, fmt.Sprintf("Undecided: %s is missing (%s)%s.", g.What, g.Why, toRun(g)) + visible}
		}
	}
	return Verdict{Undecided, Certain, "Undecided." + visible}
}

// toRun asks for the command that supplies a fact, where there is one.
func toRun(g kd.Gap) string {
	if g.Next == "" {
		return ""
	}
	return "; run " + g.Next
}

// speaksOfNoLock are checks that tell why a machine stopped or stands, whatever
// its locks: where they speak first, the verdict begins with it.
var speaksOfNoLock = map[*Check]bool{namedByStopCode: true, stoppedByWatchdog: true, stopByFault: true, ownerSpins: true}

// loadSymbols is what to type where extensions refuse to work for the symbols of the
// kernel (Microsoft Learn: .symfix, .reload).
const loadSymbols = ".symfix; .reload /f nt"

// askLocks says what is missing where no list of resources is in the input, and
// the command that prints it: of the one resource that the stop code names, where
// it names one; of a program, what its threads wait for.
func (d *diagnosis) askLocks() (what, next string) {
	what, next = "who owns and waits for resources", "!locks"
	if d.snap.Target.WrongSymbols.Known() {
		return what, loadSymbols + "; !locks"
	}
	if s := d.stopCode(); s != nil {
		for _, a := range s.args {
			if v, _, ok := d.snap.Target.Bugcheck.Arg(a.index); ok && v != 0 && a.is == aResource {
				return what, "!locks -v " + d.addr(v)
			}
		}
	}
	switch user := d.snap.UserMode(); {
	case user && len(d.snap.CriticalSections()) == 0:
		return "who owns the critical sections of the program", "!locks"
	case user:
		return "who waits for the critical sections of the program", "~*kv"
	}
	return what, next
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
	if s.OnlyCounters() {
		return []string{"locks, threads and pool tags: the input is a log of performance counters"}
	}
	out := []string{"pushlocks, fast mutexes and spinlocks, which !locks does not list"}
	switch {
	case s.HasLocks:
	case len(s.CriticalSections()) > 0 && s.UserMode():
		out = append([]string{"resources: the locks that were printed are critical sections of a program"}, out...)
	default:
		out = append([]string{"resources: no !locks output was given"}, out...)
	}
	if s.ThreadCount() == 0 {
		out = append(out, "threads and stacks: no !thread output was given")
	}
	notResident := 0
	for _, t := range s.Threads {
		if t.NotResident {
			notResident++
		}
	}
	rest := s.Skimmed()
	for i := range rest {
		b := &rest[i]
		if b.Has(threads.NotResident) {
			notResident++
		}
	}
	if n := s.Stackless(); n > 0 {
		out = append(out, "the stacks of "+kd.Plural(n, "thread"))
	}
	if notResident > 0 {
		out = append(out, kd.Plural(notResident, "stack")+" not resident in memory")
	}
	return out
}

// Worst returns the judgement whose verdict weighs most, the first of equals;
// nil if there is none.
func Worst(js []Judgement) *Judgement {
	leaks := make(map[*memory.History]bool)
	for i := range js {
		if j := &js[i]; j.Verdict.Kind == MemoryLeak && j.Findings[0].Check == poolTagGrows && j.Snap.PoolHistory != nil {
			leaks[j.Snap.PoolHistory] = true
		}
	}
	var worst *Judgement
	for i := range js {
		if !js[i].onlyCompared(leaks) && (worst == nil || js[i].before(worst)) {
			worst = &js[i]
		}
	}
	return worst
}

// before reports whether a judgement weighs more than another.
func (j *Judgement) before(k *Judgement) bool {
	if a, b := rank(j.Verdict.Kind), rank(k.Verdict.Kind); a != b || j.Verdict.Kind != MemoryLeak {
		return a < b
	}
	return leak(j.Findings[0]) < leak(k.Findings[0])
}

// onlyCompared reports whether a judgement is undecided on a session that tells of memory
// alone, and a leak is seen in the listings of the same run of the machine: by itself a
// listing always leaves open what others settle. One that shows otherwise leaves no leak.
func (j *Judgement) onlyCompared(leaks map[*memory.History]bool) bool {
	return j.Verdict.Kind == Undecided && j.Snap != nil && leaks[j.Snap.PoolHistory] && j.Snap.OnlyContext() && j.Snap.Target.Bugcheck == nil
}
