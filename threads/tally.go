package threads

import (
	"math/bits"
	"strconv"
	"strings"

	"kdlocks/kd"
)

// tally counts what a command lists, to be compared with the number that the
// command itself prints of it.
type tally struct {
	open   bool
	listed int
	// from is Reader.unread at the beginning: a line that was not understood
	// since may be one more of what is listed, or any number more if many is
	// set: the list has several on a line.
	from int
	many bool
}

func (r *Reader) tally() tally { return tally{open: true, from: r.unread} }

// fits reports whether a printed number can be that of what is listed.
func (r *Reader) fits(t tally, announced int) bool {
	unread := r.unread - t.from
	return r.parted || t.listed <= announced && (announced <= t.listed+unread || t.many && unread > 0)
}

// compare notes a printed number that does not fit what is listed. Where the
// text goes on over a doubtful seam, or ends right behind the number, the
// number itself is in doubt.
func (r *Reader) compare(l kd.Line, t tally, command string, announced int, noun string) {
	if !t.open || l.Cut || l.All().Doubt != 0 || r.tallied(l.All(), r.fits(t, announced)) {
		return
	}
	r.selfNote(kd.CountsFit, l.All(), "%s counts %s, listed: %d", command, kd.Plural(announced, noun), t.listed)
}

// tallied keeps where a number was compared with what is listed, and returns
// what came of it.
func (r *Reader) tallied(at kd.Ref, fits bool) bool {
	r.out.Tallied = append(r.out.Tallied, at)
	return fits
}

// ending says of a list that follows its number whether the text ends with it.
func (r *Reader) ending() string {
	if r.ended {
		return " before the text ends"
	}
	return ""
}

// Typed tells the reader what was typed at the prompt of which Prompt told, and
// where. A line of several commands says of none what its output is.
func (r *Reader) Typed(command string, at kd.Ref) {
	command = strings.ToLower(command)
	for part := range strings.SplitSeq(command, ";") {
		typed := strings.Fields(part)
		if all, ok := listsAll(typed); ok {
			r.all = all
			r.all.At = at
		}
		if all, ok := listsProcesses(typed); ok {
			r.allProcesses = all
			r.allProcesses.At = at
		}
	}
	if !strings.Contains(command, ";") {
		r.typed = strings.Fields(command)
	}
}

// listsAll returns the threads that a command prints with their stacks, every one of
// them: !process of all processes, of one or of a program, with bits 1 and 2 of its
// flags, or !stacks with detail 2 (Microsoft's documentation of the commands). With
// detail 1 each row of !stacks has the first call site alone.
func listsAll(typed []string) (all AllOf, ok bool) {
	switch {
	case len(typed) == 3 && typed[0] == "!process":
		all.Process, ok = kd.ParseAddr(typed[1])
		return all, ok && (all.Process == 0 || all.Process.IsKernel(kd.ArchUnknown)) && withStacks(typed[2])
	case len(typed) == 4 && typed[0] == "!process" && typed[1] == "0":
		return AllOf{Image: typed[3]}, withStacks(typed[2])
	case len(typed) == 4 && typed[0] == "!for_each_process" && typed[1] == `"!process` && typed[2] == "@#process":
		return AllOf{}, withStacks(strings.TrimSuffix(typed[3], `"`))
	case len(typed) == 3 && typed[0] == "!stacks" && typed[1] == "2":
		return AllOf{Frames: typed[2]}, true
	}
	return AllOf{}, len(typed) == 2 && typed[0] == "!stacks" && typed[1] == "2"
}

// listsProcesses returns the processes that a command lists, every one of them.
func listsProcesses(typed []string) (all AllOf, ok bool) {
	switch len(typed) {
	case 2, 3:
		return AllOf{}, typed[0] == "!process" && typed[1] == "0"
	case 4:
		if typed[0] == "!process" && typed[1] == "0" {
			return AllOf{Image: typed[3]}, true
		}
		_, ok = listsAll(typed)
		return AllOf{}, ok
	}
	return AllOf{}, false
}

