package objects

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// Mutex is a fast or guarded mutex as dt shows it. Fields are told by their
// names, which are those of Microsoft's public symbols: where they lie depends
// on the processor and the version.
type Mutex struct {
	Addr    kd.Addr
	Guarded bool // the type is _KGUARDED_MUTEX; one of Windows 8 and later is a _FAST_MUTEX, too
	// Owner is the thread that holds it, as printed; 0 is nobody.
	Owner Printed
	// Free is Yes when Count is 1, as ExInitializeFastMutex sets it in wdm.h
	// (Windows Driver Kit): nobody holds it or waits for it.
	Free Flag
	At   kd.Ref // where its address was typed
	// Conflict says on what two prints of the mutex disagree, "" if they do not.
	Conflict string
}

// ResourceFields are the fields of an ERESOURCE that dt shows and !locks does
// not.
type ResourceFields struct {
	Addr kd.Addr
	// Shared and Exclusive are SharedWaiters and ExclusiveWaiters: a semaphore and
	// an event before Windows 10, which are 0 before anybody had to wait; in
	// Windows 10 where the waiters are chained up.
	Shared, Exclusive Printed
	// Objects is set when no type that was printed with them is another than
	// _KSEMAPHORE and _KEVENT.
	Objects  bool
	At       kd.Ref // where its address was typed
	Conflict string
}

// dtCommand is what a dt command asks for.
type dtCommand struct {
	kind    dtKind
	guarded bool
	addr    Printed // unknown if it names no object by its address
}

// dtKind is a type of which dt's output is read.
type dtKind uint8

const (
	noType dtKind = iota
	mutexType
	resourceType
)

// dtTypes are the types by their names without the underscore before them.
var dtTypes = []struct {
	name string
	dtCommand
}{
	{"FAST_MUTEX", dtCommand{kind: mutexType}},
	{"KGUARDED_MUTEX", dtCommand{kind: mutexType, guarded: true}},
	{"ERESOURCE", dtCommand{kind: resourceType}},
}

// parseDt reads a dt command that asks for one of the types, in the forms that
// Microsoft documents (dt (Display Type)). The address counts only if all of the
// command is understood: an expression has another value.
//
//	dt nt!_FAST_MUTEX ffffe00112345660
//	dt -r1 _ERESOURCE 0xffffe001`12345640 SharedWaiters ExclusiveWaiters
//	dt ffffe00112345660 mydrv!_FAST_MUTEX
func parseDt(command string, at kd.Ref) (dtCommand, bool) {
	c := kd.Cursor{Text: command}
	if !c.Take("dt") {
		return dtCommand{}, false
	}
	var out dtCommand
	var addr Printed
	plain := true
	for w, _ := c.Word(); w != ""; w, _ = c.Word() {
		a, full := kd.ParseFullAddr(w)
		t := typeOf(w)
		switch {
		case w[0] == '-':
			plain = plain && layoutOnly(w)
		case full:
			plain = plain && !addr.Known()
			addr = Printed{a, at}
		case t.kind != noType && out.kind == noType:
			out = t
		default:
			plain = plain && isField(w)
		}
	}
	if plain && addr.Addr != 0 {
		out.addr = addr
	}
	return out, out.kind != noType
}

func typeOf(w string) dtCommand {
	if at := strings.LastIndexByte(w, '!'); at >= 0 {
		w = w[at+1:]
	}
	w = strings.TrimPrefix(w, "_")
	for _, t := range dtTypes {
		if strings.EqualFold(w, t.name) {
			return t.dtCommand
		}
	}
	return dtCommand{}
}

// layoutOnly reports whether an option of dt changes no more than how the fields
// are laid out: with -l it follows a list, with -p the address is a physical one.
func layoutOnly(w string) bool { return strings.Trim(w, "-rbdeintvyV0123456789") == "" }

// isField reports whether a word may name a field.
func isField(w string) bool {
	for i := 0; i < len(w); i++ {
		switch c := w[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '.' || c == '*'):
		default:
			return false
		}
	}
	return true
}

// dtReader is what is open of the output of dt.
type dtReader struct {
	typed    dtCommand // until its output begins
	mutex    *Mutex
	resource *ResourceFields
}

