package threads

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// Processor is one row of !running: what the control block (PRCB) of a
// processor says of its threads and of its queued spin locks.
type Processor struct {
	CPU  int     // -1 if no number was printed
	Prcb kd.Addr // address of the control block
	// Current runs on the processor, Next has been chosen to run after it, which
	// is the state standby (Windows Internals, 7th edition, part 1, chapter 4),
	// and Idle is the processor's idle thread; 0 if the column is blank or
	// missing.
	Current, Next, Idle kd.Addr
	// IdleNow says whether the mask of idle processors holds this one.
	IdleNow Tri
	// Owned and Waits are the numbers, counted from 0, of the built-in queued
	// spin locks that the processor owns and is queued for (O and W in the row;
	// Microsoft's documentation of !running).
	Owned, Waits []int
	At           kd.Ref
}

// MapAddrs replaces every address of the row by f of it.
func (p *Processor) MapAddrs(f func(kd.Addr) kd.Addr) {
	p.Prcb, p.Current, p.Next, p.Idle = f(p.Prcb), f(p.Current), f(p.Next), f(p.Idle)
}

// runningTable is what has been read of the table that is open.
type runningTable struct {
	open bool // a mask or the column heads have been read
	// system and idle are the masks of all processors and of the idle ones; at
	// is where the first stands.
	system, idle processorMask
	at           kd.Ref
	rows         tally
	// hasMask is set when idle was printed, hasIdle when a column for the idle
	// thread was.
	hasMask, hasIdle bool
}

// running reads the output of !running:
//
//	System Processors f (affinity mask)
//	  Idle Processors 0
//	     Prcb      Current   Next
//	  0  ffdff120  a40a9350            ................
//
// and that of later debuggers, with priorities and the idle thread:
//
//	System Processors:  (000000000000000f)
//	  Idle Processors:  (0000000000000002)
//	       Prcbs             Current         (pri) Next            (pri) Idle
//	  0    fffff80301a4f180  ffff9e0faf8c4080 (15)                       fffff80301c4a400  ................
func (r *Reader) running(l kd.Line) bool {
	if r.runningHead(l) {
		return true
	}
	if !r.table.open && !isLockQueue(lastWord(l.Text)) {
		return false
	}
	p, rest, ok := r.runningRow(l)
	if !ok {
		r.lostRow(l)
		return false
	}
	r.out.Processors = append(r.out.Processors, p)
	r.table.rows.listed++
	if p.Next != 0 {
		next := New(p.Next, l.All())
		next.State, next.Processor = Standby, p.CPU
		r.out.Threads = append(r.out.Threads, next)
	}
	t := New(p.Current, l.All())
	t.State, t.Processor = Running, p.CPU
	r.begin(t)
	r.part = propPart
	if rest != "" {
		r.note(l.Ref(len(l.Text)-len(rest), len(rest)), "!running: %q behind the threads of the processor not understood", kd.Clip(rest))
	}
	return true
}

// lostRow notes a line of the open table that begins like a row and cannot be
// read: a thread that runs is then not known.
func (r *Reader) lostRow(l kd.Line) {
	if r.stack.Open() || strings.IndexByte(l.Text, '!') >= 0 {
		return
	}
	c := kd.Cursor{Text: l.Text}
	if w := c.Peek(); len(w) <= 4 && isDecimal(w) {
		c.Word()
	}
	if columns, _, _ := readThreadColumns(&c); len(columns) > 0 && columns[0].addr.IsKernel(kd.ArchUnknown) && !isWaitKind(c.Peek()) {
		r.note(l.All(), "!running: the row of a processor is not understood: %q", kd.Clip(l.Text))
	}
}

func isDecimal(w string) bool {
	_, err := strconv.ParseUint(w, 10, 16)
	return err == nil
}

// runningHead reads the masks, the column heads and the line of an idle
// machine.
func (r *Reader) runningHead(l kd.Line) bool {
	if strings.IndexByte("SIPAsipa", l.Text[0]) < 0 {
		return false
	}
	c := kd.Cursor{Text: l.Text}
	switch {
	case c.Take("System Processors"), c.Take("System Processors:"):
		mask, ok := readMask(&c)
		if !ok {
			return false
		}
		r.closeBlock()
		r.closeTable()
		r.table = runningTable{open: true, system: mask, at: l.All(), rows: r.tally()}
		if !strings.HasSuffix(l.Text, ")") || l.All().Doubt != 0 {
			r.table.system.whole = false
		}
	case c.Take("Idle Processors"), c.Take("Idle Processors:"):
		mask, ok := readMask(&c)
		if !ok {
			return false
		}
		r.table.open, r.table.hasMask, r.table.idle = true, true, mask
		r.table.idle.whole = mask.whole && l.All().Doubt == 0
	case c.Take("Prcb Current"), c.Take("Prcbs Current"):
		r.closeBlock()
		r.table.open, r.table.hasIdle = true, strings.HasSuffix(l.Text, "Idle")
	case r.table.open && strings.EqualFold(l.Text, "All processors idle."):
	default:
		return false
	}
	return true
}

// readMask reads "f (affinity mask)", or "(000000000000000f) (0000000000000000)"
// with one mask for each processor group.
func readMask(c *kd.Cursor) (processorMask, bool) {
	out := processorMask{whole: true}
	for {
		in := c.Peek()
		w := strings.Trim(in, "()")
		n, err := strconv.ParseUint(w, 16, 64)
		if err != nil {
			return out, len(out.groups) > 0 && (w == "" || c.Take("(affinity mask)"))
		}
		out.groups = append(out.groups, n)
		out.whole = out.whole && strings.HasPrefix(in, "(") == strings.HasSuffix(in, ")")
		c.Word()
	}
}

