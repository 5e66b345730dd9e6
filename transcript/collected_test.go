package transcript_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kdlocks/collect"
	"kdlocks/transcript"
)

const (
	held   = "**** DUMP OF ALL RESOURCE OBJECTS ****\nKD: Scanning for held locks......\n\n" + lockA + "16088 total locks, 1 locks currently held\n"
	block  = thread + "Stack Init fffff88007fabc70 Current fffff88007fab3a0\nBase fffff88007fac000 Limit fffff88007fa6000 Call 0\n" + stack
	marked = "kdlocks-collect v1 begin full\nkdlocks-section !locks\n" + held + "kdlocks-section !process 0 7\n" + block + "kdlocks-section lm kv\n" +
		"fffff800`5b200000 fffff800`5c246000   nt!x\nkdlocks-collect v1 end\n"
)

// commands returns the sections of all inputs: where they begin and end, and
// their commands.
func commands(tr *transcript.Transcript) []string {
	var out []string
	for i := range tr.Sources {
		for _, s := range tr.Sources[i].Sections {
			out = append(out, fmt.Sprintf("%d-%d %s", s.Line, s.EndLine, s.Command))
		}
	}
	return out
}

// oneByOne is the log of a script that was pasted or run with $$<: each command
// has its prompt.
func oneByOne(text string) string {
	var b strings.Builder
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, "kdlocks-") {
			b.WriteString("0: kd> .echo " + l)
		}
		b.WriteString(l)
		if rest, ok := strings.CutPrefix(l, "kdlocks-section "); ok {
			b.WriteString("0: kd> " + rest)
		}
	}
	return b.String() + "0: kd> q\n"
}

// TestMarksNameSections: output without prompts is that of the command that the
// mark above it names, in whatever form the log comes.
func TestMarksNameSections(t *testing.T) {
	want := []string{"2-8 !locks", "9-16 !process 0 7", "17-18 lm kv"}
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"as .shell -ci and -c give it", marked, want},
		{"CR LF", strings.ReplaceAll(marked, "\n", "\r\n"), want},
		{"UTF-16", string(wide("\ufeff"+marked, false)), want},
		{"quoted", "> " + strings.ReplaceAll(strings.TrimSuffix(marked, "\n"), "\n", "\n> ") + "\n", want},
		{"indented", "    " + strings.ReplaceAll(strings.TrimSuffix(marked, "\n"), "\n", "\n    ") + "\n", want},
		{"upper case", strings.NewReplacer("kdlocks-section !locks", "KDLOCKS-SECTION !LOCKS", "kdlocks-section lm", "Kdlocks-Section LM").Replace(marked), want},
		{"no line end before a mark", strings.Replace(marked, "held\nkdlocks-", "heldkdlocks-", 1), []string{"2-8 !locks", "8-15 !process 0 7", "16-17 lm kv"}},
		{"$$>a<", "0: kd> $$>a<C:\\x.txt\n" + marked, []string{"1-2 $$>a<C:\\x.txt", "3-9 !locks", "10-17 !process 0 7", "18-19 lm kv"}},
		{
			"$$>< with its block echoed", "0: kd> .echo kdlocks-collect v1 begin full;.echo kdlocks-section !locks; !locks ;.echo kdlocks-collect v1 end\n" + marked,
			[]string{"1-2 .echo kdlocks-collect v1 begin full;.echo kdlocks-section !locks; !locks ;.echo kdlocks-collect v1 end", "3-9 !locks", "10-17 !process 0 7", "18-19 lm kv"},
		},
		{"one by one", oneByOne(marked), []string{
			"1-2 .echo kdlocks-collect v1 begin full", "3-4 .echo kdlocks-section !locks", "5-11 !locks", "12-13 .echo kdlocks-section !process 0 7",
			"14-21 !process 0 7", "22-23 .echo kdlocks-section lm kv", "24-25 lm kv", "26-27 .echo kdlocks-collect v1 end", "28-28 q",
		}},
		{"from a pipe, which is not echoed", strings.ReplaceAll(marked, "kdlocks-", "0: kd> kdlocks-"), want},
		{"what comes behind", marked + held, append(want[:3:3], "20-25 !locks")},
		{"a command that is not there", strings.Replace(marked, "kdlocks-section !process", "kdlocks-section !exqueue f\nNo export exqueue found\nkdlocks-section !process", 1),
			[]string{"2-8 !locks", "9-10 !exqueue f", "11-18 !process 0 7", "19-20 lm kv"}},
		{"a command that fails", strings.Replace(marked, held, "Unable to get address of nt!ExpSystemResourcesList\n", 1), []string{"2-3 !locks", "4-11 !process 0 7", "12-13 lm kv"}},
	} {
		tr := read(t, tc.text)
		if d := cmp.Diff(tc.want, commands(tr)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, d)
		}
		if len(tr.Snapshots) != 1 {
			t.Errorf("%s: %d snapshots", tc.name, len(tr.Snapshots))
		}
		s := tr.Snapshots[0]
		if n := len(s.Resources); n != 1 && tc.name != "a command that fails" {
			t.Errorf("%s: %d resources", tc.name, n)
		}
		if len(s.Threads) != 1 || len(s.Threads[0].Stack.Frames) != 1 {
			t.Errorf("%s: threads\n%s", tc.name, s)
		}
		if lost := collect.LostBy(s.Collected); lost.At.Known() || len(s.Collected) != 1 {
			t.Errorf("%s: %d runs, lost %+v", tc.name, len(s.Collected), lost)
		}
	}
}

