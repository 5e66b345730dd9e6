package rules_test

import (
	"strings"
	"testing"

	"kdlocks/rules"
)

// fieldCase asks for one field of the fact of a log: fits, fits not, or cannot be
// known.
type fieldCase struct {
	name, log, clause string
	want              rules.Outcome
	asks              string // a command among those that are asked for
}

const (
	holds   = rules.OutPossible
	fails   = rules.NoMatch
	unclear = rules.CouldNotCheck
)

// asFields judges a rule of one clause for each case.
func asFields(t *testing.T, cases []fieldCase) {
	t.Helper()
	for _, c := range cases {
		r := judgeRule(t, "match: [{as: X, "+c.clause+"}]", c.log)
		if r.Outcome != c.want {
			t.Errorf("%s: %s: %s, want %s\n%+v", c.name, c.clause, r.Outcome, c.want, r.Clauses)
		}
		if c.asks != "" && !strings.Contains(strings.Join(r.Ask, "\n"), c.asks) {
			t.Errorf("%s: %s: asks for %q, not for %q", c.name, c.clause, r.Ask, c.asks)
		}
	}
}

const (
	threadHead = "THREAD fffffa8003e32450  Cid 0004.0024  Teb: 0000000000000000 Win32Thread: 0000000000000000 "
	waitHead   = threadHead + "WAIT: (Executive) KernelMode Non-Alertable\n"

	queueRow = "0: kd> !exqueue f\n**** Delayed WorkQueue ( Threads: 4/512, Concurrency: 0/8 )\n" + threadHead + "WAIT\n" +
		"PENDING: IoWorkItem (fffffa8006a12340) Routine scanflt!ScanFileWorker (fffff88003a361d4) IoObject (fffffa8004aa0060) Context (fffffa8006bb0010)\n"
	processRow = "0: kd> !process 0 2\nPROCESS fffffa8003e2e040\n    SessionId: none  Cid: 0004    Peb: 00000000  ParentCid: 0000\n" +
		"    DirBase: 00187000  ObjectTable: fffff8a0000017e0  HandleCount: 559.\n    Image: System\n\n        " + waitHead
	waitRow      = processRow + "            fffff88003a24c10  NotificationEvent\n\n"
	onlyHead     = "0: kd> !thread fffffa8003e32450 0\n" + waitHead + "0: kd> "
	wholeThread  = "0: kd> !thread fffffa8003e32450\n" + waitHead + "    fffff88003a24c10  NotificationEvent\nNot impersonating\nOwning Process            fffffa8003e2e040       Image:         System\nPriority 14 BasePriority 13\n0: kd> "
	noWaitThread = "0: kd> !thread fffffa8003e32450\n" + waitHead + "Not impersonating\nOwning Process            fffffa8003e2e040       Image:         System\n0: kd> "
	runningRow   = "0: kd> !thread fffffa8003e32450 0\n" + threadHead + "RUNNING on processor 2\n0: kd> "
	stacksRows   = "0: kd> !stacks 2\nProc.Thread  .Thread  Ticks   ThreadState Blocker\n                            [fffffa8003e2e040 System]\n" +
		"   4.000024  fffffa8003e32450 0000123 Blocked    nt!KiSwapContext+0x76\n                                        nt!KiSwapThread+0x500\n" +
		"                                        acmefs!Foo+0x10\n                                        nt!KiStartSystemThread+0x28\n\nThreads Processed: 1\n0: kd> "
	siteRows = "0: kd> !stacks 1\nProc.Thread  .Thread  Ticks   ThreadState Blocker\n                            [fffffa8003e2e040 System]\n" +
		"   4.000024  fffffa8003e32450 0000123 Blocked    nt!KiSwapContext+0x76\n\nThreads Processed: 1\n0: kd> "
)

