package inspect_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"kdlocks/inspect"
	"kdlocks/report"
)

const (
	momentOne, momentTwo, momentThree = "ffffe0010b002080", "ffffe0010b004080", "ffffe0010b006080"
	momentR1, momentR2, momentR3      = "ffffe0010a4016c0", "ffffe0010a4026c0", "ffffe0010a4036c0"
)

// heldBlock is the block of a lock that one thread owns, and for which another
// waits if it is named.
func heldBlock(lock, owner, waiter string) string {
	text := fmt.Sprintf("Resource @ 0x%s    Exclusively owned\n", lock)
	if waiter != "" {
		text += "    NumberOfExclusiveWaiters = 1\n"
	}
	text += "     Threads: " + owner + "-01<*> \n"
	if waiter != "" {
		text += "     Threads Waiting On Exclusive Access:\n              " + waiter + "       \n"
	}
	return text + "\n"
}

// heldList is the whole output of !locks.
func heldList(blocks ...string) string {
	return "**** DUMP OF ALL RESOURCE OBJECTS ****\nKD: Scanning for held locks.....\n\n" + strings.Join(blocks, "") +
		fmt.Sprintf("11244 total locks, %d locks currently held\n", len(blocks))
}

// momentHeader is what a debugger prints of a target, some minutes after ten.
func momentHeader(base string, minutes, upMinutes int) string {
	return fmt.Sprintf("Windows 10 Kernel Version 19041 MP (8 procs) Free x64\nKernel base = 0xfffff800`%s PsLoadedModuleList = 0xfffff800`5be2a310\n"+
		"Debug session time: Mon Jan  4 10:%02d:12.345 2021 (UTC + 1:00)\nSystem Uptime: 0 days 3:%02d:02.345\n", base, minutes, upMinutes)
}

