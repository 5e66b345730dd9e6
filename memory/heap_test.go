package memory_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/memory"
)

// rows are rows of a plain log, of back traces with bytes and allocations.
type rows map[string][2]int64

// logOf writes a log as umdh of Windows 2000 does.
func logOf(time string, order []string, r rows) string {
	var b strings.Builder
	fmt.Fprintf(&b, "UMDH: Logtime %s - Machine=M - PID=704\n*********** Heap 00140000 Hogs ********************\n", time)
	for _, id := range order {
		n, ok := r[id]
		if !ok {
			continue
		}
		fmt.Fprintf(&b, "%08X bytes in 0x%x allocations (@ 0x%08X) by: BackTrace%s\n        ntdll!RtlAllocateHeap+0x00000808\n        MyApp!From%s+0x0000001E\n\n", n[0], n[1], n[0]/max(n[1], 1), id, id)
	}
	return b.String()
}

var order = []string{"00031", "00053", "00077"}

func compare(t *testing.T, text string) *memory.HeapDiff {
	t.Helper()
	l := memory.Read(kd.Lines(text))
	ds, notes := memory.CompareHeaps(l.HeapLogs)
	if len(ds) != 1 {
		t.Fatalf("%d comparisons, notes %v", len(ds), notes)
	}
	return ds[0]
}

func change(d *memory.HeapDiff, id string) (bytes, allocs int64) {
	for i := range d.Rows {
		if d.Rows[i].ID == id {
			return d.Rows[i].Bytes.Delta.N, d.Rows[i].Allocs.Delta.N
		}
	}
	return 0, 0
}

func TestCompareHeaps(t *testing.T) {
	before := rows{"00031": {4096, 4}, "00053": {8192, 2}}
	after := rows{"00031": {12288, 12}, "00053": {1024, 1}, "00077": {64, 1}}
	first, second := logOf("2000-06-28 10:54", order, before), logOf("2000-06-29 12:00", order, after)
	for _, text := range []string{first + second, second + first} {
		d := compare(t, text)
		for id, want := range map[string][2]int64{"00031": {8192, 8}, "00053": {-7168, -1}, "00077": {64, 1}} {
			if b, a := change(d, id); b != want[0] || a != want[1] {
				t.Errorf("%s: %d bytes, %d allocations; want %v", id, b, a, want)
			}
		}
		if d.AssumedOrder || d.Rows[0].ID != "00031" || d.Total.N != 1088 {
			t.Errorf("order assumed %t, first %s, total %d", d.AssumedOrder, d.Rows[0].ID, d.Total.N)
		}
		for i := range d.Rows {
			if d.Rows[i].New != (d.Rows[i].ID == "00077") {
				t.Errorf("%s: new %t", d.Rows[i].ID, d.Rows[i].New)
			}
		}
	}
}

// TestNothingAgainstItself: a log compared with one of the same numbers shows
// nothing, and the same text twice is one log.
func TestNothingAgainstItself(t *testing.T) {
	r := rows{"00031": {4096, 4}, "00053": {8192, 2}}
	a, b := logOf("2000-06-28 10:54", order, r), logOf("2000-06-28 11:54", order, r)
	for _, row := range compare(t, a+b).Rows {
		if row.Bytes.Delta.N != 0 || row.Allocs.Delta.N != 0 {
			t.Errorf("BackTrace%s grew by %d", row.ID, row.Bytes.Delta.N)
		}
	}
	l := memory.Read(kd.Lines(a + a))
	if ds, notes := memory.CompareHeaps(l.HeapLogs); len(ds) != 0 || len(notes) != 1 {
		t.Errorf("%d comparisons, notes %v", len(ds), notes)
	}
}

// TestSwappedNegates: without times the order given counts, and turning it around
// turns all signs around.
func TestSwappedNegates(t *testing.T) {
	a := logOf("", order, rows{"00031": {4096, 4}, "00053": {8192, 2}})
	b := logOf("", order, rows{"00031": {12288, 12}, "00077": {64, 1}})
	there, back := compare(t, a+b), compare(t, b+a)
	if !there.AssumedOrder || there.Total.N != -back.Total.N {
		t.Errorf("assumed %t, totals %d and %d", there.AssumedOrder, there.Total.N, back.Total.N)
	}
	for i := range there.Rows {
		id := there.Rows[i].ID
		n, c := change(there, id)
		if m, e := change(back, id); n != -m || c != -e {
			t.Errorf("BackTrace%s: %d and %d bytes, %d and %d allocations", id, n, m, c, e)
		}
	}
}

