package rules

import (
	"cmp"

	"kdlocks/kd"
)

// lead is a field of another clause that holds the address of a clause's thread.
type lead struct {
	by    *clause
	field *field
}

// plan is what a Set prepares once, so that asking many rules about a log costs
// little where the log is about few of them.
type plan struct {
	// walked are the clauses that are looked for on all threads, each with its
	// number.
	walked []*clause
	// patterns are the different ones that those clauses have.
	patterns []framePattern
	// byFunction finds patterns without wildcards by module and function, byModule
	// those with wildcards in the function alone, and wild are the others.
	byFunction map[framePattern]int
	byModule   map[string][]int
	wild       []int
	// literals are the patterns without wildcards by module and by function.
	literals map[string]map[string]int
}

// newPlan prepares the clauses of some rules.
func newPlan(rules []*Rule) *plan {
	p := &plan{byFunction: make(map[framePattern]int), byModule: make(map[string][]int)}
	for _, r := range rules {
		for _, list := range [][]*clause{r.match, r.boost, r.exclude} {
			p.add(list)
		}
		leads(r.match)
		joins(r.match)
	}
	p.literals = p.literalModules()
	return p
}

// leads notes for each clause of threads which others of match hold the address
// of its thread.
func leads(list []*clause) {
	for _, t := range list {
		if t.walk < 0 || t.as == "" || t.count != nil {
			continue
		}
		for _, by := range list {
			if by.kind == nil || by.kind.name == "thread" || by.count != nil {
				continue
			}
			for _, m := range by.matchers {
				if m.isAddressOf(t.as) {
					t.leads = append(t.leads, lead{by, m.field})
				}
			}
		}
	}
}

// isAddressOf reports whether the matcher asks for the address of what a name
// stands for, and for nothing else.
func (m *matcher) isAddressOf(name string) bool {
	if len(m.ops) != 1 || !m.ops[0].namesKeys() || len(m.ops[0].operands) != 1 {
		return false
	}
	ref := m.ops[0].operands[0].ref
	return ref != nil && ref.name == name && ref.field.name == "address"
}

func (p *plan) add(list []*clause) {
	for _, c := range list {
		for _, inner := range c.any {
			p.add(inner)
		}
		c.weigh()
		if c.kind == nil || c.kind.name != "thread" {
			continue
		}
		c.needs = p.needsOf(c)
		if c.keyed = c.byKey() != nil; !c.keyed || c.role == roleMatch && c.tellsMuch() {
			c.walk = len(p.walked)
			p.walked = append(p.walked, c)
		}
	}
}

// weigh sorts the comparisons of a clause, those of stacks last, and says what they
// cost.
func (c *clause) weigh() {
	kd.SortStable(c.matchers, func(a, b *matcher) int {
		return cmp.Compare(a.patterns(), b.patterns())
	})
	c.weight = 1
	for _, m := range c.matchers {
		c.weight += m.patterns()
	}
}

// patterns counts the patterns of frames of a matcher.
func (m *matcher) patterns() int {
	if m.stack == nil {
		return 0
	}
	n := len(m.stack.none)
	for _, one := range m.stack.seq {
		n += len(one)
	}
	return n
}

// needsOf returns the groups of patterns of which each must have one on the stack
// if the clause is to hold.
func (p *plan) needsOf(c *clause) [][]int {
	var out [][]int
	for _, m := range c.matchers {
		if m.stack == nil {
			continue
		}
		for _, one := range m.stack.seq {
			if ids, ok := p.ids(one); ok {
				out = append(out, ids)
			}
		}
	}
	return out
}

// ids numbers the patterns of which one must be on the stack; false if they name
// no module.
func (p *plan) ids(one []framePattern) (ids []int, ok bool) {
	for _, f := range one {
		if f.third || f.ref != nil {
			return nil, false
		}
		ids = append(ids, p.id(f))
	}
	return ids, true
}

// id numbers a pattern.
func (p *plan) id(f framePattern) int {
	if id, ok := p.byFunction[f]; ok {
		return id
	}
	id := len(p.patterns)
	p.patterns = append(p.patterns, f)
	p.byFunction[f] = id
	switch {
	case isGlob(f.module):
		p.wild = append(p.wild, id)
	case isGlob(f.function):
		p.byModule[f.module] = append(p.byModule[f.module], id)
	}
	return id
}

// modulePatterns are the patterns that functions of one module may fit.
type modulePatterns struct {
	literals map[string]int
	globs    []int
}

// ofModule returns the patterns that functions of a module may fit, the module by
// its key.
func (p *plan) ofModule(key string) *modulePatterns {
	m := &modulePatterns{literals: p.literals[key]}
	for _, list := range [][]int{p.byModule[key], p.wild} {
		for _, id := range list {
			if p.patterns[id].fits(key, "") != False {
				m.globs = append(m.globs, id)
			}
		}
	}
	return m
}

// fitting calls found with each pattern that a function of a module may fit, the
// module by its key. Without symbols any function of the module may be meant.
func (p *plan) fitting(key string, m *modulePatterns, function string, found func(id int)) {
	if function == "" {
		for _, id := range m.literals {
			found(id)
		}
	} else if id, ok := m.literals[function]; ok {
		found(id)
	}
	for _, id := range m.globs {
		if p.patterns[id].fits(key, function) != False {
			found(id)
		}
	}
}

// literalModules lists the patterns without wildcards by module and function.
func (p *plan) literalModules() map[string]map[string]int {
	out := make(map[string]map[string]int)
	for id, f := range p.patterns {
		if isGlob(f.module) || isGlob(f.function) {
			continue
		}
		if out[f.module] == nil {
			out[f.module] = make(map[string]int)
		}
		out[f.module][f.function] = id
	}
	return out
}

// byKey returns the comparison by which a clause asks for facts by their key, nil if it
// does not.
func (c *clause) byKey() *comparison {
	if c.kind.find == nil {
		return nil
	}
	for _, m := range c.matchers {
		if m.field.name != c.kind.key {
			continue
		}
		for i := range m.ops {
			if op := &m.ops[i]; op.namesKeys() {
				return op
			}
		}
	}
	return nil
}
