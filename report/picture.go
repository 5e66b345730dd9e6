package report

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/picture"
)

const (
	// mostPanels bounds the findings that are drawn; they stand in the order of
	// their weight.
	mostPanels = 12
	// Of a cycle or chain of more than mostHops the hops in its middle are left
	// out: headHops and tailHops stay.
	mostHops, headHops, tailHops = 12, 6, 5
	// mostRootLocks bounds the locks that are drawn beside a chain's root.
	mostRootLocks = 4
	// mostHovered bounds the addresses behind a number of threads.
	mostHovered = 40
	// mostListedBystanders is how many bystanders a finding names at most.
	mostListedBystanders = 1000
)

// Picture draws the findings: who waits for whom. Findings about one and the
// same root share a panel.
func (r *Report) Picture() *picture.Picture {
	a := &artist{names: index(r)}
	panels := r.panels()
	a.look(panels)
	v := r.Verdict
	pic := &picture.Picture{Title: strings.ToUpper(v.Kind), Summary: v.Summary}
	if v.Kind != "undecided" {
		pic.Title += " (" + v.Confidence + ")"
	}
	for i, fs := range panels {
		if i == mostPanels {
			pic.More = fmt.Sprintf("%d more are not drawn: the findings have them all.", len(panels)-i)
			break
		}
		pic.Panels = append(pic.Panels, a.panel(fs))
	}
	if len(panels) == 0 {
		pic.More = "Nothing to draw: no finding has a thread that waits for another."
	}
	return pic
}

// panels groups the findings that have something to draw.
func (r *Report) panels() [][]int {
	var out [][]int
	at := make(map[string]int)
	for i := range r.Findings {
		f := &r.Findings[i]
		if len(f.Cycle)+len(f.Chain) == 0 && f.BlockedThreads == 0 {
			continue
		}
		root := f.root(i)
		n, known := at[root]
		if !known {
			n = len(out)
			at[root] = n
			out = append(out, nil)
		}
		out[n] = append(out[n], i)
	}
	return out
}

// root is what findings that share a panel have in common.
func (f *Finding) root(number int) string {
	switch {
	case len(f.Cycle) > 0:
		return fmt.Sprint("cycle ", number)
	case len(f.Chain) > 0 && f.Chain[len(f.Chain)-1].HeldBy != "":
		return key(f.Session, f.Chain[len(f.Chain)-1].HeldBy)
	case len(f.Chain) > 0:
		return key(f.Session, f.Chain[len(f.Chain)-1].WaitsFor)
	case len(f.Threads) > 0:
		return key(f.Session, f.Threads[0])
	case len(f.Resources) > 0:
		return key(f.Session, f.Resources[0])
	}
	return fmt.Sprint("finding ", number)
}

// artist makes panels of findings.
type artist struct {
	names
	locks map[string]*Resource // those of the findings that are drawn
}

// look finds the resources of the findings to draw.
func (a *artist) look(panels [][]int) {
	a.locks = make(map[string]*Resource)
	for _, fs := range panels[:min(len(panels), mostPanels)] {
		for _, i := range fs {
			f := &a.r.Findings[i]
			for _, l := range f.Resources {
				a.locks[key(f.Session, l)] = nil
			}
			for _, s := range f.hops() {
				a.locks[key(f.Session, s.WaitsFor)] = nil
			}
		}
	}
	if len(a.locks) == 0 {
		return
	}
	for l := range a.r.Resources.All() {
		if have, wanted := a.locks[key(l.Session, l.Address)]; wanted && have == nil {
			a.locks[key(l.Session, l.Address)] = &l
		}
	}
}

// hops are the steps of the cycle or the chain.
func (f *Finding) hops() []Step {
	if len(f.Cycle) > 0 {
		return f.Cycle
	}
	return f.Chain
}

// sketch is a panel that is being made.
type sketch struct {
	*artist
	picture.Panel
	lead    *Finding // the one whose path is drawn
	session int
	blocked int
	behind  map[string]bool // the bystanders that are not told of yet
	order   []string        // of the bystanders
	drawn   map[string]bool // threads of the path, left out ones, too
	locksAt []int           // nodes of locks
	lockOf  []string        // their addresses
}

// panel draws the findings of the given indexes.
func (a *artist) panel(fs []int) picture.Panel {
	p := &sketch{artist: a, behind: make(map[string]bool), drawn: make(map[string]bool)}
	for _, i := range fs {
		f := &a.r.Findings[i]
		p.head(i, f)
		if p.lead == nil || len(f.hops()) > len(p.lead.hops()) {
			p.lead = f
		}
		p.blocked = max(p.blocked, f.BlockedThreads)
		for _, t := range f.Bystanders {
			if !p.behind[t] {
				p.behind[t] = true
				p.order = append(p.order, t)
			}
		}
	}
	first := &a.r.Findings[fs[0]]
	p.session = first.Session
	if !strings.Contains(a.r.Verdict.Summary, first.Summary) {
		p.Summary = first.Summary
	}
	p.Closed = len(p.lead.Cycle) > 0
	p.path()
	if !p.Closed {
		p.root(fs)
	}
	p.crowd()
	return p.Panel
}

func (p *sketch) head(i int, f *Finding) {
	h := picture.Head{Number: i + 1, ID: f.ID, Words: []string{f.Severity, f.Confidence, "evidence grade " + f.Grade}}
	if f.Session > 0 {
		h.Words = append(h.Words, fmt.Sprintf("session %d", f.Session))
	}
	p.Heads = append(p.Heads, h)
}

func (p *sketch) add(n picture.Node) int {
	p.Nodes = append(p.Nodes, n)
	return len(p.Nodes) - 1
}

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
	case objects[s.Kind]:
		return picture.HeldBy
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

// objects are the kinds of things waited for that nobody owns as a lock.
var objects = map[string]bool{"thread": true, "process": true, "ALPC message": true, "LPC message": true, "IRP": true, "work queue": true}

// lock adds the node of what is waited for.
func (p *sketch) lock(address, kind string) int {
	n := picture.Node{Shape: picture.Lock, Kind: kind, Address: p.r.bare(address)}
	if objects[kind] {
		n.Shape = picture.Object
	}
	n.Full = kind + " " + n.Address
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
