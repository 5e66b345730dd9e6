package transcript

import (
	"cmp"
	"slices"

	"kdlocks/kd"
	"kdlocks/memory"
	"kdlocks/snapshot"
)

// linkPools gives each session the listings of pool that those before and behind it show
// of the same machine, which ran on in between.
func linkPools(snaps []*snapshot.Snapshot) {
	l := poolLinks{boot: make(map[boot][]*poolRun), attached: make(map[int]*poolRun)}
	for _, s := range snaps {
		l.add(s)
	}
	for _, run := range l.runs {
		kd.SortStable(run.sessions, func(a, b sessionAt) int { return cmp.Compare(a.up, b.up) })
		var all []*memory.Pool
		for _, s := range run.sessions {
			for _, p := range s.Memory.Pools {
				if s.printed {
					p.Uptime = s.up
				}
				all = append(all, p)
			}
		}
		if len(all) == 0 {
			continue
		}
		history, earlier := memory.NewHistory(all), 0
		for _, s := range run.sessions {
			s.EarlierPools, s.PoolHistory = all[:earlier:earlier], history
			earlier += len(s.Memory.Pools)
		}
	}
}

// poolRun is a machine from one start to the next.
type poolRun struct {
	sessions []sessionAt
	started  bool // it is known when
	input    int32
	named
}

// sessionAt is a session and the last uptime, in milliseconds, that was printed for it or
// before it.
type sessionAt struct {
	*snapshot.Snapshot
	up      int64
	printed bool // for it
}

// boot is when a machine was started: by that sessions of different targets are known to be
// of one run, unless they name different machines.
type boot struct {
	zoned   bool
	started int64 // in units of bootSlack
}

// named is what a header or a prompt may tell of a machine; "" and 0 fit any. Kernels of
// 32 bits are at one place on all machines.
type named struct {
	builtBy, machine, prompt string
	processors               int
	kernel                   kd.Addr
	ram                      int64 // pages
}

func namedBy(s *snapshot.Snapshot) named {
	t := &s.Target
	n := named{builtBy: t.BuiltBy, machine: t.Machine, processors: t.Processors, kernel: t.KernelBase}
	for _, vm := range s.Memory.VMs {
		n.ram = cmp.Or(n.ram, vm.Pages(memory.PhysicalMemory).N)
	}
	switch local := t.LiveAt.Known(); {
	case local == t.StoppedAt.Known(): // a script that was run while the machine ran on
	case local:
		n.prompt = "lkd"
	default:
		n.prompt = "kd"
	}
	return n
}

func (a *named) fits(b named) bool {
	return agree(a.builtBy, b.builtBy) && agree(a.machine, b.machine) && agree(a.prompt, b.prompt) && agree(a.processors, b.processors) && agree(a.kernel, b.kernel) && agree(a.ram, b.ram)
}

func agree[T comparable](a, b T) bool {
	var unknown T
	return a == b || a == unknown || b == unknown
}

// learn adds what is not known yet.
func (a *named) learn(b named) {
	a.builtBy, a.machine, a.prompt = cmp.Or(a.builtBy, b.builtBy), cmp.Or(a.machine, b.machine), cmp.Or(a.prompt, b.prompt)
	a.processors, a.kernel, a.ram = cmp.Or(a.processors, b.processors), cmp.Or(a.kernel, b.kernel), cmp.Or(a.ram, b.ram)
}

// mostAtOnce is how many machines that were started at one moment are told apart;
// sessions of more are joined with none.
const mostAtOnce = 16

// bootSlack is how far apart, in milliseconds, the starts of one run may be computed: the
// clock is corrected meanwhile.
const bootSlack = 120_000

type poolLinks struct {
	runs []*poolRun
	boot map[boot][]*poolRun
	// attached has the run of each target.
	attached map[int]*poolRun
}

func (l *poolLinks) add(s *snapshot.Snapshot) {
	run := l.runOf(s)
	up, ok := snapshot.ParseUptime(s.Target.Uptime)
	if n := len(run.sessions); !ok && n > 0 {
		up = run.sessions[n-1].up
	}
	run.sessions = append(run.sessions, sessionAt{s, up, ok})
}

// runOf returns the run that a session is of, a new one if it is of none yet.
func (l *poolLinks) runOf(s *snapshot.Snapshot) *poolRun {
	key, known := bootOf(&s.Target)
	run := l.attached[s.Target.Attached]
	if up, ok := snapshot.ParseUptime(s.Target.Uptime); run != nil && ok && !known && up < run.sessions[len(run.sessions)-1].up {
		run = nil // it was started anew
	}
	names := namedBy(s)
	if run != nil && !run.fits(names) {
		run = nil
	}
	if known {
		if at := l.startedAt(key, names, inputOf(s)); at != nil || run != nil && run.started {
			run = at
		}
	}
	if run == nil {
		run = &poolRun{}
		l.runs = append(l.runs, run)
	}
	run.learn(names)
	run.input = inputOf(s)
	l.attached[s.Target.Attached] = run
	if known {
		l.know(key, run)
	}
	return run
}

// know keeps that a run began at a time.
func (l *poolLinks) know(key boot, run *poolRun) {
	run.started = true
	if at := l.boot[key]; len(at) < mostAtOnce && !slices.Contains(at, run) {
		l.boot[key] = append(at, run)
	}
}

// inputOf returns the input of a session, -1 if it tells nothing of memory.
func inputOf(s *snapshot.Snapshot) int32 {
	switch m := &s.Memory; {
	case len(m.Pools) > 0:
		return m.Pools[0].At.Input
	case len(m.VMs) > 0:
		return m.VMs[0].At.Input
	}
	return -1
}

// startedAt returns the run of a machine that began at a time, or nearly then; nil if that
// may be one of several. Without the place of its kernel it is a run of the same input.
func (l *poolLinks) startedAt(key boot, names named, input int32) *poolRun {
	var at *poolRun
	for _, off := range []int64{0, -1, 1} {
		k := key
		k.started += off
		for _, run := range l.boot[k] {
			if run.fits(names) && run != at && (run.input == input && input >= 0 || names.kernel != 0 && run.kernel != 0) {
				if at != nil {
					return nil
				}
				at = run
			}
		}
	}
	return at
}

func bootOf(t *snapshot.Target) (boot, bool) {
	up, ok := snapshot.ParseUptime(t.Uptime)
	now, zoned, ok2 := snapshot.ParseSessionTime(t.SessionTime)
	return boot{zoned, (now - up) / bootSlack}, ok && ok2
}
