package dump

import (
	"errors"

	"kdlocks/dump/unwind"
)

var (
	errNoModule   = errors.New("it leads to an address that is in no module")
	errNoImage    = errors.New("the headers of a module are not in the dump")
	errNoFunction = errors.New("it leads to an address that the function table of its module does not have")
	errTooMany    = errors.New("too many frames were unwound already")
	errRuns       = errors.New("it runs, and its registers are not in the dump")
	errNoFrame    = errors.New("no return address was found on it")
)

// mostScanned bounds what is searched in a whole dump, in words of 8 bytes: stacks of a
// damaged dump could all be searched to their ends.
const mostScanned = 1 << 23

// search goes up the segment of a stack that an address is in, to the next return address.
func (d *Dump) search(t *Thread, at uint64) (r unwind.Registers, ok bool) {
	at = (at + 7) &^ 7
	end := t.Base
	if at < t.Limit || at >= t.Base {
		end = at&^(pageSize-1) + 16*pageSize // of an earlier segment, no more than it may have
	}
	for ; at < end; at += 8 {
		if d.scanned++; d.scanned > mostScanned {
			return r, false
		}
		v, err := d.mem.u64(at)
		if err != nil {
			return r, false
		}
		if kernelAddress(v) && d.called(v) {
			r = unwind.Registers{RIP: v, Known: 1 << rsp}
			r.R[rsp] = at + 8
			return r, true
		}
	}
	return r, false
}

// called reports whether an address lies in the code of a module, behind a call. Where the
// code is not in the dump, an address within a function will do.
func (d *Dump) called(va uint64) bool {
	m := d.module(va)
	if m == nil || m.image == nil {
		return false
	}
	rva := uint32(va - m.Base)
	if s, ok := m.image.Section(rva); !ok || !s.Executable {
		return false
	}
	var b [7]byte
	if d.mem.ReadVirtual(b[:], va-uint64(len(b))) != nil || b == [7]byte{} {
		_, ok, err := m.image.Function(rva)
		return ok && err == nil
	}
	return endsInCall(b[:])
}

// endsInCall reports whether the last bytes before a return address can be a call: E8 with
// an offset of 4 bytes, or FF /2 with a register or memory (Intel SDM volume 2, CALL).
func endsInCall(b []byte) bool {
	n := len(b)
	if b[n-5] == 0xe8 {
		return true
	}
	for size := 2; size <= 7; size++ {
		if b[n-size] == 0xff && b[n-size+1]>>3&7 == 2 {
			return true
		}
	}
	return false
}