// TestMissingIsNotZero: what only one log has is unknown where the other may be
// cut.
func TestMissingIsNotZero(t *testing.T) {
	row := func(n int, id string) string {
		return fmt.Sprintf("%08X bytes in 0x2 allocations (@ 0x00000100) by: BackTrace%s\nMyApp!From%s+0x1\n", n, id, id)
	}
	d := compare(t, row(0x200, "00001")+row(0x100000, "00002")+row(0x200, "00001")) // parts of two logs
	if len(d.Rows) != 1 || d.Lost != 1 {
		t.Errorf("%d rows, %d lost", len(d.Rows), d.Lost)
	}
}

func TestSteps(t *testing.T) {
	text := ""
	for i, n := range [][2]int64{{4096, 4096}, {8192, 16384}, {12288, 8192}, {16384, 12288}} {
		text += logOf(fmt.Sprintf("2000-06-2%d 10:54", i), order, rows{"00031": {n[0], n[0] / 1024}, "00053": {n[1], n[1] / 1024}})
	}
	d := compare(t, text)
	for i, want := range map[string]int{"00031": 3, "00053": 2} {
		for k := range d.Rows {
			if d.Rows[k].ID == i && d.Rows[k].Grew != want {
				t.Errorf("BackTrace%s grew in %d of %d steps, want %d", i, d.Rows[k].Grew, d.Steps, want)
			}
		}
	}
}

// TestComparisonsInOneFile: where the next one begins, and which of them may be one log.
func TestComparisonsInOneFile(t *testing.T) {
	const grows, isNew, falls, total = "+    2000 (  3000 -  1000)     3a allocs\tBackTrace0A53\n", "+    2018 (  2018 -     0)      2 allocs\tBackTrace73F28\n", "-    2018 (     0 -  2018)      0 allocs\tBackTrace73F28\n", "Total increase == 2000\n"
	for _, tt := range []struct {
		name, text  string
		diffs, logs int
	}{
		{"behind a total", grows + total + strings.Replace(grows, "0A53", "0B00", 1) + total, 2, 0},
		{"a back trace again", grows + isNew + strings.Replace(grows, "3000 -  1000", "5000 -  3000", 1), 2, 0},
		{"a total in front", total + grows, 1, 0},
		{"behind a command", isNew + "\tMyApp!Keep+00000083\n\nUMDH one.log two.log > cmp12.txt\n" + grows + falls, 1, 1},
		{"nothing held before", isNew, 0, 1},
		{"one log by its command", "C:\\>umdh -v one.log\n" + isNew, 0, 1},
		{"two logs by their command", "C:\\>umdh -v one.log two.log\n" + isNew, 1, 0},
		{"two logs by dhcmp", "C:\\>dhcmp one.log two.log\n" + isNew, 1, 0},
		{"some held before", isNew + grows, 1, 0},
		{"something shrinks", isNew + strings.Replace(falls, "73F28", "73F29", 1), 1, 0},
	} {
		if l := memory.Read(kd.Lines(tt.text)); len(l.HeapDiffs) != tt.diffs || len(l.HeapLogs) != tt.logs {
			t.Errorf("%s: %d comparisons and %d logs, want %d and %d", tt.name, len(l.HeapDiffs), len(l.HeapLogs), tt.diffs, tt.logs)
		}
	}
	first, second := strings.Replace(isNew, "2018 (  2018", "1000 (  1000", 1), isNew
	l := memory.Read(kd.Lines("C:\\>umdh -v one.log\n" + first + "\tMyApp!Keep+00000083\nC:\\>umdh -v two.log\n" + second + "\tMyApp!Keep+00000083\n"))
	if ds, _ := memory.CompareHeaps(l.HeapLogs); len(ds) != 1 || ds[0].Rows[0].Bytes.Delta.N != 0x1018 {
		t.Errorf("two logs that were printed one by one: %+v", ds)
	}
}

