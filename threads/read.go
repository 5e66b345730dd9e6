package threads

import (
	"fmt"
	"strings"

	"kdlocks/kd"
	"kdlocks/stacks"
)

// Read reads the output of !thread, !process and their kin. Lines that are not
// part of it are passed over; Reader tells which.
func Read(lines []kd.Line) Listing {
	var r Reader
	for _, l := range lines {
		r.Line(l)
	}
	r.End()
	return r.Done()
}

// Reader reads thread and process blocks and stacks line by line, also when
// other output stands in between.
type Reader struct {
	out   Listing
	cur   *Thread
	part  part
	proc  *Process // the PROCESS block that threads belong to, nil if none
	stack stacks.Reader
	// context is the thread that .thread has set: its address, where that was
	// said, and whether any was; before is the one before it.
	context, before contextThread
	// loose allows frames without column heads.
	loose bool
	gap   bool // a blank or foreign line came since the last frame
	blank bool // a blank line came since the THREAD line
	value pendingValue
	rows  bool   // the column heads of !stacks have been read
	image string // of the process that rows of !stacks belong to
	// What is open of the other commands' output.
	table    runningTable
	queue    readyQueue
	find     findBlock
	verifier verifierBlock
	// user are the threads of a user-mode debugger.
	user userThreads
	// titled is set while context is a thread that a heading names.
	titled bool
	// caption is the heading right above what comes next, nil if there is none.
	caption *Caption
	// orphan is the image of a block whose beginning was cut off.
	orphan string
	// mex is the part of a table of the extension mex that is open; dead is set
	// by its remark that the thread of the next row has terminated.
	mex        mexPart
	mexColumns mexColumns
	mexCounts  bool // the rows of !mex.tl have counts
	dead       bool
	// alike are the threads of !mex.us beside the current one that share its
	// stack; announced is how many threads there should be.
	alike     []*Thread
	announced announcedThreads
	// typed are the words of the command that was typed last, in lower case,
	// nil if that is not known.
	typed []string
	// all is the command that lists all threads and whose output goes on, and
	// allProcesses the one that lists all processes.
	all          AllOf
	allProcesses AllOf
	// unread counts the lines that were not understood. The tallies are of the
	// rows of !stacks, of a table of mex, and of the stacks and threads of
	// !mex.us.
	unread                                         int
	rowTally, mexTally, stacksTally, stackersTally tally
	// firstRow is the index of the first thread behind the column heads of !stacks.
	firstRow int
	ended    bool // no more text comes
	parted   bool // the rest is of another session
}

// announcedThreads is how many threads a head line of !mex.us announces, 0 if
// unknown.
type announcedThreads struct {
	n     int
	at    kd.Ref
	tally tally // of the addresses
	// digits are those of the first address; the others have as many.
	digits int
}

// part is what of a THREAD block comes next.
type part uint8

const (
	noPart   part = iota
	waitPart      // right after the THREAD line: wait objects
	irpPart       // after "IRP List:"
	propPart      // properties
)

type contextThread struct {
	addr kd.Addr
	at   kd.Ref
	set  bool
}

// pendingValue is "X is not a thread object, interpreting as stack value..."
// until the next line says what came of it.
type pendingValue struct {
	addr kd.Addr
	at   kd.Ref
	set  bool
}

// Line takes the next line and reports whether it is part of thread, process
// or stack output.
func (r *Reader) Line(l kd.Line) bool {
	switch {
	case l.Text == "":
		r.gap, r.blank = true, r.blank || !l.Cut // what is cut may not have been blank
		return false
	case r.plainFrame(l):
		r.gap = false
		return true
	case r.deadlock(l), r.findstack(l), r.running(l), r.ready(l):
		r.gap = false
		return true
	case r.userRow(l), r.mexLine(l), r.windeLine(l), r.head(l), r.process(l), r.contextLine(l), r.captionLine(l), r.notThread(l), r.stacksRow(l), r.stacksFrame(l), r.headless(l):
		r.gap = false
		return true
	case r.stackLine(l), r.orphanImage(l):
		r.gap = false
		return true
	case r.cur != nil && r.threadLine(l):
		return true
	case r.proc != nil && r.processLine(l):
		return true
	}
	if kd.IsElision(l.Text) { // some of what is listed is left out
		r.all, r.allProcesses = AllOf{}, AllOf{}
		if !r.blank {
			r.stack.Elide()
		}
		if r.cur != nil && r.cur.Header && r.part != propPart && !r.blank {
			r.cur.Elided = true
		}
	}
	r.gap = true
	if !r.stack.Open() {
		r.caption = nil
	}
	r.unread++
	return false
}

