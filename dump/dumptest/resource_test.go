package dumptest

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// readResource is an ERESOURCE by its literal offsets, which all builds share.
type readResource struct {
	exclusive, shared []TruthOwner
	waiting           [2][]uint64 // threads: shared, exclusive
	counts            [2]uint32
	flags             uint16
}

func release(build string) string { return strings.Split(build, ".")[2] }

func readEntry(t *testing.T, d *image, va uint64, rel string) TruthOwner {
	bits := uint32(d.u64(t, va+8))
	count := bits >> 3
	if rel == "7601" || rel == "9600" {
		count = bits >> 2
	}
	return TruthOwner{Value: d.u64(t, va), Count: count}
}

func readERESOURCE(t *testing.T, d *image, va uint64, rel string) readResource {
	var r readResource
	r.flags = uint16(d.u64(t, va+0x18) >> 16)
	owner := readEntry(t, d, va+0x30, rel)
	switch {
	case owner.Value == 0:
	case r.flags&0x80 != 0:
		r.exclusive = append(r.exclusive, owner)
	default:
		r.shared = append(r.shared, owner)
	}
	if table := d.u64(t, va+0x10); table != 0 {
		for i := uint64(1); i < d.u64(t, table+8)&0xFFFFFFFF; i++ {
			if e := readEntry(t, d, table+16*i, rel); e.Value != 0 {
				r.shared = append(r.shared, e)
			}
		}
	}
	n := d.u64(t, va+0x48)
	r.counts = [2]uint32{uint32(n), uint32(n >> 32)}
	r.waiting[0] = readWaiters(t, d, va+0x20, rel, true)
	r.waiting[1] = readWaiters(t, d, va+0x28, rel, false)
	return r
}

// readWaiters lists the threads behind a field by the mechanism of the release.
func readWaiters(t *testing.T, d *image, va uint64, rel string, shared bool) []uint64 {
	first := d.u64(t, va)
	if first == 0 {
		return nil
	}
	thread := uint64(0x18) // in a KWAIT_BLOCK
	if rel == "7601" {
		thread = 0x10
	}
	blocks := func(object uint64) []uint64 {
		var all []uint64
		for _, b := range d.list(t, object+8) {
			all = append(all, d.u64(t, b+thread))
		}
		return all
	}
	chained := rel != "7601" && rel != "9600" && (rel != "14393" || shared)
	if !chained {
		return blocks(first)
	}
	var all []uint64
	for at := first; at != 0; {
		if rel == "14393" {
			all = append(all, blocks(at+8)...)
		} else {
			all = append(all, d.u64(t, at+0x10))
			if b := blocks(at + 0x18); !slices.Equal(b, all[len(all)-1:]) {
				t.Errorf("entry %#x of thread %#x is waited for by %#x", at, all[len(all)-1], b)
			}
		}
		if at = d.u64(t, at); at == first {
			break
		}
	}
	return all
}

func values(owners []TruthOwner) []string {
	var all []string
	for _, o := range owners {
		all = append(all, fmt.Sprintf("%#x*%d", o.Value, o.Count))
	}
	return all
}

func checkResources(t *testing.T, m *Machine, head uint64) {
	d, truth := writeImage(t, m, KernelBitmap), m.Truth()
	list := d.list(t, head)
	if len(list) != len(truth.Resources) {
		t.Fatalf("%d resources, want %d", len(list), len(truth.Resources))
	}
	for i, va := range list {
		want := truth.Resources[i]
		r := readERESOURCE(t, d, va, release(truth.Build))
		if va != want.VA || r.flags != want.Flags ||
			!slices.Equal(values(r.exclusive), values(want.Exclusive)) || !slices.Equal(values(r.shared), values(want.Shared)) {
			t.Errorf("resource %#x: %+v, want %+v", va, r, want)
		}
		if !slices.Equal(r.waiting[0], want.SharedWaiters) || !slices.Equal(r.waiting[1], want.ExclusiveWaiters) {
			t.Errorf("resource %#x: waiters %#x, want %#x and %#x", va, r.waiting, want.SharedWaiters, want.ExclusiveWaiters)
		}
		if r.counts != [2]uint32{uint32(len(want.SharedWaiters)), uint32(len(want.ExclusiveWaiters))} {
			t.Errorf("resource %#x: %d waiters are counted", va, r.counts)
		}
	}
}

func TestResourcesOfScenarios(t *testing.T) {
	for _, build := range Builds() {
		for name, make := range Scenarios() {
			t.Run(build+"/"+name, func(t *testing.T) {
				s, err := make(Options{Build: build, Processors: 2})
				if err != nil {
					t.Fatal(err)
				}
				// ExpSystemResourcesList by KDDEBUGGER_DATA64.
				m := s.Machine
				checkResources(t, m, m.Peek64(m.nt.Symbol("KdDebuggerDataBlock")+0x60))
				checkCycle(t, s)
			})
		}
	}
}

