package heuristics

import (
	"fmt"
	"strings"

	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var fileSystemLocks = &Check{
	ID:       "file-system-lock",
	Title:    "Cycle runs over locks of a file system",
	Severity: Info,
	Means: `The locks of a cycle are those of a file system: of a volume (VCB), of a file (main) or of a file's paging I/O. They have an order: the volume before the file, main before paging I/O. Who asks for a lock while it holds one that comes later in the order, took them the wrong way round, and the cycle is explained. It explains a cycle that is there; an order alone is no deadlock.
Seen must be: the cycle, and on the stacks of its threads the routines by which they ask for the locks.`,
	WhenWrong:  `What a lock is, is read from the routine by which others ask for it: neither its address nor its owner tells. A file system can have an order of its own (NTFS and ReFS between main and paging I/O: nothing is said of those), and locks of two files have none.`,
	Disproof:   "The lock that is asked for is of another kind than the routine's name says: dt <driver>!_FCB, !fcb.",
	Remedy:     "For the file system's developer, or the filter's that called it: let go of the later lock before the earlier one is asked for, or take both in order.",
	Next:       "!thread <each thread of the cycle> 1f",
	References: []string{"Microsoft Learn: FSRTL_ADVANCED_FCB_HEADER", "Microsoft: Windows-driver-samples, filesys/fastfat"},
}

func init() {
	register(fileSystemLocks, func(d *diagnosis) []Finding {
		var out []Finding
		for _, k := range d.knots {
			if len(out) > MostFindings {
				break
			}
			if f := d.fileOrderFinding(k); f != nil {
				out = append(out, *f)
			}
		}
		return out
	})
}

// asking is what a thread of a cycle asks for, as its stack tells it.
type asking struct {
	Step
	thread *threads.Thread
	role   *lockRole
	frame  int
}

// stackTells reports whether the stack shows who asks for the lock.
func (a *asking) stackTells() bool {
	_, caller := acquire(a.thread)
	return caller >= 0
}

// rank is the place of the lock in the order of a file system. NTFS and ReFS
// publish none between a file's main and its paging I/O lock.
func (a *asking) rank() fileRank {
	if a.role == nil {
		return noFileRank
	}
	if m := strings.ToLower(a.thread.Stack.Frames[a.frame].Module); a.role.order == ofPaging && (m == "ntfs" || strings.HasPrefix(m, "refs")) {
		return ofFile
	}
	return a.role.order
}

// askings reads the stacks of the threads of a cycle, nil where it runs over
// anything else than ERESOURCEs.
func (d *diagnosis) askings(k knot) []asking {
	const most = 16 // a longer cycle is not one of two or three functions
	if len(k.cycle) > 2*most {
		return nil
	}
	var out []asking
	for _, s := range d.steps(k.cycle) {
		if s.What != waitgraph.ERESOURCE {
			return nil
		}
		a := asking{Step: s, frame: -1}
		if s.Thread != 0 {
			a.thread = d.snap.Thread(s.Thread)
		}
		if a.thread != nil {
			a.role, a.frame = roleOfStack(a.thread)
		}
		out = append(out, a)
	}
	return out
}

func (d *diagnosis) fileOrderFinding(k knot) *Finding {
	as := d.askings(k)
	if f, _ := flushOf(as); len(f) > 0 {
		return nil
	}
	known := 0
	for _, a := range as {
		switch {
		case a.role != nil && a.role.family == fileSystemLock:
			known++
		case a.role != nil || a.stackTells():
			return nil // another lock is on the cycle
		}
	}
	if known == 0 || len(as) < 2 {
		return nil
	}
	f := d.explanationOf(fileSystemLocks, k, as)
	var parts []string
	inverted := ""
	for i, a := range as {
		if a.role == nil {
			parts = append(parts, fmt.Sprintf("by which routine %s asks for %s is not in the input", d.who(a.Thread), d.waitedFor(a.Step)))
			if a.Thread != 0 {
				f.Next = append(f.Next, "!thread "+d.addr(a.Thread)+" 1f")
			}
			continue
		}
		parts = append(parts, fmt.Sprintf("%s asks for %s in %s", d.who(a.Thread), a.role.name, a.thread.Stack.Frames[a.frame].Name()))
		// The one before waits for what this one holds.
		before := as[(i+len(as)-1)%len(as)]
		if !before.Queued && a.rank() != noFileRank && before.rank() > a.rank() && inverted == "" {
			inverted = fmt.Sprintf("%s holds %s and asks for %s: the wrong way round", d.who(a.Thread), before.role.name, a.role.name)
		}
	}
	f.Explanation = capital(strings.Join(parts, "; ")) + "."
	f.Summary = "The cycle runs over locks of a file system; which thread takes them in the wrong order, the routines do not tell."
	if inverted != "" {
		f.Summary = "The cycle runs over locks of a file system, and " + inverted + "."
		f.Confidence = Likely
	}
	return f
}

// explanationOf starts a finding that explains a cycle which another finding is
// about.
func (d *diagnosis) explanationOf(c *Check, k knot, as []asking) *Finding {
	of := d.knotFinding(c, k)
	f := c.finding(Context)
	f.Threads, f.Resources = of.Threads, of.Resources
	f.Grade, f.Confidence = max(of.Grade, waitgraph.C), Possible
	for _, a := range as {
		if a.role != nil {
			d.seenFrame(&f, a.thread, a.frame, "it asks for the lock here")
		}
	}
	return &f
}
