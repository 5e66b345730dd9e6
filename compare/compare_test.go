package compare

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kdlocks/heuristics"
	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

// th is a thread that waits for a resource.
func th(change func(*thread)) *thread {
	t := &thread{
		addr: 0xffffbc8100001000, cid: threads.CID{Process: 4, Thread: 8, Known: true}, process: 0xffffbc8c30000000, header: true,
		state: threads.Waiting, reason: "WrResource", switches: 100, waitStart: 5000, ticks: 60, sp: 0xfffff88005001000,
		objects: []object{{addr: 0xffffbc8b20000000}},
	}
	if change != nil {
		change(t)
	}
	return t
}

func TestMotion(t *testing.T) {
	later := func(more int64, change func(*thread)) *thread {
		return th(func(t *thread) {
			t.switches += more
			t.waitStart += 19_200
			if change != nil {
				change(t)
			}
		})
	}
	unknown := func(t *thread) { t.switches = -1 }
	for _, tc := range []struct {
		name string
		a, b *thread
		lock bool
		span int64
		want Motion
	}{
		{"no switch", th(nil), th(nil), true, 300_000, Still},
		{"no switch, of no lock", th(nil), th(nil), false, -1, Still},
		{"begun anew every four seconds", th(nil), later(75, nil), true, 300_000, Rearmed},
		{"begun anew, time not known", th(nil), later(5, nil), true, -1, Rearmed},
		{"more often, time not known", th(nil), later(75, nil), true, -1, NotKnown},
		{"far more often", th(nil), later(75_000, nil), true, 300_000, Moved},
		{"as often, but no wait for a lock", th(nil), later(75, nil), false, 300_000, Moved},
		{"as often, but elsewhere on its stack", th(nil), later(75, func(t *thread) { t.sp += 0x100 }), true, 300_000, Moved},
		{"as often, but for another object", th(nil), later(75, func(t *thread) { t.objects[0].addr += 0x60 }), true, 300_000, Moved},
		{"as often, but for another reason", th(nil), later(75, func(t *thread) { t.reason = "WrQueue" }), true, 300_000, Moved},
		{"woken and not yet run", th(nil), th(func(t *thread) { t.state = threads.Ready }), true, 300_000, Moved},
		{"runs in both", th(func(t *thread) { t.state = threads.Running }), th(func(t *thread) { t.state = threads.Running }), false, 1000, Moved},
		{"starved", th(func(t *thread) { t.state = threads.Ready }), th(func(t *thread) { t.state = threads.Ready }), false, 1000, Still},
		{"another CID", th(nil), th(func(t *thread) { t.cid.Thread++ }), true, 300_000, Replaced},
		{"another process, CID not printed", th(func(t *thread) { t.cid.Known = false }), th(func(t *thread) { t.process++ }), true, 300_000, Replaced},
		{"the count fell", th(nil), th(func(t *thread) { t.switches = 5 }), true, 300_000, NotKnown},
		{"the count fell, CID not printed", th(nil), th(func(t *thread) { t.switches, t.cid.Known = 5, false }), true, 300_000, Replaced},
		{"printed in one only", th(nil), nil, true, 300_000, NotKnown},
		{"no counts, the same wait", th(unknown), th(unknown), true, 300_000, Still},
		{"no counts, begun anew", th(unknown), later(0, unknown), true, 300_000, NotKnown},
		{"no counts, another wait of no lock", th(unknown), later(0, unknown), false, 300_000, Moved},
		{"no counts, another state", th(unknown), th(func(t *thread) { t.switches, t.state = -1, threads.Running }), true, 300_000, Moved},
		{"contradictory", th(func(t *thread) { t.conflict = true }), th(nil), true, 300_000, NotKnown},
	} {
		if got, why := motion(tc.a, tc.b, tc.lock, tc.span); got != tc.want || why == "" {
			t.Errorf("%s: %s (%s), want %s", tc.name, got, why, tc.want)
		}
	}
}

