package report

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/picture"
)

// path draws the hops of the cycle or chain.
func (p *sketch) path() {
	hops := p.lead.hops()
	one := p.Closed && oneLock(hops)
	lock := -1
	for i := 0; i < len(hops); i++ {
		if len(hops) > mostHops && i == headHops {
			to := len(hops) - tailHops
			p.leaveOut(hops[i:to], i)
			if one {
				p.step(lock, picture.WaitsFor, &hops[to-1], 2*to-1)
			}
			i = to
		}
		s := &hops[i]
		p.drawn[s.Thread] = true
		p.hop(p.thread(s.Thread, s), i, hops)
		if lock < 0 || !one {
			lock = p.lock(s.WaitsFor, s.Kind)
		}
		p.step(lock, picture.WaitsFor, s, 2*i+1)
	}
	if p.Closed {
		p.connect(p.Path[len(p.Path)-1], p.Path[0], held(&hops[len(hops)-1]), &hops[len(hops)-1], 2*len(hops))
	}
}

func oneLock(hops []Step) bool {
	for i := range hops {
		if hops[i].WaitsFor != hops[0].WaitsFor {
			return false
		}
	}
	return true
}

// hop goes on to the thread that begins a hop.
func (p *sketch) hop(thread, i int, hops []Step) {
	if i == 0 {
		p.Path = append(p.Path, thread)
		return
	}
	p.step(thread, held(&hops[i-1]), &hops[i-1], 2*i)
}

// step goes on along the path to a node.
func (p *sketch) step(node int, k picture.Kind, s *Step, order int) {
	p.connect(p.Path[len(p.Path)-1], node, k, s, order)
	p.Path = append(p.Path, node)
}

func (p *sketch) connect(from, to int, k picture.Kind, s *Step, order int) {
	if !p.Closed {
		order = 0
	}
	p.Edges = append(p.Edges, picture.Edge{From: from, To: to, Kind: k, Grade: s.Grade, Order: order})
}

func held(s *Step) picture.Kind {
	switch {
	case s.Queued:
		return picture.QueuedBehind
	case s.Guess:
		return picture.MaybeEndedBy
	case ownerless[s.Kind]:
		return picture.EndedBy
	}
	return picture.OwnedBy
}

// leaveOut draws hops in the middle of a path as their number. The first of
// them is hop i of the path.
func (p *sketch) leaveOut(hops []Step, i int) {
	var full []string
	for _, s := range hops {
		p.drawn[s.Thread] = true
		if len(full) < mostHovered {
			full = append(full, p.who(s.Thread)+" waits for "+head(p.artist.lock(&s), longestCell))
		}
	}
	before := p.lead.hops()[i-1]
	e := p.add(picture.Node{Shape: picture.Elided, Kind: fmt.Sprintf("… %s …", kd.Plural(len(hops), "more hop")), Full: more(full, len(hops)), Count: len(hops)})
	p.step(e, held(&before), &before, 2*i)
}

// more joins what stands for n things.
func more(said []string, n int) string {
	s := strings.Join(said, "; ")
	if n > len(said) {
		s += fmt.Sprintf("; and %d more", n-len(said))
	}
	return s
}

func (p *sketch) who(thread string) string {
	if thread == "" {
		return "somebody who is not named"
	}
	return "thread " + p.names.thread(p.session, thread)
}

// thread adds the node of a thread of the path. s is its hop, nil if it has
// none.
func (p *sketch) thread(address string, s *Step) int {
	if address == "" {
		return p.add(picture.Node{Shape: picture.Nobody, Kind: "waiter", Details: []string{"announced, not listed"}})
	}
	n := picture.Node{Shape: picture.Thread, Kind: "thread", Address: p.r.bare(address)}
	switch who := p.person(address); {
	case who != nil:
		n.Details = who.details()
	case slices.Contains(p.r.NotThread, address):
		n.Details = []string{"!thread finds no thread here"}
	case p.r.lookup != nil:
		n.Details = []string{"no THREAD block printed"}
	}
	n.Full = strings.Join(append([]string{"thread " + n.Address}, n.Details...), ", ")
	if s != nil {
		n.Full += ", waits for " + p.artist.lock(s)
	}
	return p.add(n)
}

// person tells of a thread, nil if it was not printed.
func (p *sketch) person(address string) *person {
	if who := p.threads[key(p.session, address)]; who != nil || p.r.lookup == nil {
		return who
	}
	th := p.r.lookup(p.session, address)
	if th == nil {
		return nil
	}
	who := &person{cid: th.CID, state: th.State, reason: th.WaitReason}
	if th.Process != nil {
		who.image = th.Process.Image
	}
	return who
}

// details are CID and image, and what the thread does.
func (w *person) details() []string {
	var out []string
	if name := strings.TrimSpace(w.cid + " " + w.image); name != "" {
		out = append(out, name)
	}
	does := w.state
	if w.reason != "" {
		does += ", " + w.reason
	}
	if does != "" && does != "unknown" {
		out = append(out, does)
	}
	return out
}

// ownerless are the kinds of things waited for that nobody owns as a lock.
var ownerless = map[string]bool{"thread": true, "process": true, "ALPC message": true, "LPC message": true, "IRP": true, "work queue": true, callbacks: true}

// lock adds the node of what is waited for.
func (p *sketch) lock(address, kind string) int {
	n := picture.Node{Shape: picture.Lock, Kind: kind, Address: p.r.bare(address)}
	if ownerless[kind] {
		n.Shape = picture.Object
	}
	if kind == "thread" || kind == "process" {
		n.Kind = "end of " + kind
	}
	n.Full = n.Kind + " " + n.Address
	if l := p.locks[key(p.session, address)]; l != nil {
		n.Kind = "ERESOURCE"
		n.Details = l.details()
		n.Full = fmt.Sprintf("%s, %s line %d", strings.Join(append([]string{"ERESOURCE " + n.Address}, n.Details...), ", "), l.At.Input, l.At.Line)
	}
	i := p.add(n)
	p.locksAt, p.lockOf = append(p.locksAt, i), append(p.lockOf, address)
	return i
}

// details are the symbol of a resource, and how it is held.
func (l *Resource) details() []string {
	var out []string
	if l.Symbol != "" {
		out = append(out, l.Symbol)
	}
	how := ""
	switch {
	case l.Mode == "shared" && l.OwningThreads != nil:
		how = fmt.Sprintf("shared by %s", kd.Plural(*l.OwningThreads, "owner"))
	case l.Mode != "unknown":
		how = l.Mode
	}
	if l.Reading != "" {
		how = strings.TrimPrefix(how+", "+l.Reading, ", ")
	}
	if how != "" {
		out = append(out, how)
	}
	if positive(l.Contention) {
		out = append(out, fmt.Sprintf("contention %d", *l.Contention))
	}
	return out
}
