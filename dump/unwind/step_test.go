package unwind

import (
	"encoding/binary"
	"errors"
	"testing"

	"kdlocks/dump/image"
)

func TestLeaf(t *testing.T) {
	tg := newTarget()
	caller, body := frameOf(tg, false)
	body.RIP = base + codeRVA + 0x200
	body.R = caller.R
	body.R[RSP] -= 8
	m := machine{t: tg, r: body, caller: caller}
	im := tg.open(t)
	if f := m.check(t, im, "leaf", false); !f.Leaf || f.Function != (image.RuntimeFunction{}) {
		t.Errorf("%+v", f)
	}
	body.RIP = base + dataRVA
	if _, _, err := Step(tg, im, body); !errors.Is(err, ErrNotCode) {
		t.Errorf("leaf in data: %v", err)
	}
}

// TestStep has unwind data that no compiler writes, and what is missing.
func TestStep(t *testing.T) {
	push := []uint16{slot(2, opPushNonvol, 3)}
	var missing *image.ReadError
	for _, c := range []struct {
		name string
		make func(t *target) uint32 // the unwind info of the function
		then func(t *target, r *Registers)
		want error // nil for a *image.ReadError
		va   uint64
	}{
		{"version 3", func(t *target) uint32 { return t.info(3, 0, 2, 0, 0, push, nil) }, nil, ErrVersion, 0},
		{"version 0", func(t *target) uint32 { return t.info(0, 0, 2, 0, 0, push, nil) }, nil, ErrVersion, 0},
		{"operation 7", func(t *target) uint32 { return t.info(1, 0, 2, 0, 0, []uint16{slot(1, 7, 0), 0, 0}, nil) }, nil, ErrMalformed, 0},
		{"operation 11", func(t *target) uint32 { return t.info(1, 0, 2, 0, 0, []uint16{slot(1, 11, 0), 0, 0}, nil) }, nil, ErrMalformed, 0},
		{"epilog in version 1", func(t *target) uint32 { return t.info(1, 0, 2, 0, 0, []uint16{slot(1, opEpilog, 0), 0}, nil) }, nil, ErrMalformed, 0},
		{"cut code", func(t *target) uint32 { return t.info(1, 0, 2, 0, 0, []uint16{slot(1, opSaveNonvolFar, 3), 1}, nil) }, nil, ErrMalformed, 0},
		{"cut epilog", func(t *target) uint32 { return t.info(2, 0, 2, 0, 0, []uint16{slot(1, opEpilog, 3)}, nil) }, nil, ErrMalformed, 0},
		{"allocation of kind 2", func(t *target) uint32 { return t.info(1, 0, 2, 0, 0, []uint16{slot(1, opAllocLarge, 2), 0, 0}, nil) }, nil, ErrMalformed, 0},
		{"machine frame of kind 2", func(t *target) uint32 { return t.info(1, 0, 2, 0, 0, []uint16{slot(0, opPushMachframe, 2)}, nil) }, nil, ErrMalformed, 0},
		{"codes before a machine frame", func(t *target) uint32 {
			return t.info(1, 0, 2, 0, 0, []uint16{slot(1, opPushMachframe, 0), slot(0, opPushNonvol, 3)}, nil)
		}, nil, ErrMalformed, 0},
		{"frame register that is none", func(t *target) uint32 { return t.info(1, 0, 2, 0, 0, []uint16{slot(1, opSetFPReg, 0)}, nil) }, nil, ErrMalformed, 0},
		{"RSP pushed", func(t *target) uint32 { return t.info(1, 0, 2, 0, 0, []uint16{slot(1, opPushNonvol, 4)}, nil) }, nil, ErrMalformed, 0},
		{"RSP saved", func(t *target) uint32 { return t.info(1, 0, 2, 0, 0, []uint16{slot(1, opSaveNonvol, 4), 0}, nil) }, nil, ErrMalformed, 0},
		{"not aligned", func(t *target) uint32 { return t.info(1, 0, 2, 0, 0, push, nil) + 2 }, nil, ErrMalformed, 0},
		{"chain in a circle", func(t *target) uint32 {
			return t.info(1, flagChain, 0, 0, 0, nil, &image.RuntimeFunction{Begin: codeRVA, End: codeRVA + 8, UnwindInfo: t.data})
		}, nil, ErrMalformed, 0},
		{"table in a circle", func(*target) uint32 { return tableRVA | 1 }, nil, ErrMalformed, 0},
		{"outside of the image", func(*target) uint32 { return size }, nil, image.ErrMalformed, 0},
		{"codes outside of the image", func(t *target) uint32 { t.write(base+size-4, 1, 0, 9, 0); return size - 4 }, nil, image.ErrMalformed, 0},
		{"frame register unknown", func(t *target) uint32 { return t.info(1, 0, 2, 5, 0, []uint16{slot(1, opSetFPReg, 0)}, nil) },
			func(_ *target, r *Registers) { r.Known &^= 1 << 5 }, ErrRegister, 0},
		{"RSP unknown", func(t *target) uint32 { return t.info(1, 0, 2, 0, 0, push, nil) },
			func(_ *target, r *Registers) { r.Known &^= 1 << RSP }, ErrRegister, 0},
		{"RSP wraps", func(t *target) uint32 {
			return t.info(1, 0, 2, 0, 0, []uint16{slot(1, opAllocLarge, 1), 0x2000, 0}, nil)
		}, func(t *target, r *Registers) { t.write(0x1000, make([]byte, 8)...); r.R[RSP] = 1<<64 - 0x1000 }, ErrStack, 0},
		{"machine frame wraps", func(t *target) uint32 {
			return t.info(1, 0, 2, 0, 0, []uint16{slot(1, opAllocLarge, 1), 0x2000, 0, slot(0, opPushMachframe, 0)}, nil)
		}, func(_ *target, r *Registers) { r.R[RSP] = 1<<64 - 0x1000 }, ErrStack, 0},
		{"RIP elsewhere", func(t *target) uint32 { return t.info(1, 0, 2, 0, 0, push, nil) },
			func(_ *target, r *Registers) { r.RIP = base + size }, ErrNoImage, 0},
		{"no unwind data", func(*target) uint32 { return dataRVA + 0x1000 },
			func(t *target, _ *Registers) { delete(t.memory, (base+dataRVA+0x1000)>>12) }, nil, base + dataRVA + 0x1000},
		{"no table", func(*target) uint32 { return dataRVA },
			func(t *target, _ *Registers) { delete(t.memory, (base+tableRVA)>>12) }, nil, base + tableRVA},
		{"no stack for a register", func(t *target) uint32 { return t.info(1, 0, 2, 0, 0, push, nil) },
			func(_ *target, r *Registers) { r.R[RSP] = 0x5000 }, nil, 0x5000},
		{"no stack for the return address", func(t *target) uint32 { return t.info(1, 0, 2, 0, 0, []uint16{slot(1, opAllocSmall, 1)}, nil) },
			func(_ *target, r *Registers) { r.R[RSP] = 0x5000 }, nil, 0x5010},
		{"no stack for a machine frame", func(t *target) uint32 {
			return t.info(1, 0, 2, 0, 0, []uint16{slot(0, opPushMachframe, 1)}, nil)
		}, func(_ *target, r *Registers) { r.R[RSP] = 0x5000 }, nil, 0x5008},
	} {
		tg := newTarget()
		tg.write(stackTop-0x1000, make([]byte, 0x2000)...)
		tg.function(codeRVA, codeRVA+0x100, c.make(tg))
		im := tg.open(t)
		r := Registers{RIP: base + codeRVA + 0x40, Known: 0xffff}
		r.R[RSP] = stackTop - 0x800
		if c.then != nil {
			c.then(tg, &r)
		}
		got, _, err := Step(tg, im, r)
		switch {
		case err == nil || got != Registers{}:
			t.Errorf("%s: %v, %+v", c.name, err, got)
		case c.want != nil && !errors.Is(err, c.want):
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		case c.want == nil && (!errors.As(err, &missing) || missing.VA != c.va || !errors.Is(err, errNotThere)):
			t.Errorf("%s: %v, want memory missing at %#x", c.name, err, c.va)
		}
	}
	if _, _, err := Step(memory{}, nil, Registers{}); !errors.Is(err, ErrNoImage) {
		t.Errorf("no image: %v", err)
	}
}

