package threads_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/threads"
)

// notesOf reads the output of a command, "" if none was typed, and returns the
// notes with their lines.
func notesOf(command, text string) []string {
	var r threads.Reader
	r.Prompt(false)
	r.Typed(command, kd.Ref{})
	for _, l := range kd.Lines(text) {
		r.Line(l)
	}
	r.End()
	var out []string
	for _, n := range r.Done().Notes {
		out = append(out, fmt.Sprintf("%d %s", n.At.Line, n.Text))
	}
	return out
}

const (
	stacksHead = "Proc.Thread  .Thread  Ticks   ThreadState Blocker\n                            [fffffa80018c8740 System]\n"
	stacksRow  = "   4.000100  fffffa8016910b60 0004d63 Blocked    nt!KiSwapContext+0x76\n                                        nt!KiSwapThread+0x500\n"
	masks      = "System Processors:  (000000000000000f)\n  Idle Processors:  (0000000000000002)\n"
	rowHead    = "       Prcbs             Current         (pri) Next            (pri) Idle\n"
	rowOf0     = "  0    fffff80301a4f180  ffff9e0faf8c4080 (15)                       fffff80301c4a400  ................\n"
	rowOf2     = "  2    fffff80301a6f180  ffff9e0faf8c5080 (15)                       fffff80301c6a400  ................\n"
	rowOf3     = "  3    fffff80301a7f180  ffff9e0faf8c6080 (15)                       fffff80301c7a400  ................\n"
	mexRows    = "Process PID Thread             Id State        Time Reason\n======= === ================ ==== ======= ========= ==========\nSystem    4 ffff9bb88c60f040 26a4 Waiting 4m:03.203 WrPushLock\n"
	mexStack   = "    fffff836650201c6 nt!KiSwapContext+0x76\n    fffff83670ff1230 TestDriver!FileCreationThread+0x150\n"
)

func TestCounts(t *testing.T) {
	for _, tc := range []struct {
		name, command, text string
		want                []string
	}{
		{"stacks cut", "!stacks 2", stacksHead + stacksRow + "Threads Processed: 871\n", []string{"5 !stacks counts 871 threads, listed: 1"}},
		{"stacks elided", "!stacks 1", stacksHead + stacksRow + ".....\n" + stacksRow + "Threads Processed: 871\n", []string{"8 !stacks counts 871 threads, listed: 2"}},
		{"more rows than threads", "!stacks", stacksHead + stacksRow + stacksRow + "Threads Processed: 1\n", []string{"7 !stacks counts 1 thread, listed: 2"}},
		{"more rows than threads, nothing typed", "", stacksHead + stacksRow + stacksRow + "Threads Processed: 1\n", []string{"7 !stacks counts 1 thread, listed: 2"}},
		{"rows of processors missing", "!running", masks + rowHead + rowOf0, []string{"1 !running has masks of 3 processors that are not idle, listed: 1 before the text ends"}},
		{"rows missing, other output behind", "", masks + rowHead + rowOf0 + "\n" + masks + rowHead + rowOf0 + rowOf2 + rowOf3, []string{"1 !running has masks of 3 processors that are not idle, listed: 1"}},
		{"idle ones asked for", "!running -it", masks + rowHead + rowOf0 + rowOf2 + rowOf3, []string{"1 !running has masks of 4 processors, listed: 3 before the text ends"}},
		{"more rows than processors", "!running", "System Processors:  (0000000000000001)\nIdle Processors:  (0000000000000000)\n" + rowHead + rowOf0 + rowOf2, []string{"1 !running has a mask of 1 processor, listed: 2"}},
		{"masks of two groups", "!running -i", "System Processors:  (0000000000000003) (0000000000000003)\nIdle Processors:  (0000000000000000) (0000000000000000)\n" + rowHead + rowOf0 + rowOf2 + rowOf3, []string{"1 !running has masks of 4 processors, listed: 3 before the text ends"}},
		{"mex list", "!mex.lt", mexRows + "\nThread Count: 4\n", []string{"5 the table of mex counts 4 threads, listed: 1"}},
		{"mex table", "", mexRows + "Count: 1,204 | Show Unique Stacks\n", []string{"4 the table of mex counts 1204 threads, listed: 1"}},
		{"mex stacks", "!mex.us", "1 thread [stats]: ffff9bb8871c0580\n" + mexStack + "\n2 stack(s) with 3 threads displayed (5 Total threads)\n", []string{"5 !mex.us counts 2 stacks, listed: 1", "5 !mex.us counts 3 threads, listed: 1"}},
		{"mex stacks with a filter", "!us -k ndis!", "1 thread [stats]: ffff9bb8871c0580\n" + mexStack + "\nThreads matching filter: 16 out of 1228\n", []string{"5 !mex.us counts 16 threads, listed: 1"}},
		{"mex stack", "!mex.us", "3 threads [stats]: ffff9bb8871c0580 ffff9bb8871c1580\n" + mexStack, []string{"1 !mex.us announces 3 threads, listed: 2"}},
		{"order of locks", "!deadlock", "Deadlock detected (2 resources in 3 threads):\n" + strings.SplitN(short, "\n", 2)[1], []string{"1 !deadlock announces 2 locks in 3 threads, listed: 2 in 2 before the text ends"}},
		{"matching frames", "!findstack X 2", "Thread ffffac48b8a72040, 3 frame(s) match\n* 06 fffff880`07fab5b0 fffff800`0224ec9e X!Y+0xf2\nTHREAD fffffa8016910b60  Cid 0004.0100\n", []string{"1 !findstack announces 3 frames that match and marks 1"}},
	} {
		if got := notesOf(tc.command, tc.text); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: %q", tc.name, got)
		}
	}
}

