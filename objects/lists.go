package objects

import (
	"strings"

	"kdlocks/kd"
)

// List is a command that lists all objects of a kind and whose output was printed
// to its end.
type List struct {
	Of ListOf
	// Process is that whose critical sections are listed, 0 if it was not printed, as
	// in a debugger of user mode.
	Process kd.Addr
	User    bool // typed in a debugger of user mode
	At      kd.Ref
}

// ListOf is what a List has.
type ListOf uint8

// The kinds of lists.
const (
	NoList         ListOf = iota
	AllIRPs               // !irpfind without a choice: those of the nonpaged pool
	LockedSections        // !cs -l, !cs, and !locks in a debugger of user mode
)

// openList is a list that is being printed.
type openList struct {
	List
	// begun is set when its first lines came, found when an object did, lost when a line
	// of it may be missing.
	begun, found, lost bool
}

// Typed tells the reader of a command that was typed, after Prompt, and whether in a
// debugger of user mode.
func (r *Reader) Typed(command string, user bool, at kd.Ref) {
	of := listed(strings.Fields(strings.ToLower(command)), user)
	if of == NoList {
		return
	}
	lost := r.whole.Of != NoList // two lists at one prompt
	r.whole = openList{List: List{Of: of, User: user, At: at}, lost: lost}
}

// listed tells what a command lists all of (Microsoft's documentation of !irpfind,
// !cs and !ntsdexts.locks).
func listed(typed []string, user bool) ListOf {
	if len(typed) == 0 {
		return NoList
	}
	options := typed[1:]
	switch typed[0] {
	case "!irpfind":
		for _, o := range options {
			if o != "-v" && o != "0" { // of the nonpaged pool, from its beginning
				return NoList
			}
		}
		return AllIRPs
	case "!cs":
		for _, o := range options {
			if o != "-l" && o != "-o" && o != "-s" {
				return NoList
			}
		}
		return LockedSections
	case "!locks", "!ntsdexts.locks":
		if len(options) == 0 && (user || typed[0] == "!ntsdexts.locks") {
			return LockedSections
		}
	}
	return NoList
}

// Lost tells the reader that nobody understood a line.
func (r *Reader) Lost() { r.whole.lost = true }

// Cut tells the reader that the input ended, or that another machine goes on.
func (r *Reader) Cut() { r.whole = openList{} }

// inList notes that the list goes on; found is set where a line has an object.
func (r *Reader) inList(of ListOf, found bool) {
	if l := &r.whole; l.Of == of {
		l.begun, l.found = true, l.found || found
	}
}

// endList keeps the list that is open if all of it was read.
func (r *Reader) endList() {
	if l := &r.whole; l.begun && l.found && !l.lost {
		r.out.Lists = append(r.out.Lists, l.List)
	}
	r.whole = openList{}
}

// implicit takes the process whose user mode the debugger looks at from now on:
//
//	Implicit process is now ffffc28f`4c8d2080
func (r *Reader) implicit(l kd.Line) {
	c := kd.Cursor{Text: l.Text}
	if !c.Take("Implicit process is now") {
		return
	}
	w, at := c.Word()
	r.process = Printed{}
	if a, ok := kd.ParseFullAddr(w); ok && c.Peek() == "" {
		r.process = Printed{a, l.Ref(at, len(w))}
	}
}

// ContextLost tells the reader that the debugger was asked to look at another
// process, or let the machine go on: which it looks at is not known until it says so.
func (r *Reader) ContextLost() { r.process = Printed{} }
