package rules

import (
	"slices"

	"kdlocks/heuristics"
	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// world is what the facts of one judged snapshot are read from.
type world struct {
	snap     *snapshot.Snapshot
	findings []heuristics.Finding
	gaps     []kd.Gap // of the judgement

	facts   map[*kind][]fact
	indexes map[*field]*index
	callees callees
	// alone is set where a clause is not to leave out what another one rules out.
	alone bool
	// later are the clauses of boost and exclude whose threads are looked for when
	// the first of them is asked.
	later []*clause
	// alive are the rules that may hold, callers the threads that their clauses of
	// joins may hold for, which are found when first asked for.
	alive   []*Rule
	callers map[*clause][]kd.Addr

	masks        map[*clause][][]threads.Calls // what keyed clauses need, nil where no stack has it
	cut          bool                          // whether stacks are, which were not skimmed
	seen         []seenPattern                 // what of the plan's patterns the input may have
	owned        map[kd.Addr][]Value           // locks by the thread that owns them
	waited       map[kd.Addr][]Value           // locks by the thread that waits for them
	sectionIndex *sectionIndex
	// steps is how many comparisons may still be made for a rule, spent is set
	// when they did not suffice.
	steps int
	spent bool
	// allowed is what steps began with.
	allowed int
	// allSteps is how many for all of them.
	allSteps int
	// walkWork is how many patterns may still be compared with frames in walks.
	walkWork int
	// named caches symbols, printed allPrinted, joining worthJoining.
	named, printed, joining Truth
}

func newWorld(j *heuristics.Judgement, p *plan) *world {
	w := &world{allSteps: mostStepsOfAll, walkWork: mostWalkWork, snap: j.Snap, findings: j.Findings, gaps: j.Gaps, facts: make(map[*kind][]fact), indexes: make(map[*field]*index)}
	w.callees = callees{facts: make([][]fact, len(p.walked)), walked: make([]bool, len(p.walked)), short: make([]bool, len(p.walked))}
	if len(p.patterns) > 0 && w.snap.ThreadCount() > 0 {
		w.seen = w.seenPatterns(p)
		w.cut = slices.ContainsFunc(w.snap.Threads, func(t *threads.Thread) bool { return lacksFrames(t) })
	}
	return w
}

// factsOf returns all facts of a kind in the order of the input.
func (w *world) factsOf(k *kind) []fact {
	if have, ok := w.facts[k]; ok {
		return have
	}
	var out []fact
	for f := range k.all(w) {
		out = append(out, f)
	}
	w.facts[k] = out
	return out
}

// symbols reports whether the debugger had symbols of the kernel: it printed a
// function of nt, or the name of a lock.
func (w *world) symbols() bool {
	if w.named != Unknown {
		return w.named == True
	}
	w.named = False
	for _, r := range w.snap.Resources {
		if r.Symbol != "" {
			w.named = True
		}
	}
	for _, t := range w.snap.Threads {
		for i := range t.Stack.Frames {
			if c := callOf(&t.Stack.Frames[i]); c.module == "nt" && c.function != "" {
				w.named = True
				return true
			}
		}
	}
	return w.named == True
}

// lockThreads fills owned and waited.
func (w *world) lockThreads() {
	if w.owned != nil {
		return
	}
	w.owned, w.waited = make(map[kd.Addr][]Value), make(map[kd.Addr][]Value)
	for _, r := range w.snap.Resources {
		if r.Reading == locks.Irreconcilable {
			continue
		}
		for i := range r.Resolved {
			if o := &r.Resolved[i]; o.Thread != 0 {
				w.owned[o.Thread] = append(w.owned[o.Thread], Value{Type: Address, A: r.Addr, At: o.At})
			}
		}
		for _, list := range [][]locks.Waiter{r.SharedWaiters, r.ExclusiveWaiters} {
			for _, q := range list {
				if !q.Marker() {
					w.waited[q.Thread] = append(w.waited[q.Thread], Value{Type: Address, A: r.Addr, At: q.At})
				}
			}
		}
	}
}

func tri(t threads.Tri, at kd.Ref) Values {
	if t == threads.Unknown {
		return unknown
	}
	return boolean(t == threads.Yes, at)
}