// TestEpilogCodes has the codes of version 2 for two epilogs and for one.
func TestEpilogCodes(t *testing.T) {
	for _, epilogs := range [][]uint16{
		{slot(1, opEpilog, 1), slot(0, opEpilog, 0)},
		{slot(1, opEpilog, 1), 0},
		{slot(2, opEpilog, 0), slot(0x30, opEpilog, 0), slot(0x50, opEpilog, 1), slot(0, opEpilog, 0)},
	} {
		tg := newTarget()
		caller, body := frameOf(tg, false)
		codes := append(epilogs, slot(9, opAllocSmall, 4), slot(5, opPushNonvol, 5), slot(4, opPushNonvol, 12), slot(2, opPushNonvol, 3))
		tg.functions[0].UnwindInfo = tg.info(2, 0, 9, 0, 0, codes, nil)
		m := machine{t: tg, r: body, caller: caller}
		m.check(t, tg.open(t), "version 2", false)
	}
}

// TestKnown keeps unknown registers unknown, and restores what was unknown.
func TestKnown(t *testing.T) {
	tg := newTarget()
	_, body := frameOf(tg, false)
	body.Known = 1<<RSP | 1<<7
	got, _, err := Step(tg, tg.open(t), body)
	if want := uint16(1<<RSP | 1<<7 | 1<<3 | 1<<5 | 1<<12); err != nil || got.Known != want || got.R[14] != 0 {
		t.Errorf("known %#x, want %#x; R14 %#x, %v", got.Known, want, got.R[14], err)
	}
}