// TestCountsNearMisses: numbers that fit, or that cannot be compared.
func TestCountsNearMisses(t *testing.T) {
	for _, tc := range []struct{ name, command, text string }{
		{"stacks", "!stacks 2", stacksHead + stacksRow + "Threads Processed: 1\n"},
		{"a summary leaves threads out", "!stacks", stacksHead + stacksRow + "Threads Processed: 871\n"},
		{"detail 0", "!stacks 0", stacksHead + stacksRow + "Threads Processed: 871\n"},
		{"a filter", "!stacks 2 mydrv", stacksHead + stacksRow + "Threads Processed: 871\n"},
		{"nothing typed", "", stacksHead + stacksRow + "Threads Processed: 871\n"},
		{"several commands typed", "!stacks 2; !stacks 0", stacksHead + stacksRow + "Threads Processed: 871\n"},
		{"no column heads", "!stacks 2", stacksRow + stacksRow + "Threads Processed: 1\n"},
		{"a second table without heads", "", stacksHead + stacksRow + "Threads Processed: 1\n" + stacksRow + stacksRow + "Threads Processed: 1\n"},
		{"two tables", "", stacksHead + stacksRow + stacksHead + stacksRow + "Threads Processed: 1\n"},
		{"a row that is not understood", "!stacks 2", stacksHead + stacksRow + "   4.000104  fffffa80 Blocked\nThreads Processed: 2\n"},
		{"a thread object that is gone", "!stacks 2", stacksHead + stacksRow + " a1c.------  NO ETHREAD DATA\nThreads Processed: 2\n"},
		{"no number", "!stacks 2", stacksHead + stacksRow + "Threads Processed: 0x871\n"},
		{"more behind the number", "!stacks 2", stacksHead + stacksRow + "Threads Processed: 8 71\n"},
		{"processors", "!running", masks + rowHead + rowOf0 + rowOf2 + rowOf3},
		{"idle ones are not shown", "!running -t", masks + rowHead + rowOf0 + rowOf2 + rowOf3},
		{"no mask of idle ones", "!running", "System Processors:  (000000000000000f)\n" + rowHead + rowOf0},
		{"a mask that lost digits", "!running", "System Processors:  (00000000000000f\n" + rowHead + rowOf0},
		{"an idle mask that lost digits", "!running", "System Processors:  (000000000000000f)\n  Idle Processors:  (00000000000\n" + rowHead + rowOf0},
		{"no masks", "!running -i", rowHead + rowOf0},
		{"a row of a processor that is not understood", "!running", masks + rowHead + rowOf0 + rowOf2 + "  3    fffff80301\n"},
		{"mex list", "", mexRows + "Thread Count: 1\n"},
		{"a number without a table", "", "Thread Count: 4\nCount: 4\n"},
		{"prose", "", mexRows + "Count: 4 threads\nThread Count: none\n"},
		{"a row of mex that is not understood", "", mexRows + "System 4 ffff9b\nThread Count: 2\n"},
		{"mex abbreviates", "", "4 threads [stats]: ffff9bb8871c0580 ffff9bb8871c1580 ...\n" + mexStack + "1 stack(s) with 4 threads displayed (9 Total threads)\n"},
		{"mex abbreviates on a line of its own", "", "4 threads [stats]: ffff9bb8871c0580\nffff9bb8871c1580 …\n" + mexStack + "1 stack(s) with 4 threads displayed (9 Total threads)\n"},
		{"list of mex wrapped inside an address", "", "6 threads [stats]: ffff9bb8871c0580 ffff9bb8871c1580 ffff9b\nb8871c2580 ffff9bb8871c3580 ffff9bb8871c4580 ffff9bb8871c5580\n" + mexStack + "1 stack(s) with 6 threads displayed (9 Total threads)\n"},
		{"list of mex wrapped into halves of an address", "", "3 threads [stats]: ffff9bb8871c0580 ffff9bb8\n871c1580 ffff9bb8871c2580\n" + mexStack + "1 stack(s) with 3 threads displayed (9 Total threads)\n"},
		{"list of mex wrapped between addresses", "", "3 threads [stats]: ffff9bb8871c0580\nffff9bb8871c1580 ffff9bb8871c2580\n" + mexStack + "1 stack(s) with 3 threads displayed (9 Total threads)\n"},
		{"mex does not display all", "", "1 thread [stats]: ffff9bb8871c0580\n" + mexStack + "1 stack(s) with 1 thread displayed (5 Total threads)\n1 stack(s) were not displayed because we could not switch to thread context, or stack trace was empty\n"},
		{"a total without stacks", "", "4 stack(s) with 4 threads displayed (4 Total threads)\nThreads matching filter: 16 out of 1228\n"},
		{"a cut order of locks", "!deadlock", "issue: 00001001 97dd800c 86858ce0 00000000\nThread 0: A B\n"},
		{"a line in an order of locks", "!deadlock", strings.Replace(short, "Where:", "*** WARNING: Unable to verify timestamp for dummy.sys\nWhere:", 1)},
		{"no frame is marked", "!findstack X 0", "Thread ffffac48b8a72040, 3 frame(s) match\n"},
	} {
		got := slices.DeleteFunc(notesOf(tc.command, tc.text), func(note string) bool { return strings.Contains(note, "bad address") })
		if len(got) != 0 {
			t.Errorf("%s: %q", tc.name, got)
		}
	}
}

