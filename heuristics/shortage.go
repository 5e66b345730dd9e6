package heuristics

import (
	"cmp"
	"fmt"
	"slices"

	"kdlocks/kd"
	"kdlocks/memory"
	"kdlocks/threads"
)

// shortage is a kind of memory of which little or nothing is left.
type shortage struct {
	vm   *memory.VM
	what string      // "nonpaged pool"
	pool memory.Type // NoType where it is not about pool
	// used of most are in use, in pages; of physical memory, most are all pages and
	// used those that are not available.
	used, most int64
	percent    float64
	at         []kd.Ref
	failed     memory.Number // allocations that failed, unknown if none did
	full       bool          // and not only near its limit
	sure       Confidence
	// left says how much there is where it is not told by the percentage.
	left string
	// session is whose pool it is where each session has its own, nil otherwise.
	session *memory.SessionMemory
	// ofRAM is set where physical memory is the limit, and not the printed maximum.
	ofRAM bool
}

// shortages returns what the last !vm shows to be used up, or nearly. Counters that
// cannot be true are not used.
func (d *diagnosis) shortages() []shortage {
	if v := d.snap.Memory.LastVM(); v != nil {
		return d.shortagesOf(v)
	}
	return nil
}

// earlierShortages returns what an earlier !vm shows to be used up and the last does not,
// each once.
func (d *diagnosis) earlierShortages() []shortage {
	last := d.snap.Memory.LastVM()
	var out []shortage
	told := d.shortages()
	for _, v := range d.snap.Memory.VMs {
		if v == last {
			break
		}
		for _, s := range d.shortagesOf(v) {
			if s.full && !slices.ContainsFunc(told, func(t shortage) bool { return t.what == s.what }) {
				out, told = append(out, s), append(told, s)
			}
		}
	}
	return out
}

func (d *diagnosis) shortagesOf(v *memory.VM) []shortage {
	var out []shortage
	for _, of := range []func(*memory.VM) (shortage, bool){nonPagedOf, pagedOf, physicalOf, commitOf, ptesOf} {
		// On 64 bits there are more system PTEs than could be used up.
		if s, ok := of(v); ok && !(s.what == systemPTEs && d.snap.Target.Arch.Is64()) {
			out = append(out, s)
		}
	}
	// How many failed is told of both pools together: it is held against the fuller one.
	if len(out) > 1 && out[1].pool == memory.Paged {
		less := &out[0]
		if less.percent > out[1].percent {
			less = &out[1]
		}
		less.failed, less.full = memory.Number{}, false
		if !less.ofRAM {
			less.weigh()
		}
	}
	return append(out, sessionsOf(v)...)
}

func (s *shortage) see(names ...string) {
	for _, name := range names {
		if c := s.vm.Counter(name); c != nil {
			s.at = append(s.at, c.At)
		}
	}
}

// words says how short it is: "98 %, 3 failed allocations".
func (s *shortage) words() string {
	text := s.left
	if text == "" {
		text = fmt.Sprintf("%d %%", int(s.percent))
	}
	if s.failed.Known() && s.failed.N > 0 {
		text += ", " + kd.Plural(int(s.failed.N), "failed "+s.request())
	}
	return text
}

// verb is "is" or "are".
func (s *shortage) verb() string {
	if s.what == systemPTEs {
		return "are"
	}
	return "is"
}

// request is what fails where it is short.
func (s *shortage) request() string {
	if s.what == commitLimit {
		return "request"
	}
	return "allocation"
}

// explain says it with its numbers.
func (s *shortage) explain() string {
	var text string
	switch {
	case s.what == systemPTEs:
		text = fmt.Sprintf("!vm prints %s free system PTEs", grouped(s.used))
	case s.session != nil:
		text = fmt.Sprintf("!vm prints %s of %s Kb in use (%d %%)", grouped(s.used), grouped(s.most), int(s.percent))
	case s.ofRAM:
		text = fmt.Sprintf("!vm prints %s pages in use, of the %s of physical memory (%d %%), which is less than the maximum that it prints", grouped(s.used), grouped(s.most), int(s.percent))
	default:
		text = fmt.Sprintf("!vm prints %s of %s pages in use (%d %%)", grouped(s.used), grouped(s.most), int(s.percent))
	}
	if s.failed.Known() && s.failed.N > 0 {
		text += fmt.Sprintf(", and that %s failed since the machine started", kd.Plural(int(s.failed.N), s.request()))
	}
	return text + "."
}

