package objects

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// WorkQueue is one queue of the executive's worker threads as !exqueue prints
// it.
type WorkQueue struct {
	Name string // "Critical", "Delayed", "HyperCritical"; "" if it has a number only
	// Node is the NUMA node and Priority the number of the queue, -1 if not
	// printed.
	Node, Priority int
	// Running is how many workers run at once by the queue's own count, Most how
	// many may: "current" and "maximum", or "Concurrency". Threads is how many
	// workers there are, MostThreads how many there may be. -1 if not printed.
	Running, Most, Threads, MostThreads int
	Workers                             []Worker
	// Open is set when something else came, or the input ended, before the list of
	// workers is known to be complete.
	Open bool
	// Cut is set when the input ended before Pending is known to be complete.
	Cut bool
	// Pending are the work items that no worker has taken yet.
	Pending []WorkItem
	At      kd.Ref
	EndLine int32
}

// WorkItem is an item that waits in a queue.
type WorkItem struct {
	Kind      string // the debugger's word for it: "IoWorkItem", "ExWorkItem"
	Routine   string // the symbol of the routine that is to run
	Item      Printed
	Parameter Printed
	At        kd.Ref
}

func (q *WorkQueue) mapAddrs(f func(kd.Addr) kd.Addr) {
	mapWorkers(q.Workers, f)
	for i := range q.Pending {
		mapAll(f, &q.Pending[i].Item, &q.Pending[i].Parameter)
	}
}

// queueHead reads the lines that begin the output of !exqueue and each queue:
// Microsoft's documentation of the command, of Windows 2000; jumpdollar.blogspot.com,
// "Parsing Dispatcher Object Queues", of Windows 7; for the node
// standa-note.blogspot.com, June 2015, which lists the words of the debugger's
// extension.
//
//	Dumping ExWorkerQueue: 8046A5C0
//	**** Critical WorkQueue( current = 0 maximum = 1 )
//	**** Delayed WorkQueue ( Threads: 7/512, Concurrency: 0/1 )
//	**** NUMA Node 0 Critical WorkQueue ( Threads: 6/512, Concurrency: 0/1 )
func (r *Reader) queueHead(l kd.Line) bool {
	if strings.HasPrefix(l.Text, "Dumping ExWorkerQueue:") {
		r.begin(queueBlock, "!exqueue")
		return true
	}
	name, ok := strings.CutPrefix(l.Text, "****")
	if !ok {
		return false
	}
	at := strings.Index(name, "WorkQueue")
	if at < 0 {
		return false
	}
	counts := strings.TrimLeft(name[at+len("WorkQueue"):], " \t")
	if !strings.HasPrefix(counts, "(") {
		return false
	}
	q := &WorkQueue{Node: -1, Priority: -1, Running: -1, Most: -1, Threads: -1, MostThreads: -1, At: l.All(), EndLine: l.Last()}
	if !q.names(name[:at]) || !q.counts(counts) {
		return false
	}
	r.begin(queueBlock, "!exqueue")
	r.queue = q
	r.out.Queues = append(r.out.Queues, q)
	r.list(&q.Workers, q.Threads, q.At)
	return true
}

// names reads "NUMA Node 0 Critical".
func (q *WorkQueue) names(s string) bool {
	words := strings.Fields(s)
	if len(words) >= 3 && strings.EqualFold(words[0], "NUMA") && strings.EqualFold(words[1], "Node") {
		n, err := strconv.ParseUint(words[2], 10, 16)
		if err != nil {
			return false
		}
		q.Node, words = int(n), words[3:]
	}
	if len(words) >= 2 && strings.EqualFold(words[0], "PRI") {
		n, err := strconv.ParseUint(words[1], 10, 8)
		if err != nil {
			return false
		}
		q.Priority, words = int(n), words[2:]
	}
	q.Name = strings.Join(words, " ")
	return len(words) <= 2 && (q.Name != "" || q.Priority >= 0)
}

// counts reads what stands in parentheses behind the name of a queue.
func (q *WorkQueue) counts(s string) bool {
	inside, _, ok := strings.Cut(s[1:], ")")
	c := kd.Cursor{Text: inside}
	if c.Take("current =") {
		w, _ := c.Word()
		q.Running = count(w)
		if c.Take("maximum =") {
			w, _ = c.Word()
			q.Most = count(w)
		}
		return ok && q.Running >= 0 && q.Most >= 0
	}
	for part := range strings.SplitSeq(inside, ",") {
		name, value, _ := strings.Cut(part, ":")
		have, most, _ := strings.Cut(value, "/")
		switch name, _ = kd.TrimBlanks(name); name {
		case "Threads":
			q.Threads, q.MostThreads = count(have), count(most)
		case "Concurrency":
			q.Running, q.Most = count(have), count(most)
		default:
			return false
		}
	}
	return ok
}

// count returns a decimal number, -1 if it is none.
func count(w string) int {
	w, _ = kd.TrimBlanks(w)
	n, err := strconv.ParseUint(w, 10, 31)
	if err != nil {
		return -1
	}
	return int(n)
}

// queueLine reads what stands below the head of a queue: its threads, which are
// kept and left to their own reader, and the items that wait in it.
func (r *Reader) queueLine(l kd.Line) bool {
	r.worker(l)
	if r.queue == nil || !strings.HasPrefix(l.Text, "PENDING:") {
		return false
	}
	r.queue.Pending = append(r.queue.Pending, pending(l))
	r.queue.EndLine, r.command = max(r.queue.EndLine, l.Last()), "!exqueue"
	return true
}

// pending reads the line of an item by its words: the kind comes first, an
// address in parentheses right behind it is that of the item, the word with an
// exclamation mark is the routine, and the parameter stands behind its name.
func pending(l kd.Line) WorkItem {
	out := WorkItem{At: l.All()}
	c := kd.Cursor{Text: l.Text, Pos: len("PENDING:")}
	for n := 0; ; n++ {
		w, at := c.Word()
		switch {
		case w == "":
			return out
		case n == 0:
			out.Kind = w
		case n == 1 && strings.HasPrefix(w, "("):
			if p, ok := printed(strings.Trim(w, "()"), at+1, l); ok {
				out.Item = p
			}
		case strings.Contains(w, "!") && out.Routine == "":
			out.Routine = w
		case w == "Parameter":
			if p, ok := printed(c.Peek(), c.Pos, l); ok {
				w, at := c.Word()
				p.At = l.Ref(at, len(w))
				out.Parameter = p
			}
		}
	}
}
