package threads

import (
	"strconv"
	"strings"

	"kdlocks/kd"
	"kdlocks/stacks"
)

// mexPart is the part of a table of the extension mex that comes next.
type mexPart uint8

const (
	mexNone     mexPart = iota
	mexRow              // the row of !mex.t
	mexList             // the rows of !mex.lt
	mexWaits            // "WaitBlockList:"
	mexIRPs             // "Irp List:"
	mexPriority         // "Priority:"
	mexProcess          // the rows of !mex.tl
	mexUnique           // the threads and frames of a stack of !mex.us
)

// mexLine reads a line of !mex.t, !mex.lt, !mex.tl or !mex.us (captures 022, 025, 027 in
// testdata/corpus).
func (r *Reader) mexLine(l kd.Line) bool {
	if r.mexGoesOn(l) {
		return true
	}
	c := kd.Cursor{Text: l.Text}
	switch l.Text[0] {
	case 'P':
		switch {
		case c.Take("Process Thread CID"):
			r.mex = mexRow
		case c.Take("Process PID Thread"):
			r.mexHeads(pidColumn)
		case c.Take("Process PID TID Thread"):
			r.mexHeads(tidColumn)
		case c.Take("Process Thread Id"):
			r.mexHeads(noColumn)
		case r.mexProcesses(c):
		case r.cur != nil && l.Text == "Priority:":
			r.mex = mexPriority
		default:
			return false
		}
		return true
	case 'I':
		if r.cur != nil && l.Text == "Irp List:" {
			r.mex, r.part = mexIRPs, irpPart
			return true
		}
		return false
	case 'W':
		if r.cur != nil && l.Text == "WaitBlockList:" {
			r.mex, r.part, r.blank = mexWaits, waitPart, false
			return true
		}
		return r.terminated(l)
	case 'T', 'C':
		return r.mex == mexList && r.mexCount(c, l) || r.stacksTally.open && r.uniqueMatches(c, l)
	}
	return r.uniqueHead(c, l)
}

// mexGoesOn reads a line of the part that is open.
func (r *Reader) mexGoesOn(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	switch r.mex {
	case mexRow:
		return r.mexThread(c, l)
	case mexList:
		return isRuler(l.Text) || r.mexListRow(c, l)
	case mexWaits:
		return r.part == waitPart && (c.Take("Object Type") || r.mexWait(c, l))
	case mexIRPs:
		return r.part == irpPart && (c.Take("IRP File") || r.mexIRP(c, l))
	case mexPriority:
		return c.Take("Current Base") || r.mexPriorities(c)
	case mexProcess:
		return isRuler(l.Text) || r.mexProcessRow(c, l)
	case mexUnique:
		return r.uniqueLine(c, l)
	}
	return false
}

// mexColumns are the numbers in front of the thread in a row of !mex.lt: those
// of process and thread, of the process, or none. Where the thread's is not
// there, it stands behind.
type mexColumns uint8

const (
	noColumn mexColumns = iota
	pidColumn
	tidColumn
)

// mexHeads opens a table of threads. A long one has its heads once more below.
func (r *Reader) mexHeads(columns mexColumns) {
	if r.mex == mexList && r.mexTally.listed > 0 && columns == r.mexColumns {
		return
	}
	r.closeBlock()
	r.mex, r.mexTally, r.mexColumns = mexList, r.tally(), columns
}

// isRuler reports whether a line underlines the column heads of a table.
func isRuler(text string) bool { return strings.Trim(text, "= ") == "" }

// mexThread reads the row of !mex.t:
//
//	Process                   Thread                       CID    UserTime KernelTime ContextSwitches Wait Reason Time State
//	System (ffff8b089a09a040) ffff8b08a15d5040 (E|K|W|R|V) 4.2018        0          0               1 WrResource  15ms Waiting
//
// The TEB stands behind the CID where there is one
// (DebugPrivilege/InsightEngineering, Kernel Forensics).
// What a thread does not have is left blank.
func (r *Reader) mexThread(c kd.Cursor, l kd.Line) bool {
	p, ok := mexProcessName(&c, l)
	if !ok {
		return false
	}
	w, _ := c.Word()
	addr, ok := kd.ParseFullAddr(w)
	if !ok {
		return false
	}
	t := New(addr, l.All())
	t.Header, t.Process = true, p
	if strings.HasPrefix(c.Peek(), "(") {
		c.Word()
	}
	w, _ = c.Word()
	if t.CID = parseCID(w); !t.CID.Known {
		return false
	}
	if teb, ok := kd.ParseFullAddr(c.Peek()); ok { // of a thread of a program
		c.Word()
		t.Teb = teb
	}
	c.Word() // UserTime
	c.Word() // KernelTime
	w, _ = c.Word()
	if n, err := strconv.ParseInt(strings.ReplaceAll(w, ",", ""), 10, 64); err == nil {
		t.ContextSwitches = n
	}
	if !mexState(c, l, t, true) {
		return false
	}
	if r.dead {
		t.State, r.dead = Terminated, false
	}
	r.begin(t)
	return true
}

