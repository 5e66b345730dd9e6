package heuristics

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/objects"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var workerExhaustion = &Check{
	ID:       "worker-exhaustion",
	Title:    "All system worker threads are blocked in work items: nobody is left to run the next one",
	Severity: High,
	Means: `Every listed thread that runs ExpWorkerThread waits inside the routine of a work item, and none waits for the next item. Work that is queued now is not run before one of them comes back. If what they wait for needs a work item itself, as many completions of file systems and filters do, it is a deadlock over the queue.
Seen must be: in !exqueue, a queue with pending items whose workers are all listed and all wait inside work items. Or, from stacks alone, four or more such threads and no idle one; that they stand in a complete listing of System (!process 4 7, or !stacks 2 up to its end) and not each by a !thread of its own, and that this is no selection (threads of System that are no workers are listed, too: the balance set manager, a page writer). Workers that began to wait less than a second ago come back soon. Windows says it itself with the live dump 0x1C5, whose second argument is the queue.`,
	WhenWrong: `Windows makes more workers while items are pending and those that there are block, up to a limit: a moment later there may be one. Each priority, and on later versions each node and pool, has workers of its own: others may be idle. The threads of a driver's own pool are no system workers. A listing that was filtered, or cut off, does not show the idle ones.`,
	Disproof:  "!exqueue shows an idle worker, or no pending items; a second capture shows the same workers in other routines.",
	Remedy:    "See what the items wait for: one root behind most of them is the cause. For a driver's developer: a work item must not wait for another work item of the same queue.",
	Next:      "!exqueue f",
	References: []string{
		"Microsoft Learn: !exqueue", "Microsoft Learn: System Worker Threads",
		"Microsoft Learn: Bug Check 0x1C5 IO_THREADPOOL_DEADLOCK_LIVEDUMP", "NT Debugging blog: How Queue Deadlocks Happen",
	},
}

// fewWorkers is how many blocked workers a finding needs: every machine has had
// more since Windows 2000.
const fewWorkers = 4

// workers is what the listing shows of the system's worker threads.
type workers struct {
	blocked []*threads.Thread
	// other is set when one does not wait in a work item: it is idle, runs, or
	// its stack tells nothing.
	other bool
	// whole are system threads that are no workers, by their routine, and that a
	// listing of the workers alone would not show.
	whole string
	// picked is set when one stands in no listing of System: it was asked for by
	// its address, and others may be there.
	picked bool
}

// all reports whether the listing shows every worker of the system.
func (w *workers) all() bool { return w.whole != "" && !w.picked }

// atWork reports whether the workers are not stuck: one of them began to wait
// just now, or all did. A wait for an ERESOURCE or with a timer is begun anew
// every few seconds, so one young one among others says nothing.
func (w *workers) atWork() bool {
	const brief = 1_000 // milliseconds
	young := 0
	for _, t := range w.blocked {
		if t.WaitMS < 0 || t.WaitMS >= brief {
			continue
		}
		if !waitsForResource(t) && !t.Timed() {
			return true
		}
		young++
	}
	return young == len(w.blocked)
}

func init() {
	register(workerExhaustion, func(d *diagnosis) []Finding {
		if out := d.exhaustedQueues(); len(out) > 0 {
			return out
		}
		w := d.workers()
		if w.other || len(w.blocked) < fewWorkers {
			return nil
		}
		stuck := d.stopCode()
		if stuck != nil && !stuck.queue {
			stuck = nil
		}
		if stuck == nil && (w.atWork() || d.noPending()) {
			return nil
		}
		if stuck == nil && (!w.all() || len(d.snap.Queues()) > 0) {
			d.gap(kd.Gap{What: fmt.Sprintf("whether a system worker is idle (all %d that are listed wait inside work items)", len(w.blocked)), Why: kd.NotInInput, Next: workerExhaustion.Next})
			return nil
		}
		return []Finding{d.exhaustionFinding(w, stuck)}
	})
}

// noPending reports whether !exqueue was read and no item waits in any queue.
func (d *diagnosis) noPending() bool {
	qs := d.snap.Queues()
	return len(qs) > 0 && !slices.ContainsFunc(qs, func(q *objects.WorkQueue) bool { return len(q.Pending) > 0 })
}

// workers looks for the system's worker threads. It stops at the first that
// does not wait in a work item.
func (d *diagnosis) workers() workers {
	var w workers
	n := 0
	rest := d.snap.Skimmed()
	for i := range rest {
		b := &rest[i]
		if !b.Has(threads.Worker) {
			continue
		}
		if n++; b.State != threads.Waiting || b.Has(threads.QueueWait) {
			return workers{other: true}
		}
	}
	for _, t := range d.snap.Threads {
		if w.add(t); w.other {
			return w
		}
	}
	if n == 0 || n+len(w.blocked) < fewWorkers {
		return w
	}
	w = workers{}
	for t := range d.snap.AllThreads() {
		if w.add(t); w.other {
			break
		}
	}
	return w
}

