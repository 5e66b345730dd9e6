package memory_test

import (
	"testing"

	"kdlocks/memory"
)

// TestShare: by the TOTAL of the listing, by the head of poolmon, by !vm, in that order.
func TestShare(t *testing.T) {
	poolused := "Sorting by NonPaged Pool Consumed\nPool Used:\n NonPaged Paged\n Tag Allocs Used Allocs Used\nLeak 10 4096000 0 0\n"
	poolmon := "Memory: 130480K Avail: 91856K PageFlts: 1220 InRam Krnl: 2484K P: 7988K\nCommit: 30104K Limit: 248432K Peak: 34028K Pool N: 8000K P: 9000K\n" +
		"Leak Nonp 560 ( 177) 539 ( 171) 21 4096000 ( 4992) 832\n"
	vm := "*** Virtual Memory Usage ***\nPhysical Memory: 851420 ( 3405680 Kb)\nNonPagedPool Usage: 2000 ( 8000 Kb)\nNonPagedPool Max: 31986 ( 127944 Kb)\n"
	nx := "*** Virtual Memory Usage ***\nPhysical Memory: 851420 ( 3405680 Kb)\nNonPagedPool Usage: 1000 ( 4000 Kb)\nNonPagedPoolNx Usage: 3000 ( 12000 Kb)\n"
	broken := "*** Virtual Memory Usage ***\nPhysical Memory: 1000 ( 4000 Kb)\nNonPagedPool Usage: 2000 ( 8000 Kb)\n"
	for _, c := range []struct {
		name, text string
		want       float64 // below 0 if unknown
	}{
		{"nothing tells", poolused, -1},
		{"TOTAL", poolused + "TOTAL 20 8192000 0 0\n" + vm, 50},
		{"TOTAL is smaller than the row", poolused + "TOTAL 20 81920 0 0\n", -1},
		{"head of poolmon", poolmon, 50},
		{"!vm", poolused + vm, 50},
		{"!vm with two kinds of nonpaged pool", poolused + nx, 25},
		{"!vm that cannot be true", poolused + broken, -1},
	} {
		l, _ := read(c.text)
		got, ok := l.Pools[0].Share(&l.Pools[0].Rows[0], memory.NonPaged, l.LastVM())
		if !ok {
			got = -1
		}
		if got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
