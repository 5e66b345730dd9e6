package heuristics

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

var writerStarvation = &Check{
	ID:       "writer-starvation",
	Title:    "A writer waits for the slowest of many readers",
	Severity: Medium,
	Means: `A thread waits for exclusive access to a lock that several threads own shared: it goes on when the last of them lets go. Threads that ask for shared access meanwhile wait behind it, so that one slow reader holds up all.
Seen must be: two shared owners or more, an exclusive waiter, and four readers or more with those that wait behind it. The reader to look at is the one that is blocked longest itself.`,
	WhenWrong:  `Waits for an ERESOURCE are begun anew every few seconds, so that the writer's wait looks young although it is old. The readers let go and others come: then a second capture shows other owners.`,
	Disproof:   "A second capture shows other shared owners, or the exclusive waiter gone.",
	Remedy:     "Look at the slowest reader and what it waits for. For the developer: do not wait for anything while the lock is owned shared.",
	Next:       "!thread <slowest reader> 1f",
	References: []string{"Microsoft Learn: ExAcquireResourceSharedLite", "Microsoft Learn: Introduction to ERESOURCE Routines"},
}

func init() {
	register(writerStarvation, func(d *diagnosis) []Finding {
		var out []Finding
		entangled := d.entangled()
		for _, r := range d.snap.Resources {
			if most := d.most(MostFindings); len(out) > most {
				d.notes = append(d.notes, kd.Note{Text: fmt.Sprintf("writer-starvation: more than %d findings, the first %d are kept", most, most)})
				return out[:most]
			}
			if entangled[r.Addr] {
				continue
			}
			if f := d.starvedWriter(r); f != nil {
				out = append(out, *f)
			}
		}
		return out
	})
}

// entangled are the locks of groups of threads that wait for each other:
// another detector speaks of those.
func (d *diagnosis) entangled() map[kd.Addr]bool {
	out := make(map[kd.Addr]bool)
	for _, k := range d.knots {
		for _, n := range k.nodes {
			if g := d.graph.Nodes[n]; g.Resource != nil {
				out[g.Addr] = true
			}
		}
	}
	return out
}

// reader is a shared owner that was printed.
type reader struct {
	owner  *snapshot.Owner
	thread *threads.Thread
	age    int64 // of its wait in milliseconds, -1 if it is not known
}

const (
	fewestReaders = 2
	// swarm is how many threads own a lock shared or wait for that, for it to
	// be many.
	swarm = 4
	// youngMS is the age below which a wait of both sides is normal life.
	youngMS = 1000
	// mostReaders bounds the shared owners that are looked at.
	mostReaders = 256
)

func (d *diagnosis) starvedWriter(r *snapshot.Resource) *Finding {
	owners := len(r.Resolved)
	writers := max(locks.Threads(r.ExclusiveWaiters), r.ExclusiveWaiterCount.N)
	if r.Mode != locks.Shared || r.Reading == locks.Irreconcilable || writers == 0 || owners < fewestReaders {
		return nil
	}
	behind := max(locks.Threads(r.SharedWaiters), r.SharedWaiterCount.N)
	if owners+behind < swarm {
		return nil
	}
	slow := d.slowReaders(r)
	if len(slow) > 0 && slow[0].age >= 0 && slow[0].age < youngMS && d.writersAge(r) < youngMS {
		return nil
	}
	f := writerStarvation.finding(BlockedChain)
	f.Confidence, f.Grade = Likely, waitgraph.A
	switch r.Reading {
	case locks.Doubtful:
		f.Grade = waitgraph.C
	case locks.Hearsay:
		f.Grade = waitgraph.D
	}
	f.Resources, f.Blocked = []kd.Addr{r.Addr}, r.Waiting()
	f.seenLock(r)
	for _, w := range r.ExclusiveWaiters {
		if !w.Marker() {
			f.seen(w.At, w.Thread, "it waits exclusively for all readers to leave")
			break
		}
	}
	what := fmt.Sprintf("%s for %s, which %s own shared", waits(writers, "writer"), d.lock(r.Addr), kd.Plural(owners, "reader"))
	if behind > 0 {
		what += fmt.Sprintf("; %s behind", waits(behind, "more reader"))
	}
	d.tellSlowest(&f, r, slow, what)
	return &f
}

