package locks

import (
	"strconv"

	"kdlocks/kd"
)

// windeHead reads the first line of a block of !WinDE.blocks:
//
//	Blocking Lock 3 - nt!_ERESOURCE 0xffff988d8eb65e10
func windeHead(l kd.Line) *Resource {
	c := kd.Cursor{Text: l.Text}
	if !c.Take("Blocking Lock") {
		return nil
	}
	if n, _ := c.Word(); !isCount(n) || !c.Take("- nt!_ERESOURCE") {
		return nil
	}
	w, _ := c.Word()
	addr, ok := kd.ParseFullAddr(w)
	if !ok {
		return nil
	}
	return &Resource{Addr: addr, Extension: WinDE, At: l.All()}
}

func isCount(w string) bool {
	_, err := strconv.ParseUint(w, 10, 31)
	return err == nil
}

// windeLine reads the lines below it: the lists with their counts, and rows
// that name process, image and the command that shows the thread:
//
//	1 Exclusive Owner:
//	    0004 System 1 !t ffff988d`9a2f0040
func (r *Reader) windeLine(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	if n, at := c.Word(); isCount(n) && r.section(&c) {
		r.listCount(n, l.Ref(at, len(n)))
		return true
	}
	if r.list == noList {
		return false
	}
	c.Pos = 0
	pid, _ := c.Word()
	if kd.AddrDigits(pid) == 0 {
		return false
	}
	for w, _ := c.Word(); w != ""; w, _ = c.Word() {
		if w != "!t" && w != "!mex.t" && w != "!thread" {
			continue
		}
		w, at := c.Word()
		if a, ok := kd.ParseFullAddr(w); ok {
			return r.item(a, l.Ref(at, len(w)))
		}
	}
	return false
}
