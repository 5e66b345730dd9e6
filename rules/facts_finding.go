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
		seen: func(*world) bool { return true },
		all:  func(w *world) iter.Seq[fact] { return eachOf(w.findings) },
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
			{name: "id", typ: Enum, words: detectorIDs(), doc: "the detector", get: getter(func(_ *world, f findingFact) Values { return text(Enum, f.Check.ID, evidenceAt(f)) })},
			{name: "kind", typ: Enum, common: true, words: []string{"deadlock", "stall", "orphaned-lock", "suspected-deadlock", "blocked-chain", "contention", "no-deadlock", "undecided", "context"}, doc: "what it says of the system as a whole", get: getter(func(_ *world, f findingFact) Values { return text(Enum, string(f.Kind), evidenceAt(f)) })},
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