func TestFate(t *testing.T) {
	for answers, want := range map[string]Fate{
		"yy": Frozen, "yyy": Frozen, "y?y": Frozen, "?yy": Frozen, "nyy": Frozen,
		"ny": Formed, "yny": Formed, "y?ny": Formed,
		"?y": OnlyLast, "??y": OnlyLast,
		"y?": Unconfirmed, "yy?": Unconfirmed, "ny?": Unconfirmed,
		"yn": Dissolved, "yyn": Dissolved, "yn?": Dissolved, "?yn": Dissolved,
	} {
		var as []Answer
		for _, r := range answers {
			as = append(as, Answer{Stands: map[rune]Stands{'y': Yes, 'n': No, '?': NotShown}[r]})
		}
		if got := fate(as); got != want {
			t.Errorf("%s: %s, want %s", answers, got, want)
		}
	}
}

const (
	lockAt  = 0xffffbc8a10000110
	ownerAt = 0xffffbc8100000580
)

// block prints a resource.
func block(owners []uint64, waiters []uint64, contention int, more string) string {
	return blockAt(lockAt, owners, waiters, contention, more)
}

func blockAt(at uint64, owners []uint64, waiters []uint64, contention int, more string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Resource @ 0x%016x    Exclusively owned\n", at)
	if contention > 0 {
		fmt.Fprintf(&b, "    Contention Count = %d\n", contention)
	}
	if len(waiters) > 0 {
		fmt.Fprintf(&b, "    NumberOfExclusiveWaiters = %d\n", len(waiters))
	}
	b.WriteString("     Threads: ")
	for _, o := range owners {
		fmt.Fprintf(&b, "%016x-01<*> ", o)
	}
	b.WriteString("\n")
	if len(waiters) > 0 {
		b.WriteString("     Threads Waiting On Exclusive Access:\n")
	}
	for _, w := range waiters {
		fmt.Fprintf(&b, "              %016x       \n", w)
	}
	return b.String() + more
}

const closing = "\n1600 total locks, 1 locks currently held\n"

// captureOf reads lists; ts are printed beside them.
func captureOf(lists string, ts ...*thread) *Capture {
	var r locks.Reader
	for _, l := range kd.Lines("**** DUMP OF ALL RESOURCE OBJECTS ****\n" + lists) {
		r.Line(l)
	}
	var tl threads.Listing
	for _, f := range ts {
		n := threads.New(f.addr, kd.Ref{Line: 1, Col: 1})
		n.Header, n.State, n.WaitReason, n.CID, n.ContextSwitches = true, f.state, f.reason, f.cid, f.switches
		tl.Threads = append(tl.Threads, n)
	}
	s := snapshot.Build(snapshot.Target{}, r.Done(), tl, nil, nil)
	return &Capture{Judgement: heuristics.Judge(s)}
}

