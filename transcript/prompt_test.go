package transcript_test

import (
	"slices"
	"testing"
)

// TestPromptForms: a prompt is one wherever a page or a paste put blanks into it
// or left out the line end before it.
func TestPromptForms(t *testing.T) {
	const head = "Resource @ 0x8378d0a0    Available\n"
	for _, tc := range []struct {
		name, text string
		want       []string // commands of the sections
	}{
		{"blanks between its signs", "0 : kd >   ! locks\n" + head + "1 total locks\n", []string{"!locks"}},
		{"several digits have none", "kd> !locks\n" + head + "1 total locks\n12 : 14 was the time\n", []string{"!locks"}},
		{"words between blanks", "kd> !locks\n" + head + "1 total locks\n0 : kd is what I use > !locks\n", []string{"!locks"}},
		{"run on behind a total", "kd> !locks\n" + head + "16088 total locks, 2 locks currently heldkd> !thread 89ab1234\nTHREAD 89ab1234 Cid 0004.0048 Teb: 00000000 Win32Thread: 00000000 WAIT: (Executive) KernelMode Non-Alertable\n", []string{"!locks", "!thread 89ab1234"}},
		{"with a processor's number", "kd> !locks\n" + head + "16088 total locks, 2 locks currently held2: kd> k\n", []string{"!locks", "k"}},
		{"run on behind a frame", "kd> k\nChildEBP RetAddr\nf78c6a54 8083d26e nt!KiSwapContext+0x26\nf78c6a80 8083dc5e nt!KiSwapThread+0x2e5kd> !locks\n" + head + "1 total locks\n", []string{"k", "!locks"}},
		{"told of behind a line", "kd> !locks\n" + head + "1 total locks when I typed kd> !locks again\n", []string{"!locks"}},
		{"quoted behind a note", "kd> !locks\n" + head + "1 total locks << from kd> !locks -v\n", []string{"!locks"}},
	} {
		tr := read(t, tc.text)
		var got []string
		for _, s := range tr.Sources[0].Sections {
			got = append(got, s.Command)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q", tc.name, got)
		}
	}
}
