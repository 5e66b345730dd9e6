package modules

import (
	"strings"

	"kdlocks/kd"
)

// Read reads the output of lm and !lmi. Lines that are not part of it are passed
// over; Reader tells which.
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

// Reader reads such output line by line, also when other output stands in
// between.
type Reader struct {
	out  Listing
	open block
	// asked are the lm commands of the prompt whose lists have not begun.
	asked []Request
	// list is the place in out.Lists of the loadedList that is open.
	list int
	// module is what a line of details belongs to.
	module *Module
	// version is the last line of details of it.
	version versionLine
	rowAt   kd.Ref // the last row
	user    bool   // the prompt was one of a user-mode debugger
	blank   bool   // the line before was blank
	command string
}

// block is what is being read.
type block uint8

const (
	noBlock block = iota
	loadedList
	unloadedList
	lmiBlock
	loneBlock // details without a row
)

// Line takes the next line and reports whether it is part of the output of one
// of the commands.
func (r *Reader) Line(l kd.Line) bool {
	if l.Text == "" {
		r.blank = true
		return false
	}
	took := r.line(l)
	r.blank = false
	if !took && r.open != noBlock && kd.IsElision(l.Text) {
		r.lost()
	}
	return took
}

func (r *Reader) line(l kd.Line) bool {
	switch c := l.Text[0]; {
	case c == 's' || c == 'S':
		if r.head(l) {
			return true
		}
	case c == 'U' || c == 'u' || c == 'N':
		if r.unloadedHead(l) {
			return true
		}
	case c == 'B':
		if strings.HasPrefix(l.Text, "Browse full module list") || strings.HasPrefix(l.Text, "Browse all global symbols") {
			r.command = "lm"
			return true
		}
	case c == 'L' && strings.HasPrefix(l.Text, "Loaded Module Info: ["):
		return r.lmiHead(l)
	case c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
		if r.row(l) {
			return true
		}
	case c == 'q' && l.Text == "quit:" && r.open != noBlock:
		r.end(true)
		return true
	}
	if r.open == lmiBlock {
		return r.lmiLine(l)
	}
	if r.module != nil {
		return r.detail(l) || r.versionGoesOn(l) || r.goesOn(l)
	}
	return r.lone(l)
}

// goesOn takes what a narrow window broke off the row before: the status of
// symbols, or the rest of their file.
func (r *Reader) goesOn(l kd.Line) bool {
	if r.open != loadedList || !r.rowAt.Known() || l.Input != r.rowAt.Input || l.Num != r.rowAt.EndLine()+1 {
		return false
	}
	m := r.module
	switch open, status, after := statusIn(l.Text); {
	case m.SymbolStatus == "" && status != "" && open == 0:
		m.SymbolStatus, m.SymbolFile = keep(status), keep(after)
	case m.statusBegun != "" && m.goesOnStatus(l.Text):
	case m.SymbolFile != "" && strings.IndexByte(l.Text, '\\') >= 0 && strings.Contains(l.Text, ".pdb") && !strings.HasSuffix(m.SymbolFile, ".pdb"):
		m.SymbolFile = keep(m.SymbolFile + l.Text)
	default:
		return false
	}
	r.rowAt = l.All()
	return true
}

// goesOnStatus takes the end of a status.
func (m *Module) goesOnStatus(text string) bool {
	_, status, after := statusIn("(" + m.statusBegun + " " + text)
	if status != "" {
		m.SymbolStatus, m.SymbolFile, m.statusBegun = keep(status), keep(after), ""
	}
	return status != ""
}

// head reads the column heads of a list.
func (r *Reader) head(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	if !c.Take("start end module name") {
		return false
	}
	r.end(len(r.asked) > 0) // several commands were typed at one prompt
	r.begin(l)
	r.out.Lists[r.list].head = true
	return true
}

// begin opens a list of loaded modules.
func (r *Reader) begin(l kd.Line) {
	list := List{At: l.All()}
	if len(r.asked) > 0 {
		list.Request, r.asked = r.asked[0], r.asked[1:]
	}
	r.out.Lists = append(r.out.Lists, list)
	r.list = len(r.out.Lists) - 1
	r.open, r.command, r.module = loadedList, "lm", nil
}

// unloadedHead reads what begins, or stands for, the list of unloaded modules.
func (r *Reader) unloadedHead(l kd.Line) bool {
	switch {
	case l.Text == "Unloaded modules:":
		r.end(r.open == loadedList)
		r.open, r.command, r.module = unloadedList, "lm", nil
		return true
	case strings.HasPrefix(l.Text, "Unable to enumerate") && strings.Contains(l.Text, "unloaded modules"), strings.HasPrefix(l.Text, "No unloaded module list present"):
		if r.open != loadedList && r.open != unloadedList {
			return false // it is printed by .reload, too
		}
		r.end(true)
		return true
	}
	return false
}

// row reads the line of a module.
func (r *Reader) row(l kd.Line) bool {
	inList := r.open == loadedList || len(r.asked) > 0
	if r.open != unloadedList && !inList && strings.IndexByte(l.Text, '(') < 0 {
		return false
	}
	m, sure := readRow(l, r.open == unloadedList)
	if m == nil || r.open == unloadedList && !sure || r.open != unloadedList && !sure && (!inList || r.blank) {
		return false
	}
	m.User, r.rowAt = r.user, l.All()
	r.command = "lm"
	if r.open == unloadedList {
		r.add(m)
		return true
	}
	if r.open != loadedList {
		r.end(false)
		r.begin(l)
	}
	r.add(m)
	if first, _, _ := strings.Cut(m.SymbolFile, " "); kd.AddrDigits(first) >= 8 {
		m.SymbolFile = "" // the row of another module that was run together with this one
		r.lost()
	}
	r.out.Lists[r.list].kernel = r.out.Lists[r.list].kernel || m.Is("nt")
	return true
}

// add keeps a module, to which the details to come belong.
func (r *Reader) add(m *Module) {
	r.out.Modules = append(r.out.Modules, m)
	r.module, r.version = m, versionLine{}
}

// Typed tells the reader of an lm command that was typed, after Prompt.
func (r *Reader) Typed(q Request) { r.asked = append(r.asked, q) }

// Prompt tells the reader that a command was typed, and whether at the prompt of
// a user-mode debugger: what was open is complete.
func (r *Reader) Prompt(user bool) {
	r.end(true)
	r.asked, r.user = r.asked[:0], user
}

// Break tells the reader that output of another kind came.
func (r *Reader) Break() {
	if r.open != noBlock {
		r.end(false)
	}
}

// Lost tells the reader that nobody understood a line: where it is not indented
// as details are, it may have been that of a module.
func (r *Reader) Lost(l kd.Line) {
	if r.open == loadedList && (r.module == nil || l.Off == 0) {
		r.lost()
	}
}

func (r *Reader) lost() {
	if r.open == loadedList {
		r.out.Lists[r.list].lost = true
	}
}

// end closes what is open; sure is set if it is known to end here.
func (r *Reader) end(sure bool) {
	if r.open == loadedList {
		l := &r.out.Lists[r.list]
		// The kernel is in every list that leaves nothing out.
		l.Whole = sure && l.head && !l.lost && l.Command != "" && (!l.Kernel || l.Filtered || l.Pattern != "" || l.kernel)
	}
	r.open, r.module = noBlock, nil
}

// Command names the command that the line which was taken last is output of.
func (r *Reader) Command() string { return r.command }

// Done returns what was read, nil if that is nothing.
func (r *Reader) Done() *Listing {
	r.end(false)
	if r.out.Empty() {
		return nil
	}
	out := r.out
	return &out
}
