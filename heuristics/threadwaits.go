package heuristics

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/stacks"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var threadWaits = &Check{
	ID:       "thread-waits",
	Title:    "What the printed threads wait for",
	Severity: Info,
	Means: `No list in the input tells who owns what and who waits for it, or nobody waits for anything that is listed. This is what the printed threads themselves show: the routine they wait in, or that they run. It is no verdict; it says where to look next.
Seen must be: a thread's state and wait reason, or a routine on its stack that is known to wait.`,
	WhenWrong:  `The thread that triggered the dump, or that the debugger broke in on, always runs. A thread that waits may be idle: that is what most threads do. A wait for an ERESOURCE is begun anew every few seconds, so its ticks are not its age.`,
	Disproof:   "A second capture shows the thread elsewhere.",
	Remedy:     "Type the next commands: they show who else waits, and for whom.",
	Next:       "!locks",
	References: []string{"Microsoft Learn: !thread", "Microsoft Learn: !locks (!kdext*.locks)"},
}

func init() {
	register(threadWaits, func(d *diagnosis) []Finding {
		if len(d.knots) > 0 || len(d.roots) > 0 || d.snap.ThreadCount() > mostWaiting {
			return nil
		}
		return d.threadWaits()
	})
}

// seenWaits are threads that wait for the same.
type seenWaits struct {
	doing
	threads []*threads.Thread
	frames  []int // of the threads, -1 if none tells
}

// mostWaiting is how many threads an input may show that is told thread by
// thread. In a listing of all threads most are idle, and saying so helps nobody.
const mostWaiting = 32

// mostWaitKinds bounds the kinds of waits that are told.
const mostWaitKinds = 8

func (d *diagnosis) threadWaits() []Finding {
	var kinds []*seenWaits
	at := make(map[string]*seenWaits)
	again := d.printedAgain()
	for t := range d.snap.AllThreads() {
		does, frame := seenWait(t)
		if does.text == "" || again(t) || d.toldElsewhere(t) {
			continue
		}
		k := at[does.text]
		if k == nil {
			if len(kinds) == mostWaitKinds {
				continue
			}
			k = &seenWaits{doing: does}
			at[does.text] = k
			kinds = append(kinds, k)
		}
		k.threads, k.frames = append(k.threads, t), append(k.frames, frame)
	}
	var out []Finding
	for _, k := range kinds {
		out = append(out, d.threadWaitsFinding(k))
	}
	if len(out) == 0 {
		d.gapOfStack()
	}
	return out
}

// gapOfStack asks for the stack of the first thread that waits in the kernel and
// was printed without.
func (d *diagnosis) gapOfStack() {
	for t := range d.snap.AllThreads() {
		if t.Addr != 0 && t.State == threads.Waiting && t.WaitMode == "KernelMode" && len(t.Stack.Frames) == 0 {
			d.gap(kd.Gap{What: "the stack of " + d.thread(t.Addr) + ", which tells what it waits for", Why: kd.NotInInput, Next: "!thread " + d.addr(t.Addr) + " 1f"})
			return
		}
	}
}

// toldElsewhere reports whether another detector tells of the thread: one that
// waits for others to leave, one that asks for a lock again, one that cannot end,
// or an owner that runs.
func (d *diagnosis) toldElsewhere(t *threads.Thread) bool {
	_, leaving := waitsToLeave(t)
	_, again := asksAgain(t)
	_, _, ends := waitsToEnd(t)
	return leaving || again || ends || spins(t) || t == d.stop.stack() && (d.byFault || d.stopCode() != nil) || t.OnProcessor() && d.ownsInVain(t) != ""
}

