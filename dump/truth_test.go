package dump

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kdlocks/dump/dumptest"
)

// opened is a scenario as a dump, and what was read of it.
type opened struct {
	*dumptest.Scenario
	dump  *Dump
	facts *Facts
	truth dumptest.Truth
}

func openScenario(t *testing.T, name string, o dumptest.Options, typ dumptest.DumpType) *opened {
	t.Helper()
	s, err := dumptest.Scenarios()[name](o)
	if err != nil {
		t.Fatal(err)
	}
	return openMachine(t, s, typ)
}

func openMachine(t *testing.T, s *dumptest.Scenario, typ dumptest.DumpType) *opened {
	t.Helper()
	var f dumptest.File
	size, err := s.Machine.Write(&f, typ)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Open(&f, size, Options{})
	if err != nil {
		t.Fatal(err)
	}
	facts, err := d.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if facts == nil {
		t.Fatalf("nothing was read: %v %v", d.Gaps, d.Notes)
	}
	return &opened{s, d, facts, s.Machine.Truth()}
}

// TestTruth reads every scenario of every build back.
func TestTruth(t *testing.T) {
	for _, build := range dumptest.Builds() {
		for name := range dumptest.Scenarios() {
			t.Run(build+"/"+name, func(t *testing.T) {
				t.Parallel()
				o := openScenario(t, name, dumptest.Options{Build: build, Processors: 2}, dumptest.KernelBitmap)
				o.check(t)
			})
		}
	}
}

// TestTypes reads a scenario out of every type of dump, with pages of all sizes.
func TestTypes(t *testing.T) {
	for _, typ := range dumptest.DumpTypes() {
		for _, pages := range []dumptest.Options{{}, {PoolPage: dumptest.Page2M, ImagePage: dumptest.Page2M}, {PoolPage: dumptest.Page1G, PhysicalMemory: 4 << 30}} {
			t.Run(fmt.Sprintf("%x/%x", typ, pages.PoolPage), func(t *testing.T) {
				t.Parallel()
				pages.Processors = 2
				openScenario(t, "self deadlock on an earlier segment", pages, typ).check(t)
			})
		}
	}
}

func (o *opened) check(t *testing.T) {
	t.Helper()
	for _, g := range o.dump.Gaps {
		t.Errorf("missing: %s: %s", g.What, g.Why)
	}
	for _, n := range o.dump.Notes {
		t.Errorf("note: %s", n)
	}
	o.checkModules(t)
	o.checkProcesses(t)
	o.checkResources(t)
}

func (o *opened) checkModules(t *testing.T) {
	t.Helper()
	if len(o.dump.modules) != len(o.truth.Modules) {
		t.Errorf("%d modules of %d", len(o.dump.modules), len(o.truth.Modules))
	}
	for _, want := range o.truth.Modules {
		m := o.dump.module(want.Base)
		if m == nil || m.Size != want.Size || !strings.EqualFold(m.File, want.Name) || m.Stamp != want.Timestamp || m.CheckSum != want.Checksum {
			t.Errorf("module %s is %+v", want.Name, m)
		}
	}
}

func (o *opened) checkProcesses(t *testing.T) {
	t.Helper()
	if len(o.facts.Processes) != len(o.truth.Processes) {
		t.Errorf("%d processes of %d", len(o.facts.Processes), len(o.truth.Processes))
	}
	for _, want := range o.truth.Processes {
		p := o.facts.process[want.VA]
		if p == nil || p.PID != want.ID || p.Parent != want.Parent || p.Image != want.Name || p.Peb != want.Peb || p.Directory != want.DirectoryTableBase {
			t.Errorf("process %s is %+v", want.Name, p)
			continue
		}
		for i := range want.Threads {
			o.checkThread(t, &want.Threads[i])
		}
	}
}

func (o *opened) checkThread(t *testing.T, want *dumptest.TruthThread) {
	t.Helper()
	th := o.facts.thread[want.VA]
	if th == nil {
		t.Errorf("thread 0x%x is not there", want.VA)
		return
	}
	got := fmt.Sprintf("%x.%x state %d reason %d priority %d base %d switches %d start %x teb %x", th.PID, th.TID, th.State, th.Reason, th.Priority, th.BasePriority, th.ContextSwitches, th.Start, th.Teb)
	s := &want.Spec
	reason := th.Reason
	if s.State == dumptest.Waiting {
		reason = uint8(s.WaitReason)
	}
	wanted := fmt.Sprintf("%x.%x state %d reason %d priority %d base %d switches %d start %x teb %x", want.ProcessID, want.ID, s.State, reason, s.Priority, s.BasePriority, s.ContextSwitches, s.StartAddress, want.Teb)
	if got != wanted {
		t.Errorf("thread 0x%x is\n%s, want\n%s", want.VA, got, wanted)
	}
	if s.State == dumptest.Waiting && (th.WaitTime != want.WaitTime || th.Alertable != s.Alertable || th.UserMode != s.UserWait || th.Timed != want.Timeout) {
		t.Errorf("the wait of thread 0x%x is %+v", want.VA, th)
	}
	o.checkWaits(t, th, want)
	o.checkStack(t, th, want)
}

