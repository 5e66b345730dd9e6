package threads_test

import (
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/threads"
)

// TestUserThreads: a stack of a user-mode debugger is that of the thread that
// the command or the prompt names by its number, or the row above it, if a row
// tells its ID and TEB (Microsoft Learn: Debugging a Deadlock).
func TestUserThreads(t *testing.T) {
	const list = "   4  Id: 1364.a3 Suspend: 1 Teb: 7ffdb000 Unfrozen\n   5  Id: 1364.1278 Suspend: 1 Teb: 7ffda000 Unfrozen\n.  6  Id: 1364.a9 Suspend: 1 Teb: 7ffd9000 Unfrozen \"a worker\"\n"
	const stack = "ChildEBP RetAddr  Args to Child\n014cfe64 77f6cc7b 00000460 00000000 00000000 ntdll!NtWaitForSingleObject+0xb\n"
	for _, tc := range []struct {
		name string
		// text holds commands of thread 6, each behind a >.
		text  string
		want  string // of the threads, with their TEBs
		notes int
	}{
		{"the prompt's", ">~\n" + list + ">kb\n" + stack, "1364.00a9 7ffd9000", 0},
		{"the command's", ">~\n" + list + ">~4 kb\n" + stack, "1364.00a3 7ffdb000", 0},
		{"the command's, without a blank", ">~\n" + list + ">~4kb\n" + stack, "1364.00a3 7ffdb000", 0},
		{"the row's", ">~*kb\n   4  Id: 1364.a3 Suspend: 1 Teb: 7ffdb000 Unfrozen\n" + stack + "\n#  6  Id: 1364.a9 Suspend: 1 Teb: 7ffd9000 Frozen\n" + stack, "1364.00a3 7ffdb000, 1364.00a9 7ffd9000", 0},
		{"in the words of Windows NT 4", ">~4 kb\n  4  id: 97.a3   Suspend: 0 Teb 7ffd9000 Unfrozen\n" + stack, "0097.00a3 7ffd9000", 0},
		{"a row that contradicts the list", ">~\n" + list + ">~4 kb\n  4  id: 97.a3   Suspend: 0 Teb 7ffd9000 Unfrozen\n" + stack, "1364.00a3 7ffdb000", 1},
		{"a number used again", ">~\n" + list + ">~4 kb\n  4  Id: 1364.b1   Suspend: 1 Teb: 7ffd7000 Unfrozen\n" + stack, "1364.00b1 7ffd7000", 0},
		{"of 64 bits", ">~0k\n   0  Id: 1a2c.288 Suspend: 1 Teb: 000000c2`a1a3e000 Unfrozen\n # Child-SP          RetAddr           Call Site\n00 000000c2`a1aff5a8 00007ff8`a1b2c3d4 ntdll!NtWaitForSingleObject+0x14\n", "1a2c.0288 c2a1a3e000", 0},
		{"never listed", ">~4 kb\n" + stack, " 0", 0},
		{"a thread of another process", ">~\n" + list + ">~9 kb\n  9  Id: 97.a3   Suspend: 0 Teb: 7ffdb000 Unfrozen\n" + stack, " 0", 0},
		{"below a list", ">~\n" + list + stack, " 0", 0},
		{"all of one stack each", ">~\n" + list + ">~* kb\n" + stack, " 0", 0},
		{"one stack only", ">~\n" + list + ">kb\n" + stack + "\n" + stack, "1364.00a9 7ffd9000,  0", 0},
		{"cut rows", ">~4 kb\n   4  Id: 1364.a3 Suspend: 1 Teb: 7ffd\n   4  Id: 1364. Suspend: 1 Teb: 7ffdb000 Unfrozen\n   4  Id: of what we saw\n04 Id: 1364.a3 Suspend: 1 Teb: 7ffdb000 Unfrozen\n" + stack, " 0", 0},
	} {
		var r threads.Reader
		for _, l := range kd.Lines(tc.text) {
			if command, ok := strings.CutPrefix(l.Text, ">"); ok {
				r.Prompt(false)
				r.UserPrompt(6, command, kd.Ref{})
				continue
			}
			r.Line(l)
		}
		l := r.Done()
		var got []string
		for _, th := range l.Threads {
			got = append(got, th.CID.String()+" "+strings.TrimPrefix(th.Teb.String(), "0x"))
			if th.User != (th.Addr != 0) || th.Addr != th.Teb || len(th.Stack.Frames) != 1 {
				t.Errorf("%s: %+v", tc.name, th)
			}
		}
		if s := strings.Join(got, ", "); s != tc.want || len(l.Notes) != tc.notes {
			t.Errorf("%s: %q, notes %v", tc.name, s, l.Notes)
		}
	}
}
