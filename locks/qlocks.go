package locks

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// QueuedLock is a row of !qlocks in which a processor owns the queued spin
// lock or waits for it. Processors are counted from 0.
type QueuedLock struct {
	Name    string // "KE - Dispatcher"
	Owner   int    // the processor, -1 if none
	Waiters []int  // processors in the order of waiting
	Corrupt bool
	At      kd.Ref
}

// qlocksLine reads the table of !qlocks, after Microsoft's documentation of the
// command:
//
//	Key: O = Owner, 1-n = Wait order, blank = not owned/waiting, C = Corrupt
//	                       Processor Number
//	    Lock Name         0  1  2  3
//	KE   - Dispatcher     1  O
func (r *Reader) qlocksLine(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	switch {
	case l.Text[0] == 'K' && c.Take("Key: O = Owner,"):
		r.Break()
		r.qlocks, r.processors = true, nil
		return true
	case !r.qlocks:
		return false
	case l.Text == "Processor Number":
		return true
	case c.Take("Lock Name"):
		r.processors = r.processors[:0]
		for w, at := c.Word(); w != ""; w, at = c.Word() {
			if !isCount(w) {
				return false
			}
			r.processors = append(r.processors, columnOf(l, at))
		}
		if len(r.processors) > 0 && r.processors[0]-columnOf(l, 0) <= len("Lock Name ") {
			r.processors = nil
			r.note(l.All(), "the table of !qlocks has lost its blanks: which processor owns what cannot be read")
		}
		return true
	}
	return r.qlocksRow(l)
}

// qlocksRow reads a row. Which processor a mark is of follows from its column
// alone: where blanks were lost, nothing is taken.
func (r *Reader) qlocksRow(l kd.Line) bool {
	component, name, ok := strings.Cut(l.Text, " - ")
	component, _ = kd.TrimBlanks(component)
	if !ok || component == "" || strings.ToUpper(component) != component || strings.Contains(component, " ") || len(component) > 8 {
		return false
	}
	q := QueuedLock{Owner: -1, At: l.All()}
	nameAt := len(l.Text) - len(name)
	marks := len(l.Text)
	if len(r.processors) > 0 {
		marks = min(marks, max(r.processors[0]-columnOf(l, 0), nameAt))
	}
	name, _ = kd.TrimBlanks(l.Text[nameAt:marks])
	q.Name = component + " - " + name
	order := map[int]int{}
	c := kd.Cursor{Text: l.Text, Pos: marks}
	for w, at := c.Word(); w != ""; w, at = c.Word() {
		cpu := r.processorAt(columnOf(l, at))
		n, err := strconv.Atoi(w)
		switch {
		case cpu < 0:
			r.note(l.Ref(at, len(w)), "mark %q of !qlocks stands below no processor", kd.Clip(w))
		case w == "O":
			q.Owner = cpu
		case w == "C":
			q.Corrupt = true
		case err == nil && n > 0 && n <= len(r.processors):
			order[n] = cpu
		}
	}
	for n := 1; len(order) > 0 && n <= len(r.processors); n++ {
		if cpu, ok := order[n]; ok {
			q.Waiters = append(q.Waiters, cpu)
		}
	}
	if q.Owner >= 0 || q.Corrupt || len(q.Waiters) > 0 {
		r.out.QueuedLocks = append(r.out.QueuedLocks, q)
	}
	return true
}

// columnOf returns where a byte of a line stands in the input.
func columnOf(l kd.Line, at int) int { return int(l.Ref(at, 1).Col) }

// processorAt returns the processor whose column begins at a byte, -1 if none
// does.
func (r *Reader) processorAt(at int) int {
	for i, p := range r.processors {
		if p == at {
			return i
		}
	}
	return -1
}