// TestBasis: whether printed numbers are decimal follows from the numbers.
func TestBasis(t *testing.T) {
	for _, c := range []struct {
		name, text string
		decimal    bool
		assumed    bool
		delta      int64
	}{
		{"a letter", "+ 5320 ( f110 - 9df0) 3a allocs BackTrace00B53\nTotal increase == 5320\n", false, false, 0x5320},
		{"right only as decimal numbers", "+ 483328 ( 487424 - 4096) 119 allocs BackTrace23FF\n", true, false, 483328},
		{"right only as hexadecimal numbers", "+ 1080 ( 2000 - f80) 12 allocs BackTrace23FF\n", false, false, 0x1080},
		{"right only as hexadecimal numbers, without a letter", "+ 1990 ( 2100 - 770) 12 allocs BackTrace23FF\n", false, false, 0x1990},
		{"the command", "C:\\>dhcmp -d a.txt b.txt\n+ 100 ( 300 - 200) 3 allocs BackTrace00053\n", true, false, 100},
		{"the command without -d", "C:\\>umdh a.txt b.txt\n+ 100 ( 300 - 200) 3 allocs BackTrace00053\n", false, false, 0x100},
		{"many digits", "+ 123123 ( 323543 - 200420) 3 allocs BackTrace00053\n+ 111 ( 333 - 222) 1 allocs BackTrace00054\n", true, false, 123123},
		{"nothing tells", "+ 100 ( 300 - 200) 3 allocs BackTrace00053\n", false, true, 0x100},
		{"a decrease", "- 5320 ( 9df0 - f110) 26 allocs BackTrace00B53\nTotal decrease == 5320\n", false, false, -0x5320},
	} {
		l := memory.Read(kd.Lines(c.text))
		if len(l.HeapDiffs) != 1 || len(l.HeapDiffs[0].Rows) == 0 {
			t.Errorf("%s: not read", c.name)
			continue
		}
		d := l.HeapDiffs[0]
		if d.Decimal != c.decimal || d.BasisAssumed != c.assumed || d.Rows[0].Bytes.Delta.N != c.delta {
			t.Errorf("%s: decimal %t, assumed %t, %d bytes (%s)", c.name, d.Decimal, d.BasisAssumed, d.Rows[0].Bytes.Delta.N, d.Basis)
		}
	}
}

// TestContradictions: a row whose numbers contradict each other is not used, and a
// total that the rows do not reach says that some are missing.
func TestContradictions(t *testing.T) {
	l := memory.Read(kd.Lines("+ a320 ( f110 - 9df0) 3a allocs BackTrace00B53\n+ a0 ( b0 - 10) 3 allocs BackTrace00B54\nTotal increase == 5320\n"))
	if d := l.HeapDiffs[0]; d.Rows[0].Bytes.Delta.Known() || !d.Rows[1].Bytes.Delta.Known() || len(l.Notes) == 0 {
		t.Errorf("rows %+v, notes %v", d.Rows, l.Notes)
	}
	l = memory.Read(kd.Lines("+ a0 ( b0 - 10) 3 allocs BackTrace00B54\nTotal increase == 5320\n"))
	if d := l.HeapDiffs[0]; d.Unread == 0 || len(l.Notes) == 0 {
		t.Errorf("unread %d, notes %v", d.Unread, l.Notes)
	}
}

func TestFrames(t *testing.T) {
	for text, want := range map[string][2]string{
		"MyApp!operator new+0x0000000E":                    {"MyApp", "operator new"},
		"ntdll!RtlAllocateHeap+00000274":                   {"ntdll", "RtlAllocateHeap"},
		"KERNELBASE!LocalAlloc+6D":                         {"KERNELBASE", "LocalAlloc"},
		`Test!readdir+00000075 (c:\my project\u.cpp, 674)`: {"Test", "readdir"},
		"Foo!std::vector<int,std::allocator<int> >::f+0x1": {"Foo", "std::vector<int,std::allocator<int> >::f"},
		"MyApp!Keep+00000083 (a.cpp, 228) MyApp!wmain+023": {"MyApp", "Keep"},
		"MyApp+0x1234":    {"MyApp", ""},
		"776CDD82":        {"", ""},
		"<no module>!???": {"no module", ""},
	} {
		if m, f := (memory.HeapFrame{Text: text}).Symbol(); m != want[0] && want[0] != "no module" || f != want[1] {
			t.Errorf("%s: module %q, function %q", text, m, f)
		}
	}
}

