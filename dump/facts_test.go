package dump

import (
	"bytes"
	"strings"
	"testing"

	"kdlocks/dump/dumptest"
)

// TestUnloadedDrivers reads MmUnloadedDrivers.
func TestUnloadedDrivers(t *testing.T) {
	m := small(t)
	want := []dumptest.UnloadedDriver{{Name: "WdBoot.sys", Start: 0xfffff80279d30000, End: 0xfffff80279d42000}, {Name: "hwpolicy.sys", Start: 0xfffff802802c0000, End: 0xfffff802802d1000}}
	m.SetUnloadedDrivers(want)
	b := bytesOf(t, m, dumptest.KernelBitmap)
	_, f, l := readAll(t, bytes.NewReader(b), int64(len(b)))
	if len(f.Unloaded) != len(want) {
		t.Fatalf("%+v", f.Unloaded)
	}
	for i, u := range f.Unloaded {
		if u.Name != want[i].Name || u.Start != want[i].Start || u.End != want[i].End {
			t.Errorf("%+v, want %+v", u, want[i])
		}
	}
	var text bytes.Buffer
	if _, err := l.WriteTo(&text); err != nil || !strings.Contains(text.String(), "Unloaded modules:\nfffff802`79d30000 fffff802`79d42000   WdBoot.sys\n") {
		t.Errorf("%v\n%s", err, text.String())
	}
}

// TestFastResources are told, and not decoded.
func TestFastResources(t *testing.T) {
	for _, build := range dumptest.Builds() {
		m, err := dumptest.New(dumptest.Options{Build: build})
		if err != nil {
			t.Fatal(err)
		}
		if !m.HasFastResources() {
			continue
		}
		th := m.System().AddThread(dumptest.ThreadSpec{ID: 0x100, System: true, State: dumptest.Ready})
		owned := m.AddFastResource(dumptest.FastResourceSpec{Owners: []*dumptest.Thread{th}, Exclusive: true})
		free := m.AddFastResource(dumptest.FastResourceSpec{})
		plain := m.AddResource(dumptest.ResourceSpec{Exclusive: &dumptest.Owner{Thread: th}})
		b := bytesOf(t, m, dumptest.KernelBitmap)
		d, f, _ := readAll(t, bytes.NewReader(b), int64(len(b)))
		for _, r := range f.Resources {
			if fast := r.VA == owned.VA || r.VA == free.VA; r.Fast != fast || r.VA == plain.VA && len(r.Owners) != 1 {
				t.Errorf("%s: resource 0x%x: %+v", build, r.VA, r)
			}
		}
		told := false
		for _, g := range d.Gaps {
			told = told || strings.Contains(g.What, "2 fast resources")
		}
		if !told {
			t.Errorf("%s: nothing tells of fast resources: %v", build, d.Gaps)
		}
	}
}

// TestCircularChains: a chain of waiters may end with zero or lead back to its first.
func TestCircularChains(t *testing.T) {
	for _, circular := range []bool{false, true} {
		for _, build := range dumptest.Builds() {
			m, err := dumptest.New(dumptest.Options{Build: build})
			if err != nil {
				t.Fatal(err)
			}
			thread := func(id uint64) *dumptest.Thread {
				return m.System().AddThread(dumptest.ThreadSpec{
					ID: id, System: true, State: dumptest.Waiting, WaitReason: dumptest.WrResource,
					Stack: []dumptest.Frame{
						{Function: "KiStartSystemThread", Offset: 0x28}, {Function: "PspSystemThreadStartup", Offset: 0x55}, {Function: "ExAcquireResourceExclusiveLite", Offset: 0x1c2},
						{Function: "ExpWaitForResource", Offset: 0xfe}, {Function: "KeWaitForSingleObject", Offset: 0x233}, {Function: "KiCommitThreadWait", Offset: 0x14f}, {Function: "KiSwapThread", Offset: 0x500},
					},
				})
			}
			owner := m.System().AddThread(dumptest.ThreadSpec{ID: 0x100, System: true, State: dumptest.Ready})
			m.AddResource(dumptest.ResourceSpec{
				Exclusive: &dumptest.Owner{Thread: owner}, Circular: circular,
				SharedWaiters: []*dumptest.Thread{thread(0x200), thread(0x204), thread(0x208)}, ExclusiveWaiters: []*dumptest.Thread{thread(0x300), thread(0x304)},
			})
			if err := m.Err(); err != nil {
				t.Fatal(err)
			}
			o := openMachine(t, &dumptest.Scenario{Machine: m}, dumptest.KernelBitmap)
			o.check(t)
			if t.Failed() {
				t.Fatalf("%s, circular: %v", build, circular)
			}
		}
	}
}
