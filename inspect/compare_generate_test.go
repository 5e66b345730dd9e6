package inspect_test

import (
	"fmt"
	"slices"
	"strings"
)

// pair is one machine at two moments, each as it is printed.
type pair struct {
	*world
	now  int64 // ticks since boot
	span int64 // ticks between the moments

	cycle  []*thread // of a deadlock that stays
	convoy *resource // changes hands all the time
	freed  *resource // owned and waited for at first only
	grows  *resource // its owner hangs, more threads queue up
	root   *thread   // that owner
	brief  []*thread // of a cycle that only the first listing shows
	reused *thread   // its address belongs to another thread later
	base   string    // of the kernel
}

const perSecond = 64 // ticks

// newPair makes the first moment of a machine of at least size threads, with
// everything that a pair can hold but a cycle that dissolves.
func newPair(seed uint64, d dialect, size int) *pair {
	p := barePair(seed, d)
	p.world.cycle(3, false)
	p.cycle = p.want[0].threads
	p.addConvoy()
	p.freed = p.owned(false, p.thread())
	p.hang(p.freed, 4)
	p.addRoot()
	p.reused = p.thread()
	p.reused.where = inProcess
	return p.fill(size)
}

// barePair is a machine on which nobody owns anything.
func barePair(seed uint64, d dialect) *pair {
	return &pair{world: newWorld(seed, d), now: 40_000_000 + int64(seed)*1000, span: 300 * perSecond, base: "5b000000"}
}

// fill adds threads that own nothing, up to size of them.
func (p *pair) fill(size int) *pair {
	p.quiet = true
	p.noise(size)
	p.settle()
	return p
}

func (p *pair) addConvoy() {
	t := p.thread()
	p.runs(t)
	p.convoy = p.owned(false, t)
	p.convoy.contention = 31_000_000
	for range 30 {
		p.wantsExclusive(p.convoy, p.thread())
	}
}

// addRoot adds a lock whose owner waits for something that never comes.
func (p *pair) addRoot() {
	p.root = p.thread()
	p.root.state, p.root.reason, p.root.mode = "waiting", "Executive", "KernelMode"
	p.root.objects = []object{{addr: p.addr(regionObject), kind: "NotificationEvent"}}
	p.root.where = inProcess
	p.plainStack(p.root, "KeWaitForSingleObject")
	p.grows = p.owned(false, p.root)
	for range 5 {
		p.wantsExclusive(p.grows, p.thread())
	}
}

// settle makes the ticks of all threads those of one moment. A wait for an
// ERESOURCE is at most some seconds old.
func (p *pair) settle() {
	for _, t := range p.threads {
		if p.queuedAt(t) != nil {
			t.ticks = p.rng.Int64N(3 * perSecond)
		}
		t.ticks = min(t.ticks, p.now-1)
		t.start = p.now - t.ticks
	}
}

// queuedAt returns the resource that a thread waits for, nil if none.
func (p *pair) queuedAt(t *thread) *resource {
	for _, r := range p.locks {
		if slices.Contains(r.sharedWait, t) || slices.Contains(r.exclWait, t) {
			return r
		}
	}
	return nil
}

// goOn turns the machine into its second moment.
func (p *pair) goOn() {
	p.now += p.span
	for _, t := range p.threads {
		switch r := p.queuedAt(t); {
		case r != nil && r == p.convoy || t.state == "running":
			t.switches += 20_000 + p.rng.Int64N(1000)
		case r != nil: // its wait was begun anew
			t.switches += p.span / (4 * perSecond)
		case t.state == "terminated":
		case t == p.root || waitsForMutant(t) || p.chance(50):
			t.ticks += p.span
		default:
			t.switches += 1 + p.rng.Int64N(500)
			t.ticks = p.rng.Int64N(perSecond)
		}
	}
	if p.convoy != nil {
		p.passOn(p.convoy)
		p.convoy.contention += 90_000
	}
	if p.freed != nil {
		p.free(p.freed)
	}
	if p.root != nil {
		for range 7 {
			p.wantsExclusive(p.grows, p.thread())
			p.grows.contention++
		}
	}
	if p.reused != nil {
		p.reused.tid += 0x1000
		p.reused.switches, p.reused.ticks = 5, 3
	}
	p.dissolve()
	p.settle()
}

func waitsForMutant(t *thread) bool {
	return slices.ContainsFunc(t.objects, func(o object) bool { return o.owner != 0 })
}

// passOn gives a lock to its first waiter; the owner queues up again.
func (p *pair) passOn(r *resource) {
	old, next := r.owners[0].thread, r.exclWait[0]
	r.exclWait = r.exclWait[1:]
	r.owners = nil
	p.own(r, next)
	p.runs(next)
	p.wantsExclusive(r, old)
}

// free lets everybody off a lock.
func (p *pair) free(r *resource) {
	for _, t := range append(slices.Clone(r.exclWait), r.sharedWait...) {
		p.idle(t)
		t.switches += 40
	}
	p.locks = slices.DeleteFunc(p.locks, func(o *resource) bool { return o == r })
}

// brieflyCrossed adds two threads that seem to wait for each other.
func (p *pair) brieflyCrossed() {
	a, b := p.thread(), p.thread()
	p.wantsExclusive(p.owned(false, a), b)
	p.wantsExclusive(p.owned(false, b), a)
	p.brief = []*thread{a, b}
	p.settle()
}

// dissolve lets the first of them go on.
func (p *pair) dissolve() {
	if p.brief == nil {
		return
	}
	for _, r := range slices.Clone(p.locks) {
		if r.owners[0].thread == p.brief[0] {
			p.free(r)
			p.own(r, p.brief[1])
			r.exclWait = nil
			p.locks = append(p.locks, r)
		} else if r.owners[0].thread == p.brief[1] {
			r.exclWait = nil
		}
	}
	for _, t := range p.brief {
		p.idle(t)
		t.switches += 400
	}
}

// header is what vertarget prints.
func (p *pair) header() string {
	s := p.now / perSecond
	clock := fmt.Sprintf("%d:%02d:%02d.%03d", s/3600%24, s/60%60, s%60, p.now%perSecond*15)
	arch := "x64"
	if p.d.x86 {
		arch = "x86 compatible"
	}
	return fmt.Sprintf("Windows 10 Kernel Version 19041 MP (8 procs) Free %s\nBuilt by: 19041.1.amd64fre.vb_release.191206-1406\nKernel base = 0xfffff801`%s PsLoadedModuleList = 0xfffff801`5be2a310\nDebug session time: Mon Nov %2d %02d:%02d:%02d.%03d 2026 (UTC + 1:00)\nSystem Uptime: %d days %s\n",
		arch, p.base, 2+s/86400, s/3600%24, s/60%60, s%60, p.now%perSecond*15, s/86400, clock)
}

// print prints the machine as it is.
func (p *pair) print(st style, header bool) string {
	text := ""
	if header {
		text = p.header()
	}
	return text + strings.Join(p.sections(st), "")
}
