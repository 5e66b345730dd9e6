package inspect_test

import (
	"math"
	"strings"
	"testing"

	"kdlocks/inspect"
)

// perfLog is a log as the logman command of "Troubleshooting Pool Leaks Part 1" makes it:
// a sample each five minutes of the counters that the article adds, and of the load.
func perfLog(hours float64, pool, load func(h float64) float64) string {
	columns := map[string]func(float64) float64{
		poolNonPaged:                         pool,
		poolPaged:                            func(float64) float64 { return 120 * mb },
		`Memory\Available Bytes`:             func(h float64) float64 { return 800*mb - pool(h) },
		`Processor(_Total)\% Processor Time`: load,
	}
	order := []string{poolNonPaged, poolPaged, `Memory\Available Bytes`, `Processor(_Total)\% Processor Time`}
	if load == nil {
		order = order[:3]
	}
	return counterText("SRV1", 0, hours, columns, order...)
}

// TestPoolLeakByPerfmon replays the first article: nonpaged pool rises to 540 MB on a
// machine of 1 GB and never falls.
func TestPoolLeakByPerfmon(t *testing.T) {
	t.Parallel()
	leak := func(hours float64) func(float64) float64 {
		return func(h float64) float64 { return (60 + 480*h/hours) * mb }
	}
	daily := func(h float64) float64 { return 5 + 60*math.Max(0, math.Sin(math.Pi*h/12)) }
	once := func(h float64) float64 { return 5 + 60*math.Sin(math.Pi*h/12) }
	// As !vm prints the machine of the article: 1 GB, of which nonpaged pool has 540 MB.
	const vm = "0: kd> !vm 1\n\n*** Virtual Memory Usage ***\n\tPhysical Memory:      262144 (   1048576 Kb)\n\tAvailable Pages:       44000 (    176000 Kb)\n\tNonPagedPool Usage:   138240 (    552960 Kb)\n\tNonPagedPool Max:     190000 (    760000 Kb)\n"
	const head = "0: kd> !poolused 2\n   Sorting by  NonPaged Pool Consumed\n\n               NonPaged                  Paged\n Tag     Allocs         Used     Allocs         Used\n\n"
	const rest = " EtwB       148      5206272         16       442368\tEtw Buffer , Binary: nt!etw\n TOTAL      628    508522752         16       442368\n"
	const known = head + " Leak       480    503316480          0            0\tUNKNOWN pooltag 'Leak', please update pooltag.txt\n" + rest
	const unknown = head + " Zz9q       480    503316480          0            0\tUNKNOWN pooltag 'Zz9q', please update pooltag.txt\n" + rest
	const perfmon = "Troubleshooting Pool Leaks Part 1"
	leaks := []string{`Memory\Pool Nonpaged Bytes of SRV1 leaks`, "never gives back"}
	listing := []string{"!poolused 2", "poolmon -b -n"} // in a debugger, or on the machine
	ram := append(append([]string{}, listing...), "!vm 1")
	collect := []string{"kdlocks collect --counters"}
	first, last := `"09/01/2026 00:00:00.250"`, `"09/02/2026 06:00:00.250"`
	replayAll(t, documentRules(t), []replay{
		{name: "a day and more", log: []string{perfLog(30, leak(30), nil)}, kind: "memory-leak", says: leaks, seen: []string{first, last}, article: perfmon, asks: ram},
		{name: "with the load", log: []string{perfLog(30, leak(30), daily)}, kind: "memory-leak", says: leaks, seen: []string{first, last}, article: perfmon, asks: ram},
		{name: "the load fell within hours", log: []string{perfLog(12, leak(12), once)}, kind: "memory-leak", says: []string{"may leak"}, seen: []string{first}, article: perfmon, asks: ram},
		{name: "with the size of memory", log: []string{perfLog(30, leak(30), nil), vm}, kind: "memory-leak", says: append(leaks, "% of the RAM of 1.0 GB"), seen: []string{first, last, "Physical Memory:"}, article: perfmon, asks: listing},
		{name: "with the tag", log: []string{perfLog(30, leak(30), nil), vm + known}, kind: "memory-leak", says: leaks, seen: []string{first, "Leak       480"}, article: perfmon, known: "notmyfault-leak possible", asks: []string{"lmvm myfault", "!poolused 2", `!for_each_module s -a @#Base @#End "Leak"`}},
		{name: "with a tag that nobody knows", log: []string{perfLog(30, leak(30), nil), vm + unknown}, kind: "memory-leak", says: leaks, seen: []string{"Zz9q       480"}, asks: []string{`!for_each_module s -a @#Base @#End "Zz9q"`, "!poolused 2"}},
		{name: "too short", log: []string{perfLog(6, leak(6), nil)}, kind: "undecided", says: []string{"to tell a leak from load", "run kdlocks collect --counters"}, never: "leaks:", article: perfmon, asks: collect},
		{name: "load", log: []string{perfLog(30, func(h float64) float64 { return (60 + 8*daily(h)) * mb }, daily)}, kind: "no-leak", says: []string{"rises and falls again"}, article: perfmon, asks: collect},
		{name: "one look", log: []string{vm + unknown}, kind: "undecided", says: []string{"tag Zz9q"}, never: "leak", asks: []string{"!locks", "!poolused 2"}},
	})
	_, err := inspect.Run(t.Context(), []inspect.Input{inspect.Bytes("PerfLog-Long.blg", []byte(strings.Repeat("\x01\x02\x00\x03", 400)))}, inspect.Options{})
	if err == nil || !strings.Contains(err.Error(), "relog") {
		t.Errorf("the binary log: %v", err)
	}
}

