package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kdlocks/rules"
)

// abba is a log in which two threads wait for each other's ERESOURCE; the stack
// of the second is not in it.
const abba = `2: kd> !locks
**** DUMP OF ALL RESOURCE OBJECTS ****
KD: Scanning for held locks...

Resource @ 0xffffaa3e1c7b46c0    Exclusively owned
    Contention Count = 2
    NumberOfExclusiveWaiters = 1
     Threads: ffffaa3e1a9df7c0-01<*>
     Threads Waiting On Exclusive Access:
              ffffaa3e193fe080

Resource @ nt!CmpRegistryLock (0xffffaa3e19626400)    Exclusively owned
    Contention Count = 2
    NumberOfExclusiveWaiters = 1
     Threads: ffffaa3e193fe080-01<*>
     Threads Waiting On Exclusive Access:
              ffffaa3e1a9df7c0

16088 total locks, 2 locks currently held
2: kd> !thread ffffaa3e1a9df7c0
THREAD ffffaa3e1a9df7c0  Cid 0004.0638  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT: (WrResource) KernelMode Non-Alertable
    ffffbbb966523120  SynchronizationEvent
IRP List:
    ffffaa3e1a9e1010: (0006,0310) Flags: 00000884  Mdl: 00000000
Not impersonating
Owning Process            ffffaa3e15a6f040       Image:         System
Attached Process          N/A            Image:         N/A
Wait Start TickCount      27606952       Ticks: 141 (0:00:00:02.203)
Context Switch Count      90787          IdealProcessor: 0
UserTime                  00:00:00.000
KernelTime                00:00:02.496
Win32 Start Address nt!ExpWorkerThread (0xfffff83b01ac0000)
Stack Init ffffbbb966523b90 Current ffffbbb966522e40
Base ffffbbb966524000 Limit ffffbbb96651d000 Call 0000000000000000
Priority 14 BasePriority 13 PriorityDecrement 16 IoPriority 2 PagePriority 5
Child-SP          RetAddr               Call Site
ffffbbb9` + "`" + `66522e40 fffff83b` + "`" + `01ac4cdc     nt!KiSwapContext+0x76
ffffbbb9` + "`" + `66522f80 fffff83b` + "`" + `01ac477f     nt!KiSwapThread+0x17c
ffffbbb9` + "`" + `66523030 fffff83b` + "`" + `01ac6a28     nt!KiCommitThreadWait+0x14f
ffffbbb9` + "`" + `665230d0 fffff83b` + "`" + `01ad1043     nt!ExpWaitForResource+0x2a8
ffffbbb9` + "`" + `665231a0 fffff83b` + "`" + `01f02273     nt!ExAcquireResourceExclusiveLite+0x183
ffffbbb9` + "`" + `66523220 fffff83b` + "`" + `01b144da     nt!FsRtlAcquireFileForCcFlushEx+0x27f
ffffbbb9` + "`" + `66523690 fffff847` + "`" + `fc9b831e     nt!CcFlushCache+0x16
ffffbbb9` + "`" + `665236d0 fffff847` + "`" + `fc9b35bc     fs1+0x1831e
ffffbbb9` + "`" + `66523770 fffff83b` + "`" + `01e8ba20     FLTMGR!FltpDispatch+0xb6
ffffbbb9` + "`" + `66523a90 00000000` + "`" + `00000000     nt!NtReadFile+0x660

`

// judgeRule runs a rule of some clauses over a log.
func judgeRule(t *testing.T, clauses, log string) *rules.Result {
	t.Helper()
	set, err := load(t, ruleOf(clauses), nil)
	if err != nil {
		t.Fatal(err)
	}
	judged, err := judge("log", []byte(log))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range set.Judge(judged[0]) {
		return &r
	}
	return &rules.Result{Outcome: rules.NoMatch}
}

func ruleOf(clauses string) string {
	return "format: kdlocks.rules/v1\nrules:\n  - id: r\n    title: t\n    class: lock-deadlock\n    severity: high\n    confidence: possible\n    explain: e\n    remedy: r\n    references: [{text: t}]\n" +
		"    tests: [{log: a, expect: possible}, {log: b, expect: no-match}]\n    " + strings.ReplaceAll(strings.TrimSpace(clauses), "\n", "\n    ") + "\n"
}