// Prompt tells the reader that a command was typed: blocks that were open are
// complete. loose allows the command's output to have frames without column
// heads.
func (r *Reader) Prompt(loose bool) {
	r.closeBlock()
	if !r.ended { // else the input ended in their output
		if r.all.At.Known() {
			r.out.All = append(r.out.All, r.all)
		}
		if r.allProcesses.At.Known() {
			r.out.AllProcesses = append(r.out.AllProcesses, r.allProcesses)
		}
	}
	r.proc, r.all, r.allProcesses = nil, AllOf{}, AllOf{}
	r.rows, r.image, r.orphan = false, "", ""
	r.closeTable()
	r.queue = readyQueue{}
	r.typed, r.ended = nil, false
	r.rowTally, r.mexTally, r.stacksTally, r.stackersTally = tally{}, tally{}, tally{}, tally{}
	r.untitle()
	r.loose = loose
	r.value.set = false
	r.dead = false
	r.user.set = false
}

// Context names the thread that the stacks to come belong to; set is false
// when the debugger is back at its default.
func (r *Reader) Context(addr kd.Addr, at kd.Ref, set bool) {
	r.closeBlock()
	if !r.titled {
		r.before = r.context
	}
	r.context, r.titled = contextThread{addr, at, set}, false
}

// untitle takes back the thread that a heading names.
func (r *Reader) untitle() {
	if r.titled {
		r.context, r.titled = r.before, false
	}
}

// ContextRefused tells the reader that the debugger did not take the thread
// that Context named last.
func (r *Reader) ContextRefused() { r.context = r.before }

// End tells the reader that an input ends: Prompt or Done follows. Without it
// Done means that what follows is of another session.
func (r *Reader) End() { r.ended = true }

// Done returns what was read. The block that the input ended in may lack
// wait objects.
func (r *Reader) Done() Listing {
	open := r.cur
	r.parted = !r.ended
	r.closeBlock()
	r.closeTable()
	if open != nil && r.part == waitPart && !r.blank {
		open.WaitListOpen = true
	}
	return r.out
}

func (r *Reader) note(at kd.Ref, format string, args ...any) {
	r.selfNote("", at, format, args...)
}

// selfNote notes a place of a self-check.
func (r *Reader) selfNote(self kd.SelfCheck, at kd.Ref, format string, args ...any) {
	r.out.Notes = append(r.out.Notes, kd.Note{At: at, Text: fmt.Sprintf(format, args...), Self: self})
}

// closeBlock ends the THREAD block and the stack that are open.
func (r *Reader) closeBlock() {
	r.closeStack()
	r.closeFind()
	r.closeVerifier()
	r.caption = nil
	r.cur, r.mex, r.alike, r.announced = nil, mexNone, nil, announcedThreads{}
}

// closeStack gives the frames that were read to their thread.
func (r *Reader) closeStack() {
	if !r.stack.Open() {
		return
	}
	s := r.stack.Take()
	if len(s.Frames) == 0 {
		return
	}
	t := r.stackOwner(s)
	t.Stack.Frames, t.Stack.HeaderAt, t.Stack.X86, t.Stack.Elided = s.Frames, s.HeaderAt, s.X86, s.Elided
	if s.Awaited != nil {
		t.Stack.Awaited = s.Awaited
	}
	r.shareStack(t)
}

// stackOwner returns the thread a finished stack belongs to: the open THREAD
// block, the thread set by .thread, or a new one without an address.
func (r *Reader) stackOwner(s stacks.Stack) *Thread {
	if r.cur != nil && len(r.cur.Stack.Frames) == 0 {
		return r.cur
	}
	t := New(0, s.Frames[0].At)
	if r.cur == nil && r.context.set {
		t.Addr, t.At = r.context.addr, r.context.at
		r.untitle() // a heading is of one stack
	} else if r.cur == nil {
		r.ofUser(t)
	}
	t.Caption, r.caption = r.caption, nil
	r.out.Threads = append(r.out.Threads, t)
	return t
}

// stackLine reads column heads and frames.
func (r *Reader) stackLine(l kd.Line) bool {
	if stacks.IsHeader(l.Text) {
		r.closeStack()
		if r.cur != nil {
			r.part = propPart
		}
		return r.stack.Line(l)
	}
	if !r.stack.Open() && !r.startsWithoutHeader(l) {
		return false
	}
	if r.gap && r.stack.Len() > 0 && (startsStack(l) || r.stack.Restarts(l)) {
		r.closeStack()
		r.cur = nil
	}
	return r.stack.Line(l)
}