// TestALaterMomentTakesBack a deadlock only where the input tells that it is the same
// machine, later.
func TestALaterMomentTakesBack(t *testing.T) {
	const (
		ask, live = "2: kd> !locks\n", "lkd> !locks\n"
		letGo     = "2: kd> g\nBreak instruction exception - code 80000003 (first chance)\n"
	)
	crossed := heldList(heldBlock(momentR1, momentOne, momentTwo), heldBlock(momentR2, momentTwo, momentOne))
	moved := heldList(heldBlock(momentR1, momentTwo, ""))
	others := heldList(heldBlock(momentR3, momentThree, ""))
	none := heldList()
	oneOf := func(lock, block string) string {
		return "2: kd> !locks " + lock + "\n\n" + block + "1 total locks, 1 locks currently held\n"
	}
	head := momentHeader("5b200000", 1, 1)
	thread := func(addr, state string, switches int) string {
		return fmt.Sprintf("THREAD %s  Cid 0004.0104  Teb: 0000000000000000 Win32Thread: 0000000000000000 %s\nOwning Process            ffffe00100c85080       Image:         System\n"+
			"Wait Start TickCount      8999859       Ticks: %d (0:00:00:02.203)\nContext Switch Count      %d            IdealProcessor: 0             \n\n", addr, state, switches, switches)
	}
	const waits = "WAIT: (WrResource) KernelMode Non-Alertable"
	for _, tc := range []struct {
		name, text string
		want       string // of the first session
	}{
		{"let go, another owner", ask + crossed + letGo + ask + moved, "no-deadlock"},
		{"let go, nothing in common", ask + crossed + letGo + ask + others, "no-deadlock"},
		{"let go without a break-in printed", ask + crossed + "2: kd> g\n" + ask + others, "no-deadlock"},
		{"broken into", ask + crossed + "Break instruction exception - code 80000003 (first chance)\n" + ask + moved, "no-deadlock"},
		{"let go, no lock is held any more", ask + crossed + letGo + ask + none, "no-deadlock"},
		{"let go, and a stop", ask + crossed + "2: kd> g\n\n*** Fatal System Error: 0x000000e2\n" + ask + moved, "no-deadlock"},
		{"let go, one lock asked for", ask + crossed + letGo + oneOf(momentR1, heldBlock(momentR1, momentTwo, "")), "no-deadlock"},
		{"let go, one lock asked for, free", ask + crossed + letGo + "2: kd> !locks " + momentR1 + "\n\nResource @ 0x" + momentR1 + "    Available\n1 total locks\n", "no-deadlock"},
		{"let go, another lock asked for", ask + crossed + letGo + oneOf(momentR3, heldBlock(momentR3, momentThree, "")), "deadlock"},
		{"let go, the same lock asked for, the same", ask + crossed + letGo + oneOf(momentR1, heldBlock(momentR1, momentOne, momentTwo)), "deadlock"},
		{"let go, the same", ask + crossed + letGo + ask + crossed, "deadlock"},
		{"let go, more locks", ask + crossed + letGo + ask + heldList(heldBlock(momentR1, momentOne, momentTwo), heldBlock(momentR2, momentTwo, momentOne), heldBlock(momentR3, momentThree, "")), "deadlock"},
		{"let go, list cut before any lock", ask + crossed + letGo + ask + "**** DUMP OF ALL RESOURCE OBJECTS ****\nKD: Scanning for held locks.....\n", "deadlock"},
		{"let go, list cut behind another lock", ask + crossed + letGo + ask + strings.Split(others, "11244")[0], "deadlock"},
		{"let go, nothing that was read", ask + crossed + letGo + ask, "deadlock"},
		{"let go, but refused", ask + crossed + "2: kd> g\n       ^ No runnable debuggees error in 'g'\n" + ask + others, "deadlock"},
		{"let go, and another dump opened", ask + crossed + "2: kd> g\n2: kd> .opendump c:\\b.dmp\n" + ask + others, "deadlock"},
		{"let go, and connected to anew", ask + crossed + "2: kd> g\nConnected to Windows 10 19041 x64 target at (Mon Jan  4 10:30:12.345 2021 (UTC + 1:00)), ptr64 TRUE\n" + ask + others, "deadlock"},
		{"let go, and another debugger", ask + crossed + "2: kd> g\nMicrosoft (R) Windows Debugger Version 10.0.19041.1 AMD64\nLoading Dump File [C:\\B.DMP]\n" + ask + others, "deadlock"},
		{"let go, and down", ask + crossed + "2: kd> g\nShutdown occurred at (Mon Jan  4 10:30:12.345 2021 (UTC + 1:00))...unloading all symbol tables.\n" + ask + others, "deadlock"},
		{"let go, another dump opened, let go", ask + crossed + "2: kd> .opendump c:\\b.dmp\n" + letGo + ask + others, "deadlock"},
		{"let go twice", ask + crossed + letGo + "2: kd> vertarget\n" + letGo + ask + others, "no-deadlock"},
		{"booted anew", ask + crossed + "2: kd> .reboot\n" + ask + others, "deadlock"},

		{"live, nothing in common", live + crossed + live + others, "no-deadlock"},
		{"live, another owner", live + crossed + live + moved, "no-deadlock"},
		{"live, the same", live + crossed + live + crossed, "deadlock"},
		{"live, list cut", live + crossed + live + strings.Split(others, "11244")[0], "deadlock"},
		{"stopped, then live", ask + crossed + live + others, "deadlock"},
		{"live, then stopped", live + crossed + ask + others, "deadlock"},

		{"stopped, nothing in common", ask + crossed + ask + others, "deadlock"},
		{"stopped, no lock is held", ask + crossed + ask + none, "deadlock"},
		{"stopped, another owner: it ran", ask + crossed + ask + moved, "no-deadlock"},
		{"stopped, the same", ask + crossed + ask + crossed, "deadlock"},
		{"stopped, one address in common", ask + crossed + ask + heldList(heldBlock(momentR1, momentThree, "")), "deadlock"},

		{"same boot by the header, later", head + ask + crossed + "2: kd> g\n" + momentHeader("5b200000", 6, 6) + ask + others, "no-deadlock"},
		{"same boot by the header, later, not seen to be let go", head + ask + crossed + momentHeader("5b200000", 6, 6) + ask + others, "no-deadlock"},
		{"another kernel base", head + ask + crossed + momentHeader("77200000", 6, 6) + ask + others, "deadlock"},
		{"another boot, same kernel base", head + ask + crossed + momentHeader("5b200000", 30, 2) + ask + others, "deadlock"},
		{"let go, another kernel base", head + ask + crossed + "2: kd> g\n" + momentHeader("77200000", 6, 6) + ask + others, "deadlock"},
		{"the later one first", momentHeader("5b200000", 6, 6) + ask + crossed + head + ask + moved, "deadlock"},
		{"two logs of one moment, one damaged", head + ask + crossed + head + ask + strings.Replace(crossed, momentOne+"-01", momentThree+"-01", 1), "deadlock"},
		{"two logs of one moment, the first damaged", head + ask + strings.Replace(crossed, "11244", "112", 1) + head + ask + moved, "deadlock"},
		{"two logs of one moment", head + ask + crossed + head + ask + crossed, "deadlock"},

		{"let go, the threads have not left their waits", ask + crossed + thread(momentOne, waits, 7) + thread(momentTwo, waits, 8) + letGo + thread(momentOne, waits, 7) + thread(momentTwo, waits, 8) + ask + moved, "deadlock"},
	} {
		r := runText(t, []byte(tc.text))
		first := r.Verdict
		if len(r.Sessions) > 0 {
			first = r.Sessions[0].Verdict
		}
		if first.Kind != tc.want {
			t.Errorf("%s: %s: %s", tc.name, first.Kind, first.Summary)
		}
		checkTakenBack(t, tc.name, r)
	}
}

