package threads

import (
	"strconv"
	"strings"

	"kdlocks/kd"
	"kdlocks/stacks"
)

// VerifierDeadlock is what !deadlock prints of a lock hierarchy violation that
// Driver Verifier has detected: the orders in which threads took locks, which
// together allow a deadlock. It does not say that one happened (Microsoft's
// documentation of bug check 0xC4, 0x1001).
type VerifierDeadlock struct {
	Issue []kd.Addr // the figures behind "issue:", the first is a subcode of bug check 0xC4
	// AnnouncedLocks and AnnouncedThreads are the counts of the head line.
	AnnouncedLocks, AnnouncedThreads int
	Threads                          []VerifierThread
	Locks                            []VerifierLock
	At                               kd.Ref
}

// VerifierThread is one thread that took locks.
type VerifierThread struct {
	Index      int     // as printed, counted from 0
	Addr       kd.Addr // 0 if it has terminated
	Terminated bool
	Order      []string // names of the locks, in the order in which they were taken
	// Taken tells where, in the same order; empty in the short form.
	Taken []VerifierAcquire
	At    kd.Ref
}

// VerifierAcquire is one acquisition of a lock.
type VerifierAcquire struct {
	Lock string
	Node kd.Addr // Driver Verifier's record of it, 0 if not printed
	// Frames are the call sites of the moment, as far as they were recorded.
	Frames []stacks.Frame
	// Current is set for the acquisition that was caught: its stack is the
	// current one.
	Current bool
}

// VerifierLock is one lock of a VerifierDeadlock.
type VerifierLock struct {
	Name   string  // A, B, ...
	Addr   kd.Addr // 0 if only a symbol was printed
	Symbol string
	Type   string // Spinlock, Mutex, ... as printed
	At     kd.Ref
}

// MapAddrs replaces every address by f of it.
func (v *VerifierDeadlock) MapAddrs(f func(kd.Addr) kd.Addr) {
	for i := range v.Threads {
		t := &v.Threads[i]
		t.Addr = f(t.Addr)
		for j := range t.Taken {
			t.Taken[j].Node = f(t.Taken[j].Node)
		}
	}
	for i := range v.Locks {
		v.Locks[i].Addr = f(v.Locks[i].Addr)
	}
}

// verifierBlock is the output of !deadlock that is open.
type verifierBlock struct {
	deadlock *VerifierDeadlock
	taken    *VerifierAcquire // the acquisition that Node and Stack lines belong to
	thread   int              // index of its thread in deadlock.Threads, -1 outside the long form
	inStack  bool             // call sites may follow
	// counted is set when the counts were read; lines that were not understood
	// since may be locks or threads.
	counted tally
}

// deadlock reads the output of !deadlock, in the short form
//
//	Deadlock detected (2 resources in 2 threads):
//	Thread 0: A B
//	Thread 1: B A
//	Where:
//	Thread 0 = 8d3ba030
//	Lock A =   bba2af30 Type 'Spinlock'
//
// and in the long one, with the stacks of each acquisition.
func (r *Reader) deadlock(l kd.Line) bool {
	if strings.HasPrefix(l.Text, "Deadlock ") || strings.HasPrefix(l.Text, "issue: ") {
		return r.deadlockHead(l)
	}
	if r.verifier.deadlock == nil {
		return false
	}
	if r.verifier.line(l) {
		return true
	}
	r.verifier.inStack = false
	return false
}

// deadlockHead reads
//
//	issue: 00001001 97dd800c 86858ce0 00000000
//	Deadlock detected (2 locks in 2 threads):
//	Deadlock verifier: no deadlock
func (r *Reader) deadlockHead(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	switch {
	case c.Take("issue:"):
		var issue []kd.Addr
		for w := c.Peek(); w != ""; w = c.Peek() {
			a, ok := kd.ParseFullAddr(w)
			if !ok || len(issue) == 4 {
				return false
			}
			issue = append(issue, a)
			c.Word()
		}
		if len(issue) != 4 {
			return false
		}
		r.openVerifier(l)
		r.verifier.deadlock.Issue = issue
		return true
	case c.Take("Deadlock detected"):
		return r.deadlockCounts(&c, l)
	case c.Take("Deadlock verifier:"):
		r.closeVerifier()
		return true
	}
	return false
}

