package report

import (
	"fmt"
	"strings"

	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// ProcessBlock is one process that !process printed.
type ProcessBlock struct {
	Address string `json:"address"`
	Session int    `json:"session,omitempty"`
	CID     string `json:"cid,omitempty"` // process id, hexadecimal of at least four digits
	Image   string `json:"image,omitempty"`
	At      At     `json:"at"`
}

// Processor is one row of !running. The lists hold numbers of queued spin
// locks, counted from 0.
type Processor struct {
	Session          int    `json:"session,omitempty"`
	CPU              *int   `json:"cpu,omitempty"`
	Prcb             string `json:"prcb"`
	Current          string `json:"current"`
	Next             string `json:"next,omitempty"`
	IdleThread       string `json:"idle_thread,omitempty"`
	Idle             *bool  `json:"idle,omitempty"`
	LockQueueOwned   []int  `json:"lockqueue_owned,omitempty"`
	LockQueueWaiting []int  `json:"lockqueue_waiting,omitempty"`
	At               At     `json:"at"`
}

// StackMatch is what !findstack printed of one thread: frames that hold a
// symbol, not a whole stack.
type StackMatch struct {
	Thread    string  `json:"thread"`
	Session   int     `json:"session,omitempty"`
	Announced int     `json:"announced"`
	Frames    []Frame `json:"frames"`
	At        At      `json:"at"`
}

// VerifierDeadlock is what !deadlock printed of lock orders that can deadlock.
type VerifierDeadlock struct {
	Session int              `json:"session,omitempty"`
	Issue   []string         `json:"issue,omitempty"`
	Threads []VerifierThread `json:"threads"`
	Locks   []VerifierLock   `json:"locks"`
	At      At               `json:"at"`
}

// VerifierThread is a thread that took locks, and in which order.
type VerifierThread struct {
	Index      int               `json:"index"`
	Address    string            `json:"address,omitempty"`
	Terminated bool              `json:"terminated,omitempty"`
	Order      []string          `json:"order"` // names of locks
	Taken      []VerifierAcquire `json:"taken,omitempty"`
	At         At                `json:"at"`
}

// VerifierAcquire is where a lock was taken.
type VerifierAcquire struct {
	Lock    string  `json:"lock"`
	Node    string  `json:"node,omitempty"`
	Current bool    `json:"current_stack,omitempty"` // the acquisition that was caught
	Frames  []Frame `json:"frames"`
}

// VerifierLock is one lock of a VerifierDeadlock.
type VerifierLock struct {
	Name    string `json:"name"`
	Address string `json:"address,omitempty"`
	Symbol  string `json:"symbol,omitempty"`
	Type    string `json:"type,omitempty"`
	At      At     `json:"at"`
}

// processors adds processes, processors, matches on stacks and what Driver
// Verifier said.
func (b *builder) processors(r *Report, s *snapshot.Snapshot) {
	for _, p := range s.Processes {
		out := ProcessBlock{Address: p.Addr.String(), Session: b.session, Image: p.Image, At: b.at(p.At, 0)}
		if p.CIDKnown {
			out.CID = fmt.Sprintf("%04x", p.CID)
		}
		r.Processes = append(r.Processes, out)
	}
	for _, p := range s.Processors {
		r.Processors = append(r.Processors, Processor{
			Session: b.session, CPU: known(p.CPU), Prcb: p.Prcb.String(), Current: p.Current.String(), Next: hex(p.Next),
			IdleThread: hex(p.Idle), Idle: tri(p.IdleNow), LockQueueOwned: p.Owned, LockQueueWaiting: p.Waits, At: b.at(p.At, 0),
		})
	}
	for _, m := range s.Matches {
		r.StackMatches = append(r.StackMatches, StackMatch{Thread: m.Thread.String(), Session: b.session, Announced: m.Announced, Frames: frames(m.Frames), At: b.at(m.At, 0)})
	}
	for _, v := range s.VerifierDeadlocks {
		r.VerifierDeadlocks = append(r.VerifierDeadlocks, b.verifierDeadlock(v))
	}
	r.NotThread = append(r.NotThread, hexes(s.NotThreads())...)
}

func (b *builder) verifierDeadlock(v *threads.VerifierDeadlock) VerifierDeadlock {
	out := VerifierDeadlock{Session: b.session, Issue: numbers(v.Issue), Threads: []VerifierThread{}, Locks: []VerifierLock{}, At: b.at(v.At, 0)}
	for _, t := range v.Threads {
		th := VerifierThread{Index: t.Index, Address: hex(t.Addr), Terminated: t.Terminated, Order: append([]string{}, t.Order...), At: b.at(t.At, 0)}
		for _, a := range t.Taken {
			th.Taken = append(th.Taken, VerifierAcquire{Lock: a.Lock, Node: hex(a.Node), Current: a.Current, Frames: frames(a.Frames)})
		}
		out.Threads = append(out.Threads, th)
	}
	for _, l := range v.Locks {
		out.Locks = append(out.Locks, VerifierLock{Name: l.Name, Address: hex(l.Addr), Symbol: l.Symbol, Type: l.Type, At: b.at(l.At, 0)})
	}
	return out
}

// numbers is hexes without an empty list.
func numbers(as []kd.Addr) []string {
	if len(as) == 0 {
		return nil
	}
	return hexes(as)
}

// verifierLines says what Driver Verifier found, in words.
func (r *Report) verifierLines() []string {
	var out []string
	for _, v := range r.VerifierDeadlocks {
		out = append(out, fmt.Sprintf("%s:%d: !deadlock lists lock orders of %s that can deadlock; that they did is not said, and no verdict rests on it", v.At.Input, v.At.Line, kd.Plural(len(v.Threads), "thread")))
		for _, t := range v.Threads {
			who := r.bare(t.Address)
			switch {
			case t.Terminated:
				who = "terminated"
			case who == "":
				who = "address not printed"
			}
			out = append(out, fmt.Sprintf("thread %d (%s) took %s", t.Index, who, strings.Join(t.Order, ", then ")))
		}
		for _, l := range v.Locks {
			out = append(out, strings.Join(strings.Fields(fmt.Sprintf("lock %s is %s %s %s", l.Name, l.Type, r.bare(l.Address), l.Symbol)), " "))
		}
	}
	return out
}