func TestLockStates(t *testing.T) {
	w := func(n int) []uint64 {
		var out []uint64
		for i := range n {
			out = append(out, 0xffffbc8100010000+uint64(i)*0x580)
		}
		return out
	}
	ran := func(more int64) *thread {
		return &thread{addr: kd.Addr(w(1)[0]), state: threads.Waiting, reason: "WrResource", cid: threads.CID{Known: true, Process: 4, Thread: 12}, switches: 100 + more}
	}
	own, other := []uint64{ownerAt}, []uint64{ownerAt + 0x580}
	const none = "\n1600 total locks, 0 locks currently held\n"
	for _, tc := range []struct {
		name string
		a, b *Capture
		want State
	}{
		{"unchanged", captureOf(block(own, w(2), 9, closing), ran(0)), captureOf(block(own, w(2), 9, closing), ran(2)), Stuck},
		{"unchanged, threads not shown", captureOf(block(own, w(2), 9, closing)), captureOf(block(own, w(2), 9, "\n1601 total locks, 1 locks currently held\n")), Stuck},
		{"more waiters", captureOf(block(own, w(2), 9, closing)), captureOf(block(own, w(4), 11, closing)), Growing},
		{"more contentions than waiters", captureOf(block(own, w(2), 9, closing)), captureOf(block(own, w(3), 500, closing)), Moving},
		{"more contentions, but a waiter has not run", captureOf(block(own, w(2), 9, closing), ran(0)), captureOf(block(own, w(3), 500, closing), ran(0)), Growing},
		{"a waiter ran, and queued up again", captureOf(block(own, w(2), 9, closing), ran(0)), captureOf(block(own, w(2), 500, closing), ran(9000)), Moving},
		{"a waiter ran, and none queued up again", captureOf(block(own, w(2), 9, closing), ran(0)), captureOf(block(own, w(2), 9, closing), ran(9000)), Stuck},
		{"a waiter got it", captureOf(block(own, w(2), 9, closing)), captureOf(block(own, w(1), 9, closing)), Moving},
		{"another owner", captureOf(block(own, w(2), 9, closing)), captureOf(block(other, w(2), 12, closing)), Moving},
		{"nobody waits", captureOf(block(own, nil, 9, closing)), captureOf(block(own, nil, 9, "\n1601 total locks, 1 locks currently held\n"), ran(0)), Held},
		{"not in a whole list", captureOf(block(own, w(2), 9, closing)), captureOf(none, ran(0)), Freed},
		{"not in a list that was cut", captureOf(block(own, w(2), 9, closing)), captureOf("", ran(0)), Unclear},
		{"in the last list only", captureOf(none, ran(0)), captureOf(block(own, w(2), 9, closing), ran(1)), New},
		{"its count fell", captureOf(block(own, w(2), 900, closing)), captureOf(block(own, w(2), 9, closing)), Reused},
	} {
		var cs []*Capture
		for i, k := range []*Capture{tc.a, tc.b} {
			k.Given, k.Name = i, string(rune('a'+i))
			cs = append(cs, k)
		}
		c := &comparison{}
		for i, k := range cs {
			k.load()
			k.index = i
		}
		c.Captures = cs
		c.findLocks()
		if len(c.Locks) != 1 || c.Locks[0].State != tc.want || c.Locks[0].Why == "" {
			for _, l := range c.Locks {
				t.Errorf("%s: %s (%s), want %s", tc.name, l.State, l.Why, tc.want)
			}
		}
	}
}

// TestRefusals holds what is printed of machine and boot against each other.
func TestRefusals(t *testing.T) {
	base := func() snapshot.Target {
		return snapshot.Target{
			Arch: kd.X64, Build: "19041", KernelBase: 0xfffff8015b000000, Machine: "SRV1",
			Uptime: "1 days 0:00:00.000", SessionTime: "Mon Nov  2 10:00:00.000 2026 (UTC + 1:00)",
		}
	}
	at := func(uptime, time string) func(*snapshot.Target) {
		return func(t *snapshot.Target) { t.Uptime, t.SessionTime = uptime, time }
	}
	minutes := at("1 days 0:05:00.000", "Mon Nov  2 10:05:00.000 2026 (UTC + 1:00)")
	for _, tc := range []struct {
		name   string
		change func(*snapshot.Target)
		want   string // "" if they are compared
	}{
		{"five minutes later", minutes, ""},
		{"five minutes later, another zone", at("1 days 0:05:00.000", "Mon Nov  2 09:05:00.000 2026 (UTC + 0:00)"), ""},
		{"five minutes later, with a clock set by a minute", at("1 days 0:05:00.000", "Mon Nov  2 10:06:00.000 2026 (UTC + 1:00)"), ""},
		{"nothing printed", func(t *snapshot.Target) { *t = snapshot.Target{} }, ""},
		{"another kernel base", func(t *snapshot.Target) { minutes(t); t.KernelBase = 0xfffff8016b000000 }, "another kernel base"},
		{"another build", func(t *snapshot.Target) { minutes(t); t.Build = "22621" }, "another build"},
		{"another machine", func(t *snapshot.Target) { minutes(t); t.Machine = "SRV2" }, "another machine"},
		{"another architecture", func(t *snapshot.Target) { minutes(t); t.Arch = kd.ARM64 }, "another architecture"},
		{"booted in between", at("0 days 0:01:00.000", "Mon Nov  2 10:05:00.000 2026 (UTC + 1:00)"), "another boot"},
		{"up for longer than the time between", at("3 days 0:05:00.000", "Mon Nov  2 10:05:00.000 2026 (UTC + 1:00)"), "another boot"},
		{"the same moment", func(*snapshot.Target) {}, "of the same moment: the same uptime"},
		{"stopped in the debugger meanwhile", at("1 days 0:00:00.000", "Mon Nov  2 10:05:00.000 2026 (UTC + 1:00)"), "of the same moment: the same uptime"},
	} {
		a := captureOf(block([]uint64{ownerAt}, []uint64{ownerAt + 0x580}, 9, closing))
		b := captureOf(block([]uint64{ownerAt}, []uint64{ownerAt + 0x580}, 9, closing))
		if tc.change != nil && tc.name == "nothing printed" {
			b = captureOf(block([]uint64{ownerAt}, []uint64{ownerAt + 0x580}, 10, closing))
		}
		a.Snap.Target, b.Snap.Target = base(), base()
		tc.change(&b.Snap.Target)
		a.Name, b.Name, b.Given = "a", "b", 1
		c, err := Run(context.Background(), []*Capture{a, b})
		if err != nil {
			t.Fatal(err)
		}
		if tc.want == "" {
			if len(c.Captures) != 2 {
				t.Errorf("%s: refused: %+v", tc.name, c.Refused)
			}
			continue
		}
		if len(c.Refused) != 1 || !strings.Contains(c.Refused[0].Why, tc.want) || c.Verdict.Kind != heuristics.Undecided {
			t.Errorf("%s: %+v, refused %+v", tc.name, c.Verdict, c.Refused)
		}
	}
}

