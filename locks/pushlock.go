package locks

import (
	"strings"

	"kdlocks/kd"
)

// PushLock is a push lock as dt or !mex.ddt shows it. It names no owner: the
// type has no such field.
type PushLock struct {
	Addr kd.Addr
	// Locked, Waiting and MultipleShared are the bits as printed; what was not
	// printed is missing.
	Bits map[string]bool
	At   kd.Ref
}

// pushLockLine reads
//
//	dt nt!_EX_PUSH_LOCK ffff9bb88433ef70 () Recursive: [ -r1 -r2 -r ] Verbose Normal dt
//	   +0x000 Locked               : 0y1
//	   +0x000 Waiting              : 0y1
func (r *Reader) pushLockLine(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	switch {
	case l.Text[0] == 'd' && c.Take("dt nt!_EX_PUSH_LOCK"):
		w, at := c.Word()
		addr, ok := kd.ParseFullAddr(w)
		if !ok {
			return false
		}
		r.Break()
		r.PushLock(addr, l.Ref(at, len(w)))
		return true
	case !r.pushLock:
		return false
	case strings.Trim(l.Text, "= ") == "":
		return true
	case !strings.HasPrefix(l.Text, "+0x000 "):
		return false
	}
	c.Word()
	name, _ := c.Word()
	if !c.Take(":") {
		return false
	}
	if bit, _ := c.Word(); bit == "0y0" || bit == "0y1" {
		p := &r.out.PushLocks[len(r.out.PushLocks)-1]
		p.Bits[name] = bit == "0y1"
	}
	return true
}

// PushLock tells the reader that the fields of a push lock follow.
func (r *Reader) PushLock(addr kd.Addr, at kd.Ref) {
	r.pushLock = true
	r.out.PushLocks = append(r.out.PushLocks, PushLock{Addr: addr, Bits: map[string]bool{}, At: at})
}
