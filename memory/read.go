package memory

import (
	"strings"

	"kdlocks/kd"
)

// Read reads the output of !vm, !poolused, poolmon, !pool, !poolfind and their kin, of dh, dhcmp and umdh, and logs of performance counters. Lines that are not part of
// it are passed over; Reader tells which.
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

// Known reports whether a text alone has the form of a line of such output.
func Known(text string) bool {
	if text == "" {
		return false
	}
	l := kd.Line{Text: text, Num: 1}
	var head, vm, pool, mon Reader
	if heapForm(text) || head.head(l) || countForm(l) {
		return true
	}
	if _, ok := readBlock(l); ok {
		return true
	}
	if text[0] != '*' && !hasKb(text) && numbersIn(text) < len(plainHeads) {
		return false
	}
	vm.newVM(l)
	pool.newPool(Poolused, l)
	mon.newPool(Poolmon, l)
	return vm.vmLine(l) || pool.poolusedLine(l) || mon.poolmonLine(l)
}

// numbersIn counts the words of the beginning of a text that begin with a digit.
func numbersIn(text string) int {
	n, blank := 0, true
	for i := range min(len(text), 120) {
		c := text[i]
		if blank && '0' <= c && c <= '9' {
			n++
		}
		blank = c == ' ' || c == '\t'
	}
	return n
}

// mostNotes bounds the notes of a session.
const mostNotes = 200

// Reader reads such output line by line, also when other output stands in
// between.
type Reader struct {
	out  *Listing // nil before anything was read
	open block
	// typedVM is what was typed with !vm, typedPool with !poolused or poolmon,
	// until its output begins.
	typedVM   string
	typedPool typedPool
	// typedBlocks is what was typed with !pool or !poolfind, until its output begins;
	// typedWords what the command prints that was typed last.
	typedBlocks string
	typedWords  wordsCommand
	symbols     bool // of the lines of memory that are being read

	vm   *VM
	pool poolReader
	// blocks and counts are being read.
	blocks *Blocks
	counts *Counts
	rows   int // rows of pool listings that are kept
	// counters is nil outside of a counter log; cells counts the values that are kept
	// of those before.
	counters  *counterReader
	cells     int
	typedHeap *typedHeap  // until its output begins, nil if nothing was typed
	heap      *heapReader // nil before the first line of a heap log
	full      map[string]bool
}

// block is what is being read.
type block uint8

const (
	noBlock block = iota
	vmBlock
	poolBlock
	blocksBlock
	wordsBlock
	countsBlock
	counterBlock
	heapBlock
)

// Line takes the next line and reports whether it is part of the output of one
// of the commands.
func (r *Reader) Line(l kd.Line) bool {
	if l.Text == "" {
		return false
	}
	if r.heapLine(l) || r.head(l) {
		return true
	}
	switch {
	case r.open == vmBlock && r.vmLine(l), r.open == poolBlock && r.poolLine(l), r.open == blocksBlock && r.blocksLine(l),
		r.open == countsBlock && r.countsLine(l), r.open == counterBlock && r.counterRow(l):
		return true
	case r.typedPool.command != "" && r.typedPool.poolused:
		return r.headlessRow(l)
	}
	if r.headlessBlock(l) || r.headlessCounts(l) || r.wordsLine(l) {
		return true
	}
	if r.searching() && !saysAuthor(l.Text) {
		r.searchLost()
	}
	return false
}

// head opens the block that a line begins. Most lines are told by their first
// byte.
func (r *Reader) head(l kd.Line) bool {
	if len(l.Text) > 3 && letter(l.Text[0]) && l.Text[1] == ':' && l.Text[2] == '\\' {
		return r.console(l)
	}
	switch l.Text[0] {
	case 'A':
		return r.poolmonHead(l) || r.vmHead(l)
	case '*', 'V', 'F', 'R', 'L', 'N':
		return r.vmHead(l) || l.Text[0] == '*' && r.countsHead(l)
	case 'l':
		return r.countsHead(l)
	case 'P':
		return r.vmHead(l) || r.poolusedHead(l) || r.blocksHead(l)
	case 'M', 'C':
		return r.poolmonHead(l) || r.vmHead(l) || r.countsHead(l)
	case 'S':
		return r.poolusedHead(l) || r.poolmonHead(l) || r.blocksHead(l) || r.countsHead(l)
	case 'T':
		return r.columnHead(l) || r.counterHead(l) || r.vmHead(l)
	case 'p', 'u', 'U':
		return r.bareConsole(l)
	case '"', '(', 't', 'D', 'd':
		return r.counterHead(l)
	}
	return false
}

// Command names the command that the output which is open is of, "" if none is.
func (r *Reader) Command() string {
	switch {
	case r.open == vmBlock:
		return "!vm"
	case r.open == poolBlock && r.pool.Tool == Poolmon:
		return "poolmon"
	case r.open == counterBlock:
		return "counters"
	case r.open == poolBlock:
		return "!poolused"
	case r.open == blocksBlock:
		return r.blocks.Tool
	case r.open == countsBlock:
		return r.counts.Tool
	case r.open == wordsBlock:
		if r.symbols {
			return "x"
		}
		return "dps"
	case r.open == heapBlock:
		return "umdh"
	}
	return ""
}

// Typed tells the reader that a command was typed: what comes next may be its
// output.
func (r *Reader) Typed(command string, at kd.Ref) {
	c := kd.Cursor{Text: command}
	w, _ := c.Word()
	w = strings.ToLower(w)
	if i := strings.LastIndexByte(w, '.'); i > 0 && w[0] == '!' {
		w = "!" + w[i+1:]
	}
	switch w {
	case "!vm":
		r.typedVM = command
	case "!poolused":
		r.typedPool = readPoolused(command)
	case "!pool", "!poolfind":
		r.typedBlocks = command
	default:
		r.commandOfWords(command, at)
	}
}

// Break tells the reader that what was open is complete: a prompt or other
// output came.
func (r *Reader) Break() {
	r.close()
	r.typedVM, r.typedPool, r.typedBlocks, r.typedWords, r.typedHeap = "", typedPool{}, "", noWords, nil
}

// Done returns what was read, nil if that is nothing.
func (r *Reader) Done() *Listing {
	r.searchLost()
	r.Break()
	out := r.out
	r.out = nil
	if out.Empty() && (out == nil || len(out.Notes) == 0) {
		return nil
	}
	return out
}

// listing is what was read so far.
func (r *Reader) listing() *Listing {
	if r.out == nil {
		r.out = &Listing{}
	}
	return r.out
}

func (r *Reader) close() {
	switch r.open {
	case vmBlock:
		r.closeVM()
	case poolBlock:
		r.closePool()
	case counterBlock:
		r.closeCounters()
	case heapBlock:
		r.closeHeap()
	}
	r.open = noBlock
}

// left notes once what is not kept.
func (r *Reader) left(at kd.Ref, what string) {
	if r.first(what) {
		r.note(at, "too many %s: those from here on are left out", what)
	}
}

// leftOut is left where it is some in the middle that are not kept.
func (r *Reader) leftOut(at kd.Ref, what string) {
	if r.first(what) {
		r.note(at, "too many %s: some between the first and the last are left out", what)
	}
}

// first reports whether something was not said before.
func (r *Reader) first(what string) bool {
	if r.full == nil {
		r.full = make(map[string]bool)
	}
	was := r.full[what]
	r.full[what] = true
	return !was
}
