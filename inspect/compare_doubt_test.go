package inspect_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kdlocks/report"
)

// shownPair is a pair whose cycle is printed with its threads.
func shownPair(seed uint64, d dialect) *pair {
	p := newPair(seed, d, 60)
	for _, t := range p.cycle {
		t.where = inProcess
	}
	return p
}

// locksOfCycle are those that the threads of the cycle own.
func (p *pair) locksOfCycle() []*resource {
	var out []*resource
	for _, r := range p.locks {
		if slices.ContainsFunc(r.owners, func(o owner) bool { return slices.Contains(p.cycle, o.thread) }) {
			out = append(out, r)
		}
	}
	return out
}

// TestAWaitThatIsBegunAnewDissolvesNothing: a listed waiter is ready or runs for a
// moment. With the wait on its stack it still waits; without a stack nothing tells.
func TestAWaitThatIsBegunAnewDissolvesNothing(t *testing.T) {
	t.Parallel()
	for i, d := range dialects {
		for _, state := range []string{"running", "ready", "standby", "deferred-ready"} {
			for _, stack := range []bool{true, false} {
				for _, ran := range []int64{0, 60} {
					p := shownPair(uint64(i), d)
					first := p.print(styles[0], true)
					p.goOn()
					th := p.cycle[0]
					th.state, th.reason, th.mode, th.objects, th.processor = state, "", "", nil, 2
					th.switches += ran - p.span/(4*perSecond)
					if !stack {
						th.frames = nil
					}
					second := p.print(styles[0], true)
					alone := runText(t, []byte(second)).Verdict.Kind
					c := compareTexts(t, first, second)
					f := comparedFinding(c, p.cycle)
					name := []any{d.name, state, stack, ran, f.Fate, f.Confidence, f.Why, alone}
					switch {
					case f.Fate == "frozen" && stack && f.Stands && f.Confidence == "very-likely" && c.Verdict.Kind == "deadlock":
					case f.Fate == "not confirmed" && !stack && c.Undecided && c.Verdict.Kind == "undecided" && alone != "deadlock":
					default:
						t.Error(name...)
					}
				}
			}
		}
	}
}

// TestACycleWhoseLocksMoveIsNotFrozen: the contention counts tell of waits that
// have ended, while the lists show the same.
func TestACycleWhoseLocksMoveIsNotFrozen(t *testing.T) {
	t.Parallel()
	for i, d := range dialects {
		for _, st := range []style{styles[0], styles[4]} {
			for _, rose := range []int{6, 90_000} {
				p := newPair(uint64(i), d, 60)
				for _, r := range p.locksOfCycle() {
					r.contention = 9
				}
				first := p.sections(st)[0]
				p.goOn()
				for _, r := range p.locksOfCycle() {
					r.contention += rose
				}
				c := compareTexts(t, first, p.sections(st)[0])
				checkMoved(t, d.name+" "+st.name+", lists", c, p, st)

				p = shownPair(uint64(i), d)
				first = p.print(st, true)
				p.goOn()
				for _, r := range p.locksOfCycle() {
					r.contention += rose
				}
				for _, th := range p.cycle {
					th.switches += 70_000
				}
				c = compareTexts(t, first, p.print(st, true))
				checkMoved(t, d.name+" "+st.name+", threads", c, p, st)
			}
		}
	}
}

func checkMoved(t *testing.T, name string, c *report.Comparison, p *pair, st style) {
	t.Helper()
	f := comparedFinding(c, p.cycle)
	live := strings.HasPrefix(st.prompt, "lkd")
	switch {
	case !strings.Contains(f.Why, " moves ("):
	case live && f.Fate == "not confirmed" && !f.Stands && c.Verdict.Kind == "undecided" && c.Undecided:
		return
	case !live && f.Fate == "contradicted" && f.Confidence == "very-likely" && c.Verdict.Kind == "deadlock" && c.Verdict.Confidence == "very-likely":
		return
	}
	t.Errorf("%s: %s, %s: %s; verdict %+v", name, f.Fate, f.Confidence, f.Why, c.Verdict)
}

// TestThreadsThatNeverLeftTheirWaitsDissolveNothing: a list shows another owner, or
// no lock at all, but who waits has not run.
func TestThreadsThatNeverLeftTheirWaitsDissolveNothing(t *testing.T) {
	t.Parallel()
	for i, d := range dialects {
		for _, free := range []bool{false, true} {
			for _, ran := range []int64{0, 400} {
				p := shownPair(uint64(i), d)
				first := p.print(styles[0], true)
				before := make(map[*thread]thread)
				for _, th := range p.cycle {
					before[th] = *th
				}
				p.goOn()
				for _, th := range p.cycle {
					th.switches, th.start = before[th].switches+ran, before[th].start
					th.ticks = p.now - th.start
				}
				r := p.locksOfCycle()[0]
				if free {
					p.locks = slices.DeleteFunc(p.locks, func(o *resource) bool { return o == r })
				} else {
					r.owners = nil
					p.own(r, p.thread())
				}
				second := p.print(styles[0], true)
				c := compareTexts(t, first, second)
				f := comparedFinding(c, p.cycle)
				switch {
				case ran == 0 && f.Fate == "not confirmed" && strings.Contains(f.Why, "contradict each other") && c.Undecided && c.Verdict.Kind == "undecided":
				case ran > 0 && f.Fate == "dissolved":
				default:
					t.Errorf("%s, free %v, ran %d: %s: %s; verdict %+v", d.name, free, ran, f.Fate, f.Why, c.Verdict)
				}
			}
		}
	}
}