// TestOtherStack leaves by the frame register to a stack that is lower.
func TestOtherStack(t *testing.T) {
	tg := newTarget()
	_, body := frameOf(tg, true)
	body.R[RSP] = stackTop + 0x5000
	got, _, err := Step(tg, tg.open(t), body)
	if err != nil || got.R[RSP] != stackTop || got.RIP != callerRIP {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestStepDoesNotAllocate(t *testing.T) {
	tg := newTarget()
	_, body := frameOf(tg, true)
	im := tg.open(t)
	if n := testing.AllocsPerRun(100, func() {
		if _, _, err := Step(tg, im, body); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a step", n)
	}
}

func BenchmarkStep(b *testing.B) {
	tg := newTarget()
	_, body := frameOf(tg, true)
	for k := range uint32(300) { // a table to search in
		tg.function(codeRVA+0x100+k*8, codeRVA+0x108+k*8, dataRVA)
	}
	im := tg.open(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Step(tg, im, body); err != nil {
			b.Fatal(err)
		}
	}
}

// flat is memory of one byte after the other from base on; all else reads the
// same bytes, so that every read of a Step succeeds.
type flat []byte

func (m flat) ReadVirtual(p []byte, va uint64) error {
	for k := range p {
		if at := va + uint64(k); at < base && at%0x2000 > 0x1000 {
			return errNotThere
		}
		p[k] = m[(va+uint64(k))%uint64(len(m))]
	}
	return nil
}

// FuzzStep steps through random unwind data, code and stacks.
func FuzzStep(f *testing.F) {
	for _, framed := range []bool{true, false} {
		tg := newTarget()
		_, body := frameOf(tg, framed)
		tg.open(f)
		data := make([]byte, 0x100)
		if err := tg.ReadVirtual(data, base+dataRVA); err != nil {
			f.Fatal(err)
		}
		f.Add(data, []byte{0x48, 0x83, 0xc4, 0x28, 0x5b, 0xc3}, body.R[RSP], uint16(0x40), uint16(0xffff))
	}
	f.Fuzz(func(t *testing.T, data, code []byte, rsp uint64, at, known uint16) {
		tg := newTarget()
		tg.function(codeRVA, codeRVA+0x100, dataRVA)
		tg.function(codeRVA+0x100, codeRVA+0x200, dataRVA+0x20|uint32(known&1))
		tg.write(base+dataRVA, data[:min(len(data), 0x5000)]...)
		tg.write(base+codeRVA+uint64(at%0x200), code[:min(len(code), 0x100)]...)
		im := tg.open(t)
		whole := make(flat, size)
		if err := tg.ReadVirtual(whole, base); err != nil {
			t.Fatal(err)
		}
		r := Registers{RIP: base + codeRVA + uint64(at%0x300), Known: known}
		for n := range r.R {
			r.R[n] = rsp + binary.LittleEndian.Uint64(whole[dataRVA+n*8:])
		}
		r.R[RSP] = rsp
		got, frame, err := Step(whole, im, r)
		if err == nil && got.Known&(1<<RSP) == 0 {
			t.Errorf("RSP unknown of %+v", frame)
		}
		if err != nil && got != (Registers{}) {
			t.Errorf("registers with %v", err)
		}
	})
}
