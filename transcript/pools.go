package transcript

import (
	"cmp"
	"slices"

	"kdlocks/kd"
	"kdlocks/memory"
	"kdlocks/snapshot"
)

// linkPools gives each session the listings of pool that those before it show of the same
// machine, which ran on in between.
func linkPools(snaps []*snapshot.Snapshot) {
	l := poolLinks{boot: make(map[boot]*poolRun), attached: make(map[int]*poolRun)}
	for _, s := range snaps {
		l.add(s)
	}
	for _, run := range l.runs {
		kd.SortStable(run.sessions, func(a, b sessionAt) int { return cmp.Compare(a.up, b.up) })
		var earlier []*memory.Pool
		for _, s := range run.sessions {
			if len(s.Memory.Pools) > 0 {
				s.EarlierPools = slices.Clip(earlier)
			}
			earlier = append(earlier, s.Memory.Pools...)
		}
	}
}

// poolRun is a machine from one start to the next.
type poolRun struct {
	sessions []sessionAt
	started  bool // it is known when
}

// sessionAt is a session and the last uptime, in milliseconds, that was printed for it or
// before it.
type sessionAt struct {
	*snapshot.Snapshot
	up int64
}

// boot is by what sessions of different targets are known to be of one run.
type boot struct {
	kernel  kd.Addr
	builtBy string
	zoned   bool
	started int64 // in units of bootSlack
}

// bootSlack is how far apart, in milliseconds, the starts of one run may be computed: the
// clock is corrected meanwhile.
const bootSlack = 120_000

type poolLinks struct {
	runs []*poolRun
	boot map[boot]*poolRun
	// attached has the run of each target.
	attached map[int]*poolRun
}

func (l *poolLinks) add(s *snapshot.Snapshot) {
	run := l.runOf(s)
	up, ok := snapshot.ParseUptime(s.Target.Uptime)
	if n := len(run.sessions); !ok && n > 0 {
		up = run.sessions[n-1].up
	}
	run.sessions = append(run.sessions, sessionAt{s, up})
}

// runOf returns the run that a session is of, a new one if it is of none yet.
func (l *poolLinks) runOf(s *snapshot.Snapshot) *poolRun {
	key, known := bootOf(&s.Target)
	run := l.attached[s.Target.Attached]
	if up, ok := snapshot.ParseUptime(s.Target.Uptime); run != nil && ok && !known && up < run.sessions[len(run.sessions)-1].up {
		run = nil // it was started anew
	}
	if known {
		if at := l.startedAt(key); at != nil || run != nil && run.started {
			run = at
		}
	}
	if run == nil {
		run = &poolRun{}
		l.runs = append(l.runs, run)
	}
	if l.attached[s.Target.Attached] = run; known {
		l.boot[key], run.started = run, true
	}
	return run
}

// startedAt returns the run that began at a time, or nearly then.
func (l *poolLinks) startedAt(key boot) *poolRun {
	for _, off := range []int64{0, -1, 1} {
		k := key
		k.started += off
		if run := l.boot[k]; run != nil {
			return run
		}
	}
	return nil
}

func bootOf(t *snapshot.Target) (boot, bool) {
	up, ok := snapshot.ParseUptime(t.Uptime)
	now, zoned, ok2 := snapshot.ParseSessionTime(t.SessionTime)
	if !ok || !ok2 || t.KernelBase == 0 {
		return boot{}, false
	}
	return boot{t.KernelBase, t.BuiltBy, zoned, (now - up) / bootSlack}, true
}
