package loggen

import "sort"

// role is what a thread of the lock lists does.
type role struct {
	thread int
	does   wait // waitShared, waitExclusive; waitIO for an owner that waits for no lock
}

// actor is an index into generator.roles.
type actor int

// resource is one held ERESOURCE.
type resource struct {
	addr                 uint64
	shared               bool
	contention           int
	pointer              bool // its one owner entry is an owner pointer
	owners               []actor
	sharedWait, exclWait []actor
}

// maxHeld bounds the number of resources in a list, whatever the log's size.
const maxHeld = 4000

// plan draws the resources and who owns and wants them, for n threads.
func (g *generator) plan(n int) {
	r := newRNG(g.opt.Seed, ofLocks, 0)
	var deadlocked []actor
	switch g.opt.Plant {
	case OwnerPointer:
		deadlocked = g.plantOwnerPointer(&r)
	case Cycle:
		deadlocked = g.plantCycle(&r)
	}
	for range min(maxHeld, n/100+4) {
		if len(g.roles) > n/8 {
			break
		}
		g.contend(&r)
	}
	g.assign(&r, n)
	for _, a := range deadlocked {
		g.stats.Deadlocked = append(g.stats.Deadlocked, threadAddr(g.roles[a].thread))
	}
	for i := len(g.held) - 1; i > 0; i-- {
		j := r.n(i + 1)
		g.held[i], g.held[j] = g.held[j], g.held[i]
	}
	g.stats.Resources = len(g.held)
}

// cast adds an actor.
func (g *generator) cast(does wait) actor {
	g.roles = append(g.roles, role{does: does})
	return actor(len(g.roles) - 1)
}

func (g *generator) hold(r *rng, res resource) *resource {
	res.addr = resourceAddr(len(g.held))
	res.contention = r.n(3) * r.n(40_000)
	g.held = append(g.held, res)
	return &g.held[len(g.held)-1]
}

// queue adds waiters to a resource. Where the owners are shared, shared
// waiters wait only because an exclusive one came before.
func (g *generator) queue(r *rng, res *resource, n int) {
	for range n {
		if r.chance(50) || res.shared && len(res.exclWait) == 0 {
			res.exclWait = append(res.exclWait, g.cast(waitExclusive))
		} else {
			res.sharedWait = append(res.sharedWait, g.cast(waitShared))
		}
	}
}

func (g *generator) plantOwnerPointer(r *rng) []actor {
	a := g.cast(waitShared)
	res := g.hold(r, resource{pointer: true, owners: []actor{a}, sharedWait: []actor{a}})
	g.stats.Blocked = r.n(3)
	g.queue(r, res, g.stats.Blocked)
	return []actor{a}
}

func (g *generator) plantCycle(r *rng) []actor {
	a, b := g.cast(waitShared), g.cast(waitExclusive)
	g.hold(r, resource{owners: []actor{a}, exclWait: []actor{b}})
	res := g.hold(r, resource{owners: []actor{b}, sharedWait: []actor{a}})
	g.stats.Blocked = r.n(3)
	g.queue(r, res, g.stats.Blocked)
	return []actor{a, b}
}

// contend adds a resource whose owners go on, or wait in turn for a resource
// that was added before.
func (g *generator) contend(r *rng) {
	res := resource{shared: r.chance(40)}
	if last := len(g.held) - 1; last > 1 && r.chance(12) && len(g.held[last].exclWait) > 0 {
		res.shared = false
		res.owners = g.held[last].exclWait[:1:1]
	} else {
		for range 1 + r.n(3) {
			res.owners = append(res.owners, g.cast(waitIO))
			if !res.shared {
				break
			}
		}
	}
	n := r.n(6)
	if r.chance(4) {
		n += r.n(40)
	}
	g.queue(r, g.hold(r, res), n)
}

// assign spreads the actors over the first n threads, in no order.
func (g *generator) assign(r *rng, n int) {
	spots := make([]int, len(g.roles))
	for i := range spots {
		spots[i] = i * n / len(spots)
	}
	for i := len(spots) - 1; i > 0; i-- {
		j := r.n(i + 1)
		spots[i], spots[j] = spots[j], spots[i]
	}
	for i := range g.roles {
		g.roles[i].thread = spots[i]
	}
}

// inOrder returns the roles by thread.
func (g *generator) inOrder() []role {
	roles := append([]role(nil), g.roles...)
	sort.Slice(roles, func(i, j int) bool { return roles[i].thread < roles[j].thread })
	return roles
}