func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		name, rule string
		want       rules.Outcome
		asks       string // a command among those that are asked for
	}{
		{"literal", `match: [{lock: {symbol: nt!cmpregistrylock}}]`, rules.OutPossible, ""},
		{"glob", `match: [{lock: {symbol: "nt!Cmp*Lock"}}]`, rules.OutPossible, ""},
		{"all locks are listed, and none is so", `match: [{lock: {symbol: nt!PiEngineLock}}]`, rules.NoMatch, ""},
		{"a cycle of two by bindings", `
match:
  - {as: A, lock: {state: exclusive}}
  - {as: B, lock: {state: exclusive, address: {ne: A.address}, owner_thread: {in: A.waiters}, waiters: {has: A.owner_thread}}}`, rules.OutPossible, ""},
		{"no lock waits for itself", `
match:
  - {as: A, lock: {waiters: {gte: 1}}}`, "", ""},
		{"owner waits for own lock", `
match:
  - {as: A, lock: {state: exclusive}}
  - {as: O, owner: {lock: {eq: A.address}, thread: {in: A.waiters}}}`, rules.NoMatch, ""},
		{"stack in order", `match: [{thread: {stack: {seq: ["nt!ExpWaitForResource", "nt!CcFlushCache", "*!FltpDispatch"]}}}]`, rules.OutPossible, ""},
		{"stack out of order", `match: [{thread: {stack: {seq: ["nt!CcFlushCache", "nt!ExpWaitForResource"]}}}]`, rules.NoMatch, ""},
		{"stack within", `match: [{thread: {stack: {seq: ["nt!ExpWaitForResource", "nt!ExAcquireResource*"], within: 2}}}]`, rules.OutPossible, ""},
		{"stack not within", `match: [{thread: {stack: {seq: ["nt!ExpWaitForResource", "nt!CcFlushCache"], within: 3}}}]`, rules.NoMatch, ""},
		{"stack at the top", `match: [{thread: {stack: {seq: ["nt!ExpWaitForResource"], top: true}}}]`, rules.OutPossible, ""},
		{"stack not at the top", `match: [{thread: {stack: {seq: ["nt!CcFlushCache"], top: true}}}]`, rules.NoMatch, ""},
		{"a frame that must not be there", `match: [{thread: {stack: {seq: ["nt!ExpWaitForResource"], none: ["nt!NtRead*"]}}}]`, rules.NoMatch, ""},
		{"one of two frames", `match: [{thread: {stack: {seq: [[nt!MmFlushSection, nt!CcFlushCache], "FltMgr!*"]}}}]`, rules.OutPossible, ""},
		{"a frame without symbols", `match: [{as: L, lock: {state: exclusive}}, {thread: {stack: {seq: ["nt!CcFlushCache", "fs1!DokanDispatchRead"]}}}]`, rules.CouldNotCheck, ".reload /f fs1.sys"},
		{"a module without symbols", `match: [{thread: {stack: {seq: ["nt!CcFlushCache", "fs1!*"]}}}]`, rules.OutPossible, ""},
		{"a frame that must not be there may be", `match: [{lock: {state: exclusive}}, {thread: {stack: {seq: ["nt!ExpWaitForResource"], none: ["fs1!Safe"]}}}]`, rules.CouldNotCheck, ".reload /f fs1.sys"},
		{"a thread that was not printed", `
match:
  - {as: L, lock: {symbol: nt!CmpRegistryLock}}
  - {as: T, thread: {address: {in: L.owner_thread}, stack: {seq: ["nt!HvSyncHive"]}}}`, rules.CouldNotCheck, "!thread ffffaa3e193fe080 1f"},
		{"output of a kind that the input does not hold", `match: [{lock: {state: exclusive}}, {queue: {name: Critical}}]`, rules.CouldNotCheck, "!exqueue f"},
		{"a false clause outweighs an unknown one", `match: [{lock: {symbol: nt!PiEngineLock}}, {queue: {name: Critical}}]`, rules.NoMatch, ""},
		{"a field that was not printed", `match: [{lock: {state: exclusive}}, {target: {build: {gte: 7600}}}]`, rules.CouldNotCheck, "vertarget"},
		{"boost", `
match: [{as: L, lock: {symbol: nt!CmpRegistryLock}}]
boost:
  - {lock: {address: {ne: L.address}, state: exclusive}, to: likely}
  - {finding: {id: deadlock-cycle, length: 2}, to: confirmed}`, rules.OutConfirmed, ""},
		{"a boost that is unknown changes nothing", `
match: [{lock: {symbol: nt!CmpRegistryLock}}]
boost: [{queue: {name: Critical}, to: confirmed}]`, rules.OutPossible, "!exqueue f"},
		{"exclude", `
match: [{lock: {symbol: nt!CmpRegistryLock}}]
exclude: [{finding: {id: deadlock-cycle}, because: it is a cycle}]`, rules.Excluded, ""},
		{"an exclude that is unknown changes nothing", `
match: [{lock: {symbol: nt!CmpRegistryLock}}]
exclude: [{queue: {name: Critical}, because: the queue}]`, rules.OutPossible, ""},
		{"count", `match: [{lock: {state: exclusive}, count: {gte: 2}}]`, rules.OutPossible, ""},
		{"count too low", `match: [{lock: {state: exclusive}, count: {gte: 3}}]`, rules.NoMatch, ""},
		{"any", `
match:
  - {as: L, lock: {state: exclusive}}
  - any:
      - {queue: {name: Critical}}
      - [{thread: {image: System}}, {lock: {symbol: nt!CmpRegistryLock}}]`, rules.OutPossible, ""},
		{"any of nothing that is so", `
match:
  - any:
      - {lock: {symbol: nt!PiEngineLock}}
      - {thread: {image: notepad.exe}}`, rules.NoMatch, ""},
		{"applies", `
applies: {arch: x86}
match: [{lock: {state: exclusive}}]`, rules.NoMatch, ""},
		{"applies cannot be told", `
applies: {build: {lt: 7600}}
match: [{lock: {state: exclusive}}]`, rules.CouldNotCheck, "vertarget"},
		{"duration", `match: [{thread: {wait: {gte: 2s, lt: 1m}}}]`, rules.OutPossible, ""},
		{"IRP that was not printed", `match: [{as: T, thread: {image: System}}, {irp: {address: {in: T.irp}, driver: disk}}]`, rules.CouldNotCheck, "!irp ffffaa3e1a9e1010"},
		{"a range holds an address", `match: [{as: T, thread: {wait_reason: WrResource}}, {thread: {stack_range: {holds: T.wait_object}}}]`, rules.OutPossible, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.want == "" {
				if _, err := load(t, ruleOf(c.rule), nil); err == nil {
					t.Fatal("loads")
				}
				return
			}
			r := judgeRule(t, c.rule, abba)
			if r.Outcome != c.want {
				t.Errorf("%s, want %s", r.Outcome, c.want)
				for _, cl := range r.Clauses {
					t.Logf("%s %s: %s %v", cl.Role, cl.Text, cl.Truth, cl.Missing)
				}
			}
			if c.asks != "" && !slices.Contains(r.Ask, c.asks) {
				t.Errorf("asks for %q, want %q", r.Ask, c.asks)
			}
		})
	}
}

