package rules

import (
	"fmt"
	"slices"

	"kdlocks/heuristics"
)

// takeBack excludes a rule that holds for threads or locks of a finding that a later
// moment of the input refutes: what the rule recognised is past.
func (r *Result) takeBack(fs []heuristics.Finding) {
	if !r.Outcome.Fired() {
		return
	}
	for i := range fs {
		f := &fs[i]
		if f.Past == 0 {
			continue
		}
		for _, a := range slices.Concat(f.Threads, f.Resources) {
			if slices.Contains(r.Threads, a) || slices.Contains(r.Locks, a) {
				r.Outcome, r.Because = Excluded, fmt.Sprintf("session %d of the input, later, shows that it has ended", f.Past)
				return
			}
		}
	}
}
