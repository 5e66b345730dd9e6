package threads

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// head reads a THREAD line, with every field behind the address optional:
//
//	THREAD ffffaa01  Cid 0650.0704  Teb: 0 Win32Thread: 0 WAIT: (Executive) KernelMode Non-Alertable
//	THREAD a69a1b40  Cid 0004.00b8  Teb: 00000000 Win32Thread: 00000000 RUNNING on processor 2
func (r *Reader) head(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	if !strings.HasPrefix(l.Text, "THREAD") || !c.Take("THREAD") {
		return false
	}
	w, _ := c.Word()
	addr, ok := kd.ParseFullAddr(w)
	if !ok {
		r.lostHead(w, &c)
		return false
	}
	t := New(addr, l.All())
	t.Header = true
	if r.proc != nil {
		t.Process, t.Listed = *r.proc, true
	}
	for readHeadField(&c, t) {
	}
	r.begin(t)
	if rest, at := c.Rest(); rest != "" && !readState(&c, t) {
		t.StateUnread = true
		r.selfNote(kd.ThreadsRead, l.Ref(at, len(rest)), "THREAD line: state %q not understood", kd.Clip(rest))
	}
	r.queue.place(t)
	return true
}

// lostHead ends the block that is open where a head line is damaged in its
// address: what follows is said of another thread. It reports whether it is.
func (r *Reader) lostHead(addr string, c *kd.Cursor) bool {
	next := c.Peek()
	switch {
	case addr == "", next == "" && (kd.AddrDigits(addr) > 0 || strings.ContainsAny(addr, "0123456789")), next == "SessionId:":
	default:
		if rest, _ := c.Rest(); !strings.HasPrefix(rest, "Cid") && !strings.Contains(rest, " Cid") {
			return false
		}
	}
	r.HeadLost()
	return true
}

// HeadLost tells the reader of a THREAD line that is of no use.
func (r *Reader) HeadLost() {
	r.closeBlock()
	r.orphan = ""
}

func readHeadField(c *kd.Cursor, t *Thread) bool {
	switch {
	case c.Take("Cid") || c.Take("Cid:"):
		if w, _ := c.Word(); c.Peek() != "" { // else it may be cut
			t.CID = parseCID(w)
		}
	case c.Take("Teb:"):
		w, _ := c.Word()
		t.Teb, _ = kd.ParseAddr(w)
	case c.Take("Win32Thread:"):
		c.Word()
	default:
		return false
	}
	return true
}

func parseCID(s string) CID {
	p, t, ok := strings.Cut(s, ".")
	if !ok {
		return CID{}
	}
	pid, err1 := strconv.ParseUint(p, 16, 32)
	tid, err2 := strconv.ParseUint(t, 16, 32)
	if err1 != nil || err2 != nil {
		return CID{}
	}
	return CID{Process: uint32(pid), Thread: uint32(tid), Known: true}
}

// states are the words of a THREAD line, upper case.
var states = map[string]State{
	"RUNNING": Running, "READY": Ready, "STANDBY": Standby, "TERMINATED": Terminated,
	"INITIALIZED": Initialized, "TRANSITION": Transition, "DEFERREDREADY": DeferredReady,
	"DEFERRED_READY": DeferredReady, "DEFERRED": DeferredReady, "DEFERRED-READY": DeferredReady,
}

// readState reads "WAIT: (reason) mode alertable", "RUNNING on processor n"
// and the other states.
func readState(c *kd.Cursor, t *Thread) bool {
	w, _ := c.Word()
	w = strings.ToUpper(w)
	if w == "WAIT:" || w == "WAIT" || w == "GATEWAIT:" || w == "GATEWAIT" {
		t.State = Waiting
		readWait(c, t)
		return true
	}
	s, ok := states[w]
	if !ok {
		return false
	}
	t.State = s
	c.Take("READY")
	if c.Take("on processor") {
		readProcessor(c, t)
	}
	return true
}

// readProcessor reads the number of a processor. In lists of threads that
// several processors share, the highest of its 32 bits is set (Windows
// Internals, 7th edition, part 1, chapter 4).
func readProcessor(c *kd.Cursor, t *Thread) {
	n, _ := c.Word()
	if p, err := strconv.ParseUint(n, 16, 32); err == nil {
		t.Processor = int(p &^ (1 << 31))
	}
}

// readWait reads "(WrResource) KernelMode Non-Alertable". A reason that is cut
// off before its parenthesis is not taken.
func readWait(c *kd.Cursor, t *Thread) {
	if w := c.Peek(); strings.HasPrefix(w, "(") && strings.HasSuffix(w, ")") {
		c.Word()
		t.WaitReason = w[1 : len(w)-1]
	}
	switch {
	case c.Take("KernelMode"):
		t.WaitMode = "KernelMode"
	case c.Take("UserMode"):
		t.WaitMode = "UserMode"
	}
	switch {
	case c.Take("Non-Alertable"):
		t.Alertable = No
	case c.Take("Alertable"):
		t.Alertable = Yes
	}
}
