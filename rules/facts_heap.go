package rules

import (
	"iter"

	"kdlocks/kd"
	"kdlocks/snapshot"
)

// heapFact is a back trace that grew between two logs of the heaps of a process.
type heapFact struct {
	*snapshot.HeapTrace
	of *snapshot.HeapGrowth
}

// mostHeapFacts bounds the back traces of a comparison that rules are asked about:
// those that grew most.
const mostHeapFacts = 1000

func init() {
	registerKind(&kind{
		name: "heapdiff", doc: "a back trace that grew between two logs of the heaps of a process, by dhcmp, umdh or the logs themselves",
		ask:  "umdh -p:PID -f:after.txt",
		seen: func(w *world) bool { return len(w.snap.Heaps) > 0 },
		all:  allHeaps,
		at:   placed(func(h *heapFact) kd.Ref { return h.At }),
		fields: []*field{
			{name: "backtrace", typ: Text, doc: "what stands behind BackTrace, letter by letter", get: getter(func(_ *world, h *heapFact) Values { return text(Text, h.ID, h.At) })},
			{name: "delta_bytes", typ: Size, doc: "by how many bytes it grew", get: getter(func(_ *world, h *heapFact) Values { return amount(Size, h.Bytes.Delta) })},
			{name: "delta_allocs", typ: Number, doc: "by how many allocations it grew", get: getter(func(_ *world, h *heapFact) Values { return amount(Number, h.Allocs.Delta) }), ask: "umdh -v before.txt after.txt"},
			{name: "allocs", typ: Number, doc: "how many allocations it has in the later log", get: getter(func(_ *world, h *heapFact) Values { return amount(Number, h.Allocs.After) })},
			{name: "growth", typ: Enum, words: []string{"nothing", "possible", "likely"}, doc: "how far its growth tells of a leak, as the detector heap-growth decides", get: getter(func(_ *world, h *heapFact) Values { return text(Enum, h.of.Weigh(h.HeapTrace).String(), h.At) })},
			{name: "share", typ: Percent, doc: "its share of all that grew; unknown where rows may be missing", get: getter(heapShare)},
			{name: "module", typ: Name, doc: "the module of the first frame that is neither of Windows nor of a run-time library nor an allocator", get: getter(heapModule), ask: "umdh -v before.txt after.txt"},
			{name: "function", typ: Name, doc: "the function of that frame", get: getter(heapFunction), ask: "umdh -v before.txt after.txt"},
			{name: "hours", typ: Number, doc: "how far the logs are apart", get: getter(heapHours), ask: "umdh -p:PID -f:later.txt", lack: "the logs do not tell both times"},
			{name: "total", typ: Number, doc: "by how many bytes the heaps grew as a whole, less than 0 if they shrank", get: getter(func(_ *world, h *heapFact) Values { return amount(Number, h.of.Total) })},
		},
	})
}

// allHeaps passes over what has no back trace: nothing is known of who allocated it.
func allHeaps(w *world) iter.Seq[fact] {
	return func(yield func(fact) bool) {
		for _, g := range w.snap.Heaps {
			for i := range g.Grown[:min(len(g.Grown), mostHeapFacts)] {
				if !g.Grown[i].Nameless() && !yield(&heapFact{&g.Grown[i], g}) {
					return
				}
			}
		}
	}
}

func heapShare(_ *world, h *heapFact) Values {
	share, ok := h.of.Share(h.HeapTrace)
	if !ok {
		return unknown
	}
	return number(Percent, share, h.At)
}

func heapModule(_ *world, h *heapFact) Values {
	a, ok := snapshot.AllocatorOf(h.Frames, h.Log)
	if !ok {
		return unknown
	}
	return text(Name, a.Module, a.At)
}

func heapFunction(_ *world, h *heapFact) Values {
	a, ok := snapshot.AllocatorOf(h.Frames, h.Log)
	if !ok || a.Function == "" {
		return unknown
	}
	return text(Name, a.Function, a.At)
}

func heapHours(_ *world, h *heapFact) Values {
	if h.of.Minutes < 0 {
		return unknown
	}
	return number(Number, float64(h.of.Minutes/60), h.of.At)
}
