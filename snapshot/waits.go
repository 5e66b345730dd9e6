package snapshot

import (
	"fmt"
	"iter"
	"strings"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/threads"
)

// Wait is one thread's wait for a lock, as far as it was printed.
type Wait struct {
	Thread   *threads.Thread // nil for a waiter of which only the address was printed
	Addr     kd.Addr         // of the thread, 0 for a stack without a header
	Reason   string
	Resource kd.Addr // 0 if unknown: no command names it
	Owner    kd.Addr // 0 if unknown or not one thread
	How      WaitFrom
	At       kd.Ref
}

// WaitFrom says where the resource of a Wait was read.
type WaitFrom string

// The sources of a Wait's resource.
const (
	WaitListed   WaitFrom = "waiter list"
	WaitNamed    WaitFrom = "mex"
	WaitArgument WaitFrom = "first argument of ExpWaitForResource"
	WaitTimeout  WaitFrom = "time-out break"
)

// lockReasons are the wait reasons that say what kind of lock is waited for.
var lockReasons = map[string]bool{
	"WrResource": true, "WrPushLock": true, "WrFastMutex": true, "WrGuardedMutex": true, "WrMutex": true,
	"WrRundown": true, "WrExecutive": false,
}

// Waits lists the waits for locks, those of threads first that were printed
// themselves, in the order of the input.
func (s *Snapshot) Waits() iter.Seq[Wait] {
	return func(yield func(Wait) bool) {
		listed := s.listedWaits()
		may := func(b *threads.Brief) bool {
			_, isListed := listed[b.Addr]
			return isListed || b.Has(threads.WaitsOnStack) || lockReasons[b.WaitReason()]
		}
		for t := range s.walk(may, func(*threads.Thread) bool { return true }) {
			if w, ok := s.waitOf(t, listed); ok && !yield(w) {
				return
			}
			delete(listed, t.Addr)
		}
		for _, r := range s.Resources {
			for _, list := range [][]locks.Waiter{r.SharedWaiters, r.ExclusiveWaiters} {
				for _, lw := range list {
					if w, ok := listed[lw.Thread]; ok && w.Resource == r.Addr {
						if !yield(w) {
							return
						}
						delete(listed, lw.Thread)
					}
				}
			}
		}
	}
}

// listedWaits finds the first waiter list that each thread stands in.
func (s *Snapshot) listedWaits() map[kd.Addr]Wait {
	out := make(map[kd.Addr]Wait)
	for _, r := range s.Resources {
		if r.Reading == locks.Irreconcilable {
			continue
		}
		for _, list := range [][]locks.Waiter{r.SharedWaiters, r.ExclusiveWaiters} {
			for _, w := range list {
				if _, ok := out[w.Thread]; !ok && !w.Marker() {
					out[w.Thread] = Wait{Addr: w.Thread, Resource: r.Addr, Owner: r.soleOwner(), How: WaitListed, At: w.At}
				}
			}
		}
	}
	return out
}

// waitOf says what lock a thread waits for, and reports false for one that
// waits for none.
func (s *Snapshot) waitOf(t *threads.Thread, listed map[kd.Addr]Wait) (Wait, bool) {
	w := listed[t.Addr]
	w.Thread, w.Addr, w.Reason = t, t.Addr, t.WaitReason
	if w.Resource != 0 {
		return w, true
	}
	w.At = t.At
	if t.State != threads.Waiting && t.State != threads.StateUnknown {
		return w, false
	}
	if a := t.Stack.Awaited; a != nil {
		w.Resource, w.Owner, w.How, w.At = a.Lock, a.Owner, WaitNamed, a.At
		if r := s.byResource[a.Lock]; r != nil && r.Extension == "" {
			w.Owner = r.soleOwner()
		}
		return w, true
	}
	if r, at, ok := t.ResourceArgument(); ok && t.Stack.X86 {
		w.Resource, w.How, w.At = r, WaitArgument, at
		if known := s.byResource[r]; known != nil {
			w.Owner = known.soleOwner()
		}
		return w, true
	}
	if tm := s.brokeIn(t); tm != nil {
		w.Resource, w.How, w.At = tm.Addr, WaitTimeout, tm.At
		if known := s.byResource[tm.Addr]; known != nil {
			w.Owner = known.soleOwner()
		}
		return w, true
	}
	return w, t.State == threads.Waiting && lockReasons[strings.TrimSpace(t.WaitReason)]
}

// brokeIn returns the complaint whose thread a stack without a header is of: the
// thread complains of the resource that it waits for, and breaks in at the very
// place at which its innermost frame stands. A thread that broke in before has
// gone on from there. nil if that is not so, or another complaint stands above
// the stack.
func (s *Snapshot) brokeIn(t *threads.Thread) *locks.Timeout {
	if t.Addr != 0 || len(t.Stack.Frames) == 0 {
		return nil
	}
	f := &t.Stack.Frames[0]
	if f.Offset < 0 || f.Function == "" {
		return nil
	}
	var above *locks.Timeout
	for i := range s.Timeouts {
		tm := &s.Timeouts[i]
		switch {
		case !tm.At.Before(f.At):
		case above != nil:
			return nil
		default:
			above = tm
		}
	}
	if above == nil || above.BrokeAt != fmt.Sprintf("%s+%#x", f.Name(), f.Offset) {
		return nil
	}
	return above
}

// soleOwner is the thread that owns a resource, 0 if that is none, unknown or
// several.
func (r *Resource) soleOwner() kd.Addr {
	if len(r.Resolved) != 1 {
		return 0
	}
	return r.Resolved[0].Thread
}