// TestStrongestCandidate: of several facts that a rule holds for, the one is told
// that most speaks for, and the others are named.
func TestStrongestCandidate(t *testing.T) {
	r := judgeRule(t, `
match: [{as: L, lock: {state: exclusive}}]
boost: [{lock: {address: {eq: L.address}, symbol: "nt!Cmp*"}, to: likely}]`, abba)
	if r.Outcome != rules.OutLikely || len(r.Bound) != 1 || r.Bound[0].Fact != "ffffaa3e19626400" {
		t.Errorf("%s, bound %v", r.Outcome, r.Bound)
	}
	if want := []string{"L ffffaa3e1c7b46c0 (possible)"}; !slices.Equal(r.Candidates, want) {
		t.Errorf("candidates %q, want %q", r.Candidates, want)
	}
}

// TestEvidenceNamesLines: each clause that holds says on which lines.
func TestEvidenceNamesLines(t *testing.T) {
	r := judgeRule(t, `match: [{thread: {stack: {seq: ["nt!ExpWaitForResource", "nt!CcFlushCache"]}, wait_reason: WrResource}}]`, abba)
	var lines []string
	for _, c := range r.Clauses {
		for _, e := range c.Evidence {
			lines = append(lines, strings.Split(abba, "\n")[e.At.Line-1])
		}
	}
	got := fmt.Sprint(lines)
	for _, want := range []string{"nt!ExpWaitForResource+0x2a8", "nt!CcFlushCache+0x16", "WAIT: (WrResource)"} {
		if !strings.Contains(got, want) {
			t.Errorf("no evidence at %q: %s", want, got)
		}
	}
}

