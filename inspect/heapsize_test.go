package inspect_test

import (
	"fmt"
	"strings"
	"testing"
)

// heapRow is a back trace of a log, in bytes and allocations.
type heapRow struct {
	id            string
	bytes, allocs int
}

// heapLog writes a log of umdh of Windows 2000.
func heapLog(time string, rows ...heapRow) string {
	var b strings.Builder
	fmt.Fprintf(&b, "UMDH: Logtime %s - Machine=M - PID=704\n*********** Heap 00140000 Hogs ********************\n", time)
	for _, r := range rows {
		fmt.Fprintf(&b, "%08X bytes in 0x%x allocations (@ 0x%08X) by: BackTrace%s\n        ntdll!RtlAllocateHeap+0x808\n        MyApp!From%s+0x1e\n\n", r.bytes, r.allocs, r.bytes/r.allocs, r.id, r.id)
	}
	return b.String()
}

// TestHeapVerdicts: how much has to grow, and in how long, for which verdict.
func TestHeapVerdicts(t *testing.T) {
	const first, hours, day, two = "2026-06-28 10:00", "2026-06-28 20:00", "2026-06-29 12:00", "2026-06-30 14:00"
	const mb = 1 << 20
	big := heapRow{"00031", 500 * mb, 1000}
	many := func(each int) (out []heapRow) {
		for i := range 3000 {
			out = append(out, heapRow{fmt.Sprintf("%05X", i+1), each, each / 1000})
		}
		return out
	}
	for _, c := range []struct {
		name       string
		logs       []string
		kind, sure string
	}{
		{"a megabyte in small heaps", []string{heapLog(first, heapRow{"00053", 1 * mb, 16}), heapLog(day, heapRow{"00053", 2 * mb, 32})}, "memory-leak", "likely"},
		{"the same in hours", []string{heapLog(first, heapRow{"00053", 1 * mb, 16}), heapLog(hours, heapRow{"00053", 2 * mb, 32})}, "memory-leak", "possible"},
		{"less than a megabyte", []string{heapLog(first, heapRow{"00053", 1 * mb, 16}), heapLog(day, heapRow{"00053", 2*mb - 1, 32})}, "memory-leak", "possible"},
		{"a megabyte in heaps of 500", []string{heapLog(first, big, heapRow{"00053", 1 * mb, 16}), heapLog(day, big, heapRow{"00053", 2 * mb, 32})}, "memory-leak", "possible"},
		{"ten megabytes in heaps of 500", []string{heapLog(first, big, heapRow{"00053", 1 * mb, 16}), heapLog(day, big, heapRow{"00053", 11 * mb, 176})}, "memory-leak", "likely"},
		{"a page in heaps of 500", []string{heapLog(first, big, heapRow{"00053", 8192, 2}), heapLog(day, big, heapRow{"00053", 12288, 4})}, "undecided", ""},
		{"3000 back traces by 4000 bytes each", []string{heapLog(first, many(16000)...), heapLog(day, many(20000)...)}, "undecided", ""},
		{"one allocation", []string{heapLog(first, heapRow{"00053", 1 * mb, 1}), heapLog(day, heapRow{"00053", 500 * mb, 1})}, "undecided", ""},
		{"hidden by what was freed", []string{heapLog(first, big, heapRow{"00053", 1 * mb, 16}), heapLog(day, heapRow{"00031", mb, 2}, heapRow{"00053", 60 * mb, 960})}, "undecided", ""},
		{"nothing", []string{heapLog(first, big), heapLog(day, big)}, "no-leak", "likely"},
		{"nothing in hours", []string{heapLog(first, big), heapLog(hours, big)}, "undecided", ""},
		{"in each of two steps", []string{heapLog(first, heapRow{"00053", 10 * mb, 16}), heapLog(day, heapRow{"00053", 20 * mb, 32}), heapLog(two, heapRow{"00053", 30 * mb, 48})}, "memory-leak", "likely"},
		{"in the first of two steps", []string{heapLog(first, heapRow{"00053", 10 * mb, 16}), heapLog(day, heapRow{"00053", 30 * mb, 48}), heapLog(two, heapRow{"00053", 30*mb + 4096, 49})}, "undecided", ""},
		{"most without a back trace", []string{heapLog(first, heapRow{"00000", mb, 16}, heapRow{"00053", mb, 16}), heapLog(day, heapRow{"00000", 90 * mb, 1600}, heapRow{"00053", 3 * mb, 48})}, "undecided", ""},
		{"some without a back trace", []string{heapLog(first, heapRow{"00000", mb, 16}, heapRow{"00053", mb, 16}), heapLog(day, heapRow{"00000", 2 * mb, 32}, heapRow{"00053", 9 * mb, 48})}, "memory-leak", "likely"},
	} {
		v := analyzeFiles(t, c.logs...).Verdict
		if v.Kind != c.kind || c.sure != "" && v.Confidence != c.sure {
			t.Errorf("%s: %s (%s): %s", c.name, v.Kind, v.Confidence, v.Summary)
		}
		if c.kind == "undecided" && strings.Contains(v.Summary, "MyApp") {
			t.Errorf("%s: names a module: %s", c.name, v.Summary)
		}
	}
}

// TestHeapLogsTogether: the same logs one behind the other in one file tell the same.
func TestHeapLogsTogether(t *testing.T) {
	a, b := heapLog("2026-06-28 10:00", heapRow{"00053", 1 << 20, 16}), heapLog("2026-06-29 12:00", heapRow{"00053", 9 << 20, 144})
	if apart, together := analyzeFiles(t, a, b).Verdict, analyzeFiles(t, a+b).Verdict; apart.Summary != together.Summary || apart.Kind != "memory-leak" {
		t.Errorf("%s\n%s", apart.Summary, together.Summary)
	}
	_, a, _ = strings.Cut(a, "\n")
	_, b, _ = strings.Cut(b, "\n")
	if apart, together := analyzeFiles(t, a, b).Verdict, analyzeFiles(t, a+b).Verdict; apart.Summary != together.Summary || apart.Confidence != "possible" {
		t.Errorf("%s\n%s", apart.Summary, together.Summary)
	}
}
