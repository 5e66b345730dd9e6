package memory_test

import (
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
