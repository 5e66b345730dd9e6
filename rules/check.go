package rules

import "slices"

// check finds clauses that can never matter. It is asked about rules without
// other mistakes.
func (d *decoder) check(r *Rule, m entries) {
	if r.Inferred && r.Confidence != Possible {
		d.failAt(e(m, "confidence"), "an inferred signature was never seen in a log: its rule is possible, and not %s", r.Confidence)
	}
	d.repeated(r.match, false)
	d.repeated(r.boost, true)
	d.repeated(r.exclude, true)
	for _, c := range r.boost {
		switch {
		case c.to.rank() <= r.Confidence.rank():
			d.fail(c.at, "the rule is %s already: a boost to %s is unreachable", r.Confidence, c.to)
		case r.Inferred && c.to.rank() > Possible.rank():
			d.fail(c.at, "an inferred signature is never more than possible: a boost to %s is unreachable", c.to)
		}
	}
	for _, c := range r.exclude {
		if k := slices.IndexFunc(r.match, func(o *clause) bool { return o.text == c.text && c.any == nil }); k >= 0 {
			d.fail(c.at, "what match asks for at line %d excludes the rule: it can never hold", r.match[k].at.line)
		}
	}
	for _, c := range r.match {
		if c.kind != nil && len(c.matchers) == 0 && c.count == nil && len(r.match) == 1 {
			d.fail(c.at, "the rule holds for every log that has a %s: say what it is like", c.kind.name)
		}
	}
}

// repeated reports a mistake for a clause that says the same as an earlier one. Of
// clauses that hold together two with a name each may stand for two facts.
func (d *decoder) repeated(list []*clause, apart bool) {
	for i, c := range list {
		k := slices.IndexFunc(list[:i], func(o *clause) bool { return o.text == c.text && (apart || o.as == "" || c.as == "") })
		if k >= 0 {
			d.fail(c.at, "the clause says the same as the one at line %d: it is unreachable", list[k].at.line)
		}
		for j, inner := range c.any {
			d.repeated(inner, false)
			same := func(o []*clause) bool { return slices.EqualFunc(o, inner, (*clause).same) }
			if k := slices.IndexFunc(c.any[:j], same); k >= 0 && len(inner) > 0 {
				d.fail(inner[0].at, "the list of any says the same as the one at line %d: it is unreachable", c.any[k][0].at.line)
			}
		}
	}
}

// same reports whether two clauses read alike.
func (c *clause) same(o *clause) bool { return c.text == o.text && c.as == o.as }
