package kd_test

import (
	"testing"

	"kdlocks/kd"
)

func TestParseAddr(t *testing.T) {
	for _, tc := range []struct {
		text string
		want kd.Addr
		ok   bool
		full bool // all digits of a column are there
	}{
		{"fffff880`07fab7f3", 0xfffff88007fab7f3, true, true},
		{"fffff88007fab7f3", 0xfffff88007fab7f3, true, true},
		{"FFFFF88007FAB7F3", 0xfffff88007fab7f3, true, true},
		{"0xfffff88007fab7f3", 0xfffff88007fab7f3, true, true},
		{"0×80401478", 0x80401478, true, true},
		{"8a169530", 0x8a169530, true, true},
		{"0x1234", 0x1234, true, false},
		{"dead", 0xdead, true, false},
		{"", 0, false, false},
		{"0x", 0, false, false},
		{"fffff880`07fab7f", 0, false, false},
		{"fffff880`07fab7f3f", 0, false, false},
		{"`07fab7f3", 0, false, false},
		{"fffff88007fab7f31", 0, false, false},
		{"8a16953g", 0, false, false},
	} {
		got, ok := kd.ParseAddr(tc.text)
		if got != tc.want && tc.ok || ok != tc.ok {
			t.Errorf("ParseAddr(%q) = %v, %v", tc.text, got, ok)
		}
		if _, full := kd.ParseFullAddr(tc.text); full != tc.full {
			t.Errorf("ParseFullAddr(%q): %v", tc.text, full)
		}
	}
}

func TestAddrForms(t *testing.T) {
	const x86, x64 kd.Addr = 0x8b4425c8, 0xffff8b08a16cae70
	for _, tc := range []struct{ got, want string }{
		{x86.String(), "0x8b4425c8"},
		{x86.Bare(kd.X86), "8b4425c8"},
		{kd.Addr(0x60001).Bare(kd.X64), "0000000000060001"},
		{x64.Bare(kd.X86), "ffff8b08a16cae70"},
		{kd.Addr(0xffffffff8b4425c8).Fold().String(), "0x8b4425c8"},
		{x64.Fold().String(), "0xffff8b08a16cae70"},
		{kd.Addr(0x80ed0023).Untagged().String(), "0x80ed0020"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %s, want %s", tc.got, tc.want)
		}
	}
	if !kd.Addr(0x80ed0023).Tagged() || x86.Tagged() {
		t.Error("Tagged")
	}
	if !x86.IsKernel(kd.X86) || kd.Addr(0x7ffde000).IsKernel(kd.X86) || !x64.IsKernel(kd.X64) || x86.IsKernel(kd.X64) {
		t.Error("IsKernel")
	}
}

func TestCursor(t *testing.T) {
	c := kd.Cursor{Text: "  Wait Start\u00a0TickCount   42 rest of it "}
	if !c.Take("wait start tickcount") {
		t.Fatal("Take does not skip blanks and case")
	}
	if c.Take("43") {
		t.Error("Take took what is not there")
	}
	if w, at := c.Word(); w != "42" || c.Text[at:at+2] != "42" {
		t.Errorf("Word = %q at %d", w, at)
	}
	if c.Peek() != "rest" {
		t.Errorf("Peek = %q", c.Peek())
	}
	if rest, _ := c.Rest(); rest != "rest of it " {
		t.Errorf("Rest = %q", rest)
	}
	for _, tc := range []struct {
		text, want string
		front      int
	}{{"  a b\t", "a b", 2}, {"\u00a0x\u00a0", "x", 2}, {"   ", "", 3}, {"", "", 0}} {
		if got, front := kd.TrimBlanks(tc.text); got != tc.want || front != tc.front {
			t.Errorf("TrimBlanks(%q) = %q, %d", tc.text, got, front)
		}
	}
}

func TestRefOrder(t *testing.T) {
	l := kd.Line{Text: "abc def", Input: 1, Num: 7, Off: 4}
	if r := l.Ref(4, 3); r != (kd.Ref{Input: 1, Line: 7, Col: 9, Len: 3}) {
		t.Errorf("Ref = %+v", r)
	}
	a, b := l.Ref(0, 1), l.Ref(4, 1)
	if !a.Before(b) || b.Before(a) || !b.Before(kd.Ref{Input: 2, Line: 1}) || !a.Before(kd.Ref{Input: 1, Line: 8}) {
		t.Error("Before")
	}
	if (kd.Ref{}).Known() || !a.Known() {
		t.Error("Known")
	}
}
