package transcript

import (
	"context"
	"fmt"
	"testing"

	"kdlocks/kd"
	"kdlocks/memory"
	"kdlocks/snapshot"
)

// TestLinkPools: listings of one run of a machine are linked, whatever was printed in
// between and in which order, and none across a restart.
func TestLinkPools(t *testing.T) {
	const base = 0xfffff80002a1e000
	at := func(attached int, time, uptime string) *snapshot.Snapshot {
		s := &snapshot.Snapshot{Target: snapshot.Target{Attached: attached, SessionTime: time, Uptime: uptime}}
		if time != "" {
			s.Target.KernelBase = base
		}
		s.Memory.Pools = []*memory.Pool{{}}
		return s
	}
	const day1, day2, later = "Mon Nov  2 10:00:00.000 2026 (UTC + 1:00)", "Tue Nov  3 10:00:30.000 2026 (UTC + 1:00)", "Tue Nov  3 18:00:00.000 2026 (UTC + 1:00)"
	other := at(2, day2, "2 days 0:00:00.000")
	other.Target.KernelBase = 0xfffff80003000000
	on := func(built, machine string, processors, attached int, time, uptime string) *snapshot.Snapshot {
		s := at(attached, time, uptime)
		s.Target.BuiltBy, s.Target.Machine, s.Target.Processors = built, machine, processors
		return s
	}
	in := func(input int32, ram int64, s *snapshot.Snapshot) *snapshot.Snapshot {
		s.Target.KernelBase, s.Memory.Pools[0].At.Input = 0, input
		if ram > 0 {
			s.Memory.VMs = []*memory.VM{{Counters: []memory.Counter{{Name: memory.PhysicalMemory, Pages: memory.Number{N: ram, At: kd.Ref{Line: 1}}}}}}
		}
		return s
	}
	const up1, up2 = "1 days 0:00:00.000", "2 days 0:00:00.000"
	for _, c := range []struct {
		name  string
		snaps []*snapshot.Snapshot
		want  []int // earlier listings of each
	}{
		{"one target", []*snapshot.Snapshot{at(1, "", ""), at(1, "", "")}, []int{0, 1}},
		{"two targets that tell nothing", []*snapshot.Snapshot{at(1, "", ""), at(2, "", "")}, []int{0, 0}},
		{"two of one boot", []*snapshot.Snapshot{at(1, day1, "1 days 0:00:00.000"), at(2, day2, "2 days 0:00:00.000")}, []int{0, 1}},
		{"the later first", []*snapshot.Snapshot{at(1, day2, "2 days 0:00:00.000"), at(2, day1, "1 days 0:00:00.000")}, []int{1, 0}},
		{"another boot", []*snapshot.Snapshot{at(1, day1, "1 days 0:00:00.000"), at(2, later, "0 days 3:00:00.000")}, []int{0, 0}},
		{"another boot of one target", []*snapshot.Snapshot{at(1, day1, "1 days 0:00:00.000"), at(1, later, "0 days 3:00:00.000")}, []int{0, 0}},
		{"another machine", []*snapshot.Snapshot{at(1, day1, "1 days 0:00:00.000"), other}, []int{0, 0}},
		{"uptime alone, restarted", []*snapshot.Snapshot{at(1, "", "1 days 0:00:00.000"), at(1, "", "0 days 1:00:00.000")}, []int{0, 0}},
		{"one build, the other is not told", []*snapshot.Snapshot{on("3790.srv03", "", 4, 1, day1, up1), on("", "WEB1", 0, 2, day2, up2)}, []int{0, 1}},
		{"another build", []*snapshot.Snapshot{on("3790.srv03", "", 0, 1, day1, up1), on("3790.srv03_sp2", "", 0, 2, day2, up2)}, []int{0, 0}},
		{"another name", []*snapshot.Snapshot{on("", "WEB1", 0, 1, day1, up1), on("", "SQL2", 0, 2, day2, up2)}, []int{0, 0}},
		{"another count of processors", []*snapshot.Snapshot{on("", "", 4, 1, day1, up1), on("", "", 8, 2, day2, up2)}, []int{0, 0}},
		{"two machines started at once, in turn", []*snapshot.Snapshot{on("", "WEB1", 0, 1, day1, up1), on("", "SQL2", 0, 2, day1, up1), on("", "WEB1", 0, 3, day2, up2), on("", "SQL2", 0, 4, day2, up2)}, []int{0, 0, 1, 1}},
		{"the name is told once, then another", []*snapshot.Snapshot{on("", "", 4, 1, day1, up1), on("", "WEB1", 4, 2, day2, up2), on("", "SQL2", 4, 3, day2, up2)}, []int{0, 1, 0}},
		{"the header once, then times", []*snapshot.Snapshot{at(1, day1, up1), in(0, 0, at(2, day2, up2))}, []int{0, 1}},
		{"times alone", []*snapshot.Snapshot{in(0, 0, at(1, day1, up1)), in(0, 0, at(2, day2, up2))}, []int{0, 1}},
		{"times alone, in two inputs", []*snapshot.Snapshot{in(0, 0, at(1, day1, up1)), in(1, 0, at(2, day2, up2))}, []int{0, 0}},
		{"times alone, more memory", []*snapshot.Snapshot{in(0, 4096, at(1, day1, up1)), in(0, 8192, at(2, day2, up2))}, []int{0, 0}},
		{"times alone, of one of two", []*snapshot.Snapshot{on("", "WEB1", 0, 1, day1, up1), on("", "SQL2", 0, 2, day1, up1), in(0, 0, at(3, day2, up2))}, []int{0, 0, 0}},
		{"the time is printed later", []*snapshot.Snapshot{at(1, "", ""), at(1, day1, "1 days 0:00:00.000"), at(2, day2, "2 days 0:00:00.000")}, []int{0, 1, 2}},
	} {
		linkPools(c.snaps)
		for i, s := range c.snaps {
			if len(s.EarlierPools) != c.want[i] {
				t.Errorf("%s: session %d has %d earlier listings, want %d", c.name, i+1, len(s.EarlierPools), c.want[i])
			}
		}
	}
}

