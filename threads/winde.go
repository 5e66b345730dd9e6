package threads

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// windeLine reads the tables of threads that the extension WinDE prints: a row
// for each thread, with the number of its process in hexadecimal, the name of the
// image, a running number, and after the thread its own number, priorities,
// context switches, processor times, the time since it last ran or began to wait,
// flags, state, reason, and the function in which it waits. A line names the
// processor in whose queue the ready threads below it stand (captures of
// DebugPrivilege/InsightEngineering, Introduction to WinDE extension):
//
//	PROC Image Name       No.   Thread                   Id   Pri  Pri   Switches ...
//	              CPU 00:
//	061C svchost.exe        2   !t ffff988d`8bd0b0c0    0af8   15   15       4474                0             .015         1:59.953  -r-----  Ready   UserRq
func (r *Reader) windeLine(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	switch {
	case strings.HasPrefix(l.Text, "PROC") && c.Take("PROC Image Name No. Thread"):
		r.closeBlock()
		r.queue.winde = noCPU
		return true
	case strings.HasPrefix(l.Text, "CPU") && c.Take("CPU"):
		return r.windeQueue(&c)
	}
	return r.windeRow(l)
}

// noCPU is the value of winde where no line names a processor: those are kept
// counted from 1.
const noCPU = 0

// windeQueue reads "00:" and "01: No Ready Threads".
func (r *Reader) windeQueue(c *kd.Cursor) bool {
	w, _ := c.Word()
	n, err := strconv.ParseUint(strings.TrimSuffix(w, ":"), 10, 16)
	if err != nil || !strings.HasSuffix(w, ":") || c.Peek() != "" && !c.Take("No Ready Threads") || c.Peek() != "" {
		return false
	}
	r.closeBlock()
	r.queue.winde = int16(min(n, 1<<14)) + 1
	return true
}

// WinDERow reads a row of WinDE that another reader has claimed for the locks
// in it.
func (r *Reader) WinDERow(l kd.Line) { r.windeRow(l) }

func (r *Reader) windeRow(l kd.Line) bool {
	const digits = 4
	if len(l.Text) <= digits || l.Text[digits] != ' ' && l.Text[digits] != '\t' || kd.AddrDigits(l.Text[:digits]) != digits {
		return false
	}
	c := kd.Cursor{Text: l.Text, Pos: digits}
	pid := l.Text[:digits]
	first := c.Pos
	number, end := "", 0 // the word before "!t", and where it stands
	for {
		w, at := c.Word()
		if w == "!t" {
			break
		}
		if w == "" {
			return false
		}
		number, end = w, at
	}
	w, pos := c.Word()
	addr, ok := kd.ParseFullAddr(w)
	image := strings.Join(strings.Fields(l.Text[first:max(first, end)]), " ")
	if !ok || image == "" || !isDecimal(number) {
		return false
	}
	t := New(addr, l.Ref(pos, len(w)))
	t.Process.Image = image
	if !windeColumns(&c, l, t) {
		return false
	}
	if isQueued(t.State) && r.queue.winde != noCPU {
		t.Processor = int(r.queue.winde) - 1
	}
	process, _ := strconv.ParseUint(pid, 16, 32)
	t.CID.Process = uint32(process)
	r.begin(t)
	r.part = propPart
	if t.State == Waiting {
		r.windeWait(&c, l, t)
	}
	return true
}

func isQueued(s State) bool { return s == Ready || s == DeferredReady }

// windeColumns reads the columns behind the thread's address up to the reason.
func windeColumns(c *kd.Cursor, l kd.Line, t *Thread) bool {
	id, _ := c.Word()
	n, err := strconv.ParseUint(id, 16, 32)
	if err != nil {
		return false
	}
	t.CID.Thread, t.CID.Known = uint32(n), true
	for _, to := range []*int{&t.Priority, &t.BasePriority} {
		w, _ := c.Word()
		if *to, err = strconv.Atoi(w); err != nil || *to < 0 || *to > 31 {
			return false
		}
	}
	w, _ := c.Word()
	if t.ContextSwitches, err = strconv.ParseInt(w, 10, 64); err != nil {
		return false
	}
	ms := int64(-1)
	for range 3 { // kernel time, user time, since it last ran
		w, _ := c.Word()
		if ms, err = parseWinDETime(w); err != nil {
			return false
		}
	}
	flags, _ := c.Word()
	if len(flags) != len("RrBLsrl") {
		return false
	}
	state, _ := c.Word()
	var ok bool
	if t.State, ok = windeStates[strings.ToUpper(strings.TrimSuffix(state, "*"))]; !ok {
		return false
	}
	c.Take("*")
	t.WaitMS, t.WaitAt = ms, l.All()
	if reason, _ := c.Word(); t.State == Waiting {
		t.WaitReason = windeReasons[reason]
	}
	return true
}

// parseWinDETime reads "1:59.953", ".015", "3:01:56.328" and "0" in
// milliseconds; days stand in front with a colon.
func parseWinDETime(s string) (int64, error) {
	if s == "0" {
		return 0, nil
	}
	clock, ms, ok := strings.Cut(s, ".")
	if !ok || len(ms) != 3 {
		return 0, strconv.ErrSyntax
	}
	units := []int64{1, 60, 3600, 86400}
	total, err := strconv.ParseInt(ms, 10, 32)
	if err != nil || clock == "" {
		return total, err
	}
	parts := strings.Split(clock, ":")
	if len(parts) > len(units) {
		return 0, strconv.ErrRange
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 20)
		if err != nil {
			return 0, err
		}
		total += 1000 * int64(n) * units[len(parts)-1-i]
	}
	return total, nil
}

// windeStates are the words of the State column, in capitals.
var windeStates = map[string]State{
	"WAIT": Waiting, "READY": Ready, "RUNNING": Running, "STANDBY": Standby, "TERM": Terminated, "TRANS": Transition, "DEFREADY": DeferredReady,
}

// windeReasons are the abbreviations of the Reason column that captures show.
var windeReasons = map[string]string{
	"Exec": "Executive", "UserRq": "UserRequest", "Delay": "DelayExecution", "Suspend": "Suspended", "Queue": "WrQueue",
	"LpcRply": "WrLpcReply", "LpcRcv": "WrLpcReceive", "!er": "WrResource", "!pl": "WrPushLock", "!fm": "WrFastMutex",
}

// windeWait reads what a waiting thread waits for and the function in which it
// does, which is not the innermost of its stack: nothing else of it is printed.
func (r *Reader) windeWait(c *kd.Cursor, l kd.Line, t *Thread) {
	for w, at := c.Word(); w != ""; w, at = c.Word() {
		switch {
		case w == "!ev" || w == "!se":
			if a, ok := kd.ParseFullAddr(c.Peek()); ok {
				addr, from := c.Word()
				t.WaitObjects = append(t.WaitObjects, WaitObject{Addr: a, Kind: windeKinds[w], Limit: -1, At: l.Ref(from, len(addr))})
			}
		case c.Peek() == "" && w[0] != '!' && (strings.IndexByte(w, '!') > 0 || strings.Contains(w, "+0x")):
			r.stack.OpenBare()
			r.stack.Line(l.From(at))
		}
	}
}

// windeKinds are the commands by which WinDE names objects.
var windeKinds = map[string]string{"!ev": "KEVENT", "!se": "Semaphore"}
