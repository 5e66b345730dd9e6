package rules

import (
	"cmp"
	"slices"
	"strings"
)

// byWeight orders results: those that hold, by severity, confidence and the number
// of their clauses that hold, then those that are excluded, then the open ones.
func byWeight(a, b Result) int {
	return cmp.Or(
		cmp.Compare(b.Outcome.weight(), a.Outcome.weight()),
		cmp.Compare(slices.Index(severities, a.Rule.Severity), slices.Index(severities, b.Rule.Severity)),
		cmp.Compare(b.holding(), a.holding()),
		strings.Compare(a.Rule.ID, b.Rule.ID),
	)
}

func (o Outcome) weight() int { return len(outcomes) - slices.Index(outcomes, string(o)) }

// holding counts the clauses of a result that hold.
func (r *Result) holding() int {
	n := 0
	for _, c := range r.Clauses {
		if c.Truth == True {
			n++
		}
	}
	return n
}

// superseded takes away results of rules that another one which holds as surely
// says it supersedes.
func superseded(rs []Result) []Result {
	gone := make(map[string]Outcome)
	for _, r := range rs {
		if !r.Outcome.Fired() || r.Rule.Suppressed != nil {
			continue
		}
		for _, id := range r.Rule.Supersedes {
			gone[id] = r.Outcome
		}
	}
	return slices.DeleteFunc(rs, func(r Result) bool {
		by, ok := gone[r.Rule.ID]
		return ok && !(r.Outcome.Fired() && by.Surer(r.Outcome))
	})
}