// checkCycle: each thread of the cycle waits for what the next one owns.
func checkCycle(t *testing.T, s *Scenario) {
	truth := s.Machine.Truth()
	for i, th := range s.Cycle {
		next := s.Cycle[(i+1)%len(s.Cycle)]
		if !slices.ContainsFunc(truth.Resources, func(r TruthResource) bool {
			owns := func(o TruthOwner) bool { return o.Thread == next.VA && !o.Stale }
			return slices.Contains(append(r.SharedWaiters, r.ExclusiveWaiters...), th.VA) &&
				slices.ContainsFunc(append(r.Exclusive, r.Shared...), owns)
		}) {
			t.Errorf("%#x does not wait for %#x", th.VA, next.VA)
		}
	}
}

// TestOwnerPointers: where the owner pointers of the scenarios lead.
func TestOwnerPointers(t *testing.T) {
	for _, c := range []struct {
		make    func(Options) (*Scenario, error)
		thread  int // index in Threads, -1 for none
		segment int
		stale   bool
	}{
		{SelfDeadlockOnStack, 0, 0, false},
		{SelfDeadlockOnEarlierSegment, 0, 1, false},
		{StaleOwnerPointer, 0, 0, true},
		{PoolOwnerPointer, -1, -1, false},
	} {
		s, err := c.make(Options{})
		if err != nil {
			t.Fatal(err)
		}
		o := s.Machine.Truth().Resources[0].Exclusive[0]
		want := uint64(0)
		if c.thread >= 0 {
			want = s.Threads[c.thread].VA
		}
		if o.Thread != want || o.Segment != c.segment || o.Stale != c.stale || o.Value&3 != 3 {
			t.Errorf("%s: %+v", s.Name, o)
		}
	}
}

func TestCircularChain(t *testing.T) {
	for _, build := range Builds() {
		s, err := newScenario(Options{Build: build}, "circular")
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			s.waiter(true, s.frame("WkWorker"))
			s.waiter(false, s.frame("WkWorker"))
		}
		th := s.Threads
		r := s.resource(ResourceSpec{
			Circular: true, SharedWaiters: []*Thread{th[0], th[2], th[4]}, ExclusiveWaiters: []*Thread{th[1], th[3], th[5]},
		})
		checkResources(t, s.Machine, s.Machine.nt.Symbol("ExpSystemResourcesList"))
		if first := s.Machine.Peek64(r.VA + 0x20); s.Machine.layout.has("KWAIT_CHAIN_ENTRY") {
			at := first
			for range 3 {
				at = s.Machine.Peek64(at)
			}
			if at != first {
				t.Errorf("%s: three entries on from %#x is %#x", build, first, at)
			}
			if seg := th[0].Segments[0]; first < seg.Limit || first >= seg.Base {
				t.Errorf("%s: entry %#x is not on its thread's stack", build, first)
			}
		}
	}
}

func TestContradiction(t *testing.T) {
	s, err := newScenario(Options{}, "contradiction")
	if err != nil {
		t.Fatal(err)
	}
	count, entries, shared, exclusive, table := int16(-5), uint32(99), uint32(0xFFFF_FFFF), uint32(7), uint32(1<<31)
	r := s.resource(ResourceSpec{
		SharedInTable: true, Shared: []Owner{{Thread: s.idleThread(), Referenced: true, Boosted: true, Count: 4}},
		Contradict: Contradiction{&count, &entries, &shared, &exclusive, &table},
	})
	m := s.Machine
	if got := m.Peek(r.VA+0x18, 2); binary.LittleEndian.Uint16(got) != 0xFFFB {
		t.Errorf("ActiveCount % x", got)
	}
	if m.peek32(r.VA+0x40) != entries || m.peek32(r.VA+0x48) != shared || m.peek32(r.VA+0x4C) != exclusive {
		t.Errorf("counts % x", m.Peek(r.VA+0x40, 16))
	}
	owners := m.Peek64(r.VA + 0x10)
	if m.peek32(owners+8) != table || m.peek32(owners+0x18) != 4<<3|3 {
		t.Errorf("owner table % x", m.Peek(owners, 32))
	}
}

func TestFastResources(t *testing.T) {
	for _, build := range Builds() {
		s, err := newScenario(Options{Build: build}, "fast")
		if err != nil {
			t.Fatal(err)
		}
		m, owner := s.Machine, s.idleThread()
		r := m.AddFastResource(FastResourceSpec{Owners: []*Thread{owner}, Exclusive: true})
		if !m.HasFastResources() {
			if m.Err() == nil {
				t.Errorf("%s has fast resources", build)
			}
			continue
		}
		d := writeImage(t, m, KernelBitmap)
		entries := d.list(t, r.VA+0x30)
		if len(entries) != 1 || d.u64(t, entries[0]+0x18) != r.VA || d.u64(t, entries[0]+0x20) != owner.VA {
			t.Errorf("%s: owner entries %#x", build, entries)
		}
		if flags := d.u64(t, r.VA+0x18) >> 16 & 0xFFFF; flags != 0x81 || !m.Truth().Resources[0].Fast {
			t.Errorf("%s: flags %#x", build, flags)
		}
	}
}