func TestOrder(t *testing.T) {
	mk := func(name string, uptime, time, tick int64) *Capture {
		return &Capture{Name: name, Judgement: heuristics.Judgement{Snap: &snapshot.Snapshot{}}, UptimeMS: uptime, TimeMS: time, FromTick: tick, threads: map[kd.Addr]*thread{}}
	}
	withSwitches := func(c *Capture, ns ...int64) *Capture {
		for i, n := range ns {
			a := kd.Addr(0x1000 + i)
			c.order = append(c.order, a)
			c.threads[a] = &thread{addr: a, header: true, switches: n}
		}
		return c
	}
	for _, tc := range []struct {
		given []*Capture
		by    By
		want  string
	}{
		{[]*Capture{mk("b", 200, 1, 1), mk("a", 100, 2, 2)}, ByUptime, "ab"},
		{[]*Capture{mk("b", 100, 100, 9), mk("a", 100, 100, 7)}, ByTicks, "ab"}, // headers that were printed before
		{[]*Capture{mk("b", -1, 2, 1), mk("a", 100, 1, 2)}, ByTime, "ab"},
		{[]*Capture{mk("c", -1, -1, 9), mk("b", -1, 5, 7), mk("a", 3, -1, 2)}, ByTicks, "abc"},
		{[]*Capture{withSwitches(mk("b", -1, -1, -1), 5, 9, 7), withSwitches(mk("a", -1, -1, -1), 5, 8, 3)}, BySwitches, "ab"},
		{[]*Capture{withSwitches(mk("b", -1, -1, -1), 5, 9), withSwitches(mk("a", -1, -1, -1), 6, 8)}, AsGiven, "ba"},
		{[]*Capture{mk("b", -1, -1, -1), mk("a", 1, -1, -1)}, AsGiven, "ba"},
	} {
		given := slices.Clone(tc.given)
		by := inTime(given)
		names := ""
		for _, c := range given {
			names += c.Name
		}
		if by != tc.by || names != tc.want {
			t.Errorf("%s by %s, want %s by %s", names, by, tc.want, tc.by)
		}
	}
}

// TestTheDetectorsThatRootsGoBy are known by their ids.
func TestTheDetectorsThatRootsGoBy(t *testing.T) {
	for _, id := range []string{chainID, idleWorkerID, missingID} {
		if heuristics.Lookup(id) == nil {
			t.Errorf("no detector %s", id)
		}
	}
}