func TestDates(t *testing.T) {
	for _, c := range []struct {
		rule string
		want rules.Outcome
	}{
		{`match: [{module: {name: minictrl, linked: {gte: 2018-12-06, lt: 2018-12-07}}}]`, rules.OutPossible},
		{`match: [{module: {name: minictrl, linked: {lt: 2018-12-06}}}]`, rules.NoMatch},
		{`match: [{module: {name: MiniCtrl.exe, version: {gte: 1.2.0.87}, company: "ITM*"}}]`, rules.OutPossible},
		{`match: [{module: {name: MiniCtrl.exe, version: {lt: 1.2.0.87}}}]`, rules.NoMatch},
		{`match: [{module: {name: MiniCtrl.exe}}, {module: {name: nsisvc, version: {lt: 6.1.7601.22590}}}]`, rules.CouldNotCheck},
	} {
		r := judgeRule(t, c.rule, `0: kd> lmvm minictrl
start             end                 module name
00000001`+"`"+`40000000 00000001`+"`"+`405ec000   MiniCtrl   (no symbols)
    Loaded symbol image file: MiniCtrl.exe
    Image path: C:\Windows\system32\MiniCtrl.exe
    Image name: MiniCtrl.exe
    Timestamp:        Thu Dec 06 10:40:45 2018 (5C087E1D)
    CheckSum:         000EDA25
    ImageSize:        005EC000
    File version:     1.2.0.87
    CompanyName:      ITM System
`)
		if r.Outcome != c.want {
			t.Errorf("%s: %s, want %s", c.rule, r.Outcome, c.want)
		}
	}
}

// TestThreadsNotPrinted: a thread that no stack shows may be one that was not
// printed, unless a command that lists them all went on to its end.
func TestThreadsNotPrinted(t *testing.T) {
	const (
		open   = `match: [{lock: {symbol: nt!CmpRegistryLock}}, {thread: {stack: {seq: ["acmeflt!*"]}}}]`
		of     = `match: [{lock: {symbol: nt!CmpRegistryLock}}, {thread: {process: ffffaa3e1a902040, stack: {seq: ["acmeflt!*"]}}}]`
		few    = `match: [{lock: {symbol: nt!CmpRegistryLock}}, {thread: {state: running}, count: {lt: 5}}]`
		many   = `match: [{lock: {symbol: nt!CmpRegistryLock}}, {thread: {state: running}, count: {gte: 5}}]`
		alone  = `match: [{thread: {stack: {seq: ["acmeflt!*"]}}}]`
		either = `match: [{lock: {symbol: nt!CmpRegistryLock}}, {thread: {stack: {seq: [["acmeflt!*", "acmemgr!*"]]}}}]`
		svc    = `match: [{lock: {symbol: nt!CmpRegistryLock}}, {thread: {image: acmesvc.exe, state: running}}]`
		runs   = `match: [{lock: {symbol: nt!CmpRegistryLock}}, {process: {image: acmesvc.exe}, count: 0}]`
		ending = "2: kd> .logclose\n"
	)
	all := func(command string) string {
		return abba + "2: kd> " + command + "\n**** NT ACTIVE PROCESS DUMP ****\n"
	}
	for _, c := range []struct {
		name, rule, log string
		want            rules.Outcome
		asks            string
	}{
		{"single threads", open, abba, rules.CouldNotCheck, "!stacks 2 acmeflt"},
		{"all threads", open, all("!process 0 1f") + ending, rules.NoMatch, ""},
		{"all rows", open, all("!stacks 2") + ending, rules.NoMatch, ""},
		{"cut off", open, all("!process 0 1f"), rules.CouldNotCheck, "!stacks 2 acmeflt"},
		{"without stacks", open, all("!process 0 2") + ending, rules.CouldNotCheck, "!stacks 2 acmeflt"},
		{"of one program", open, all("!process 0 1f lsass.exe") + ending, rules.CouldNotCheck, "!stacks 2 acmeflt"},
		{"of another process", of, all("!process ffffaa3e1a903040 1f") + ending, rules.CouldNotCheck, "!process ffffaa3e1a902040 1f"},
		{"of the process", of, all("!process ffffaa3e1a902040 1f") + ending, rules.NoMatch, ""},
		{"those with frames of the driver", open, all("!stacks 2 acmeflt") + ending, rules.NoMatch, ""},
		{"those with frames of another", open, all("!stacks 2 fltmgr") + ending, rules.CouldNotCheck, "!stacks 2 acmeflt"},
		{"those of the program", svc, all("!process 0 1f AcmeSvc.exe") + ending, rules.NoMatch, ""},
		{"those of another program", svc, all("!process 0 1f lsass.exe") + ending, rules.CouldNotCheck, ""},
		{"the program runs not", runs, all("!process 0 0 acmesvc.exe") + ending, rules.OutPossible, ""},
		{"another program runs not", runs, all("!process 0 0 lsass.exe") + ending, rules.CouldNotCheck, "!process 0 0"},
		{"the list of the program is cut", runs, all("!process 0 0 acmesvc.exe"), rules.CouldNotCheck, "!process 0 0"},
		{"of two drivers", either, abba, rules.CouldNotCheck, "!process 0 1f"},
		{"few", few, abba, rules.CouldNotCheck, "!process 0 1f"},
		{"few of all", few, all("!process 0 1f") + ending, rules.OutPossible, ""},
		{"many", many, abba, rules.CouldNotCheck, "!process 0 1f"},
		{"many of all", many, all("!process 0 1f") + ending, rules.NoMatch, ""},
		{"nothing tells", alone, abba, rules.NoMatch, ""},
	} {
		r := judgeRule(t, c.rule, c.log)
		if r.Outcome != c.want || c.asks != "" && !slices.Contains(r.Ask, c.asks) {
			t.Errorf("%s: %s %q, want %s %s", c.name, r.Outcome, r.Ask, c.want, c.asks)
		}
	}
}

