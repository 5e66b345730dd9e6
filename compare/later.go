package compare

import (
	"fmt"
	"sync"

	"kdlocks/heuristics"
)

// lookAhead lets each session but the last tell what the input holds of later moments
// of the same boot. That is found out when it is first asked for.
func lookAhead(js []heuristics.Judgement) {
	for i := range js[:len(js)-1] {
		js[i].Later = sync.OnceValue(func() []heuristics.Moment { return laterThan(js, i) })
	}
}

// laterThan returns the sessions that are seen to be later moments of the boot of one.
func laterThan(js []heuristics.Judgement, i int) []heuristics.Moment {
	var out []heuristics.Moment
	for k := i + 1; k < min(len(js), i+1+mostCaptures); k++ {
		from, in := &Capture{Judgement: js[i], Name: fmt.Sprintf("session %d", i+1)}, &Capture{Judgement: js[k], Name: fmt.Sprintf("session %d", k+1)}
		pair := []*Capture{from, in}
		people := named(pair)
		from.loadClock()
		in.loadClock()
		if otherHeader(from, in) != "" {
			continue
		}
		from.loadNamed(people)
		in.loadNamed(people)
		var c comparison
		if groups, _ := boots(pair); len(groups) != 1 || !c.putInOrder(pair) || from.index > in.index || c.later(from, in) == "" {
			continue
		}
		out = append(out, heuristics.Moment{Session: k + 1, Snap: js[k].Snap})
	}
	return out
}
