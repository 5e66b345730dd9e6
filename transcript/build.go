package transcript

import (
	"kdlocks/memory"
	"kdlocks/snapshot"
	"slices"
)

// build makes the snapshots of all sessions. Sessions that say of themselves
// that they looked at the same machine at the same moment, such as two logs of
// one dump, are one.
func (r *router) build() {
	logs := takeCounters(r.raw)
	whole := make([]*rawSession, 0, len(r.raw))
	index := make(map[moment]int)
	for _, s := range r.raw {
		m, known := s.id.moment()
		known = known && !s.facts.runsLive()
		if i, ok := index[m]; ok && known {
			whole[i].facts.add(s.facts)
			whole[i].target.Repeated = true
			if whole[i].target.Bugcheck == nil {
				whole[i].target.Bugcheck = s.target.Bugcheck
			}
			continue
		}
		if known {
			index[m] = len(whole)
		}
		whole = append(whole, s)
	}
	var snaps []*snapshot.Snapshot
	for _, s := range whole {
		moments := splitMoments(s.facts)
		for i, f := range moments {
			if len(moments) > 1 {
				s.target.Moment = i + 1
			}
			snap := f.snapshot(s.target)
			snaps = append(snaps, snap)
			switch {
			case !snap.OnlyContext():
				r.out.Snapshots = append(r.out.Snapshots, snap)
			case !snap.Empty():
				r.out.Aside, r.out.asideAt = append(r.out.Aside, snap), append(r.out.asideAt, len(r.out.Snapshots))
			}
		}
	}
	r.linkPools(snaps)
	if len(r.out.Snapshots) == 0 {
		r.out.Snapshots, r.out.Aside, r.out.asideAt = r.out.Aside, nil, nil
	}
	r.addCounters(logs)
	switch {
	case len(r.out.Snapshots) > 0:
	case r.sawUser:
		r.onlySections(snaps)
	default:
		r.onlyTargets(snaps)
	}
}

// linkPools gives each session the listings of pool of those before it that saw the
// same machine, which ran on in between.
func (r *router) linkPools(snaps []*snapshot.Snapshot) {
	earlier := make(map[int][]*memory.Pool)
	up := make(map[int]int64)
	for _, s := range snaps {
		machine := s.Target.Attached
		if ms, ok := snapshot.ParseUptime(s.Target.Uptime); ok {
			if ms < up[machine] {
				earlier[machine] = nil // it was started anew
			}
			up[machine] = ms
		}
		if len(s.Memory.Pools) > 0 {
			s.EarlierPools = slices.Clip(earlier[machine])
		}
		earlier[machine] = append(earlier[machine], s.Memory.Pools...)
	}
}

// onlyTargets keeps the sessions that tell nothing but what machine
// they looked at. Beside others they would only make those look undecided.
func (r *router) onlyTargets(sessions []*snapshot.Snapshot) {
	for _, s := range sessions {
		if s.Target.Known() {
			r.out.Snapshots = append(r.out.Snapshots, s)
		}
	}
}

// onlySections keeps the sessions that tell nothing but critical sections, which no
// stack says who waits for.
func (r *router) onlySections(sessions []*snapshot.Snapshot) {
	for _, s := range sessions {
		if len(s.Objects.Sections) > 0 {
			r.out.Snapshots = append(r.out.Snapshots, s)
		}
	}
}
