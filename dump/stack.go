package dump

import (
	"kdlocks/dump/unwind"
)

// Frame is a frame of a kernel stack, as kv prints it.
type Frame struct {
	SP   uint64 // Child-SP
	IP   uint64 // in the function of the frame
	Ret  uint64 // return address, 0 where the stack ends
	Args [4]uint64
	// Scanned is set for a frame that was found by a search for return addresses, and for
	// those that follow from it.
	Scanned bool
}

// mostFrames bounds a stack.
const mostFrames = 512

// mostUnwound bounds the frames of all threads: large servers have a million.
const mostUnwound = 1 << 21

const rsp, rbp = 4, 5 // numbers of registers in unwind codes

// Layout of the frame that a thread leaves on its stack when it is switched out: 0x40
// bytes with the return address at its end and RBP before it. It is in no public
// symbols; every other place is tried where this one does not unwind.
const (
	switchFrameRet  = 0x38
	switchFrameRBP  = 0x30
	switchFrameMost = 0x100
)

// stack unwinds the kernel stack of a thread. Why tells why it ends early, nil if it
// ends where it should.
func (d *Dump) stack(t *Thread) (frames []Frame, why error) {
	r, scanned, err := d.start(t)
	if err != nil {
		return nil, err
	}
	running := t.running != nil && t.running.hasRegisters
	w := &walker{d: d, t: t, frames: d.frames[:0], scanned: scanned, called: !running}
	why = w.walk(r)
	d.frames = w.frames
	return w.frames, why
}

// start returns the registers that a stack is unwound from.
func (d *Dump) start(t *Thread) (r unwind.Registers, scanned bool, err error) {
	if t.running != nil && t.running.hasRegisters {
		return t.running.registers, false, nil
	}
	if t.State == Running {
		return r, false, errRuns // what it left when it was last switched out is of the past
	}
	var b [switchFrameMost]byte
	n := len(b)
	if room := t.Base - t.Current; t.Current < t.Base && room < uint64(n) {
		n = int(room) &^ 7
	}
	if err := d.mem.ReadVirtual(b[:n], t.Current); err != nil {
		return r, false, err
	}
	if n >= switchFrameRet+8 {
		r = unwind.Registers{RIP: le.Uint64(b[switchFrameRet:]), Known: 1<<rsp | 1<<rbp}
		r.R[rsp], r.R[rbp] = t.Current+switchFrameRet+8, le.Uint64(b[switchFrameRBP:])
		if d.sane(r) {
			return r, false, nil
		}
	}
	for i := 0; i+8 <= n; i += 8 {
		r = unwind.Registers{RIP: le.Uint64(b[i:]), Known: 1 << rsp}
		r.R[rsp] = t.Current + uint64(i) + 8
		if d.sane(r) {
			return r, i != switchFrameRet, nil
		}
	}
	r, ok := d.search(t, t.Current)
	if !ok {
		return r, true, errNoFrame
	}
	return r, true, nil
}

// sane reports whether registers are those of a function of the kernel, and lead to
// one that called it.
func (d *Dump) sane(r unwind.Registers) bool {
	m := d.module(r.RIP)
	if m == nil || m != d.nt || m.image == nil {
		return false
	}
	if !d.inFunction(m, r.RIP) {
		return false
	}
	up, _, err := d.unwinder.Step(d.mem, m.image, r)
	return err == nil && d.module(up.RIP) != nil
}

// inFunction reports whether the function table has an address, and remembers the last:
// threads are switched out at one place.
func (d *Dump) inFunction(m *Module, va uint64) bool {
	if va == d.lastIn {
		return true
	}
	_, ok, err := m.image.Function(uint32(va - m.Base))
	if !ok || err != nil {
		return false
	}
	d.lastIn = va
	return true
}

// walker unwinds one stack.
type walker struct {
	d       *Dump
	t       *Thread
	frames  []Frame
	scanned bool
	called  bool // the next address is one that a call returns to
}

func (w *walker) walk(r unwind.Registers) error {
	for len(w.frames) < mostFrames {
		if w.d.unwound++; w.d.unwound > mostUnwound {
			return errTooMany
		}
		if !kernelAddress(r.RIP) { // user mode, or the end
			if r.RIP != 0 {
				w.frames = append(w.frames, Frame{SP: r.R[rsp], IP: r.RIP, Scanned: w.scanned})
			}
			return nil
		}
		up, err := w.step(r)
		if err != nil {
			w.frames = append(w.frames, Frame{SP: r.R[rsp], IP: r.RIP, Scanned: w.scanned})
			next, found := w.d.search(w.t, r.R[rsp])
			if !found {
				return err
			}
			w.frames[len(w.frames)-1].Ret = next.RIP
			w.scanned, w.called, r = true, true, next
			continue
		}
		f := Frame{SP: r.R[rsp], IP: r.RIP, Ret: up.RIP, Scanned: w.scanned}
		w.args(&f, up.R[rsp])
		w.frames = append(w.frames, f)
		if up.R[rsp] == r.R[rsp] && up.RIP == r.RIP {
			return nil
		}
		r = up
	}
	return nil
}

func (w *walker) step(r unwind.Registers) (unwind.Registers, error) {
	m := w.d.module(r.RIP)
	if m == nil {
		return r, errNoModule
	}
	if m.image == nil {
		return r, errNoImage
	}
	up, f, err := w.d.unwinder.Step(w.d.mem, m.image, r)
	if err == nil && f.Leaf && w.called {
		return up, errNoFunction // what calls has an entry in the function table
	}
	w.called = !f.MachineFrame
	return up, err
}

// args reads the home space that the caller left for the parameters, where it is there.
func (w *walker) args(f *Frame, at uint64) {
	var b [32]byte
	if !kernelAddress(at) || w.d.mem.ReadVirtual(b[:], at) != nil {
		return
	}
	for i := range f.Args {
		f.Args[i] = le.Uint64(b[8*i:])
	}
}
