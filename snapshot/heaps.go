package snapshot

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"kdlocks/kd"
	"kdlocks/memory"
	"kdlocks/stacks"
)

// HeapGrowth is what became of the heaps of one process between two logs of them: by
// a printed comparison, or by the logs themselves.
type HeapGrowth struct {
	*memory.HeapDiff
	// Grown are the back traces that grew, most first.
	Grown []HeapTrace
	// Minutes are how long the logs are apart, -1 if that is not known.
	Minutes int64
	// Held is what the later log holds, 0 if none was given; Bare is what grew without a
	// back trace, in bytes.
	Held, Bare int64
	increase   int64
	// Of is a log of the process, nil if none was given.
	Of *memory.HeapLog
}

// HeapTrace is a back trace that grew.
type HeapTrace struct {
	*memory.TraceChange
	// Frames are those of the row or, where it has none, of a log; Log is that which
	// tells the modules of addresses, nil if none does.
	Frames []memory.HeapFrame
	Log    *memory.HeapLog
	// Printed is where dhcmp or umdh prints the same growth, unknown if it does not.
	Printed kd.Ref
}

// Share returns how much of all growth a back trace is, in percent. It is unknown
// where rows of the comparison may be missing.
func (g *HeapGrowth) Share(t *HeapTrace) (percent float64, ok bool) {
	all := g.increase
	if all <= 0 || !t.Bytes.Delta.Known() || g.Unread+g.Dropped+g.Lost > 0 || !g.Total.Known() {
		return 0, false
	}
	return float64(t.Bytes.Delta.N) * 100 / float64(all), true
}

// growHeaps compares the logs of heaps that were read, and joins that with what was
// printed of such comparisons.
func (s *Snapshot) growHeaps() {
	own, notes := memory.CompareHeaps(s.Memory.HeapLogs)
	s.Notes = append(s.Notes, notes...)
	for _, d := range own {
		s.Heaps = append(s.Heaps, s.growth(d))
	}
	diffs := s.Memory.HeapDiffs
	for i, d := range diffs {
		again := slices.ContainsFunc(diffs[:i], d.PartOf) || slices.ContainsFunc(diffs[i+1:], func(o *memory.HeapDiff) bool { return d.PartOf(o) && !o.PartOf(d) })
		if again {
			s.Notes = append(s.Notes, kd.Note{At: d.At, Text: "a comparison of heaps was given twice: it counts once"})
		} else if !s.printedToo(d) {
			s.Heaps = append(s.Heaps, s.growth(d))
		}
	}
}

// printedToo reports whether a printed comparison is of logs that were given. Where
// nothing else tells which of these is the earlier, it does.
func (s *Snapshot) printedToo(d *memory.HeapDiff) bool {
	rows := make(map[string]*memory.TraceChange, len(d.Rows))
	for i := range d.Rows {
		if r := &d.Rows[i]; r.Bytes.Delta.Known() {
			rows[memory.TraceKey(r.ID)] = r
		}
	}
	for i, g := range s.Heaps {
		if g.From == nil {
			continue
		}
		same, opposite := agrees(g.HeapDiff, rows)
		if g.AssumedOrder && opposite > 0 && same == 0 {
			g = s.growth(g.Reversed())
			s.Heaps[i] = g
			same = opposite
		}
		if same == 0 {
			s.Notes = append(s.Notes, kd.Note{At: d.At, Text: "the comparison that was printed is of other logs than those that were given"})
			continue
		}
		g.AssumedOrder = false
		for k := range g.Grown {
			if r := rows[memory.TraceKey(g.Grown[k].ID)]; r != nil && r.Bytes.Delta.N == g.Grown[k].Bytes.Delta.N {
				g.Grown[k].Printed = r.At
			}
		}
		return true
	}
	return false
}

