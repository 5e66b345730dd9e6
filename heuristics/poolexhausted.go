package heuristics

import (
	"fmt"
	"slices"

	"kdlocks/kd"
	"kdlocks/memory"
	"kdlocks/waitgraph"
)

var poolExhausted = &Check{
	ID:       "pool-exhausted",
	Title:    "A pool of the kernel is used up",
	Severity: Critical,
	Means: `Nonpaged or paged pool is full to the maximum that the machine has, or paged pool to that of a session. Drivers and the kernel itself then fail to allocate, and what they cannot do, others wait for: locks that are held meanwhile are victims, and their wait chains do not lead to the cause. The tag that uses most of the pool does.
Seen must be: !vm with a usage of at least 95 % of the maximum, or of 90 % together with allocations that failed. Certain only with both 95 % and failures. Counters that cannot be true (more than physical memory) do not count, and neither does the debugger's own banner, which it also prints from some 80 % on.`,
	WhenWrong:  `Failures are counted since the machine started, not now, and of both pools together: they are held against the fuller one. Since Windows Vista the maximum of nonpaged pool on x64 is a share of memory that is seldom reached. That a lock's owner waits for the pool is seen on its stack alone.`,
	Disproof:   "A later !vm shows the pool far from its maximum while the machine still hangs.",
	Remedy:     "Find who uses the pool: the largest tag, then its driver; compare two listings to see what grows. Restarting the machine helps until it is full again.",
	Next:       "!poolused 2",
	References: []string{"NT Debugging blog: NonPagedPool Depletion", "Microsoft Learn: !vm", "Microsoft Learn: !poolused"},
}

var memoryShort = &Check{
	ID:       "memory-short",
	Title:    "Physical memory, the commit limit or system PTEs are used up",
	Severity: Critical,
	Means: `So few pages are available that Windows itself calls memory low (less than 32 MB for each 4 GB, and 64 MB at most), or nearly all that can be committed is, while the paging files, which must be listed, cannot grow any more, or on x86 so few system PTEs are free that allocations of them failed. Whoever needs a page waits or fails, locks or not. Who has most is named: nonpaged pool from a quarter on, or a process.
Seen must be: the counters of !vm, which agree with each other.`,
	WhenWrong:  `Memory is short for moments on a busy machine; standby pages count as available. A paging file that Windows manages may grow still, unless !vm prints it at its maximum.`,
	Disproof:   "A later !vm shows memory while the machine still hangs.",
	Remedy:     "Find who holds memory: the rows of processes in !vm, pool with !poolused, the modified list and who writes it.",
	Next:       "!vm",
	References: []string{"Microsoft Learn: !vm", "Microsoft Learn: CreateMemoryResourceNotification"},
}

var poolNearLimit = &Check{
	ID:       "pool-near-limit",
	Title:    "A pool, system PTEs or the commit limit is nearly used up",
	Severity: Medium,
	Means: `A pool of the kernel is full to at least 90 % of its maximum, or 90 % of the commit limit are used, or few system PTEs are free, and nothing says that it is used up. From Windows 8 on physical memory is the limit of nonpaged pool, whatever maximum is printed: there half of it counts. It is a reason to look who uses it before it is.
Seen must be: the usage and the maximum in !vm, which agree with each other.`,
	WhenWrong:  `A machine may run like that for years. The debugger's own banner says less than the numbers.`,
	Disproof:   "A later !vm shows as much or less.",
	Remedy:     "See which tag uses most (!poolused 2 or 4), and compare with a later listing.",
	Next:       "!poolused 2",
	References: []string{"Microsoft Learn: !vm", "Microsoft Learn: Memory limits for Windows and Windows Server releases"},
}

func init() {
	register(poolExhausted, func(d *diagnosis) []Finding {
		return d.shortageFindings(poolExhausted, MemoryExhausted, func(s *shortage) bool { return s.full && s.pool != memory.NoType })
	})
	register(memoryShort, func(d *diagnosis) []Finding {
		return d.shortageFindings(memoryShort, MemoryExhausted, func(s *shortage) bool { return s.full && s.pool == memory.NoType })
	})
	register(poolNearLimit, func(d *diagnosis) []Finding {
		out := d.shortageFindings(poolNearLimit, Context, func(s *shortage) bool { return !s.full })
		earlier := d.earlierShortages()
		for i := range earlier {
			out = append(out, d.earlierFinding(&earlier[i]))
		}
		return out
	})
}

func (d *diagnosis) shortageFindings(check *Check, kind Kind, is func(*shortage) bool) []Finding {
	ss := slices.DeleteFunc(d.shortages(), func(s shortage) bool { return !is(&s) })
	kd.SortStable(ss, byWeight)
	var out []Finding
	for i := range ss {
		out = append(out, d.shortageFinding(check, kind, &ss[i]))
	}
	return out
}