// TestFieldsNotPrinted: what a row of a list leaves out of a thread is neither true
// nor false, and asked for.
func TestFieldsNotPrinted(t *testing.T) {
	const x = "thread: {address: fffffa8003e32450, "
	const ask = "!thread fffffa8003e32450 1f"
	var cases []fieldCase
	for _, field := range []string{"timed: true", "timed: false", "wait_object: fffff0", "wait_object_kind: Mutant", "wait_object_kind: {ne: Mutant}", "wait_object_owner: fffff0",
		"reply_message: fffff0", "reply_server: fffff0", "irp: fffff0", "irp: {ne: fffff0}", "suspend_count: 0", "suspend_count: 1", "priority: 9", "context_switches: 9", "start: nt!Foo", "stack: [\"zz!y\"]", "frame: zz!y", "module: zz", "frames: 1"} {
		for name, log := range map[string]string{"queue row": queueRow, "head alone": onlyHead} {
			cases = append(cases, fieldCase{name, log, x + field + "}", unclear, ask})
		}
	}
	for _, field := range []string{"wait_reason: \"Foo*\"", "wait_reason: {ne: \"Foo*\"}", "wait_mode: KernelMode", "alertable: true", "alertable: false"} {
		cases = append(cases, fieldCase{"queue row", queueRow, x + field + "}", unclear, ask})
	}
	asFields(t, append(cases, []fieldCase{
		{"head alone", onlyHead, x + "wait_reason: Executive, alertable: false, wait_mode: KernelMode, state: waiting}", holds, ""},
		{"head alone", onlyHead, x + "processor: 2}", fails, ""},
		{"wait row", waitRow, x + "wait_object: fffff88003a24c10, timed: false}", holds, ""},
		{"wait row", waitRow, x + "wait_object_kind: Mutant}", fails, ""},
		{"wait row", waitRow, x + "reply_message: fffff0}", unclear, ask},
		{"wait row", waitRow, x + "irp: fffff0}", unclear, ask},
		{"wait row", waitRow, x + "suspend_count: 0}", unclear, ask},
		{"cut in its wait objects", strings.TrimRight(waitRow, "\n"), x + "timed: false}", unclear, ask},
		{"its list was left out", strings.Replace(wholeThread, "    fffff88003a24c10  NotificationEvent\n", "[...]\n", 1), x + "timed: false}", unclear, ask},
		{"the end of its list was left out", strings.Replace(wholeThread, "Event\n", "Event\n...\n", 1), x + "wait_object: fffff0}", unclear, ask},
		{"something further down was left out", strings.Replace(wholeThread, "Not imp", "Not impersonating\n...\nNot imp", 1), x + "timed: true}", fails, ""},
		{"whole block", wholeThread, x + "timed: false, suspend_count: 0, priority: 14, irp: {ne: fffff0}, wait_object_kind: NotificationEvent}", holds, ""},
		{"whole block", wholeThread, x + "reply_message: fffff0}", fails, ""},
		{"whole block", wholeThread, x + "suspend_count: {gte: 1}}", fails, ""},
		{"whole block", wholeThread, x + "timed: true}", fails, ""},
		{"whole block without wait objects", noWaitThread, x + "wait_object: fffff0}", fails, ""},
		{"it runs", runningRow, x + "processor: 2, timed: false, wait_reason: {ne: \"Foo*\"}, wait_object: {ne: fffff0}}", holds, ""},
		{"it runs", runningRow, x + "wait_reason: WrResource}", fails, ""},
		{"it runs", runningRow, x + "alertable: true}", fails, ""},
		{"it runs", runningRow, x + "irp: fffff0}", unclear, ask},
		{"it runs", runningRow, x + "suspend_count: 0}", unclear, ask},
		{"rows of stacks", stacksRows, x + "module: acmefs, frames: 4, stack: [\"acmefs!Foo\"]}", holds, ""},
		{"rows of stacks", stacksRows, x + "module: zz}", fails, ""},
		{"rows of stacks", stacksRows, x + "stack: [\"zz!y\"]}", fails, ""},
		{"rows of stacks", stacksRows, x + "wait_object: fffff0}", unclear, ask},
		{"one call site", siteRows, x + "module: acmefs}", unclear, ask},
		{"one call site", siteRows, x + "frame: \"acmefs!*\"}", unclear, ask},
		{"one call site", siteRows, x + "stack: {none: [\"nt!*\"]}}", fails, ""},
		{"one call site", siteRows, x + "stack: [\"nt!KiSwapContext\"]}", holds, ""},
		{"all call sites are no stacks", siteRows, "thread: {address: fffffa8003e32450}}, {as: Z, thread: {stack: [\"acmefs!*\"]}", unclear, ""},
		{"all stacks", stacksRows, "thread: {address: fffffa8003e32450}}, {as: Z, thread: {stack: [\"zz!*\"]}", fails, ""},
	}...))
}

