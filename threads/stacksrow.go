package threads

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// stacksRow reads the row of a thread in !stacks, with its first call site. The
// Ticks column, hexadecimal, is missing in old debuggers:
//
//	   4.001ccc  ffffc4bbafa8d040 0004d63 Blocked    nt!KiSwapContext+0x76
//	3ad0.0065ec  ffffd92ea0ce2080   (N/A) Blocked    nt!KiSwapContext+0x76
//	   4.000014  835cf030  Blocked    Stack paged out
func (r *Reader) stacksRow(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	w, _ := c.Word()
	cid, ok := rowCID(w)
	if !ok {
		return false
	}
	w, _ = c.Word()
	addr, ok := kd.ParseFullAddr(w)
	if !ok {
		return false
	}
	t := New(addr, l.All())
	t.CID, t.Process.Image = cid, r.image
	if ticks, err := strconv.ParseInt(c.Peek(), 16, 64); err == nil {
		t.Ticks, t.WaitAt = ticks, l.All()
		c.Word()
	} else {
		c.Take("(N/A)")
	}
	w, _ = c.Word()
	if t.State, ok = rowStates[strings.ToUpper(w)]; !ok {
		return false
	}
	r.begin(t)
	r.part, r.rows = propPart, true
	r.rowTally.listed++
	r.rowSite(c, l)
	return true
}

// rowStates are the words of the ThreadState column.
var rowStates = map[string]State{
	"BLOCKED": Waiting, "RUNNING": Running, "READY": Ready, "STANDBY": Standby,
	"TERMINATED": Terminated, "INITIALIZED": Initialized, "TRANSITION": Transition, "DEFERREDREADY": DeferredReady,
	"GATEWAIT": Waiting,
}

// rowsNoise are lines of !stacks that carry no fact: the count of threads that
// were looked at, listed or not, and what its cache of memory did.
var rowsNoise = []string{
	"Threads Processed:", "Max cache size is", "Total memory in cache", "Number of regions cached",
	"counts:", "bytes :", "** Transition PTEs", "** Prototype PTEs",
}

func isRowsNoise(text string) bool {
	for _, p := range rowsNoise {
		if kd.HasPrefixFold(text, p) {
			return true
		}
	}
	return strings.Contains(text, "full reads broken into") || isGoneRow(text)
}

// isGoneRow recognises the row of a thread object that is gone:
//
//	a1c.------  NO ETHREAD DATA
func isGoneRow(text string) bool {
	return strings.HasSuffix(text, ".------  NO ETHREAD DATA") || strings.HasSuffix(text, ".------ NO ETHREAD DATA")
}

// rowsNoise takes what such a line says of the number of rows.
func (r *Reader) rowsNoise(l kd.Line) {
	if isGoneRow(l.Text) {
		r.unread++ // processed or not: nobody has said
		return
	}
	r.threadsProcessed(l)
}

// rowSite reads the first call site, which stands behind the state.
func (r *Reader) rowSite(c kd.Cursor, l kd.Line) {
	if c.Take("Stack paged out") {
		r.cur.NotResident = true
		return
	}
	site, at := c.Rest()
	if site == "" {
		return
	}
	r.stack.OpenBare()
	r.stack.Line(l.From(at))
}

// rowCID reads process.thread as !stacks prints it: six digits of the thread.
func rowCID(w string) (CID, bool) {
	p, t, ok := strings.Cut(w, ".")
	if !ok || len(t) != 6 || kd.AddrDigits(p) == 0 || kd.AddrDigits(t) != 6 {
		return CID{}, false
	}
	cid := parseCID(w)
	return cid, cid.Known
}

// stacksFrame reads the lines around the rows: the column heads, and the
// process that the rows below belong to:
//
//	Proc.Thread  .Thread  Ticks   ThreadState Blocker
//	                            [fffff80002c10180 Idle]
//	                                     [csrss.exe]
func (r *Reader) stacksFrame(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	if c.Take("Proc.Thread .Thread") {
		r.closeBlock()
		r.rows, r.rowTally, r.firstRow = true, r.tally(), len(r.out.Threads)
		return true
	}
	if r.rows && isRowsNoise(l.Text) {
		r.closeBlock()
		r.rowsNoise(l)
		return true
	}
	if l.Text[0] != '[' || !strings.HasSuffix(l.Text, "]") || !r.rows && (len(r.typed) == 0 || r.typed[0] != "!stacks") {
		return false
	}
	name := kd.Cursor{Text: l.Text[1 : len(l.Text)-1]}
	if _, ok := kd.ParseFullAddr(name.Peek()); ok {
		name.Word()
	} else if !r.rows {
		return false
	}
	r.closeBlock()
	r.image, _ = name.Rest()
	return true
}