// mexProcessName reads "System (ffff8b089a09a040)"; an image name may hold blanks.
func mexProcessName(c *kd.Cursor, l kd.Line) (Process, bool) {
	for {
		w, at := c.Word()
		if w == "" {
			return Process{}, false
		}
		if !strings.HasPrefix(w, "(") || !strings.HasSuffix(w, ")") {
			continue
		}
		addr, ok := kd.ParseFullAddr(w[1 : len(w)-1])
		if !ok {
			return Process{}, false
		}
		image, _ := kd.TrimBlanks(l.Text[:at])
		return Process{Addr: addr, Image: image, At: l.Ref(at+1, len(w)-2)}, true
	}
}

// mexState reads state, wait reason and time wherever they stand among the
// rest of a row's words: the order differs between tables, and each may be
// blank. Where the time stands behind the state, spans before it are of
// something else, such as processor time.
func mexState(c kd.Cursor, l kd.Line, t *Thread, timeFirst bool) bool {
	for {
		w, _ := c.Word()
		if w == "" {
			return t.State != StateUnknown
		}
		if ms, ok := parseMexTime(w); ok && w != "0" {
			t.WaitMS, t.WaitAt = ms, l.All()
			continue
		}
		if s, ok := mexStates[w]; ok {
			t.State = s
			if !timeFirst {
				t.WaitMS, t.WaitAt = -1, kd.Ref{}
			}
			if c.Take("on processor") {
				n, _ := c.Word()
				if p, err := strconv.Atoi(n); err == nil {
					t.Processor = p
				}
			}
			continue
		}
		if t.WaitReason == "" && isWaitReason(w) {
			t.WaitReason = w
		}
	}
}

// mexStates are the words of the State column.
var mexStates = map[string]State{
	"Waiting": Waiting, "Running": Running, "Ready": Ready, "Standby": Standby, "Terminated": Terminated,
	"Initialized": Initialized, "Transition": Transition, "DeferredReady": DeferredReady,
}

// isWaitReason accepts one capitalised word of letters, such as WrPushLock or
// Executive.
func isWaitReason(w string) bool { return isWaitKind(w) && !isKernelWord(w) }

// isKernelWord reports whether a word is all upper case: no wait reason is.
func isKernelWord(w string) bool { return strings.ToUpper(w) == w }

// parseMexTime reads a span as mex prints it and returns milliseconds:
//
//	15ms  3s.218  4m:03.203  1h:02:03.004  1d.02:03:04.005
func parseMexTime(s string) (int64, bool) {
	n, rest, ok := leadingNumber(s)
	if !ok {
		return 0, false
	}
	switch {
	case rest == "" && n == 0:
		return 0, true
	case rest == "ms":
		return n, true
	case strings.HasPrefix(rest, "s"):
		return spanParts(n, "."+strings.TrimPrefix(rest[1:], "."), 0)
	case strings.HasPrefix(rest, "m:"):
		return spanParts(n, rest[1:], 1)
	case strings.HasPrefix(rest, "h:"):
		return spanParts(n, rest[1:], 2)
	case strings.HasPrefix(rest, "d."):
		return spanParts(n, ":"+rest[2:], 3)
	}
	return 0, false
}

// spanParts adds ":MM:SS.mmm", of which as many parts are there as units says,
// to n of the next greater unit: 0 seconds, 1 minutes, 2 hours, 3 days.
func spanParts(n int64, rest string, units int) (int64, bool) {
	const most = 1 << 20 // days, or any greater unit
	if n > most {
		return 0, false
	}
	for ; units > 0; units-- {
		if !strings.HasPrefix(rest, ":") {
			return 0, false
		}
		part, after, ok := leadingNumber(rest[1:])
		if !ok || part >= 60 {
			return 0, false
		}
		if units == 3 {
			n *= 24
		} else {
			n *= 60
		}
		n, rest = n+part, after
	}
	rest = strings.TrimPrefix(rest, ".")
	if rest == "" {
		return n * 1000, true
	}
	ms, after, ok := leadingNumber(rest)
	if !ok || after != "" || len(rest) != 3 {
		return 0, false
	}
	return n*1000 + ms, true
}

