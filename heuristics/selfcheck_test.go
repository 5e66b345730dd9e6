package heuristics

import (
	"fmt"
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/waitgraph"
)

const (
	one, two = "fffffa8016910b60", "fffffa8016920b60"
	lockA    = "fffffa8011ef1de8"
	lockB    = "fffffa8011ef2de8"
)

// held is a block of !locks, with further entries in its list of owners.
func held(lock, owner, waiter, more string) string {
	return fmt.Sprintf("Resource @ 0x%s    Exclusively owned\n    NumberOfExclusiveWaiters = 1\n     Threads: %s-01<*>\n%s     Threads Waiting On Exclusive Access:\n              %s\n", lock, owner, more, waiter)
}

func block(addr, words string) string {
	return "THREAD " + addr + "  Cid 0004.0100  Teb: 0 Win32Thread: 0 " + words + "\nNot impersonating\n\n"
}

const (
	waits2   = "WAIT: (WrResource) KernelMode Non-Alertable"
	theCycle = "deadlock-cycle"
)

// TestSelfChecksLower says for each check what it takes from a deadlock of two
// threads, and what it leaves.
func TestSelfChecksLower(t *testing.T) {
	abba := held(lockA, one, two, "") + held(lockB, two, one, "")
	for _, tc := range []struct {
		name, text    string
		id            kd.SelfCheck
		before, after waitgraph.Grade
		confidence    Confidence // what is left
		lowers        bool       // any finding rests on it at all
	}{
		{"nothing", abba, kd.MarksFit, waitgraph.A, waitgraph.A, Certain, false},
		{"marks that had to be reconciled", "0: kd> !locks\n" + strings.Replace(held(lockA, one, two, "              fffffa8016990b60-01<*>\n"), "    NumberOfExclusive", "    NumberOfSharedWaiters = 1\n    NumberOfExclusive", 1) + held(lockB, two, one, ""), kd.MarksFit, waitgraph.A, waitgraph.C, VeryLikely, true},
		{"a waiter that is announced beside", held(lockA, one, two, "") + strings.Replace(held(lockB, two, one, ""), "Waiters = 1", "Waiters = 2", 1), kd.CountsFit, waitgraph.A, waitgraph.A, Certain, true},
		{"an address cut in two", held(lockA, "fffffa801691\n0b60", two, "") + held(lockB, two, one, ""), kd.TextWhole, waitgraph.A, waitgraph.C, VeryLikely, true},
		{"a thread that is a process", abba + "PROCESS " + two + "\n    SessionId: none  Cid: 0004    Peb: 00000000  ParentCid: 0000\n    Image: System\n", kd.OneRole, waitgraph.A, waitgraph.D, Possible, true},
		{"a process that is none of them", abba + "PROCESS fffffa8016990b60\n    SessionId: none  Cid: 0004    Peb: 00000000  ParentCid: 0000\n    Image: System\n", kd.OneRole, waitgraph.A, waitgraph.A, Certain, false},
		{"a thread printed in two states", abba + block(one, waits2) + block(one, "WAIT: (Executive) KernelMode Non-Alertable"), kd.OneMoment, waitgraph.A, waitgraph.D, Possible, true},
		{"a state that could not be read", abba + block(one, "SLUMBER"), kd.ThreadsRead, waitgraph.A, waitgraph.D, Possible, true},
		{"a machine that ran on", "lkd> !locks " + lockA + "\n" + held(lockA, one, two, "") + "1 total locks, 1 locks currently held\nlkd> !locks " + lockB + "\n" + held(lockB, two, one, "") + "1 total locks, 1 locks currently held\n", kd.OneMoment, waitgraph.A, waitgraph.B, VeryLikely, true},
		{"a live machine asked once", "lkd> !locks\n" + abba + "2 total locks, 2 locks currently held\n", kd.OneMoment, waitgraph.A, waitgraph.B, VeryLikely, true},
		{"a thread in two lists", abba + held("fffffa8011ef3de8", "fffffa8016990b60", one, ""), kd.WaitersAgree, waitgraph.A, waitgraph.D, Possible, true},
	} {
		j := judged(t, tc.text)
		c := selfCheckOf(t, &j, tc.id)
		f := j.Findings[0]
		if f.Check.ID != theCycle || f.Grade != tc.after || f.Confidence != tc.confidence {
			t.Errorf("%s: %s, grade %s, %s", tc.name, f.Check.ID, f.Grade, f.Confidence)
			continue
		}
		if !tc.lowers {
			if len(c.Lowers) > 0 {
				t.Errorf("%s: lowers %+v", tc.name, c.Lowers)
			}
			continue
		}
		if len(c.Lowers) == 0 || c.Lowers[0].Finding != 0 {
			t.Errorf("%s: lowers %+v", tc.name, c.Lowers)
			continue
		}
		l := c.Lowers[0]
		if l.GradeBefore != tc.before || l.Grade != tc.after || l.Confidence != tc.confidence || l.Why == "" {
			t.Errorf("%s: %+v", tc.name, l)
		}
		if before := confidenceOf(tc.before); l.ConfidenceBefore != before {
			t.Errorf("%s: was %s, want %s", tc.name, l.ConfidenceBefore, before)
		}
	}
}