// TestModulesOfFrames: a frame's module can be that of another fact, or any that
// is none of Windows.
func TestModulesOfFrames(t *testing.T) {
	for _, c := range []struct {
		rule string
		want rules.Outcome
	}{
		{`match: [{thread: {stack: {seq: ["nt!CcFlushCache", "third-party!*"]}}}]`, rules.OutPossible},
		{`match: [{thread: {stack: {seq: ["third-party!*", "nt!CcFlushCache"]}}}]`, rules.NoMatch},
		{`match: [{thread: {stack: {seq: ["nt!CcFlushCache"], none: ["third-party!*"]}}}]`, rules.NoMatch},
		{`match: [{as: M, module: {name: fs1}}, {thread: {stack: {seq: ["nt!CcFlushCache", "{M.name}!*", "FLTMGR!*"]}}}]`, rules.OutPossible},
		{`match: [{as: M, module: {name: fs1}}, {thread: {stack: {seq: ["{M.name}!*", "nt!CcFlushCache"]}}}]`, rules.CouldNotCheck},
	} {
		if r := judgeRule(t, c.rule, abba); r.Outcome != c.want {
			t.Errorf("%s: %s, want %s", c.rule, r.Outcome, c.want)
		}
	}
}

// TestFramesWithoutModule: code that no module is known for may be of any module but
// those whose frames the debugger named; code of user mode is of no driver.
func TestFramesWithoutModule(t *testing.T) {
	const (
		driver = "fs1+0x1831e"
		bare   = "0xfffff847`fc9b831e"
	)
	nothingNamed := abba
	for _, name := range []string{driver, "FLTMGR!FltpDispatch+0xb6", "nt!CcFlushCache+0x16", "nt!FsRtlAcquireFileForCcFlushEx+0x27f",
		"nt!ExAcquireResourceExclusiveLite+0x183", "nt!ExpWaitForResource+0x2a8", "nt!KiCommitThreadWait+0x14f", "nt!KiSwapThread+0x17c", "nt!KiSwapContext+0x76", "nt!NtReadFile+0x660"} {
		nothingNamed = strings.Replace(nothingNamed, "     "+name, "     "+bare, 1)
	}
	named := "2: kd> lm\nstart             end                 module name\nfffff847`fc9a0000 fffff847`fc9c0000   fs1        (no symbols)           \n" + abba
	const lock = `{lock: {state: exclusive}}, `
	for _, c := range []struct {
		name, stack, log string
		want             rules.Outcome
		asks             string
	}{
		{"another driver", `{seq: ["nt!CcFlushCache", "acmeflt!*"]}`, strings.Replace(abba, driver, bare, 1), rules.CouldNotCheck, "lm a fffff847fc9b831e"},
		{"any driver", `{seq: ["nt!CcFlushCache", "third-party!*"]}`, strings.Replace(abba, driver, bare, 1), rules.CouldNotCheck, "lm a fffff847fc9b831e"},
		{"the function may be any", `{seq: ["*!Acme*"]}`, strings.Replace(abba, driver, bare, 1), rules.CouldNotCheck, ""},
		{"a driver that must not be there", `{seq: ["nt!CcFlushCache"], none: ["acmeflt!*"]}`, strings.Replace(abba, driver, bare, 1), rules.CouldNotCheck, ""},
		{"found without that frame", `{seq: ["nt!CcFlushCache", "fltmgr!*"]}`, strings.Replace(abba, driver, bare, 1), rules.OutPossible, ""},
		{"the debugger knows the kernel", `{seq: ["nt!CcFlushCache", "nt!CcAcme"]}`, strings.Replace(abba, driver, bare, 1), rules.NoMatch, ""},
		{"not in that place", `{seq: ["fltmgr!*", "acmeflt!*"]}`, strings.Replace(abba, driver, bare, 1), rules.NoMatch, ""},
		{"user mode", `{seq: ["nt!CcFlushCache", "acmeflt!*"]}`, strings.Replace(abba, driver, "0x00007ffa`a9094f14", 1), rules.NoMatch, ""},
		{"named by a list of modules", `{seq: ["nt!CcFlushCache", "acmeflt!*"]}`, strings.Replace(named, driver, bare, 1), rules.NoMatch, ""},
		{"found by a list of modules", `{seq: ["nt!CcFlushCache", "fs1!*"]}`, strings.Replace(named, driver, bare, 1), rules.OutPossible, ""},
		{"no frame has a name", `{seq: ["nt!CcFlushCache", "acmeflt!*"]}`, nothingNamed, rules.CouldNotCheck, ""},
		{"no frame has a name, at the top", `{seq: ["acmeflt!*"], top: true}`, nothingNamed, rules.CouldNotCheck, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, thread := range []string{"address: ffffaa3e1a9df7c0", "state: waiting"} {
				log := strings.Replace(c.log, "2: kd> !thread ffffaa3e1a9df7c0", "2: kd> !process 0 7", 1) + "2: kd> .logclose\n"
				r := judgeRule(t, "match: ["+lock+"{thread: {"+thread+", stack: "+c.stack+"}}]", log)
				if r.Outcome != c.want || c.asks != "" && !slices.Contains(r.Ask, c.asks) {
					t.Errorf("%s: %s, asks for %q; want %s, %q", thread, r.Outcome, r.Ask, c.want, c.asks)
				}
			}
		})
	}
}