// TestCountsOfOpenLists: what is counted in a list that may go on is a least number.
func TestCountsOfOpenLists(t *testing.T) {
	const open = "0: kd> !locks\nResource @ 0xffffaa3e1c7b46c0    Exclusively owned\n     Threads: ffffaa3e1a9df7c0-01<*>\n     Threads Waiting On Exclusive Access:\n              ffffaa3e193fe080\n"
	const whole = open + "\n16088 total locks, 1 locks currently held\n0: kd> "
	const x = "lock: {address: ffffaa3e1c7b46c0, "
	const ask = "!locks -v ffffaa3e1c7b46c0"
	asFields(t, []fieldCase{
		{"open", open, x + "exclusive_waiters: {gte: 1}, waiting: {gte: 1}}", holds, ""},
		{"open", open, x + "exclusive_waiters: 1}", unclear, ask},
		{"open", open, x + "exclusive_waiters: {lt: 5}}", unclear, ask},
		{"open", open, x + "waiting: {gte: 2}}", unclear, ask},
		{"open", open, x + "waiting: {lt: 1}}", fails, ""},
		{"open", open, x + "waiting: 0}", fails, ""},
		{"whole", whole, x + "exclusive_waiters: 1, waiting: {lt: 2}, owners: 1}", holds, ""},
		{"whole", whole, x + "waiting: {gte: 2}}", fails, ""},
		{"a damaged head", strings.Replace(whole, "Exclusively owned", "Exc", 1), x + "state: exclusive}", unclear, ask},
		{"the input ends in the queue", queueRow, "queue: {name: Delayed, pending: {gte: 1}}", holds, ""},
		{"the input ends in the queue", queueRow, "queue: {name: Delayed, pending: 1}", unclear, "!exqueue f"},
		{"the input ends in the queue", queueRow, "queue: {name: Delayed, routine: \"zz!*\"}", unclear, "!exqueue f"},
		{"the queue has ended", strings.Replace(queueRow, "4/512", "1/512", 1) + "0: kd> ", "queue: {name: Delayed, pending: 1}", holds, ""},
		{"the queue has ended", strings.Replace(queueRow, "4/512", "1/512", 1) + "0: kd> ", "queue: {name: Delayed, routine: \"zz!*\"}", fails, ""},
	})
}

// TestVersionsInPieces: a number of a version that is cut is none, and one that a
// narrow window broke is put together.
func TestVersionsInPieces(t *testing.T) {
	const lm = "0: kd> lmvm acme\nBrowse full module list\nstart             end                 module name\nfffff880`01a00000 fffff880`01a10000   acme       (deferred)             \n    Image path: \\SystemRoot\\System32\\drivers\\acme.sys\n    Image name: acme.sys\n"
	const old, ask = "module: {name: acme, version: {lt: 10.0.14000.0}}", "lmvm acme"
	asFields(t, []fieldCase{
		{"whole", lm + "    File version:     10.0.143.0\n    Product version:  10.0.143.0\n", old, holds, ""},
		{"the last line is whole", lm + "    File version:     10.0.143.0\n", old, holds, ""},
		{"cut in a number", lm + "    File version:     10.0.143", old, unclear, ask},
		{"cut in a number before a line end", lm + "    File version:     10.0.143\n", old, unclear, ask},
		{"cut in the last number", lm + "    File version:     10.0.143.0", old, unclear, ask},
		{"broken", lm + "    File version:     10.0.14\n393.0\n    Product version:  10.0.14393.0\n", old, fails, ""},
		{"broken", lm + "    File version:     10.0.14\n393.0\n", "module: {name: acme, version: 10.0.14393.0}", holds, ""},
		{"broken and cut", lm + "    File version:     10.0.143\n93.0", old, unclear, ask},
	})
}

