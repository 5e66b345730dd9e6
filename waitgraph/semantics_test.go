package waitgraph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// world is a small machine: threads that each wait for one thing at most, the
// ERESOURCEs and mutants that they own. Numbers count from 0.
type world struct {
	threads   []worldThread
	resources []worldResource
	mutants   []int // owners
}

type worldThread struct {
	waits   string // "", shared, exclusive, any (of mutants), all (is not known to the debugger), end
	targets []int  // resources, mutants or threads
	timed   bool   // of "any" and "end"
	event   bool   // of "any" and "end": an event is waited for, too
}

type worldResource struct {
	exclusive bool
	owners    []int
}

func (r worldResource) ownedBy(t int) bool { return slices.Contains(r.owners, t) }

func randomWorld(rng *rand.Rand) world {
	var w world
	n := 2 + rng.IntN(5)
	for range 1 + rng.IntN(3) {
		r := worldResource{exclusive: rng.IntN(2) == 0, owners: []int{rng.IntN(n)}}
		for !r.exclusive && rng.IntN(2) == 0 {
			if t := rng.IntN(n); !r.ownedBy(t) {
				r.owners = append(r.owners, t)
			}
		}
		w.resources = append(w.resources, r)
	}
	for range rng.IntN(3) {
		w.mutants = append(w.mutants, rng.IntN(n))
	}
	for i := range n {
		t := worldThread{timed: rng.IntN(6) == 0, event: rng.IntN(6) == 0}
		switch k := rng.IntN(8); {
		case k < 2:
			t.waits, t.targets = "exclusive", []int{rng.IntN(len(w.resources))}
		case k < 4:
			t.waits, t.targets = "shared", []int{rng.IntN(len(w.resources))}
		case k == 4 && len(w.mutants) > 0:
			t.waits, t.targets = "any", rng.Perm(len(w.mutants))[:1+rng.IntN(len(w.mutants))]
		case k == 5:
			if other := rng.IntN(n); other != i {
				t.waits, t.targets = "end", []int{other}
			}
		}
		w.threads = append(w.threads, t)
	}
	return w
}

// dead plays the world until no thread can go on any more, by the documented
// rules of the locks, and returns those that are left. A thread that goes on
// gives back all it owns and ends.
func (w world) dead() []int {
	gone := make([]bool, len(w.threads))
	for changed := true; changed; {
		changed = false
		for i := range w.threads {
			if !gone[i] && w.granted(i, gone) {
				gone[i], changed = true, true
			}
		}
	}
	var out []int
	for i, g := range gone {
		if !g {
			out = append(out, i)
		}
	}
	return out
}

func (w world) granted(i int, gone []bool) bool {
	t := w.threads[i]
	free := func(owners ...int) bool {
		return !slices.ContainsFunc(owners, func(o int) bool { return !gone[o] })
	}
	switch t.waits {
	case "exclusive":
		r := w.resources[t.targets[0]]
		return r.exclusive && r.ownedBy(i) || free(r.owners...)
	case "shared":
		r := w.resources[t.targets[0]]
		if r.ownedBy(i) || free(r.owners...) {
			return true
		}
		return !r.exclusive && free(w.exclusiveWaiters(t.targets[0])...)
	case "any":
		if t.timed || t.event {
			return true
		}
		return slices.ContainsFunc(t.targets, func(m int) bool { return w.mutants[m] == i || gone[w.mutants[m]] })
	case "end":
		return t.timed || t.event || gone[t.targets[0]]
	}
	return true
}

func (w world) exclusiveWaiters(r int) []int {
	var out []int
	for i, t := range w.threads {
		if t.waits == "exclusive" && t.targets[0] == r && !(w.resources[r].exclusive && w.resources[r].ownedBy(i)) {
			out = append(out, i)
		}
	}
	return out
}

// addrs gives the things of a world their addresses.
type addrs struct{ thread, resource, mutant func(int) kd.Addr }

func plainAddrs(shift int) addrs {
	at := func(base kd.Addr) func(int) kd.Addr {
		return func(i int) kd.Addr { return base + kd.Addr((i*7+shift*13)%97)*0x1000 }
	}
	return addrs{at(0xffffa80010000080), at(0xffffa80020000080), at(0xffffa80030000080)}
}

