package rules

import (
	"iter"
	"slices"

	"kdlocks/heuristics"
	"kdlocks/kd"
)

type findingFact = *heuristics.Finding

func init() {
	registerKind(&kind{
		name: "finding", doc: "what a detector of kdlocks found; kdlocks explain lists the detectors",
		seen: func(*world) bool { return true }, listed: allFindings, rest: undecided,
		all: func(w *world) iter.Seq[fact] { return eachOf(w.findings) },
		at: placed(func(f findingFact) kd.Ref {
			if len(f.Evidence) > 0 {
				return f.Evidence[0].At
			}
			return kd.Ref{}
		}),
		addr: addressed(func(f findingFact) kd.Addr {
			if len(f.Evidence) > 0 {
				return f.Evidence[0].Addr
			}
			return 0
		}),
		fields: []*field{
			{name: "id", typ: Enum, words: detectorIDs(), usual: []string{"blocked-chain", "contention", "owner-missing", "thread-waits"}, doc: "the detector", get: getter(func(_ *world, f findingFact) Values { return text(Enum, f.Check.ID, evidenceAt(f)) })},
			{name: "kind", typ: Enum, common: true, words: []string{"deadlock", "stall", "orphaned-lock", "memory-exhausted", "suspected-deadlock", "memory-leak", "blocked-chain", "contention", "no-leak", "no-deadlock", "undecided", "context"}, doc: "what it says of the system as a whole", get: getter(func(_ *world, f findingFact) Values { return text(Enum, string(f.Kind), evidenceAt(f)) })},
			{name: "severity", typ: Enum, common: true, words: []string{"critical", "high", "medium", "low", "info"}, doc: "how bad it is", get: getter(func(_ *world, f findingFact) Values { return text(Enum, string(f.Severity), evidenceAt(f)) })},
			{name: "confidence", typ: Enum, common: true, words: []string{"certain", "very-likely", "likely", "possible"}, doc: "how sure it is", get: getter(func(_ *world, f findingFact) Values { return text(Enum, string(f.Confidence), evidenceAt(f)) })},
			{name: "grade", typ: Enum, common: true, words: []string{"A", "B", "C", "D"}, doc: "the grade of its weakest evidence", get: getter(func(_ *world, f findingFact) Values { return text(Enum, f.Grade.String(), evidenceAt(f)) })},
			{name: "threads", typ: Address, list: true, doc: "the threads that it is about: a cycle's members, a chain's root first", get: getter(func(_ *world, f findingFact) Values { return addresses(f.Threads, evidenceAt(f)) })},
			{name: "root", typ: Address, doc: "the first of its threads: the root of a chain", get: getter(func(_ *world, f findingFact) Values {
				return addresses(f.Threads[:min(1, len(f.Threads))], evidenceAt(f))
			})},
			{name: "locks", typ: Address, list: true, doc: "the locks that it is about, and all that its threads wait for one behind the other: critical sections and messages, too", get: getter(func(_ *world, f findingFact) Values { return addresses(locksOf(f), evidenceAt(f)) })},
			{name: "length", typ: Number, common: true, doc: "how many threads its cycle has; 0 without a cycle", get: getter(func(_ *world, f findingFact) Values { return number(Number, float64(len(f.Cycle)), evidenceAt(f)) })},
			{name: "blocked", typ: Number, common: true, doc: "how many threads wait behind it", get: getter(func(_ *world, f findingFact) Values { return number(Number, float64(f.Blocked), evidenceAt(f)) })},
			{name: "blocked_threads", typ: Address, list: true, doc: "the threads that wait behind it", get: getter(func(_ *world, f findingFact) Values {
				out := addresses(append(slices.Clip(f.Others), f.Bystanders...), evidenceAt(f))
				out.All = len(out.List) >= f.Blocked
				return out
			})},
			{name: "suspect", typ: Name, doc: "the module that it suspects", get: getter(func(_ *world, f findingFact) Values {
				if f.Suspect == nil {
					return none
				}
				return text(Name, f.Suspect.Module, evidenceAt(f))
			})},
		},
	})
}

