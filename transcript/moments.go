package transcript

import (
	"sort"

	"kdlocks/collect"
	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/memory"
	"kdlocks/modules"
	"kdlocks/objects"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// facts are what the readers found of one moment.
type facts struct {
	locks   locks.Listing
	threads threads.Listing
	objects *objects.Listing // nil if there are none
	modules *modules.Listing // nil if there are none
	memory  *memory.Listing  // nil if there is nothing
	runs    []*collect.Run
	gaps    []kd.Gap // what is known to be missing
}

// snapshot builds the model of one moment.
func (f *facts) snapshot(target snapshot.Target) *snapshot.Snapshot {
	s := snapshot.Build(target, f.locks, f.threads, f.objects, f.modules)
	s.Collected, s.Gaps = f.runs, f.gaps
	s.SetMemory(f.memory)
	return s
}

// rawSession is a session as it was read, before its moments are told apart.
type rawSession struct {
	target snapshot.Target
	id     identity
	facts  facts
}

// add joins the facts of another log of the same moment.
func (f *facts) add(o facts) {
	rounds := len(f.locks.Rounds)
	for _, r := range o.locks.Resources {
		r.Round += rounds
	}
	for _, r := range o.locks.Rounds {
		r.Index += rounds
		f.locks.Rounds = append(f.locks.Rounds, r)
	}
	f.locks.Resources = append(f.locks.Resources, o.locks.Resources...)
	f.locks.Timeouts = append(f.locks.Timeouts, o.locks.Timeouts...)
	f.locks.Triage = append(f.locks.Triage, o.locks.Triage...)
	f.locks.QueuedLocks = append(f.locks.QueuedLocks, o.locks.QueuedLocks...)
	f.locks.PushLocks = append(f.locks.PushLocks, o.locks.PushLocks...)
	f.locks.Notes = append(f.locks.Notes, o.locks.Notes...)
	f.threads.Threads = append(f.threads.Threads, o.threads.Threads...)
	f.threads.Skimmed = append(f.threads.Skimmed, o.threads.Skimmed...)
	f.threads.Processes = append(f.threads.Processes, o.threads.Processes...)
	f.threads.Processors = append(f.threads.Processors, o.threads.Processors...)
	f.threads.Matches = append(f.threads.Matches, o.threads.Matches...)
	f.threads.VerifierDeadlocks = append(f.threads.VerifierDeadlocks, o.threads.VerifierDeadlocks...)
	f.threads.All = append(f.threads.All, o.threads.All...)
	f.threads.AllProcesses = append(f.threads.AllProcesses, o.threads.AllProcesses...)
	f.threads.Tallied = append(f.threads.Tallied, o.threads.Tallied...)
	f.threads.Interpretations = append(f.threads.Interpretations, o.threads.Interpretations...)
	f.threads.Notes = append(f.threads.Notes, o.threads.Notes...)
	if o.modules != nil {
		to := f.theModules()
		to.Modules = append(to.Modules, o.modules.Modules...)
		to.Lists = append(to.Lists, o.modules.Lists...)
	}
	f.runs = append(f.runs, o.runs...)
	f.gaps = append(f.gaps, o.gaps...)
	if o.memory != nil {
		f.theMemory().Add(o.memory)
	}
	if o.objects != nil {
		to := f.theObjects()
		to.IRPs = append(to.IRPs, o.objects.IRPs...)
		to.Messages = append(to.Messages, o.objects.Messages...)
		to.Ports = append(to.Ports, o.objects.Ports...)
		to.Queues = append(to.Queues, o.objects.Queues...)
		to.Sections = append(to.Sections, o.objects.Sections...)
		to.Lists = append(to.Lists, o.objects.Lists...)
		to.Mutexes = append(to.Mutexes, o.objects.Mutexes...)
		to.Resources = append(to.Resources, o.objects.Resources...)
		to.Notes = append(to.Notes, o.objects.Notes...)
	}
}

// theObjects returns the list of single objects, to be added to.
func (f *facts) theObjects() *objects.Listing {
	if f.objects == nil {
		f.objects = &objects.Listing{}
	}
	return f.objects
}

// theModules returns the list of modules, to be added to.
func (f *facts) theModules() *modules.Listing {
	if f.modules == nil {
		f.modules = &modules.Listing{}
	}
	return f.modules
}

// theWords returns what was printed of the target's memory, to be added to.
func (f *facts) theWords() *memory.Memory {
	l := f.theMemory()
	if l.Memory == nil {
		l.Memory = &memory.Memory{}
	}
	return l.Memory
}

// theMemory returns what was read of memory, to be added to.
func (f *facts) theMemory() *memory.Listing {
	if f.memory == nil {
		f.memory = &memory.Listing{}
	}
	return f.memory
}

// splitMoments tells apart the moments that the listings of one session show:
// a live system goes on between two !locks. What was printed behind the
// beginning of a later listing belongs to that moment, the rest to the one
// before.
func splitMoments(whole facts) []facts {
	first := whole.locks.Moments()
	if len(first) < 2 {
		return []facts{whole}
	}
	var begins []kd.Ref
	for _, round := range first[1:] {
		begins = append(begins, whole.locks.Rounds[round].At)
	}
	return cutAt(whole, begins)
}

// cutAt cuts facts where others begin, in the order of the input.
func cutAt(whole facts, begins []kd.Ref) []facts {
	ll, tl, ol := whole.locks, whole.threads, whole.objects
	out := make([]facts, len(begins)+1)
	at := func(r kd.Ref) *facts {
		return &out[sort.Search(len(begins), func(i int) bool { return r.Before(begins[i]) })]
	}
	share(ll.Rounds, at, func(r locks.Round) kd.Ref { return r.At }, func(f *facts) *[]locks.Round { return &f.locks.Rounds })
	share(ll.Resources, at, func(r *locks.Resource) kd.Ref { return r.At }, func(f *facts) *[]*locks.Resource { return &f.locks.Resources })
	share(ll.Timeouts, at, func(t locks.Timeout) kd.Ref { return t.At }, func(f *facts) *[]locks.Timeout { return &f.locks.Timeouts })
	share(ll.Triage, at, func(t locks.Triage) kd.Ref { return t.At }, func(f *facts) *[]locks.Triage { return &f.locks.Triage })
	share(ll.QueuedLocks, at, func(q locks.QueuedLock) kd.Ref { return q.At }, func(f *facts) *[]locks.QueuedLock { return &f.locks.QueuedLocks })
	share(ll.PushLocks, at, func(p locks.PushLock) kd.Ref { return p.At }, func(f *facts) *[]locks.PushLock { return &f.locks.PushLocks })
	share(ll.Notes, at, noteAt, func(f *facts) *[]kd.Note { return &f.locks.Notes })
	share(tl.Threads, at, func(t *threads.Thread) kd.Ref { return t.At }, func(f *facts) *[]*threads.Thread { return &f.threads.Threads })
	share(tl.Skimmed, at, func(b threads.Brief) kd.Ref { return b.At() }, func(f *facts) *[]threads.Brief { return &f.threads.Skimmed })
	share(tl.Processes, at, func(p threads.Process) kd.Ref { return p.At }, func(f *facts) *[]threads.Process { return &f.threads.Processes })
	share(tl.Processors, at, func(p threads.Processor) kd.Ref { return p.At }, func(f *facts) *[]threads.Processor { return &f.threads.Processors })
	share(tl.Matches, at, func(m threads.StackMatch) kd.Ref { return m.At }, func(f *facts) *[]threads.StackMatch { return &f.threads.Matches })
	share(tl.VerifierDeadlocks, at, func(v *threads.VerifierDeadlock) kd.Ref { return v.At }, func(f *facts) *[]*threads.VerifierDeadlock { return &f.threads.VerifierDeadlocks })
	share(tl.AllProcesses, at, func(a threads.AllOf) kd.Ref { return a.At }, func(f *facts) *[]threads.AllOf { return &f.threads.AllProcesses })
	share(tl.All, at, func(a threads.AllOf) kd.Ref { return a.At }, func(f *facts) *[]threads.AllOf { return &f.threads.All })
	share(tl.Tallied, at, func(r kd.Ref) kd.Ref { return r }, func(f *facts) *[]kd.Ref { return &f.threads.Tallied })
	share(tl.Interpretations, at, func(i threads.Interpretation) kd.Ref { return i.At }, func(f *facts) *[]threads.Interpretation { return &f.threads.Interpretations })
	share(tl.Notes, at, noteAt, func(f *facts) *[]kd.Note { return &f.threads.Notes })
	if ml := whole.modules; ml != nil {
		share(ml.Modules, at, func(m *modules.Module) kd.Ref { return m.At }, func(f *facts) *[]*modules.Module { return &f.theModules().Modules })
		share(ml.Lists, at, func(l modules.List) kd.Ref { return l.At }, func(f *facts) *[]modules.List { return &f.theModules().Lists })
	}
	share(whole.runs, at, func(c *collect.Run) kd.Ref { return c.Last }, func(f *facts) *[]*collect.Run { return &f.runs })
	if ml := whole.memory; ml != nil {
		share(ml.VMs, at, func(v *memory.VM) kd.Ref { return v.At }, func(f *facts) *[]*memory.VM { return &f.theMemory().VMs })
		share(ml.Counts, at, func(c *memory.Counts) kd.Ref { return c.At }, func(f *facts) *[]*memory.Counts { return &f.theMemory().Counts })
		share(ml.Blocks, at, func(b *memory.Blocks) kd.Ref { return b.At }, func(f *facts) *[]*memory.Blocks { return &f.theMemory().Blocks })
		share(ml.Pools, at, func(p *memory.Pool) kd.Ref { return p.At }, func(f *facts) *[]*memory.Pool { return &f.theMemory().Pools })
		if len(ml.HeapLogs)+len(ml.HeapDiffs) > 0 { // they tell their own moment, and belong together
			last := out[len(out)-1].theMemory()
			last.HeapLogs, last.HeapDiffs = ml.HeapLogs, ml.HeapDiffs
		}
		share(ml.Notes, at, noteAt, func(f *facts) *[]kd.Note { return &f.theMemory().Notes })
		if w := ml.Memory; w != nil {
			share(w.Symbols, at, func(s memory.Symbol) kd.Ref { return s.At }, func(f *facts) *[]memory.Symbol { return &f.theWords().Symbols })
			share(w.Words, at, func(w memory.Words) kd.Ref { return w.At }, func(f *facts) *[]memory.Words { return &f.theWords().Words })
			share(w.Searches, at, func(s memory.Search) kd.Ref { return s.At }, func(f *facts) *[]memory.Search { return &f.theWords().Searches })
			share(w.Hits, at, func(s memory.Hit) kd.Ref { return s.At }, func(f *facts) *[]memory.Hit { return &f.theWords().Hits })
		}
	}
	if ol != nil {
		share(ol.IRPs, at, func(i *objects.IRP) kd.Ref { return i.At }, func(f *facts) *[]*objects.IRP { return &f.theObjects().IRPs })
		share(ol.Messages, at, func(m *objects.Message) kd.Ref { return m.At }, func(f *facts) *[]*objects.Message { return &f.theObjects().Messages })
		share(ol.Ports, at, func(p *objects.Port) kd.Ref { return p.At }, func(f *facts) *[]*objects.Port { return &f.theObjects().Ports })
		share(ol.Queues, at, func(q *objects.WorkQueue) kd.Ref { return q.At }, func(f *facts) *[]*objects.WorkQueue { return &f.theObjects().Queues })
		share(ol.Sections, at, func(c *objects.CriticalSection) kd.Ref { return c.At }, func(f *facts) *[]*objects.CriticalSection { return &f.theObjects().Sections })
		share(ol.Lists, at, func(l objects.List) kd.Ref { return l.At }, func(f *facts) *[]objects.List { return &f.theObjects().Lists })
		share(ol.Mutexes, at, func(m *objects.Mutex) kd.Ref { return m.At }, func(f *facts) *[]*objects.Mutex { return &f.theObjects().Mutexes })
		share(ol.Resources, at, func(r *objects.ResourceFields) kd.Ref { return r.At }, func(f *facts) *[]*objects.ResourceFields { return &f.theObjects().Resources })
		share(ol.Notes, at, noteAt, func(f *facts) *[]kd.Note { return &f.theObjects().Notes })
	}
	for i := range out {
		out[i].threads.Load, out[i].threads.Functions = tl.Load, tl.Functions
	}
	return out
}

func noteAt(n kd.Note) kd.Ref { return n.At }

// share gives each item to the moment that its place belongs to.
func share[T any](items []T, moment func(kd.Ref) *facts, place func(T) kd.Ref, list func(*facts) *[]T) {
	for _, item := range items {
		l := list(moment(place(item)))
		*l = append(*l, item)
	}
}
