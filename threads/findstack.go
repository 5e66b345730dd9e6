package threads

import (
	"strconv"
	"strings"

	"kdlocks/kd"
	"kdlocks/stacks"
)

// StackMatch is what !findstack prints of one thread: the frames that hold the
// symbol it was asked for. They are no whole stack, and nothing about what the
// thread waits for or holds follows from them.
type StackMatch struct {
	Thread    kd.Addr
	Announced int // frames that match, as printed
	Frames    []stacks.Frame
	At        kd.Ref
}

// MapAddrs replaces every address of the match by f of it.
func (m *StackMatch) MapAddrs(f func(kd.Addr) kd.Addr) {
	m.Thread = f(m.Thread)
	stacks.MapFrames(m.Frames, f)
}

// findBlock is the block of !findstack that is open.
type findBlock struct {
	match  StackMatch
	open   bool
	marked tally // frames with an asterisk
	// whole is set while the frames are numbered from 0 without a gap, as in
	// the display of entire stacks.
	whole bool
}

// findstack reads the output of !findstack: a head for each thread, and the
// frames that match, or with display level 2 all frames, the matching ones
// marked. In user mode the head has the number of a thread instead of its
// address; such blocks hold nothing of the kernel.
//
//	Thread fffffa8003cd2060, 2 frame(s) match
//	        * 06 fffff880`03eaffac fffff800`771d9263 wininet!SelectThread+0x22a
func (r *Reader) findstack(l kd.Line) bool {
	if strings.HasPrefix(l.Text, "Thread ") && r.findHead(l) {
		return true
	}
	if !r.find.open {
		return false
	}
	text, marked := strings.CutPrefix(l.Text, "*")
	text, off := kd.TrimBlanks(text)
	c := kd.Cursor{Text: text}
	w, _ := c.Word()
	number, err := strconv.ParseUint(w, 10, 16)
	if err != nil {
		return false
	}
	if marked {
		off++
	}
	f, ok := stacks.ReadFrame(text)
	if !ok {
		return false
	}
	f.At = l.Ref(off, len(text))
	r.find.whole = r.find.whole && int(number) == len(r.find.match.Frames)
	r.find.match.Frames = append(r.find.match.Frames, f)
	if marked {
		r.find.marked.listed++
	}
	return true
}

// findHead reads "Thread fffffa8003cd2060, 2 frame(s) match".
func (r *Reader) findHead(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	c.Word()
	w, _ := c.Word()
	id, comma := strings.CutSuffix(w, ",")
	n, _ := c.Word()
	count, err := strconv.ParseUint(n, 10, 16)
	if !comma || kd.AddrDigits(id) == 0 || err != nil || !c.Take("frame(s) match") {
		return false
	}
	r.closeBlock()
	thread, ok := kd.ParseFullAddr(id)
	if !ok {
		thread = 0
	}
	r.find = findBlock{match: StackMatch{Thread: thread, Announced: int(count), At: l.All()}, open: true, whole: true, marked: r.tally()}
	return true
}

// closeFind keeps the block that is open: whole stacks as the stack of the
// thread, others as what was found.
func (r *Reader) closeFind() {
	f := r.find
	r.find = findBlock{}
	if !f.open || f.match.Thread == 0 {
		return
	}
	if f.marked.listed > 0 && !r.tallied(f.match.At, r.fits(f.marked, f.match.Announced)) {
		r.selfNote(kd.CountsFit, f.match.At, "!findstack announces %s that match and marks %d%s", kd.Plural(f.match.Announced, "frame"), f.marked.listed, r.ending())
	}
	if f.whole && len(f.match.Frames) > f.marked.listed {
		t := New(f.match.Thread, f.match.At)
		t.Stack.Frames = f.match.Frames
		r.out.Threads = append(r.out.Threads, t)
		return
	}
	r.out.Matches = append(r.out.Matches, f.match)
}
