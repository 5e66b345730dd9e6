package heuristics

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var stoppedByWatchdog = &Check{
	ID:       "stopped-by-watchdog",
	Title:    "The machine was stopped because a processor stalled",
	Severity: High,
	Means: `The stop code is that of a watchdog over processors: 0x133 (too long in DPCs or at DISPATCH_LEVEL) or 0x101 (no clock interrupt taken). The locks that were held at that moment are most likely victims: their owners could not run. What the list of ERESOURCEs shows explains such a stop only if it is a deadlock by itself.
Seen must be: the stop code.`,
	WhenWrong:  `The stop was forced by hand, or the stall is itself the end of a long fight for locks. A deadlock that is closed in the lists stays one.`,
	Disproof:   "The processor's stack shows an ordinary thread below DISPATCH_LEVEL.",
	Remedy:     "Look at what the processors run before the locks: !running -it, !dpcs, and for spin locks !qlocks.",
	Next:       "!running -it",
	References: []string{"Microsoft Learn: Bug Check 0x133 DPC_WATCHDOG_VIOLATION", "Microsoft Learn: Bug Check 0x101 CLOCK_WATCHDOG_TIMEOUT"},
}

var namedByStopCode = &Check{
	ID:       "named-by-stop-code",
	Title:    "The stop code names a thread, a lock, an IRP or a queue",
	Severity: Low,
	Means: `The arguments of the stop code name what Windows itself found fault with: the thread that holds the PnP lock (0x9F), the ERESOURCE whose wait timed out (0x1CC), the queue that is stuck (0x1C5), the thread that left a lock behind or gave back one that was not its own (0xE3, 0x13C, 0x153, 0x162, 0x20, 0x39). That is the place to begin, before any list of locks.
Seen must be: the stop code and its arguments.`,
	WhenWrong:  `The arguments were copied from another dump than the lists. A live dump is taken on a machine that goes on: what it names may be free a moment later.`,
	Disproof:   "The thread or lock that is named does what it should: it is not the one that the lists show.",
	Remedy:     "Print what the stop code names.",
	Next:       "!thread <thread>",
	References: pages(),
}

// pages lists the pages of the table.
func pages() []string {
	var out []string
	for _, s := range stopCodes {
		if page := "Microsoft Learn: " + s.page; !s.stalled && !slices.Contains(out, page) {
			out = append(out, page)
		}
	}
	return out
}

func init() {
	register(stoppedByWatchdog, func(d *diagnosis) []Finding {
		if s := d.watchdog(); s != nil {
			return []Finding{d.watchdogFinding(s)}
		}
		return nil
	})
	register(namedByStopCode, func(d *diagnosis) []Finding {
		s := d.stopCode()
		d.gapOfArguments(s)
		if s != nil && !s.stalled {
			return []Finding{d.namedFinding(s)}
		}
		return nil
	})
}

// gapOfArguments asks for the arguments of a stop code of the table if none of
// them is in the input.
func (d *diagnosis) gapOfArguments(known *stopCode) {
	bc := d.snap.Target.Bugcheck
	if bc == nil {
		return
	}
	if _, _, ok := bc.Arg(0); ok || known != nil && len(known.args) == 0 {
		return
	}
	if slices.ContainsFunc(stopCodes, func(s stopCode) bool { return s.code == bc.Code }) {
		d.gap(kd.Gap{What: fmt.Sprintf("the arguments of stop code 0x%X, which say what Windows found fault with", bc.Code), Why: kd.NotInInput, Next: ".bugcheck"})
	}
}

// elsewhere is the sentence that a verdict about locks gets when the stop code
// is that of a stalled processor, or names something else.
func (d *diagnosis) elsewhere(f Finding) string {
	if f.Kind == Stall {
		return ""
	}
	if d.watchdog() == nil {
		return d.namedElsewhere(f)
	}
	return " But the machine stopped with " + d.stopName() + ", which points elsewhere: a processor stalled."
}