func TestMinutes(t *testing.T) {
	for text, want := range map[string]int64{"1970-01-01 00:00": 0, "2000-02-29 23:59": 11016*24*60 + 23*60 + 59, "": -1, "2000-13-01 00:00": -1, "yesterday": -1, "2012-04-30": -1} {
		got, ok := (&memory.HeapLog{Time: text}).Minutes()
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %d, %t", text, got, ok)
		}
	}
}

// TestPublishedHeaps: every line of what was published is read, and the numbers are
// those that the articles name.
func TestPublishedHeaps(t *testing.T) {
	const logs = "../rules/packs/memory/testdata/"
	data, err := os.ReadFile(logs + "052-umdh-log-entry-q268343.log")
	if err != nil {
		t.Fatal(err)
	}
	l := memory.Read(kd.Lines(string(data)))
	if b := l.HeapLogs[0].Traces[0]; b.ID != "00053" || b.Bytes.N != 21280 || b.Allocs.N != 20 || b.Each.N != 1064 || len(b.Frames) != 11 {
		t.Errorf("%+v", b)
	}
	if data, err = os.ReadFile(logs + "syn-heap-two-days.log"); err != nil {
		t.Fatal(err)
	}
	var r memory.Reader
	for _, line := range kd.Lines(string(data)) {
		if text := strings.Trim(line.Text, "/ "); !r.Line(line) && text != "" {
			t.Errorf("line %d is not read: %q", line.Num, line.Text)
		}
	}
	two := r.Done()
	if len(two.HeapLogs) != 2 || two.HeapLogs[0].Image != "app.exe" || two.HeapLogs[0].PID.N != 7696 || len(two.HeapLogs[0].Modules) != 6 || !two.HeapLogs[0].Whole() {
		t.Errorf("%d logs, %+v", len(two.HeapLogs), two.HeapLogs[0])
	}
	if m := two.HeapLogs[0].Holding(0x776CDD82); m == nil || m.Name != "ntdll" {
		t.Errorf("776CDD82 is in %v", m)
	}
}

// TestFramesEnd: what stands below the frames is none of the log's.
func TestFramesEnd(t *testing.T) {
	var r memory.Reader
	for i, c := range []struct {
		text string
		is   bool
	}{
		{"00000200 bytes in 0x2 allocations (@ 0x00000100) by: BackTrace00001", true}, {"", false}, {"MyApp!f+0x1", true},
		{"Some remark of the author! Read on.", false}, {"MyApp!g+0x1", true},
		{"64 bytes + 1C at 2E9FA20 by BackTrace18D0A0D0", true}, {"776CDD82", true}, {"nt!KiSwapContext 7a", true}, {"", false}, {"", false}, {"", false}, {"", false}, {"", false}, {"", false}, {"", false}, {"", false}, {"776CDD82", false},
		{"64 bytes and no more", false}, {"- a bullet of a list", false}, {"+ 5320 of something", false},
	} {
		if got := r.Line(kd.Line{Text: c.text, Num: int32(i) + 1}); got != c.is {
			t.Errorf("%q: %t", c.text, got)
		}
	}
}

func BenchmarkHeapLog(b *testing.B) {
	var text strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&text, "64 bytes + 1C at %X by BackTrace%X\n", 0x2e90000+i*0x80, 0x1af00000+i%500)
		if i < 500 {
			for f := range 20 {
				fmt.Fprintf(&text, "\t%X\n", 0x77600000+i*0x100+f*0x1000)
			}
		}
	}
	lines := kd.Lines(text.String())
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		memory.Read(lines)
	}
}

