package threads

import (
	"strconv"
	"strings"

	"kdlocks/kd"
	"kdlocks/stacks"
)

// threadLine reads a line of the open THREAD block.
func (r *Reader) threadLine(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	switch {
	case r.part == waitPart && r.headContinues(c):
		return true
	}
	r.missState()
	switch {
	case r.part == irpPart && r.irp(c, l):
		return true
	case r.part == waitPart && r.waitObject(c, l):
		return true
	case r.reply(c, l):
		return true
	case strings.HasPrefix(l.Text, "SuspendCount"), strings.HasPrefix(l.Text, "FreezeCount"):
		r.suspension(&c)
		return true
	case c.Take("IRP List:"):
		r.part = irpPart
		return true
	}
	switch {
	case r.property(&c, l):
		r.cur.Block = r.cur.Header
	case !isThreadNoise(l.Text):
		return false
	}
	r.part = propPart
	return true
}

// suspension reads "SuspendCount 1" and "FreezeCount 1", also in one line.
func (r *Reader) suspension(c *kd.Cursor) {
	for {
		switch {
		case c.Take("SuspendCount"):
			r.cur.Suspended = number(c)
		case c.Take("FreezeCount"):
			r.cur.Frozen = number(c)
		default:
			return
		}
	}
}

// headContinues reads a state that a narrow window wrapped off the THREAD
// line:
//
//	(UserRequest) UserMode Non-Alertable
func (r *Reader) headContinues(c kd.Cursor) bool {
	t := r.cur
	switch {
	case t.State == Waiting && t.WaitReason == "" && strings.HasPrefix(c.Text, "("):
		readWait(&c, t)
	case t.State == Waiting && t.WaitMode == "" && (c.Peek() == "KernelMode" || c.Peek() == "UserMode"):
		readWait(&c, t)
	case t.State == Waiting && t.Alertable == Unknown && (c.Peek() == "Alertable" || c.Peek() == "Non-Alertable"):
		readWait(&c, t)
	case t.State != Waiting && t.State != StateUnknown && c.Take("processor"):
		readProcessor(&c, t)
	case t.State == StateUnknown:
		// The value of the last field may have been wrapped off it.
		if w := c.Peek(); kd.AddrDigits(w) > 0 || parseCID(w).Known {
			c.Word()
			for readHeadField(&c, t) {
			}
			return readState(&c, t)
		}
		for readHeadField(&c, t) {
		}
		return c.Pos > 0 && (c.Peek() == "" || readState(&c, t)) || readState(&c, t)
	default:
		return false
	}
	return c.Pos > 0
}

// missState notes a THREAD line that lacks its state although the block goes
// on.
func (r *Reader) missState() {
	t := r.cur
	if r.part != waitPart || !t.Header || t.StateUnread || t.State != StateUnknown {
		return
	}
	t.StateUnread = true
	r.selfNote(kd.ThreadsRead, t.At, "THREAD line: the state of the thread is cut off or damaged")
}

func number(c *kd.Cursor) int {
	w, _ := c.Word()
	n, err := strconv.ParseInt(w, 10, 32)
	if err != nil {
		return 0
	}
	return int(n)
}

// waitObject reads
//
//	fffffa80139ea3e0  Semaphore Limit 0x7fffffff
//	fffffa965d75daf0  Mutant - owning thread fffffa965ea2ab60
func (r *Reader) waitObject(c kd.Cursor, l kd.Line) bool {
	w, at := c.Word()
	addr, ok := kd.ParseFullAddr(strings.TrimSuffix(w, "(stack)")) // so says mex
	if !ok {
		return false
	}
	kind, kindAt := c.Word()
	if !isWaitKind(kind) || kind == "MutantState" {
		return false
	}
	o := WaitObject{Addr: addr, Kind: kind, Limit: -1, At: l.Ref(at, len(l.Text)-at)}
	o.Detail, _ = kd.TrimBlanks(l.Text[kindAt+len(kind):])
	if c.Take("Limit") {
		limit, _ := c.Word()
		if n, ok := kd.ParseAddr(limit); ok && n <= 0x7fffffff {
			o.Limit = int64(n)
		}
	}
	if c.Take("- owning thread") {
		owner, _ := c.Word()
		if len(owner) == len(w) { // else it was cut
			o.Owner, _ = kd.ParseFullAddr(owner)
		}
	}
	r.cur.WaitObjects = append(r.cur.WaitObjects, o)
	return true
}

// isWaitKind accepts the debugger's words for dispatcher objects, known or
// not: one capitalised word of letters.
func isWaitKind(s string) bool {
	if len(s) < 4 || s[0] < 'A' || s[0] > 'Z' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if c := s[i]; !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9') {
			return false
		}
	}
	return true
}

