package transcript_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/transcript"
)

// TestCoverage: each line counts once, for the command that it is output of, or
// for none.
func TestCoverage(t *testing.T) {
	head := "Resource @ 0xfffffa8011ef1de8    Exclusively owned\n     Threads: fffffa8016910b60-01<*> \n"
	tests := map[string]struct {
		in, want string
		unclear  []int32
	}{
		"a word before the first prompt": {
			in:      "hello\n\n0: kd> !locks\n" + head + "what is this\n1 total locks\n",
			want:    "!locks 3-7 4/0/1, outside 0/1/1",
			unclear: []int32{1, 6},
		},
		"blanks behind a command's output": {
			in:   "0: kd> !locks\n\n" + head + "\n\n0: kd> lm\n",
			want: "!locks 1-4 3/1/0, lm 7-7 1/0/0, outside 0/2/0",
		},
		"no prompt": {
			in:      head + "an author's word\n\nTHREAD fffffa8016910b60  Cid 0004.0100  Teb: 0 Win32Thread: 0 RUNNING on processor 1\nmore words\n",
			want:    "!locks 1-2 2/0/0, !thread 5-5 1/0/0, outside 0/1/2",
			unclear: []int32{3, 6},
		},
		"objects without prompts": {
			in: "Irp is active with 1 stacks 1 is current (= 0xac598e38)\n No Mdl Thread 8d1c7bc0:  Irp stack trace.\n>[IRP_MJ_READ(3), N/A(0)]\n            1  0 8a799710 ac598d40 00000000-00000000    \n           \\FileSystem\\FltMgr\nan author's word\n" +
				"Message @ fffff8800f4cc950\n  WaitingThread         : fffffa801afae6f0\n\n**** Critical WorkQueue ( Threads: 1/512, Concurrency: 0/1 )\nTHREAD fffffa8018db6040  Cid 0004.0018  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT\n",
			want:    "!irp 1-5 5/0/0, !alpc 7-8 2/0/0, !exqueue 10-10 1/0/0, !thread 11-11 1/0/0, outside 0/1/1",
			unclear: []int32{6},
		},
		"quoted objects": {
			in:   "> 0: kd> !irp ac598dc8\n> Irp is active with 1 stacks 1 is current (= 0xac598e38)\n>  No Mdl Thread 8d1c7bc0:  Irp stack trace.\n> >[IRP_MJ_READ(3), N/A(0)]\n>             1  0 8a799710 ac598d40 00000000-00000000    \n>            \\FileSystem\\FltMgr\n",
			want: "!irp ac598dc8 1-6 6/0/0, outside 0/0/0",
		},
		"strange lines among objects": {
			in:      "0: kd> !exqueue\n**** Critical WorkQueue ( Threads: 1/512, Concurrency: 0/1 )\nqueues of tomorrow\n0: kd> !alpc /m 8a1\nMessage fffff8800f4cc950\n  WaitingThread : fffffa801afae6f0\nfields of tomorrow\n0: kd> !irpfind\nrows of tomorrow\n",
			want:    "!exqueue 1-3 2/0/1, !alpc /m 8a1 4-7 3/0/1, !irpfind 8-9 1/0/1, outside 0/0/0",
			unclear: []int32{3, 7, 9},
		},
		"a prompt without a command": {
			in:   "0: kd> !locks\n" + head + "0: kd>\nstray\n0: kd> !locks\n",
			want: "!locks 1-3 3/0/0, !locks 6-6 1/0/0, outside 1/0/1", unclear: []int32{5},
		},
	}
	for name, tc := range tests {
		tr, _ := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("x", []byte(tc.in))}, nil)
		s := &tr.Sources[0]
		if got := coverage(s); got != tc.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, tc.want)
		}
		if got := slices.Collect(s.NotUnderstood(1, int32(s.Lines()))); !slices.Equal(got, tc.unclear) {
			t.Errorf("%s: not understood: %v, want %v", name, got, tc.unclear)
		}
	}
}

func coverage(s *transcript.Source) string {
	var out []string
	say := func(c kd.Coverage) string { return fmt.Sprintf("%d/%d/%d", c.Claimed, c.Noise, c.NotUnderstood) }
	sections, outside := s.Coverage()
	for i, c := range sections {
		sec := s.Sections[i]
		out = append(out, fmt.Sprintf("%s %d-%d %s", sec.Command, sec.Line, sec.EndLine, say(c)))
	}
	return strings.Join(append(out, "outside "+say(outside)), ", ")
}

// TestNotUnderstoodStaysInside: lines that the input does not have are none.
func TestNotUnderstoodStaysInside(t *testing.T) {
	tr, _ := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("x", []byte("one\ntwo\nthree\n"))}, nil)
	for _, tc := range []struct{ first, last, want int32 }{{1, 3, 3}, {2, 2, 1}, {3, 9, 1}, {2, 1, 0}, {0, 3, 0}, {4, 9, 0}} {
		if got := len(slices.Collect(tr.Sources[0].NotUnderstood(tc.first, tc.last))); got != int(tc.want) {
			t.Errorf("%d to %d: %d lines, want %d", tc.first, tc.last, got, tc.want)
		}
	}
}
