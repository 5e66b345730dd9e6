package threads_test

import (
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/threads"
)

func TestFindstack(t *testing.T) {
	l := threads.Read(kd.Lines(`Thread ffffac48b8a71040, 2 frame(s) match
        * 06 fffff880` + "`" + `07fab5b0 fffff800` + "`" + `0224ec9e OpenZFS!spl_mutex_exit+0xf2
        * 10 fffff880` + "`" + `07fab650 fffff800` + "`" + `022ad98c OpenZFS!rrw_exit+0x273

Thread ffffac48b8a72040, 3 frame(s) match
        * 06 fffff880` + "`" + `07fab5b0 fffff800` + "`" + `0224ec9e OpenZFS!spl_mutex_exit+0xf2
Thread 023, 1 frame(s) match
        * 16 0bd4fe00 771bd256 wininet!ICSocket::Connect_Start+0x17e
Thread ffffac48b8a73040, 1 frame(s) match
          00 fffff880` + "`" + `07fab3e0 fffff800` + "`" + `0228da52 nt!KiSwapContext+0x7a
        * 01 fffff880` + "`" + `07fab520 fffff800` + "`" + `0228fbaf OpenZFS!rrw_exit+0x273
Thread ffffac48b8a74040, 1 frame(s) match
`))
	if len(l.Matches) != 3 || len(l.Matches[0].Frames) != 2 || l.Matches[0].Announced != 2 || l.Matches[0].Thread != 0xffffac48b8a71040 || len(l.Matches[2].Frames) != 0 {
		t.Fatalf("%+v", l.Matches)
	}
	if f := l.Matches[0].Frames[1]; f.Name() != "OpenZFS!rrw_exit" || f.ChildSP != 0xfffff88007fab650 {
		t.Errorf("%+v", f)
	}
	// Only a whole stack is the stack of a thread.
	if len(l.Threads) != 1 || l.Threads[0].Addr != 0xffffac48b8a73040 || len(l.Threads[0].Stack.Frames) != 2 {
		t.Errorf("threads %+v", l.Threads)
	}
	if len(l.Notes) != 1 || !strings.Contains(l.Notes[0].Text, "3 frames that match and marks 1") {
		t.Errorf("notes %+v", l.Notes)
	}
}

func TestFindstackNearMisses(t *testing.T) {
	for _, s := range []string{"Thread pool, 2 frame(s) match", "Thread 009, two frame(s) match", "Thread 009 2 frame(s) match", "Thread 009, 2 frames match", "* 06 fffff88007fab5b0 fffff8000224ec9e OpenZFS!X+0xf2"} {
		var r threads.Reader
		if r.Line(kd.Line{Text: s, Num: 1}) {
			t.Errorf("%q is claimed", s)
		}
	}
}