func (o *opened) checkWaits(t *testing.T, th *Thread, want *dumptest.TruthThread) {
	t.Helper()
	var got, wanted []string
	for _, w := range th.Objects {
		if w.VA != th.timer {
			got = append(got, fmt.Sprintf("%x type %d limit %d owner %x", w.VA, w.Type, w.Limit, w.Owner))
		}
	}
	for _, w := range want.Waits {
		wanted = append(wanted, fmt.Sprintf("%x type %d limit %d owner %x", w.VA, w.Type, w.Limit, w.Owner))
	}
	if !slices.Equal(got, wanted) {
		t.Errorf("thread 0x%x waits for %q, want %q", want.VA, got, wanted)
	}
	if !slices.Equal(th.IRPs, want.IRPs) {
		t.Errorf("thread 0x%x has the IRPs %x, want %x", want.VA, th.IRPs, want.IRPs)
	}
}

func (o *opened) checkStack(t *testing.T, th *Thread, want *dumptest.TruthThread) {
	t.Helper()
	if n := len(want.Segments); n > 0 {
		if s := want.Segments[0]; th.Base != s.Base || th.Limit != s.Limit {
			t.Errorf("the stack of thread 0x%x is [%x, %x), want %+v", want.VA, th.Limit, th.Base, s)
		}
	}
	if len(want.Frames) == 0 {
		return
	}
	frames, why := o.dump.stack(th)
	if why != nil {
		t.Errorf("the stack of thread 0x%x ends: %v", want.VA, why)
	}
	for i, f := range want.Frames {
		if i >= len(frames) {
			t.Errorf("thread 0x%x has %d frames of %d", want.VA, len(frames), len(want.Frames))
			return
		}
		if g := frames[i]; g.SP != f.SP || g.IP != f.IP || g.Ret != f.Return && f.Return != 0 || g.Scanned {
			t.Errorf("frame %d of thread 0x%x is %+v, want %+v", i, want.VA, g, f)
		}
	}
}

func (o *opened) checkResources(t *testing.T) {
	t.Helper()
	known := make(map[uint64]*Resource)
	for _, r := range o.facts.Resources {
		known[r.VA] = r
	}
	linked := 0
	for _, want := range o.truth.Resources {
		if want.Unlinked {
			continue
		}
		linked++
		r := known[want.VA]
		if r == nil {
			if !slices.Contains(o.facts.Free, Free{want.VA, want.Contention}) || len(want.Exclusive)+len(want.Shared) > 0 {
				t.Errorf("resource 0x%x is not there", want.VA)
			}
			continue
		}
		checkResource(t, r, &want)
	}
	if got := len(o.facts.Resources) + len(o.facts.Free); got != linked || !o.facts.Listed {
		t.Errorf("%d resources of %d", got, linked)
	}
}

func checkResource(t *testing.T, r *Resource, want *dumptest.TruthResource) {
	t.Helper()
	var wanted []string
	for _, w := range append(slices.Clone(want.Exclusive), want.Shared...) {
		wanted = append(wanted, fmt.Sprintf("%x-%d", w.Value, w.Count))
	}
	var got []string
	for _, w := range r.Owners {
		got = append(got, fmt.Sprintf("%x-%d", w.Thread, w.Count))
	}
	if r.Fast != want.Fast {
		t.Errorf("resource 0x%x is fast: %v", r.VA, r.Fast)
	}
	if r.Fast {
		return
	}
	if !slices.Equal(got, wanted) || r.ExclusivelyOwned() != (len(want.Exclusive) > 0) {
		t.Errorf("resource 0x%x is owned by %q (exclusively: %v), want %q", r.VA, got, r.ExclusivelyOwned(), wanted)
	}
	if !slices.Equal(r.Shared, want.SharedWaiters) || !slices.Equal(r.Exclusive, want.ExclusiveWaiters) || r.Contention != want.Contention {
		t.Errorf("for resource 0x%x wait %x and %x, want %x and %x", r.VA, r.Shared, r.Exclusive, want.SharedWaiters, want.ExclusiveWaiters)
	}
}
