package compare

import (
	"fmt"
	"slices"

	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// Refusal is a capture that is not compared, and why.
type Refusal struct {
	Capture *Capture
	// With is the capture that it cannot be compared with, nil if there is none.
	With *Capture
	Why  string
}

// otherBoot says by what two captures are seen to be of two machines or of two
// boots, "" if nothing speaks against one. b need not be the later.
func otherBoot(a, b *Capture) string {
	if why := otherHeader(a, b); why != "" {
		return why
	}
	return otherObjects(a, b)
}

// otherHeader is otherBoot for what was printed of the target.
func otherHeader(a, b *Capture) string {
	s, t := &a.Snap.Target, &b.Snap.Target
	switch {
	case s.Arch != kd.ArchUnknown && t.Arch != kd.ArchUnknown && s.Arch != t.Arch:
		return fmt.Sprintf("another architecture: %s and %s", s.Arch, t.Arch)
	case differ(s.Machine, t.Machine):
		return fmt.Sprintf("another machine name: %s and %s", s.Machine, t.Machine)
	case differ(s.Build, t.Build):
		return fmt.Sprintf("another build of Windows: %s and %s", s.Build, t.Build)
	case differ(s.BuiltBy, t.BuiltBy):
		return fmt.Sprintf("another build of Windows: %s and %s", s.BuiltBy, t.BuiltBy)
	case s.KernelBase != 0 && t.KernelBase != 0 && s.KernelBase != t.KernelBase:
		return fmt.Sprintf("another kernel base: %s and %s", s.KernelBase.Bare(s.Arch), t.KernelBase.Bare(t.Arch))
	}
	return otherClock(a, b)
}

func differ(a, b string) bool { return a != "" && b != "" && a != b }

// otherClock compares when the two were started: uptime before session time.
func otherClock(a, b *Capture) string {
	if off := clockStep(a, b); off > 0 && !clockWasSet(a, b, off) {
		return fmt.Sprintf("another boot: session time less uptime differs by %s", Span(off))
	}
	return ""
}

// clockStep returns by how many milliseconds the times at which two captures say
// that they were started lie apart, 0 if they agree or are not known.
func clockStep(a, b *Capture) int64 {
	if a.UptimeMS < 0 || b.UptimeMS < 0 || a.TimeMS < 0 || b.TimeMS < 0 || a.zoned != b.zoned {
		return 0
	}
	// A debugger that was left broken in goes on telling the time.
	if a.UptimeMS == b.UptimeMS {
		return 0
	}
	const slack = 2 * minuteMS // a clock that is corrected
	off := (a.TimeMS - a.UptimeMS) - (b.TimeMS - b.UptimeMS)
	if off = max(off, -off); off <= slack {
		return 0
	}
	return off
}

// clockWasSet reports whether two captures are of one boot although their clocks
// are off milliseconds apart: a boot that comes after another begins after its
// last moment, so that it is off by no less than the uptime that the other had;
// and kernel base, ticks, CIDs and context switches agree.
func clockWasSet(a, b *Capture, off int64) bool {
	if a.UptimeMS > b.UptimeMS {
		a, b = b, a
	}
	s, t := &a.Snap.Target, &b.Snap.Target
	return off < a.UptimeMS && s.KernelBase != 0 && s.KernelBase == t.KernelBase && ticksAdvance(a, b) && sameThreads(a, b)
}

// ticksAdvance reports whether the clock ticks went on with the uptime.
func ticksAdvance(a, b *Capture) bool {
	if a.FromTick < 0 || b.FromTick <= a.FromTick {
		return false
	}
	up := b.UptimeMS - a.UptimeMS
	for _, ms := range []float64{15.625, 10, max(a.TickMS, b.TickMS)} {
		off := int64(float64(b.FromTick-a.FromTick)*ms) - up
		if max(off, -off) < 5000+up/50 {
			return true
		}
	}
	return false
}

// sameThreads reports whether nearly all threads at the same addresses have the
// same CIDs, and have run no less often in b, the later.
func sameThreads(a, b *Capture) bool {
	const few, most = 3, 10
	same, against := 0, 0
	for addr, t := range a.threads {
		u := b.threads[addr]
		if u == nil || !t.cid.Known || !u.cid.Known || t.switches < 0 || u.switches < 0 {
			continue
		}
		if t.cid == u.cid && t.switches <= u.switches {
			same++
		} else {
			against++
		}
	}
	return same >= few && most*against <= same
}

// sameStart reports whether two captures tell that they are of one boot: they
// were both started at the same time. After hours most addresses of threads are
// used again.
func sameStart(a, b *Capture) bool {
	return a.UptimeMS >= 0 && b.UptimeMS >= 0 && a.TimeMS >= 0 && b.TimeMS >= 0 && a.zoned == b.zoned && otherClock(a, b) == ""
}

// otherObjects compares the objects that both show: after another boot those
// at the same address are others.
func otherObjects(a, b *Capture) string {
	if a.system != 0 && b.system != 0 && a.system != b.system {
		return fmt.Sprintf("another boot: the System process is at %s and at %s", a.system.Bare(a.Snap.Target.Arch), b.system.Bare(b.Snap.Target.Arch))
	}
	same, other, common := 0, 0, 0
	for addr, t := range a.threads {
		u := b.threads[addr]
		if u == nil {
			continue
		}
		common++
		if t.cid.Known && u.cid.Known {
			if t.cid == u.cid {
				same++
			} else {
				other++
			}
		}
	}
	if other > same && !sameStart(a, b) {
		return fmt.Sprintf("another boot: of %s at the same addresses %d have other CIDs", kd.Plural(same+other, "thread"), other)
	}
	if common > 0 || commonLocks(a, b) || sameHeader(a, b) || sameRun(a, b) {
		return ""
	}
	if len(a.Snap.Memory.Pools) > 0 && len(b.Snap.Memory.Pools) > 0 && len(a.threads)+len(b.threads) == 0 {
		return "neither has locks or threads; kdlocks analyze, given both, tells which tags of pool grew"
	}
	return "nothing in common: no thread, owner, waiter or lock is at the same address in both"
}

// sameRun reports whether the input itself tells that two of its captures are of
// one machine that went on in between: it was let go or broken into, or the
// debugger runs on it.
func sameRun(a, b *Capture) bool {
	s, t := &a.Snap.Target, &b.Snap.Target
	if a.Given != b.Given || s.Attached == 0 || s.Attached != t.Attached || !sameInput(a, b) {
		return false
	}
	return s.LetGoAt != t.LetGoAt || s.Moment > 0 && t.Moment > 0 && s.LiveAt.Known() && !s.StoppedAt.Known()
}

// sameInput reports whether two captures were read from one input: the later of
// them was printed later.
func sameInput(a, b *Capture) bool {
	at, to := a.First(), b.First()
	return a.Given == b.Given && at.Known() && to.Known() && at.Input == to.Input
}

// empty reports whether a capture shows neither a thread nor a lock: no lock was
// held, or its log was cut before.
func (c *Capture) empty() bool { return len(c.threads) == 0 && len(c.Snap.Resources) == 0 }

// sameHeader reports whether the headers by themselves tell that two captures are
// of one boot: the kernel is at the same place, and was started at the same
// second.
func sameHeader(a, b *Capture) bool {
	const slack = 2000
	s, t := &a.Snap.Target, &b.Snap.Target
	off := (a.TimeMS - a.UptimeMS) - (b.TimeMS - b.UptimeMS)
	return s.KernelBase != 0 && s.KernelBase == t.KernelBase && sameStart(a, b) && max(off, -off) <= slack
}

// commonLocks reports whether a lock, an owner or a waiter stands in the lists
// of both, or a thread in the lists of one and among the threads of the other.
// A lock with a name is part of a driver, which every machine of the build may
// have at the same address.
func commonLocks(a, b *Capture) bool {
	knows := func(c *Capture, addr kd.Addr) bool {
		return c.threads[addr] != nil || c.waits[addr].lock != 0 || c.holders[addr] != nil
	}
	for _, pair := range [][2]*Capture{{a, b}, {b, a}} {
		for _, r := range pair[0].Snap.Resources {
			if q := pair[1].Snap.Resource(r.Addr); q != nil && r.Symbol+q.Symbol == "" {
				return true
			}
			for i := range r.Resolved {
				if t := r.Resolved[i].Thread; t != 0 && knows(pair[1], t) {
					return true
				}
			}
		}
		for addr := range pair[0].waits {
			if knows(pair[1], addr) {
				return true
			}
		}
	}
	return false
}

// sameMoment says by what two captures of one boot are seen to be of one moment,
// so that nothing can have moved between them, "" if they are of two.
func sameMoment(a, b *Capture) string {
	sameSession := a.Given == b.Given && a.Snap.Target.Moment > 0 && b.Snap.Target.Moment > 0
	by := ""
	switch {
	case sameRun(a, b) && a.Snap.Target.LetGoAt != b.Snap.Target.LetGoAt: // the input tells that it ran
		return ""
	case a.FromTick >= 0 && b.FromTick >= 0:
		// Unlike a header, which may be older, every thread shows them.
		switch {
		case a.FromTick != b.FromTick || a.ToTick != b.ToTick:
			return ""
		case a.FromTick == a.ToTick:
			return "it is of the same moment: all threads were printed at the same tick"
		}
		by = "the same tick counts"
	case sameSession: // two moments of one session were told apart by what was listed
		return ""
	case a.UptimeMS >= 0 && b.UptimeMS >= 0:
		if a.UptimeMS != b.UptimeMS {
			return ""
		}
		by = "the same uptime"
	case a.TimeMS >= 0 && b.TimeMS >= 0:
		if a.TimeMS != b.TimeMS {
			return ""
		}
		by = "the same session time"
	}
	if anythingDiffers(a, b) {
		return ""
	}
	if by == "" {
		return "it may be of the same moment: no time was printed, and nothing that both show differs"
	}
	return "it is of the same moment: " + by + ", and nothing that both show differs"
}

// anythingDiffers reports whether something that both show is not the same: two
// logs of one moment cannot contradict each other.
func anythingDiffers(a, b *Capture) bool {
	for addr, t := range a.threads {
		u := b.threads[addr]
		if u == nil || t.conflict || u.conflict {
			continue
		}
		if t.switches >= 0 && u.switches >= 0 && t.switches != u.switches || t.waitStart >= 0 && u.waitStart >= 0 && t.waitStart != u.waitStart {
			return true
		}
		if t.state != u.state && t.state != threads.StateUnknown && u.state != threads.StateUnknown && t.header && u.header {
			return true
		}
	}
	for _, r := range a.Snap.Resources {
		if q := b.Snap.Resource(r.Addr); q != nil && listsDiffer(r, q) {
			return true
		}
	}
	return lacks(a, b) || lacks(b, a)
}

// lacks reports whether a lock of one is free in the other.
func lacks(a, b *Capture) bool {
	return b.Snap.Whole && slices.ContainsFunc(a.Snap.Resources, func(r *snapshot.Resource) bool {
		return r.Believed() && len(r.Owners) > 0 && b.Snap.Resource(r.Addr) == nil
	})
}

// listsDiffer reports whether two blocks of a lock cannot be of one moment.
func listsDiffer(r, q *snapshot.Resource) bool {
	if !r.Believed() || !q.Believed() || r.Extension != q.Extension {
		return false
	}
	if r.Contention.Known() && q.Contention.Known() && r.Contention.N != q.Contention.N {
		return true
	}
	return !r.Extends(q.Resource) && !q.Extends(r.Resource)
}

// By is what the order of captures was read from.
type By string

// The sources of an order, best first.
const (
	ByUptime     By = "uptime"
	ByTime       By = "session time"
	ByTicks      By = "tick counts"
	BySwitches   By = "context switch counts"
	ByContention By = "contention counts"
	AsGiven      By = "the order given"
)

// clocks are the times of captures in the order in which they are trusted.
var clocks = []struct {
	by  By
	now func(*Capture) int64
}{
	{ByUptime, func(c *Capture) int64 { return c.UptimeMS }},
	{ByTime, func(c *Capture) int64 { return c.TimeMS }},
	{ByTicks, func(c *Capture) int64 { return c.FromTick }},
}

// inTime puts captures of different moments in their order by the first clock
// that tells them apart.
func inTime(cs []*Capture) By {
	for _, k := range clocks {
		seen := make(map[int64]bool)
		useless := slices.ContainsFunc(cs, func(c *Capture) bool {
			t := k.now(c)
			twice := seen[t]
			seen[t] = true
			return t < 0 || twice
		})
		if !useless && (k.by != ByTime || sameZones(cs)) {
			kd.SortStable(cs, func(a, b *Capture) int { return compareInt(k.now(a), k.now(b)) })
			return k.by
		}
	}
	if oneRun(cs) {
		return AsGiven // a log of one session goes on in time, whatever counts say
	}
	for _, k := range []struct {
		by    By
		keys  []kd.Addr
		count counter
	}{{BySwitches, cs[0].order, switches}, {ByContention, locksOf(cs[0]), contentions}} {
		if s := sums(cs, k.keys, k.count); s != nil {
			kd.SortStable(cs, func(a, b *Capture) int { return compareInt(s[a], s[b]) })
			return k.by
		}
	}
	return AsGiven
}

// oneRun reports whether captures, in the order given, are what one debugger
// session printed with the machine let go in between.
func oneRun(cs []*Capture) bool {
	for i := 1; i < len(cs); i++ {
		if !sameRun(cs[i-1], cs[i]) || !cs[i].Snap.Target.LetGoAt.Known() {
			return false
		}
	}
	return true
}

func sameZones(cs []*Capture) bool {
	return !slices.ContainsFunc(cs, func(c *Capture) bool { return c.zoned != cs[0].zoned })
}

func compareInt(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// counter reads a count that never falls; false where it is not known.
type counter func(c *Capture, a kd.Addr) (int64, bool)

func switches(c *Capture, a kd.Addr) (int64, bool) {
	t := c.threads[a]
	if t == nil || t.switches < 0 || t.conflict {
		return 0, false
	}
	return t.switches, true
}

func contentions(c *Capture, a kd.Addr) (int64, bool) {
	r := c.Snap.Resource(a)
	if r == nil {
		return 0, false
	}
	n, ok := contended(r)
	return int64(n), ok
}

// sums adds the counts that all captures show. They never fall, so that the sums
// rise with time. nil where they do not agree on that: of those that differ from
// the first capture to the last, more than one in ten goes the other way.
func sums(cs []*Capture, keys []kd.Addr, count counter) map[*Capture]int64 {
	first, last := cs[0], cs[len(cs)-1]
	way := func(a kd.Addr) int {
		m, _ := count(first, a)
		n, _ := count(last, a)
		return compareInt(n, m)
	}
	var common []kd.Addr
	ways, differ := 0, 0
	for _, a := range keys {
		if !slices.ContainsFunc(cs, func(c *Capture) bool { _, ok := count(c, a); return !ok }) {
			common = append(common, a)
			ways += way(a)
		}
	}
	out := make(map[*Capture]int64, len(cs))
	against := 0
	for _, a := range common {
		w := way(a)
		differ += w * w
		if w*ways < 0 {
			against++
			continue // its address was used again
		}
		for _, c := range cs {
			n, _ := count(c, a)
			out[c] += n
		}
	}
	if ways == 0 || 10*against > differ {
		return nil
	}
	return out
}

// locksOf lists the locks of a capture.
func locksOf(c *Capture) []kd.Addr {
	if c.Snap == nil {
		return nil
	}
	var out []kd.Addr
	for _, r := range c.Snap.Resources {
		out = append(out, r.Addr)
	}
	return out
}

// between returns the milliseconds from one capture to a later one, -1 if
// they are not known.
func between(a, b *Capture) int64 {
	switch {
	case a.UptimeMS >= 0 && b.UptimeMS >= 0 && a.UptimeMS != b.UptimeMS:
		return b.UptimeMS - a.UptimeMS
	case a.TimeMS >= 0 && b.TimeMS >= 0 && a.zoned == b.zoned && a.TimeMS != b.TimeMS && (a.UptimeMS < 0 || a.UptimeMS != b.UptimeMS):
		return b.TimeMS - a.TimeMS
	case a.FromTick >= 0 && b.FromTick >= 0 && max(a.TickMS, b.TickMS) > 0 && b.FromTick > a.FromTick:
		return int64(float64(b.FromTick-a.FromTick) * max(a.TickMS, b.TickMS))
	}
	return -1
}

// Until returns the milliseconds to a later capture, -1 if they are not known.
func (c *Capture) Until(later *Capture) int64 { return max(between(c, later), -1) }

// Span says milliseconds as people do.
func Span(ms int64) string {
	switch {
	case ms < 2*minuteMS:
		return fmt.Sprintf("%d.%03d s", ms/1000, ms%1000)
	case ms < 2*hourMS:
		return fmt.Sprintf("%d min %d s", ms/minuteMS, ms%minuteMS/1000)
	}
	return fmt.Sprintf("%d h %d min", ms/hourMS, ms%hourMS/minuteMS)
}
