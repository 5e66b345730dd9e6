package transcript_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"kdlocks/transcript"
)

// TestWorkersKeepTheirStacks: the blocks below a queue are those of threads, with
// their stacks, and the queue lists them.
func TestWorkersKeepTheirStacks(t *testing.T) {
	var b strings.Builder
	b.WriteString("0: kd> !exqueue f\n")
	for _, name := range []string{"Critical", "Delayed"} {
		fmt.Fprintf(&b, "**** %s WorkQueue ( Threads: 3/512, Concurrency: 0/1 )\n", name)
		for i := range 3 {
			b.WriteString(strings.Replace(thread, "fffffa8016910b60", fmt.Sprintf("fffffa80169%d%d0", 10+i, 10+len(name)), 1) + stack + frames + "\n")
		}
	}
	tr, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("in", []byte(b.String()))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := tr.Snapshots[0]
	queues := s.Queues()
	if len(queues) != 2 || len(s.Threads) != 6 || len(s.Notes) > 0 {
		t.Fatalf("%s", s)
	}
	for _, q := range queues {
		if len(q.Workers) != 3 || q.Open {
			t.Errorf("%s: %d workers", q.Name, len(q.Workers))
		}
		for _, w := range q.Workers {
			if th := s.Thread(w.Thread); th == nil || len(th.Stack.Frames) == 0 || th.At.Line != w.At.Line {
				t.Errorf("%s: worker %s: %+v", q.Name, w.Thread, th)
			}
		}
	}
	if c := coverage(&tr.Sources[0]); !strings.HasSuffix(c, "/0, outside 0/1/0") {
		t.Error(c)
	}
}