// TestThirdParty: the innermost module outside Windows is known only where all code
// further in is.
func TestThirdParty(t *testing.T) {
	stack := func(sites ...string) string {
		out := "0: kd> !thread fffffa8003e32450\n" + waitHead + "    fffff88003a24c10  NotificationEvent\nNot impersonating\nOwning Process            fffffa8003e2e040       Image:         System\n" +
			"Child-SP          RetAddr               Call Site\n"
		for i, s := range sites {
			ret := "fffff800`01000000"
			if i == len(sites)-1 {
				ret = "00000000`00000000"
			}
			out += "fffff880`033bc000 " + ret + "     " + s + "\n"
		}
		return out + "0: kd> "
	}
	const x, ask = "thread: {address: fffffa8003e32450, ", "!thread fffffa8003e32450 1f"
	windows := stack("nt!KiSwapContext+0x76", "Ntfs!NtfsRead+0x10", "FLTMGR!FltpDispatch+0x10", "nt!KiStartSystemThread+0x28")
	acme := stack("nt!KiSwapContext+0x76", "acmefs!Read+0x10", "acmeav!Filter+0x10", "nt!KiStartSystemThread+0x28")
	bareFirst := stack("nt!KiSwapContext+0x76", "0xfffff880`01234567", "acmeav!Filter+0x10", "nt!KiStartSystemThread+0x28")
	bareLast := stack("nt!KiSwapContext+0x76", "acmeav+0x1234", "0xfffff880`01234567", "nt!KiStartSystemThread+0x28")
	const lm = "0: kd> lm\nstart             end                 module name\nfffff800`01a00000 fffff800`02000000   nt         (pdb symbols)          c:\\x\\ntkrnlmp.pdb\nfffff880`033bc000 fffff880`033cb000   acmeav     T (no symbols)           \n0: kd> "
	asFields(t, []fieldCase{
		{"the innermost", acme, x + "third_party: acmefs}", holds, ""},
		{"another one further out", acme, x + "third_party: acmeav}", fails, ""},
		{"Windows alone", windows, x + "third_party: acmefs}", fails, ""},
		{"Windows alone", windows, x + "third_party: {ne: acmefs}}", holds, ""},
		{"code of an unknown module further in", bareFirst, x + "third_party: acmeav}", unclear, ask},
		{"code of an unknown module further out", bareLast, x + "third_party: acmeav}", holds, ""},
		{"no stack", onlyHead, x + "third_party: acmeav}", unclear, ask},
		{"one call site", siteRows, x + "third_party: acmefs}", unclear, ask},
		{"its module", acme + lm[len("0: kd> "):], "thread: {address: fffffa8003e32450}}, {as: M, module: {name: {eq: X.third_party}, third_party: true}", holds, ""},
		{"an unloaded one", stack("nt!KiSwapContext+0x76", "<Unloaded_ntfs.sys>+0x10", "<Unloaded_acme.sys>+0x10", "nt!KiStartSystemThread+0x28"), x + "third_party: acme.sys}", holds, ""},
		{"a module outside Windows", lm, "module: {name: acmeav, third_party: true}", holds, ""},
		{"a module outside Windows", lm, "module: {name: acmeav, third_party: false}", fails, ""},
		{"a module of Windows", lm, "module: {name: ntoskrnl.exe, third_party: true}", fails, ""},
	})
}

// TestReproducibleBuilds: the hash in the place of a date is none, and known to be.
func TestReproducibleBuilds(t *testing.T) {
	lmv := func(stamp string) string {
		return "0: kd> lmvm acme\nBrowse full module list\nstart             end                 module name\nfffff880`01a00000 fffff880`01a10000   acme     T (no symbols)           \n    Image path: acme.sys\n    Image name: acme.sys\n    Timestamp:        " + stamp
	}
	const rest = "\n    CheckSum:         0002C7A1\n    File version:     2.0.0.15\n    Product version:  2.0.0.15\n0: kd> "
	hash := lmv("63A1C2D4 (This is a reproducible build file hash, not a timestamp)" + rest)
	const x, ask = "module: {name: acme, ", "lmvm acme"
	asFields(t, []fieldCase{
		{"a hash", hash, x + "linked: {lt: 2030-01-01}}", fails, ""},
		{"a hash", hash, x + "linked: {gte: 2000-01-01}}", fails, ""},
		{"a hash as such", hash, x + "time_word: 63A1C2D4, version: 2.0.0.15}", holds, ""},
		{"a hash whose remark is cut", lmv("63A1C2D4 (This is a"), x + "linked: {gte: 2000-01-01}}", fails, ""},
		{"a hash or a date", lmv("63A1C2D4 (T"), x + "linked: {gte: 2000-01-01}}", unclear, ask},
		{"a hash or a date", lmv("63A1C2D4"), x + "linked: {gte: 2000-01-01}}", unclear, ask},
		{"a date", lmv("Mon Apr 14 02:31:06 2008 (4802516A)" + rest), x + "linked: {lt: 2009-01-01, gte: 2008-04-01}}", holds, ""},
		{"no date was printed", lmv("unavailable (FFFFFFFE)" + rest), x + "linked: {lt: 2030-01-01}}", unclear, ask},
	})
	either := "module: {name: acme}}, {any: [[{module: {name: acme, version: {lt: 2.0.0.15}}}], [{module: {name: acme, linked: {lt: 2020-01-01}}}]]"
	if r := judgeRule(t, "match: [{as: X, "+strings.TrimSuffix(either, "}")+"}]", hash); r.Outcome != fails {
		t.Errorf("the fixed version of a reproducible build: %s: %+v", r.Outcome, r.Clauses)
	}
}

