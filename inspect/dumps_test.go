//go:build !js

package inspect_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kdlocks/dump"
	"kdlocks/dump/dumptest"
	"kdlocks/dump/walked"
	"kdlocks/inspect"
	"kdlocks/report"
)

// dumpOf writes a scenario as a dump.
func dumpOf(t testing.TB, name string, o dumptest.Options, typ dumptest.DumpType) (inspect.Input, *dumptest.Scenario) {
	t.Helper()
	s, err := dumptest.Scenarios()[name](o)
	if err != nil {
		t.Fatal(err)
	}
	var f dumptest.File
	size, err := s.Machine.Write(&f, typ)
	if err != nil {
		t.Fatal(err)
	}
	return inspect.Input{Name: "MEMORY.DMP", Data: &f, Size: size}, s
}

// toldOfDumps are the verdicts that the scenarios must have, and the finding on top of each; "" for none
// that tells of a deadlock.
var toldOfDumps = map[string]struct{ kind, id string }{
	"self deadlock on the stack":          {"deadlock", "self-deadlock-owner-pointer"},
	"self deadlock on an earlier segment": {"deadlock", "self-deadlock-owner-pointer"},
	"two threads":                         {"deadlock", "deadlock-cycle"},
	"five threads":                        {"deadlock", "deadlock-cycle"},
	"upgrade":                             {"deadlock", "self-deadlock-upgrade"},
	"orphan":                              {"orphaned-lock", "owner-terminated"},
	"stale owner pointer":                 {"", ""},
	"owner pointer into pool":             {"", ""},
	"behind a running thread":             {"", ""},
	"contention":                          {"", ""},
	"recursion":                           {"", ""},
}

// TestDumpVerdicts judges every scenario of every build.
func TestDumpVerdicts(t *testing.T) {
	for name := range dumptest.Scenarios() {
		want, ok := toldOfDumps[name]
		if !ok {
			t.Fatalf("%s: what its verdict is to be is not told", name)
		}
		for _, build := range dumptest.Builds() {
			t.Run(name+"/"+build, func(t *testing.T) {
				t.Parallel()
				in, s := dumpOf(t, name, dumptest.Options{Build: build, Processors: 2}, dumptest.KernelBitmap)
				r, err := inspect.Run(t.Context(), []inspect.Input{in}, inspect.Options{})
				if err != nil {
					t.Fatal(err)
				}
				checkDumpFacts(t, r, s.Machine.Truth())
				if strings.Contains(r.Verdict.Kind, "deadlock") && r.Verdict.Kind != "no-deadlock" != (want.kind == "deadlock") || want.kind != "" && r.Verdict.Kind != want.kind {
					t.Errorf("%+v", r.Verdict)
				}
				if want.id != "" && (len(r.Findings) == 0 || r.Findings[0].ID != want.id) {
					t.Errorf("found %+v", r.Findings)
				}
				if want.kind == "deadlock" && len(r.Findings[0].Threads) != len(s.Cycle) {
					t.Errorf("the cycle is %v", r.Findings[0].Threads)
				}
				for _, in := range r.Inputs {
					if in.LinesUnderstood != in.Lines {
						var b bytes.Buffer
						if err := report.WriterFor("table")(&b, r, report.Style{Coverage: true}); err != nil {
							t.Fatal(err)
						}
						t.Errorf("%d of %d lines are understood\n%s", in.LinesUnderstood, in.Lines, b.String())
					}
				}
				for _, c := range r.SelfCheck {
					if c.Result == "failed" && c.ID != "threads-read" { // the driver exports no function
						t.Errorf("self-check %s: %+v", c.ID, c.Places)
					}
				}
			})
		}
	}
}

