package memory_test

import (
	"fmt"
	"strings"
	"testing"

	"kdlocks/memory"
)

func growths(pools []*memory.Pool) []*memory.Growth {
	return memory.NewHistory(pools).Growths(pools, 0, len(pools))
}

// TestGrowths: the bytes of tags over three listings.
func TestGrowths(t *testing.T) {
	head := "Sorting by NonPaged Pool Consumed\nPool Used:\n NonPaged Paged\n Tag Allocs Used Allocs Used\n"
	l, _ := read(head + "Leak 10 1000000 0 0\nThre 5 800 0 0\nOnce 1 64 0 0\n" +
		head + "Leak 20 2000000 0 0\nThre 9 900 0 0\n" +
		head + "Leak 40 4000000 0 0\nThre 2 400 0 0\n")
	want := map[string][2]int64{"Leak": {3000000, 0}, "Thre": {-400, 500}}
	n := 0
	for _, g := range growths(l.Pools) {
		if g.Type != memory.NonPaged {
			continue
		}
		n++
		if w, ok := want[g.Tag]; !ok || g.Grown() != w[0] || g.Falls != w[1] || g.Listings != 3 {
			t.Errorf("%q: grown %d falls %d of %d", g.Tag, g.Grown(), g.Falls, g.Listings)
		}
	}
	if n != len(want) {
		t.Errorf("%d tags", n)
	}
}

// TestGrowthsOverRestart: allocations are counted since the start, so where they fall the
// machine was started in between, or is another one.
func TestGrowthsOverRestart(t *testing.T) {
	listing := func(rows ...string) string {
		head := " Sorting by NonPaged Pool Consumed\n\n NonPaged Paged\n Tag Allocs Frees Diff Used Allocs Frees Diff Used\n\n"
		for _, r := range rows {
			head += " " + r + "000 0 0 0 0\n"
		}
		return head
	}
	poolmon := func(rows ...string) string {
		return " System pool information\n Tag  Type     Allocs            Frees            Diff   Bytes       Per Alloc\n\n " + strings.Join(rows, "\n ") + "\n"
	}
	for _, c := range []struct {
		name, text string
		want       map[string]int64 // by how much tags grew
	}{
		{"one boot", listing("Thre 9000 4000 5000 100", "File 70 50 20 10") + listing("Thre 9900 4000 5900 500", "File 80 60 20 10"), map[string]int64{"Thre": 400_000, "File": 0}},
		{"restarted", listing("Thre 900000 899000 1000 100", "File 900000 899000 1000 10") + listing("Thre 9000 4000 5000 500", "File 9000 8500 500 5"), nil},
		{"restarted, and on for long", listing("Thre 9000 8000 1000 100", "File 90 80 10 10", "Irp 50 40 10 10", "Ntfx 5 4 1 10") + listing("Thre 19000 14000 5000 500", "File 950 850 100 50", "Irp 40 30 10 10", "Ntfx 4 3 1 10"), nil},
		{"one of two, the other stands", poolmon("NtFs Nonp 9100000 ( 12) 1000000 ( 11) 8100000 90000000 ( 83) 11", "Thre Nonp 90209 ( 0) 88000 ( 0) 2209 2827520 ( 0) 1280") +
			poolmon("NtFs Nonp 1200000 ( 12) 1000000 ( 11) 200000 190000000 ( 83) 950", "Thre Nonp 90209 ( 0) 88000 ( 0) 2209 2827520 ( 0) 1280"), nil},
		{"one is mangled", listing("Thre 9000 4000 5000 100", "File 70 50 20 10", "Irp 50 40 10 10") + listing("Thre 990 4000 5900 500", "File 80 60 20 10", "Irp 60 50 10 10"), map[string]int64{"Thre": 400_000, "File": 0, "Irp ": 0}},
		{"wrapped", listing("Thre 4294900000 4294890000 10000 100") + listing("Thre 30000 5000 25000 500"), map[string]int64{"Thre": 400_000}},
		{"growth in the first boot", listing("Thre 9000 4000 5000 100", "File 70 50 20 10") + listing("Thre 9900 4000 5900 500", "File 80 60 20 10") + listing("Thre 300 200 100 10", "File 30 20 10 5") + listing("Thre 400 200 200 20", "File 40 20 20 6"), map[string]int64{"Thre": 400_000, "File": 1000}},
	} {
		l, _ := read(c.text)
		n := len(l.Pools)
		if h := memory.NewHistory(l.Pools); h.SameBoot(0, n-1) == (n == 4 || c.want == nil) {
			t.Errorf("%s: one boot %v", c.name, h.SameBoot(0, n-1))
		}
		got := make(map[string]int64)
		for _, g := range growths(l.Pools) {
			if _, twice := got[g.Tag]; g.Type == memory.NonPaged && !twice {
				got[g.Tag] = g.Grown()
			} else if twice && g.Type == memory.NonPaged {
				t.Errorf("%s: %s twice", c.name, g.Tag)
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		for tag, n := range c.want {
			if got[tag] != n {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		}
	}
}

// TestWentBack: less in a later listing of the same boot tells load, also if the one that
// is judged is pasted again behind it.
func TestWentBack(t *testing.T) {
	listing := func(made, diff, bytes int) string {
		return fmt.Sprintf(" Sorting by Tag\n\n NonPaged Paged\n Tag Allocs Frees Diff Used Allocs Frees Diff Used\n\n Leak %d %d %d %d 0 0 0 0\n", made, made-diff, diff, bytes)
	}
	first, more, less := listing(1000, 100, 1_000_000), listing(2000, 900, 9_000_000), listing(3000, 200, 2_000_000)
	for _, c := range []struct {
		name, later string
		want        bool
	}{
		{"nothing later", "", false},
		{"more", listing(4000, 2000, 20_000_000), false},
		{"less by little", listing(4000, 800, 8_500_000), false},
		{"less", less, true},
		{"less, then more", less + listing(4000, 2000, 20_000_000), true},
		{"the first again", first, false},
		{"of another boot", listing(500, 100, 1_000_000), false},
	} {
		l, _ := read(first + more + c.later)
		gs := memory.NewHistory(l.Pools).Growths(l.Pools[:2], 0, 2)
		if len(gs) != 2 || gs[0].Grown() != 8_000_000 || gs[0].WentBack() != c.want {
			t.Errorf("%s: %+v", c.name, gs)
		}
	}
}

// BenchmarkHistory reads 1,000 listings of 200 tags.
func BenchmarkHistory(b *testing.B) {
	var text strings.Builder
	text.WriteString("Sorting by Tag\n NonPaged Paged\n Tag Allocs Used Allocs Used\n")
	for j := range 200 {
		fmt.Fprintf(&text, "A%03d 10 %d 0 0\n", j, 1000*j+80)
	}
	l, _ := read(text.String())
	var pools []*memory.Pool
	for i := range 1000 {
		p := *l.Pools[0]
		p.Rows = append([]memory.Row(nil), p.Rows...)
		p.Rows[0].NonPaged.Bytes.N += int64(i)
		pools = append(pools, &p)
	}
	b.ResetTimer()
	for b.Loop() {
		h := memory.NewHistory(pools)
		for i := range pools {
			h.Growths(pools[i:i+1], i, i+1)
		}
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
