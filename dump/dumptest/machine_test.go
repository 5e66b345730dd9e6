package dumptest

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMistakes: a wrong declaration is told by Write, and nothing panics.
func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		declare func(*Machine)
		want    string
	}{
		"no such function": {func(m *Machine) {
			m.System().AddThread(ThreadSpec{Stack: []Frame{{Function: "Nothing"}}})
		}, "no function Nothing"},
		"no such symbol":   {func(m *Machine) { m.Kernel().Symbol("Nothing") }, "no symbol Nothing"},
		"not mapped":       {func(m *Machine) { m.Poke64(0xFFFF_9999_0000_0000, 1) }, "not mapped"},
		"not 4 KiB":        {func(m *Machine) { m.SetPages(0xFFFF_9999_0000_0000, 1, PagedOut) }, "no 4 KiB mapping"},
		"function twice":   {func(m *Machine) { m.AddModule(ModuleSpec{Functions: []Function{{Name: "F"}, {Name: "F"}}}) }, "declared twice"},
		"variable twice":   {func(m *Machine) { m.AddModule(ModuleSpec{Data: []Data{{Name: "F"}, {Name: "F"}}}) }, "declared twice"},
		"function of 4 GB": {func(m *Machine) { m.AddModule(ModuleSpec{Functions: []Function{{Name: "F", Size: 1<<32 - 1}}}) }, "do not fit"},
		"odd allocation":   {func(m *Machine) { m.AddModule(ModuleSpec{Functions: []Function{{Name: "F", Prolog: []Op{Alloc(4)}}}}) }, "step 0"},
		"push after frame": {func(m *Machine) {
			m.AddModule(ModuleSpec{Functions: []Function{{Name: "F", Prolog: []Op{SetFrame(RBP, 0), Push(RBX)}}}})
		}, "after the frame pointer"},
		"late machine frame": {func(m *Machine) {
			m.AddModule(ModuleSpec{Functions: []Function{{Name: "F", Prolog: []Op{Push(RBX), MachineFrame(true)}}}})
		}, "after other steps"},
		"leaf with prolog": {func(m *Machine) {
			m.AddModule(ModuleSpec{Functions: []Function{{Name: "F", Leaf: true, Prolog: []Op{Push(RBX)}}}})
		}, "a leaf with a prolog"},
		"frames of nothing": {func(m *Machine) {
			m.System().AddThread(ThreadSpec{Stack: make([]Frame, 300)})
		}, "no function"},
		"deep stack": {func(m *Machine) {
			var chain []Frame
			for range 300 {
				chain = append(chain, Frame{Function: "KiSwapContext"})
			}
			m.System().AddThread(ThreadSpec{Stack: chain})
		}, "does not hold"},
		"switch without frame pointer": {func(m *Machine) {
			m.System().AddThread(ThreadSpec{Stack: []Frame{{Function: "KiIdleLoop", NewSegment: true}}})
		}, "without a frame pointer"},
		"alloca without frame pointer": {func(m *Machine) {
			m.System().AddThread(ThreadSpec{Stack: []Frame{{Function: "KiIdleLoop", Alloca: 16}}})
		}, "without a frame pointer"},
		"outside the function": {func(m *Machine) {
			m.System().AddThread(ThreadSpec{Stack: []Frame{{Function: "KiIdleLoop", Offset: 0x1000}}})
		}, "outside the function"},
		"early save": {func(m *Machine) {
			m.System().AddThread(ThreadSpec{Stack: []Frame{{Function: "PspSystemThreadStartup", Offset: 5}}})
		}, "saves before it allocates"},
		"two on a processor": {func(m *Machine) {
			m.System().AddThread(ThreadSpec{State: Running})
			m.System().AddThread(ThreadSpec{State: Running})
		}, "already runs"},
		"no such processor": {func(m *Machine) { m.System().AddThread(ThreadSpec{State: Running, Processor: 7}) }, "processor 7"},
		"crash of a waiter": {func(m *Machine) { m.SetCrash(m.System().AddThread(ThreadSpec{State: Waiting})) }, "does not run"},
		"two kinds of owner": {func(m *Machine) {
			m.AddResource(ResourceSpec{Exclusive: &Owner{Pointer: 3}, Shared: []Owner{{Pointer: 7}}})
		}, "exclusively and shared"},
		"thread as object": {func(m *Machine) { m.AddObject(ObjectSpec{Type: ThreadObject}) }, "not made by AddObject"},
		"no memory left":   {func(m *Machine) { m.Alloc(1 << 40) }, "no physical memory"},
		"no fast owner":    {func(m *Machine) { m.AddFastResource(FastResourceSpec{Exclusive: true}) }, "no such fast resource"},
	} {
		m, err := New(Options{PhysicalMemory: 16 << 20})
		if err != nil {
			t.Fatal(err)
		}
		c.declare(m)
		if _, err := m.Write(new(File), KernelBitmap); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for _, o := range []Options{{Build: "10.0.1"}, {Processors: 65}, {Processors: -1}, {PhysicalMemory: 1}, {PhysicalMemory: 1 << 41}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is a machine", o)
		}
	}
}

