package rules

import (
	"kdlocks/kd"
	"kdlocks/threads"
)

// joins notes for each clause of match which others ask for threads that a field of it
// names, and for frames on their stacks: of its facts only those matter that name a
// thread with such frames.
func joins(list []*clause) {
	for _, c := range list {
		if c.kind == nil || c.as == "" || c.count != nil || !listsThreads[c.kind.name] {
			continue
		}
		for _, t := range list {
			if t.kind == nil || t.kind.name != "thread" || t.count != nil || len(t.needs) == 0 {
				continue
			}
			if f := t.threadOf(c.as); f != nil {
				c.joins = append(c.joins, lead{t, f})
			}
		}
	}
}

// threadOf returns the field of a name that the clause takes the address of its thread
// from and from nowhere else, nil if it does not.
func (c *clause) threadOf(name string) *field {
	for _, m := range c.matchers {
		if m.field.name != c.kind.key || len(m.ops) != 1 || !m.ops[0].namesKeys() || len(m.ops[0].operands) != 1 {
			continue
		}
		if ref := m.ops[0].operands[0].ref; ref != nil && ref.name == name {
			return ref.field
		}
	}
	return nil
}

// fewFacts are as many as are tried one by one, for all rules, without asking first
// which can matter.
var fewFacts = 50_000 // for tests no constant

// mostJoined bounds the threads that are kept for one clause.
const mostJoined = 512

// joined returns, of the facts of a clause, the numbers of those that name a thread
// which other clauses may hold for; false if nothing is gained.
func (w *world) joined(c *clause) (lists [][]int32, ok bool) {
	if w.alive == nil || len(c.joins) == 0 || !w.worthJoining() || !w.allPrinted() {
		return nil, false
	}
	w.findJoined()
	for _, l := range c.joins {
		addrs, known := w.callers[l.by]
		if !known || len(addrs) > mostJoined {
			continue
		}
		x := w.indexOf(c.kind, l.field)
		lists = [][]int32{x.loose}
		for _, a := range addrs {
			v := Value{Type: Address, A: a}
			lists = append(lists, x.byKey[v.key()])
		}
		return lists, true
	}
	return nil, false
}

// worthJoining reports whether the clauses of joins have many facts to try.
func (w *world) worthJoining() bool {
	if w.joining == Unknown {
		n := 0
		for _, r := range w.alive {
			for _, c := range r.match {
				if len(c.joins) > 0 {
					n += len(w.factsOf(c.kind))
				}
			}
		}
		w.joining = truth(n > fewFacts)
	}
	return w.joining == True
}

// findJoined finds the threads that may have what the clauses of joins need on their
// stacks, in one walk for all.
func (w *world) findJoined() {
	if w.callers != nil {
		return
	}
	w.callers = make(map[*clause][]kd.Addr)
	var live []*clause
	var masks [][][]threads.Calls
	for _, r := range w.alive {
		for _, c := range r.match {
			for _, l := range c.joins {
				if m, ok := w.needed(l.by.needs); ok && len(m) > 0 {
					live, masks = append(live, l.by), append(masks, m)
				}
			}
		}
	}
	any := threads.NewAnyOf(combinations(masks))
	found := make([][]kd.Addr, len(live))
	note := func(a kd.Addr, calls threads.Calls, cut bool) {
		for i := range live {
			if len(found[i]) <= mostJoined && live[i].mayStand(masks[i], calls, cut) {
				found[i] = append(found[i], a)
			}
		}
	}
	for t := range w.snap.ThreadsWhere(func(c threads.Calls, b *threads.Brief) bool {
		if !any.In(c) || b == nil {
			return b == nil
		}
		note(b.Addr, c, false)
		return false
	}) {
		if calls, cut := t.Calls(), lacksFrames(t); cut || any.In(calls) {
			note(t.Addr, calls, cut)
		}
	}
	for i, c := range live {
		w.callers[c] = found[i]
	}
}
