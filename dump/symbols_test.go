package dump

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"kdlocks/dump/dumptest"
	"kdlocks/dump/symbols"
)

// isfOf writes what a symbol file of the kernel of a machine tells: its names and, where
// asked for, the layout of its structures.
func isfOf(t *testing.T, m *dumptest.Machine, l *layout) *symbols.Table {
	t.Helper()
	nt := m.Truth().Modules[0]
	syms := make(map[string]any)
	for name, rva := range nt.Symbols {
		syms[name] = map[string]any{"address": rva}
	}
	types := make(map[string]any)
	for id, name := range fieldNames {
		if l == nil || !l.fields[id].known {
			continue
		}
		typ, path := splitName(name)
		u, ok := types[typ].(map[string]any)
		if !ok {
			u = map[string]any{"kind": "struct", "size": 0, "fields": map[string]any{}}
			types[typ] = u
		}
		f := l.fields[id]
		of := any(map[string]any{"kind": "base", "name": "unsigned long"})
		switch {
		case path == "size":
			u["size"] = f.off
			continue
		case f.bits > 0:
			of = map[string]any{"kind": "bitfield", "bit_position": f.bit, "bit_length": f.bits, "type": of}
		}
		u["fields"].(map[string]any)[path] = map[string]any{"offset": f.off, "type": of}
	}
	guid := nt.PDBID[:32]
	text, err := json.Marshal(map[string]any{
		"metadata":   map[string]any{"format": "6.1.0", "windows": map[string]any{"pdb": map[string]any{"GUID": guid, "age": 1, "database": nt.PDB, "machine_type": 34404}}},
		"base_types": map[string]any{"unsigned long": map[string]any{"size": 4, "signed": false, "kind": "int", "endian": "little"}},
		"enums":      map[string]any{}, "symbols": syms, "user_types": types,
	})
	if err != nil {
		t.Fatal(err)
	}
	table, err := symbols.Read(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func (o *opened) again(t *testing.T, typ dumptest.DumpType, table *symbols.Table) *opened {
	t.Helper()
	b := bytesOf(t, o.Machine, typ)
	d, err := Open(bytes.NewReader(b), int64(len(b)), Options{Symbols: []*symbols.Table{table}})
	if err != nil {
		t.Fatal(err)
	}
	facts, err := d.Read(t.Context())
	if err != nil || facts == nil {
		t.Fatal(d.Gaps, err)
	}
	return &opened{o.Scenario, d, facts, o.truth}
}

// TestEncodedBlock: the block for debuggers is decoded with the kernel's symbols, and
// without them it is said which are wanted.
func TestEncodedBlock(t *testing.T) {
	s, err := dumptest.Cycle(dumptest.Options{EncodeKDBG: true}, 3)
	if err != nil {
		t.Fatal(err)
	}
	b := bytesOf(t, s.Machine, dumptest.KernelBitmap)
	d, f, _ := readAll(t, bytes.NewReader(b), int64(len(b)))
	nt := s.Machine.Truth().Modules[0]
	if f == nil || len(d.Gaps) != 2 || !strings.Contains(d.Gaps[0].What, nt.PDBID[:32]) || !strings.Contains(d.Gaps[0].What, "is encoded") {
		t.Errorf("without symbols: %v", d.Gaps)
	}
	// The header tells where the processes are; of resources nothing is claimed.
	if l, err := d.List(t.Context(), "x", f, nil); err != nil || len(f.Processes) != len(s.Machine.Truth().Processes) {
		t.Errorf("%d processes, %v", len(f.Processes), err)
	} else if text := textOf(t, l); strings.Contains(text, "!locks") || !strings.Contains(text, "THREAD ") {
		t.Errorf("%.3000s", text)
	}
	o := &opened{Scenario: s, truth: s.Machine.Truth()}
	got := o.again(t, dumptest.KernelBitmap, isfOf(t, s.Machine, layoutsOf(19041)[0]))
	got.check(t)
	if name := got.dump.symbol(nt.Base + uint64(nt.Symbols["KiSwapContext"]) + 0x10); name != "nt!KiSwapContext+0x10" {
		t.Errorf("a function is called %s", name)
	}
}

// TestUnknownBuild: of a build whose layout is not known nothing is guessed; its symbols
// tell it.
func TestUnknownBuild(t *testing.T) {
	for _, build := range []uint32{10586, 22631, 26100} {
		s, err := dumptest.Cycle(dumptest.Options{}, 3)
		if err != nil {
			t.Fatal(err)
		}
		s.Machine.PatchHeader = func(h []byte) { le.PutUint32(h[0xc:], build) }
		b := bytesOf(t, s.Machine, dumptest.FullBitmap)
		d, f, _ := readAll(t, bytes.NewReader(b), int64(len(b)))
		if f != nil || len(d.modules) == 0 || len(d.Gaps) != 1 || !d.Gaps[0].Decides || !strings.Contains(d.Gaps[0].What, "--symbols") {
			t.Errorf("%d: without symbols: %v", build, d.Gaps)
		}
		o := &opened{Scenario: s, truth: s.Machine.Truth()}
		o.again(t, dumptest.FullBitmap, isfOf(t, s.Machine, layoutsOf(19041)[0])).check(t)
	}
}

// TestOtherLayouts: a layout that the dump contradicts is not taken.
func TestOtherLayouts(t *testing.T) {
	for name, change := range map[string]func(m *dumptest.Machine){
		"the size of threads": func(m *dumptest.Machine) {
			m.Poke32(m.Truth().Modules[0].Base+uint64(m.Truth().Modules[0].Symbols["KdDebuggerDataBlock"])+0x2c0, 0x900)
		},
		"the name of the System one": func(m *dumptest.Machine) { m.Poke(m.Field(m.System().VA, "EPROCESS.ImageFileName"), []byte("Sistem")) },
		"the IDs of its threads": func(m *dumptest.Machine) {
			for _, th := range m.Truth().Processes[0].Threads {
				m.Poke64(m.Field(th.VA, "ETHREAD.Cid"), 0x1234)
			}
		},
	} {
		m := small(t)
		change(m)
		if err := m.Err(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		b := bytesOf(t, m, dumptest.KernelBitmap)
		d, f, _ := readAll(t, bytes.NewReader(b), int64(len(b)))
		if f != nil || len(d.Gaps) == 0 || !d.Gaps[0].Decides {
			t.Errorf("%s: it was read all the same", name)
		}
	}
}

func textOf(t *testing.T, l *Listing) string {
	t.Helper()
	var b strings.Builder
	if _, err := l.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
