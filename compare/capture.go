package compare

import (
	"iter"
	"strings"

	"kdlocks/heuristics"
	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// Capture is one moment of one machine, as it was judged.
type Capture struct {
	// Name is what the user calls it, Given the argument that it was read from,
	// counted from 0.
	Name  string
	Given int
	heuristics.Judgement

	// UptimeMS and TimeMS are what the header printed, -1 if it did not or
	// another moment of the same session was printed below it before.
	UptimeMS, TimeMS int64
	// FromTick and ToTick are the clock ticks since boot at which the threads
	// were printed, -1 if that is not known; TickMS is the length of one, 0 if
	// not known.
	FromTick, ToTick int64
	TickMS           float64

	index   int // in the order of time
	zoned   bool
	threads map[kd.Addr]*thread
	order   []kd.Addr // of threads, as printed
	waits   map[kd.Addr]wait
	steps   map[stepKey]bool
	fatal   map[kd.Addr]bool // threads of deadlocks, suspected ones too
	holders map[kd.Addr]*snapshot.Resource
	system  kd.Addr // the System process
}

// thread is what is kept of a thread to find it again.
type thread struct {
	addr             kd.Addr
	cid              threads.CID
	process          kd.Addr
	image            string
	state            threads.State
	reason           string
	header           bool
	conflict         bool
	open             bool // its list of wait objects may go on
	inWait           bool // it does not wait, but stands in the routine that waits for an ERESOURCE
	elsewhere        bool // it does not wait, and its stack names other routines only
	timed            bool
	switches         int64 // -1 unknown
	waitStart, ticks int64 // -1 unknown
	waitMS           int64
	sp               kd.Addr // Stack Current
	objects          []object
	at, waitAt       kd.Ref
}

// object is a dispatcher object that a thread waits for.
type object struct {
	addr, owner kd.Addr
	at          kd.Ref
}

// wait is a place in a list of waiters.
type wait struct {
	lock      kd.Addr
	at        kd.Ref
	exclusive bool
}

// known returns the printed milliseconds, -1 if they cannot be read.
func known(ms int64, ok bool) int64 {
	if !ok {
		return -1
	}
	return ms
}

// load collects what is compared; it reads every thread once.
func (c *Capture) load() {
	c.loadClock()
	c.loadThreads(c.Snap.AllThreads())
	c.loadFacts()
}

// loadNamed is load for some threads only.
func (c *Capture) loadNamed(addrs []kd.Addr) {
	c.loadClock()
	c.loadThreads(func(yield func(*threads.Thread) bool) {
		for _, a := range addrs {
			if t := c.Snap.Thread(a); t != nil && !yield(t) {
				return
			}
		}
	})
	c.loadFacts()
}

// loadFacts collects all that is compared but times and threads.
func (c *Capture) loadFacts() {
	c.findNow()
	c.waits, c.holders = make(map[kd.Addr]wait), make(map[kd.Addr]*snapshot.Resource)
	for _, r := range c.Snap.Resources {
		if r.Reading != locks.Irreconcilable {
			c.loadLock(r)
		}
	}
	c.steps, c.fatal = make(map[stepKey]bool), make(map[kd.Addr]bool)
	for i := range c.Findings {
		c.loadFinding(&c.Findings[i])
	}
}

// loadClock reads the times of the header.
func (c *Capture) loadClock() {
	c.UptimeMS, c.TimeMS = -1, -1
	if t := &c.Snap.Target; t.Moment <= 1 {
		c.UptimeMS = known(snapshot.ParseUptime(t.Uptime))
		ms, zoned, ok := snapshot.ParseSessionTime(t.SessionTime)
		c.TimeMS, c.zoned = known(ms, ok), zoned
	}
}

func (c *Capture) loadLock(r *snapshot.Resource) {
	add := func(list []locks.Waiter, exclusive bool) {
		for _, w := range list {
			if _, ok := c.waits[w.Thread]; !ok && !w.Marker() {
				c.waits[w.Thread] = wait{r.Addr, w.At, exclusive}
			}
		}
	}
	add(r.SharedWaiters, false)
	add(r.ExclusiveWaiters, true)
	if r.Waiting() == 0 {
		return
	}
	for i := range r.Resolved {
		if t := r.Resolved[i].Thread; t != 0 && c.holders[t] == nil {
			c.holders[t] = r
		}
	}
}

func (c *Capture) loadFinding(f *heuristics.Finding) {
	for _, list := range [][]heuristics.Step{f.Cycle, f.Chain} {
		for _, s := range list {
			c.steps[keyOf(s)] = true
		}
	}
	if f.Kind == heuristics.Deadlock || f.Kind == heuristics.SuspectedDeadlock {
		for _, list := range [][]kd.Addr{f.Threads, f.Others} {
			for _, a := range list {
				c.fatal[a] = true
			}
		}
	}
}

func (c *Capture) loadThreads(list iter.Seq[*threads.Thread]) {
	words := make(map[string]string)
	// A word of the input keeps all the text around it in memory.
	intern := func(w string) string {
		if have, ok := words[w]; ok {
			return have
		}
		w = strings.Clone(w)
		words[w] = w
		return w
	}
	c.threads = make(map[kd.Addr]*thread)
	for t := range list {
		if t.Addr == 0 {
			continue
		}
		f := &thread{
			addr: t.Addr, cid: t.CID, process: t.Process.Addr, image: intern(t.Process.Image),
			state: t.State, reason: intern(t.WaitReason), header: t.Header, conflict: t.Conflict != "", open: t.WaitListOpen, timed: t.Timed(),
			switches: t.ContextSwitches, waitStart: t.WaitStart, ticks: t.Ticks, waitMS: t.WaitMS, sp: t.Stack.Current, at: t.At, waitAt: t.WaitAt,
		}
		for _, o := range t.WaitObjects {
			f.objects = append(f.objects, object{o.Addr, o.Owner, o.At})
		}
		f.loadStack(t)
		if c.threads[t.Addr] == nil {
			c.order = append(c.order, t.Addr)
		}
		c.threads[t.Addr] = f
		if t.Process.Image == "System" && c.system == 0 {
			c.system = t.Process.Addr
		}
	}
	for _, p := range c.Snap.Processes {
		if p.Image == "System" && p.Addr != 0 {
			c.system = p.Addr
		}
	}
}

// loadStack reads what a thread that does not wait is about.
func (f *thread) loadStack(t *threads.Thread) {
	if f.state == threads.Waiting || f.state == threads.StateUnknown || f.state == threads.Terminated {
		return
	}
	f.inWait = t.FindFrame("ExpWaitForResource") >= 0
	for i := range t.Stack.Frames {
		f.elsewhere = f.elsewhere || !f.inWait && t.Stack.Frames[i].Function != ""
	}
}

// findNow finds the tick count of the moment: for every thread, the tick at
// which its wait began and the ticks since then add up to it. In a dump all
// sums are equal (testdata/corpus, capture 039), on a live system they lie as far apart as the printing took;
// sums that do not agree say nothing.
func (c *Capture) findNow() {
	c.FromTick, c.ToTick = -1, -1
	times := make(map[int64]int)
	n, longest := 0, int64(0)
	for _, a := range c.order {
		t := c.threads[a]
		if t.waitStart < 0 || t.ticks < 0 {
			continue
		}
		n++
		times[t.waitStart+t.ticks]++
		if t.ticks > longest && t.waitMS > 0 {
			longest, c.TickMS = t.ticks, float64(t.waitMS)/float64(t.ticks)
		}
	}
	const apart = 64 * 600 // ten minutes of printing
	for now, times := range times {
		if 2*times > n {
			c.FromTick, c.ToTick = now, now
			return
		}
		if c.FromTick < 0 || now < c.FromTick {
			c.FromTick = now
		}
		c.ToTick = max(c.ToTick, now)
	}
	if c.ToTick-c.FromTick > apart {
		c.FromTick, c.ToTick = -1, -1
	}
}

// First returns the first place of the capture, unknown if it has none.
func (c *Capture) First() kd.Ref {
	var first kd.Ref
	see := func(at kd.Ref) {
		if at.Known() && (!first.Known() || at.Before(first)) {
			first = at
		}
	}
	for _, r := range c.Snap.Resources {
		see(r.At)
	}
	for _, a := range c.order[:min(len(c.order), 1)] {
		see(c.threads[a].at)
	}
	see(c.Snap.Total.At)
	for _, v := range c.Snap.Memory.VMs {
		see(v.At)
	}
	for _, p := range c.Snap.Memory.Pools {
		see(p.At)
	}
	return first
}

const (
	minuteMS = 60_000
	hourMS   = 60 * minuteMS
)