func (d *diagnosis) threadWaitsFinding(k *seenWaits) Finding {
	f := threadWaits.finding(NoDeadlock)
	f.Confidence, f.Grade = Likely, waitgraph.C
	first, where := k.threads[0], "what it waits in"
	if first.OnProcessor() {
		where = "what it ran"
	}
	for i, t := range k.threads {
		if t.Addr != 0 {
			f.Threads = append(f.Threads, t.Addr)
		}
		f.seen(t.At, t.Addr, "the thread")
		if t.Caption != nil {
			f.seen(t.Caption.At, 0, "what the author says of the stack")
		}
		d.seenFrame(&f, t, k.frames[i], where)
	}
	if shown := d.shownOwner(first); shown != "" && len(k.threads) == 1 {
		k.aside = capital(shown) + "."
	}
	who, verb := "A thread without a header", "waits "
	switch {
	case k.captioned() > 1:
		who, verb = kd.Plural(k.captioned(), "thread"), "wait "
	case first.Addr != 0:
		who = capital(d.thread(first.Addr))
	}
	switch {
	case first.OnProcessor() && k.captioned() > 1:
		verb = "run "
	case first.OnProcessor():
		verb = "runs "
	case k.stands:
		verb = "stands "
	}
	f.Suspect = commonSuspect(k.threads)
	f.Summary = who + " " + verb + k.text + d.whereWaits(k)
	if f.Suspect != nil && len(k.threads) > 1 {
		f.Summary += ", all from " + f.Suspect.Module
	}
	f.Summary += "."
	f.Explanation = strings.Join(d.aboutWaits(k, f.Suspect), " ")
	f.Next = append(d.askOwner(first), d.nextForWait(threadWaits, first)...)
	if module := withoutSymbols(first); module != "" {
		f.Next = append([]string{d.reload(module, first)}, f.Next...)
	}
	if k.userMode && first.Addr != 0 {
		f.Next = append(f.Next, d.askProgram(first))
	}
	if len(f.Next) == 0 && len(f.Threads) == 0 {
		f.Next = []string{threadWaits.Next}
	}
	return f
}

// ownerless says for what kind of lock a thread waits by its wait reason or its
// stack, if neither names the owner; ForUnknown if it waits for something else.
func ownerless(t *threads.Thread) threads.WaitFor {
	what := lockReasons[t.WaitReason]
	if what == threads.ForUnknown {
		what = t.Waits().For
	}
	switch what {
	case threads.ForFastMutex, threads.ForGuardedMutex, threads.ForPushLock:
		if couldWait(t) {
			return what
		}
	}
	return threads.ForUnknown
}

// askOwner returns the command that tells who owns the lock that a thread waits
// for by its wait reason or its stack, or who may own it; none if it waits for
// something else.
func (d *diagnosis) askOwner(t *threads.Thread) []string {
	if d.ownerShown(t) {
		return nil
	}
	switch ownerless(t) {
	case threads.ForFastMutex, threads.ForGuardedMutex:
		if a := waitgraph.FastMutexOf(t); a != 0 {
			return []string{"dt nt!" + mutexType(t) + " " + d.addr(a)}
		}
	case threads.ForUnknown:
		return nil
	}
	if s := suspectOfWait(t); s != nil {
		return []string{"!stacks 2 " + s.Module}
	}
	return nil
}

// mutexType names the type of the mutex that a thread waits for: one that is
// waited for at a gate is a KGUARDED_MUTEX, others are laid out as a FAST_MUTEX.
func mutexType(t *threads.Thread) string {
	if len(t.WaitObjects) > 0 && t.WaitObjects[0].Kind == "Gate" {
		return "_KGUARDED_MUTEX"
	}
	return "_FAST_MUTEX"
}

// ownerShown reports whether dt showed the owner of the mutex that a thread waits
// for, also where that is nobody.
func (d *diagnosis) ownerShown(t *threads.Thread) bool {
	m := d.graph.ShownMutex(t)
	return m != nil && m.Owner.Known()
}

// shownFree reports whether dt showed that nobody owns that mutex.
func (d *diagnosis) shownFree(t *threads.Thread) bool {
	return d.ownerShown(t) && d.graph.ShownMutex(t).Owner.Addr == 0
}

// shownOwner says what dt shows in the Owner field of the mutex that a thread
// waits for, "" if it does not.
func (d *diagnosis) shownOwner(t *threads.Thread) string {
	m := d.graph.ShownMutex(t)
	switch {
	case m == nil || !m.Owner.Known():
		return ""
	case d.shownFree(t):
		return fmt.Sprintf("dt shows %s %s without an owner: it was free then, or about to be handed over", strings.TrimPrefix(ownerless(t).String(), "a "), d.addr(m.Addr))
	case d.waitsForListed(t):
		return fmt.Sprintf("dt shows that %s owns %s %s", d.thread(m.Owner.Addr), strings.TrimPrefix(ownerless(t).String(), "a "), d.addr(m.Addr))
	}
	return fmt.Sprintf("dt shows %s %s with the owner %s, which does not count: no wait for it is drawn", strings.TrimPrefix(ownerless(t).String(), "a "), d.addr(m.Addr), d.addr(m.Owner.Addr))
}