// TestFindingsThatNothingDecides: that a detector found nothing says something only
// where the input has what it looks at.
func TestFindingsThatNothingDecides(t *testing.T) {
	const (
		driver = `{thread: {stack: {seq: ["nt!CcFlushCache", "fltmgr!FltpDispatch"]}}}`
		cycle  = "match: [" + driver + ", {finding: {id: worker-exhaustion}}]"
		ends   = "match: [" + driver + ", {finding: {id: teardown-waits-io}}]"
		memory = "match: [" + driver + ", {finding: {id: memory-pressure}}]"
		whose  = "match: [{as: F, finding: {id: memory-pressure}}, {thread: {address: {in: F.threads}, stack: {seq: [nt!CcFlushCache]}}}]"
	)
	_, withoutLocks, _ := strings.Cut(abba, "currently held\n")
	noCycle := strings.Replace(abba, "    NumberOfExclusiveWaiters = 1\n     Threads: ffffaa3e193fe080-01<*>\n     Threads Waiting On Exclusive Access:\n              ffffaa3e1a9df7c0\n", "     Threads: ffffaa3e193fe080-01<*>\n", 1)
	owner := strings.Replace(abba, "2: kd> !thread ", "2: kd> !thread ffffaa3e193fe080\nTHREAD ffffaa3e193fe080  Cid 0004.0644  Teb: 0000000000000000 Win32Thread: 0000000000000000 RUNNING on processor 1\n\n2: kd> !thread ", 1)
	for _, c := range []struct {
		name, rule, log string
		want            rules.Outcome
		asks            string
	}{
		{"no list of locks", memory, withoutLocks, rules.CouldNotCheck, "!locks"},
		{"the list lacks waiters", memory, noCycle, rules.CouldNotCheck, "!locks -v"},
		{"decided", memory, abba, rules.NoMatch, ""},
		{"decided, and every thread printed", memory, owner, rules.NoMatch, ""},
		{"no list of work items", cycle, abba, rules.CouldNotCheck, "!exqueue f"},
		{"not all threads", ends, abba, rules.CouldNotCheck, "!process 0 1f"},
		{"nothing else tells", whose, withoutLocks, rules.NoMatch, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := judgeRule(t, c.rule, c.log)
			if r.Outcome != c.want || c.asks != "" && !slices.Contains(r.Ask, c.asks) {
				t.Errorf("%s, asks for %q; want %s, %q", r.Outcome, r.Ask, c.want, c.asks)
			}
		})
	}
}