// evidence adds the lines of !vm.
func (s *shortage) evidence(f *Finding) {
	why := "how much of " + s.what + " is used"
	if s.what == systemPTEs {
		why = "how many are free"
	}
	for _, at := range s.at {
		f.seen(at, 0, why)
	}
	f.seen(s.failed.At, 0, "allocations that failed")
	if b := s.vm.Banner("excessive"); b != nil && s.pool == memory.NonPaged {
		f.seen(b.At, 0, "the warning of the debugger")
	}
}

// grouped writes a number with a comma between each three digits.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// lockWaiters counts the threads that wait for locks and may be victims: those behind
// roots that wait for memory by their own stacks, or whose stacks are not in the input.
// elsewhere counts those behind roots that are seen to do something else.
func (d *diagnosis) lockWaiters() (victims, elsewhere int) {
	for _, r := range d.roots {
		n := d.graph.Nodes[r.Node]
		t := d.snap.Thread(n.Addr)
		_, blocked := d.behind(n.Addr)
		switch {
		case t == nil || len(t.Stack.Frames) == 0 && t.State != threads.Running:
			victims += blocked
		default:
			if why, _ := memoryWait(t); why != "" {
				victims += blocked
			} else {
				elsewhere += blocked
			}
		}
	}
	return victims, elsewhere
}

// byWeight puts what is used up before what nearly is, and then the fuller first.
func byWeight(a, b shortage) int {
	return cmp.Or(boolean(b.full)-boolean(a.full), cmp.Compare(b.percent, a.percent))
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// memoryIsThere says what the last !vm shows to be left, "" if it shows a shortage, or
// too little to tell: nonpaged pool and pages that are available must be known, nothing
// may have failed, and no counter may be anywhere near its limit.
func (d *diagnosis) memoryIsThere() string {
	const comfortable = 80 // percent; of physical memory, a quarter in nonpaged pool
	v := d.snap.Memory.LastVM()
	if v == nil || len(d.shortages()) > 0 || len(v.Failures) > 0 || len(v.Banners) > 0 {
		return ""
	}
	pool, ok := v.NonPagedPercent()
	n, _ := v.NonPagedUsage()
	paged, _ := v.PagedPercent()
	if commit, _ := v.CommitPercent(); pool > comfortable || paged > comfortable || commit > comfortable || 4*n > v.Pages(memory.PhysicalMemory).N {
		return ""
	}
	free, known := v.Counter(memory.AvailablePages).Bytes()
	if !ok || !known || v.OverRAM(memory.AvailablePages) != memory.No || notRead(v) || len(d.earlierShortages()) > 0 {
		return ""
	}
	for i := range v.Sessions {
		if v.Sessions[i].Failed.N > 0 {
			return ""
		}
	}
	text := fmt.Sprintf("by !vm %d %% of nonpaged pool", int(pool))
	if paged, ok := v.PagedPercent(); ok {
		text += fmt.Sprintf(" and %d %% of paged pool", int(paged))
	}
	return text + " are in use, and " + inBytes(free) + " are available"
}

// gapsOfMemory asks for what would tell whether memory is short, where something was
// printed about it that does not.
func (d *diagnosis) gapsOfMemory() {
	v := d.snap.Memory.LastVM()
	switch {
	case v == nil && len(d.snap.Memory.Pools) > 0 && (len(d.growths()) == 0 || !d.snap.OnlyContext()):
		d.gap(kd.Gap{What: fullPools, Why: kd.NotInInput, Next: "!vm"})
	case v != nil && v.NonPagedOverRAM() == memory.Yes:
		d.gap(kd.Gap{What: "how full nonpaged pool is: !vm prints more than there is physical memory", Why: kd.Unreadable, Next: "!poolused 2"})
	}
	if m := d.snap.Memory.Memory; m != nil && len(d.snap.Memory.Pools) == 0 && len(d.shortages()) == 0 && looksForImporters(m) {
		d.gap(kd.Gap{What: untaggedPool, Why: kd.NotInInput, Next: "!poolused 2"})
	}
}

// What gaps of memory are about.
const (
	fullPools    = "how full the pools are"
	untaggedPool = "how much pool was allocated without a tag"
)

// decidesMemory makes what is missing of memory decide where a session tells of nothing
// else, and reports whether anything is: who looks at pool alone is asked for the next
// step there, and not for locks.
func (d *diagnosis) decidesMemory() bool {
	if !d.snap.OnlyContext() {
		return false
	}
	for i := range d.gaps {
		if g := &d.gaps[i]; g.What == fullPools || g.What == untaggedPool {
			g.Decides = true
			return true
		}
	}
	return false
}
