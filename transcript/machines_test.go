package transcript_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"kdlocks/transcript"
)

// TestMachines: another place of a routine, or another width of addresses, is another
// machine, also without a banner; what was printed of memory above it is of that, too.
func TestMachines(t *testing.T) {
	const vm = "kd> !vm 1\nPhysical Memory: %d ( %d Kb)\nNonPagedPool Usage: 85 ( 340 Kb)\nNonPagedPool Max: 100 ( 400 Kb)\n"
	const x, elsewhere, wide = "kd> x nt!ExAllocatePool\ne0894d1f nt!ExAllocatePool\n", "kd> x nt!ExAllocatePool\n8086b3c1 nt!ExAllocatePool\n", "kd> x nt!ExAllocatePool\nfffff800`02a4d1f0 nt!ExAllocatePool\n"
	const locks = "kd> !locks\nKD: Scanning for held locks...\n\nResource @ 0xfffffa8011efede8    Exclusively owned\n     Threads: fffffa80169538a0-01<*>\n1 total locks, 1 locks currently held\n"
	of := func(ram int) string { return fmt.Sprintf(vm, ram, 4*ram) }
	for _, c := range []struct {
		name, text string
		ram        []int64 // of each session's !vm, 0 for none
	}{
		{"one", of(1000) + x + x, []int64{1000}},
		{"another place", of(1000) + x + of(2000) + elsewhere, []int64{1000, 2000}},
		{"another place, no !vm", of(1000) + x + elsewhere, []int64{1000, 0}},
		{"a !vm of the first", of(1000) + x + of(1000) + "kd> dps f50b8058\nf50b8058  e0894d1f nt!ExAllocatePool\n" + of(2000) + elsewhere, []int64{1000, 2000}},
		{"three", of(1000) + x + of(2000) + elsewhere + of(3000) + x, []int64{1000, 2000, 3000}},
		{"32 bits behind 64", of(1000) + locks + of(2000) + x, []int64{1000, 2000}},
		{"64 bits behind 32", of(1000) + x + locks + of(2000), []int64{1000, 2000}},
		{"64 bits behind 64", of(1000) + wide + locks + of(1000) + wide, []int64{1000}},
		{"another routine", of(1000) + x + of(1000) + strings.ReplaceAll(elsewhere, "ExAllocatePool", "ExFreePool"), []int64{1000}},
		{"more memory", of(1000) + of(2000), []int64{1000, 2000}},
		{"more memory, one routine", of(1000) + x + of(2000) + x, []int64{1000, 2000}},
		{"more memory above 64 bits", of(1000) + x + of(2000) + locks, []int64{1000, 2000}},
		{"as much memory above 64 bits", of(1000) + x + of(1000) + locks, []int64{1000, 1000}},
		{"as much memory in between", of(1000) + x + of(1000) + elsewhere + of(1000), []int64{1000, 1000}},
		{"two and back", of(1000) + of(2000) + of(1000), []int64{1000, 2000, 1000}},
		{"a torn number", strings.Replace(of(2000), "( 8000 Kb)", "( 4000 Kb)", 1) + of(1000), []int64{1000}},
	} {
		tr, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("in", []byte(c.text))}, nil)
		if err != nil {
			t.Fatal(err)
		}
		all := append(tr.Snapshots, tr.Aside...)
		got := make(map[int64]int)
		machines := make(map[int]bool)
		for _, s := range all {
			ram := int64(0)
			if n := len(s.Memory.VMs); n > 0 {
				ram = s.Memory.VMs[n-1].Pages("Physical Memory").N
			}
			got[ram]++
			machines[s.Target.Attached] = true
		}
		for _, ram := range c.ram {
			got[ram]--
		}
		for ram, n := range got {
			if n != 0 {
				t.Errorf("%s: %d sessions with %d pages more than wanted", c.name, n, ram)
			}
		}
		if len(machines) != len(c.ram) {
			t.Errorf("%s: %d machines, want %d", c.name, len(machines), len(c.ram))
		}
	}
}
