package heuristics

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var pageWriterBlocked = &Check{
	ID:       "page-writer-blocked",
	Title:    "The writer of modified pages waits for a lock",
	Severity: Info,
	Means: `Windows makes room in memory by writing modified pages: pages of mapped files by one system thread, those of the page file by another. Here such a writer waits for a file system's or driver's lock. If the owner of the lock, or the thread that it waits for, needs memory itself, both wait for each other: the owner for a free page, the writer, who would make one free, for the lock. A driver that allocates or faults while it holds the lock of a paging file causes it.
Seen must be: MiMappedPageWriter or MiModifiedPageWriter on the stack of a thread that waits for the lock, and for a deadlock an owner who waits for free memory. Very likely only if no other writer is left to make room.`,
	WhenWrong:  `Writers wait often and briefly, and their waits are begun anew every few seconds. While another writer works, or clean pages can be taken, memory becomes free without this one.`,
	Disproof:   "!vm shows available pages; a second capture shows the writer elsewhere.",
	Remedy:     "Look at the owner's stack: which driver allocates or touches pageable memory below its lock? For its developer: allocate before the lock is taken, from nonpaged memory, and follow the rules for paging I/O.",
	Next:       "!vm",
	References: []string{"Microsoft Learn: !vm", "Microsoft Learn: FS_FILTER_CALLBACK_DATA (acquire for modified page writer)"},
}

// pageWriters are the routines of the system threads that write modified pages.
var pageWriters = []string{"MiMappedPageWriter", "MiModifiedPageWriter"}

// pageWriter is a writer of modified pages that waits for a lock.
type pageWriter struct {
	thread *threads.Thread
	kind   string // the routine's name
	// owner is the thread at the end of the wait that waits for memory or for a
	// page, nil if none does. why and at say how.
	owner        *threads.Thread
	memory, page string
	at           int
}

func init() {
	register(pageWriterBlocked, func(d *diagnosis) []Finding {
		ws := d.blockedWriters()
		if len(ws) == 0 {
			return nil
		}
		free := d.writersFree(ws)
		var out []Finding
		for _, w := range ws {
			out = append(out, d.pageWriterFinding(w, free))
		}
		return out
	})
}

// blockedWriters returns the writers of modified pages that wait for something
// in the graph.
func (d *diagnosis) blockedWriters() []pageWriter {
	var out []pageWriter
	for i := range d.graph.Nodes {
		n := &d.graph.Nodes[i]
		if n.Kind != waitgraph.Thread || len(d.graph.Out[i]) == 0 || len(out) > MostFindings {
			continue
		}
		if b := d.snap.Brief(n.Addr); b != nil && !b.Has(threads.Special) {
			continue
		}
		t := d.snap.Thread(n.Addr)
		if t == nil || !couldWait(t) {
			continue
		}
		if at := t.FindFrame(pageWriters...); at >= 0 {
			w := pageWriter{thread: t, kind: t.Stack.Frames[at].Name()}
			d.follow(&w)
			out = append(out, w)
		}
	}
	return out
}

// follow looks for a thread at the end of a writer's wait that waits for memory,
// else for one that waits for a page.
func (d *diagnosis) follow(w *pageWriter) {
	for _, a := range d.ends(w.thread.Addr) {
		t := d.snap.Thread(a)
		if t == nil {
			continue
		}
		if why, at := memoryWait(t); why != "" {
			w.owner, w.memory, w.page, w.at = t, why, "", at
			return
		}
		if why, at := pageWait(t); why != "" && w.owner == nil {
			w.owner, w.page, w.at = t, why, at
		}
	}
}

// writersFree reports whether memory may become free without the writers that
// are blocked: unless one of each kind waits for an owner who waits for memory,
// and no other is known.
func (d *diagnosis) writersFree(ws []pageWriter) bool {
	closed := make(map[string]bool)
	for _, w := range ws {
		if w.memory == "" || w.owner.Timed() {
			return true
		}
		closed[w.kind] = true
	}
	known := 0
	d.eachThread(func(b *threads.Brief) bool { return b.Has(threads.Special) }, func(t *threads.Thread) bool {
		if t.FindFrame(pageWriters...) >= 0 {
			known++
		}
		return true
	})
	return len(closed) < len(pageWriters) || known > len(ws)
}

