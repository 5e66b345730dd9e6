package heuristics

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"kdlocks/kd"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var commonAge = &Check{
	ID:       "common-age",
	Title:    "Unrelated waits began at the same moment: one earlier event made them all",
	Severity: Medium,
	Means: `Roots of wait chains that have nothing to do with each other, or a root and threads that are ready on one processor, have waited for the same time to the second. Then none of them holds up the others: something stopped them all at that moment. A processor that no longer schedules, a bus or disk that stopped answering, a suspend, a pause of the virtual machine. The locks are its victims.
Seen must be: two roots with different wait objects, or one root and at least two threads that are ready on one processor, with wait times within one second and longer than five. With the stop code 0x133 or 0x101 it is said before every chain; without one it is a hint beside them.`,
	WhenWrong: `Waits for an ERESOURCE are begun anew every few seconds and have small ages by construction: they do not count. Waits as old as the machine's uptime are those of services that never had work: they do not count either. Two roots may have been stopped by one program at one moment. A wait with a timer may have been begun anew; it counts only together with the stop code.`,
	Disproof:  "A second capture shows waits of different ages behind the same locks, or some of these threads have gone on meanwhile.",
	Remedy:    "Look for what happened at that moment before you look at the locks: the processor that stopped (!running -it, !dpcs, the stop code's arguments), the event log, the storage and the host.",
	Next:      "!running -it",
	References: []string{
		"Microsoft Learn: Bug Check 0x133 DPC_WATCHDOG_VIOLATION",
		"Microsoft Learn: Bug Check 0x101 CLOCK_WATCHDOG_TIMEOUT",
		"DebugPrivilege/InsightEngineering, Introduction to WinDE extension: a 0x133 after 120 s, roots and ready threads that waited 1:59 to 2:00",
	},
}

const (
	// rearmed is the age in milliseconds above which a wait was not begun anew
	// by the kernel: all waits for ERESOURCEs in the captures of testdata are
	// below.
	rearmed = 5_000
	// sameMoment is how far apart, in milliseconds, waits of one age may have
	// begun.
	sameMoment = 1_000
	// sinceBoot is how much younger than the uptime, in milliseconds, a wait may
	// be that began when the machine started.
	sinceBoot = 120_000
	// mostReady bounds the ready threads that are looked at.
	mostReady = 1_000
)

// aged is a thread whose wait, or whose time in the ready queue, has an age.
type aged struct {
	thread  *threads.Thread
	blocked int // behind a root; 0 for a thread that is ready
	root    bool
}

func (a aged) ms() int64 { return a.thread.WaitMS }

func init() {
	register(commonAge, func(d *diagnosis) []Finding {
		if len(d.roots) == 0 {
			return nil
		}
		stopped := d.watchdog()
		as := d.agedRoots(stopped != nil)
		if len(as) == 0 {
			d.gapOfAge(stopped)
			return nil
		}
		group := sameAge(append(as, d.agedReady()...), stopped != nil)
		if len(group) == 0 {
			d.gapOfAge(stopped)
			return nil
		}
		return []Finding{d.commonAgeFinding(group, stopped)}
	})
}

// mostAged bounds the roots, those that block most first, that are asked for
// their age.
const mostAged = 512

// agedRoots returns the roots with an age that means something. Of roots that
// wait for one and the same thing only the first is taken: they are related.
func (d *diagnosis) agedRoots(timed bool) []aged {
	var out []aged
	asked := 0
	seen := make(map[string]bool)
	for _, r := range d.roots {
		n := d.graph.Nodes[r.Node]
		if n.Kind != waitgraph.Thread || len(out) > MostFindings {
			continue
		}
		if b := d.snap.Brief(n.Addr); b != nil && b.State != threads.Waiting {
			continue
		}
		if asked++; asked > d.most(mostAged) {
			break
		}
		t := d.snap.Thread(n.Addr)
		if t == nil || t.State != threads.Waiting || !d.hasAge(t) || waitsForResource(t) || t.Timed() && !timed || isIdleWorker(t) {
			continue
		}
		related := false
		for _, same := range bonds(t) {
			related, seen[same] = related || seen[same], true
		}
		if !related {
			out = append(out, aged{thread: t, blocked: r.Blocked, root: true})
		}
	}
	return out
}