// TestCutCollections: a log that ends before the script does tells what is
// missing, wherever it is cut.
func TestCutCollections(t *testing.T) {
	full := collect.Set{}.Sections()
	for n := strings.Index(marked, "16088"); n < len(marked); n++ {
		tr := read(t, marked[:n])
		lost := collect.LostBy(tr.Snapshots[0].Collected)
		switch ended := strings.HasSuffix(strings.TrimSpace(marked[:n]), "v1 end"); {
		case ended == lost.At.Known():
			t.Errorf("cut at %d: %+v", n, lost)
		case !ended && (lost.Within == "" || len(lost.Commands) < len(full)-4):
			t.Errorf("cut at %d: %+v", n, lost)
		}
	}
}

// TestMomentsOfCollections: a second run is another moment, unless time and
// uptime say that it looked at the same one.
func TestMomentsOfCollections(t *testing.T) {
	collected := func(uptime string) string {
		return "kdlocks-collect v1 begin full\nkdlocks-section vertarget\nWindows 10 Kernel Version 19041 MP (8 procs) Free x64\n" +
			"Kernel base = 0xfffff800`5b200000 PsLoadedModuleList = 0xfffff800`5be2a310\nDebug session time: Mon Jan  4 10:11:12.345 2021\n" +
			"System Uptime: " + uptime + "\nkdlocks-section !locks\n" + held + "kdlocks-collect v1 end\n"
	}
	const a, b = "0 days 3:01:02.345", "0 days 3:11:02.345"
	bare := "kdlocks-collect v1 begin full\nkdlocks-section !locks\n" + held + "kdlocks-collect v1 end\n"
	cut, _, _ := strings.Cut(collected(a), "kdlocks-collect v1 end")
	for _, tc := range []struct {
		name, text string
		moments    int
		lost       []string // of each moment, the command within which it was cut
	}{
		{"once", collected(a), 1, []string{""}},
		{"a dump, twice", collected(a) + collected(a), 1, []string{""}},
		{"LiveKD, which tells the time of its beginning, twice", strings.ReplaceAll(collected(a)+collected(a), "begin full", "begin live"), 2, []string{"", ""}},
		{"a machine that went on", collected(a) + collected(b), 2, []string{"", ""}},
		{"no time is told", bare + bare, 2, []string{"", ""}},
		{"cut, and run again on the dump", cut + collected(a), 1, []string{""}},
		{"cut, and run again later", cut + collected(b), 2, []string{"!locks", ""}},
		{"behind commands that were typed", "lkd> !locks\n" + held + collected(a), 1, []string{""}},
		{"behind commands at another time", "Debug session time: Mon Jan  4 09:00:00.000 2021\nSystem Uptime: 0 days 2:00:00.000\nlkd> !locks\n" + held + collected(a), 2, []string{"", ""}},
		{"the same, and cut", "Debug session time: Mon Jan  4 09:00:00.000 2021\nSystem Uptime: 0 days 2:00:00.000\nlkd> !locks\n" + held + cut, 2, []string{"", "!locks"}},
	} {
		tr := read(t, tc.text)
		if len(tr.Snapshots) != tc.moments {
			t.Errorf("%s: %d moments", tc.name, len(tr.Snapshots))
			continue
		}
		for i, s := range tr.Snapshots {
			if lost := collect.LostBy(s.Collected); lost.Within != tc.lost[i] {
				t.Errorf("%s: moment %d: %+v", tc.name, i+1, lost)
			}
		}
	}
	// Very many are told as well.
	many := read(t, strings.Repeat("kdlocks-collect v1 begin full\nkdlocks-section !ready\n", 10000)+cut).Snapshots[0].Collected
	if lost := collect.LostBy(many); len(many) > 100 || lost.Within != "!locks" {
		t.Errorf("%d runs, lost %+v", len(many), lost)
	}
	// In two files of one dump it is one moment, too.
	if n := len(read(t, collected(a), collected(a)).Snapshots); n != 1 {
		t.Errorf("two files: %d moments", n)
	}
}