// agrees counts the back traces that a printed comparison tells the same of, or the
// opposite.
func agrees(d *memory.HeapDiff, rows map[string]*memory.TraceChange) (same, opposite int) {
	for i := range d.Rows {
		c := &d.Rows[i]
		r := rows[memory.TraceKey(c.ID)]
		switch {
		case r == nil || c.Bytes.Delta.N == 0:
		case r.Bytes.Delta.N == c.Bytes.Delta.N:
			same++
		case r.Bytes.Delta.N == -c.Bytes.Delta.N:
			opposite++
		}
	}
	return same, opposite
}

func (s *Snapshot) growth(d *memory.HeapDiff) *HeapGrowth {
	g := &HeapGrowth{HeapDiff: d, Minutes: -1, Of: d.To}
	if d.To != nil {
		from, known := d.From.Minutes()
		to, also := d.To.Minutes()
		if known && also && to >= from {
			g.Minutes = to - from
		}
	}
	for i := range d.Rows {
		c := &d.Rows[i]
		if !c.Bytes.Delta.Known() || c.Bytes.Delta.N <= 0 {
			continue
		}
		t := HeapTrace{TraceChange: c, Frames: c.Frames, Log: d.To}
		if n := len(s.Memory.HeapLogs); d.To == nil && n > 0 {
			t.Log = s.Memory.HeapLogs[n-1]
		}
		g.Grown = append(g.Grown, t)
	}
	kd.SortStable(g.Grown, func(a, b HeapTrace) int { return cmp.Compare(b.Bytes.Delta.N, a.Bytes.Delta.N) })
	g.weigh()
	if d.To == nil {
		s.framesOf(g)
	}
	return g
}

// framesOf gives the rows of a printed comparison the frames that logs have of them.
func (s *Snapshot) framesOf(g *HeapGrowth) {
	for _, l := range s.Memory.HeapLogs {
		byID := make(map[string]*memory.BackTrace, len(l.Traces))
		for i := range l.Traces {
			byID[memory.TraceKey(l.Traces[i].ID)] = &l.Traces[i]
		}
		for i := range g.Grown {
			t := &g.Grown[i]
			if b := byID[memory.TraceKey(t.ID)]; b != nil && len(b.Frames) > 0 && len(t.TraceChange.Frames) == 0 {
				t.Frames, t.Log, g.Of = b.Frames, l, l
			}
		}
	}
}

// Allocator is the module that a back trace is put down to.
type Allocator struct {
	Module, Function string
	Frame            int // index into the frames
	At               kd.Ref
	// Windows is set where all frames are of Windows, of a host of Microsoft or of a
	// run-time library.
	Windows bool
	// Nameless counts the frames above that no module is known of.
	Nameless int
}

// AllocatorOf finds the module that a back trace is put down to: that of the first
// frame which is neither of Windows nor of the C run-time library, nor a function
// that allocates. Where all are, it is the first that is no allocator. It is false
// where no frame has a module.
func AllocatorOf(frames []memory.HeapFrame, log *memory.HeapLog) (Allocator, bool) {
	second, nameless := Allocator{Frame: -1}, 0
	for i, f := range frames {
		module, function := frameOf(f, log)
		if module == "" {
			nameless++
			continue
		}
		a := Allocator{Module: module, Function: function, Frame: i, At: f.At, Nameless: nameless}
		switch {
		case ofRuntime(module) || strings.EqualFold(module, "ntdll") || allocates(function):
		case stacks.OfWindows(module) || hostSet()[strings.ToLower(module)]:
			if second.Frame < 0 {
				a.Windows = true
				second = a
			}
		default:
			return a, true
		}
	}
	return second, second.Frame >= 0
}

// frameOf returns the module and the function of a frame; of an address the module
// that the log lists there.
func frameOf(f memory.HeapFrame, log *memory.HeapLog) (module, function string) {
	a, is := f.Address()
	if !is {
		return f.Symbol()
	}
	if log == nil {
		return "", ""
	}
	if m := log.Holding(a); m != nil {
		return m.Name, ""
	}
	return "", ""
}