// plainFrame reads a frame of the stack that is open by its shape, before all
// other readers are asked: most lines of most logs are such.
func (r *Reader) plainFrame(l kd.Line) bool {
	const sp = len("fffff880`07fab3e0")
	t := l.Text
	if r.gap || r.stack.Len() == 0 || len(t) < 2*sp+2 || t[8] != '`' || t[sp] != ' ' || t[sp+9] != '`' || t[2*sp+1] != ' ' {
		return false
	}
	if r.find.open || r.verifier.deadlock != nil || r.mex != mexNone || r.table.open {
		return false
	}
	return r.stack.Line(l)
}

// InStack reports whether frames are being read.
func (r *Reader) InStack() bool { return r.stack.Len() > 0 }

// startsWithoutHeader reports whether a stack may begin with this line although
// no column heads came: in a THREAD block, or where the command allows it.
func (r *Reader) startsWithoutHeader(l kd.Line) bool {
	function := strings.IndexByte(l.Text, '!') >= 0
	if function && stacks.IsVisualStudioFrame(l) {
		return true
	}
	inBlock := r.cur != nil && len(r.cur.Stack.Frames) == 0
	if !r.loose && !inBlock && !r.titled {
		return false
	}
	if function && stacks.IsBareFrame(l) {
		// Outside a THREAD block only the kernel's own frames begin a stack:
		// user-mode tools print such lines too.
		return inBlock || stacks.InKernelImage(l)
	}
	return (r.loose || r.titled || r.part == propPart) && stacks.IsFrame(l)
}

// startsStack reports whether a frame line is the innermost frame of a
// waiting thread: the scheduler's switch routine, or frame number 0.
func startsStack(l kd.Line) bool {
	return strings.Contains(l.Text, "!KiSwapContext") || strings.Contains(l.Text, "!_KiSwapContext") || strings.HasPrefix(l.Text, "00 ") || strings.HasPrefix(l.Text, "0 ")
}

// contextLine reads what the debugger says of its context thread:
//
//	Implicit thread is now ffffda00`480d6040
//	Using context of thread ffaa43a0
//
// and the heading that an author sets above a stack:
//
//	Thread ffffb42747fa5080:
func (r *Reader) contextLine(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	if kd.HasPrefixFold(l.Text, "thread ") && !strings.HasPrefix(l.Text, "THREAD") {
		c.Word()
		w, at := c.Word()
		addr, ok := kd.ParseFullAddr(strings.TrimSuffix(w, ":"))
		if !ok || c.Peek() != "" {
			return false
		}
		r.Context(addr, l.Ref(at, len(w)), true)
		r.titled = true
		return true
	}
	if !c.Take("Implicit thread is now") && !c.Take("Using context of thread") {
		return false
	}
	w, at := c.Word()
	addr, ok := kd.ParseFullAddr(w)
	if !ok {
		return false
	}
	r.Context(addr, l.Ref(at, len(w)), true)
	return true
}

// notThread reads
//
//	fffff88007fab7f3 is not a thread object, interpreting as stack value...
//	TYPE mismatch for thread object at ffffac929f177080
func (r *Reader) notThread(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	if c.Take("TYPE mismatch for thread object at") {
		if r.value.set {
			r.out.Interpretations = append(r.out.Interpretations, Interpretation{Value: r.value.addr, At: r.value.at})
			r.value.set = false
		}
		return true
	}
	w, _ := c.Word()
	addr, ok := kd.ParseFullAddr(w)
	if !ok || !c.Take("is not a thread object, interpreting as stack value...") {
		return false
	}
	r.closeBlock()
	r.value = pendingValue{addr, l.All(), true}
	return true
}

// headless opens the block of a thread whose THREAD line was cut off, at one of
// the lines that only such blocks have.
func (r *Reader) headless(l kd.Line) bool {
	if r.cur != nil || !beginsProperties(l.Text) {
		return false
	}
	t := New(0, l.All())
	if !r.gap {
		t.Process.Image = r.orphan
	}
	c := kd.Cursor{Text: l.Text}
	r.cur = t
	ok := r.property(&c, l)
	r.cur = nil
	if !ok {
		return false
	}
	r.begin(t)
	r.part = propPart
	return true
}

// orphanImage reads the name of the process in a THREAD block whose beginning
// was cut off in the line "Owning Process ... Image: ...".
func (r *Reader) orphanImage(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	if r.cur != nil || r.proc != nil || !c.Take("Image:") {
		return false
	}
	r.orphan, _ = c.Rest()
	return r.orphan != ""
}

// begin opens the block of a thread.
func (r *Reader) begin(t *Thread) {
	r.closeBlock()
	if r.value.set && t.Addr != 0 {
		r.out.Interpretations = append(r.out.Interpretations, Interpretation{Value: r.value.addr, Thread: t.Addr, At: r.value.at})
		r.value.set = false
	}
	r.cur, r.part, r.blank, r.orphan = t, waitPart, false, ""
	r.out.Threads = append(r.out.Threads, t)
}