func FuzzHeaps(f *testing.F) {
	one := logOf("2000-06-28 10:54", order, rows{"00031": {4096, 4}, "00053": {8192, 2}})
	f.Add(one + logOf("2000-06-29 10:54", order, rows{"00031": {12288, 12}}))
	f.Add("+ 5320 ( f110 - 9df0) 3a allocs BackTrace00B53\n+ 3a ( 60 - 26) BackTrace00B53 allocations\n\tMyApp!f+0x1\nTotal increase == 5320 requested + 10 overhead = 5330\n")
	f.Add("// UMDH: version 6.1: Logtime 2012-04-30 12:09 - Machine=M - PID=7\n// Loaded modules:\n//  400000 11D000 D:\\a.exe\n*- - - Start of data for heap @ 2E60000 - - -\n64 bytes + 1C at 2E9FA20 by BackTrace18D0A0D0\n\t776CDD82\n*- - - End of data for heap @ 2E60000 - - -\n")
	f.Fuzz(func(t *testing.T, text string) {
		l := memory.Read(kd.Lines(text))
		lines := strings.Count(text, "\n") + 1
		n := 0
		for _, h := range l.HeapLogs {
			n += len(h.Traces)
			for i := range h.Traces {
				n += len(h.Traces[i].Frames)
				if b := &h.Traces[i]; b.Bytes.N < 0 || b.Allocs.N < 0 {
					t.Fatalf("negative: %+v", b)
				}
				for _, fr := range h.Traces[i].Frames {
					fr.Symbol()
				}
			}
			h.Minutes()
		}
		for _, d := range l.HeapDiffs {
			n += len(d.Rows)
			for i := range d.Rows {
				if c := d.Rows[i].Bytes; c.Delta.Known() && c.After.N-c.Before.N != c.Delta.N {
					t.Fatalf("%+v", c)
				}
			}
		}
		if n > lines {
			t.Fatalf("%d facts in %d lines", n, lines)
		}
		there, _ := memory.CompareHeaps(l.HeapLogs)
		for _, d := range there {
			if back := d.Reversed(); back != d && back.Total.N != -d.Total.N {
				t.Fatalf("%d there, %d back", d.Total.N, back.Total.N)
			}
		}
	})
}

// TestTorn: what shows that a log is cut, and what only may be. Nothing is new that a
// log may have lost.
func TestTorn(t *testing.T) {
	all := logOf("2000-06-29 12:00", order, rows{"00031": {8192, 2}, "00053": {8192, 2}, "00077": {8192, 2}})
	first := logOf("2000-06-28 10:54", order, rows{"00031": {8192, 2}, "00053": {8192, 2}, "00077": {8192, 2}})
	at := func(text string) string {
		before, _, ok := strings.Cut(first, text)
		if !ok {
			t.Fatalf("no %q", text)
		}
		return before
	}
	for _, c := range []struct {
		name, text    string
		torn          bool
		lost, doubted int
	}{
		{"within a row", at("cations (@ 0x00001000) by: BackTrace00053"), true, 2, 0},
		{"within the next number", at("00002000 bytes in 0x2 allocations (@ 0x00001000) by: BackTrace00053") + "0000", true, 2, 0},
		{"within a frame", at("teHeap+0x00000808\n        MyApp!From00077"), true, 0, 0},
		{"behind a row without frames", at("        ntdll!RtlAllocateHeap+0x00000808\n        MyApp!From00053"), true, 1, 0},
		{"a row that cannot be read", strings.Replace(first, "in 0x2 allocations (@ 0x00001000) by: BackTrace00077", "in BackTrace00077", 1), true, 1, 0},
		{"a row of which only the end is left", strings.Replace(first, "00002000 bytes in 0x2 allocations (@ 0x00001000) by: BackTrace00077", "@ 0x00001000) by: BackTrace00077", 1), true, 1, 0},
		{"an elision", strings.Replace(first, "00002000 bytes in 0x2 allocations (@ 0x00001000) by: BackTrace00077", "...", 1), true, 1, 0},
		{"between back traces, all of the end", at("00002000 bytes in 0x2 allocations (@ 0x00001000) by: BackTrace00053"), false, 2, 0},
		{"between back traces, one", at("00002000 bytes in 0x2 allocations (@ 0x00001000) by: BackTrace00077"), false, 0, 1},
	} {
		lines := kd.Lines(c.text)
		lines[len(lines)-1].Cut = !strings.HasSuffix(c.text, "\n")
		l := memory.Read(lines)
		later := memory.Read(kd.Lines(all))
		if len(l.HeapLogs) != 1 || l.HeapLogs[0].Torn() != c.torn || l.HeapLogs[0].Whole() {
			t.Errorf("%s: %d logs, torn %t, whole %t", c.name, len(l.HeapLogs), l.HeapLogs[0].Torn(), l.HeapLogs[0].Whole())
		}
		ds, notes := memory.CompareHeaps(append(l.HeapLogs, later.HeapLogs...))
		if len(ds) != 1 {
			t.Errorf("%s: not compared: %v", c.name, notes)
			continue
		}
		news := 0
		for _, r := range ds[0].Rows {
			if r.New && r.Doubted {
				news++
			}
		}
		if ds[0].Lost != c.lost || news != c.doubted {
			t.Errorf("%s: %d lost, %d new and doubted", c.name, ds[0].Lost, news)
		}
	}
}