// checkDumpFacts holds the locks and threads of a report against those that were
// written.
func checkDumpFacts(t *testing.T, r *report.Report, truth dumptest.Truth) {
	t.Helper()
	locks := make(map[string]report.Resource)
	for x := range r.Resources.All() {
		locks[x.Address] = x
	}
	for _, want := range truth.Resources {
		if want.Fast || want.Unlinked {
			continue
		}
		mode := "unowned"
		switch {
		case len(want.Exclusive) > 0:
			mode = "exclusive"
		case len(want.Shared) > 0:
			mode = "shared"
		}
		got := locks[hex(want.VA)]
		var owners, shared, exclusive []string
		for _, o := range got.Owners {
			owners = append(owners, fmt.Sprintf("%s-%d", o.Raw, *o.Count))
		}
		for _, w := range got.SharedWaiters {
			shared = append(shared, w.Thread)
		}
		for _, w := range got.ExclusiveWaiters {
			exclusive = append(exclusive, w.Thread)
		}
		var wanted []string
		for _, o := range slices.Concat(want.Exclusive, want.Shared) {
			wanted = append(wanted, fmt.Sprintf("%s-%d", hex(o.Value), o.Count))
		}
		if got.Mode != mode || !slices.Equal(owners, wanted) || !slices.Equal(shared, hexes(want.SharedWaiters)) || !slices.Equal(exclusive, hexes(want.ExclusiveWaiters)) {
			t.Errorf("resource %x is %s, of %q, waited for by %q and %q; want %s %q %x %x", want.VA, got.Mode, owners, shared, exclusive, mode, wanted, want.SharedWaiters, want.ExclusiveWaiters)
		}
		if got.At.Memory != hex(want.VA) || got.At.Offset == 0 {
			t.Errorf("resource %x was read at %+v", want.VA, got.At)
		}
	}
	threads := make(map[string]report.Thread)
	for x := range r.Threads.All() {
		threads[x.Address] = x
	}
	for _, p := range truth.Processes {
		for _, want := range p.Threads {
			checkDumpThread(t, threads[hex(want.VA)], &want)
		}
	}
}

func checkDumpThread(t *testing.T, got report.Thread, want *dumptest.TruthThread) {
	t.Helper()
	if cid := fmt.Sprintf("%04x.%04x", want.ProcessID, want.ID); got.CID != cid {
		t.Errorf("thread %x has the CID %s, want %s", want.VA, got.CID, cid)
	}
	if n := len(want.Segments); n > 0 && len(got.Stack.Segments) != n {
		t.Errorf("thread %x has %d segments of %d", want.VA, len(got.Stack.Segments), n)
	} else {
		for i, g := range want.Segments {
			if s := got.Stack.Segments[i]; s.Base != hex(g.Base) || s.Limit != hex(g.Limit) {
				t.Errorf("segment %d of thread %x is %+v, want %+v", i, want.VA, s, g)
			}
		}
	}
	for i, f := range want.Frames {
		if i >= len(got.Frames) || got.Frames[i].ChildSP != hex(f.SP) {
			t.Errorf("thread %x has no frame %d with Child-SP %x", want.VA, i, f.SP)
			return
		}
	}
}

func hex(v uint64) string { return fmt.Sprintf("0x%016x", v) }

func hexes(vs []uint64) []string {
	var out []string
	for _, v := range vs {
		out = append(out, hex(v))
	}
	return out
}