// TestWhatRefutesACycle looks for one of two threads in later lists.
func TestWhatRefutesACycle(t *testing.T) {
	const one, two, three, lock2 = ownerAt, ownerAt + 0x580, ownerAt + 0xb00, lockAt + 0x110
	list := func(os ...uint64) []uint64 { return os }
	const end = "\n1600 total locks, 2 locks currently held\n"
	second := blockAt(lock2, list(two), list(one), 4, end)
	change := func(f func(*snapshot.Resource)) func(*snapshot.Snapshot) {
		return func(s *snapshot.Snapshot) { f(s.Resource(lockAt)) }
	}
	for _, tc := range []struct {
		name   string
		later  string
		change func(*snapshot.Snapshot)
		want   Fate
	}{
		{"the same", block(list(one), list(two), 3, second), nil, Frozen},
		{"the same, and one who waited has gone on", block(list(one), list(two), 4, second), nil, Contradicted},
		{"the same, and the lock changed hands all the time", block(list(one), list(two), 90_000, second), nil, Contradicted},
		{"the same, live, and one who waited has gone on", block(list(one), list(two), 4, second), func(s *snapshot.Snapshot) { s.Target.LiveAt = kd.Ref{Line: 1, Col: 1} }, Unconfirmed},
		{"another owner", block(list(three), list(two), 4, second), nil, Dissolved},
		{"another waiter", block(list(one), list(three), 4, second), nil, Dissolved},
		{"free", blockAt(lock2, list(two), list(one), 4, "\n1600 total locks, 1 locks currently held\n"), nil, Dissolved},
		{"not listed, more are held", blockAt(lock2, list(two), list(one), 4, "\n1600 total locks, 3 locks currently held\n"), nil, Unconfirmed},
		{"not listed, held ones not counted", blockAt(lock2, list(two), list(one), 4, "\n1600 total locks\n"), nil, Unconfirmed},
		{"another owner, by an extension", block(list(three), list(two), 4, second), change(func(r *snapshot.Resource) { r.Extension = "mex" }), Unconfirmed},
		{"no waiter, by an extension", block(list(one), nil, 4, second), change(func(r *snapshot.Resource) { r.Extension = "mex" }), Unconfirmed},
		{"another owner, by marks that contradict", block(list(three), list(two), 4, second), change(func(r *snapshot.Resource) { r.Reading = locks.Irreconcilable }), Unconfirmed},
		{"roles changed, by doubtful marks", block(list(two), list(one), 4, second), change(func(r *snapshot.Resource) { r.Reading = locks.Doubtful }), Unconfirmed},
		{"another owner, by doubtful marks", block(list(three), list(two), 4, second), change(func(r *snapshot.Resource) { r.Reading = locks.Doubtful }), Dissolved},
		{"another owner, in two minds", block(list(three), list(two), 4, second), change(func(r *snapshot.Resource) { r.Conflict = "twice" }), Unconfirmed},
		{"another owner, head not trusted", block(list(three), list(two), 4, second), change(func(r *snapshot.Resource) { r.HeadUntrusted = true }), Unconfirmed},
		{"more waiters than listed", strings.Replace(block(list(one), list(three), 4, second), "Waiters = 1", "Waiters = 2", 1), nil, Unconfirmed},
	} {
		a := captureOf(block(list(one), list(two), 3, second))
		b := captureOf(tc.later)
		if tc.change != nil {
			tc.change(b.Snap)
		}
		a.Snap.Target.Uptime, b.Snap.Target.Uptime = "0 days 1:00:00.000", "0 days 1:05:00.000"
		a.Name, b.Name, b.Given = "a", "b", 1
		c, err := Run(context.Background(), []*Capture{a, b})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(c.Hangs, func(h *Hang) bool { return h.From == a || h.Answers[0].Found })
		if i < 0 || c.Hangs[i].Fate != tc.want {
			t.Errorf("%s: %+v, refused %+v", tc.name, c.Hangs, c.Refused)
			continue
		}
		if h := c.Hangs[i]; tc.want == Unconfirmed && (len(h.Next) == 0 || !c.Undecided) {
			t.Errorf("%s: next %v, undecided %v: %s", tc.name, h.Next, c.Undecided, h.Why)
		}
		if l := c.Locks[slices.IndexFunc(c.Locks, func(l *Lock) bool { return l.Addr == lockAt })]; tc.want == Unconfirmed && (l.State == Freed || l.State == Moving) && !strings.HasPrefix(tc.name, "more waiters") && !strings.HasPrefix(tc.name, "the same, live") {
			t.Errorf("%s: lock %s: %s", tc.name, l.State, l.Why)
		}
	}
}