// TestLiveMark: a script for a machine that runs on says so, though no prompt
// does; also behind the time that vertarget prints.
func TestLiveMark(t *testing.T) {
	for name, text := range map[string]string{
		"from a pipe":      strings.ReplaceAll(marked, "kdlocks-", "lkd> kdlocks-"),
		"alone":            strings.Replace(marked, "begin full", "begin live", 1),
		"behind a banner":  "Windows 10 Kernel Version 19041 MP (8 procs) Free x64\nKernel base = 0xfffff800`5b200000 PsLoadedModuleList = 0x0\nSystem Uptime: 0 days 1:00:00.000\n" + strings.Replace(marked, "begin full\n", "begin live\nkdlocks-section vertarget\nSystem Uptime: 0 days 1:01:00.000\n", 1),
		"behind old facts": "Debug session time: Mon Jan  4 09:00:00.000 2021\nSystem Uptime: 0 days 1:00:00.000\n" + held + strings.Replace(marked, "begin full\n", "begin live\nkdlocks-section vertarget\nSystem Uptime: 0 days 1:01:00.000\n", 1),
	} {
		s := read(t, text).Snapshots
		if !s[len(s)-1].Target.LiveAt.Known() {
			t.Errorf("%s: it is not known to be live", name)
		}
	}
	if read(t, marked).Snapshots[0].Target.LiveAt.Known() {
		t.Error("a machine that stands still is said to be live")
	}
}

// TestForgedMarks: a mark that names what no script has does not begin another
// moment, set a context, or end a run.
func TestForgedMarks(t *testing.T) {
	plain := read(t, "0: kd> !locks\n"+held+"0: kd> !thread\n"+block).Snapshots[0].String()
	for _, c := range []string{"g", ".reboot", ".thread fffffa8016920b60", ".cxr", "~1", "q", ".echo", "kdlocks-collect v1 end", "dt nt!_EX_PUSH_LOCK fffffa8016920b60", "!nothing", "$$><x", "*"} {
		tr := read(t, "0: kd> !locks\n"+held+"kdlocks-section "+c+"\n0: kd> !thread\n"+block)
		if len(tr.Snapshots) != 1 {
			t.Errorf("%q: %d snapshots", c, len(tr.Snapshots))
			continue
		}
		got := tr.Snapshots[0].String()
		// Lines are counted on by one.
		if a, b := strings.Count(plain, "\n"), strings.Count(got, "\n"); a != b || len(tr.Snapshots[0].PushLocks) > 0 {
			t.Errorf("%q: got\n%s\nwant\n%s", c, got, plain)
		}
	}
	// Nor does it hide that the machine ran on.
	if n := len(read(t, "0: kd> !locks\n"+held+"0: kd> .echo kdlocks-section g;g\n0: kd> !thread\n"+block).Snapshots); n != 2 {
		t.Errorf("g behind a mark: %d snapshots", n)
	}
	// Prose about it is no mark.
	if got := commands(read(t, held+"I ran kdlocks-section !locks\nthen kdlocks collect\n")); len(got) != 1 {
		t.Errorf("prose makes sections: %q", got)
	}
}

// TestMarkEndsOpenOutput: what is open in the output of one command is not
// continued in that of the next.
func TestMarkEndsOpenOutput(t *testing.T) {
	const waiters = "Resource @ 0xfffffa8011ef1de8    Exclusively owned\n    NumberOfExclusiveWaiters = 2\n     Threads: fffffa8016910b60-01<*> \n     Threads Waiting On Exclusive Access:\n              fffffa8016920b60       \n"
	s := read(t, "kdlocks-section !locks\n"+waiters+"kdlocks-section !stacks 0\nfffffa8016930b60\n").Snapshots[0]
	if n := len(s.Resources[0].ExclusiveWaiters); n != 1 {
		t.Errorf("%d waiters", n)
	}
}
