package memory_test

import (
	"fmt"
	"strings"
	"testing"

	"kdlocks/kd"
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

// TestGrowthSteps: which listings of a tag tell that it grew, and from where.
func TestGrowthSteps(t *testing.T) {
	const hour, mb = 60 * 60_000, 1 << 20
	type listing struct {
		hours float64
		mb    int64 // less than 0: all tags are listed, and this one is not
	}
	for _, c := range []struct {
		name                            string
		listings                        []listing
		listed, moments, steps, firstMB int
		rising                          bool
		apart                           float64 // hours
	}{
		{"grows on", []listing{{10, 10}, {12, 20}, {14, 30}}, 3, 3, 3, 10, true, 4},
		{"fills and stays", []listing{{10, 10}, {12, 76}, {14, 76}, {16, 77}}, 4, 4, 2, 10, false, 6},
		{"each moment twice", []listing{{10, 10}, {10, 10}, {12, 20}, {12, 20}}, 2, 2, 2, 10, true, 2},
		{"slowly", []listing{{10, 100}, {11, 103}, {12, 106}, {13, 109}, {14, 112}}, 5, 5, 3, 100, true, 4},
		{"no times", []listing{{0, 10}, {0, 20}, {0, 30}}, 3, 3, 3, 10, true, 0},
		{"from the start", []listing{{0.2, 5}, {0.5, 57}, {2, 57}, {4, 90}}, 2, 2, 2, 57, true, 2},
		{"it was not there", []listing{{10, -1}, {12, 20}}, 2, 2, 2, 0, true, 2},
		{"it was not there in between", []listing{{10, 10}, {12, -1}, {14, 20}, {16, 30}}, 4, 4, 3, 10, true, 6},
		{"one listing more", []listing{{10, 10}, {12, 20}, {14, 30}, {14.5, 30}}, 4, 4, 3, 10, true, 4.5},
		{"it was not there at the start, nor then", []listing{{0.5, -1}, {5, -1}, {12, 20}}, 2, 2, 2, 0, true, 7},
		{"it was not there at the start", []listing{{0.5, -1}, {12, 20}, {13, 20}}, 2, 2, 1, 20, false, 1},
	} {
		var pools []*memory.Pool
		for i, l := range c.listings {
			at := kd.Ref{Line: int32(i + 1)}
			n := func(v int64) memory.Number { return memory.Number{N: v, At: at} }
			row := func(tag string, bytes int64) memory.Row {
				return memory.Row{Tag: tag, At: at, NonPaged: memory.Usage{Allocs: n(1), Bytes: n(bytes)}, Paged: memory.Usage{Allocs: n(0), Bytes: n(0)}}
			}
			p := &memory.Pool{Uptime: int64(l.hours * hour), At: at, Filtered: memory.No, Gap: 1}
			if l.mb < 0 {
				p.Rows, p.Total = []memory.Row{row("File", int64(i+1))}, row("", int64(i+1))
			} else {
				p.Rows = []memory.Row{row("Leak", l.mb*mb)}
			}
			pools = append(pools, p)
		}
		g := memory.NewHistory(pools).Of("Leak", memory.NonPaged, 0, len(pools))
		if g.Listings != c.listed || g.Moments != c.moments || g.Steps != c.steps || g.Rising != c.rising || g.First.N != int64(c.firstMB)*mb || g.Apart != int64(c.apart*hour) {
			t.Errorf("%s: %+v", c.name, g)
		}
		if between := c.listings[1].mb < 0 && c.listings[0].mb > 0; between != (g.Falls > 0) {
			t.Errorf("%s: falls %d", c.name, g.Falls)
		}
	}
}