// gapOfAge asks for the age of a root's wait where a processor stalled: it would
// tell whether the wait began with the stall.
func (d *diagnosis) gapOfAge(stopped *stopCode) {
	if stopped == nil {
		return
	}
	for _, r := range d.roots[:min(len(d.roots), mostDetailed)] {
		n := d.graph.Nodes[r.Node]
		if n.Kind != waitgraph.Thread {
			continue
		}
		if t := d.snap.Thread(n.Addr); t != nil && t.State == threads.Waiting && t.WaitMS < 0 {
			d.gap(kd.Gap{What: "how long " + d.thread(t.Addr) + " has waited: since the processor stalled, or longer", Why: kd.NotInInput, Next: "!thread " + d.addr(t.Addr)})
			return
		}
	}
}

// hasAge reports whether the age of a thread's wait was printed, and is neither
// that of a wait begun anew nor the machine's own.
func (d *diagnosis) hasAge(t *threads.Thread) bool {
	if t.WaitMS <= rearmed || t.Conflict != "" {
		return false
	}
	up, ok := uptime(d.snap.Target.Uptime)
	return !ok || t.WaitMS < up-sinceBoot
}

// bonds are what a thread's wait may have in common with that of another so that
// their same age says nothing new.
func bonds(t *threads.Thread) []string {
	var out []string
	for _, o := range t.WaitObjects {
		out = append(out, "object "+o.Addr.String())
	}
	if r := t.Reply; r != nil && r.Server != 0 {
		out = append(out, "server "+r.Server.String())
	}
	if w := t.Waits(); w.Driver != "" && w.Frame > 0 {
		out = append(out, "driver "+strings.ToLower(w.Driver))
	}
	return out
}

// agedReady returns the threads that have been ready for long.
func (d *diagnosis) agedReady() []aged {
	var out []aged
	take := func(t *threads.Thread) {
		if t != nil && len(out) < mostReady && isReady(t.State) && d.hasAge(t) {
			out = append(out, aged{thread: t})
		}
	}
	for _, t := range d.snap.Threads {
		take(t)
	}
	asked, rest := 0, d.snap.Skimmed()
	for i := range rest {
		if isReady(rest[i].State) && asked < mostReady {
			asked++
			take(d.snap.Thread(rest[i].Addr))
		}
	}
	return out
}

func isReady(s threads.State) bool {
	return s == threads.Ready || s == threads.Standby || s == threads.DeferredReady
}

// sameAge returns the largest group of threads of one age that says something:
// roots first, the one that blocks most at the head.
func sameAge(as []aged, stopped bool) []aged {
	kd.SortStable(as, func(a, b aged) int { return cmp.Compare(a.ms(), b.ms()) })
	var best []aged
	first := 0
	for last := range as {
		for as[last].ms()-as[first].ms() > sameMoment {
			first++
		}
		if group := telling(as[first:last+1], stopped); len(group) > len(best) {
			best = group
		}
	}
	kd.SortStable(best, func(a, b aged) int { return cmp.Compare(b.blocked, a.blocked) })
	return best
}

// telling returns the roots of a group of one age and the ready threads of the
// processor that has most of them; nothing if they are too few to say anything.
func telling(group []aged, stopped bool) []aged {
	ready := make(map[int]int)
	cpu, roots := -1, 0
	for _, a := range group {
		if a.root {
			roots++
			continue
		}
		p := a.thread.Processor
		if ready[p]++; p >= 0 && (cpu < 0 || ready[p] > ready[cpu] || ready[p] == ready[cpu] && p < cpu) {
			cpu = p
		}
	}
	enough := 2
	if stopped {
		enough = 1
	}
	starved := cpu >= 0 && ready[cpu] >= enough
	if roots == 0 || roots < 2 && !starved {
		return nil
	}
	var out []aged
	for _, a := range group {
		if a.root || starved && a.thread.Processor == cpu {
			out = append(out, a)
		}
	}
	return out
}