// deadlockCounts reads "(2 locks in 2 threads):".
func (r *Reader) deadlockCounts(c *kd.Cursor, l kd.Line) bool {
	w, _ := c.Word()
	locks, err := strconv.ParseUint(strings.TrimPrefix(w, "("), 10, 16)
	if err != nil || !c.Take("resources in") && !c.Take("resource in") && !c.Take("locks in") && !c.Take("lock in") {
		return false
	}
	w, _ = c.Word()
	threads, err := strconv.ParseUint(w, 10, 16)
	if err != nil {
		return false
	}
	if v := r.verifier.deadlock; v == nil || v.AnnouncedLocks > 0 {
		r.openVerifier(l)
	}
	v := r.verifier.deadlock
	v.AnnouncedLocks, v.AnnouncedThreads = int(locks), int(threads)
	r.verifier.counted = r.tally()
	return true
}

func (r *Reader) openVerifier(l kd.Line) {
	r.closeBlock()
	r.verifier = verifierBlock{deadlock: &VerifierDeadlock{At: l.All()}, thread: -1}
}

// closeVerifier keeps the deadlock that is open.
func (r *Reader) closeVerifier() {
	v, ofLocks := r.verifier.deadlock, r.verifier.counted
	r.verifier = verifierBlock{}
	if v == nil {
		return
	}
	r.out.VerifierDeadlocks = append(r.out.VerifierDeadlocks, v)
	ofThreads := ofLocks
	ofLocks.listed, ofThreads.listed = len(v.Locks), len(v.Threads)
	if ofLocks.open && !r.tallied(v.At, r.fits(ofLocks, v.AnnouncedLocks) && r.fits(ofThreads, v.AnnouncedThreads)) {
		r.selfNote(kd.CountsFit, v.At, "!deadlock announces %s in %s, listed: %d in %d%s", kd.Plural(v.AnnouncedLocks, "lock"), kd.Plural(v.AnnouncedThreads, "thread"), ofLocks.listed, ofThreads.listed, r.ending())
	}
}

// line reads a line below the head.
func (b *verifierBlock) line(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	switch {
	case l.Text == "#" || l.Text == "Where:":
		return true
	case c.Take("Thread"):
		return b.threadLine(&c, l)
	case c.Take("Lock"):
		return b.lockLine(&c, l)
	case b.taken != nil && c.Take("Node:"):
		w, _ := c.Word()
		b.taken.Node, _ = kd.ParseFullAddr(w)
		return true
	case b.taken != nil && c.Take("Stack:"):
		rest, at := c.Rest()
		b.inStack = true
		if strings.HasPrefix(rest, "<<") {
			b.taken.Current, b.inStack = true, false
			return true
		}
		return b.site(rest, at, l)
	}
	return b.inStack && b.site(l.Text, 0, l)
}

// threadLine reads
//
//	Thread 0: A B.
//	Thread 1 = c4ae2040.
//	Thread 0 (8D14F750) took locks in the following order:
//	Thread 1: c4ae2040 (ThreadEntry = 86833a08) took locks in the following order:
func (b *verifierBlock) threadLine(c *kd.Cursor, l kd.Line) bool {
	w, _ := c.Word()
	n, err := strconv.ParseUint(strings.TrimSuffix(w, ":"), 10, 8)
	if err != nil {
		return false
	}
	long := strings.HasSuffix(l.Text, "took locks in the following order:")
	if !strings.HasSuffix(w, ":") && !long && !c.Take("=") {
		return false
	}
	who := strings.Trim(c.Peek(), "().")
	addr, isAddr := kd.ParseFullAddr(who)
	if !isAddr {
		addr = 0
	}
	terminated := strings.EqualFold(who, "TERMINATED")
	order, isOrder := []string(nil), false
	if !isAddr && !terminated {
		if order, isOrder = lockNames(c); !isOrder || long {
			return false
		}
	}
	i := b.indexOf(int(n), l)
	t := &b.deadlock.Threads[i]
	if isAddr || terminated {
		t.Addr, t.Terminated, t.At = addr, terminated, l.All()
	} else {
		t.Order = order
	}
	b.taken, b.inStack, b.thread = nil, false, -1
	if long {
		b.thread, t.Order, t.Taken = i, nil, nil
	}
	return true
}

