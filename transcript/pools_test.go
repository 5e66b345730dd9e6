package transcript

import (
	"testing"

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
