package rules

import (
	"slices"

	"kdlocks/kd"
	"kdlocks/modules"
	"kdlocks/threads"
)

// callees are the threads that clauses may hold for which do not ask for them by
// address, by the numbers of the clauses.
type callees struct {
	facts  [][]fact
	walked []bool // of which facts is filled
	short  []bool // for which not all threads were read that may fit
}

// mostWalked bounds the skimmed threads that are read whole for one clause, and
// mostWalkedOfAll for all clauses of a walk: that costs far more than to skim them.
const mostWalked, mostWalkedOfAll = 64, 256

// mostKeyed is mostWalked for a clause that takes the addresses of its threads from
// facts which the input does not hold: whatever it finds, the rule could not be checked.
const mostKeyed = 4

// mostWalkWork bounds the comparisons of patterns with frames in all walks.
const mostWalkWork = 10_000_000

// walkFor finds the threads of some clauses, in one walk over the threads for all
// that no other clause leads to.
func (w *world) walkFor(cs []*clause) {
	var live []*clause
	var masks [][][]threads.Calls
	for _, c := range cs {
		if w.callees.walked[c.walk] {
			continue
		}
		w.callees.walked[c.walk] = true
		if addrs, ok := w.ledTo(c); ok {
			w.callees.facts[c.walk] = w.threadsAt(c, addrs)
			continue
		}
		if m, ok := w.needed(c.needs); ok {
			live, masks = append(live, c), append(masks, m)
		}
	}
	if len(live) > 0 {
		w.walk(live, masks)
	}
}

// walk looks at all threads whose stacks may have what one of the clauses needs.
func (w *world) walk(live []*clause, masks [][][]threads.Calls) {
	any, left := threads.NewAnyOf(combinations(masks)), make([]int, len(live))
	for i := range left {
		if left[i] = mostWalked; live[i].keyed {
			left[i] = mostKeyed
		}
	}
	all := mostWalkedOfAll
	// wanted says whether a skimmed thread is to be read for one of the clauses.
	wanted := func(c threads.Calls, b *threads.Brief) bool {
		found := false
		for i := range live {
			if w.callees.short[live[i].walk] || !allOf(masks[i], c) || !live[i].mayBrief(b) {
				continue
			}
			if left[i] == 0 || all == 0 {
				w.callees.short[live[i].walk] = true
				continue
			}
			left[i]--
			found = true
		}
		if found {
			all--
		}
		return found
	}
	for t := range w.snap.ThreadsWhere(func(c threads.Calls, b *threads.Brief) bool {
		if b == nil {
			return w.cut || any.In(c)
		}
		return any.In(c) && wanted(c, b)
	}) {
		calls, cut := t.Calls(), lacksFrames(t)
		for i, c := range live {
			if !c.mayStand(masks[i], calls, cut) {
				continue
			}
			if w.walkWork -= c.weight * (1 + len(t.Stack.Frames)); w.walkWork < 0 {
				w.callees.short[c.walk] = true
				continue
			}
			if w.mayBe(c, t) {
				w.callees.facts[c.walk] = append(w.callees.facts[c.walk], t)
			}
		}
	}
}

// ledTo returns the threads that another clause of the rule leads to: one that asks
// for a fact with the address of the clause's thread. False if none does, or if
// such facts may have addresses that are not known.
func (w *world) ledTo(c *clause) ([]kd.Addr, bool) {
	if w.alone {
		return nil, false
	}
	for _, l := range c.leads {
		if addrs, ok := w.addressesOf(l); ok {
			return addrs, true
		}
	}
	return nil, false
}

// mostLed bounds the threads that are read because another clause leads to them.
const mostLed = 1000

func (w *world) addressesOf(l lead) ([]kd.Addr, bool) {
	if !l.by.kind.seen(w) || l.by.kind.listed != nil && !l.by.kind.listed(w, l.by) {
		return nil, false
	}
	var out []kd.Addr
	seen := make(map[kd.Addr]bool)
	for _, f := range w.lookup(l.by, nil) {
		if !w.mayBeFact(l.by, f) {
			continue
		}
		values := l.field.get(w, f)
		if !values.All {
			return nil, false
		}
		for _, v := range values.List {
			if !seen[v.A] {
				seen[v.A] = true
				out = append(out, v.A)
			}
		}
		if len(out) > mostLed {
			return nil, false
		}
	}
	return out, true
}

// threadsAt returns those of some threads that the clause may hold for.
func (w *world) threadsAt(c *clause, addrs []kd.Addr) []fact {
	var out []fact
	for _, a := range addrs {
		if t := w.snap.Thread(a); t != nil && t.Printed() && w.mayBe(c, t) {
			out = append(out, t)
		}
	}
	return out
}

// manyFunctions is how many functions of one pattern are told apart by their bits.
const manyFunctions = 16