// leadingNumber cuts decimal digits, no more than nine, from the front.
func leadingNumber(s string) (n int64, rest string, ok bool) {
	i := 0
	for i < len(s) && i < 10 && s[i] >= '0' && s[i] <= '9' {
		n = n*10 + int64(s[i]-'0')
		i++
	}
	return n, s[i:], i > 0 && i < 10
}

// mexListRow reads a row of !mex.lt and its kin. Only !mex.WrFastMutex tells
// who owns what the thread waits for:
//
//	Process PID Thread             Id State        Time Reason
//	System    4 ffff9bb88c60f040 26a4 Waiting 4m:03.203 WrPushLock
//
//	Process PID  TID Thread           State        Time Reason
//	System    4  d7c ffff9101457f2040 Waiting 1m:25.171 WrPushLock
//
//	Process PID Thread             Id CSwitches User Kernel State      Time Reason      Waiting On                      Wait Function
//	System    4 ffffe10b186e9040 249c         2    0      0 Waiting 36s.515 WrFastMutex Owning Thread: ffffe10b186bc5c0 nt!ExAcquireFastMutex+0x122
func (r *Reader) mexListRow(c kd.Cursor, l kd.Line) bool {
	var before [2]mexWord // the last words in front of the thread
	for {
		w, at := c.Word()
		if w == "" {
			return false
		}
		addr, ok := kd.ParseFullAddr(w)
		if !ok || before[1].text == "" || !addr.IsKernel(kd.ArchUnknown) {
			before = [2]mexWord{before[1], {w, at}}
			continue
		}
		t := New(addr, l.All())
		t.Header = true
		if !r.mexRowCID(t, before, &c, l, at) || !mexState(c, l, t, false) {
			return false
		}
		awaitOwner(c, l, t, kd.AddrDigits(w))
		r.begin(t)
		r.closeBlock()
		r.mex = mexList
		r.mexTally.listed++
		return true
	}
}

// mexWord is a word of a row and where it stands.
type mexWord struct {
	text string
	at   int
}

// mexRowCID reads whose thread a row has, which stands at a byte of the line: the
// words in front of it, and the number behind.
func (r *Reader) mexRowCID(t *Thread, before [2]mexWord, c *kd.Cursor, l kd.Line, at int) bool {
	pid, tid, image := before[1].text, "", before[1].at
	switch r.mexColumns {
	case tidColumn:
		pid, tid, image = before[0].text, before[1].text, before[0].at
	case noColumn:
		pid, image = "", at
		fallthrough
	default:
		tid, _ = c.Word()
	}
	t.Process.Image, _ = kd.TrimBlanks(l.Text[:image])
	if r.mexColumns == noColumn {
		return kd.AddrDigits(tid) > 0
	}
	t.CID = parseCID(pid + "." + tid)
	return t.CID.Known
}

// mexWait reads a line of the list of wait objects:
//
//	Object           Type                 Other Waiters Info
//	ffff828c6d947360 SynchronizationEvent             0
//	ffffc983f2cf36a0 Mutant                           0 Owning Thread: ffffc983f2d47040 (System)
//	ffffe10b187ac408 SynchronizationEvent             0 Fast Mutex Owner: ffffe10b187ac3f8
//	ffff838739789d10(stack) NotificationEvent         0
//
// The third names a field of the fast mutex, and no thread; the last is an object
// on the thread's own stack.
func (r *Reader) mexWait(c kd.Cursor, l kd.Line) bool {
	saved := c
	if !r.waitObject(c, l) {
		return false
	}
	saved.Word()
	saved.Word()
	w, _ := saved.Word()
	if _, err := strconv.Atoi(w); err != nil { // how many others wait
		return true
	}
	o := &r.cur.WaitObjects[len(r.cur.WaitObjects)-1]
	o.Detail, _ = saved.Rest()
	if o.Kind == "Mutant" && saved.Take("Owning Thread:") {
		w, _ := saved.Word()
		if a, ok := kd.ParseFullAddr(w); ok && kd.AddrDigits(w) == kd.AddrDigits(c.Peek()) {
			o.Owner, o.ByMex = a, true
		}
	}
	return true
}