// TestDumpFollowsTheSchema holds the JSON of a dump against the schema, and asks for the
// address of what the evidence names.
func TestDumpFollowsTheSchema(t *testing.T) {
	in, s := dumpOf(t, "self deadlock on an earlier segment", dumptest.Options{}, dumptest.FullBitmap)
	r, err := inspect.Run(t.Context(), []inspect.Input{in}, inspect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkSchema(t, "dump", readSchema(t, "../docs/report.schema.json", true), asJSON(t, r))
	if d := r.Inputs[0].Dump; d == nil || d.Type != "full dump" || d.Machine != "x64" || d.Build != 19041 || d.Modules != len(s.Machine.Truth().Modules) || d.Layout == "" || d.Symbols == "" {
		t.Errorf("the dump is %+v", d)
	}
	for _, e := range r.Findings[0].Evidence {
		if e.Memory == "" || e.Offset == 0 {
			t.Errorf("%+v", e)
		}
	}
}

// TestListIsWhatIsRead: what -o kd prints, read as a log, gives the report of the dump.
func TestListIsWhatIsRead(t *testing.T) {
	for name := range dumptest.Scenarios() {
		in, _ := dumpOf(t, name, dumptest.Options{}, dumptest.KernelBitmap)
		var text bytes.Buffer
		if err := inspect.List(t.Context(), in, inspect.Options{}, &text); err != nil {
			t.Fatal(err)
		}
		a, err := inspect.Run(t.Context(), []inspect.Input{in}, inspect.Options{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := inspect.Run(t.Context(), []inspect.Input{inspect.Bytes(in.Name, text.Bytes())}, inspect.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if a.Verdict != b.Verdict || len(a.Findings) != len(b.Findings) || len(a.Resources.Slice()) != len(b.Resources.Slice()) || len(a.Threads.Slice()) != len(b.Threads.Slice()) {
			t.Errorf("%s: %+v as a dump, %+v as text", name, a.Verdict, b.Verdict)
		}
	}
}

// TestRedactionOfDumps: what is said of the text of a dump is said of it with pseudonyms.
func TestRedactionOfDumps(t *testing.T) {
	set := shippedRules(t)
	for name := range dumptest.Scenarios() {
		in, _ := dumpOf(t, name, dumptest.Options{}, dumptest.KernelBitmap)
		texts, err := inspect.Texts(t.Context(), []inspect.Input{in}, inspect.Options{})
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, texts[0].Size)
		if _, err := texts[0].Data.ReadAt(data, 0); err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { checkRedacted(t, set, data, false) })
	}
}

// changedLock judges a dump of two threads that wait for each other, with a change to the
// first of the locks.
func changedLock(t *testing.T, build string, change func(*dumptest.Machine, *dumptest.TruthResource)) *report.Report {
	t.Helper()
	s, err := dumptest.Scenarios()["two threads"](dumptest.Options{Build: build, Processors: 2})
	if err != nil {
		t.Fatal(err)
	}
	locks := s.Machine.Truth().Resources
	change(s.Machine, &locks[slices.IndexFunc(locks, func(r dumptest.TruthResource) bool { return len(r.ExclusiveWaiters) > 0 })])
	var f dumptest.File
	size, err := s.Machine.Write(&f, dumptest.KernelBitmap)
	if err != nil {
		t.Fatal(err)
	}
	r, err := inspect.Run(t.Context(), []inspect.Input{{Name: "MEMORY.DMP", Data: &f, Size: size}}, inspect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestDisagreementInDump: where the waiters of a resource are told in two ways, a deadlock that
// rests on it has grade C at best.
func TestDisagreementInDump(t *testing.T) {
	const numberOfExclusiveWaiters = 0x4c // in an ERESOURCE of x64
	for _, build := range dumptest.Builds() {
		r := changedLock(t, build, func(m *dumptest.Machine, lock *dumptest.TruthResource) {
			m.Poke32(lock.VA+numberOfExclusiveWaiters, uint32(len(lock.ExclusiveWaiters))+2)
		})
		told := slices.ContainsFunc(r.Notes, func(n report.Note) bool {
			return strings.Contains(n.Text, "counts 3 exclusive waiters, and 1 were found")
		})
		if len(r.Findings) == 0 || r.Findings[0].ID != "deadlock-cycle" || r.Findings[0].Grade != "C" || !told {
			t.Errorf("%s: %+v; notes %+v", build, r.Findings, r.Notes)
		}
	}
}

// TestOwnersLeftOver: an owner entry of a resource that counts no owner holds nobody up, and one
// that counts nothing itself is believed less.
func TestOwnersLeftOver(t *testing.T) {
	const activeCount, ownerCount = 0x18, 0x38 // in an ERESOURCE of x64
	for _, build := range dumptest.Builds() {
		r := changedLock(t, build, func(m *dumptest.Machine, lock *dumptest.TruthResource) { m.Poke(lock.VA+activeCount, []byte{0, 0}) })
		if strings.HasSuffix(r.Verdict.Kind, "deadlock") && r.Verdict.Kind != "no-deadlock" {
			t.Errorf("%s: of a resource that counts no owner: %+v", build, r.Verdict)
		}
		r = changedLock(t, build, func(m *dumptest.Machine, lock *dumptest.TruthResource) { m.Poke32(lock.VA+ownerCount, 0) })
		if len(r.Findings) == 0 || r.Findings[0].ID != "deadlock-cycle" || r.Findings[0].Grade != "C" {
			t.Errorf("%s: of an owner entry that counts nothing: %+v", build, r.Findings)
		}
	}
}

// TestWalkedDump judges what another program read of a dump: the report is the same.
func TestWalkedDump(t *testing.T) {
	for _, name := range []string{"self deadlock on an earlier segment", "contention"} {
		in, _ := dumpOf(t, name, dumptest.Options{Processors: 2}, dumptest.KernelBitmap)
		d, err := dump.Open(in.Data, in.Size, dump.Options{})
		if err != nil {
			t.Fatal(err)
		}
		facts, err := d.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		listing, err := d.List(t.Context(), in.Name, facts, nil)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := walked.Write(&b, d.Walked(listing), listing); err != nil {
			t.Fatal(err)
		}
		want, got := jsonOfDump(t, in), jsonOfDump(t, inspect.Bytes(in.Name, b.Bytes()))
		if want != got {
			t.Errorf("%s: read at once:\n%.3000s\nread before:\n%.3000s", name, want, got)
		}
	}
}

func jsonOfDump(t *testing.T, in inspect.Input) string {
	t.Helper()
	r, err := inspect.Run(t.Context(), []inspect.Input{in}, inspect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return asJSON(t, r)
}