// seenPatterns returns for each pattern the functions of the input that may fit
// it, and whether any does; nil if not all functions are known.
func (w *world) seenPatterns(p *plan) []seenPattern {
	out := make([]seenPattern, len(p.patterns))
	for id := range out {
		out[id].anyName = p.patterns[id].function == "*"
	}
	type module struct {
		key      string
		patterns *modulePatterns
	}
	known := make(map[string]module)
	add := func(id int, c threads.Calls) {
		s := &out[id]
		if s.any = true; len(s.masks) <= manyFunctions && !slices.Contains(s.masks, c) {
			s.masks = append(s.masks, c)
		}
	}
	all := w.snap.EachFunction(func(f threads.Function) {
		if f == (threads.Function{}) {
			for id := range out {
				add(id, f.Calls()) // it may be any function
				out[id].addModule(f.Calls())
			}
			return
		}
		m, ok := known[f.Module]
		if !ok {
			m.key = modules.Key(f.Module)
			m.patterns = p.ofModule(m.key)
			known[f.Module] = m
		}
		p.fitting(m.key, m.patterns, f.Name, func(id int) {
			if add(id, f.Calls()); out[id].anyName {
				out[id].addModule(threads.CallOf(f.Module, ""))
			}
		})
	})
	if !all {
		return nil
	}
	return out
}

// seenPattern is what of the input may fit a pattern.
type seenPattern struct {
	any   bool
	masks []threads.Calls // of its functions, one too many where they are not all
	// modules are what all functions of its modules have in common, for a pattern that
	// any of them fits.
	modules []threads.Calls
	anyName bool
}

func (s *seenPattern) addModule(c threads.Calls) {
	if len(s.modules) <= manyFunctions && !slices.Contains(s.modules, c) {
		s.modules = append(s.modules, c)
	}
}

// either returns the masks of which a stack with the pattern has one; too many where
// they are not all.
func (s *seenPattern) either() []threads.Calls {
	if s.anyName && len(s.masks) > manyFunctions {
		return s.modules
	}
	return s.masks
}

// needed returns what must be on a stack; false if some of it is nowhere. Where stacks
// are cut, the rest of what begins on one may stand further out: what is nowhere is
// then a group of nothing.
func (w *world) needed(needs [][]int) ([][]threads.Calls, bool) {
	if w.seen == nil {
		return nil, true
	}
	var out [][]threads.Calls
	for _, group := range needs {
		var masks []threads.Calls
		found := false
		for _, id := range group {
			found = found || w.seen[id].any
			masks = append(masks, w.seen[id].either()...)
		}
		if !found && !w.cut {
			return nil, false
		}
		if len(masks) <= manyFunctions {
			out = append(out, masks)
		}
	}
	return out, true
}

// combinations joins what each clause needs: of the group with the fewest masks
// each one, with those of all groups that have one alone.
func combinations(masks [][][]threads.Calls) []threads.Calls {
	var out []threads.Calls
	for _, groups := range masks {
		var sure threads.Calls
		var choice []threads.Calls
		if slices.ContainsFunc(groups, func(g []threads.Calls) bool { return len(g) == 0 }) {
			continue // nothing of it was seen
		}
		for _, g := range groups {
			switch {
			case len(g) == 1:
				sure = sure.Or(g[0])
			case choice == nil || len(g) < len(choice):
				choice = g
			}
		}
		if choice == nil {
			choice = []threads.Calls{{}}
		}
		for _, m := range choice {
			out = append(out, sure.Or(m))
		}
	}
	return out
}

// briefRulesOut reports whether a thread was skimmed and has not what a clause needs on
// its stack: then it need not be read whole.
func (w *world) briefRulesOut(c *clause, a kd.Addr) bool {
	if len(c.needs) == 0 || w.seen == nil {
		return false
	}
	b := w.snap.Brief(a)
	if b == nil || b.Has(threads.NoStack) {
		return false
	}
	groups, known := w.masks[c]
	if !known {
		if found, ok := w.needed(c.needs); ok {
			groups = append([][]threads.Calls{}, found...)
		}
		if w.masks == nil {
			w.masks = make(map[*clause][][]threads.Calls)
		}
		w.masks[c] = groups
	}
	return groups == nil || !allOf(groups, b.Calls)
}

// mayStand reports whether a stack may have what the clause needs: one that is cut may
// have anything further out.
func (c *clause) mayStand(groups [][]threads.Calls, calls threads.Calls, cut bool) bool {
	return cut || allOf(groups, calls)
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
func (w *world) mayBe(c *clause, t *threads.Thread) bool { return w.mayBeFact(c, t) }

// mayBeFact is mayBe for any fact.
func (w *world) mayBeFact(c *clause, f fact) bool {
	for _, m := range c.matchers {
		if m.constant() && m.test(w, nil, f).truth == False {
			return false
		}
	}
	return true
}

// together returns the clauses whose threads are looked for when those of one are.
func (w *world) together(c *clause) []*clause {
	if w.callees.walked[c.walk] {
		return nil
	}
	return append([]*clause{c}, w.later...)
}

// walkedOf returns the clauses of some roles that are looked for on all threads.
func walkedOf(rules []*Rule, roles ...role) []*clause {
	var out []*clause
	var add func([]*clause)
	add = func(list []*clause) {
		for _, c := range list {
			for _, inner := range c.any {
				add(inner)
			}
			if c.walk >= 0 {
				out = append(out, c)
			}
		}
	}
	for _, r := range rules {
		for _, role := range roles {
			add(r.clausesOf(role))
		}
	}
	return out
}

func (r *Rule) clausesOf(role role) []*clause {
	switch role {
	case roleBoost:
		return r.boost
	case roleExclude:
		return r.exclude
	}
	return r.match
}