// mexIRP reads a row of the list of IRPs; the file may be missing, and its name
// may hold blanks:
//
//	IRP              File     Driver
//	ffffb50772ddaa20 \Temp\a.txt Ntfs
//	ffffd80c1c3625a0          tunnel
func (r *Reader) mexIRP(c kd.Cursor, l kd.Line) bool {
	w, at := c.Word()
	addr, ok := kd.ParseFullAddr(w)
	rest, _ := c.Rest()
	if !ok || rest == "" || strings.IndexByte(rest, '!') >= 0 {
		return false
	}
	driver, _ := c.Word()
	if rest[0] == '\\' {
		driver = rest[strings.LastIndexAny(rest, " \t")+1:]
	} else if c.Peek() != "" || kd.AddrDigits(driver) >= 8 {
		return false
	}
	if driver[0] == '\\' { // the name of the file alone
		driver = ""
	}
	r.cur.IRPs = append(r.cur.IRPs, IRP{Addr: addr, Driver: driver, At: l.Ref(at, len(w))})
	return true
}

// mexPriorities reads the numbers below "Current Base Decrement ...".
func (r *Reader) mexPriorities(c kd.Cursor) bool {
	current, _ := c.Word()
	base, _ := c.Word()
	p, err1 := strconv.Atoi(current)
	b, err2 := strconv.Atoi(base)
	if err1 != nil || err2 != nil || r.cur == nil {
		return false
	}
	r.cur.Priority, r.cur.BasePriority = p, b
	r.mex = mexNone
	return true
}

// terminated reads the remark of !mex.t about a thread that has ended. It may
// stand before the thread's row or in its block.
//
//	Warning!!! Thread is marked as terminated
func (r *Reader) terminated(l kd.Line) bool {
	if !strings.HasPrefix(l.Text, "Warning") || !strings.Contains(strings.ToLower(l.Text), "thread is marked as terminated") {
		return false
	}
	if r.cur == nil || r.mex == mexRow {
		r.dead = true
		return true
	}
	r.cur.State = Terminated
	return true
}

// awaitOwner reads who owns the fast mutex that the thread of a row waits for.
// The row does not name the mutex. digits are those of the thread's address: an
// owner with fewer was cut.
func awaitOwner(c kd.Cursor, l kd.Line, t *Thread, digits int) {
	for c.Peek() != "" {
		if !c.Take("Owning Thread:") {
			c.Word()
			continue
		}
		w, at := c.Word()
		if owner, ok := kd.ParseFullAddr(w); ok && kd.AddrDigits(w) == digits {
			t.Stack.Awaited = &stacks.Awaited{Owner: owner, Exclusive: true, At: l.Ref(at, len(w))}
		}
		return
	}
}

// mexCount compares what a table of mex closes with to its rows:
//
//	Thread Count: 4
//	Count: 6 | Show Unique Stacks
func (r *Reader) mexCount(c kd.Cursor, l kd.Line) bool {
	if !c.Take("Thread Count:") && !c.Take("Count:") {
		return false
	}
	n, ok := count(&c)
	if !ok || c.Peek() != "" && c.Peek() != "|" {
		return false
	}
	r.compare(l, r.mexTally, "the table of mex", n, "thread")
	r.mex, r.mexTally = mexNone, tally{}
	return true
}

// uniqueHead reads the line above a stack of !mex.us, and the one that closes
// the output:
//
//	1 thread [stats]: ffff9bb885886040
//	4 stack(s) with 4 threads displayed (4 Total threads)
//	1 stack(s) were not displayed because we could not switch to thread context, or stack trace was empty
func (r *Reader) uniqueHead(c kd.Cursor, l kd.Line) bool {
	if b := l.Text[0]; b < '0' || b > '9' {
		return false
	}
	w, _ := c.Word()
	n, _, ok := leadingNumber(w)
	switch {
	case !ok:
		return false
	case c.Take("stack(s) with"):
		r.closeBlock()
		return r.uniqueCounts(int(n), c, l)
	case c.Take("stack(s) were not displayed because"):
		r.closeBlock()
		return true
	case !c.Take("thread [stats]:") && !c.Take("threads [stats]:"):
		return false
	}
	r.closeBlock()
	if !r.stacksTally.open {
		r.stacksTally, r.stackersTally = r.tally(), r.tally()
		r.stackersTally.many = true
	}
	r.stacksTally.listed++
	r.announced = announcedThreads{n: int(n), at: l.All(), tally: r.tally()}
	r.announced.tally.many = true
	r.uniqueThreads(c, l)
	return true
}

