package dumptest

import (
	"slices"
	"testing"
)

// TestWaits reads wait blocks back: through the thread's list, and from each
// object's own.
func TestWaits(t *testing.T) {
	for _, build := range Builds() {
		t.Run(build, func(t *testing.T) {
			m, err := New(Options{Build: build})
			if err != nil {
				t.Fatal(err)
			}
			p := m.AddProcess(ProcessSpec{ID: 0x50, Name: "wait.exe"})
			owner := p.AddThread(ThreadSpec{ID: 0x54, State: Ready})
			objects := []*Object{
				m.AddObject(ObjectSpec{Type: EventNotification}),
				m.AddObject(ObjectSpec{Type: SemaphoreObject, Limit: 9, Signal: 0}),
				m.AddObject(ObjectSpec{Type: MutantObject, Owner: owner, Recursion: 3, Abandoned: true}),
				m.AddObject(ObjectSpec{Type: TimerSynchronization, DueTime: 77}),
				m.AddObject(ObjectSpec{Type: QueueObject, Limit: 2}),
				owner.Object(), p.Object(),
			}
			for n := range len(objects) + 1 {
				for _, timeout := range []bool{false, true} {
					if n == 0 && !timeout {
						continue
					}
					th := p.AddThread(ThreadSpec{ID: 0x58, State: Waiting, WaitReason: UserRequest, UserWait: true})
					th.Wait(WaitSpec{Objects: objects[:n], All: n > 1, Timeout: timeout, DueTime: 5})
					checkWait(t, m, th, objects[:n], timeout)
				}
			}
			checkMutant(t, m, owner, objects[2])
			if err := m.Err(); err != nil {
				t.Error(err)
			}
		})
	}
}

// blockOffsets are WaitType, WaitKey, Thread and Object of KWAIT_BLOCK.
func blockOffsets(m *Machine) [4]uint64 {
	if m.layout.release() == 7601 {
		return [4]uint64{0x2A, 0x28, 0x10, 0x18}
	}
	return [4]uint64{0x10, 0x12, 0x18, 0x20}
}

func checkWait(t *testing.T, m *Machine, th *Thread, objects []*Object, timeout bool) {
	t.Helper()
	list, timer := uint64(0xD0), uint64(0x100)
	if m.layout.release() == 7601 {
		list, timer = 0x98, 0xC0
	}
	k, block := blockOffsets(m), m.Peek64(th.VA+list)
	for i, o := range objects {
		at := block + 0x30*uint64(i)
		if m.Peek64(at+k[2]) != th.VA || m.Peek64(at+k[3]) != o.VA || uint16(m.peek32(at+k[1])) != uint16(i) {
			t.Errorf("%d objects: block %d is % x", len(objects), i, m.Peek(at, 0x30))
		}
		if all := m.Peek(at+k[0], 1)[0] == 0; all != (len(objects) > 1) {
			t.Errorf("%d objects: wait type of block %d", len(objects), i)
		}
		if !slices.Contains(entries(m, o.VA+8), at) {
			t.Errorf("object %#x is not waited for by block %#x", o.VA, at)
		}
	}
	if waited := entries(m, th.VA+timer+8); len(waited) != int(bit(timeout)) {
		t.Errorf("the thread's timer is waited for by %#x", waited)
	}
	if m.layout.release() == 19041 {
		if n := m.Peek(th.VA+0x24B, 1)[0]; int(n) != max(len(objects), 1) {
			t.Errorf("%d objects: %d wait blocks are counted", len(objects), n)
		}
	}
	if m.layout.release() == 7601 {
		ring := 1
		for at := m.Peek64(block + 0x20); at != block && ring < 20; at = m.Peek64(at + 0x20) {
			ring++
		}
		if want := len(objects) + int(bit(timeout)); ring != want {
			t.Errorf("a ring of %d blocks, want %d", ring, want)
		}
	}
}

func entries(m *Machine, head uint64) []uint64 {
	var all []uint64
	for at := m.Peek64(head); at != head && len(all) < 1000; at = m.Peek64(at) {
		all = append(all, at)
	}
	return all
}

func checkMutant(t *testing.T, m *Machine, owner *Thread, mutant *Object) {
	t.Helper()
	if m.Peek64(mutant.VA+0x28) != owner.VA || int32(m.peek32(mutant.VA+4)) != -2 {
		t.Errorf("mutant % x", m.Peek(mutant.VA, 0x38))
	}
	if held := entries(m, owner.VA+0x308); !slices.Equal(held, []uint64{mutant.VA + 0x18}) {
		t.Errorf("the owner holds %#x", held)
	}
}