func (d *diagnosis) commonAgeFinding(group []aged, stopped *stopCode) Finding {
	f := commonAge.finding(NoDeadlock)
	f.Severity, f.Confidence, f.Grade = Info, Possible, waitgraph.D
	least, most := group[0].ms(), group[0].ms()
	roots, ready, cpu := 0, 0, -1
	var at []kd.Addr
	for _, a := range group {
		least, most = min(least, a.ms()), max(most, a.ms())
		f.Threads = append(f.Threads, a.thread.Addr)
		what := "a root that has waited " + span(a.ms())
		if a.root {
			roots++
			at = append(at, a.thread.Addr)
		} else {
			ready, cpu = ready+1, a.thread.Processor
			what = "ready and not running for " + span(a.ms())
		}
		f.seen(a.thread.At, a.thread.Addr, what)
	}
	_, f.Blocked = d.behindAll(at)
	age := span(least)
	if most > least {
		age += " to " + span(most)
	}
	who := kd.Plural(roots, "root")
	if ready > 0 {
		who += fmt.Sprintf(" and %s on processor %d", kd.Plural(ready, "ready thread"), cpu)
	}
	f.Summary = fmt.Sprintf("%s have waited for the same time (%s): perhaps one event at that moment stopped them all; the locks are its victims then.", capital(who), age)
	f.Explanation = fmt.Sprintf("The waits of %s began within one second of each other, %s before the capture, though they wait for different things.", who, span(most))
	if ready > 0 {
		f.Explanation += fmt.Sprintf(" Threads that are ready on processor %d since then say that it schedules no longer.", cpu)
	}
	f.Next = []string{"!running -it", "!ready", "!dpcs"}
	if stopped == nil {
		f.Explanation += " Without a stop code that says so it is a hint only."
		if d.snap.Target.Bugcheck == nil {
			f.Next = append(f.Next, "!analyze -v")
		}
		return f
	}
	bc := d.snap.Target.Bugcheck
	f.Kind, f.Severity, f.Confidence = Stall, High, Likely
	if roots+ready > 2 {
		f.Confidence = VeryLikely
	}
	f.Grade = waitgraph.C
	f.seen(bc.At, kd.Addr(bc.Code), "the stop code")
	d.seenArgs(&f, stopped)
	f.Summary = fmt.Sprintf("A stall, not a lock: the machine stopped with %s, and %s have waited for the same time (%s). %s behind them; the locks are victims.",
		d.stopName(), who, age, capital(waits(f.Blocked, "thread")))
	f.Explanation = d.saysOf(stopped) + " " + f.Explanation
	if p := d.period(stopped); p > 0 && p >= least-sameMoment && p <= most+sameMoment {
		f.Explanation += " The span that the stop code names is the same."
	}
	return f
}

// uptime reads "0 days 2:12:35.890" in milliseconds.
func uptime(s string) (int64, bool) {
	days, clock, ok := strings.Cut(s, " days ")
	if !ok {
		return 0, false
	}
	d, err := strconv.ParseInt(strings.TrimSpace(days), 10, 32)
	if err != nil {
		return 0, false
	}
	clock, ms, _ := strings.Cut(strings.TrimSpace(clock), ".")
	parts := strings.Split(clock, ":")
	if len(parts) != 3 {
		return 0, false
	}
	total := d * 24
	for i, p := range parts {
		n, err := strconv.ParseInt(p, 10, 32)
		if err != nil || n < 0 || i > 0 && n > 59 {
			return 0, false
		}
		if i > 0 {
			total *= 60
		}
		total += n
	}
	n, _ := strconv.ParseInt(ms, 10, 32)
	return total*1000 + n, true
}
