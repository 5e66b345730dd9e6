package transcript

import "kdlocks/snapshot"

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
		for n, machine := range splitMachines(s.facts) {
			if n > 0 { // nothing is known of another one
				r.attached++
				s.target = snapshot.Target{Attached: r.attached, LiveAt: s.target.LiveAt, StoppedAt: s.target.StoppedAt}
			}
			snaps = append(snaps, r.snapshots(machine, s.target)...)
		}
	}
	linkPools(snaps)
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

// snapshots makes the snapshots of the moments of one machine.
func (r *router) snapshots(machine facts, target snapshot.Target) []*snapshot.Snapshot {
	var snaps []*snapshot.Snapshot
	moments := splitMoments(machine)
	for i, f := range moments {
		if len(moments) > 1 {
			target.Moment = i + 1
		}
		snap := f.snapshot(target)
		snaps = append(snaps, snap)
		switch {
		case !snap.OnlyContext():
			r.out.Snapshots = append(r.out.Snapshots, snap)
		case !snap.Empty():
			r.out.Aside, r.out.asideAt = append(r.out.Aside, snap), append(r.out.asideAt, len(r.out.Snapshots))
		}
	}
	return snaps
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
