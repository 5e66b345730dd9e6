package heuristics

import (
	"fmt"
	"strings"

	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var registryLockHeld = &Check{
	ID:       "registry-lock",
	Title:    "Threads wait for the registry lock",
	Severity: High,
	Means: `Most work on the registry takes its lock. When the owner is held up, everything that opens or sets a key waits: the owner is in the registry callback of a driver, or reads or writes the file of a hive.
Seen must be: the symbol of the lock or the routine CmpLockRegistry on the stack of a thread that waits for it. What type of lock it is depends on the version of Windows: where it is a pushlock, its owner is not recorded, and a thread that waits inside a registry callback can only be suspected.`,
	WhenWrong:  `The owner is about to go on: a lock that is held with waiters is normal life if it moves. A callback that stands on the stacks of waiters holds up nothing.`,
	Disproof:   "A second capture shows another owner.",
	Remedy:     "A driver in a registry callback must not wait for what itself needs the registry. Where the file of a hive is waited for, look at the storage below it.",
	Next:       "!thread <owner> 1f",
	References: []string{"Microsoft Learn: Filtering registry calls", "winsiderss/systeminformer issue 2498: stack of a registry callback"},
}

var (
	registryCallbacks = []string{"CmpCallCallBacks"}
	hiveFiles         = []string{"CmpFileWrite", "CmpFileRead", "CmpFileFlush", "CmpDoFileWrite", "CmpDoFileRead", "HvWriteHive", "HvSyncHive", "HvpDoWriteHive", "HvpWriteLog", "HvStoreModifiedData"}
)

func init() {
	register(registryLockHeld, func(d *diagnosis) []Finding {
		var out []Finding
		for _, r := range d.ofFamily(registryLock) {
			if waited(r) && len(out) <= MostFindings {
				out = append(out, d.registryFinding(r))
			}
		}
		if f := d.registryPushLock(); f != nil {
			out = append(out, *f)
		}
		return out
	})
}

func (d *diagnosis) registryFinding(r *snapshot.Resource) Finding {
	role := d.roleOf(r.Addr)
	f := d.roleFinding(registryLockHeld, Context, r, role)
	f.Explanation = d.roleText(r.Addr, role)
	what := d.ownerDoes(&f)
	for _, a := range f.Threads {
		if s := d.registryHolder(&f, d.snap.Thread(a)); s != "" {
			f.Kind, f.Blocked = BlockedChain, r.Waiting()
			what = fmt.Sprintf("its owner, %s, %s", d.thread(a), s)
			break
		}
	}
	if f.Kind == Context {
		f.Severity = Info
	}
	f.Summary = fmt.Sprintf("%s for %s: %s.", waits(r.Waiting(), "thread"), d.lockAs(r.Addr, role), what)
	return f
}

// registryHolder says in what an owner of the registry lock is held up, "" if
// its stack does not tell.
func (d *diagnosis) registryHolder(f *Finding, t *threads.Thread) string {
	if t == nil || !couldWait(t) {
		return ""
	}
	if i := t.FindFrame(registryCallbacks...); i >= 0 {
		at := insideOf(t, i)
		if at < 0 {
			return ""
		}
		m := t.Stack.Frames[at].Module
		f.Grade = max(f.Grade, waitgraph.C)
		d.seenFrame(f, t, i, "the registry calls back a driver")
		d.seenFrame(f, t, at, "the driver that it is in")
		f.Suspect = &Suspect{Module: m, Reason: fmt.Sprintf("the owner of the registry lock is in its callback (%s), called by %s", frame(t, at), frame(t, i))}
		f.Next = append(f.Next, "lmvm "+m)
		return fmt.Sprintf("waits inside the registry callback of %s (%s)", m, t.Stack.Frames[at].Name())
	}
	if i := t.FindFrame(hiveFiles...); i >= 0 {
		f.Grade = max(f.Grade, waitgraph.C)
		d.seenFrame(f, t, i, "it works on the file of a hive")
		for _, irp := range t.IRPs {
			f.Next = append(f.Next, "!irp "+d.addr(irp.Addr))
		}
		return fmt.Sprintf("waits for the file of a hive (%s)", t.Stack.Frames[i].Name())
	}
	return ""
}

// registryPushLock is about threads that wait for the registry lock where it is
// a pushlock, nil if there are none. Of whom it waits for, nothing is recorded.
func (d *diagnosis) registryPushLock() *Finding {
	const mostRead, mostShown = 200, 8
	var waiting, inside []*threads.Thread
	see := func(t *threads.Thread) {
		if t.Addr == 0 || !couldWait(t) {
			return
		}
		w := t.Waits()
		switch {
		case w.For == threads.ForPushLock:
			if asksForRegistry(t, w.Frame) {
				waiting = append(waiting, t)
			}
		case t.FindFrame(registryCallbacks...) >= 0 && insideOf(t, t.FindFrame(registryCallbacks...)) >= 0:
			inside = append(inside, t)
		}
	}
	for _, t := range d.snap.Threads {
		see(t)
	}
	rest := d.snap.Skimmed()
	read := 0
	for i := range rest {
		if b := &rest[i]; b.Has(threads.LockWait) && read < mostRead {
			read++
			if t := d.snap.Thread(b.Addr); t != nil {
				see(t)
			}
		}
	}
	if len(waiting) == 0 {
		return nil
	}
	f := registryLockHeld.finding(Context)
	f.Severity, f.Confidence, f.Grade = Info, Likely, waitgraph.C
	for _, t := range waiting[:min(len(waiting), mostShown)] {
		f.Threads = append(f.Threads, t.Addr)
		f.seen(t.At, t.Addr, "it waits for the registry lock")
		d.seenFrame(&f, t, t.Waits().Frame, "the pushlock")
	}
	f.Summary = fmt.Sprintf("%s for the registry lock, which is a pushlock here: who owns it is not recorded.", capital(waits(len(waiting), "thread")))
	f.Explanation = "Look for the thread that holds it among those inside a registry callback and those that work on the file of a hive."
	f.Next = []string{"!stacks 2 CmpCallCallBacks", "!stacks 2 CmpFileWrite"}
	if len(inside) > 0 {
		t := inside[0]
		i := t.FindFrame(registryCallbacks...)
		at := insideOf(t, i)
		f.Grade, f.Confidence = waitgraph.D, Possible
		d.seenFrame(&f, t, at, "it waits inside a registry callback")
		f.Summary += fmt.Sprintf(" %s waits inside the registry callback of %s (%s), and may own it.", capital(d.thread(t.Addr)), t.Stack.Frames[at].Module, t.Stack.Frames[at].Name())
		f.Next = append([]string{"!thread " + d.addr(t.Addr) + " 1f"}, f.Next...)
	}
	return &f
}

// asksForRegistry reports whether the routine that asks for the pushlock of
// frame i takes the registry lock.
func asksForRegistry(t *threads.Thread, i int) bool {
	const near = 4
	for k := i; k < min(i+near, len(t.Stack.Frames)); k++ {
		if strings.Contains(t.Stack.Frames[k].Function, "CmpLockRegistry") {
			return true
		}
	}
	return false
}