// slowReaders returns the shared owners that are blocked themselves, the one
// with the oldest wait first; those whose wait is for an ERESOURCE, which is
// begun anew all the time, behind others.
func (d *diagnosis) slowReaders(r *snapshot.Resource) []reader {
	var out []reader
	for i := range r.Resolved[:min(len(r.Resolved), d.most(mostReaders))] {
		o := &r.Resolved[i]
		if o.Live == threads.No || o.Thread == 0 {
			continue
		}
		if b := d.snap.Brief(o.Thread); b != nil && b.State != threads.Waiting {
			continue
		}
		t := d.snap.Thread(o.Thread)
		if t == nil || t.State != threads.Waiting || isIdleWorker(t) {
			continue
		}
		out = append(out, reader{o, t, t.WaitMS})
	}
	kd.SortStable(out, func(a, b reader) int {
		x, y := waitsForResource(a.thread), waitsForResource(b.thread)
		switch {
		case x != y && x:
			return 1
		case x != y:
			return -1
		case a.age > b.age:
			return -1
		case a.age < b.age:
			return 1
		}
		return 0
	})
	return out
}

// writersAge is the age of the oldest wait of an exclusive waiter, as old as can
// be where none is known.
func (d *diagnosis) writersAge(r *snapshot.Resource) int64 {
	oldest := int64(-1)
	for _, w := range r.ExclusiveWaiters[:min(len(r.ExclusiveWaiters), mostReaders)] {
		if t := d.snap.Thread(w.Thread); t != nil {
			oldest = max(oldest, t.WaitMS)
		}
	}
	if oldest < 0 {
		return youngMS
	}
	return oldest
}

// tellSlowest names the reader to look at, or asks for the readers.
func (d *diagnosis) tellSlowest(f *Finding, r *snapshot.Resource, slow []reader, what string) {
	const most = 4
	f.Explanation = "Exclusive access waits for every shared owner to leave, and shared access for the exclusive waiter queued before it: the slowest reader decides."
	if len(slow) == 0 {
		f.Confidence = Possible
		f.Summary = capital(what) + ": none of the readers is seen blocked."
		f.Explanation += " What the readers do, the input does not show, or they are not blocked: then the lock moves."
		for i := range r.Resolved {
			if o := &r.Resolved[i]; o.Thread != 0 && d.snap.Thread(o.Thread) == nil && len(f.Next) < most {
				f.Next = append(f.Next, "!thread "+d.addr(o.Thread)+" 1f")
			}
		}
		if len(f.Next) == 0 {
			f.Next = []string{"!locks -v " + d.addr(r.Addr)}
		}
		return
	}
	s := slow[0]
	f.Threads = []kd.Addr{s.thread.Addr}
	f.Grade = max(f.Grade, ownerGradeOf(r, s.owner))
	d.seenOwner(f, s.owner)
	f.seen(s.thread.At, s.thread.Addr, "state of the slowest reader")
	end, round := d.endOf(s.thread.Addr)
	does := d.understood(s.thread.Addr)
	if end != s.thread.Addr && !round {
		does = fmt.Sprintf("it waits behind %s: %s", d.thread(end), d.understood(end))
	}
	f.Summary = fmt.Sprintf("%s: the writer waits for the slowest reader, %s: %s.", capital(what), d.thread(s.thread.Addr), does)
	f.Explanation += ticksOf(s.thread)
	if n := len(slow) - 1; n > 0 {
		f.Explanation += fmt.Sprintf(" %s blocked, too.", capital(isAre(n, "more reader")))
	}
	f.Next = []string{"!thread " + d.addr(s.thread.Addr) + " 1f"}
}

func isAre(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return kd.Plural(n, noun) + " are"
}