func withStacks(flags string) bool {
	n, err := strconv.ParseUint(strings.TrimPrefix(flags, "0x"), 16, 32)
	return err == nil && n&6 == 6
}

// stacksListAll reports whether a !stacks was typed that shows every thread:
// with detail 1 or 2 and without a filter (Microsoft's documentation of the
// command; detail 0 leaves out stacks that are paged out).
func (r *Reader) stacksListAll() bool {
	return len(r.typed) == 2 && r.typed[0] == "!stacks" && (r.typed[1] == "1" || r.typed[1] == "2")
}

// stacksFiltered reports whether the !stacks that was typed shows only threads
// with some function or module on their stacks.
func (r *Reader) stacksFiltered() bool {
	return len(r.typed) > 2 && r.typed[0] == "!stacks"
}

// threadsProcessed compares "Threads Processed: 1024", with which !stacks
// ends, with the rows above. Threads that were processed need not be listed.
func (r *Reader) threadsProcessed(l kd.Line) {
	t := r.rowTally
	r.rowTally = tally{}
	c := kd.Cursor{Text: l.Text}
	if !c.Take("Threads Processed:") {
		return
	}
	if t.open && !r.stacksFiltered() {
		for _, row := range r.out.Threads[r.firstRow:] {
			row.Listed = true
		}
	}
	n, ok := count(&c)
	if ok && c.Peek() == "" && (t.listed > n || r.stacksListAll()) {
		r.compare(l, t, "!stacks", n, "thread")
	}
}

// count reads a decimal number.
func count(c *kd.Cursor) (int, bool) {
	w, _ := c.Word()
	n, err := strconv.ParseUint(strings.ReplaceAll(w, ",", ""), 10, 31)
	return int(n), err == nil
}

// processorMask is a mask of processors that !running prints.
type processorMask struct {
	groups []uint64 // 64 processors each
	whole  bool     // no digit of it can be missing
}

func (m processorMask) count() int {
	n := 0
	for _, g := range m.groups {
		n += bits.OnesCount64(g)
	}
	return n
}

// without returns how many processors of m are not in o.
func (m processorMask) without(o processorMask) int {
	n := 0
	for i, g := range m.groups {
		if i < len(o.groups) {
			g &^= o.groups[i]
		}
		n += bits.OnesCount64(g)
	}
	return n
}

// closeTable compares the rows of !running with its masks. It shows the
// processors that are not idle, with the switch -i all (Microsoft's
// documentation of the command); where what was typed is not known, idle ones
// may be there or not.
func (r *Reader) closeTable() {
	t := r.table
	r.table = runningTable{}
	all := t.system.count()
	if !t.rows.open || !t.system.whole || all == 0 || r.parted {
		return
	}
	least, what := all, "processors"
	if !r.typedSwitch("!running", 'i') {
		least, what = t.system.without(t.idle), "processors that are not idle"
		if !t.hasMask || !t.idle.whole {
			least = 0
		}
	}
	n := t.rows.listed
	tooFew := n+r.unread-t.rows.from < least
	switch {
	case r.tallied(t.at, n <= all && !tooFew):
	case n > all:
		r.selfNote(kd.CountsFit, t.at, "!running has a mask of %s, listed: %d", kd.Plural(all, "processor"), n)
	default:
		r.selfNote(kd.CountsFit, t.at, "!running has masks of %d %s, listed: %d%s", least, what, n, r.ending())
	}
}

// typedSwitch reports whether a command was typed with a switch.
func (r *Reader) typedSwitch(command string, letter rune) bool {
	if len(r.typed) == 0 || r.typed[0] != command {
		return false
	}
	for _, w := range r.typed[1:] {
		if strings.HasPrefix(w, "-") && strings.ContainsRune(w, letter) {
			return true
		}
	}
	return false
}