func TestFile(t *testing.T) {
	var f File
	if _, err := f.WriteAt([]byte("abcdef"), 0xFFD); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 8)
	if n, err := f.ReadAt(b, 0xFFC); n != 7 || err != io.EOF || string(b[:7]) != "\x00abcdef" {
		t.Errorf("%d %q %v", n, b, err)
	}
	f.Truncate(0xFFF)
	f.Truncate(0x2000)
	if n, err := f.ReadAt(b, 0xFFC); n != 8 || err != nil || string(b) != "\x00ab\x00\x00\x00\x00\x00" {
		t.Errorf("%d %q %v", n, b, err)
	}
	if _, err := f.WriteAt(b, -1); err == nil {
		t.Error("written before the start")
	}
	if _, err := f.ReadAt(b, 0x2000); err != io.EOF {
		t.Errorf("read beyond the end: %v", err)
	}
}

// TestBig writes a machine of 8 GiB with 20000 threads and 30000 resources to a
// file that stays sparse.
func TestBig(t *testing.T) {
	s, err := Big(Options{PhysicalMemory: 8 << 30, Processors: 8}, 20000, 30000)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "big.dmp"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size, err := s.Machine.Write(f, Full)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil || info.Size() != size || size < 8<<30-1<<20 {
		t.Errorf("%d bytes written, the file has %v, %v", size, info, err)
	}
	touched := int64(len(s.Machine.phys.pages)) * pageSize
	t.Logf("a file of %d MiB with %d MiB of pages", size>>20, touched>>20)
	if touched > 512<<20 {
		t.Errorf("%d MiB of pages were touched", touched>>20)
	}
	checkCycle(t, s)
}

// TestDamage: what is poked is in the dump, and the truth stays as it was.
func TestDamage(t *testing.T) {
	s, err := Recursion(Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, before := s.Machine, len(s.Machine.Truth().Resources)
	links := m.Field(s.Process.VA, "EPROCESS.ActiveProcessLinks")
	m.Poke64(links, links)                                                // a loop
	m.Poke64(m.Field(s.Threads[0].VA, "KTHREAD.WaitBlockList"), 0xDEAD_0) // a wild pointer
	m.Poke32(m.Field(s.Resources[0].VA, "ERESOURCE.NumberOfSharedWaiters"), 1<<31)
	d := writeImage(t, m, KernelRangeA)
	if d.u64(t, s.Process.VA+0x448) != links || d.u64(t, s.Threads[0].VA+0xD0) != 0xDEAD_0 || uint32(d.u64(t, s.Resources[0].VA+0x48)) != 1<<31 {
		t.Error("the damage is not in the dump")
	}
	if len(m.Truth().Resources) != before {
		t.Error("the truth has changed")
	}
}
