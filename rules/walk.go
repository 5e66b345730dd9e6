package rules

import (
	"kdlocks/modules"
	"kdlocks/threads"
)

// callees are the threads that the walked clauses may hold for, by the numbers of
// the clauses.
type callees struct {
	facts [][]fact
	// live are the clauses that threads are looked for, masks what they need on a
	// stack: of each group one.
	live  []*clause
	masks [][][]threads.Calls
}

// mostWalked bounds the skimmed threads that are read whole for rules.
const mostWalked = 20_000

// walk finds the threads of all walked clauses in one walk over the threads.
func (w *world) walk(p *plan) {
	w.callees = &callees{facts: make([][]fact, len(p.walked))}
	if len(p.walked) == 0 || w.snap.ThreadCount() == 0 {
		return
	}
	w.callees.choose(p, w.seenPatterns(p))
	if len(w.callees.live) == 0 {
		return
	}
	read := 0
	for t := range w.snap.ThreadsWhere(func(c threads.Calls, b *threads.Brief) bool {
		if b != nil && read >= mostWalked {
			w.short = true
			return false
		}
		if !w.callees.may(c, b) {
			return false
		}
		if b != nil {
			read++
		}
		return true
	}) {
		for i, c := range w.callees.live {
			if allOf(w.callees.masks[i], t.Calls()) && w.mayBe(c, t) {
				w.callees.facts[c.walk] = append(w.callees.facts[c.walk], t)
			}
		}
	}
}

// manyFunctions is how many functions of one pattern are told apart by their bits.
const manyFunctions = 64

// seenPatterns returns for each pattern the functions of the input that may fit
// it, and whether any does; nil if not all functions are known.
func (w *world) seenPatterns(p *plan) []seenPattern {
	list, all := w.snap.Functions()
	if !all {
		return nil
	}
	out := make([]seenPattern, len(p.patterns))
	literals := p.literals()
	for _, f := range list {
		p.fitting(modules.Key(f.Module), f.Name, literals, func(id int) {
			s := &out[id]
			if s.any = true; len(s.masks) <= manyFunctions {
				s.masks = append(s.masks, f.Calls())
			}
		})
	}
	return out
}

// seenPattern is what of the input may fit a pattern.
type seenPattern struct {
	any   bool
	masks []threads.Calls
}

// choose keeps the clauses whose patterns are all somewhere in the input.
func (x *callees) choose(p *plan, seen []seenPattern) {
	for _, c := range p.walked {
		masks, ok := needed(c.needs, seen)
		if ok {
			x.live, x.masks = append(x.live, c), append(x.masks, masks)
		}
	}
}

// needed returns what must be on a stack; false if some of it is nowhere.
func needed(needs [][]int, seen []seenPattern) ([][]threads.Calls, bool) {
	if seen == nil {
		return nil, true
	}
	var out [][]threads.Calls
	for _, group := range needs {
		var masks []threads.Calls
		found := false
		for _, id := range group {
			found = found || seen[id].any
			masks = append(masks, seen[id].masks...)
		}
		if !found {
			return nil, false
		}
		if len(masks) <= manyFunctions {
			out = append(out, masks)
		}
	}
	return out, true
}

// may reports whether a thread may be one of those of a clause.
func (x *callees) may(c threads.Calls, b *threads.Brief) bool {
	for i := range x.live {
		if allOf(x.masks[i], c) && (b == nil || x.live[i].mayBrief(b)) {
			return true
		}
	}
	return false
}

// allOf reports whether a set has one of each group.
func allOf(groups [][]threads.Calls, c threads.Calls) bool {
	for _, masks := range groups {
		found := false
		for _, m := range masks {
			if found = c.Has(m); found {
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// mayBrief reports whether what a Brief keeps of a thread fits the clause.
func (c *clause) mayBrief(b *threads.Brief) bool {
	for _, m := range c.matchers {
		var v Value
		switch m.field.name {
		case "state":
			v = Value{Type: Enum, S: b.State.String()}
		case "wait_reason":
			v = Value{Type: Name, S: b.WaitReason()}
		default:
			continue
		}
		for i := range m.ops {
			if op := &m.ops[i]; m.constant() && op.test(nil, nil, v) == False {
				return false
			}
		}
	}
	return true
}

// mayBe reports whether a thread fits what a clause says without bindings.
func (w *world) mayBe(c *clause, t *threads.Thread) bool {
	for _, m := range c.matchers {
		if m.constant() && m.test(w, nil, t).truth == False {
			return false
		}
	}
	return true
}