// isMore recognises what closes a list of threads that is abbreviated: of more
// than ten with one stack mex shows the first ten.
func isMore(w string) bool { return w == "..." || w == "…" }

// uniqueCounts compares the last line of !mex.us with what stands above. The
// total counts threads, too, that are not displayed.
func (r *Reader) uniqueCounts(stacks int, c kd.Cursor, l kd.Line) bool {
	threads, ok := count(&c)
	if !ok || !c.Take("threads displayed") && !c.Take("thread displayed") || !strings.HasSuffix(l.Text, "Total threads)") {
		return false
	}
	r.compare(l, r.stacksTally, "!mex.us", stacks, "stack")
	r.compare(l, r.stackersTally, "!mex.us", threads, "thread")
	r.stacksTally, r.stackersTally = tally{}, tally{}
	return true
}

// uniqueMatches compares the last line of !mex.us with a filter with the
// threads above:
//
//	Threads matching filter: 16 out of 1228
func (r *Reader) uniqueMatches(c kd.Cursor, l kd.Line) bool {
	if !c.Take("Threads matching filter:") {
		return false
	}
	n, ok := count(&c)
	if !ok || !c.Take("out of") {
		return false
	}
	r.closeBlock()
	r.compare(l, r.stackersTally, "!mex.us", n, "thread")
	r.stacksTally, r.stackersTally = tally{}, tally{}
	return true
}

// uniqueThreads reads the addresses of the threads that have the same stack.
func (r *Reader) uniqueThreads(c kd.Cursor, l kd.Line) {
	for c.Peek() != "" {
		w, at := c.Word()
		addr, ok := kd.ParseFullAddr(strings.Trim(w, ",;"))
		digits := kd.AddrDigits(strings.Trim(w, ",;"))
		if r.announced.digits == 0 {
			r.announced.digits = digits
		}
		ok = ok && digits == r.announced.digits // else a piece of one
		switch {
		case isMore(w) && c.Peek() == "":
			r.stackersTally.listed += max(0, r.announced.n-r.announced.tally.listed)
			r.announced.n = 0
			continue
		case !ok:
			r.unread++
			r.note(l.Ref(at, len(w)), "thread %q of !mex.us: bad address", kd.Clip(w))
			continue
		}
		r.stackersTally.listed++
		r.announced.tally.listed++
		if r.cur != nil {
			r.alike = append(r.alike, r.cur)
			r.cur = nil
		}
		alike, announced := r.alike, r.announced
		r.begin(New(addr, l.Ref(at, len(w))))
		r.alike, r.announced, r.part, r.mex = alike, announced, propPart, mexUnique
	}
}

// uniqueLine reads a frame, or more of the threads' addresses.
func (r *Reader) uniqueLine(c kd.Cursor, l kd.Line) bool {
	if r.cur == nil {
		return false
	}
	if r.stack.Len() == 0 && isUniqueList(c) {
		r.uniqueThreads(c, l)
		return true
	}
	return r.stack.UniqueFrame(l)
}

// isUniqueList recognises a line of addresses alone.
func isUniqueList(c kd.Cursor) bool {
	for c.Peek() != "" {
		w, _ := c.Word()
		_, ok := kd.ParseFullAddr(w)
		if more := isMore(w) && c.Peek() == ""; !more && (!ok || kd.HasPrefixFold(w, "0x")) {
			return false
		}
	}
	return true
}

// shareStack gives the stack of a thread to those that have the same one.
func (r *Reader) shareStack(t *Thread) {
	if a := r.announced; a.n > 0 && !r.tallied(a.at, r.fits(a.tally, a.n)) {
		r.selfNote(kd.CountsFit, a.at, "!mex.us announces %s, listed: %d", kd.Plural(a.n, "thread"), a.tally.listed)
	}
	for _, o := range r.alike {
		o.Stack.Frames, o.Stack.HeaderAt, o.Stack.X86, o.Stack.Elided = t.Stack.Frames, t.Stack.HeaderAt, t.Stack.X86, t.Stack.Elided
	}
	r.alike, r.announced = nil, announcedThreads{}
}