// allFindings reports whether a detector had what it takes to find something: no
// fact is missing that the verdict hangs on, and none of what the detectors that the
// clause names look at besides locks.
func allFindings(w *world, c *clause) bool { return undecided(w, c) == Missing{} }

// undecided is what the detectors that a clause names lack.
func undecided(w *world, c *clause) Missing {
	for _, g := range w.gaps {
		if g.Decides {
			return Missing{What: g.What, Command: g.Next}
		}
	}
	if !w.snap.Whole && !c.asksOnlyFor(worksQueues) && !c.asksOnlyFor(looksAtThreads) && !c.asksOnlyFor(looksAtTheStop) {
		return Missing{What: "whether all held locks are listed", Command: "!locks"}
	}
	if id := w.keptOf(c); id != "" {
		return Missing{What: "more findings of " + id + " than are kept"}
	}
	switch queues := kindNamed("queue"); {
	case c.asksOnlyFor(worksQueues) && !queues.seen(w):
		return Missing{What: w.kindMissing(queues), Command: queues.ask}
	case c.asksOnlyFor(looksAtThreads) && !w.snap.ListsAllThreads(0):
		return Missing{What: "whether there are threads other than those in the input", Command: kindNamed("thread").ask}
	}
	return Missing{}
}

// keptOf returns a detector that a clause may ask for and of whose findings not all are
// kept, "" if there is none.
func (w *world) keptOf(c *clause) string {
	n := make(map[string]int)
	for i := range w.findings {
		id := w.findings[i].Check.ID
		if n[id]++; n[id] >= heuristics.MostFindings && c.mayAskFor(id) {
			return id
		}
	}
	return ""
}

// mayAskFor reports whether the clause may be about a detector.
func (c *clause) mayAskFor(id string) bool {
	ids, ok := c.literals("id")
	return !ok || slices.Contains(ids, id)
}

// worksQueues, looksAtThreads and looksAtTheStop are the detectors that find what locks
// need not show.
var (
	looksAtTheStop = map[string]bool{"named-by-stop-code": true, "stopped-by-watchdog": true, "stop-by-fault": true}
	worksQueues    = map[string]bool{"worker-exhaustion": true}
	looksAtThreads = map[string]bool{"teardown-waits-io": true, "waits-for-others-to-leave": true, "thread-waits": true}
)

// asksOnlyFor reports whether the detectors that a clause names are all of some.
func (c *clause) asksOnlyFor(ids map[string]bool) bool {
	for _, m := range c.matchers {
		if m.field.name != "id" || m.negative() {
			continue
		}
		all := true
		for _, op := range m.ops {
			for _, o := range op.operands {
				all = all && o.ref == nil && o.glob == "" && ids[o.lit.S]
			}
		}
		return all
	}
	return false
}

func detectorIDs() []string {
	var out []string
	for _, c := range heuristics.Checks() {
		out = append(out, c.ID)
	}
	return out
}

// locksOf are those of a finding and of the hops of its cycle or chain.
func locksOf(f findingFact) []kd.Addr {
	out := slices.Clone(f.Resources)
	for _, s := range slices.Concat(f.Cycle, f.Chain) {
		if s.WaitsFor != 0 && !slices.Contains(out, s.WaitsFor) {
			out = append(out, s.WaitsFor)
		}
	}
	return out
}

func evidenceAt(f findingFact) kd.Ref {
	if len(f.Evidence) > 0 {
		return f.Evidence[0].At
	}
	return kd.Ref{}
}

func addresses(as []kd.Addr, at kd.Ref) Values {
	out := Values{All: true}
	for _, a := range as {
		out.List = append(out.List, Value{Type: Address, A: a, At: at})
	}
	return out
}
