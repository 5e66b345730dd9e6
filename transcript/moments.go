package transcript

import (
	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// facts are what the readers found of one moment.
type facts struct {
	locks   locks.Listing
	threads threads.Listing
}

// rawSession is a session as it was read, before its moments are told apart.
type rawSession struct {
	target snapshot.Target
	id     identity
	facts  facts
}

// add joins the facts of another log of the same moment.
func (f *facts) add(o facts) {
	rounds := len(f.locks.Rounds)
	for _, r := range o.locks.Resources {
		r.Round += rounds
	}
	for _, r := range o.locks.Rounds {
		r.Index += rounds
		f.locks.Rounds = append(f.locks.Rounds, r)
	}
	f.locks.Resources = append(f.locks.Resources, o.locks.Resources...)
	f.locks.Timeouts = append(f.locks.Timeouts, o.locks.Timeouts...)
	f.locks.Notes = append(f.locks.Notes, o.locks.Notes...)
	f.threads.Threads = append(f.threads.Threads, o.threads.Threads...)
	f.threads.Processes = append(f.threads.Processes, o.threads.Processes...)
	f.threads.Interpretations = append(f.threads.Interpretations, o.threads.Interpretations...)
	f.threads.Notes = append(f.threads.Notes, o.threads.Notes...)
}

// splitMoments tells apart the moments that the listings of one session show:
// a live system goes on between two !locks. What was printed behind the
// beginning of a later listing belongs to that moment, the rest to the one
// before.
func splitMoments(ll locks.Listing, tl threads.Listing) []facts {
	first := ll.Moments()
	if len(first) < 2 {
		return []facts{{ll, tl}}
	}
	out := make([]facts, len(first))
	at := func(r kd.Ref) *facts {
		i := 0
		for i+1 < len(first) && !r.Before(ll.Rounds[first[i+1]].At) {
			i++
		}
		return &out[i]
	}
	for _, r := range ll.Rounds {
		f := at(r.At)
		f.locks.Rounds = append(f.locks.Rounds, r)
	}
	for _, r := range ll.Resources {
		f := at(r.At)
		f.locks.Resources = append(f.locks.Resources, r)
	}
	for _, t := range ll.Timeouts {
		f := at(t.At)
		f.locks.Timeouts = append(f.locks.Timeouts, t)
	}
	for _, n := range ll.Notes {
		f := at(n.At)
		f.locks.Notes = append(f.locks.Notes, n)
	}
	splitThreads(tl, at)
	return out
}

func splitThreads(tl threads.Listing, at func(kd.Ref) *facts) {
	for _, t := range tl.Threads {
		f := at(t.At)
		f.threads.Threads = append(f.threads.Threads, t)
	}
	for _, p := range tl.Processes {
		f := at(p.At)
		f.threads.Processes = append(f.threads.Processes, p)
	}
	for _, i := range tl.Interpretations {
		f := at(i.At)
		f.threads.Interpretations = append(f.threads.Interpretations, i)
	}
	for _, n := range tl.Notes {
		f := at(n.At)
		f.threads.Notes = append(f.threads.Notes, n)
	}
}
