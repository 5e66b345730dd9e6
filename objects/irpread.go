package objects

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// irpFirst is the first line of !irp.
type irpFirst struct {
	stacks, current int
	location        kd.Addr
	digits          int // of location as printed
	at, size        int // of location, in bytes of the line
	complete        bool
}

// irpHead reads the first line of !irp (Microsoft's documentation of the
// command; of Windows 2000 to 11 alike):
//
//	Irp is active with 2 stacks 1 is current (= 0xac598e38)
func (r *Reader) irpHead(l kd.Line) bool {
	h, ok := readIRPHead(l.Text)
	if !ok {
		return false
	}
	r.openIRP(h, l)
	return true
}

// irpBeheaded reads the second or third line of !irp where the first was left
// out. What was typed tells the IRP.
func (r *Reader) irpBeheaded(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	switch l.Text[0] {
	case 'c':
		if !c.Take(irpHeads) {
			return false
		}
	case 'N', 'M':
		if !c.Take("No Mdl:") && !c.Take("No Mdl") && !c.Take("Mdl =") && !strings.HasPrefix(l.Text, "Mdl=") || !strings.HasSuffix(l.Text, "Irp stack trace.") {
			return false
		}
	default:
		return false
	}
	r.openIRP(irpFirst{stacks: -1, current: -1}, l)
	return r.irpLine(l)
}

func (r *Reader) openIRP(h irpFirst, l kd.Line) {
	r.begin(irpBlock, "!irp")
	i := &IRP{Stacks: h.stacks, Current: h.current, Complete: h.complete, At: l.All(), EndLine: l.Last()}
	derived := fromLocation(h.location, h.current, h.digits)
	if h.digits > 0 {
		i.Location = Printed{h.location, l.Ref(h.at, h.size)}
	}
	typed := r.typed
	r.typed = Printed{}
	switch {
	case !typed.Known():
		i.Addr = derived
	case derived != 0 && derived != typed.Addr && derived.Fold() != typed.Addr.Fold():
		r.note(l.All(), "!irp was typed with %x, but its current stack location is that of an IRP at %x: whose it is stays unknown", uint64(typed.Addr), uint64(derived))
	default:
		i.Addr, i.AddrAt = typed.Addr, typed.At
	}
	r.irp, r.device = i, false
}

// irpHeads are the column heads of !irp.
const irpHeads = "cmd flg cl Device"

func readIRPHead(text string) (irpFirst, bool) {
	h := irpFirst{current: -1}
	c := kd.Cursor{Text: text}
	if !c.Take("Irp is active with") {
		return h, false
	}
	w, _ := c.Word()
	n, err := strconv.ParseUint(w, 10, 16)
	if err != nil || !c.Take("stacks") {
		return h, false
	}
	h.stacks = int(n)
	w = c.Peek()
	if n, err := strconv.ParseUint(w, 10, 16); err == nil {
		c.Word()
		if rest, _ := c.Rest(); !c.Take("is current") && !strings.HasPrefix(rest, "is complete") {
			return h, false
		}
		h.current = int(n)
	}
	rest, at := c.Rest()
	h.complete = strings.Contains(rest, "is complete")
	if body, ok := strings.CutPrefix(rest, "(="); ok {
		body, blanks := kd.TrimBlanks(body)
		body, _, _ = strings.Cut(body, ")")
		a, ok := kd.ParseFullAddr(body)
		if ok {
			h.location, h.digits, h.at, h.size = a, kd.AddrDigits(body), at+2+blanks, len(body)
		}
	}
	// A location behind the last one is that of nobody: all drivers are done.
	h.complete = h.complete || h.current > h.stacks
	return h, true
}

// irpLine reads what follows the first line.
func (r *Reader) irpLine(l kd.Line) bool {
	i := r.irp
	c := kd.Cursor{Text: l.Text}
	ok := true
	words := r.words
	r.words = false
	switch first := l.Text[0]; {
	case words && r.locationWords(l.Text) == "":
	case first == '[', first == '>':
		ok = r.location(l)
	case c.Take("No Mdl"), c.Take("No Mdl:"), kd.HasPrefixFold(l.Text, "Mdl"):
		ok = r.irpSecond(l)
	case c.Take(irpHeads):
	case c.Take("Args:"):
		ok = r.args(&c)
	case first == '\\':
		ok = r.driver(l)
	case c.Take("Irp Extension present at"):
	case '0' <= first && first <= '9' || 'a' <= first && first <= 'f':
		if ok = r.device; ok {
			ok = r.deviceLine(l, 0)
		}
	default:
		ok = r.irpDetail(l)
	}
	if ok {
		i.EndLine = max(i.EndLine, l.Last())
		r.command = "!irp"
	}
	return ok
}

