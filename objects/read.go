package objects

import (
	"fmt"
	"strings"

	"kdlocks/kd"
)

// Read reads the output of !irp, !irpfind, !alpc, !lpc, !exqueue, !cs, the
// user-mode !locks, and dt of a lock whose command stands above it. Lines that are not part of it are passed over; Reader tells
// which.
func Read(lines []kd.Line) Listing {
	var r Reader
	for _, l := range lines {
		r.Line(l)
	}
	if l := r.Done(); l != nil {
		return *l
	}
	return Listing{}
}

// Reader reads such output line by line, also when other output stands in
// between.
type Reader struct {
	out Listing
	// typed is the address behind the !irp that was typed last, until its output
	// begins.
	typed Printed
	// open is the block that a line may go on with; command is the one that the
	// last line was output of.
	open    block
	command string

	irp     *IRP
	message *Message
	port    *Port
	queue   *WorkQueue
	section *CriticalSection
	// whole is the list of all objects of a kind that is open, process the one whose
	// user mode the debugger looks at.
	whole   openList
	process Printed
	workers workerList
	// device is set while the second line of a stack location of the IRP may
	// come, words behind it, while more words of it may; unclosed while the bracket
	// that ends a row of !irpfind may.
	device, words, unclosed bool
	// lpc is what is open of the output of !lpc; debugInfo stands in front of
	// its critical section in the output of !cs.
	lpc       lpcBlock
	debugInfo Printed
	// dt is what is open of the output of dt; fieldCommands counts the commands of
	// the prompt that print fields of types.
	dt            dtReader
	fieldCommands int
}

// block is what is being read.
type block uint8

const (
	noBlock block = iota
	irpBlock
	findBlock
	messageBlock
	portBlock
	lpcAnswer
	queueBlock
	critSecBlock // as !locks prints it
	csBlock      // as !cs prints it
	dtBlock
)

// Line takes the next line and reports whether it is part of the output of one
// of the commands. Lines of threads are not, also where such a command prints
// them: their own reader wants them.
func (r *Reader) Line(l kd.Line) bool {
	if l.Text == "" {
		return false
	}
	if kd.IsElision(l.Text) {
		r.Lost()
	}
	if r.head(l) || r.typed.Known() && r.irpBeheaded(l) {
		return true
	}
	switch r.open {
	case irpBlock:
		return r.irpLine(l)
	case findBlock:
		return r.findEnd(l)
	case messageBlock:
		return r.messageLine(l)
	case portBlock:
		return r.portLine(l)
	case lpcAnswer:
		return r.lpcLine(l)
	case queueBlock:
		return r.queueLine(l)
	case critSecBlock, csBlock:
		return r.sectionLine(l)
	case dtBlock:
		return r.dtOther(l)
	}
	return false
}

// head opens the block that a line begins.
func (r *Reader) head(l kd.Line) bool {
	switch l.Text[0] {
	case 'I':
		r.implicit(l)
		return r.irpHead(l) || r.findHead(l)
	case 'S':
		return r.findHead(l) || r.lpcHead(l)
	case 'M', 'P':
		return r.alpcHead(l)
	case 'C':
		return r.critSecHead(l) || r.csHead(l) || r.lpcHead(l)
	case 'D':
		return r.queueHead(l) || r.csHead(l)
	case '*':
		return r.queueHead(l)
	case 'L':
		return r.lpcHead(l)
	case '+':
		return r.dtLine(l)
	case 'd':
		return r.dtHead(l) || r.findRow(l)
	}
	return r.findRow(l)
}

// Prompt tells the reader that a command was typed: blocks that were open are
// complete. irp is the address that !irp was typed with, if it was.
func (r *Reader) Prompt(irp Printed) {
	r.close()
	r.endList()
	if r.typed = irp; !irp.Known() {
		r.fieldCommands = 0
	}
}

// Listing reports whether threads are being listed, so that the reader must see
// their lines.
func (r *Reader) Listing() bool { return r.workers.open }

// Break tells the reader that output of another kind came: a list of threads
// that is open may lack some.
func (r *Reader) Break() {
	switch w := &r.workers; {
	case !w.open:
	case r.queue != nil && w.into == &r.queue.Workers:
		w.open, r.queue.Open = false, true
	case r.port != nil && w.into == &r.port.Threads:
		w.open, r.port.Open = false, true
	}
}

