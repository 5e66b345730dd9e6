package threads

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// readyQueue is the queue of ready threads whose THREAD blocks follow.
type readyQueue struct {
	open     bool
	winde    int16 // processor whose ready threads WinDE lists, counted from 1
	cpu      int   // -1 for a queue that several processors share
	priority int
}

// ready reads the heads of !ready; the THREAD blocks below each are of its
// queue (Windows Internals, 7th edition, part 1, chapter 4):
//
//	Processor 0: Ready Threads at priority 13
//	Processor 1: No threads in READY state
//	KSHARED_READY_QUEUE 8147e800: (00) ****----------------------------
//	SharedReadyQueue 8147e800: Ready Threads at priority 8
func (r *Reader) ready(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	q := readyQueue{cpu: -1}
	switch {
	case strings.HasPrefix(l.Text, "Processor ") && c.Take("Processor"):
		w, _ := c.Word()
		n, err := strconv.ParseUint(strings.TrimSuffix(w, ":"), 10, 16)
		if err != nil || !strings.HasSuffix(w, ":") {
			return false
		}
		q.cpu = int(n)
	case strings.HasPrefix(l.Text, "SharedReadyQueue ") && c.Take("SharedReadyQueue"), strings.HasPrefix(l.Text, "KSHARED_READY_QUEUE ") && c.Take("KSHARED_READY_QUEUE"):
		w, _ := c.Word()
		if _, ok := kd.ParseFullAddr(strings.TrimSuffix(w, ":")); !ok {
			return false
		}
		if strings.HasPrefix(c.Peek(), "(") { // group and mask of its processors
			r.closeBlock()
			return true
		}
	case !strings.HasPrefix(l.Text, "Ready Threads at "):
		return false
	}
	switch {
	case c.Take("No threads in READY state"):
	case c.Take("Ready Threads at priority"):
		w, _ := c.Word()
		n, err := strconv.ParseUint(w, 10, 8)
		if err != nil {
			return false
		}
		q.priority, q.open = int(n), true
	default:
		return false
	}
	if c.Peek() != "" {
		return false
	}
	r.closeBlock()
	r.queue = q
	return true
}

// place gives a thread what the queue that it stands in tells. The first thread
// that is not ready stands in none.
func (q *readyQueue) place(t *Thread) {
	if t.State != Ready && t.State != DeferredReady {
		q.open = false
	}
	if !q.open {
		return
	}
	t.Priority = q.priority
	if t.Processor < 0 {
		t.Processor = q.cpu
	}
}