func (w *workers) add(t *threads.Thread) {
	if t == nil || t.State == threads.Terminated {
		return
	}
	at := t.FindFrame("ExpWorkerThread")
	listed := t.Listed && ofSystem(t)
	if w.whole == "" && listed {
		w.whole = permanent(t)
	}
	if at < 0 {
		if strings.Contains(t.StartAddress, "ExpWorkerThread") && !strings.Contains(t.StartAddress, "Balance") {
			w.other = true // its stack was not printed: it may be idle
		}
		return
	}
	if strings.Contains(t.Stack.Frames[at].Function, "BalanceManager") {
		return
	}
	if !couldWait(t) || !inWorkItem(t, at) {
		w.other = true
		return
	}
	w.blocked, w.picked = append(w.blocked, t), w.picked || !listed
}

// ofSystem reports whether a thread belongs to the process System.
func ofSystem(t *threads.Thread) bool {
	const system = 4 // its number since Windows XP
	return t.Process.Image == "System" || t.CID.Known && t.CID.Process == system
}

// inWorkItem reports whether a worker waits below the routine of a work item: a
// function stands between the wait and the worker's own.
func inWorkItem(t *threads.Thread, worker int) bool {
	q := t.FindFrame(threads.QueueWaits...)
	if q >= 0 && q < worker {
		return false
	}
	for _, f := range t.Stack.Frames[:worker] {
		if f.Function != "" && !threads.IsPlumbing(f.Function) {
			return true
		}
	}
	return false
}

// permanent returns the routine of a system thread that runs from boot on and is
// no worker, "" for any other thread.
func permanent(t *threads.Thread) string {
	for _, name := range [...]string{"KeBalanceSetManager", "MiModifiedPageWriter", "MiMappedPageWriter", "KeSwapProcessOrStack", "CcQueueLazyWriteScanThread"} {
		if strings.Contains(t.StartAddress, name) || t.FindFrame(name) >= 0 {
			return name
		}
	}
	return ""
}

// exhaustedQueues returns findings about queues of !exqueue in which items wait
// while every worker waits inside another.
func (d *diagnosis) exhaustedQueues() []Finding {
	var out []Finding
	for _, q := range d.snap.Queues() {
		if len(out) > MostFindings {
			break
		}
		if len(q.Pending) == 0 {
			continue
		}
		w := d.workersOf(q)
		if w.other || len(w.blocked) == 0 {
			w = d.workersOfAll(w.other)
		}
		if !w.other && len(w.blocked) >= 2 && !w.atWork() {
			out = append(out, d.queueFinding(q, w))
		}
	}
	return out
}

// workersOfAll returns all workers of which there is a stack, if there are as
// many as all queues have: then they are theirs. Where !exqueue does not count
// them, a listing of all threads of System must show them; unlike is set when
// !exqueue lists one that does not wait in a work item.
func (d *diagnosis) workersOfAll(unlike bool) workers {
	sum, counted := 0, true
	for _, q := range d.snap.Queues() {
		sum += q.Threads
		counted = counted && q.Threads >= 0
	}
	w := d.workers()
	if counted {
		w.other = w.other || len(w.blocked) < sum
	} else {
		w.other = w.other || unlike || !w.all() || len(w.blocked) < fewWorkers
	}
	return w
}

// workersOf looks at the workers that !exqueue lists for a queue. Blocked are
// they only if it lists all of them.
func (d *diagnosis) workersOf(q *objects.WorkQueue) workers {
	var w workers
	for _, worker := range q.Workers {
		t := d.snap.Thread(worker.Thread)
		if t == nil || !couldWait(t) {
			return workers{other: true}
		}
		if at := t.FindFrame("ExpWorkerThread"); at < 0 || !inWorkItem(t, at) {
			return workers{other: true}
		}
		w.blocked = append(w.blocked, t)
	}
	if q.Open || len(q.Workers) < q.Threads {
		w.blocked = nil
	}
	return w
}

