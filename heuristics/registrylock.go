package heuristics

import (
	"fmt"

	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var registryLockHeld = &Check{
	ID:       "registry-lock",
	Title:    "Threads wait for the registry lock",
	Severity: High,
	Means: `Most work on the registry takes its lock. When the owner is held up, everything that opens or sets a key waits: the owner is in the registry callback of a driver, or reads or writes the file of a hive.
Seen must be: the symbol of the lock or the routine CmpLockRegistry on the stack of a thread that waits for it. What type of lock it is depends on the version of Windows; in later ones it is no ERESOURCE and does not show here.`,
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
			if waited(r) && len(out) <= mostFindings {
				out = append(out, d.registryFinding(r))
			}
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
			f.Kind = BlockedChain
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
