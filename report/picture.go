package report

import (
	"fmt"
	"strings"

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
		if f.Rule != nil || len(f.Cycle)+len(f.Chain) == 0 && f.BlockedThreads == 0 {
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
