package memory_test

import (
	"fmt"
	"strings"
	"testing"

	"kdlocks/memory"
)

// TestGrowths: the bytes of tags over three listings.
func TestGrowths(t *testing.T) {
	head := "Sorting by NonPaged Pool Consumed\nPool Used:\n NonPaged Paged\n Tag Allocs Used Allocs Used\n"
	l, _ := read(head + "Leak 10 1000000 0 0\nThre 5 800 0 0\nOnce 1 64 0 0\n" +
		head + "Leak 20 2000000 0 0\nThre 9 900 0 0\n" +
		head + "Leak 40 4000000 0 0\nThre 2 400 0 0\n")
	want := map[string][2]int64{"Leak": {3000000, 0}, "Thre": {-400, 500}}
	n := 0
	for _, g := range memory.Growths(l.Pools) {
		if g.Type != memory.NonPaged {
			continue
		}
		n++
		if w, ok := want[g.Tag]; !ok || g.Grown() != w[0] || g.Falls() != w[1] || len(g.Rows) != 3 {
			t.Errorf("%q: grown %d falls %d of %d", g.Tag, g.Grown(), g.Falls(), len(g.Rows))
		}
	}
	if n != len(want) {
		t.Errorf("%d tags", n)
	}
}

// TestOwnerOfTag: case and blanks count.
func TestOwnerOfTag(t *testing.T) {
	for tag, want := range map[string]string{"Thre": "nt", "FMsl": "fltmgr.sys", "Irp": "nt", "FSrt": "srv.sys"} {
		if o, ok := memory.OwnerOfTag(tag); !ok || o.Driver != want || o.Source == "" || o.What == "" {
			t.Errorf("%s: %+v", tag, o)
		}
	}
	for _, tag := range []string{"thre", "IRP ", "", "# ta", "Qzx7"} {
		if o, ok := memory.OwnerOfTag(tag); ok {
			t.Errorf("%s: %+v", tag, o)
		}
	}
}

// TestManyListings: of more than is kept, the first and the last are there and whole.
func TestManyListings(t *testing.T) {
	const listings, rows = 60, 700
	var b strings.Builder
	for i := range listings {
		b.WriteString("Sorting by NonPaged Pool Consumed\nPool Used:\n NonPaged Paged\n Tag Allocs Used Allocs Used\n")
		for j := range rows {
			fmt.Fprintf(&b, "A%03d 10 %d 0 0\n", j, 1000*(listings*(rows-j)+i))
		}
	}
	l, _ := read(b.String())
	first, last := l.Pools[0], l.Pools[len(l.Pools)-1]
	if len(l.Pools) < 20 || len(l.Pools) == listings || len(first.Rows) != rows || len(last.Rows) != rows {
		t.Fatalf("%d listings of %d and %d rows", len(l.Pools), len(first.Rows), len(last.Rows))
	}
	if got := last.Rows[0].NonPaged.Bytes.N - first.Rows[0].NonPaged.Bytes.N; got != 1000*(listings-1) {
		t.Errorf("grown by %d", got)
	}
	if len(l.Notes) != 1 || !strings.Contains(l.Notes[0].Text, "some between the first and the last") {
		t.Errorf("notes %v", l.Notes)
	}
}

// TestManyVMs: the last output is the one that is judged.
func TestManyVMs(t *testing.T) {
	var b strings.Builder
	for i := range 1200 {
		fmt.Fprintf(&b, "*** Virtual Memory Usage ***\nPhysical Memory: 851420 ( 3405680 Kb)\nAvailable Pages: %d ( %d Kb)\n", i, 4*i)
	}
	l, _ := read(b.String())
	if first, last := l.VMs[0].Pages(memory.AvailablePages).N, l.LastVM().Pages(memory.AvailablePages).N; len(l.VMs) != 1000 || first != 0 || last != 1199 {
		t.Errorf("%d outputs from %d to %d", len(l.VMs), first, last)
	}
}
