package loggen

import "strings"

const (
	mark    = "<*> "
	noMark  = "    "
	hanging = "              " // in front of the items of a list's further lines
	perLine = 4
)

// header is what .logopen and the first prompt write.
func (g *generator) header() {
	g.out.s("Opened log file 'C:\\hang\\locks-and-processes.log'\n0: kd> !locks\n")
}

// locks prints !locks.
func (g *generator) locks() {
	o := &g.out
	r := newRNG(g.opt.Seed, ofLocks, 1)
	o.s("**** DUMP OF ALL RESOURCE OBJECTS ****\n")
	for i := range g.held {
		g.scanning(&r)
		o.blank()
		g.resource(&g.held[i])
		o.blank()
		o.full()
	}
	g.scanning(&r)
	o.dec(int64(len(g.held)*97+15_000), 1)
	o.s(" total locks, ")
	o.dec(int64(len(g.held)), 1)
	o.s(" locks currently held\n")
}

var dots = strings.Repeat(".", 300)

func (g *generator) scanning(r *rng) {
	n := 1 + r.n(12)
	if r.chance(10) {
		n = 1 + r.n(len(dots))
	}
	g.out.s("KD: Scanning for held locks")
	g.out.s(dots[:n])
	g.out.s("\n")
}

// resource prints the block of one resource.
func (g *generator) resource(res *resource) {
	o := &g.out
	o.s("Resource @ 0x")
	o.addr(res.addr)
	if res.shared {
		o.s("    Shared ")
		o.dec(int64(len(res.owners)), 1)
		o.s(" owning threads\n")
	} else {
		o.s("    Exclusively owned\n")
	}
	g.count("Contention Count", res.contention)
	g.count("NumberOfSharedWaiters", len(res.sharedWait))
	g.count("NumberOfExclusiveWaiters", len(res.exclWait))
	o.s("     Threads: ")
	if res.pointer {
		g.ownerPointer(res)
	}
	left := perLine
	item := func(a actor, tail string) {
		if left == 0 {
			o.s("\n" + hanging)
			left = perLine
		}
		left--
		o.addr(threadAddr(g.roles[a].thread))
		o.s(tail)
	}
	if !res.pointer {
		for _, a := range res.owners {
			item(a, "-01"+mark)
		}
	}
	for _, a := range res.sharedWait {
		item(a, "-01"+noMark)
	}
	o.s("\n")
	if len(res.exclWait) == 0 {
		return
	}
	o.s("     Threads Waiting On Exclusive Access:\n" + hanging)
	left = perLine
	for _, a := range res.exclWait {
		item(a, "       ")
	}
	o.s("\n")
}

// ownerPointer prints an owner entry that is an address on the thread's stack,
// with the low bits that mark it.
func (g *generator) ownerPointer(res *resource) {
	ro := &g.roles[res.owners[0]]
	g.layOut(ro.thread, ro)
	g.out.addr(g.slot(&g.t) | 3)
	g.out.s("-01" + mark + "*** Unknown owner, possibly FileSystem\n" + hanging)
}

func (g *generator) count(name string, n int) {
	if n == 0 {
		return
	}
	o := &g.out
	o.s("    ")
	o.s(name)
	o.s(" = ")
	o.dec(int64(n), 1)
	o.s("\n")
}