// TestUptimeOfPools: how long the machine had run is known by the sessions.
func TestUptimeOfPools(t *testing.T) {
	at := func(attached int, uptime string) *snapshot.Snapshot {
		s := &snapshot.Snapshot{Target: snapshot.Target{Attached: attached, Uptime: uptime}}
		s.Memory.Pools = []*memory.Pool{{}}
		return s
	}
	one, two, unknown := at(1, "0 days 1:00:00.000"), at(1, "0 days 3:00:00.000"), at(1, "")
	linkPools([]*snapshot.Snapshot{one, two, unknown})
	up := func(s *snapshot.Snapshot) int64 { return s.Memory.Pools[0].Uptime }
	if up(one) != 3_600_000 || up(two) != 3*3_600_000 || up(unknown) != 0 || len(unknown.EarlierPools) != 2 {
		t.Errorf("uptimes %d, %d and %d ms", up(one), up(two), up(unknown))
	}
}

// TestPoolsOfHeaders: two full headers of one machine link its listings, also if only the
// last line of the second tells that time has gone by, and in two files.
func TestPoolsOfHeaders(t *testing.T) {
	header := func(procs int, built, name, clock, zone string, hours int) string {
		s := fmt.Sprintf("0: kd> vertarget\nWindows Server 2003 Kernel Version 3790 (Service Pack 2) MP (%d procs) Free x86 compatible\nProduct: Server, suite: TerminalServer SingleUserTS\n", procs)
		if built != "" {
			s += "Built by: " + built + "\n"
		}
		if name != "" {
			s += "Machine Name: \"" + name + "\"\n"
		}
		return s + fmt.Sprintf("Kernel base = 0x80800000 PsLoadedModuleList = 0x808a6ea8\nDebug session time: Fri Oct 12 %s:00:00.000 2012 (%s)\nSystem Uptime: 1 days %d:00:00.000\n", clock, zone, hours) +
			"0: kd> !poolused 2\n   Sorting by NonPaged Pool Consumed\n\n  Pool Used:\n            NonPaged            Paged\n Tag    Allocs     Used    Allocs     Used\n" +
			fmt.Sprintf(" Thre   110065 %d         0        0\n", 60000000+hours*1000000)
	}
	const built, other, zone = "3790.srv03_sp2_gdr.090805-1438", "3790.srv03_sp2_rtm.070216-1710", "UTC + 1:00"
	first := header(4, built, "WEB1", "10", zone, 10)
	for _, c := range []struct {
		name, second string
		linked       bool
	}{
		{"all the same", header(4, built, "WEB1", "12", zone, 12), true},
		{"no build", header(4, "", "WEB1", "12", zone, 12), true},
		{"no name", header(4, built, "", "12", zone, 12), true},
		{"an older debugger", header(4, built, "WEB1", "12", "GMT+1", 12), true},
		{"the same moment in another zone", header(4, built, "WEB1", "11", "GMT", 12), true},
		{"another build", header(4, other, "WEB1", "12", zone, 12), false},
		{"another name", header(4, built, "SQL2", "12", zone, 12), false},
		{"more processors", header(8, built, "WEB1", "12", zone, 12), false},
		{"another boot", header(4, built, "WEB1", "16", zone, 12), false},
	} {
		for _, inputs := range [][]Input{{Bytes("one", []byte(first+c.second))}, {Bytes("a", []byte(first)), Bytes("b", []byte(c.second))}} {
			tr, err := Read(context.Background(), inputs, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(tr.Snapshots) != 2 {
				t.Fatalf("%s, %d inputs: %d sessions", c.name, len(inputs), len(tr.Snapshots))
			}
			a, b := tr.Snapshots[0], tr.Snapshots[1]
			if len(a.EarlierPools) != 0 || len(b.EarlierPools) == 1 != c.linked {
				t.Errorf("%s, %d inputs: %d and %d earlier listings", c.name, len(inputs), len(a.EarlierPools), len(b.EarlierPools))
			}
			if a.Target.BuiltBy != built || a.Target.Processors != 4 || b.Target.Processors == 0 {
				t.Errorf("%s, %d inputs: targets %+v and %+v", c.name, len(inputs), a.Target, b.Target)
			}
		}
	}
}