// lockQueues is the number of built-in queued spin locks that a row shows by
// Microsoft's documentation of !running; a few more are read as well.
const lockQueues, mostLockQueues = 16, 18

func isLockQueue(s string) bool {
	return len(s) >= lockQueues && len(s) <= mostLockQueues && strings.Trim(s, ".OW") == ""
}

func lastWord(text string) string {
	switch text[len(text)-1] {
	case '.', 'O', 'W':
	default:
		return "" // no lock queue
	}
	return text[strings.LastIndexAny(text, " \t")+1:]
}

// runningRow reads the row of one processor. In a table that is open, its
// threads are enough: rest is what follows them and is neither the spin locks
// nor cut off before them.
func (r *Reader) runningRow(l kd.Line) (p Processor, rest string, ok bool) {
	p = Processor{CPU: -1, At: l.All()}
	c := kd.Cursor{Text: l.Text}
	if w := c.Peek(); len(w) <= 4 {
		n, err := strconv.ParseUint(w, 10, 16)
		if err != nil {
			return p, "", false
		}
		p.CPU = int(n)
		c.Word()
	}
	columns, prioritised, uniform := readThreadColumns(&c)
	if len(columns) < 2 {
		return p, "", false
	}
	p.Prcb, p.Current = columns[0].addr, columns[1].addr
	p.placeRest(columns[2:], prioritised || r.table.hasIdle)
	rest, _ = c.Rest()
	queue, _ := c.Word()
	switch {
	case uniform && isLockQueue(queue) && c.Peek() == "":
		p.Owned, p.Waits, rest = marked(queue, 'O'), marked(queue, 'W'), ""
	case len(columns) == 4 && !uniform, p.CPU < 0 && strings.IndexByte(l.Text, '`') >= 0, !r.damagedRow(p, rest):
		return p, "", false
	case uniform && isLockQueue(queue):
		p.Owned, p.Waits = marked(queue, 'O'), marked(queue, 'W')
		rest, _ = c.Rest()
	}
	if p.CPU >= 0 && r.table.hasMask {
		p.IdleNow = inMask(r.table.idle.groups, p.CPU)
	}
	return p, rest, true
}

// damagedRow reports whether a line with the addresses of p is a row of the
// open table although rest is not its spin locks: no frame of a stack, and no
// line of a memory dump.
func (r *Reader) damagedRow(p Processor, rest string) bool {
	switch {
	case !r.table.open || strings.IndexByte(rest, '!') >= 0:
		return false
	case p.Prcb == p.Current || !p.Prcb.IsKernel(kd.ArchUnknown) || !p.Current.IsKernel(kd.ArchUnknown):
		return false
	case r.stack.Open():
		return strings.HasPrefix(rest, "..") || strings.HasPrefix(rest, "…")
	}
	return true
}

// ProcessorWidth returns the number of digits of the addresses in a row of
// !running that shows its queued spin locks, 0 for other lines.
func ProcessorWidth(text string) int {
	if !isLockQueue(lastWord(text)) {
		return 0
	}
	var r Reader
	p, _, ok := r.runningRow(kd.Line{Text: text})
	if !ok || p.Prcb.SignExtended() {
		return 0
	}
	c := kd.Cursor{Text: text}
	if p.CPU >= 0 {
		c.Word()
	}
	return kd.AddrDigits(c.Peek())
}

// threadColumn is an address and whether a priority stands behind it.
type threadColumn struct {
	addr     kd.Addr
	priority bool
}

// readThreadColumns reads up to four addresses of one width, each perhaps with
// a priority: "ffff9e0faf8c4080 ( 8)".
func readThreadColumns(c *kd.Cursor) (out []threadColumn, prioritised, ok bool) {
	digits := 0
	for {
		w := c.Peek()
		if strings.HasPrefix(w, "(") && len(out) > 0 {
			for w != "" && !strings.HasSuffix(w, ")") {
				c.Word()
				w = c.Peek()
			}
			c.Word()
			out[len(out)-1].priority, prioritised = true, true
			continue
		}
		bare := strings.Trim(w, "*") // set in bold by an author
		a, full := kd.ParseFullAddr(bare)
		if !full || isLockQueue(w) {
			return out, prioritised, len(out) > 0
		}
		n := kd.AddrDigits(bare)
		if len(out) == 4 || digits != 0 && n != digits {
			return out, prioritised, false
		}
		digits = n
		c.Word()
		out = append(out, threadColumn{addr: a})
	}
}

// placeRest gives the addresses behind Current to their columns: Next may be
// blank, and only later debuggers print the idle thread.
func (p *Processor) placeRest(rest []threadColumn, hasIdle bool) {
	switch {
	case len(rest) == 2:
		p.Next, p.Idle = rest[0].addr, rest[1].addr
	case len(rest) == 1 && hasIdle && !rest[0].priority:
		p.Idle = rest[0].addr
	case len(rest) == 1:
		p.Next = rest[0].addr
	}
}

// marked returns the positions of mark.
func marked(queue string, mark byte) []int {
	var out []int
	for i := 0; i < len(queue); i++ {
		if queue[i] == mark {
			out = append(out, i)
		}
	}
	return out
}

func inMask(mask []uint64, cpu int) Tri {
	if cpu/64 >= len(mask) {
		return Unknown
	}
	if mask[cpu/64]>>(cpu%64)&1 == 1 {
		return Yes
	}
	return No
}
