package kd

import "strings"

// Ref says where a fact was read. The zero Ref is nowhere: Known is false.
type Ref struct {
	Input int32 // index of the input, counted from 0
	Line  int32 // line of the input, counted from 1
	Col   int32 // byte of the decoded line, counted from 1
	// Len counts bytes. A place that goes on over line ends counts one byte for
	// each, and all that stands on those lines before and behind the fact.
	Len   int32
	More  uint16 // further lines that the place goes on over
	Doubt Doubt  // about the seams that the fact was put together at
}

// EndLine returns the last line of the place.
func (r Ref) EndLine() int32 { return r.Line + int32(r.More) }

// Known reports whether the Ref names a place.
func (r Ref) Known() bool { return r.Line > 0 }

// Before orders Refs as they stand in the inputs.
func (r Ref) Before(o Ref) bool {
	if r.Input != o.Input {
		return r.Input < o.Input
	}
	if r.Line != o.Line {
		return r.Line < o.Line
	}
	return r.Col < o.Col
}

// Line is one line of a transcript as a reader sees it.
type Line struct {
	Text  string // decoded, without its end, surrounding blanks and quoting
	Input int32  // index of the input, counted from 0
	Num   int32  // counted from 1
	Off   int32  // bytes of the decoded line that stand before Text
	Cut   bool   // the input ends right after Text, without a line end
	// Origin says where the bytes of Text stood if they are not one piece of
	// one line; nil if they are. Off has no meaning beside it.
	Origin *Origin
}

// Lines cuts a text into lines as readers want them, for a reader that is used
// without a transcript around it.
func Lines(text string) []Line {
	var out []Line
	for i, raw := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		t, off := TrimBlanks(raw)
		out = append(out, Line{Text: t, Num: int32(i) + 1, Off: int32(off)})
	}
	return out
}

// Ref returns the place of n bytes of Text from byte start, counted from 0.
func (l Line) Ref(start, n int) Ref {
	if l.Origin != nil {
		return l.originRef(start, n)
	}
	return Ref{Input: l.Input, Line: l.Num, Col: l.Off + int32(start) + 1, Len: int32(n)}
}

// All returns the place of the whole Text.
func (l Line) All() Ref { return l.Ref(0, len(l.Text)) }

// Section is the output of one debugger command: from its prompt, or from
// where its content was recognised when there is no prompt, to the next one.
type Section struct {
	Command string // as typed, without the prompt; the command's name if recognised by content
	Input   int32
	Line    int32 // first line, counted from 1
	EndLine int32 // last line
}

// Coverage counts lines by what became of them.
type Coverage struct{ Claimed, Noise, NotUnderstood int }

// Note is something read but not understood, or a count that does not add up.
type Note struct {
	At   Ref
	Text string
	// Self is the self-check that the note is a place of, "" if it is none.
	Self SelfCheck
}

// Why says for what reason a fact is missing.
type Why string

// The reasons for a Gap.
const (
	NotInInput Why = "not in the input"
	CutShort   Why = "cut short"
	PagedOut   Why = "paged out"
	NotInDump  Why = "not in the dump"
	Unreadable Why = "unreadable"
	Ambiguous  Why = "ambiguous"
)

// Gap is a fact that is missing, why, and the debugger command that would
// supply it.
type Gap struct {
	What string
	Why  Why
	Next string
	// Decides is true when a verdict hangs on the missing fact.
	Decides bool
}