// TestCountsOfTwoSessions: what belongs to a number may be in the session that
// begins where a reader is done before its input ends.
func TestCountsOfTwoSessions(t *testing.T) {
	for _, text := range []string{masks + rowHead + rowOf0, "Deadlock detected (2 resources in 3 threads):\nThread 0: A B\n", "3 threads [stats]: ffff9bb8871c0580\n" + mexStack} {
		var r threads.Reader
		for _, l := range kd.Lines(text) {
			r.Line(l)
		}
		if notes := r.Done().Notes; len(notes) != 0 {
			t.Errorf("%q: %v", text, notes)
		}
	}
}

// TestCountCut: the digits that the input ends with may not be all.
func TestCountCut(t *testing.T) {
	lines := kd.Lines(mexRows + "Thread Count: 4")
	lines[len(lines)-1].Cut = true
	if notes := threads.Read(lines).Notes; len(notes) != 0 {
		t.Errorf("%v", notes)
	}
}

// TestListed says which threads nobody picked.
func TestListed(t *testing.T) {
	const thread = "THREAD fffffa8016910b60  Cid 0004.0100  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT: (Executive) KernelMode Non-Alertable\n"
	const process = "PROCESS fffffa800cd6a5f0\n    SessionId: none  Cid: 0004    Peb: 00000000  ParentCid: 0000\n    Image: System\n\n"
	for _, tc := range []struct {
		name, command, text string
		want                bool
	}{
		{"below its process", "!process 4 7", process + thread, true},
		{"asked for", "!thread fffffa8016910b60", thread, false},
		{"stacks", "!stacks 2", stacksHead + stacksRow + "Threads Processed: 1\n", true},
		{"stacks, nothing typed", "", stacksHead + stacksRow + "Threads Processed: 1\n", true},
		{"stacks without an end", "!stacks 2", stacksHead + stacksRow, false},
		{"stacks with a filter", "!stacks 2 ExpWorkerThread", stacksHead + stacksRow + "Threads Processed: 1\n", false},
	} {
		var r threads.Reader
		r.Prompt(false)
		r.Typed(tc.command, kd.Ref{})
		for _, l := range kd.Lines(tc.text) {
			r.Line(l)
		}
		r.End()
		if got := r.Done().Threads[0].Listed; got != tc.want {
			t.Errorf("%s: listed %v, want %v", tc.name, got, tc.want)
		}
	}
}