// TestOtherKinds: what was cut off a line or a list is not known to be missing.
func TestOtherKinds(t *testing.T) {
	const vm = "0: kd> !vm 1\n\n*** Virtual Memory Usage ***\n\tPhysical Memory:      523648 (   2094592 Kb)\n\tAvailable Pages:      114652 (    458608 Kb)\n\tNonPagedPool Usage:     7000 (     28000 Kb)\n"
	const rest = "\tCommitted pages:      391234 (   1564936 Kb)\n\tCommit limit:        1306624 (   5226496 Kb)\n"
	const failed = "\t********** 3 pool allocations have failed **********\n"
	const irp = "0: kd> !irp fffffa8018fd1010\nIrp is active with 2 stacks 1 is current (= 0xfffffa8018fd10e0)\n No Mdl: No System Buffer: Thread fffffa801b27bb50:  Irp stack trace.  \n" +
		"     cmd  flg cl Device   File     Completion-Context\n>[  4, 0]   0 e1 fffffa80198ae9a0 00000000 fffff88001234560-fffffa8019000000 Success Error Cancel pending\n\t       \\Driver\\disk\tpartmgr!PmIoCompletion\n\t\t\tArgs: 00000000 00000000 00000000 00000000\n"
	const second = " [  4, 0]   0 e1 fffffa80198ae9b0 00000000 fffff88001234570-fffffa8019000000 Success Error Cancel \n\t       \\Driver\\partmgr\tvolmgr!VmIoCompletion\n\t\t\tArgs: 00000000 00000000 00000000 00000000\n0: kd> "
	version := func(line string) string { return "0: kd> vertarget\n" + line + "\n" }
	asFields(t, []fieldCase{
		{"some failed", vm + failed, "vm: {physical_pages: {gt: 0}, failed: 3}", holds, ""},
		{"none failed", vm + rest, "vm: {physical_pages: {gt: 0}, failed: 0}", holds, ""},
		{"cut before the line", vm, "vm: {physical_pages: {gt: 0}, failed: 0}", unclear, "!vm 1"},
		{"cut before the line", vm, "vm: {physical_pages: {gt: 0}, banner: \"*Excessive*\"}", unclear, "!vm 1"},
		{"no such line", vm + rest, "vm: {physical_pages: {gt: 0}, banner: \"*Excessive*\"}", fails, ""},
		{"all stack locations", irp + second, "irp: {address: fffffa8018fd1010, drivers: partmgr, complete: false}", holds, ""},
		{"all stack locations", irp + second, "irp: {address: fffffa8018fd1010, drivers: acme}", fails, ""},
		{"a stack location is missing", irp + "0: kd> ", "irp: {address: fffffa8018fd1010, drivers: acme}", unclear, "!irp fffffa8018fd1010"},
		{"a service pack", version("Windows 7 Kernel Version 7601 (Service Pack 1) MP (8 procs) Free x64"), "target: {build: 7601, service_pack: 1, arch: x64}", holds, ""},
		{"no service pack", version("Windows 10 Kernel Version 19041 MP (8 procs) Free x64"), "target: {build: 19041, service_pack: 0, arch: x64}", holds, ""},
	})
}