// Command names the command that the line which was taken last is output of.
func (r *Reader) Command() string { return r.command }

// Done returns what was read, nil if that is nothing.
func (r *Reader) Done() *Listing {
	r.Break()
	if r.queue != nil {
		r.queue.Cut = true
	}
	r.close()
	if l := &r.out; l.Empty() && len(l.Sections)+len(l.Notes) == 0 {
		return nil
	}
	out := r.out
	return &out
}

// begin opens a block of the output of a command.
func (r *Reader) begin(b block, command string) {
	r.close()
	r.open, r.command = b, command
}

func (r *Reader) close() {
	r.closeIRP()
	r.countThreads()
	r.open = noBlock
	r.message, r.port, r.queue, r.section = nil, nil, nil, nil
	r.workers, r.lpc, r.debugInfo, r.unclosed = workerList{}, lpcBlock{}, Printed{}, false
	r.dt = dtReader{}
}

func (r *Reader) note(at kd.Ref, format string, args ...any) {
	r.out.Notes = append(r.out.Notes, kd.Note{At: at, Text: fmt.Sprintf(format, args...)})
}

// workerList is a list of THREAD lines that is being read.
type workerList struct {
	open    bool
	process string // that of the first thread, as printed in its Cid
	into    *[]Worker
	most    int // as many as are announced, -1 if that is not printed
	at      kd.Ref
}

// list opens a list of threads, with their number as printed at a place.
func (r *Reader) list(into *[]Worker, announced int, at kd.Ref) {
	r.workers = workerList{open: announced != 0, into: into, most: announced, at: at}
}

// countThreads notes a list that has fewer threads than are announced.
func (r *Reader) countThreads() {
	if w := &r.workers; w.into != nil && w.most >= 0 && len(*w.into) < w.most {
		r.note(w.at, "announced: %s, listed: %d", kd.Plural(w.most, "thread"), len(*w.into))
	}
}

// worker keeps the thread of a THREAD line of the list that is open. All threads
// of a list are of one process; one of another, and a PROCESS line, end it, and
// so does the last one that is announced.
func (r *Reader) worker(l kd.Line) {
	if !r.workers.open {
		return
	}
	if strings.HasPrefix(l.Text, "PROCESS ") {
		r.workers.open = false
		return
	}
	if !strings.HasPrefix(l.Text, "THREAD ") {
		return
	}
	c := kd.Cursor{Text: l.Text}
	c.Word()
	w, at := c.Word()
	addr, ok := kd.ParseFullAddr(w)
	if !ok {
		return
	}
	process := ""
	if c.Take("Cid") {
		cid, _ := c.Word()
		process, _, _ = strings.Cut(cid, ".")
	}
	list := &r.workers
	if len(*list.into) > 0 && process != list.process {
		r.Break()
		return
	}
	list.process = process
	*list.into = append(*list.into, Worker{Thread: addr, At: l.Ref(at, len(w))})
	list.open = len(*list.into) != list.most
}

// printed reads an address of the width of one.
func printed(w string, at int, l kd.Line) (Printed, bool) {
	a, ok := kd.ParseFullAddr(w)
	return Printed{a, l.Ref(at, len(w))}, ok
}

// HeadWidth returns the number of digits of the address in a line that begins
// the block of an object of the kernel, 0 for other lines and sign-extended
// addresses, and whether the line ends there.
func HeadWidth(text string) (width int, last bool) {
	c := kd.Cursor{Text: text}
	switch text[0] {
	case 'M':
		if !c.Take("Message @") && !c.Take("Message") {
			return 0, false
		}
	case 'P':
		if !c.Take("Port @") && !c.Take("Port") {
			return 0, false
		}
	case 'I':
		h, ok := readIRPHead(text)
		if !ok || h.location.SignExtended() || h.location == 0 {
			return 0, false
		}
		return h.digits, false
	default:
		return 0, false
	}
	w, _ := c.Word()
	a, ok := kd.ParseFullAddr(w)
	if !ok || a.SignExtended() || c.Peek() != "" && !strings.HasPrefix(c.Peek(), "<") {
		return 0, false
	}
	return kd.AddrDigits(w), c.Peek() == ""
}