// runtimes are the run-time libraries of Microsoft's compilers, which allocate for whom
// they are linked to, and what Application Verifier puts before the heap.
const runtimes = `
msvcr70 msvcr70d msvcr71 msvcr71d msvcr80 msvcr80d msvcr90 msvcr90d msvcr100 msvcr100d msvcr110 msvcr110d msvcr120
msvcr120d msvcrtd msvcirt msvcirtd msvcp50 msvcp60 msvcp60d msvcp70 msvcp70d msvcp71 msvcp71d msvcp80 msvcp80d msvcp90
msvcp90d msvcp100 msvcp100d msvcp110 msvcp110d msvcp120 msvcp120d msvcp140 msvcp140d msvcp140_1 msvcp140_2
vcruntime140 vcruntime140d vcruntime140_1 vcruntime140_1d ucrtbased concrt140 concrt140d mfc42 mfc42u mfc42d mfc42ud
mfc70 mfc70u mfc70d mfc70ud mfc71 mfc71u mfc71d mfc71ud mfc80 mfc80u mfc80d mfc80ud mfc90 mfc90u mfc90d mfc90ud mfc100
mfc100u mfc100d mfc100ud mfc110 mfc110u mfc110d mfc110ud mfc120 mfc120u mfc120d mfc120ud mfc140 mfc140u mfc140d
mfc140ud atl71 atl80 atl90 atl100 atl110 vrfcore libstdc++-6 tcmalloc tcmalloc_minimal jemalloc
`

// hosts are parts of IIS, its data access and SQL Server, which call components that
// others wrote: the module that leaks is looked for below them (KB253706).
const hosts = "asp w3svc infocomm iisrtl inetinfo msado15 oledb32 sqloledb sqlservr"

// allocators are functions that allocate for their caller, without underscores in
// front, in lower case: of the C run-time library, which may be linked into the
// program, and of the interfaces of the heap.
const allocators = `
heap_alloc heap_alloc_base heap_alloc_dbg heap_alloc_dbg_impl nh_malloc nh_malloc_base nh_malloc_dbg
nh_malloc_dbg_impl malloc malloc_base malloc_crt malloc_dbg malloc_dbg_impl calloc calloc_base calloc_crt calloc_dbg
calloc_dbg_impl calloc_impl realloc realloc_base realloc_crt realloc_dbg realloc_dbg_impl realloc_help recalloc
recalloc_base recalloc_crt recalloc_dbg aligned_malloc aligned_malloc_base aligned_malloc_dbg aligned_realloc
aligned_offset_malloc aligned_offset_malloc_dbg strdup strdup_dbg wcsdup wcsdup_dbg heapalloc heaprealloc localalloc
localrealloc globalalloc globalrealloc rtlallocateheap rtlreallocateheap cotaskmemalloc cotaskmemrealloc
sysallocstring sysallocstringlen sysallocstringbytelen xmalloc xcalloc xrealloc
`

var (
	runtimeSet   = sync.OnceValue(func() map[string]bool { return wordSet(runtimes) })
	allocatorSet = sync.OnceValue(func() map[string]bool { return wordSet(allocators) })
	hostSet      = sync.OnceValue(func() map[string]bool { return wordSet(hosts) })
)

func wordSet(text string) map[string]bool {
	set := make(map[string]bool)
	for w := range strings.FieldsSeq(text) {
		set[w] = true
	}
	return set
}

func ofRuntime(module string) bool { return runtimeSet()[strings.ToLower(module)] }

func allocates(function string) bool {
	name := strings.ToLower(strings.TrimLeft(function, "_"))
	if strings.Contains(name, "::operator new") {
		return true
	}
	for _, prefix := range [...]string{"operator new", "??2@", "??_u@", "std::allocator<", "std::_allocate", "std::_default_allocate_traits::"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return allocatorSet()[name]
}