// TestSelfDeadlock replays the second article: the owner is a pointer into the stack of
// the thread that waits, and the known issue is that of KB2608658.
func TestSelfDeadlock(t *testing.T) {
	t.Parallel()
	all := readText(t, "../testdata/sis-self-deadlock.log")
	step := steps(all, "2: kd> ")
	locks, thread := step["!locks"], step["!thread"]
	before := func(text, end string) string { return text[:strings.Index(text, end)] }
	const said = "fffff88007fab7f3 is not a thread object, interpreting as stack value...\n"
	const version = "2: kd> lmvm sis\nstart             end                 module name\nfffff880`01400000 fffff880`01420000   sis        (deferred)\n    Image path: \\SystemRoot\\system32\\DRIVERS\\sis.sys\n    Image name: sis.sys\n    Timestamp:        Tue Jul 14 01:23:21 2009 (4A5BC319)\n    File version:     6.1.7600.16385\n"
	itself := []string{"Thread fffffa80169538a0", "has deadlocked on itself: it waits for ERESOURCE fffffa8011efede8, which it owns exclusively through an owner pointer on its own stack", "15 other threads wait behind it"}
	bySis := append([]string{"set by sis"}, itself...)
	full := []string{"Resource @ 0xfffffa8011efede8", "Threads: fffff88007fab7f3-02<*>", "fffffa80169538a0-01", "THREAD fffffa80169538a0", "Base fffff88007fac000", "fffff880`07fab6c0 fffff880`0140fc10 nt!ExAcquireSharedStarveExclusive", "fffff880`07fab7f0 fffff880`016b9bcc nt!FsRtlTeardownPerStreamContexts"}
	const article, issue = "KB2608658", "ms-kb2608658-sis-owner-pointer confirmed"
	lmvm := []string{"lmvm sis"}
	replayAll(t, documentRules(t), []replay{
		{name: "all", log: []string{all}, kind: "deadlock", says: bySis, seen: append(full, "fffff88007fab7f3 is not"), article: article, known: issue, asks: lmvm},
		{name: "doubled lines", log: []string{strings.ReplaceAll(all, "\n", "\n\n")}, kind: "deadlock", says: bySis, seen: full, article: article, known: issue, asks: lmvm},
		{name: "the stack first", log: []string{thread + locks}, kind: "deadlock", says: bySis, seen: full, article: article, known: issue, asks: lmvm},
		{name: "in two files", log: []string{locks, thread}, kind: "deadlock", says: bySis, seen: full, article: article, known: issue, asks: lmvm},
		{name: "with the version of sis", log: []string{all + version}, kind: "deadlock", says: bySis, seen: append(full, "File version:     6.1.7600.16385"), article: article, known: issue, asks: []string{"!thread fffffa80169538a0 1f"}},
		{name: "no !thread", log: []string{locks}, kind: "undecided", says: []string{"the owner fffff88007fab7f3 of ERESOURCE fffffa8011efede8"}, never: "deadlocked", seen: full[:2], asks: []string{"!thread fffff88007fab7f3 e", "!pool fffff88007fab7f0"}},
		{name: "no !locks", log: []string{thread}, kind: "undecided", says: []string{"the resource that thread fffffa80169538a0"}, never: "deadlocked", asks: []string{"!locks", "lmvm sis"}},
		{name: "the thread by its own address", log: []string{locks + strings.Replace(strings.Replace(thread, said, "", 1), "!thread fffff88007fab7f3 e", "!thread fffffa80169538a0 e", 1)}, kind: "deadlock", says: bySis, seen: full, article: article, known: issue, asks: lmvm},
		{name: "no stack", log: []string{locks + before(thread, "Child-SP")}, kind: "deadlock", says: itself, never: "set by", seen: full[:5], asks: []string{"!thread fffff88007fab7f3 e"}},
		{name: "a stack that is cut", log: []string{locks + before(thread, "fffff880`07fab7c0")}, kind: "deadlock", says: itself, never: "set by", seen: full[:6], article: article, known: "ms-kb2608658-sis-owner-pointer possible", asks: []string{"lmvm sis", "!thread fffff88007fab7f3 e"}},
	})
}