// TestTicksTellMomentsApart: what every thread shows wins over a header.
func TestTicksTellMomentsApart(t *testing.T) {
	mk := func(contention int, uptime string, from, to int64) *Capture {
		c := captureOf(block([]uint64{ownerAt}, []uint64{ownerAt + 0x580}, contention, closing))
		c.Snap.Target.Uptime = uptime
		c.load()
		c.FromTick, c.ToTick = from, to
		return c
	}
	const early, late = "0 days 1:00:00.000", "0 days 1:05:00.000"
	for _, tc := range []struct {
		name string
		a, b *Capture
		same bool
	}{
		{"same tick, another count: one was damaged", mk(9, "", 700, 700), mk(8, "", 700, 700), true},
		{"same tick, another uptime", mk(9, early, 700, 700), mk(9, late, 700, 700), true},
		{"another tick, same header", mk(9, early, 700, 700), mk(9, early, 900, 900), false},
		{"same ticks of a live system, nothing differs", mk(9, "", 700, 720), mk(9, "", 700, 720), true},
		{"same ticks of a live system, a count differs", mk(9, "", 700, 720), mk(10, "", 700, 720), false},
		{"no ticks, same header, a count differs", mk(9, early, -1, -1), mk(10, early, -1, -1), false},
		{"no ticks, same header, nothing differs", mk(9, early, -1, -1), mk(9, early, -1, -1), true},
		{"no ticks, another uptime", mk(9, early, -1, -1), mk(9, late, -1, -1), false},
	} {
		tc.b.Given = 1
		if got := sameMoment(tc.a, tc.b); (got != "") != tc.same {
			t.Errorf("%s: %q", tc.name, got)
		}
	}
}

func TestBetween(t *testing.T) {
	mk := func(uptime, time, tick int64, tickMS float64) *Capture {
		return &Capture{UptimeMS: uptime, TimeMS: time, FromTick: tick, ToTick: tick, TickMS: tickMS}
	}
	for _, tc := range []struct {
		a, b *Capture
		want int64
	}{
		{mk(1000, 5000, 64, 15.625), mk(4000, 9000, 128, 15.625), 3000},
		{mk(-1, 5000, 64, 15.625), mk(-1, 9000, 128, 15.625), 4000},
		{mk(-1, 5000, 64, 15.625), mk(4000, 9000, 128, 15.625), 4000},
		{mk(-1, -1, 64, 15.625), mk(-1, -1, 192, 0), 2000},
		{mk(1000, 5000, 64, 15.625), mk(1000, 5000, 192, 15.625), 2000}, // headers that were printed before
		{mk(-1, -1, 64, 0), mk(-1, -1, 192, 0), -1},
		{mk(-1, -1, -1, 0), mk(7, 7, 192, 1), -1},
	} {
		if got := between(tc.a, tc.b); got != tc.want {
			t.Errorf("%+v to %+v: %d, want %d", tc.a, tc.b, got, tc.want)
		}
	}
}

// TestWhatTheDetectorsFindAgainStands, even where the lists by themselves could
// not be held against another capture.
func TestWhatTheDetectorsFindAgainStands(t *testing.T) {
	const one, two, lock2 = ownerAt, ownerAt + 0x580, lockAt + 0x110
	lists := func(n int) string {
		return block([]uint64{one}, []uint64{two}, n, blockAt(lock2, []uint64{two}, []uint64{one}, 4, "\n1600 total locks, 2 locks currently held\n"))
	}
	a, b := captureOf(lists(3)), captureOf(lists(5))
	b.Snap.Resource(lockAt).Open = true
	for i := range b.Findings {
		b.Findings[i].Grade = waitgraph.C // the evidence of the first is better
	}
	a.Name, b.Name, b.Given = "a", "b", 1
	a.Snap.Target.Uptime, b.Snap.Target.Uptime = "0 days 1:00:00.000", "0 days 1:05:00.000"
	c, err := Run(context.Background(), []*Capture{a, b})
	if err != nil || len(c.Hangs) != 1 || c.Hangs[0].From != a || c.Hangs[0].Fate != Frozen {
		t.Errorf("%+v, %v", c.Hangs[0], err)
	}
}