// indexOf finds the thread of a number, or makes it.
func (b *verifierBlock) indexOf(n int, l kd.Line) int {
	for i := range b.deadlock.Threads {
		if b.deadlock.Threads[i].Index == n {
			return i
		}
	}
	b.deadlock.Threads = append(b.deadlock.Threads, VerifierThread{Index: n, At: l.All()})
	return len(b.deadlock.Threads) - 1
}

// lockNames reads "A B C."
func lockNames(c *kd.Cursor) ([]string, bool) {
	var out []string
	for {
		w, _ := c.Word()
		name := strings.TrimSuffix(w, ".")
		if name == "" {
			return out, len(out) > 0
		}
		if !isLockName(name) {
			return nil, false
		}
		out = append(out, name)
	}
}

// isLockName accepts A to Z, and AA onwards.
func isLockName(s string) bool {
	if len(s) == 0 || len(s) > 2 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}

// lockLine reads
//
//	Lock A =   bba2af30 Type 'Spinlock'
//	Lock B =   dummy!GlobalLock Type 'Spinlock'
//	Lock A =   97dd800c (MyTestDriver!AlphaLock+0x00000000) - Type 'Spinlock'.
//	Lock A -- b7906f30 (Spinlock)
func (b *verifierBlock) lockLine(c *kd.Cursor, l kd.Line) bool {
	lock := VerifierLock{At: l.All()}
	lock.Name, _ = c.Word()
	if !isLockName(lock.Name) || !c.Take("=") && !c.Take("--") {
		return false
	}
	w, _ := c.Word()
	var ok bool
	if lock.Addr, ok = kd.ParseFullAddr(w); !ok {
		if !strings.Contains(w, "!") {
			return false
		}
		lock.Addr, lock.Symbol = 0, w
	}
	if w := c.Peek(); strings.HasPrefix(w, "(") && strings.Contains(w, "!") {
		lock.Symbol = strings.Trim(w, "()")
		c.Word()
	}
	c.Take("-")
	c.Take("Type")
	rest, _ := c.Rest()
	lock.Type = strings.Trim(rest, "().'\"")
	b.keepLock(lock)
	b.taken, b.inStack = nil, false
	if b.thread >= 0 {
		t := &b.deadlock.Threads[b.thread]
		t.Order = append(t.Order, lock.Name)
		t.Taken = append(t.Taken, VerifierAcquire{Lock: lock.Name})
		b.taken = &t.Taken[len(t.Taken)-1]
	}
	return true
}

// keepLock adds a lock that was not listed before.
func (b *verifierBlock) keepLock(lock VerifierLock) {
	for _, k := range b.deadlock.Locks {
		if k.Name == lock.Name {
			return
		}
	}
	b.deadlock.Locks = append(b.deadlock.Locks, lock)
}

// site reads a call site of an acquisition: "97dd605a MyTestDriver!Dispatch+0x1a"
// or without the address.
func (b *verifierBlock) site(text string, at int, l kd.Line) bool {
	c := kd.Cursor{Text: text}
	if _, ok := kd.ParseFullAddr(c.Peek()); ok {
		c.Word()
	}
	rest, off := c.Rest()
	if !strings.Contains(rest, "!") {
		return false
	}
	f, ok := stacks.ReadSite(rest)
	if ok {
		f.At = l.Ref(at+off, len(rest))
		b.taken.Frames = append(b.taken.Frames, f)
	}
	return ok
}
