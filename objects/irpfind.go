package objects

import (
	"strings"

	"kdlocks/kd"
)

// findHead reads the lines around the rows of !irpfind (Windows Internals, 7th
// edition, part 1, chapter 6; Microsoft's documentation of the command):
//
//	Scanning large pool allocation table for Tag 'Irp?' (fffffa801a333000 : fffffa801a3f3000)
//	Irp            [ Thread ]         irpStack: (Mj,Mn)   DevObj          [Driver]         MDL Process
//	Searching NonPaged pool (8090c000 : 8131e000) for Tag: Irp
func (r *Reader) findHead(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	switch {
	case c.Take("Irp [Thread ] irpStack:"), c.Take("Irp [ Thread ] irpStack:"), c.Take("Irp [Thread] irpStack:"):
	case (c.Take("Scanning large pool") || c.Take("Searching NonPaged pool") || c.Take("Searching Paged pool")) && strings.Contains(l.Text, "Irp"):
	default:
		return false
	}
	r.keepFinding()
	r.inList(AllIRPs, false)
	return true
}

// keepFinding opens the table, or goes on with it.
func (r *Reader) keepFinding() {
	if r.open != findBlock {
		r.begin(findBlock, "!irpfind")
	}
	r.command, r.unclosed = "!irpfind", false
}

// findRow reads a row of !irpfind:
//
//	fffffa8019c22950 [fffffa801b27bb50] irpStack: ( e,20)  fffffa80198ae9a0 [ \Driver\AFD] 0xfffffa801aa034a0
//	fffffa801922d430 [0000000000000000] Irp is complete (CurrentLocation 3 > StackCount 2) 0xfffff80000000003
//	8097c008 Thread 8094d900 current stack belongs to  \Driver\symc810
func (r *Reader) findRow(l kd.Line) bool {
	at := strings.IndexAny(l.Text[:min(len(l.Text), 20)], " \t")
	if at < 8 || at > 17 {
		return false
	}
	c := kd.Cursor{Text: l.Text, Pos: at}
	second := c.Peek()
	if second == "" || second[0] != '[' && second != "Thread" {
		return false
	}
	addr, ok := printed(l.Text[:at], 0, l)
	if !ok {
		return false
	}
	i := &IRP{Addr: addr.Addr, AddrAt: addr.At, Row: true, Stacks: -1, Current: -1, At: l.All(), EndLine: l.Last()}
	c.Word()
	if second == "Thread" {
		ok = i.oldRow(&c, l)
	} else {
		ok = i.row(&c, second, l)
	}
	if !ok {
		return false
	}
	r.keepFinding()
	r.unclosed = strings.Contains(l.Text, "[00000000:") && !strings.HasSuffix(l.Text, "]")
	r.out.IRPs = append(r.out.IRPs, i)
	if r.whole.Of == AllIRPs && r.whole.begun { // else its beginning is missing
		r.whole.found = true
	}
	return true
}

// row reads what stands behind the address and before the thread's bracket.
func (i *IRP) row(c *kd.Cursor, second string, l kd.Line) bool {
	w, at := second, c.Pos-len(second)
	if w == "[" {
		w, at = c.Word()
	} else {
		w, at = w[1:], at+1
	}
	closed := strings.HasSuffix(w, "]")
	w = strings.TrimSuffix(w, "]")
	thread, ok := printed(w, at, l)
	if !ok || !closed && !c.Take("]") {
		return false
	}
	i.Thread = thread
	if c.Take("Irp is complete") {
		i.Complete = true
		return true
	}
	if !c.Take("irpStack:") {
		return false
	}
	rest, off := c.Rest()
	codes, behind, ok := strings.Cut(rest, ")")
	major, minor, ok2 := strings.Cut(strings.TrimPrefix(codes, "("), ",")
	if !ok || !ok2 || codes[0] != '(' {
		return false
	}
	loc := Location{Current: true, At: l.All()}
	if _, loc.Major, ok = functionCode(major); !ok {
		return false
	}
	if _, loc.Minor, ok = functionCode(minor); !ok {
		return false
	}
	d := kd.Cursor{Text: l.Text, Pos: off + len(rest) - len(behind)}
	dev, devAt := d.Word()
	if loc.Device, ok = printed(dev, devAt, l); !ok {
		return false
	}
	i.rowDriver(&d, &loc, l)
	i.Locations = []Location{loc}
	return true
}

// rowDriver reads "[ \Driver\AFD] 0xfffffa801aa034a0".
func (i *IRP) rowDriver(c *kd.Cursor, loc *Location, l kd.Line) {
	rest, _ := c.Rest()
	name, behind, ok := strings.Cut(rest, "]")
	if !ok || name == "" || name[0] != '[' {
		return
	}
	if name, _ = kd.TrimBlanks(name[1:]); strings.HasPrefix(name, `\`) {
		loc.Driver = name
	}
	c.Pos = len(l.Text) - len(behind)
	w, at := c.Word()
	i.MdlProcess, ok = printed(w, at, l)
	if !ok {
		i.MdlProcess = Printed{}
	}
}

// oldRow reads a row of Windows 2000 behind the word Thread.
func (i *IRP) oldRow(c *kd.Cursor, l kd.Line) bool {
	w, at := c.Word()
	thread, ok := printed(w, at, l)
	if !ok || !c.Take("current stack belongs to") {
		return false
	}
	i.Thread = thread
	driver, _ := c.Rest()
	i.Locations = []Location{{Major: -1, Minor: -1, Current: true, Driver: driver, At: l.All()}}
	return true
}

// findEnd reads the bracket that closes a row whose device could not be read.
func (r *Reader) findEnd(l kd.Line) bool {
	if !r.unclosed || l.Text != "]" {
		return false
	}
	r.unclosed = false
	return true
}