func selfCheckOf(t *testing.T, j *Judgement, id kd.SelfCheck) *SelfCheck {
	t.Helper()
	for i := range j.SelfChecks {
		if j.SelfChecks[i].ID == id {
			return &j.SelfChecks[i]
		}
	}
	t.Fatalf("no check %s", id)
	return nil
}

// TestWaitersAgree: what a list and the thread's own block say of it.
func TestWaitersAgree(t *testing.T) {
	list := held(lockA, one, two, "")
	starve := strings.Replace(held(lockA, one, "fffffa8016990b60", "              "+two+"-01\n"), "    Number", "    NumberOfSharedWaiters = 1\n    Number", 1)
	starve = strings.Replace(starve, "Exclusively owned", "Shared 1 owning threads", 1)
	passes := block(two, waits2) + "Child-SP          RetAddr           Call Site\nfffff880`07fab3e0 fffff800`0228da52 nt!ExpWaitForResource+0x7a\nfffff880`07fab7c0 fffff800`025796e6 nt!ExAcquireSharedStarveExclusive+0xaf\n"
	passes = strings.Replace(passes, "Not impersonating\n\n", "Not impersonating\n", 1)
	for _, tc := range []struct {
		name, text string
		want       snapshot.Result
		limit      snapshot.Limit
	}{
		{"it runs", list + block(two, "RUNNING on processor 1"), snapshot.Failed, snapshot.Unused},
		{"it waits in two lists", list + held(lockB, "fffffa8016990b60", two, "") + block(two, waits2), snapshot.Failed, snapshot.Associated},
		{"it owns what it waits for", held(lockA, two, two, "") + block(two, waits2), snapshot.Failed, snapshot.Unused},
		{"it waits", list + block(two, waits2), snapshot.Passed, 0},
		{"it passes those queued", starve + passes, snapshot.Passed, 0},
		{"it is not printed", list, snapshot.NotCheckable, 0},
	} {
		j := judged(t, tc.text)
		c := selfCheckOf(t, &j, kd.WaitersAgree)
		if c.Result != tc.want {
			t.Errorf("%s: %s: %+v", tc.name, c.Result, c.SelfCheck)
			continue
		}
		if c.Result == snapshot.Failed && (len(c.Touched) == 0 || c.Touched[0].Limit != tc.limit) {
			t.Errorf("%s: touches %+v", tc.name, c.Touched)
		}
	}
}

// TestToolsAgree: mex shows a waiter that !locks neither lists nor counts.
func TestToolsAgree(t *testing.T) {
	list := "0: kd> !locks\nResource @ 0x" + lockA + "    Exclusively owned\n     Threads: " + one + "-01<*>\n1 total locks, 1 locks currently held\n"
	mex := `0: kd> !mex.t ` + two + `
Process                   Thread                       CID       UserTime KernelTime ContextSwitches Wait Reason   Time State
System (ffffdf9a85882040) ` + two + ` (E|K|W|R|V) 4.3304           0          0              18 WrResource  3s.218 Waiting

# Child-SP         Return           Call Site                               Info                                                                             Source
0 ffffdca3ae30edd0 fffff81af0a0c800 nt!KiSwapContext+0x76
1 ffffdca3ae30f1d0 fffff81aed7013c4 nt!ExAcquireResourceExclusiveLite+0x1fe Thread: ` + one + ` (System) exclusive owner of EResource: ` + lockA + `
`
	j := judged(t, list+mex)
	if c := selfCheckOf(t, &j, kd.ToolsAgree); c.Result != snapshot.Failed || c.Count != 1 {
		t.Errorf("%+v", c.SelfCheck)
	}
	j = judged(t, "0: kd> !locks\n"+held(lockA, one, two, "")+"1 total locks, 1 locks currently held\n"+mex)
	if c := selfCheckOf(t, &j, kd.ToolsAgree); c.Result != snapshot.Passed {
		t.Errorf("%+v", c.SelfCheck)
	}
}

// TestTwoRolesDecideNothing: an owner that ended, unless it is no thread.
func TestTwoRolesDecideNothing(t *testing.T) {
	text := "0: kd> !locks\n" + held(lockA, one, two, "") + "1 total locks, 1 locks currently held\n" + block(one, "TERMINATED")
	if j := judged(t, text); j.Verdict.Kind != OrphanedLock {
		t.Fatalf("%+v", j.Verdict)
	}
	j := judged(t, text+"PROCESS "+one+"\n    SessionId: none  Cid: 0004    Peb: 00000000  ParentCid: 0000\n    Image: System\n")
	if j.Verdict.Kind != Undecided || !j.Undecided || !strings.Contains(j.Verdict.Summary, "!pool "+one) {
		t.Errorf("%+v", j.Verdict)
	}
}
