package threads

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
)

// tail is the line of a THREAD block that was met last.
type tail struct {
	at     kd.Ref
	text   string
	unread bool // it stands where a line of a block would, and is none as it is
	lost   bool // it is a THREAD line whose address is of no use
}

// reach keeps a line of the open block.
func (r *Reader) reach(l kd.Line) {
	if r.mex == mexNone {
		r.tail = tail{at: l.All(), text: l.Text}
	}
}

// stray keeps a line that was not understood if it directly follows a line of the
// open block, or stands where the THREAD line of one would.
func (r *Reader) stray(l kd.Line) {
	switch {
	case r.tail.lost && r.tail.at.Line == l.Num:
	case r.cur != nil && (l.Num == r.tail.at.EndLine()+1 || r.stack.Len() > 0 && !r.gap && r.tail.at.Known()),
		r.cur == nil && asksForThreads(r.typed) && strings.HasPrefix(HeadWord, l.Text):
		r.tail = tail{at: l.All(), text: l.Text, unread: true}
	}
}

// cutOff notes a THREAD block that the input ends in.
func (r *Reader) cutOff() {
	if !r.tail.at.Known() || r.tail.at.EndLine() != r.last {
		return
	}
	lacks := r.lacks()
	if lacks == "" {
		return
	}
	n := kd.Note{At: r.tail.at, Text: "the text ends in a THREAD block: " + lacks, Again: "!thread"}
	if r.cur != nil && r.cur.Addr != 0 {
		n.Text = fmt.Sprintf("the text ends in the THREAD block of %s: %s", r.cur.Addr.Bare(kd.ArchUnknown), lacks)
		n.Again = fmt.Sprintf("!thread %s", r.cur.Addr.Bare(kd.ArchUnknown))
	}
	r.out.Notes = append(r.out.Notes, n)
}

// lacks says what is missing of the block that the input ends in, "" if it may be whole.
func (r *Reader) lacks() string {
	const line, stack = "its last line is not whole", "its stack is missing"
	t := r.cur
	switch {
	case r.tail.lost:
		return line
	case r.tail.unread && !beginsOfBlock(r.tail.text):
		return ""
	case r.tail.unread:
		return line
	case t == nil || r.stack.Len() > 0 || len(t.Stack.Frames) > 0:
		return ""
	case r.part == waitPart && (!wholeState(t, r.tail.text) || !wholeWaits(t)):
		return line
	case r.part == irpPart && len(t.IRPs) == 0, r.part == propPart && t.Priority < 0 && !asksForNoStacks(r.typed) && !t.NotResident && !failed(r.tail.text):
		return "it goes on"
	case r.stack.Open(), asksForStacks(r.typed) && t.State != Terminated && !t.NotResident && !failed(r.tail.text):
		return stack
	}
	return ""
}

// wholeState reports whether a THREAD line has all that debuggers print on it.
// !exqueue prints no more than that the thread waits.
func wholeState(t *Thread, line string) bool {
	switch t.State {
	case StateUnknown:
		return !t.Header
	case Waiting:
		return strings.HasSuffix(line, " WAIT") || t.WaitReason != "" && t.WaitMode != "" && t.Alertable != Unknown
	case Running:
		return t.Processor >= 0
	}
	return true
}

// waitKinds are what debuggers print behind the address of a wait object, up to the
// first digit.
var waitKinds = []string{
	"SynchronizationEvent", "NotificationEvent", "Semaphore Limit 0x", "Mutant - owning thread ", "Thread", "ProcessObject",
	"QueueObject", "NotificationTimer", "SynchronizationTimer", "Unknown",
}

// wholeWaits reports whether the last wait object is none whose kind is cut off.
func wholeWaits(t *Thread) bool {
	if len(t.WaitObjects) == 0 {
		return true
	}
	o := t.WaitObjects[len(t.WaitObjects)-1]
	printed := strings.TrimSuffix(o.Kind+" "+o.Detail, " ")
	for _, k := range waitKinds {
		if len(printed) < len(k) && strings.HasPrefix(k, printed) {
			return false
		}
	}
	return true
}

// failed reports whether a line says that the debugger could not read the rest.
func failed(text string) bool {
	for _, p := range []string{"GetContextState failed", "Unable to", "GetUlongFromAddress", "Can't retrieve", "Invalid Thread"} {
		if kd.HasPrefixFold(text, p) {
			return true
		}
	}
	return false
}

// beginsOfBlock reports whether a line of a THREAD block may begin with all of a text.
func beginsOfBlock(text string) bool {
	for _, words := range [][]string{blockWords, threadNoise, otherWords} {
		for _, w := range words {
			if strings.HasPrefix(w, text) || strings.HasPrefix(text, w) {
				return true
			}
		}
	}
	digits, rest, spaced := strings.Cut(text, " ")
	if n := kd.AddrDigits(strings.ReplaceAll(strings.TrimSuffix(digits, ":"), "`", "")); n == 0 || n > 16 {
		return false
	}
	kind := strings.TrimLeft(rest, " ")
	return !spaced || strings.Trim(rest, "0123456789abcdef` ") == "" || slices.ContainsFunc(waitKinds, func(k string) bool { return strings.HasPrefix(k, kind) })
}

// otherWords begin lines of a block that older debuggers print, or few blocks have.
var otherWords = []string{"SuspendCount", "FreezeCount", "ChildEBP RetAddr", "Kernel stack not resident.", "Start Address ", "Initial Sp ", "WaitTime (ticks)"}

// asksForThreads reports whether a command prints THREAD blocks first of all.
func asksForThreads(typed []string) bool {
	return len(typed) > 0 && typed[0] == "!thread" || asksForStacks(typed)
}

// asksForNoStacks reports whether a command prints THREAD blocks without their stacks.
func asksForNoStacks(typed []string) bool {
	return len(typed) > 0 && (typed[0] == "!thread" || typed[0] == "!process") && !asksForStacks(typed)
}

// asksForStacks reports whether a command prints the stack of each thread: !thread
// unless its flags say otherwise, and !process with bits 1 and 2 of them
// (Microsoft's documentation of the commands).
func asksForStacks(typed []string) bool {
	switch {
	case len(typed) == 0:
		return false
	case typed[0] == "!thread":
		return len(typed) < 3 || len(typed) == 3 && withStacks(typed[2])
	}
	return len(typed) > 2 && typed[0] == "!process" && withStacks(typed[2])
}