// TestThreadFields reads a thread of 19041 by literal offsets.
func TestThreadFields(t *testing.T) {
	m, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, b := m.AddProcess(ProcessSpec{ID: 8, Name: "a"}), m.AddProcess(ProcessSpec{ID: 12, Name: "b", Parent: 8, Terminated: true})
	th := a.AddThread(ThreadSpec{
		ID: 16, State: Terminated, WaitReason: WrMutex, Alertable: true, WaitIrql: 2, WaitTicks: 30, UserWait: true,
		Priority: 15, BasePriority: 8, ContextSwitches: 1234, KernelTicks: 5, UserTicks: 6,
		StartAddress: 0xA, Win32Start: 0xB, AttachedTo: b, NotResident: true,
		Stack: []Frame{{Function: "KiStartSystemThread"}},
	})
	irp := th.AddIRP(3)
	for off, want := range map[uint64]uint64{
		0xF0: 0x30_0000 + 16<<13, 0xB8: b.VA, 0x220: a.VA, 0x450: 0xA, 0x4D0: 0xB, 0x4B0: irp + 0x20,
	} {
		if got := m.Peek64(th.VA + off); got != want {
			t.Errorf("%#x: %#x, want %#x", off, got, want)
		}
	}
	for off, want := range map[uint64]uint32{
		0x154: 1234, 0x1B4: uint32(m.Ticks()) - 30, 0x28C: 5, 0x2DC: 6, 0x510: 1,
		0x74: 1 << 4, 0x78: 0, 4: 1,
	} {
		if got := m.peek32(th.VA + off); got != want {
			t.Errorf("%#x: %#x, want %#x", off, got, want)
		}
	}
	for off, want := range map[uint64]byte{0x184: 4, 0x283: 29, 0x186: 2, 0x187: 1, 0x232: 1, 0xC3: 15, 0x233: 8} {
		if got := m.Peek(th.VA+off, 1)[0]; got != want {
			t.Errorf("%#x: %#x, want %#x", off, got, want)
		}
	}
	if m.Peek64(b.VA+0x840) == 0 || m.Peek64(b.VA+0x540) != 8 {
		t.Error("process b has no exit time or no parent")
	}
	if truth := th.truth(); truth.Frames != nil || truth.AttachedTo != b.VA || len(truth.IRPs) != 1 {
		t.Errorf("%+v", truth)
	}
	d := writeImage(t, m, KernelBitmap)
	if _, err := d.read(th.Segments[0].Kernel, 8); err == nil {
		t.Error("the stack is there")
	}
}

// TestProcessors reads KPRCBs and the context of the running thread.
func TestProcessors(t *testing.T) {
	for _, build := range Builds() {
		s, err := BehindRunning(Options{Build: build, Processors: 3})
		if err != nil {
			t.Fatal(err)
		}
		m := s.Machine
		m.SetCrash(s.Root)
		block := m.Peek64(m.nt.Symbol("KdDebuggerDataBlock") + 0x218)
		state := uint64(0x40)
		if m.layout.release() >= 17763 {
			state = 0x100
		}
		for n := range uint64(3) {
			prcb := m.Peek64(block + 8*n)
			th := m.processors[n].current
			if m.Peek64(prcb+8) != th.VA || m.Peek64(prcb+0x18) != m.processors[n].idle.VA || m.peek32(prcb+0x24) != uint32(n) {
				t.Errorf("%s: processor %d % x", build, n, m.Peek(prcb, 0x28))
			}
			frame := prcb + state + 0xE0
			if m.layout.release() >= 17763 {
				frame = prcb + state + 0xF0
			}
			if m.Peek64(frame+0xF8) != th.Frames[0].IP || m.Peek64(frame+0x98) != th.Frames[0].SP {
				t.Errorf("%s: processor %d runs at %#x", build, n, m.Peek64(frame+0xF8))
			}
		}
		idle := m.processors[2].idle
		if got := m.Peek(m.Field(idle.VA, "KTHREAD.State"), 1)[0]; got != 1 {
			t.Errorf("%s: the idle thread that was displaced has state %d", build, got)
		}
		checkStack(t, m, idle)
		d := writeImage(t, m, Full)
		if rip := d.h[0x348+0xF8:]; m.processors[2].current != s.Root || rip[0] != byte(s.Root.Frames[0].IP) {
			t.Errorf("%s: the header is not that of the thread", build)
		}
	}
}