// PrintsFields tells the reader that a command was typed which prints the fields
// of a type, dt or another one. Where several were typed on one line, it is not
// known whose fields are printed.
func (r *Reader) PrintsFields(command string, at kd.Ref) {
	r.fieldCommands++
	r.dt.typed, _ = parseDt(command, at)
	if r.fieldCommands > 1 {
		r.dt.typed.addr = Printed{}
	}
}

// dtHead reads the command where it stands in the output: no prompt came with it,
// or !mex.ddt printed it above the fields. That of another type ends the fields
// before it.
//
//	dt nt!_FAST_MUTEX ffff9bb88433ef70 () Recursive: [ -r1 -r2 -r ] Verbose Normal dt
func (r *Reader) dtHead(l kd.Line) bool {
	command, _, _ := strings.Cut(l.Text, " () ")
	t, ok := parseDt(command, l.All())
	if !ok {
		if r.open == dtBlock && strings.HasPrefix(l.Text, "dt ") {
			r.close()
		}
		return false
	}
	r.begin(noBlock, "dt")
	r.dt.typed = t
	return true
}

// dtLine reads a field. That of a type without an address has no value.
//
//	+0x008 Owner            : 0xffffe001`0b004080 Void
//	+0x008 Owner            : Ptr64 Void
func (r *Reader) dtLine(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	offset, _ := c.Word()
	name, _ := c.Word()
	if !strings.HasPrefix(offset, "+0x") || kd.AddrDigits(offset[1:]) == 0 || !c.Take(":") {
		return false
	}
	if r.dt.typed.kind != noType {
		r.dtBegin()
	} else if r.open != dtBlock {
		return false
	}
	r.command = "dt"
	w, at := c.Word()
	value, ok := printed(w, at, l)
	if w == "(null)" {
		value, ok = Printed{At: l.Ref(at, len(w))}, true
	}
	switch {
	case r.dt.mutex != nil:
		r.mutexField(name, w, value, ok)
	case r.dt.resource != nil:
		r.resourceField(name, c.Peek(), value, ok)
	}
	return true
}

// dtOther takes a line between the fields that is none.
func (r *Reader) dtOther(l kd.Line) bool {
	if !strings.HasPrefix(l.Text, "Memory read error ") {
		return false
	}
	r.command = "dt"
	return true
}

// dtBegin opens the object whose first field comes.
func (r *Reader) dtBegin() {
	t := r.dt.typed
	r.begin(dtBlock, "dt")
	switch {
	case !t.addr.Known():
	case t.kind == mutexType:
		r.dt.mutex = &Mutex{Addr: t.addr.Addr, Guarded: t.guarded, At: t.addr.At}
		r.out.Mutexes = append(r.out.Mutexes, r.dt.mutex)
	case t.kind == resourceType:
		r.dt.resource = &ResourceFields{Addr: t.addr.Addr, Objects: true, At: t.addr.At}
		r.out.Resources = append(r.out.Resources, r.dt.resource)
	}
}

// mutexField takes a field of a mutex. The first of a name is its own: those of
// what it contains come later.
func (r *Reader) mutexField(name, word string, value Printed, ok bool) {
	m := r.dt.mutex
	switch {
	case name == "Owner" && ok && !m.Owner.Known():
		m.Owner = value
	case name == "Count" && m.Free == Unknown:
		if n, err := strconv.ParseInt(strings.TrimPrefix(word, "0n"), 0, 64); err == nil {
			m.Free = No
			if n == 1 {
				m.Free = Yes
			}
		}
	}
}

func (r *Reader) resourceField(name, typ string, value Printed, ok bool) {
	f := r.dt.resource
	into := &f.Shared
	switch name {
	case "SharedWaiters":
	case "ExclusiveWaiters":
		into = &f.Exclusive
	default:
		return
	}
	if ok && !into.Known() {
		*into = value
		f.Objects = f.Objects && (value.Addr == 0 || typ == "_KSEMAPHORE" || typ == "_KEVENT")
	}
}

func (m *Mutex) mapAddrs(f func(kd.Addr) kd.Addr) {
	m.Addr = f(m.Addr)
	mapAll(f, &m.Owner)
}

func (r *ResourceFields) mapAddrs(f func(kd.Addr) kd.Addr) {
	r.Addr = f(r.Addr)
	mapAll(f, &r.Shared, &r.Exclusive)
}
