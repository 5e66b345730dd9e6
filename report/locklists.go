package report

import (
	"kdlocks/heuristics"
	"kdlocks/locks"
	"kdlocks/snapshot"
)

// Totals are the figures of the last line of !locks.
type Totals struct {
	Session int  `json:"session,omitempty"`
	Total   int  `json:"total"`
	Held    *int `json:"held,omitempty"` // newer debuggers leave it out
	At      At   `json:"at"`
}

// TimeoutReport is the kernel's own complaint about a resource.
type TimeoutReport struct {
	Resource         string   `json:"resource"`
	Session          int      `json:"session,omitempty"`
	ActiveCount      *int     `json:"active_count,omitempty"`
	Flags            []string `json:"flags,omitempty"`
	ExclusiveWaiters *int     `json:"exclusive_waiters,omitempty"`
	Threads          []Slot   `json:"threads,omitempty"`
	At               At       `json:"at"`
}

// Slot is an owner slot of a resource in the NT 4 form.
type Slot struct {
	Address string `json:"address"`
	Count   int    `json:"count"`
}

// Wait is one thread's wait for a lock.
type Wait struct {
	Thread   string `json:"thread,omitempty"` // absent for a stack without a thread header
	Session  int    `json:"session,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Resource string `json:"resource,omitempty"`
	Owner    string `json:"owner,omitempty"`
	How      string `json:"how,omitempty"`
	Frames   int    `json:"frames"`
	At       At     `json:"at"`
}

// PushLock is a push lock as dt shows it; its type has no owner.
type PushLock struct {
	Address string          `json:"address"`
	Session int             `json:"session,omitempty"`
	Bits    map[string]bool `json:"bits,omitempty"`
	At      At              `json:"at"`
}

// QueuedLock is a queued spin lock that a processor owns or waits for.
type QueuedLock struct {
	Name    string `json:"name"`
	Session int    `json:"session,omitempty"`
	Owner   *int   `json:"owner_processor,omitempty"`
	Waiters []int  `json:"waiting_processors,omitempty"`
	Corrupt bool   `json:"corrupt,omitempty"`
	At      At     `json:"at"`
}

// Triage is what !analyze says of the lock of the Plug and Play manager.
type Triage struct {
	Lock        string `json:"lock,omitempty"`
	Session     int    `json:"session,omitempty"`
	ThreadCount int    `json:"thread_count"`
	Thread      string `json:"thread,omitempty"`
	WaitTicks   int64  `json:"wait_ticks"`
	At          At     `json:"at"`
}

// lockLists adds what else was read of locks.
func (b *builder) lockLists(r *Report, s *snapshot.Snapshot) {
	if s.Total.Known() {
		t := Totals{Session: b.session, Total: s.Total.N, Held: printed(s.Held), At: b.at(s.Total.At, 0)}
		r.Totals = append(r.Totals, t)
	}
	for _, t := range s.Timeouts {
		out := TimeoutReport{
			Resource: t.Addr.String(), Session: b.session, ActiveCount: printed(t.ActiveCount), Flags: t.Flags,
			ExclusiveWaiters: printed(t.ExclusiveWaiters), At: b.at(t.At, 0),
		}
		for _, e := range t.Threads {
			out.Threads = append(out.Threads, Slot{e.Raw.String(), e.Count})
		}
		r.Timeouts = append(r.Timeouts, out)
	}
	for _, p := range s.PushLocks {
		r.PushLocks = append(r.PushLocks, PushLock{Address: p.Addr.String(), Session: b.session, Bits: p.Bits, At: b.at(p.At, 0)})
	}
	for _, q := range s.QueuedLocks {
		out := QueuedLock{Name: q.Name, Session: b.session, Waiters: q.Waiters, Corrupt: q.Corrupt, At: b.at(q.At, 0)}
		if q.Owner >= 0 {
			out.Owner = ptr(q.Owner)
		}
		r.QueuedLocks = append(r.QueuedLocks, out)
	}
	for _, t := range s.Triage {
		r.Triage = append(r.Triage, Triage{Lock: hex(t.Lock), Session: b.session, ThreadCount: t.ThreadCount, Thread: hex(t.Thread), WaitTicks: t.Wait, At: b.at(t.At, 0)})
	}
}

// printed returns a count, nil if it was not printed.
func printed(p locks.Printed) *int {
	if !p.Known() {
		return nil
	}
	return ptr(p.N)
}

func waitsOf(sources []Source, judged []heuristics.Judgement) List[Wait] {
	return List[Wait]{func(yield func(Wait) bool) {
		eachSession(sources, judged, func(b *builder, s *snapshot.Snapshot) bool {
			for w := range s.Waits() {
				if !yield(b.wait(w)) {
					return false
				}
			}
			return true
		})
	}}
}

func (b *builder) wait(w snapshot.Wait) Wait {
	out := Wait{Thread: hex(w.Addr), Session: b.session, Reason: w.Reason, Resource: hex(w.Resource), Owner: hex(w.Owner), How: string(w.How), At: b.at(w.At, 0)}
	if w.Thread != nil {
		out.Frames = len(w.Thread.Stack.Frames)
	}
	return out
}