// ends returns the threads at which the waits of a thread end, those nearest
// first.
func (d *diagnosis) ends(from kd.Addr) []kd.Addr {
	const most = 1_000
	var out []kd.Addr
	start := d.graph.Find(from)
	seen := map[int]bool{start: true}
	for todo := []int{start}; len(todo) > 0 && len(seen) < most; todo = todo[1:] {
		n := todo[0]
		if node := &d.graph.Nodes[n]; node.Kind == waitgraph.Thread && len(d.graph.Out[n]) == 0 {
			out = append(out, node.Addr)
		}
		for _, e := range d.graph.Out[n] {
			if to := d.graph.Edges[e].To; !seen[to] {
				seen[to] = true
				todo = append(todo, to)
			}
		}
	}
	return out
}

func (d *diagnosis) pageWriterFinding(w pageWriter, free bool) Finding {
	t := w.thread
	f := pageWriterBlocked.finding(NoDeadlock)
	f.Confidence, f.Grade = Possible, waitgraph.C
	f.Threads = []kd.Addr{t.Addr}
	f.Bystanders, f.Blocked = d.behind(t.Addr)
	f.seen(t.At, t.Addr, "the writer of modified pages")
	d.seenFrame(&f, t, t.FindFrame(pageWriters...), "it writes modified pages")
	lock := "a lock"
	for _, e := range d.graph.Out[d.graph.Find(t.Addr)] {
		gate := &d.graph.Nodes[d.graph.Edges[e].To]
		f.Resources = append(f.Resources, gate.Addr)
		d.seenEdge(&f, d.graph.Edges[e])
		f.Grade = max(f.Grade, d.graph.Edges[e].Grade)
		if gate.Resource != nil {
			lock = d.lock(gate.Addr)
		}
	}
	writer := fmt.Sprintf("%s, the writer of modified pages (%s)", d.thread(t.Addr), w.kind)
	f.Summary = fmt.Sprintf("%s, waits for %s: while it does, it makes no room in memory.", capital(writer), lock)
	f.Explanation = "Nothing in the input says that the owner of the lock waits for memory."
	f.Next = []string{"!vm"}
	if w.owner == nil {
		return f
	}
	f.Threads = append(f.Threads, w.owner.Addr)
	f.seen(w.owner.At, w.owner.Addr, "the thread that the writer waits for")
	d.seenFrame(&f, w.owner, w.at, "what it waits in")
	f.Suspect = suspectOfWait(w.owner)
	if w.memory == "" {
		f.Severity = Medium
		f.Explanation = fmt.Sprintf("%s, at the end of the writer's wait, waits for paging I/O itself: %s. That ends without the writer, unless the I/O needs the same lock.", capital(d.thread(w.owner.Addr)), w.page)
		return f
	}
	d.pageWriterCloses(&f, w.owner, writer, lock, w.memory, free)
	return f
}

// pageWriterCloses makes the finding one about a ring: the writer waits for an
// owner who waits for what the writer makes.
func (d *diagnosis) pageWriterCloses(f *Finding, owner *threads.Thread, writer, lock, why string, free bool) {
	f.Kind, f.Severity, f.Confidence = SuspectedDeadlock, High, Likely
	word := "Suspected deadlock, not proven"
	f.Explanation = fmt.Sprintf("%s waits for the writer's work: %s. The writer waits for it.", capital(d.thread(owner.Addr)), why)
	switch {
	case owner.Timed():
		f.Confidence = Possible
		f.Explanation += " The wait has a timer and ends by itself."
	case free:
		f.Explanation += " Another writer may still make room, or is not in the input: so it is not proven."
	case f.Grade <= waitgraph.C:
		f.Kind, f.Severity, f.Confidence = Deadlock, Critical, VeryLikely
		word = "Deadlock"
		f.Explanation += " Both writers, of mapped files and of the page file, are in the input, and both wait for locks: nobody else makes room."
	}
	f.Summary = fmt.Sprintf("%s: %s, waits for %s, and %s, at the end of that wait, waits for free memory, which the writer would make.", word, writer, lock, d.thread(owner.Addr))
}

// pageWait reports a wait for a page to be read or written.
func pageWait(t *threads.Thread) (string, int) {
	if couldWait(t) && ioReasons[t.WaitReason] {
		return "its wait reason is " + t.WaitReason, -1
	}
	return reads("it waits for a page", threads.ForPageIn, threads.ForPageOut)(t)
}