// TestLogsOfSeveralMoments are in the order of their clocks; the order in which files
// are named tells nothing.
func TestLogsOfSeveralMoments(t *testing.T) {
	crossed := heldList(heldBlock(momentR1, momentOne, momentTwo), heldBlock(momentR2, momentTwo, momentOne))
	moved := heldList(heldBlock(momentR1, momentTwo, ""))
	early, late := momentHeader("5b200000", 1, 1), momentHeader("5b200000", 6, 6)
	for _, tc := range []struct {
		name, a, b string
		taken      bool
	}{
		{"in order", early + "2: kd> !locks\n" + crossed, late + "2: kd> !locks\n" + moved, true},
		{"the later one named first", late + "2: kd> !locks\n" + moved, early + "2: kd> !locks\n" + crossed, true},
		{"formed since", early + "2: kd> !locks\n" + moved, late + "2: kd> !locks\n" + crossed, false},
		{"formed since, the later one named first", late + "2: kd> !locks\n" + crossed, early + "2: kd> !locks\n" + moved, false},
		{"nothing tells the order", "2: kd> !locks\n" + crossed, "2: kd> !locks\n" + moved, false},
		{"live, and nothing tells that it is one machine", "lkd> !locks\n" + crossed, "lkd> !locks\n" + moved, false},
		{"another machine", early + "2: kd> !locks\n" + crossed, momentHeader("77200000", 6, 6) + "2: kd> !locks\n" + moved, false},
	} {
		r, err := inspect.Run(context.Background(), []inspect.Input{inspect.Bytes("a.log", []byte(tc.a)), inspect.Bytes("b.log", []byte(tc.b))}, inspect.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]string{true: "no-deadlock", false: "deadlock"}[tc.taken]; r.Verdict.Kind != want {
			t.Errorf("%s: %s: %s", tc.name, r.Verdict.Kind, r.Verdict.Summary)
		}
		checkTakenBack(t, tc.name, r)
	}
}

// checkTakenBack holds what is said of findings that were taken back.
func checkTakenBack(t *testing.T, name string, r *report.Report) {
	t.Helper()
	for _, f := range r.Findings {
		if f.ID != "deadlock-cycle" {
			continue
		}
		restart, same := strings.Contains(f.Remedy, "Only a restart"), strings.Contains(f.Explanation, "That it is the same machine, later, follows from this: ")
		if gone := f.Kind == "no-deadlock"; gone != same || gone == restart || gone != strings.HasPrefix(f.Summary, "No deadlock: a later moment in the input (session ") {
			t.Errorf("%s: %s: %s; remedy %s", name, f.Kind, f.Summary, f.Remedy)
		}
	}
}

// TestASecondListThatIsCutTakesNothingBack: a deadlock stands at both moments, of
// which the second is cut off at any place.
func TestASecondListThatIsCutTakesNothingBack(t *testing.T) {
	t.Parallel()
	for i, d := range dialects {
		for _, header := range []bool{true, false} {
			p := newPair(uint64(i), d, 30)
			p.cycle[0].where = inProcess
			first, second := twoMoments(p, styles[0], header)
			list := len(p.header()) + len(p.sections(styles[0])[0])
			for n := i; n < min(len(second), list+3000); n += 131 {
				r := runText(t, []byte(first+"kd> g\nBreak instruction exception - code 80000003 (first chance)\n"+second[:n]))
				if r.Verdict.Kind != "deadlock" {
					t.Fatalf("%s, header %v, cut at %d: %s: %s", d.name, header, n, r.Verdict.Kind, r.Verdict.Summary)
				}
			}
		}
	}
}

// TestTheDeadlockThatWentIsTakenBack: analyze and compare agree about a log of two
// moments.
func TestTheDeadlockThatWentIsTakenBack(t *testing.T) {
	t.Parallel()
	for i, d := range dialects {
		for _, between := range []string{"kd> g\nBreak instruction exception - code 80000003 (first chance)\n", ""} {
			p := barePair(uint64(i), d).fill(40)
			p.brieflyCrossed()
			first, second := twoMoments(p, styles[i%3], i%2 == 0)
			text := first + between + second
			r := runText(t, []byte(text))
			if r.Verdict.Kind == "deadlock" || len(r.Sessions) != 2 || !strings.Contains(r.Sessions[0].Verdict.Summary, "shows that it has ended") {
				t.Errorf("%s: %+v, sessions %+v", d.name, r.Verdict, r.Sessions)
			}
			if f := comparedFinding(compareTexts(t, text), p.brief); f.Fate != "dissolved" {
				t.Errorf("%s: compare: %s: %s", d.name, f.Fate, f.Why)
			}
		}
	}
}