func (d *diagnosis) queueFinding(q *objects.WorkQueue, w workers) Finding {
	var stuck *stopCode
	if s := d.stopCode(); s != nil && s.queue {
		stuck = s
	}
	f := d.exhaustionFinding(w, stuck)
	if f.Kind == BlockedChain {
		f.Confidence = VeryLikely
	}
	name := "the work queue"
	if q.Name != "" {
		name = "the " + q.Name + " work queue"
	}
	if q.Node >= 0 {
		name += fmt.Sprintf(" of node %d", q.Node)
	}
	f.seen(q.At, 0, "the queue")
	for _, item := range q.Pending[:min(len(q.Pending), 8)] {
		f.seen(item.At, 0, "an item that no worker has taken")
	}
	whose := fmt.Sprintf("all of its %d workers", len(w.blocked))
	if len(q.Workers) < len(w.blocked) {
		whose = fmt.Sprintf("all %d system workers that are listed", len(w.blocked))
	}
	f.Summary = fmt.Sprintf("%s is exhausted: %s, and %s wait inside other items.", capital(name), pending(len(q.Pending)), whose)
	f.Explanation = strings.TrimSuffix(f.Explanation, notInInput)
	if r := q.Pending[0].Routine; r != "" {
		f.Explanation += fmt.Sprintf(" The first item that waits is %s: if one of the workers waits for it, they deadlock over the queue.", r)
	}
	f.Next = []string{"!stacks 2 ExpWorkerThread"}
	return f
}

func pending(n int) string {
	if n == 1 {
		return "1 item is pending"
	}
	return fmt.Sprintf("%d items are pending", n)
}

// notInInput ends the explanation where !exqueue was not read.
const notInInput = " Whether items are pending is not in the input: !exqueue tells."

func (d *diagnosis) exhaustionFinding(w workers, stuck *stopCode) Finding {
	f := workerExhaustion.finding(BlockedChain)
	f.Confidence, f.Grade = Likely, waitgraph.C
	routines := make(map[string]int)
	most, shown := "", 0
	for _, t := range w.blocked {
		f.Threads = append(f.Threads, t.Addr)
		if name := itemOf(t); name != "" {
			if routines[name]++; routines[name] > routines[most] || most == "" {
				most = name
			}
		}
		if shown++; shown <= 8 {
			f.seen(t.At, t.Addr, "a system worker, blocked in a work item")
			d.seenFrame(&f, t, t.FindFrame("ExpWorkerThread"), "it runs work items")
		}
	}
	_, f.Blocked = d.behindAll(f.Threads)
	f.Summary = fmt.Sprintf("All %d system worker threads that are listed wait inside work items and none is idle: what is queued now is not run before one of them comes back.", len(w.blocked))
	f.Explanation = "None of them waits for the next item."
	if most != "" {
		f.Explanation += fmt.Sprintf(" Most often the item is %s (%d of %d).", most, routines[most], len(w.blocked))
	}
	if w.whole != "" {
		f.Explanation += fmt.Sprintf(" The listing shows other system threads, too (%s), so it is no selection of workers.", w.whole)
	}
	f.Next = []string{"!exqueue f", "!stacks 2 ExpWorkerThread"}
	if stuck != nil {
		f.Kind, f.Confidence = SuspectedDeadlock, VeryLikely
		f.seen(d.snap.Target.Bugcheck.At, kd.Addr(d.snap.Target.Bugcheck.Code), "the stop code")
		d.seenArgs(&f, stuck)
		f.Summary = fmt.Sprintf("Windows reports a deadlocked pool of workers (%s), and all %d that are listed wait inside work items.", d.stopName(), len(w.blocked))
		f.Explanation = d.saysOf(stuck) + " " + f.Explanation
		return f
	}
	f.Explanation += notInInput
	return f
}

// itemOf is the routine of the work item that a worker runs: the outermost
// function below the worker's own that is no wrapper of the I/O manager.
func itemOf(t *threads.Thread) string {
	for i := t.FindFrame("ExpWorkerThread") - 1; i >= 0; i-- {
		f := &t.Stack.Frames[i]
		if f.Function == "" && f.Module == "" || strings.HasPrefix(f.Function, "IopProcessWorkItem") || strings.HasPrefix(f.Function, "ExpProcessWorkItem") {
			continue
		}
		return f.Name()
	}
	return ""
}

// behindAll counts the threads that wait behind any of some threads.
func (d *diagnosis) behindAll(ts []kd.Addr) ([]kd.Addr, int) {
	var nodes []int
	for _, a := range ts {
		if n := d.graph.Find(a); n >= 0 {
			nodes = append(nodes, n)
		}
	}
	if len(nodes) == 0 {
		return nil, 0
	}
	behind, announced := d.graph.BlockedBy(nodes)
	var out []kd.Addr
	for _, n := range behind {
		out = append(out, d.graph.Nodes[n].Addr)
	}
	return out, len(out) + announced
}