// TestAnOrphanedLockWhoseOwnerLives: whoever runs has not terminated.
func TestAnOrphanedLockWhoseOwnerLives(t *testing.T) {
	for i, d := range dialects {
		p := barePair(uint64(i), d)
		plantTerminated(p.world)
		p.fill(40)
		first := p.print(styles[0], true)
		p.goOn()
		dead := p.want[0].threads[0]
		p.runs(dead)
		second := p.print(styles[0], true)
		c := compareTexts(t, first, second)
		if f := comparedFinding(c, p.want[0].threads); f.Fate != "dissolved" || f.Stands || !strings.Contains(f.Why, "has not terminated") || c.Verdict.Kind == "orphaned-lock" {
			t.Errorf("%s: %s: %s, verdict %+v", d.name, f.Fate, f.Why, c.Verdict)
		}
	}
}

// TestAClockThatWasSetIsNoOtherBoot: session time less uptime differs, all else
// goes on.
func TestAClockThatWasSetIsNoOtherBoot(t *testing.T) {
	t.Parallel()
	for i, d := range dialects {
		for _, tc := range []struct {
			name, old, set string
			lists          bool // no threads
			compared       bool
		}{
			{"by an hour", "(UTC + 1:00)", "(UTC + 2:00)", false, true},
			{"by an hour, back", "(UTC + 1:00)", "(UTC + 0:00)", false, true},
			{"by longer than it was up", " 2026 (", " 2027 (", false, false},
			{"by an hour, another kernel base", "(UTC + 1:00)", "(UTC + 2:00)", false, false},
			{"by an hour, no threads", "(UTC + 1:00)", "(UTC + 2:00)", true, false},
		} {
			p := newPair(uint64(i), d, 80)
			first := p.header() + strings.Join(p.sections(styles[0]), "")
			if tc.lists {
				first = p.header() + p.sections(styles[0])[0]
			}
			p.goOn()
			if strings.Contains(tc.name, "kernel base") {
				p.base = "6c000000"
			}
			second := strings.Replace(p.header(), tc.old, tc.set, 1) + strings.Join(p.sections(styles[0]), "")
			c := compareTexts(t, first, second)
			said := slices.ContainsFunc(c.Notes, func(n string) bool { return strings.Contains(n, "clock of the machine was set") })
			switch {
			case tc.compared && len(c.Captures) == 2 && said:
				checkPair(t, p, c)
			case !tc.compared && len(c.Captures) == 1 && len(c.Refused) == 1:
			default:
				t.Errorf("%s, %s: %d captures, refused %+v, notes %v", d.name, tc.name, len(c.Captures), c.Refused, c.Notes)
			}
		}
	}
}

// TestACaptureWithoutLocksAndThreads belongs to the boot of its header: a whole
// list frees all locks, one that was cut tells nothing.
func TestACaptureWithoutLocksAndThreads(t *testing.T) {
	t.Parallel()
	const list = "kd> !locks\n**** DUMP OF ALL RESOURCE OBJECTS ****\nKD: Scanning for held locks..\n\n"
	const none = "KD: Scanning for held locks..\n5000 total locks, 0 locks currently held\n"
	for i, d := range dialects {
		for want, text := range map[string]string{"dissolved": list + none, "not confirmed": list, "not there": ""} {
			p := newPair(uint64(i), d, 60)
			first := p.print(styles[0], true)
			p.goOn()
			header := p.header()
			if text == "" {
				p.base, text = "6c000000", list+none
				header = p.header()
			}
			c := compareTexts(t, first, header+text)
			f, l := comparedFinding(c, p.cycle), comparedLock(c, p.grows)
			switch {
			case f.Fate != want || want == "not confirmed" != (want != "not there" && c.Undecided):
				t.Errorf("%s: %s: %s, want %s; verdict %+v, refused %+v", d.name, f.Fate, f.Why, want, c.Verdict, c.Refused)
			case want == "dissolved" && (l.State != "freed" || c.Verdict.Kind != "no-deadlock"), want == "not confirmed" && l.State != "cannot tell":
				t.Errorf("%s: lock %s: %s; verdict %+v", d.name, l.State, l.Why, c.Verdict)
			}
		}
	}
}

