package report

import (
	"fmt"
	"strings"

	"kdlocks/kd"
	"kdlocks/picture"
)

// crowd draws the threads off the path as their number: those that wait for a
// lock of the picture beside it, all others below.
func (p *sketch) crowd() {
	rest := p.blocked
	others := 0
	for _, t := range p.lead.Others {
		if !p.drawn[t] {
			others++
		}
	}
	for t := range p.drawn {
		if p.behind[t] || !p.Closed && t != p.rootThread() {
			rest--
		}
		delete(p.behind, t)
	}
	rest -= len(p.lead.Others)
	if len(p.order) < mostListedBystanders {
		for i, n := range p.locksAt {
			rest -= p.waitersOf(n, p.lockOf[i])
		}
		for i, n := range p.locksAt {
			rest -= p.announcedOf(n, p.lockOf[i], rest-len(p.behind))
		}
	}
	if others > 0 {
		p.add(picture.Node{Shape: picture.Group, Kind: "+ " + kd.Plural(others, "thread"), Details: []string{"entangled in further cycles"}, Full: p.few(p.lead.Others), Count: others})
	}
	if rest > 0 {
		p.furtherBehind(rest)
	}
}

func (p *sketch) rootThread() string {
	if hops := p.lead.Chain; len(hops) > 0 {
		return hops[len(hops)-1].HeldBy
	}
	if len(p.lead.Threads) > 0 {
		return p.lead.Threads[0]
	}
	return ""
}

// waitersOf draws the bystanders in the waiter lists of a lock and returns how
// many they are.
func (p *sketch) waitersOf(node int, address string) int {
	l := p.locks[key(p.session, address)]
	if l == nil {
		return 0
	}
	var found []string
	take := func(ws []Waiter) int {
		before := len(found)
		for _, w := range ws {
			if p.behind[w.Thread] {
				delete(p.behind, w.Thread)
				found = append(found, w.Thread)
			}
		}
		return len(found) - before
	}
	exclusive, shared := take(l.ExclusiveWaiters), take(l.SharedWaiters)
	if len(found) == 0 {
		return 0
	}
	how := fmt.Sprintf("%d exclusive, %d shared", exclusive, shared)
	switch {
	case shared == 0:
		how = "wait exclusive"
	case exclusive == 0:
		how = "wait shared"
	}
	g := picture.Node{Shape: picture.Group, Kind: "+ " + kd.Plural(len(found), "thread"), Details: []string{how}, Full: p.few(found), Count: len(found)}
	if len(found) == 1 {
		g.Shape, g.Kind, g.Address = picture.Thread, "thread", p.r.bare(found[0])
		g.Details[0] = strings.Replace(how, "wait", "waits", 1)
	}
	p.Edges = append(p.Edges, picture.Edge{From: p.add(g), To: node, Kind: picture.WaitsFor})
	return len(found)
}

// announcedOf draws the waiters of a lock that are announced by a count and not
// listed, at most as many as are blocked without a name, and returns their
// number.
func (p *sketch) announcedOf(node int, address string, most int) int {
	l := p.locks[key(p.session, address)]
	if l == nil {
		return 0
	}
	n := min(missing(l.SharedWaiterCount, l.SharedWaiters)+missing(l.ExclusiveWaiterCount, l.ExclusiveWaiters), most)
	if n <= 0 {
		return 0
	}
	g := picture.Node{Shape: picture.Group, Kind: "+ " + kd.Plural(n, "thread"), Details: []string{"announced, not listed"}, Count: n}
	p.Edges = append(p.Edges, picture.Edge{From: p.add(g), To: node, Kind: picture.WaitsFor})
	return n
}

// missing is how many of the waiters that a count announces are not listed.
func missing(announced *int, listed []Waiter) int {
	if announced == nil {
		return 0
	}
	return max(*announced-len(listed), 0)
}

// furtherBehind draws the threads that wait behind others, and those that are
// announced by a count and not listed.
func (p *sketch) furtherBehind(n int) {
	var named []string
	for _, t := range p.order {
		if p.behind[t] {
			named = append(named, t)
		}
	}
	how := "wait behind these"
	if len(named) == 0 {
		how = "wait behind, not listed"
	}
	if n == 1 {
		how = strings.Replace(how, "wait", "waits", 1)
	}
	p.add(picture.Node{Shape: picture.Group, Kind: "+ " + kd.Plural(n, "thread"), Details: []string{how}, Full: p.few(named), Count: n})
}

// few names the first of some threads.
func (p *sketch) few(threads []string) string {
	var out []string
	for _, t := range threads[:min(len(threads), mostHovered)] {
		out = append(out, p.names.thread(p.session, t))
	}
	if len(out) == 0 {
		return ""
	}
	return more(out, len(threads))
}