// irpSecond reads the line behind the first. The words are those of several
// versions (Microsoft's documentation of !irp and of bug check 0x76; MSDN
// Magazine, February 2009; winfsp/winfsp issue 246):
//
//	No Mdl: No System Buffer: Thread 8d1c7bc0:  Irp stack trace.
//	Mdl = 86041108 Thread 8a613768: Irp stack trace.
//	Mdl = 81861788 System buffer = ffa59220 Thread 00000000:  Irp stack trace.
//	Mdl=fffffa8010620010: No System Buffer: Thread fffff800044abb20:  Irp is completed.  Pending has been returned
func (r *Reader) irpSecond(l kd.Line) bool {
	i := r.irp
	at := strings.Index(l.Text, "Thread ")
	if at < 0 {
		return false
	}
	c := kd.Cursor{Text: l.Text, Pos: at}
	c.Word()
	w, wat := c.Word()
	w = strings.TrimSuffix(w, ":")
	thread, ok := printed(w, wat, l)
	if !ok {
		return false
	}
	i.Thread = thread
	before := l.Text[:at]
	i.Mdl = named(before, "mdl", l)
	i.Buffer = named(before, "system buffer", l)
	rest := l.Text[at:]
	i.Complete = i.Complete || strings.Contains(rest, "Irp is completed")
	i.PendingReturned = strings.Contains(rest, "Pending has been returned")
	if strings.Contains(strings.ToUpper(rest), "CANCELLED") {
		i.Cancelled = Yes
	}
	return true
}

// named reads "Mdl = 86041108", "Mdl=..." and "No Mdl" in the first bytes of a
// line.
func named(text, name string, l kd.Line) Printed {
	at := 0 // lowering the text would move places behind bytes that are no UTF-8
	for at < len(text) && !kd.HasPrefixFold(text[at:], name) {
		at++
	}
	if at == len(text) {
		return Printed{}
	}
	if before, ok := strings.CutSuffix(text[:at], " "); ok && kd.HasPrefixFold(before[max(0, len(before)-2):], "no") {
		return Printed{At: l.Ref(at-3, 3+len(name))}
	}
	c := kd.Cursor{Text: text, Pos: at + len(name)}
	rest, from := c.Rest()
	if !strings.HasPrefix(rest, "=") {
		return Printed{}
	}
	c.Pos = from + 1
	w, from := c.Word()
	p, ok := printed(strings.TrimSuffix(w, ":"), from, l)
	if !ok {
		return Printed{}
	}
	return p
}

// location reads the beginning of a stack location, and what stands behind it
// up to Windows 7:
//
//	>[IRP_MJ_FILE_SYSTEM_CONTROL(d), N/A(0)]
//	>[  e, 0]   1  1 81a883c8 81ae6158 00000000-00000000    pending
func (r *Reader) location(l kd.Line) bool {
	text, marked := strings.CutPrefix(l.Text, ">")
	off := len(l.Text) - len(text)
	text, blanks := kd.TrimBlanks(text)
	off += blanks
	inside, rest, ok := strings.Cut(text, "]")
	if !ok || inside == "" || inside[0] != '[' {
		return false
	}
	major, minor, ok := strings.Cut(inside[1:], ",")
	if !ok {
		return false
	}
	loc := Location{Current: marked, At: l.All()}
	if loc.MajorName, loc.Major, ok = functionCode(major); !ok {
		return false
	}
	if loc.MinorName, loc.Minor, ok = functionCode(minor); !ok {
		return false
	}
	const most = 0xff // IRPs have no more: StackCount is a byte (wdm.h)
	if len(r.irp.Locations) > most {
		return false
	}
	r.irp.Locations = append(r.irp.Locations, loc)
	r.device = true
	if t, _ := kd.TrimBlanks(rest); t != "" {
		return r.deviceLine(l, off+len(inside)+1)
	}
	return true
}

// functionCode reads "IRP_MJ_READ(3)", "N/A(0)" or "e".
func functionCode(s string) (name string, code int, ok bool) {
	s, _ = kd.TrimBlanks(s)
	if n, rest, has := strings.Cut(s, "("); has {
		name, s = n, strings.TrimSuffix(rest, ")")
	}
	v, err := strconv.ParseUint(s, 16, 8)
	if name == "N/A" {
		name = ""
	}
	return name, int(v), err == nil
}