// irp reads "fffffa8016fd1010: (0006,0310) Flags: 00000884  Mdl: 00000000".
func (r *Reader) irp(c kd.Cursor, l kd.Line) bool {
	w, at := c.Word()
	addr, ok := kd.ParseFullAddr(strings.TrimSuffix(w, ":"))
	if !ok || !strings.HasSuffix(w, ":") {
		return false
	}
	r.cur.IRPs = append(r.cur.IRPs, IRP{Addr: addr, At: l.Ref(at, len(w)-1)})
	return true
}

// reply reads what a thread waits for from a server:
//
//	Waiting for reply to ALPC Message M : queued at port P : owned by process E
//	Waiting for reply to LPC MessageId 007ade85:
//	Current LPC port d676e560
func (r *Reader) reply(c kd.Cursor, l kd.Line) bool {
	if c.Take("Current LPC port") {
		w, _ := c.Word()
		if r.cur.Reply != nil {
			r.cur.Reply.Port, _ = kd.ParseFullAddr(w)
		}
		return true
	}
	if !c.Take("Waiting for reply to") {
		return false
	}
	rep := &Reply{At: l.All()}
	rep.ALPC = c.Take("ALPC Message")
	if !rep.ALPC && !c.Take("LPC MessageId") {
		return false
	}
	w, _ := c.Word()
	rep.Message, _ = kd.ParseAddr(strings.TrimSuffix(w, ":"))
	if c.Take(": queued at port") {
		w, _ = c.Word()
		rep.Port, _ = kd.ParseFullAddr(w)
	}
	if c.Take(": owned by process") {
		w, _ = c.Word()
		rep.Server, _ = kd.ParseFullAddr(w)
	}
	r.cur.Reply = rep
	return true
}

// property reads the named lines of a THREAD block.
func (r *Reader) property(c *kd.Cursor, l kd.Line) bool {
	t := r.cur
	switch {
	case c.Take("Owning Process"):
		t.Process = readProcessRef(c, l, t.Process)
	case c.Take("Attached Process"):
		t.Attached = readProcessRef(c, l, Process{})
	case c.Take("Wait Start TickCount"):
		readWaitStart(c, l, t)
	case c.Take("WaitTime (ticks)"), c.Take("WaitTime (seconds)"):
		t.WaitAt, t.WaitStart = l.All(), int64(number(c))
	case c.Take("Context Switch Count"):
		t.ContextSwitches = int64(number(c))
		t.LargeStack = strings.Contains(l.Text[c.Pos:], "LargeStack")
	case c.Take("Win32 Start Address"):
		t.StartAddress = startAddress(c)
	case c.Take("Start Address"):
		if t.StartAddress == "" {
			t.StartAddress = startAddress(c)
		}
	case c.Take("Stack Init"), c.Take("Initial Sp"):
		readStackInit(c, l, t)
	case c.Take("Base"):
		return readStackRange(c, l, t)
	case c.Take("Previous stack segment:"):
		return readEarlierSegment(c, l, t)
	case c.Take("Priority"):
		t.Priority = number(c)
		if c.Take("BasePriority") {
			t.BasePriority = number(c)
		}
	case c.Take("Kernel stack not resident"), c.Take("Kernel stack not resident."):
		t.NotResident = true
	default:
		return false
	}
	return true
}

// startAddress reads "nt!ExpWorkerThread (0x8083f671)"; of an address that was
// cut off nothing is kept.
func startAddress(c *kd.Cursor) string {
	s, _ := c.Rest()
	if at := strings.LastIndex(s, " (0x"); at >= 0 && strings.IndexByte(s[at:], ')') < 0 {
		return s[:at]
	}
	return s
}

// readProcessRef reads "fffffa800cd6a5f0  Image: System"; old debuggers print
// no image, and "N/A" stands for no process.
func readProcessRef(c *kd.Cursor, l kd.Line, known Process) Process {
	w, at := c.Word()
	addr, ok := kd.ParseFullAddr(w)
	if !ok {
		return known
	}
	p := Process{Addr: addr, At: l.Ref(at, len(w))}
	if known.Addr == addr {
		p.Image, p.CID = known.Image, known.CID
	}
	if c.Take("Image:") {
		p.Image, _ = c.Rest()
	}
	return p
}

