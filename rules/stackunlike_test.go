package rules

import (
	"strings"
	"testing"

	"kdlocks/stacks"
)

// framesOf makes frames of "module!function" words.
func framesOf(words string) []stacks.Frame {
	var out []stacks.Frame
	for _, w := range strings.Fields(words) {
		module, function, _ := strings.Cut(w, "!")
		out = append(out, stacks.Frame{Module: module, Function: function})
	}
	return out
}

// patternOf makes a pattern of words with | between alternatives.
func patternOf(t *testing.T, words string) *stackPattern {
	t.Helper()
	p := &stackPattern{}
	for _, w := range strings.Fields(words) {
		var one []framePattern
		for _, s := range strings.Split(w, "|") {
			f, why := parseFrame(s)
			if why != "" {
				t.Fatal(why)
			}
			one = append(one, f)
		}
		p.seq = append(p.seq, one)
	}
	return p
}

// TestUnlikeStacks holds what is told of a stack that does not fit.
func TestUnlikeStacks(t *testing.T) {
	const stack = "nt!KiSwapContext nt!KiSwapThread nt!KeWaitForSingleObject nt!AcmeFlush nt!CcFlushCache Ntfs!NtfsClose acme!Flush acme!Cleanup"
	for _, c := range []struct {
		seq    string
		top    bool
		within int
		want   string
	}{
		{"acme!Open|acme!Close", false, 0, "stack has no acme!Open or acme!Close"},
		{"nt!CcFlushCache acme!Open|third-party!Close", false, 0, "stack has the first 1 of seq, up to frame 4 (nt!CcFlushCache), and no acme!Open or third-party!Close behind that"},
		{"acme!* nt!CcFlush*", false, 0, "stack has the first 1 of seq, up to frame 6 (acme!Flush), and no nt!CcFlush* behind that: it has that before, in frame 4 (nt!CcFlushCache)"},
		{"nt!CcFlushCache acme!*", true, 0, "stack has seq, but not at the top: it begins in frame 4 (nt!CcFlushCache), and top passes over the kernel's wait routines alone, not over frame 3 (nt!AcmeFlush)"},
		{"nt!CcFlushCache acme!*", false, 2, "stack has seq, but not within 2: from frame 4 (nt!CcFlushCache) to frame 6 (acme!Flush) it takes 3 in a row"},
		{"nt!CcFlushCache acme!*", true, 2, "stack has seq, but not within 2: from frame 4 (nt!CcFlushCache) to frame 6 (acme!Flush) it takes 3 in a row; not at the top: it begins in frame 4 (nt!CcFlushCache), and top passes over the kernel's wait routines alone, not over frame 3 (nt!AcmeFlush)"},
		{"nt!KeWaitForSingleObject|nt!CcFlushCache acme!*", true, 3, "stack has seq, but not at the top: it begins in frame 4 (nt!CcFlushCache), and top passes over the kernel's wait routines alone, not over frame 3 (nt!AcmeFlush); from the top on, in frame 2 (nt!KeWaitForSingleObject), it takes 5 in a row, and within asks for 3"},
	} {
		p := patternOf(t, c.seq)
		p.top, p.within = c.top, c.within
		frames := framesOf(stack)
		if fits, _ := p.match(frames, isCut(frames)); fits != False {
			t.Errorf("%+v: it is %s", c, fits)
		}
		values := one(Value{Type: Stack, Frames: frames})
		if got := p.unlike(values); got != c.want {
			t.Errorf("%s, top %v, within %d:\n got %s\nwant %s", c.seq, c.top, c.within, got, c.want)
		}
	}
	if got := (&stackPattern{none: patternOf(t, "acme!*").seq[0]}).unlike(one(Value{Type: Stack, Frames: framesOf(stack)})); got != "stack has frame 6 (acme!Flush), which none forbids" {
		t.Error(got)
	}
}

// TestTopPassesOver holds that top passes over the routines that wait, and those that
// wait on behalf of them, and over no others.
func TestTopPassesOver(t *testing.T) {
	for _, c := range []struct {
		stack string
		want  Truth
	}{
		{"nt!KiSwapContext nt!KeWaitForSingleObject nt!ExfWaitForRundownProtectionRelease nt!ExWaitForRundownProtectionRelease acme!Unload", True},
		{"nt!KiSwapContext nt!KeWaitForSingleObject nt!ExWaitForRundownProtectionReleaseCacheAware acme!Unload", True},
		{"nt!KiSwapContext nt!ExpWaitForResource nt!ExAcquireResourceExclusiveLite acme!Unload", True},
		{"nt!KiSwapContext nt!KeWaitForSingleObject nt!CcFlushCache acme!Unload", False},
		{"nt!KiSwapContext fltmgr!KeWaitForSingleObject acme!Unload", False},
	} {
		p := patternOf(t, "acme!Unload")
		p.top = true
		if got, _ := p.match(framesOf(c.stack), isCut(framesOf(c.stack))); got != c.want {
			t.Errorf("%s: %s", c.stack, got)
		}
	}
}