// TestSlowed: growth that stopped in the last step, by the time that it took.
func TestSlowed(t *testing.T) {
	for name, c := range map[string]struct {
		times  [3]string
		bytes  [3]int64
		slowed bool
	}{
		"goes on":            {[3]string{"2000-06-28 10:00", "2000-06-29 10:00", "2000-06-30 10:00"}, [3]int64{4096, 8192, 12288}, false},
		"stopped":            {[3]string{"2000-06-28 10:00", "2000-06-29 10:00", "2000-06-30 10:00"}, [3]int64{4096, 40960, 41984}, true},
		"fell":               {[3]string{"2000-06-28 10:00", "2000-06-29 10:00", "2000-06-30 10:00"}, [3]int64{4096, 40960, 8192}, true},
		"a short last step":  {[3]string{"2000-06-28 10:00", "2000-06-29 10:00", "2000-06-29 11:00"}, [3]int64{4096, 40960, 42496}, false},
		"a short first step": {[3]string{"2000-06-28 10:00", "2000-06-28 11:00", "2000-06-29 11:00"}, [3]int64{4096, 40960, 42496}, true},
	} {
		text := ""
		for i, at := range c.times {
			text += logOf(at, order, rows{"00031": {c.bytes[i], 2}})
		}
		if r := compare(t, text).Rows[0]; r.Slowed != c.slowed || !r.Last.Known() || r.Last.N != c.bytes[2]-c.bytes[1] {
			t.Errorf("%s: slowed %t, last step %d", name, r.Slowed, r.Last.N)
		}
	}
}

// TestPartOf: a comparison that was given twice, or in part.
func TestPartOf(t *testing.T) {
	const one, two, total = "+ a0 ( b0 - 10) 3 allocs BackTrace00B53\n", "+ f ( 1f - 10) 3 allocs BackTrace00B54\n", "Total increase == af\n"
	read := func(text string) *memory.HeapDiff { return memory.Read(kd.Lines(text)).HeapDiffs[0] }
	whole := read(one + two + total)
	for text, part := range map[string]bool{
		one + two + total: true, one + two: true, two: true,
		one + "Total increase == a0\n":               false,
		"+ a1 ( b1 - 10) 3 allocs BackTrace00B53\n":  false,
		two + "+ 1 ( 1 - 0) 1 allocs BackTrace1\n":   false,
		"+ a0 ( b0 - 10) 3 allocs BackTrace00B55\n":  false,
		"+ a0 ( b0 - 10) 3 allocs BackTrace00B530\n": false,
	} {
		if read(text).PartOf(whole) != part {
			t.Errorf("%q: a part %t", text, !part)
		}
	}
}

// TestRowsMissing: a total that is not zero, without rows, says that they are missing;
// a row of which more stands behind is one.
func TestRowsMissing(t *testing.T) {
	for text, want := range map[string][2]int{
		"Total increase == 5320\n": {0, 1}, "Total increase == 0\n": {0, 0},
		"+ a0 ( b0 - 10) 3 allocs BackTrace00B53 MyApp!f+0x1\nTotal increase == a0\n":                                {1, 0},
		"+ a0 ( b0 - 10) 3 allocs BackTrace00B53 + f ( 1f - 10) 3 allocs BackTrace00B54\nTotal increase == af\n":     {1, 2},
		"+ a0 ( b0 - 10) 3 allocs BackTrace00B53\n\nlost 3 allocs BackTrace00B54 \nTotal increase == a0 requested\n": {1, 1},
	} {
		d := memory.Read(kd.Lines(text)).HeapDiffs[0]
		if len(d.Rows) != want[0] || d.Unread != want[1] {
			t.Errorf("%q: %d rows, %d unread", text, len(d.Rows), d.Unread)
		}
	}
}

// TestHeapRowsKnown: a row alone is known for what it is.
func TestHeapRowsKnown(t *testing.T) {
	for _, text := range []string{
		"00005320 bytes in 0x14 allocations (@ 0x00000428) by: BackTrace00053", "64 bytes + 1C at 2E9FA20 by BackTrace18D0A0D0",
		"+ 5320 ( f110 - 9df0) 3a allocs BackTrace00053", "- 14 ( 26 - 3a) BackTrace00053 allocations",
	} {
		if !memory.Known(text) {
			t.Errorf("%q is not known", text)
		}
	}
}