// namedElsewhere says what a stop code names that a finding is not about.
func (d *diagnosis) namedElsewhere(f Finding) string {
	s := d.stopCode()
	if s == nil && d.stop != nil && faults[d.stop.code] != "" && f.Kind == BlockedChain && f.Check != ownerCaptured {
		return fmt.Sprintf(" But the machine stopped with %s, a wrong access to memory or an exception: start there, unless the stop was forced to get a dump.", d.stop)
	}
	if s == nil || s.stalled || f.Check == namedByStopCode {
		return ""
	}
	var names []string
	for _, a := range s.args {
		v, _, ok := d.snap.Target.Bugcheck.Arg(a.index)
		if !ok || v == 0 {
			continue
		}
		if slices.Contains(f.Threads, v) || slices.Contains(f.Resources, v) {
			return ""
		}
		switch a.is {
		case aThread:
			names = append(names, d.thread(v))
		case aResource:
			names = append(names, d.lock(v))
		case anIRP:
			names = append(names, "IRP "+d.addr(v))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return " But the machine stopped with " + d.stopName() + ", which names " + strings.Join(names, " and ") + ": start there."
}

func (d *diagnosis) watchdogFinding(s *stopCode) Finding {
	bc := d.snap.Target.Bugcheck
	f := stoppedByWatchdog.finding(Stall)
	f.Severity, f.Confidence, f.Grade = High, Certain, waitgraph.A
	f.seen(bc.At, kd.Addr(bc.Code), "the stop code")
	d.seenArgs(&f, s)
	f.Summary = fmt.Sprintf("The machine stopped with %s: a processor stalled, and locks may be its victims.", d.stopName())
	f.Explanation = d.saysOf(s) + " Owners that could not run give nothing back, so that waiters pile up behind them without any fault of the locks."
	if t := d.stalledStack(s); t != nil {
		if f.Suspect = suspectOnProcessor(t); f.Suspect != nil {
			d.seenFrame(&f, t, onTop(t, t.Interrupted()), "what the stalled processor ran")
		}
	}
	f.Next = []string{"!running -it", "!dpcs", "!qlocks"}
	return f
}

// stalledStack returns the thread that the stalled processor runs, nil if it was
// not printed: the one that stopped the machine, unless the stop code names the
// processor, which then is another one.
func (d *diagnosis) stalledStack(s *stopCode) *threads.Thread {
	i := slices.IndexFunc(s.args, func(a argument) bool { return a.is == aProcessor })
	if i < 0 {
		return d.stop.stack()
	}
	prcb, _, ok := d.snap.Target.Bugcheck.Arg(s.args[i].index)
	for _, p := range d.snap.Processors {
		if ok && p.Prcb == prcb && prcb != 0 {
			return d.snap.Thread(p.Current)
		}
	}
	return nil
}

func (d *diagnosis) namedFinding(s *stopCode) Finding {
	bc := d.snap.Target.Bugcheck
	f := namedByStopCode.finding(NoDeadlock)
	f.Confidence, f.Grade = Certain, waitgraph.A
	f.seen(bc.At, kd.Addr(bc.Code), "the stop code")
	d.seenArgs(&f, s)
	f.Summary = fmt.Sprintf("The machine stopped with %s. %s", d.stopName(), d.saysOf(s))
	f.Explanation = "What a stop code names was found by Windows itself at the moment of the stop."
	for _, a := range s.args {
		v, _, ok := bc.Arg(a.index)
		if !ok || v == 0 {
			continue
		}
		switch a.is {
		case aThread:
			f.Threads = append(f.Threads, v)
			d.namedThread(&f, v)
		case aResource:
			f.Resources = append(f.Resources, v)
			f.Next = append(f.Next, "!locks -v "+d.addr(v))
		case anIRP:
			d.namedIRP(&f, v)
		case aQueue:
			f.Next = append(f.Next, "!exqueue f")
		}
	}
	if s.next != "" {
		f.Next = append(f.Next, s.next)
	}
	if t, _, ok := bc.Arg(s.holder); s.holder >= 0 && ok && t != 0 {
		d.holderFinding(&f, t)
	}
	if len(f.Next) == 0 {
		f.Next = []string{"!analyze -v"}
	}
	return f
}

// namedThread says what the stack of the thread shows that a stop code names, or
// asks for it. Without a header the stack is that of the thread that stopped the
// machine, which the stop code need not mean.
func (d *diagnosis) namedThread(f *Finding, a kd.Addr) {
	t := d.snap.Thread(a)
	if t == nil || len(t.Stack.Frames) == 0 {
		f.Next = append(f.Next, "!thread "+d.addr(a)+" 1f")
		if t = d.stop.stack(); t == nil || t.Addr != 0 && t.Addr != a {
			return
		}
		f.Explanation += " The stack of the thread that stopped the machine was printed without its header."
	}
	if s := suspectOnProcessor(t); s != nil && f.Suspect == nil {
		f.Suspect = s
		d.seenFrame(f, t, onTop(t, t.Interrupted()), "what ran")
	}
}

// namedIRP says which driver has the IRP that a stop code names, or asks for it.
func (d *diagnosis) namedIRP(f *Finding, a kd.Addr) {
	p := d.printedIRP(a)
	if p == nil {
		f.Next = append(f.Next, "!irp "+d.addr(a))
		return
	}
	driver, _ := p.Driver()
	if driver == "" || p.Complete {
		return
	}
	f.Kind, f.Severity, f.Confidence, f.turn = BlockedChain, High, Likely, firstOfAll
	if p.AddrAt.Known() {
		f.seen(p.AddrAt, p.Addr, "the IRP was printed")
	}
	f.Remedy = fmt.Sprintf("Find out why %s does not complete the IRP.", driver)
	d.tellDriver(f, p)
}

// holderFinding says what the thread waits for that holds up the machine.
func (d *diagnosis) holderFinding(f *Finding, a kd.Addr) {
	f.Kind, f.Severity, f.Confidence, f.turn = BlockedChain, High, Likely, firstOfAll
	t := d.snap.Thread(a)
	f.Bystanders, f.Blocked = d.behind(a)
	if t == nil || !t.Printed() {
		f.Explanation += " What that thread does is not in the input."
		return
	}
	f.seen(t.At, t.Addr, "the thread that the stop code names")
	does := d.rootState(t)
	if s, text, at := sortOf(t); text != "" {
		does = text
		d.seenFrame(f, t, at, "what it waits in")
		f.Suspect = suspectOfWait(t)
		f.Remedy = s.check.Remedy
		f.Next = append(f.Next, d.nextForWait(s.check, t)...)
	}
	f.Summary += " " + capital(does) + "."
	f.Explanation += " Of that thread it is known: " + does + "." + ticksOf(t)
}

// seenStopCode adds to findings that the stop code names one of their threads
// or locks.
func (d *diagnosis) seenStopCode(fs []Finding) {
	s := d.stopCode()
	if s == nil {
		return
	}
	for _, a := range s.args {
		v, at, ok := d.snap.Target.Bugcheck.Arg(a.index)
		if !ok || v == 0 {
			continue
		}
		for i := range fs {
			f := &fs[i]
			if a.is == aThread && slices.Contains(f.Threads, v) || (a.is == aResource || a.is == aLock) && slices.Contains(f.Resources, v) {
				f.seen(at, v, "the stop code: "+a.what)
			}
		}
	}
}