// readWaitStart reads "27606952  Ticks: 141 (0:00:00:02.199)"; zero ticks have
// no span behind them.
func readWaitStart(c *kd.Cursor, l kd.Line, t *Thread) {
	w, _ := c.Word()
	if n, err := strconv.ParseInt(w, 10, 64); err == nil {
		t.WaitStart = n
	}
	if !c.Take("Ticks:") {
		return
	}
	w, _ = c.Word()
	n, err := strconv.ParseInt(strings.Trim(w, "*"), 10, 64)
	if err != nil || n < 0 {
		return
	}
	t.WaitAt, t.Ticks = l.All(), n
	if n == 0 {
		t.WaitMS = 0
	}
	span, _ := c.Word()
	if ms, ok := parseSpan(strings.Trim(span, "()*")); ok {
		t.WaitMS = ms
	}
}

// parseSpan reads days:hours:minutes:seconds.milliseconds.
func parseSpan(s string) (int64, bool) {
	parts := strings.Split(s, ":")
	if len(parts) != 4 {
		return 0, false
	}
	sec, ms, ok := strings.Cut(parts[3], ".")
	if !ok || len(ms) != 3 {
		return 0, false
	}
	var total int64
	for i, p := range []string{parts[0], parts[1], parts[2], sec, ms} {
		n, err := strconv.ParseInt(p, 10, 32)
		if err != nil || n < 0 {
			return 0, false
		}
		total = total*[]int64{1, 24, 60, 60, 1000}[i] + n
	}
	return total, true
}

// readStackInit reads "I Current C", and on x86 "Base B Limit L" behind it.
func readStackInit(c *kd.Cursor, l kd.Line, t *Thread) {
	w, _ := c.Word()
	init, ok1 := kd.ParseFullAddr(w)
	if !ok1 || !c.Take("Current") {
		return
	}
	c.Take("Sp")
	digits := kd.AddrDigits(w)
	w, _ = c.Word()
	current, ok2 := kd.ParseFullAddr(w)
	if !ok2 || kd.AddrDigits(w) != digits {
		return
	}
	t.Stack.Init, t.Stack.Current, t.Stack.InitAt = init, current, l.All()
	if c.Take("Base") {
		readStackRange(c, l, t)
	}
}

// readStackRange reads "B Limit L Call 0".
func readStackRange(c *kd.Cursor, l kd.Line, t *Thread) bool {
	w, at := c.Word()
	base, ok := kd.ParseFullAddr(w)
	if !ok || !c.Take("Limit") {
		return false
	}
	digits := kd.AddrDigits(w)
	w, end := c.Word()
	limit, ok := kd.ParseFullAddr(w)
	if !ok || kd.AddrDigits(w) != digits {
		return false
	}
	t.Stack.Base, t.Stack.Limit = base, limit
	t.Stack.RangeAt = l.Ref(at, end+len(w)-at)
	return true
}

// readEarlierSegment reads "Base B Limit L Current C", which what reads a dump prints of
// a stack that was expanded; "inferred" behind it says that the bounds are those of the
// pages that the frames stand on.
func readEarlierSegment(c *kd.Cursor, l kd.Line, t *Thread) bool {
	g := stacks.Segment{First: -1, Last: -1, At: l.All()}
	for _, part := range []struct {
		name string
		to   *kd.Addr
	}{{"Base", &g.Base}, {"Limit", &g.Limit}, {"Current", &g.SP}} {
		if !c.Take(part.name) {
			return false
		}
		w, _ := c.Word()
		v, ok := kd.ParseFullAddr(w)
		if !ok {
			return false
		}
		*part.to = v
	}
	g.Inferred = c.Take("inferred")
	if g.Limit >= g.Base || c.Peek() != "" {
		return false
	}
	t.Stack.Earlier = append(t.Stack.Earlier, g)
	return true
}

// beginsProperties reports whether a line can only stand in a THREAD block.
func beginsProperties(text string) bool {
	for _, p := range []string{"Owning Process", "Attached Process", "Wait Start TickCount", "Context Switch Count", "Stack Init", "Initial Sp"} {
		if strings.HasPrefix(text, p) {
			return true
		}
	}
	return false
}

// threadNoise are lines of a THREAD block that carry nothing we use.
var threadNoise = []string{
	"Not impersonating", "Impersonation token", "DeviceMap", "UserTime", "KernelTime",
	"Scheduling Group", "GetContextState failed", "Unable to get", "GetUlongFromAddress",
	"Unable to read", "Can't retrieve", "Affinity", "LegoTime", "CpuSets", "Process Context",
	"Fiber", "WoW64", "Last Exception", "Invalid Thread", "Thread Name", "PendingApc",
}

func isThreadNoise(text string) bool {
	for _, p := range threadNoise {
		if kd.HasPrefixFold(text, p) {
			return true
		}
	}
	return false
}