// TestALockThatChangedHandsWithoutContention is not said to have contentions.
func TestALockThatChangedHandsWithoutContention(t *testing.T) {
	p := barePair(3, dialects[4])
	p.addConvoy()
	p.fill(60)
	first := p.print(styles[0], true)
	p.goOn()
	p.convoy.contention -= 90_000
	c := compareTexts(t, first, p.print(styles[0], true))
	if c.Verdict.Kind != "contention" || strings.Contains(c.Verdict.Summary, "0 contentions") || !strings.Contains(c.Verdict.Summary, "changes hands (it has another owner)") {
		t.Errorf("verdict %+v", c.Verdict)
	}
}

// TestAWaitForAMutantIsNotBegunAnew: who waits for an ERESOURCE wakes up every few
// seconds and has not left it; who waits for a mutant and ran was woken.
func TestAWaitForAMutantIsNotBegunAnew(t *testing.T) {
	print := func(prompt string, minutes int, mutant, lock int64, owner string) string {
		block := func(addr, cid, wait, object string, start, switches int64) string {
			return fmt.Sprintf("%s !thread %s\nTHREAD %[2]s  Cid %s  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT: (%s) KernelMode Non-Alertable\n    %s\n"+
				"Owning Process            ffffe00100bd1080       Image:         a.exe\nWait Start TickCount      %d       Ticks: 141 (0:00:00:02.203)\n"+
				"Context Switch Count      %d            IdealProcessor: 0             \n\n", prompt, addr, cid, wait, object, start, switches)
		}
		tick := int64(9_000_000 + minutes*60*64)
		began := int64(8_999_000)
		if mutant > 50 {
			began = tick - 141
		}
		mutantBlock := block(momentOne, "0a10.0a14", "UserRequest", "ffffe00112345670  Mutant - owning thread "+owner, began, mutant)
		return momentHeader("5b200000", minutes, minutes) + prompt + " !locks\n" + heldList(heldBlock(momentR1, momentOne, momentTwo)) +
			strings.Replace(mutantBlock, "Ticks: 141", fmt.Sprintf("Ticks: %d", tick-began), 1) +
			block(momentTwo, "0b10.0b14", "WrResource", "ffffe00112345640  SynchronizationEvent", tick-141, lock)
	}
	for _, tc := range []struct {
		name, prompt     string
		mutant, lock     int64 // context switches of the second capture
		owner            string
		fate, confidence string
	}{
		{"neither ran but to wait for the ERESOURCE anew", "2: kd>", 50, 63, momentTwo, "frozen", "certain"},
		{"who waits for the mutant ran once", "2: kd>", 51, 63, momentTwo, "frozen", "very-likely"},
		{"who waits for the mutant ran as often as a wait for an ERESOURCE is begun anew", "2: kd>", 90, 63, momentTwo, "frozen", "very-likely"},
		{"live, who waits for the mutant ran once", "lkd>", 51, 63, momentTwo, "not confirmed", "possible"},
		{"live, neither ran", "lkd>", 50, 63, momentTwo, "frozen", "certain"},
		{"the mutant has another owner", "2: kd>", 51, 63, momentThree, "dissolved", "very-likely"},
	} {
		c := compareTexts(t, print(tc.prompt, 1, 50, 60, momentTwo), print(tc.prompt, 6, tc.mutant, tc.lock, tc.owner))
		if len(c.Findings) == 0 {
			t.Errorf("%s: %+v, refused %+v", tc.name, c.Verdict, c.Refused)
			continue
		}
		if f := c.Findings[0]; f.Fate != tc.fate || f.Confidence != tc.confidence {
			t.Errorf("%s: %s, %s: %s", tc.name, f.Fate, f.Confidence, f.Why)
		}
		checkAgreement(t, tc.name, c)
	}
}

// checkAgreement: the verdict and the finding that it rests on are as sure as each
// other, in words too.
func checkAgreement(t *testing.T, name string, c *report.Comparison) {
	t.Helper()
	f := c.Findings[0]
	if !f.Stands || c.Verdict.Kind != "deadlock" {
		return
	}
	likely := strings.Contains(f.Summary, "very likely")
	if c.Verdict.Confidence != f.Confidence || likely != (f.Confidence == "very-likely") || !strings.Contains(c.Verdict.Summary, f.Summary) {
		t.Errorf("%s: %s: %s; the finding %s: %s", name, c.Verdict.Confidence, c.Verdict.Summary, f.Confidence, f.Summary)
	}
}

// TestACountThatFell says nothing where the CID is the same: neither that the thread is
// another, nor that it has not run.
func TestACountThatFell(t *testing.T) {
	t.Parallel()
	for i, d := range dialects {
		p := shownPair(uint64(i), d)
		first := p.print(styles[0], true)
		p.goOn()
		p.cycle[0].switches = 1
		c := compareTexts(t, first, p.print(styles[0], true))
		f := comparedFinding(c, p.cycle)
		if f.Fate != "frozen" || f.Confidence != "very-likely" || !strings.Contains(f.Why, "fell in between") || c.Verdict.Confidence != "very-likely" {
			t.Errorf("%s: %s, %s: %s; %+v", d.name, f.Fate, f.Confidence, f.Why, c.Verdict)
		}
	}
}
