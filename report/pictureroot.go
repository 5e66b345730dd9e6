package report

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/picture"
)

// root draws what a chain ends at, and the other locks that it owns.
func (p *sketch) root(fs []int) {
	address, stale := "", false
	if hops := p.lead.Chain; len(hops) > 0 {
		address = hops[len(hops)-1].HeldBy
	} else if len(p.lead.Threads) > 0 {
		address = p.lead.Threads[0]
		stale = p.stale(address)
	}
	root := 0
	if address == "" {
		root = p.nobody()
	} else {
		p.drawn[address] = true
		root = p.thread(address, nil)
		if p.behind[address] {
			n := &p.Nodes[root]
			n.Details = append(n.Details, "is among the waiters, too")
		}
	}
	p.Nodes[root].Root = !stale
	if last := len(p.lead.Chain); last > 0 {
		s := &p.lead.Chain[last-1]
		p.step(root, held(s), s, 0)
	} else {
		p.Path = append(p.Path, root)
	}
	p.rootLocks(root, fs, stale)
}

// stale reports whether a resource of the finding has an owner pointer into a
// part of the thread's stack that has returned.
func (p *sketch) stale(thread string) bool {
	for _, a := range p.lead.Resources {
		if l := p.locks[key(p.session, a)]; l != nil {
			for _, o := range l.Owners {
				if o.Thread == thread && o.Live != nil && !*o.Live {
					return true
				}
			}
		}
	}
	return false
}

// nobody adds the node of an owner that cannot be named.
func (p *sketch) nobody() int {
	n := picture.Node{Shape: picture.Nobody, Kind: "owner, not named by the input"}
	address := ""
	if hops := p.lead.Chain; len(hops) > 0 {
		address = hops[len(hops)-1].WaitsFor
	} else if len(p.lead.Resources) > 0 {
		address = p.lead.Resources[0]
	}
	if l := p.locks[key(p.session, address)]; l != nil {
		for _, o := range l.Owners {
			if o.Thread == "" {
				n.Address = p.r.bare(o.Raw)
				n.Full = "owner entry " + n.Address + ": " + o.Why
				break
			}
		}
	}
	return p.add(n)
}

// rootLocks draws the locks of the findings that are not on the path.
func (p *sketch) rootLocks(root int, fs []int, stale bool) {
	k := picture.OwnedBy
	if stale {
		k = picture.PointsInto
	}
	seen := make(map[string]bool)
	for _, a := range p.lockOf {
		seen[a] = true
	}
	left := 0
	for _, i := range fs {
		f := &p.r.Findings[i]
		for _, a := range f.Resources {
			switch {
			case seen[a]:
			case len(seen) >= mostRootLocks+len(p.Path)/2:
				seen[a] = true
				left++
			default:
				seen[a] = true
				p.connect(p.lock(a, "lock"), root, k, &Step{Grade: f.Grade}, 0)
			}
		}
	}
	if left > 0 {
		p.add(picture.Node{Shape: picture.Elided, Kind: fmt.Sprintf("… %s …", kd.Plural(left, "more lock")), Details: []string{"owned by the root"}})
	}
}