// TestCommandOfTheClause: the command of a clause is filled with what is bound, and
// gives way to the kind's own where it cannot be.
func TestCommandOfTheClause(t *testing.T) {
	const lock = `{as: L, lock: {symbol: nt!CmpRegistryLock}}, `
	for _, c := range []struct{ name, rule, asks string }{
		{"a value", lock + `{thread: {address: {in: L.owner_thread}, stack: [nt!HvSyncHive]}, ask: "!thread {L.owner_thread} 17"}`, "!thread ffffaa3e193fe080 17"},
		{"a value that is not known", lock + `{as: T, thread: {address: {in: L.owner_thread}}}, {thread: {image: {eq: T.image}, state: running}, ask: "!process 0 17 {T.image}"}`, "!thread ffffaa3e193fe080 1f"},
		{"no value", lock + `{queue: {name: Critical}, ask: "!exqueue 7"}`, "!exqueue 7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := judgeRule(t, "match: ["+c.rule+"]", abba)
			if strings.Contains(fmt.Sprint(r.Ask), "unknown") || c.asks != "" && !slices.Contains(r.Ask, c.asks) {
				t.Errorf("%s asks for %q, want %q", r.Outcome, r.Ask, c.asks)
			}
		})
	}
}

// TestAsksForWhatMatters: an empty ask takes the command of its clauses away; of a boost that
// can raise nothing, and of a rule that is confirmed, nothing is asked for.
func TestAsksForWhatMatters(t *testing.T) {
	const lock, queue = `match: [{as: L, lock: {symbol: nt!CmpRegistryLock}}]`, "{queue: {name: Critical}, to: likely, ask: \"!exqueue 7\"}"
	const owner = "boost: [{lock: {symbol: nt!CmpRegistryLock}, to: confirmed}, "
	for _, c := range []struct {
		name, rule string
		asks       []string
	}{
		{"a boost", lock + "\nboost: [" + queue + "]", []string{"!exqueue 7"}},
		{"an empty ask", lock + "\nboost: [{queue: {name: Critical}, to: likely, ask: []}]", nil},
		{"an empty ask of all", lock + "\nboost: [{all: [{queue: {name: Critical}}, {queue: {name: Delayed}}], to: likely, ask: []}]", nil},
		{"a boost to what it is", lock + "\n" + owner + queue + "]", nil},
		{"what excludes a confirmed rule", lock + "\n" + owner + queue + "]\nexclude: [{queue: {name: Critical}, because: it is}]", nil},
		{"what excludes another", lock + "\nexclude: [{queue: {name: Critical}, because: it is, ask: \"!exqueue 7\"}]", []string{"!exqueue 7"}},
	} {
		if r := judgeRule(t, c.rule, abba); !r.Outcome.Fired() || !slices.Equal(r.Ask, c.asks) {
			t.Errorf("%s: %s, asks for %q, want %q", c.name, r.Outcome, r.Ask, c.asks)
		}
	}
}

// TestCutStacks: of a stack that was not printed to its end, what begins on it may go
// on further out.
func TestCutStacks(t *testing.T) {
	cut := strings.Replace(abba, "66523a90 00000000`00000000     nt!NtReadFile", "66523a90 fffff83b`01e8bb11     nt!NtReadFile", 1)
	for _, c := range []struct {
		name, stack, log string
		want             rules.Outcome
		named            bool // and not only counted
	}{
		{"begins", `["nt!CcFlushCache", "fltmgr!*", "acmeflt!Read"]`, cut, rules.CouldNotCheck, true},
		{"does not begin", `["acmeflt!Write", "acmeflt!Read"]`, cut, rules.CouldNotCheck, false},
		{"frames of the kernel alone begin on any", `["nt!CcFlushCache", "acmeflt!Read"]`, cut, rules.CouldNotCheck, false},
		{"one frame", `["acmeflt!Read"]`, cut, rules.CouldNotCheck, false},
		{"the last frame fits", `["nt!NtReadFile", "acmeflt!Read"]`, cut, rules.CouldNotCheck, true},
		{"cut in a function that only sounds like a beginning", `["nt!CcFlushCache", "fltmgr!*", "acmeflt!Read"]`, strings.Replace(cut, "nt!NtReadFile", "storport!RaUnitStartIo", 1), rules.CouldNotCheck, true},
		{"an author's elision", `["nt!CcFlushCache", "fltmgr!*", "acmeflt!Read"]`, strings.Replace(abba, "ffffbbb9`66523770", "[... snip ...]\nffffbbb9`66523770", 1), rules.CouldNotCheck, true},
		{"an author's dots", `["nt!CcFlushCache", "fltmgr!*", "acmeflt!Read"]`, strings.Replace(abba, "ffffbbb9`66523770", "...\nffffbbb9`66523770", 1), rules.CouldNotCheck, true},
		{"to the call of user mode", `["nt!CcFlushCache", "acmeflt!Read"]`, strings.Replace(cut, "fffff83b`01e8bb11     nt!NtReadFile", "00007ff8`01e8bb11     nt!NtReadFile", 1), rules.NoMatch, false},
		{"at the top it would stand already", `{seq: ["acmeflt!Read"], top: true}`, cut, rules.NoMatch, false},
		{"whole", `["nt!CcFlushCache", "fltmgr!*", "acmeflt!Read"]`, abba, rules.NoMatch, false},
		{"within frames of which some are cut", `{seq: ["nt!CcFlushCache", "fltmgr!*", "acmeflt!Read"], within: 5}`, cut, rules.CouldNotCheck, true},
		{"within frames that are all there", `{seq: ["nt!CcFlushCache", "fltmgr!*", "acmeflt!Read"], within: 4}`, cut, rules.NoMatch, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, thread := range []string{"address: ffffaa3e1a9df7c0", "state: waiting"} {
				log := strings.Replace(c.log, "2: kd> !thread ffffaa3e1a9df7c0", "2: kd> !process 0 7", 1) + "2: kd> .logclose\n"
				r := judgeRule(t, "match: [{lock: {symbol: nt!CmpRegistryLock}}, {thread: {"+thread+", stack: "+c.stack+"}}]", log)
				if r.Outcome != c.want || r.Has() != c.named {
					t.Errorf("%s: %s, %v, want %s, %v", thread, r.Outcome, r.Has(), c.want, c.named)
				}
			}
		})
	}
}