// aboutWaits says by what a kind of wait is known, and what to think of it.
func (d *diagnosis) aboutWaits(k *seenWaits, suspect *Suspect) []string {
	var out []string
	t, i := k.threads[0], k.frames[0]
	switch {
	case len(k.threads) > 1 && (k.aside != "" || i < 0):
	case len(k.threads) > 1:
		out = append(out, "Their stacks show it, the first in "+frame(t, i)+".")
	case t.OnProcessor() && i >= 0:
		out = append(out, fmt.Sprintf("The processor was interrupted in %s.", frame(t, i)))
	case i >= 0 && i < len(t.Stack.Frames):
		out = append(out, "Its stack shows it: "+frame(t, i)+".")
	case t.State == threads.Running:
		out = append(out, "Its state says so.")
	case t.WaitReason != "":
		out = append(out, "Its wait reason is "+t.WaitReason+".")
	}
	if len(k.threads) == 1 {
		out = append(out, strings.TrimSpace(ticksOf(t)), d.ownsInVain(t))
	}
	out = append(out, k.aside)
	if suspect != nil && len(k.threads) > 1 {
		if k.awaits == threads.ForPushLock {
			out = append(out, fmt.Sprintf("If no other thread of %s holds it, one of these has taken it before and waits for itself: a pushlock cannot be taken twice.", suspect.Module))
		}
	}
	if n := k.captioned(); n > len(k.threads) {
		out = append(out, fmt.Sprintf("By the headings that an author set above them, %s of %d threads.", stacksAre(len(k.threads)), n))
	}
	if n := inUnloaded(k.threads); n > 0 {
		out = append(out, fmt.Sprintf("%s of a driver that is unloaded: it went while they were inside.", capital(lead(n))))
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

// captioned counts the threads: a stack may have a heading that says of how many it is.
func (k *seenWaits) captioned() int {
	n := 0
	for _, t := range k.threads {
		if n++; t.Caption != nil {
			n += t.Caption.Threads - 1
		}
	}
	return n
}

func stacksAre(n int) string {
	if n == 1 {
		return "1 stack is that"
	}
	return kd.Plural(n, "stack") + " are those"
}

func lead(n int) string {
	if n == 1 {
		return "1 stack leads into code"
	}
	return kd.Plural(n, "stack") + " lead into code"
}

// ownsInVain tells of a resource that the thread owns and nobody waits for.
func (d *diagnosis) ownsInVain(t *threads.Thread) string {
	for _, r := range d.snap.Resources {
		for i := range r.Resolved {
			if r.Resolved[i].Thread == t.Addr && t.Addr != 0 && r.Waiting() == 0 {
				return fmt.Sprintf("It owns %s, for which nobody waits.", d.lock(r.Addr))
			}
		}
	}
	return ""
}

// inUnloaded counts the threads with a frame in a driver that was unloaded.
func inUnloaded(ts []*threads.Thread) int {
	n := 0
	for _, t := range ts {
		if slices.ContainsFunc(t.Stack.Frames, func(f stacks.Frame) bool { return strings.HasPrefix(f.Name(), unloaded) }) {
			n++
		}
	}
	return n
}

// unloaded begins the name of a module that the debugger knows as unloaded:
// <Unloaded_TestDriver.sys>+0x1172.
const unloaded = "<Unloaded_"

// whereWaits names what one thread waits in, or for whom.
func (d *diagnosis) whereWaits(k *seenWaits) string {
	t, i := k.threads[0], k.frames[0]
	switch {
	case t.OnProcessor():
		return ""
	case len(k.threads) == 1 && t.Reply != nil && t.Reply.Server != 0:
		return fmt.Sprintf(": process %s owns the port %s at which its message %s is queued", d.addr(t.Reply.Server), d.addr(t.Reply.Port), d.addr(t.Reply.Message))
	case k.stands:
		return ""
	case len(k.threads) == 1 && i >= 0 && i < len(t.Stack.Frames):
		return " (" + t.Stack.Frames[i].Name() + ")"
	case len(k.threads) == 1 && t.WaitReason != "":
		return " (" + t.WaitReason + ")"
	}
	return ""
}

// commonSuspect is the module outside Windows that stands nearest to the wait
// on all of the stacks, nil if they differ.
func commonSuspect(ts []*threads.Thread) *Suspect {
	var out *Suspect
	for _, t := range ts {
		s := suspectOfWait(t)
		if s == nil || out != nil && s.Module != out.Module {
			return nil
		}
		if out == nil {
			out = s
		}
	}
	return out
}
