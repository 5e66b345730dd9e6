package heuristics

import (
	"fmt"
	"strings"

	"kdlocks/stacks"
	"kdlocks/threads"
)

var flushInversion = &Check{
	ID:       "flush-inversion",
	Title:    "Cycle comes from flushing a file's cache while its locks are held",
	Severity: Info,
	Means: `CcFlushCache and MmFlushSection take the locks of the file that they flush themselves. A thread that flushes while it holds one of those locks, and not the other, meets another that flushes the same file, creates a section of it or writes it back for the cache manager and took them in the other order. It explains a cycle that is there.
Seen must be: the cycle, and on the stack of one of its threads the flush that asks for the lock; for certainty the same, or the section or the lazy writer, on that of the other.`,
	WhenWrong:  `That the locks are of one file is inferred from the routines: their addresses do not tell. A filter can flush another file than the one that the lock is of.`,
	Disproof:   "The locks of the cycle are of two files: dt nt!_FSRTL_COMMON_FCB_HEADER <FCB> Resource PagingIoResource.",
	Remedy:     "A hint for the file system's developer: take the file's paging I/O resource exclusively before CcFlushCache, on every way that flushes, cleanup included; or flush while no lock of the file is held.",
	Next:       "dt nt!_FSRTL_COMMON_FCB_HEADER <FCB> Resource PagingIoResource",
	References: []string{"dokan-dev/dokany pull request 426", "openzfsonwindows/ZFSin issue 200", "openzfsonwindows/openzfs issue 313", "Microsoft Learn: CcFlushCache"},
}

// flushes are routines that write back what is cached of a file, others the
// ways on which the file's locks are taken for somebody else, too.
var (
	flushes    = []string{"CcFlushCache", "MmFlushSection", "AcquireFileForCcFlush"}
	otherFlush = []string{"AcquireForCreateSection", "AcquireToCreateMappedSection", "CreateSectionForDataScan", "AcquireForLazyWrite", "CcWriteBehind", "AcquireForModWrite", "AcquireFileForModWrite"}
)

func init() {
	register(flushInversion, func(d *diagnosis) []Finding {
		var out []Finding
		for _, k := range d.knots {
			if len(out) > MostFindings {
				break
			}
			as := d.askings(k)
			if flush, other := flushOf(as); len(flush) > 0 {
				out = append(out, *d.flushFinding(k, as, flush, other))
			}
		}
		return out
	})
}

// flushOf returns which threads of a cycle ask for their lock to flush a file,
// and which for another such reason. There is none if another kind of lock is
// on the cycle.
func flushOf(as []asking) (flush, other []int) {
	if len(as) < 2 {
		return nil, nil
	}
	for i, a := range as {
		if a.role == nil {
			continue
		}
		if a.role.family != fileSystemLock {
			return nil, nil
		}
		switch {
		case behindRequest(a.thread, flushes) >= 0:
			flush = append(flush, i)
		case behindRequest(a.thread, otherFlush) >= 0:
			other = append(other, i)
		}
	}
	return flush, other
}

// behindRequest returns the outermost of the frames next to the request for a
// lock whose function contains any of the words, -1 if there is none.
func behindRequest(t *threads.Thread, words []string) int {
	const near = 8
	_, caller := acquire(t)
	at := -1
	for i := max(caller, 0); caller >= 0 && i < min(caller+near, len(t.Stack.Frames)); i++ {
		for _, w := range words {
			if strings.Contains(t.Stack.Frames[i].Function, w) {
				at = i
			}
		}
	}
	return at
}

func (d *diagnosis) flushFinding(k knot, as []asking, flush, other []int) *Finding {
	f := d.explanationOf(flushInversion, k, as)
	var told, callers []string
	for _, i := range flush {
		a := as[i]
		at := behindRequest(a.thread, flushes)
		from := ""
		if at+1 < len(a.thread.Stack.Frames) {
			caller := &a.thread.Stack.Frames[at+1]
			if !stacks.OfWindows(caller.Module) {
				callers = append(callers, caller.Name())
			}
			from = ", called by " + frame(a.thread, at+1)
		}
		d.seenFrame(f, a.thread, at, "it flushes the cache of a file")
		told = append(told, fmt.Sprintf("%s flushes a file (%s%s) and asks on that way for %s", d.who(a.Thread), frame(a.thread, at), from, d.waitedFor(a.Step)))
	}
	for _, i := range other {
		a := as[i]
		at := behindRequest(a.thread, otherFlush)
		d.seenFrame(f, a.thread, at, "it takes the locks of a file for the memory or the cache manager")
		told = append(told, fmt.Sprintf("%s asks for %s in %s", d.who(a.Thread), d.waitedFor(a.Step), frame(a.thread, at)))
	}
	f.Explanation = capital(strings.Join(told, "; ")) + "."
	switch {
	case len(flush) == len(as):
		f.Confidence = Likely
		f.Summary = fmt.Sprintf("The cycle is CcFlushCache against itself: %s flush a file at once, and each asks for a lock of it that another holds; most likely its main and its paging I/O lock.", several(len(flush)))
	case len(flush)+len(other) == len(as):
		f.Confidence = Likely
		f.Summary = "The cycle is the flush of a file against a section or a write-back of it: each asks for a lock of the file that the other holds."
	default:
		f.Summary = "The cycle has to do with the flush of a file while a lock is held."
		for _, a := range as {
			if a.Thread != 0 && !a.stackTells() {
				f.Next = append(f.Next, "!thread "+d.addr(a.Thread)+" 1f")
			}
		}
		if len(f.Next) > 0 {
			f.Summary = "The cycle has to do with the flush of a file while a lock is held; what the other side does, the input does not show."
		}
	}
	if len(callers) > 0 {
		f.Remedy += " Here the flush is called by " + strings.Join(callers, " and ") + "."
	}
	return f
}

func several(n int) string {
	if n == 2 {
		return "two threads"
	}
	return fmt.Sprintf("%d threads", n)
}