// TestWithoutTheList: a thread with the frames of an issue is told where the list is
// missing that says which threads count.
func TestWithoutTheList(t *testing.T) {
	_, withoutLocks, _ := strings.Cut(abba, "currently held\n")
	owner := func(stack string) string {
		return `match: [{as: L, lock: {symbol: nt!CmpRegistryLock}}, {as: T, thread: {address: {in: L.waiters}, stack: [` + stack + `]}}]`
	}
	worker := func(stack string) string {
		return `match: [{as: Q, queue: {name: Critical}}, {as: T, thread: {address: {in: Q.workers}, stack: [` + stack + `]}, count: {gte: 1}}]`
	}
	for _, c := range []struct {
		name, rule, log string
		want            rules.Outcome
		asks            string
	}{
		{"frames of a driver", owner(`"nt!CcFlushCache", "fs1!*"`), withoutLocks, rules.CouldNotCheck, "!locks"},
		{"frames of another driver", owner(`"nt!CcFlushCache", "fs2!*"`), withoutLocks, rules.NoMatch, ""},
		{"the list is there, without the lock", strings.Replace(owner(`"fs1!*"`), "CmpRegistryLock", "PiEngineLock", 1), abba, rules.NoMatch, ""},
		{"a count of them", worker(`"nt!CcFlushCache", "fs1!*"`), abba, rules.CouldNotCheck, "!exqueue f"},
		{"a count of others", worker(`"nt!CcFlushCache", "fs2!*"`), abba, rules.NoMatch, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := judgeRule(t, c.rule, c.log)
			if has := r.Has(); r.Outcome != c.want && (c.want != rules.NoMatch || has) || c.asks != "" && (!slices.Contains(r.Ask, c.asks) || !has) {
				t.Errorf("%s, tells: %v, asks for %q; want %s, %q", r.Outcome, has, r.Ask, c.want, c.asks)
			}
		})
	}
}

// TestNamesOfPrograms: the debugger may have had the first 14 letters of a program's
// name alone.
func TestNamesOfPrograms(t *testing.T) {
	for _, c := range []struct {
		image, rule string
		want        rules.Outcome
	}{
		{"printfilterpip", "printfilterpipelinesvc.exe", rules.CouldNotCheck},
		{"printfilterpip", `"printfilterpipe*"`, rules.CouldNotCheck},
		{"printfilterpip", `"printfilter*"`, rules.OutPossible},
		{"printfilterpip", "printfilterpip", rules.OutPossible},
		{"printfilterpip", "printfilterother.exe", rules.NoMatch},
		{"printfilter", "printfilterpipelinesvc.exe", rules.NoMatch},
		{"printfiltp.exe", "printfiltp.exesvc.exe", rules.NoMatch},
		{"printfilterpipelinesvc.exe", "printfilterpipelinesvc.exe", rules.OutPossible},
	} {
		log := strings.Replace(abba, "Image:         System", "Image:         "+c.image, 1)
		r := judgeRule(t, "match: [{lock: {symbol: nt!CmpRegistryLock}}, {thread: {address: ffffaa3e1a9df7c0, image: "+c.rule+"}}]", log)
		if r.Outcome != c.want {
			t.Errorf("%s for %s: %s, want %s", c.image, c.rule, r.Outcome, c.want)
		}
	}
}