// build makes the snapshot that a debugger's output of the world gives, in the
// order of the numbers or backwards.
func (w world) build(a addrs, backwards bool) *snapshot.Snapshot {
	var ll locks.Listing
	var tl threads.Listing
	line := int32(0)
	at := func() kd.Ref { line++; return kd.Ref{Line: line, Col: 1, Len: 16} }
	for r, res := range w.resources {
		out := &locks.Resource{Addr: a.resource(r), Mode: locks.Shared, At: at()}
		if res.exclusive {
			out.Mode = locks.Exclusive
		} else {
			out.SharedOwners = locks.Printed{N: len(res.owners), At: at()}
		}
		for _, o := range res.owners {
			out.Owners = append(out.Owners, locks.OwnerEntry{Raw: a.thread(o), Count: 1, Marked: true, At: at()})
		}
		for i, t := range w.threads {
			if len(t.targets) == 0 || t.targets[0] != r {
				continue
			}
			switch t.waits {
			case "shared":
				out.SharedWaiters = append(out.SharedWaiters, locks.Waiter{Thread: a.thread(i), At: at()})
			case "exclusive":
				out.ExclusiveWaiters = append(out.ExclusiveWaiters, locks.Waiter{Thread: a.thread(i), At: at()})
			}
		}
		out.SharedWaiterCount, out.ExclusiveWaiterCount = locks.Printed{N: len(out.SharedWaiters), At: at()}, locks.Printed{N: len(out.ExclusiveWaiters), At: at()}
		ll.Resources = append(ll.Resources, out)
	}
	for i, t := range w.threads {
		th := threads.New(a.thread(i), at())
		th.Header, th.State, th.WaitReason, th.WaitMode = true, threads.Waiting, "WrResource", "KernelMode"
		kind := "Thread"
		switch t.waits {
		case "":
			th.State, th.WaitReason, th.WaitMode = threads.Running, "", ""
		case "any", "end":
			th.WaitReason, th.WaitMode = "UserRequest", "UserMode"
			for _, target := range t.targets {
				o := threads.WaitObject{Addr: a.thread(target), Kind: kind, Limit: -1, At: at()}
				if t.waits == "any" {
					o.Addr, o.Kind, o.Owner = a.mutant(target), "Mutant", a.thread(w.mutants[target])
				}
				th.WaitObjects = append(th.WaitObjects, o)
			}
			if t.timed {
				th.WaitObjects = append(th.WaitObjects, threads.WaitObject{Addr: a.thread(i) + 0x40, Kind: "NotificationTimer", Limit: -1, At: at()})
			}
			if t.event {
				th.WaitObjects = append(th.WaitObjects, threads.WaitObject{Addr: a.thread(i) + 0x60, Kind: "NotificationEvent", Limit: -1, At: at()})
			}
		}
		tl.Threads = append(tl.Threads, th)
	}
	if backwards {
		slices.Reverse(ll.Resources)
		slices.Reverse(tl.Threads)
	}
	return snapshot.Build(snapshot.Target{Arch: kd.X64}, ll, tl, nil, nil)
}

// verdict is what the graph says of a world: the threads that are stuck, and
// those of each component, by number.
func (w world) verdict(a addrs, backwards bool) (stuck []int, knots string) {
	number := make(map[kd.Addr]int)
	for i := range w.threads {
		number[a.thread(i)] = i
	}
	g := Build(w.build(a, backwards))
	dead := g.Stuck(B)
	for i, n := range g.Nodes {
		if n.Kind == Thread && dead[i] {
			stuck = append(stuck, number[n.Addr])
		}
	}
	slices.Sort(stuck)
	if lost := g.lost(dead); lost >= 0 {
		return nil, fmt.Sprintf("thread %d waits, and neither a cycle nor a root is behind it", number[g.Nodes[lost].Addr])
	}
	var all [][]int
	for _, c := range g.Components(B, dead) {
		var members []int
		for _, i := range c {
			if n := g.Nodes[i]; n.Kind == Thread {
				members = append(members, number[n.Addr])
			}
		}
		slices.Sort(members)
		all = append(all, members)
	}
	slices.SortFunc(all, slices.Compare)
	return stuck, fmt.Sprint(all)
}

// lost returns a thread that waits for what is drawn, but for nothing that is
// stuck, for no root, and not at a gate behind which nobody stands; -1 if there is
// none.
func (g *Graph) lost(dead []bool) int {
	var ends []int
	for _, r := range g.Roots() {
		ends = append(ends, r.Node)
	}
	for i := range dead {
		if dead[i] {
			ends = append(ends, i)
		}
	}
	told := make(map[int]bool)
	if len(ends) > 0 {
		behind, _ := g.BlockedBy(ends)
		for _, i := range append(behind, ends...) {
			told[i] = true
		}
	}
	for i, n := range g.Nodes {
		if n.Kind == Thread && g.waits(i) && !told[i] && len(g.Open(i)) == 0 {
			return i
		}
	}
	return -1
}

// crowded adds threads that own nothing and wait for what others wait for.
func (w world) crowded(rng *rand.Rand) world {
	w.threads = slices.Clone(w.threads)
	for range 1 + rng.IntN(3) {
		r := rng.IntN(len(w.resources))
		t := worldThread{waits: "shared", targets: []int{r}}
		if len(w.exclusiveWaiters(r)) > 0 {
			t.waits = "exclusive"
		}
		w.threads = append(w.threads, t)
	}
	return w
}

// TestAgainstTheRules compares the graph with a slow player of the documented
// rules, on small random machines with waits of every kind. Most of them have
// no deadlock. The order of the input, the addresses and further waiters
// change nothing.
func TestAgainstTheRules(t *testing.T) {
	rounds := 100_000
	if testing.Short() {
		rounds = 10_000
	}
	rng := rand.New(rand.NewPCG(3, 4))
	deadlocks := 0
	for range rounds {
		w := randomWorld(rng)
		want := w.dead()
		stuck, knots := w.verdict(plainAddrs(0), false)
		if !slices.Equal(stuck, want) {
			t.Fatalf("%+v: stuck %v, by the rules %v", w, stuck, want)
		}
		if (knots != "[]") != (len(want) > 0) {
			t.Fatalf("%+v: components %s, stuck %v", w, knots, want)
		}
		if len(want) > 0 {
			deadlocks++
		}
		if _, again := w.verdict(plainAddrs(1+rng.IntN(50)), rng.IntN(2) == 0); again != knots {
			t.Fatalf("%+v: components %s, with other addresses or backwards %s", w, knots, again)
		}
		if _, again := w.crowded(rng).verdict(plainAddrs(0), false); again != knots {
			t.Fatalf("%+v: components %s, with more waiters %s", w, knots, again)
		}
	}
	if deadlocks == 0 || deadlocks > rounds/2 {
		t.Errorf("%d of %d worlds have a deadlock", deadlocks, rounds)
	}
	t.Logf("%d of %d worlds have a deadlock", deadlocks, rounds)
}