// shortageFinding tells of one shortage, and whose memory it is.
func (d *diagnosis) shortageFinding(check *Check, kind Kind, s *shortage) Finding {
	f := check.finding(kind)
	f.Confidence, f.Grade = s.sure, waitgraph.A
	s.evidence(&f)
	switch {
	case s.ofRAM:
		f.Summary = fmt.Sprintf("%s holds %s", capital(s.what), s.words())
	case s.full:
		f.Summary = fmt.Sprintf("%s %s exhausted (%s)", capital(s.what), s.verb(), s.words())
	default:
		f.Summary = fmt.Sprintf("%s %s nearly used up (%s)", capital(s.what), s.verb(), s.words())
	}
	f.Explanation = s.explain()
	if s.pool != memory.NoType {
		d.tellTop(&f, s)
	} else {
		d.tellHolder(&f, s)
	}
	f.Summary += "."
	if kind != MemoryExhausted {
		return f
	}
	elsewhere := 0
	if f.Blocked, elsewhere = d.lockWaiters(); elsewhere > 0 {
		f.Explanation += fmt.Sprintf(" %s behind owners whose stacks show something else: see their chains.", threadsThatWait(elsewhere))
	}
	if f.Blocked > 0 {
		f.Summary = "Locks are victims: " + lowerFirst(f.Summary)
		f.Explanation += " " + d.victims(&f)
		if f.Confidence == Certain {
			f.Confidence = VeryLikely
		}
	}
	return f
}

// earlierFinding tells of what was short and is no more.
func (d *diagnosis) earlierFinding(s *shortage) Finding {
	f := poolNearLimit.finding(Context)
	f.Confidence, f.Grade = s.sure, waitgraph.A
	s.evidence(&f)
	f.Summary = fmt.Sprintf("An earlier !vm shows no more of %s left (%s); the last one does.", s.what, s.words())
	f.Explanation = s.explain() + " What waited then may wait for another reason now."
	f.Next = []string{"!vm"}
	return f
}

func lowerFirst(s string) string { return string(s[0]|0x20) + s[1:] }

// leastSuspect is the share of a pool, in percent, from which on a tag is suspected that may
// not be the largest.
const leastSuspect = 25

// tellTop adds the tag that uses most of a pool, and who allocates it.
func (d *diagnosis) tellTop(f *Finding, s *shortage) {
	listing := listingOf(s.pool)
	if s.session != nil {
		listing = "!poolused 0xc"
	}
	if s.session == nil && d.tellTag(f, s, s.pool) {
		return
	}
	d.gap(kd.Gap{What: "which tag uses " + s.what, Why: kd.NotInInput, Next: listing})
	f.Next = []string{listing}
}

// tellTag adds the tag that uses most of a type of pool, and who allocates it. It reports
// whether one is known.
func (d *diagnosis) tellTag(f *Finding, s *shortage, t memory.Type) bool {
	top := d.topTag(t, s.vm)
	if top == nil {
		return false
	}
	f.seen(top.row.At, 0, "the tag that uses most of "+t.String()+" pool")
	f.Summary += ": " + top.words()
	if top.untagged() && t == memory.NonPaged {
		if c := d.untagged(); c != nil {
			f.Summary += c.who()
			f.Explanation += " "
			c.tell(d, f)
			return true
		}
	}
	if !top.surely && top.share < leastSuspect {
		f.Explanation += " Whether another tag has more is not in the input."
		d.gap(kd.Gap{What: "which tag uses most of " + t.String() + " pool", Why: kd.CutShort, Next: listingOf(t)})
	} else {
		d.whoseTag(f, top.row, "uses most of "+t.String()+" pool")
	}
	if len(d.snap.Memory.Pools)+len(d.snap.EarlierPools) == 1 {
		f.Explanation += " One listing says who has most, and not what grows: a later " + listingOf(t) + " does."
	}
	f.Next = append(f.Next, listingOf(t))
	return true
}

// listingOf is the command that lists the tags by their share of a type of pool.
func listingOf(t memory.Type) string {
	if t == memory.Paged {
		return "!poolused 4"
	}
	return "!poolused 2"
}

func threadsThatWait(n int) string {
	if n == 1 {
		return "1 thread waits"
	}
	return kd.Plural(n, "thread") + " wait"
}

// victims says what the locks have to do with it.
func (d *diagnosis) victims(f *Finding) string {
	text := threadsThatWait(f.Blocked) + " for locks: look at memory first."
	const most = 8
	seen := 0
	for _, r := range d.roots {
		t := d.snap.Thread(d.graph.Nodes[r.Node].Addr)
		if t == nil || seen == most {
			continue
		}
		if why, at := memoryWait(t); why != "" {
			seen++
			f.seen(t.At, t.Addr, "at the end of a wait chain; "+why)
			d.seenFrame(f, t, at, "it waits for memory")
		}
	}
	if seen == 0 {
		return text + " That their owners wait for memory is not seen on any stack: it is concluded from the shortage."
	}
	return text + fmt.Sprintf(" %s at the end of a wait chain waits for memory by its own stack.", capital(kd.Plural(seen, "thread")))
}
