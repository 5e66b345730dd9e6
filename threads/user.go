package threads

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// userThread is a thread as a user-mode debugger lists it: there it has no
// ETHREAD, and is known by the address of its TEB.
type userThread struct {
	cid CID
	teb kd.Addr
	at  kd.Ref
}

// userThreads are those that were listed, by the debugger's number, and the one
// that the next stack is of.
type userThreads struct {
	rows    map[int]userThread
	process uint32 // of all of them
	next    int
	set     bool
	last    kd.Ref // the last row
}

// userRow reads the row of a thread as ~ lists it, and as it heads the thread's
// stack in ~*k (Microsoft Learn: ~ (Thread Status), Debugging a Deadlock):
//
//	.  6  Id: 1364.a9 Suspend: 1 Teb: 7ffd9000 Unfrozen
//	   4  id: 97.a3   Suspend: 0 Teb 7ffd9000 Unfrozen
//
// A list has its rows one below the other: none of them heads a stack.
func (r *Reader) userRow(l kd.Line) bool {
	if b := l.Text[0]; b != '.' && b != '#' && (b < '0' || b > '9') {
		return false
	}
	c := kd.Cursor{Text: l.Text}
	w, _ := c.Word()
	if w == "." || w == "#" {
		w, _ = c.Word()
	}
	n, _, ok := leadingNumber(w)
	if !ok || !c.Take("Id:") || strconv.FormatInt(n, 10) != w {
		return false
	}
	w, _ = c.Word()
	t := userThread{cid: parseCID(w), at: l.All()}
	if !t.cid.Known || !c.Take("Suspend:") {
		return false
	}
	c.Word()
	if !c.Take("Teb:") && !c.Take("Teb") {
		return false
	}
	w, _ = c.Word()
	if t.teb, ok = kd.ParseFullAddr(w); !ok || !c.Take("Unfrozen") && !c.Take("Frozen") {
		return false
	}
	r.closeBlock()
	r.keepUser(int(n), t)
	below := r.user.last.Known() && r.user.last.Input == l.Input && r.user.last.EndLine()+1 == l.Num
	r.user.next, r.user.set, r.user.last = int(n), !below, l.All()
	return true
}

// keepUser keeps the first row of a thread; another that contradicts it is
// noted. The TEBs of two processes may have one address: only those of the first
// are kept.
func (r *Reader) keepUser(n int, t userThread) {
	have, known := r.user.rows[n]
	if r.user.rows == nil {
		r.user.rows, r.user.process = make(map[int]userThread), t.cid.Process
	}
	switch same := t.cid.Process == r.user.process; {
	case !known && !same:
	case !known, same && have.cid.Thread != t.cid.Thread: // or the number of another thread now
		r.user.rows[n] = t
	case have.cid != t.cid || have.teb != t.teb:
		r.note(t.at, "thread %d was listed before (line %d) as %s with TEB %x: that row is used", n, have.at.Line, have.cid, uint64(have.teb))
	}
}

// ofUser makes a stack that of the thread of the user-mode debugger that was
// named, if that was listed.
func (r *Reader) ofUser(t *Thread) {
	row, known := r.user.rows[r.user.next]
	if !r.user.set || !known {
		return
	}
	r.user.set = false
	t.Addr, t.Teb, t.CID, t.At, t.User = row.teb, row.teb, row.cid, row.at, true
}

// UserPrompt tells the reader what was typed at the prompt of a user-mode
// debugger, which shows the number of a thread: a stack is of that thread, or of
// the one before the command, as in ~4 kb. ~*k shows all.
func (r *Reader) UserPrompt(thread int, command string, at kd.Ref) {
	if rest, ok := strings.CutPrefix(command, "~*"); ok && strings.HasPrefix(strings.TrimLeft(rest, " "), "k") {
		r.all = AllOf{At: at}
	}
	if rest, ok := strings.CutPrefix(command, "~"); ok {
		n, rest, ok := leadingNumber(rest)
		if !ok || rest == "" {
			return // of several threads, or of one that is not named by its number
		}
		thread = int(n)
	}
	r.user.next, r.user.set = thread, true
}
