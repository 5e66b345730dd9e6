package locks

import (
	"strings"

	"kdlocks/kd"
)

// mexHead reads the first line of !mex.eresource:
//
//	nt!_ERESOURCE @ ffffdf9a8ce68448 [verbose]
func mexHead(l kd.Line) *Resource {
	c := kd.Cursor{Text: l.Text}
	if !c.Take("nt!_ERESOURCE @") {
		return nil
	}
	w, _ := c.Word()
	addr, ok := kd.ParseFullAddr(w)
	if !ok {
		return nil
	}
	return &Resource{Addr: addr, Extension: Mex, At: l.All()}
}

// mexLine reads the lines below it:
//
//	Contention count: 1
//	Exclusive owner:
//	    Process Thread             Time Wait Function
//	    ======= ================ ====== ==================================
//	    System  ffffdf9a87a30040 2s.343 TestDriver!FileDeletionThread+0x38
//	Exclusive Waiters: 0
func (r *Reader) mexLine(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	switch {
	case c.Take("Contention count:"):
		r.count(&c, l, &r.cur.Contention, 10)
		return true
	case r.section(&c):
		w, at := c.Word()
		r.listCount(w, l.Ref(at, len(w)))
		r.table = false
		return true
	case r.list != noList && c.Take("Process Thread"):
		r.table = true
		return true
	case !r.table:
		return false
	case strings.Trim(l.Text, "= ") == "":
		return true
	}
	for w, at := c.Word(); w != ""; w, at = c.Word() {
		if a, ok := kd.ParseFullAddr(w); ok && at > 0 && a.IsKernel(kd.ArchUnknown) {
			return r.item(a, l.Ref(at, len(w)))
		}
	}
	return false
}
