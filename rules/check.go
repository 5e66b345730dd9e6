package rules

import "slices"

// check finds clauses that can never matter. It is asked about rules without
// other mistakes.
func (d *decoder) check(r *Rule, m entries) {
	if r.Inferred && r.Confidence != Possible {
		d.failAt(e(m, "confidence"), "an inferred signature was never seen in a log: its rule is possible, and not %s", r.Confidence)
	}
	for _, c := range r.match {
		if c.as != "" && c.countsNone() {
			d.fail(c.at, "%s names a fact of which count says that there is none", c.as)
		}
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
	var before, unnamed map[string]*clause
	if len(list) > 1 {
		before, unnamed = make(map[string]*clause), make(map[string]*clause)
	}
	for _, c := range list {
		same := unnamed[c.text]
		if apart || c.as == "" {
			same = before[c.text]
		}
		switch {
		case same != nil:
			d.fail(c.at, "the clause says the same as the one at line %d: it is unreachable", same.at.line)
		case len(list) > 1:
			if before[c.text] == nil {
				before[c.text] = c
			}
			if c.as == "" {
				unnamed[c.text] = c
			}
		}
		if c.any != nil {
			d.repeatedLists(c.any)
		}
	}
}

// repeatedLists is repeated for the lists of an "any", and for what is in them.
func (d *decoder) repeatedLists(lists [][]*clause) {
	before := make(map[string]*clause)
	for _, list := range lists {
		d.repeated(list, false)
		key := ""
		for _, c := range list {
			key += c.as + "\x00" + c.text + "\x00"
		}
		if same := before[key]; same != nil {
			d.fail(list[0].at, "the list of any says the same as the one at line %d: it is unreachable", same.at.line)
		} else if len(list) > 0 {
			before[key] = list[0]
		}
	}
}