// deviceLine reads what a stack location holds, from byte from of the line:
//
//	1 e1 8a6434d8 ac598d40 853220cb-a89682d8 Success Error Cancel pending
func (r *Reader) deviceLine(l kd.Line, from int) bool {
	c := kd.Cursor{Text: l.Text, Pos: from}
	flg, _ := c.Word()
	cl, _ := c.Word()
	flags, err1 := strconv.ParseUint(flg, 16, 16)
	control, err2 := strconv.ParseUint(cl, 16, 16)
	dev, devAt := c.Word()
	file, fileAt := c.Word()
	pair, _ := c.Word()
	device, ok1 := printed(dev, devAt, l)
	object, ok2 := printed(file, fileAt, l)
	first, second, ok3 := strings.Cut(pair, "-")
	routine, ok4 := kd.ParseFullAddr(first)
	context, ok5 := kd.ParseFullAddr(second)
	if err1 != nil || err2 != nil || !ok1 || !ok2 || !ok3 || !ok4 || !ok5 {
		return false
	}
	loc := r.last()
	loc.Flags, loc.Control, loc.Device, loc.File = uint32(flags), uint32(control), device, object
	loc.Completion, loc.Context = routine, context
	loc.Success, loc.Error, loc.Cancel = control&invokeOnSuccess != 0, control&invokeOnError != 0, control&invokeOnCancel != 0
	loc.Pending = No
	if control&pendingReturned != 0 {
		loc.Pending = Yes
	}
	r.device, r.words = false, true
	rest, _ := c.Rest()
	if rest = r.locationWords(rest); rest != "" && rest[0] != '<' && !strings.HasPrefix(rest, "//") {
		r.note(l.Ref(len(l.Text)-len(rest), len(rest)), "not understood behind a stack location of !irp: %q", kd.Clip(rest))
	}
	return true
}

// locationWords takes the words that say what the bits of a stack location mean,
// and returns what stands behind them. A narrow window puts them on a line of
// their own.
func (r *Reader) locationWords(text string) string {
	c := kd.Cursor{Text: text}
	for {
		w, at := c.Word()
		switch w {
		case "Success", "Error", "Cancel":
		case "pending":
			r.last().Pending = Yes
		case "":
			return ""
		default:
			return text[at:]
		}
	}
}

func (r *Reader) last() *Location { return &r.irp.Locations[len(r.irp.Locations)-1] }

// driver reads the driver of the stack location and its completion routine:
//
//	\FileSystem\Npfs fltmgr!FltpPassThroughCompletion
func (r *Reader) driver(l kd.Line) bool {
	if len(r.irp.Locations) == 0 || r.last().Driver != "" {
		return false
	}
	name, routine := l.Text, ""
	if at := strings.LastIndexAny(name, " \t"); at >= 0 {
		if w := name[at+1:]; strings.Contains(w, "!") || strings.Contains(w, "+0x") {
			routine = w
			name, _ = kd.TrimBlanks(name[:at])
		}
	}
	loc := r.last()
	loc.Driver, loc.Routine = name, routine
	return true
}

// args reads the four arguments of a stack location.
func (r *Reader) args(c *kd.Cursor) bool {
	if len(r.irp.Locations) == 0 || r.last().Args != nil {
		return false
	}
	var out []kd.Addr
	for w, _ := c.Word(); w != "" && len(out) < 4; w, _ = c.Word() {
		a, ok := kd.ParseAddr(w)
		if !ok {
			break
		}
		out = append(out, a)
	}
	r.last().Args = out
	return len(out) > 0
}

// details are the fields that !irp prints with details, and the beginnings of
// the others (winfsp/winfsp issues 246 and 469).
var details = []string{
	"Flags = ", "ThreadListEntry.", "IoStatus.Information = ", "RequestorMode = ", "CancelIrql = ", "ApcEnvironment = ",
	"UserIosb = ", "UserEvent = ", "Overlay.", "UserBuffer = ", "&Tail.Overlay.", "Tail.",
}

func (r *Reader) irpDetail(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	switch {
	case c.Take("IoStatus.Status ="):
		w, at := c.Word()
		r.irp.Status, _ = printed(w, at, l)
		return true
	case c.Take("CancelRoutine ="):
		w, at := c.Word()
		r.irp.CancelRoutine, _ = printed(w, at, l)
		return true
	case c.Take("Cancel ="):
		switch w, _ := c.Word(); w {
		case "00":
			r.irp.Cancelled = No
		case "01":
			r.irp.Cancelled = Yes
		}
		return true
	}
	for _, d := range details {
		if strings.HasPrefix(l.Text, d) {
			return true
		}
	}
	return false
}

// closeIRP keeps the IRP that is open.
func (r *Reader) closeIRP() {
	i := r.irp
	if i == nil {
		return
	}
	r.irp, r.device = nil, false
	r.out.IRPs = append(r.out.IRPs, i)
	marked, marks := -1, 0
	for n := range i.Locations {
		if i.Locations[n].Current {
			marked, marks = n, marks+1
		}
	}
	switch {
	case i.Stacks < 0:
	case len(i.Locations) > i.Stacks:
		i.Conflict = "more stack locations are listed than it has"
	case marks == 1 && len(i.Locations) == i.Stacks && i.Current > 0 && marked != i.Current-1:
		i.Conflict = "another stack location is marked than the one that is said to be current"
	}
	if i.Conflict != "" {
		r.note(i.At, "!irp: %s: which driver has the IRP stays unknown", i.Conflict)
	}
}
