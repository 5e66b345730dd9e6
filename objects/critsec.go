package objects

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// CriticalSection is a critical section of a process, as !cs and the user-mode
// !locks print it. Addresses are of the process that the debugger looked at.
type CriticalSection struct {
	Addr kd.Addr
	// Process is that whose user mode the debugger looked at, where it said so.
	Process   Printed
	Symbol    string // "ntdll!LdrpLoaderLock+0", as printed; "" if it has none
	DebugInfo Printed
	Locked    Flag
	// Owner is the ID of the thread that owns it, not its address; 0 is nobody.
	Owner Number
	// Lock is the LockCount as printed: what it counts depends on the version
	// (Microsoft, "Displaying a Critical Section"). Entry and Contention are
	// printed by !locks only, in what base is documented nowhere: decimal digits
	// are taken for decimal.
	Lock, Recursion, Entry, Contention Number
	WaiterWoken                        Flag
	At                                 kd.Ref
	EndLine                            int32
	// Conflict says on what two prints of the section disagree, "" if they do not.
	Conflict string
}

// critSecHead reads the first line of a critical section of the user-mode
// !locks and !critsec (Microsoft's documentation of !ntsdexts.locks):
//
//	CritSec ftpsvc2!g_csServiceEntryLock+0 at 6833dd68
//	CritSec +24e750 at 24e750
func (r *Reader) critSecHead(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	if !strings.HasPrefix(l.Text, "CritSec ") || !c.Take("CritSec") {
		return false
	}
	symbol, _ := c.Word()
	if !c.Take("at") {
		return false
	}
	w, at := c.Word()
	addr, ok := kd.ParseAddr(w)
	if !ok {
		return false
	}
	r.begin(critSecBlock, "!locks")
	r.newSection(Printed{addr, l.Ref(at, len(w))}, symbol, l)
	return true
}

func (r *Reader) newSection(addr Printed, symbol string, l kd.Line) {
	if strings.HasPrefix(symbol, "+") { // an offset from nothing
		symbol = ""
	}
	r.section = &CriticalSection{Addr: addr.Addr, Process: r.process, Symbol: symbol, At: addr.At, EndLine: l.Last()}
	r.inList(LockedSections, true)
	if r.whole.Of == LockedSections {
		r.whole.Process = r.process.Addr
	}
	r.out.Sections = append(r.out.Sections, r.section)
}

// csHead reads the first line of a critical section of !cs, and the one that may
// stand before it (Microsoft's documentation of the command):
//
//	DebugInfo          = 0x6A261D60
//	Critical section   = 0x6A262820 (ntdll!RtlCriticalSectionLock+0x0)
func (r *Reader) csHead(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	before := c.Take("DebugInfo =")
	if !before && !c.Take("Critical section =") {
		return false
	}
	w, at := c.Word()
	addr, ok := kd.ParseAddr(w)
	if !ok {
		return false
	}
	p := Printed{addr, l.Ref(at, len(w))}
	if before {
		return r.debug(p, l)
	}
	symbol := ""
	if rest, _ := c.Rest(); strings.HasPrefix(rest, "(") {
		symbol, _, _ = strings.Cut(rest[1:], ")")
	}
	info := r.debugInfo
	r.begin(csBlock, "!cs")
	r.newSection(p, symbol, l)
	r.section.DebugInfo = info
	return true
}

// debug reads the address of the debug information: behind a section it belongs
// to that, unless it has one already.
func (r *Reader) debug(p Printed, l kd.Line) bool {
	if r.open == csBlock && r.section != nil && !r.section.DebugInfo.Known() && r.section.Locked == Unknown {
		r.section.DebugInfo, r.section.EndLine = p, l.Last()
		r.command = "!cs"
		return true
	}
	r.begin(csBlock, "!cs")
	r.debugInfo = p
	return true
}

// sectionLine reads the fields of a critical section; !cs sets a sign between
// name and value.
//
//	LockCount          2
//	OwningThread       = 0x00000dd8
func (r *Reader) sectionLine(l kd.Line) bool {
	s := r.section
	switch {
	case s == nil:
		return false
	case l.Text == "LOCKED", l.Text == "*** Locked":
		s.Locked = Yes
	case l.Text == "NOT LOCKED":
		s.Locked = No
	case r.open == critSecBlock && strings.HasPrefix(l.Text, "Scanned ") && strings.HasSuffix(l.Text, "critical sections"):
		r.section = nil
		r.endList()
		return true
	case r.open == csBlock && strings.Trim(l.Text, "-") == "":
	case r.open == csBlock && strings.HasPrefix(l.Text, "Stack trace for DebugInfo ="), r.open == csBlock && initFrame(l.Text):
	case !r.sectionField(l):
		return false
	}
	s.EndLine = max(s.EndLine, l.Last())
	r.command = "!locks"
	if r.open == csBlock {
		r.command = "!cs"
	}
	return true
}

// initFrame reports whether a line is of the stack that initialised a section:
//
//	0x6A2137BD: ntdll!RtlInitializeCriticalSectionAndSpinCount+0x9B
func initFrame(text string) bool {
	addr, symbol, ok := strings.Cut(text, ": ")
	return ok && strings.HasPrefix(addr, "0x") && kd.AddrDigits(addr) >= 8 && strings.Contains(symbol, "!")
}

func (r *Reader) sectionField(l kd.Line) bool {
	s := r.section
	c := kd.Cursor{Text: l.Text}
	name, _ := c.Word()
	base := 10
	if r.open == csBlock {
		if !c.Take("=") {
			return false
		}
		base = 16
	}
	rest, at := c.Rest()
	rest = withoutRemark(rest)
	switch name {
	case "LockCount":
		if rest == "NOT LOCKED" {
			s.Locked = No
			return true
		}
		return number(&s.Lock, rest, at, base, l)
	case "RecursionCount":
		return number(&s.Recursion, rest, at, base, l)
	case "EntryCount":
		return number(&s.Entry, rest, at, base, l)
	case "ContentionCount":
		return number(&s.Contention, rest, at, base, l)
	case "OwningThread":
		return number(&s.Owner, rest, at, 16, l)
	case "WaiterWoken":
		s.WaiterWoken = flag(rest)
		return s.WaiterWoken != Unknown
	case "LockSemaphore", "SpinCount":
		return kd.AddrDigits(rest) > 0
	}
	return false
}

// withoutRemark takes off what an author wrote behind a value.
func withoutRemark(s string) string {
	for _, sign := range []string{" //", " <", " ;", " \u00df"} {
		if at := strings.Index(s, sign); at > 0 {
			s, _ = kd.TrimBlanks(s[:at])
		}
	}
	return s
}

// number reads a count in a base; in base 16 it may begin with 0x.
func number(into *Number, w string, at, base int, l kd.Line) bool {
	digits := w
	if base == 16 {
		digits = strings.TrimPrefix(strings.TrimPrefix(w, "0x"), "0X")
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		if n, err = strconv.ParseUint(digits, 16, 64); err != nil {
			return false
		}
	}
	*into = Number{n, l.Ref(at, len(w))}
	return true
}
