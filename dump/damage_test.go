package dump

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"kdlocks/dump/dumptest"
)

// readAll reads a dump as far as that goes.
func readAll(tb testing.TB, r io.ReaderAt, size int64) (*Dump, *Facts, *Listing) {
	tb.Helper()
	d, err := Open(r, size, Options{})
	if err != nil {
		return nil, nil, nil
	}
	f, err := d.Read(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	l, err := d.List(context.Background(), "MEMORY.DMP", f, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return d, f, l
}

// small is a machine with a deadlock, and some threads more.
func small(tb testing.TB) *dumptest.Machine {
	tb.Helper()
	s, err := dumptest.Cycle(dumptest.Options{Processors: 2}, 3)
	if err != nil {
		tb.Fatal(err)
	}
	return s.Machine
}

func bytesOf(tb testing.TB, m *dumptest.Machine, typ dumptest.DumpType) []byte {
	tb.Helper()
	var f dumptest.File
	size, err := m.Write(&f, typ)
	if err != nil {
		tb.Fatal(err)
	}
	b := make([]byte, size)
	if _, err := f.ReadAt(b, 0); err != nil && err != io.EOF {
		tb.Fatal(err)
	}
	return b
}

// TestCutAnywhere: a dump that ends early says so, and names what is missing.
func TestCutAnywhere(t *testing.T) {
	for _, typ := range []dumptest.DumpType{dumptest.KernelBitmap, dumptest.Triage, dumptest.KernelRange} {
		whole := bytesOf(t, small(t), typ)
		rng := rand.New(rand.NewPCG(uint64(typ), 1))
		cuts := []int{0, 1, 7, 8, 0xfff, 0x1000, 0x1fff, 0x2000, 0x2001, 0x2038, 0x2100}
		for range 150 {
			cuts = append(cuts, rng.IntN(len(whole)))
		}
		for _, n := range cuts {
			n = min(n, len(whole))
			d, f, _ := readAll(t, bytes.NewReader(whole[:n]), int64(n))
			if n >= headerSize64 && d == nil {
				t.Errorf("%x: cut at %d: no dump", typ, n)
			}
			if d != nil && f == nil && len(d.Gaps) == 0 {
				t.Errorf("%x: cut at %d: nothing was read, and nothing is missing", typ, n)
			}
		}
	}
}

// TestDamage changes what lists and counts say.
func TestDamage(t *testing.T) {
	for name, tc := range map[string]struct {
		damage func(m *dumptest.Machine)
		want   string // in a gap or note
	}{
		"a list of processes that leads to itself": {func(m *dumptest.Machine) {
			at := m.Field(m.System().VA, "EPROCESS.ActiveProcessLinks")
			m.Poke64(at, at)
		}, "which was met before"},
		"a list of threads that leads nowhere": {func(m *dumptest.Machine) {
			th := m.Truth().Processes[0].Threads
			m.Poke64(m.Field(th[1].VA, "ETHREAD.ThreadListEntry"), 0xffff_8765_4321_0000)
		}, "0xffff876543210000"},
		"a list of resources that leads into user mode": {func(m *dumptest.Machine) {
			m.Poke64(m.Truth().Resources[0].VA, 0x1000)
		}, "ExpSystemResourcesList"},
		"a list of modules that leads back into itself": {func(m *dumptest.Machine) {
			m.Poke64(m.Kernel().Entry(), m.Kernel().Entry())
		}, "PsLoadedModuleList"},
		"a table of owners with four billion entries": {func(m *dumptest.Machine) {
			r := m.Truth().Resources[0].VA
			table := m.Alloc(0x40)
			m.Poke64(m.Field(r, "ERESOURCE.OwnerTable"), table)
			m.Poke32(m.Field(table, "OWNER_ENTRY.TableSize"), 0xffff_ffff)
		}, "is said to have 4294967295 entries"},
		"a chain of waiters that leads back": {func(m *dumptest.Machine) {
			r := m.Truth().Resources[0].VA
			head := m.Peek64(m.Field(r, "ERESOURCE.ExclusiveWaiters"))
			other := m.Alloc(0x40)
			m.Poke64(head, other)
			m.Poke64(other, other)
		}, "list of exclusive waiters"},
		"a chain of waiters without an end": {func(m *dumptest.Machine) {
			const entries = 8 << 10 // more than mostStrangers, and threads
			at := m.Alloc(entries * 0x40)
			m.Poke64(m.Field(m.Truth().Resources[0].VA, "ERESOURCE.ExclusiveWaiters"), at)
			for i := range uint64(entries) {
				m.Poke64(at+i*0x40, at+(i+1)*0x40)
			}
		}, "of all waiters no more than"},
		"counts that nothing fits": {func(m *dumptest.Machine) {
			m.Poke32(m.Field(m.Truth().Resources[0].VA, "ERESOURCE.NumberOfExclusiveWaiters"), 0x7fff_ffff)
		}, "counts 2147483647 exclusive waiters, and 1 were found"},
		"a stack that lies nowhere": {func(m *dumptest.Machine) {
			for _, th := range m.Truth().Processes[0].Threads {
				m.Poke64(m.Field(th.VA, "KTHREAD.KernelStack"), 0xffff_8000_0000_1000)
			}
		}, "the stack of thread"},
		"a stack of return addresses that lead nowhere": {func(m *dumptest.Machine) {
			for _, th := range m.Truth().Processes[0].Threads {
				if len(th.Segments) == 0 {
					continue
				}
				for at := th.Segments[0].Limit; at < th.Segments[0].Base; at += 8 {
					if at >= th.Segments[0].Kernel {
						m.Poke64(at, 0xdead_beef_dead_beef)
					}
				}
			}
		}, "the stack of thread"},
		"another process in the place of System": {func(m *dumptest.Machine) {
			m.Poke64(m.Field(m.System().VA, "EPROCESS.UniqueProcessId"), 8)
		}, "does not read right: its thread"},
	} {
		m := small(t)
		tc.damage(m)
		if err := m.Err(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		b := bytesOf(t, m, dumptest.KernelBitmap)
		d, _, _ := readAll(t, bytes.NewReader(b), int64(len(b)))
		told := fmt.Sprint(d.Gaps, d.Notes)
		if !strings.Contains(told, tc.want) {
			t.Errorf("%s: told %s", name, told)
		}
	}
}

// TestOddSystem: what is odd of the System process does not hide all else.
func TestOddSystem(t *testing.T) {
	for name, tc := range map[string]struct {
		damage func(m *dumptest.Machine)
		want   string
	}{
		"a thread without a stack": {func(m *dumptest.Machine) {
			m.Poke64(m.Field(m.Truth().Processes[0].Threads[0].VA, "KTHREAD.InitialStack"), 0)
		}, "does not read right"},
		"it is not in the dump": {func(m *dumptest.Machine) { m.SetPages(m.System().VA, 0x800, dumptest.NotCaptured) }, "the layout of the kernel's structures is believed for"},
	} {
		s, err := dumptest.Cycle(dumptest.Options{}, 3)
		if err != nil {
			t.Fatal(err)
		}
		tc.damage(s.Machine)
		b := bytesOf(t, s.Machine, dumptest.KernelBitmap)
		d, f, _ := readAll(t, bytes.NewReader(b), int64(len(b)))
		if f == nil || len(f.Resources) == 0 || !strings.Contains(fmt.Sprint(d.Notes), tc.want) {
			t.Errorf("%s: %v %v", name, d.Gaps, d.Notes)
		}
	}
}

// TestFromTheOtherEnd: of a list that is broken in one place all else is read.
func TestFromTheOtherEnd(t *testing.T) {
	s, err := dumptest.Cycle(dumptest.Options{}, 5)
	if err != nil {
		t.Fatal(err)
	}
	m := s.Machine
	th := m.Truth().Processes[0].Threads
	m.Poke64(m.Field(th[2].VA, "ETHREAD.ThreadListEntry"), 0xffff_8765_4321_0000)
	b := bytesOf(t, m, dumptest.KernelBitmap)
	d, f, _ := readAll(t, bytes.NewReader(b), int64(len(b)))
	if n := len(f.Processes[0].Threads); n != len(th) {
		t.Errorf("%d threads of %d: %v", n, len(th), d.Gaps)
	}
}

// hole is a file of zeros with something at its beginning.
type hole struct {
	head []byte
	size int64
}

func (h hole) ReadAt(p []byte, off int64) (int, error) {
	n := int(min(int64(len(p)), h.size-off))
	if n <= 0 {
		return 0, io.EOF
	}
	clear(p[:n])
	if off < int64(len(h.head)) {
		copy(p[:n], h.head[off:])
	}
	return n, nil
}

// TestHugeHoles: a sparse file of 100 GB, whose head says what it likes.
func TestHugeHoles(t *testing.T) {
	for _, typ := range dumptest.DumpTypes() {
		for _, v := range []uint64{0, 1, 0x7fff_ffff, 1 << 40, ^uint64(0)} {
			head := bytesOf(t, small(t), typ)[:0x4000]
			for _, at := range []int{0x10, 0x88, 0x98, 0xa0, 0x2010, 0x2018, 0x2020, 0x2028, 0x2030} {
				b := bytes.Clone(head)
				le.PutUint64(b[at:], v)
				readAll(t, hole{b, 100 << 30}, 100<<30)
			}
		}
	}
}

// FuzzDump changes words of a dump.
func FuzzDump(f *testing.F) {
	whole := bytesOf(f, small(f), dumptest.KernelBitmap)
	f.Add(uint32(0x2020), uint64(0), uint32(0x2030), uint64(1)<<40, uint32(0), uint64(0))
	f.Add(uint32(0x80), uint64(0), uint32(0x10), uint64(0x1000), uint32(0x5000), ^uint64(0))
	f.Fuzz(func(t *testing.T, a uint32, x uint64, b uint32, y uint64, c uint32, z uint64) {
		d := bytes.Clone(whole)
		for at, v := range map[uint32]uint64{a: x, b: y, c: z} {
			le.PutUint64(d[int(at)%(len(d)-8):], v)
		}
		readAll(t, bytes.NewReader(d), int64(len(d)))
	})
}

// FuzzHeader reads any bytes as a dump.
func FuzzHeader(f *testing.F) {
	for _, typ := range dumptest.DumpTypes() {
		f.Add(bytesOf(f, small(f), typ)[:0x3000])
	}
	f.Add(bytesOf(f, small(f), dumptest.Triage))
	f.Fuzz(func(t *testing.T, b []byte) {
		readAll(t, bytes.NewReader(b), int64(len(b)))
		readAll(t, hole{b, 1 << 26}, 1<<26)
	})
}
