package transcript

import (
	"strconv"
	"strings"

	"kdlocks/kd"
	"kdlocks/snapshot"
)

// stopArgs is how many arguments a stop code has.
const stopArgs = 4

// stopCode is what one line says of why the machine stopped.
type stopCode struct {
	code string
	args []kd.Addr // nil if the next line has them, or none does
	// now is set when the machine stops as the line is printed.
	now bool
	// mex is set when !mex.di prints it.
	mex bool
}

// parseStopCode reads what the debugger prints when it opens a dump, what
// .bugcheck prints, and what the kernel tells a debugger when it stops:
//
//	BugCheck 9F, {3, ffffe001, ffffd000, ffffe002}
//	Bugcheck code 000000D1
//	*** Fatal System Error: 0x0000007e (0xC0000005,0xF7A1B2C3,0xF78D2A10,0xF78D270C)
//
// and what !mex.di prints (DebugPrivilege/InsightEngineering, Kernel Forensics):
//
//	Bugcheck: D1 (FFFF80091002AC08, 2, 1, FFFFF802084D9062)
func parseStopCode(text string) (stopCode, bool) {
	c := kd.Cursor{Text: text}
	switch {
	case c.Take("Bugcheck code"):
		w, _ := c.Word()
		return stopCode{code: w}, kd.AddrDigits(w) == 8 && c.Peek() == ""
	case c.Take("Bugcheck:"):
		w, _ := c.Word()
		rest, _ := c.Rest()
		args, ok := bracketed(rest)
		digits := kd.AddrDigits(w)
		return stopCode{code: w, args: args, mex: true}, ok && digits > 0 && digits <= 8
	case c.Take("BugCheck"):
		w, _ := c.Word()
		return stopCode{code: strings.TrimSuffix(w, ","), args: addresses(&c)}, strings.Contains(text, "{")
	case c.Take("*** Fatal System Error:"):
		w, _ := c.Word()
		rest, _ := c.Rest()
		args, ok := bracketed(rest)
		return stopCode{code: w, args: args, now: true}, strings.HasPrefix(w, "0x") && kd.AddrDigits(w) > 0 && (ok || rest == "")
	}
	return stopCode{}, false
}

// addresses reads "{3, ffffe001, ffffd000, ffffe002}".
func addresses(c *kd.Cursor) []kd.Addr {
	var out []kd.Addr
	for len(out) < 8 {
		w, _ := c.Word()
		if w == "" {
			break
		}
		if a, ok := kd.ParseAddr(strings.Trim(w, "{},")); ok {
			out = append(out, a)
		}
	}
	return out
}

// bracketed reads "(0xC0000005,0xF7A1B2C3,0xF78D2A10,0xF78D270C)".
func bracketed(s string) ([]kd.Addr, bool) {
	s, ok := strings.CutPrefix(s, "(")
	if !ok {
		return nil, false
	}
	if s, ok = strings.CutSuffix(s, ")"); !ok {
		return nil, false
	}
	return fourArgs(strings.ReplaceAll(s, ",", " "))
}

// fourArgs reads the arguments of a stop code with blanks between them.
func fourArgs(s string) ([]kd.Addr, bool) {
	words := strings.Fields(s)
	if len(words) != stopArgs {
		return nil, false
	}
	args := make([]kd.Addr, stopArgs)
	for i, w := range words {
		a, ok := kd.ParseAddr(w)
		if !ok {
			return nil, false
		}
		args[i] = a
	}
	return args, true
}

// parseStopArgs reads a line that has the arguments of the stop code above it:
//
//	Arguments 00000000`00000010 00000000`00000002 00000000`00000001 fffff801`f8cd1234
//	(0x0000000000000003,0xFFFFFA8003B0C040,0xFFFFF80000B9C3D8,0xFFFFFA8004C1D680)
func parseStopArgs(text string) ([]kd.Addr, bool) {
	if text[0] == '(' {
		return bracketed(text)
	}
	rest, ok := strings.CutPrefix(text, "Arguments ")
	if !ok {
		return nil, false
	}
	return fourArgs(rest)
}

// stopArgsLine reports whether a line has the arguments of the stop code of the
// line before, perhaps with a blank line between.
func (s *session) stopArgsLine(l kd.Line) bool {
	if !directlyBehind(s.stopAt, l) {
		return false
	}
	_, ok := parseStopArgs(l.Text)
	return ok
}

// otherBugcheck reports whether the session has a stop code, and another one.
func (s *session) otherBugcheck(code string) bool {
	n, err := parseCode(code)
	return err == nil && s.target.Bugcheck != nil && s.target.Bugcheck.Code != n
}

func parseCode(code string) (uint32, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(code, "0x"), 16, 32)
	return uint32(n), err
}

// disputed reports whether !mex.di prints another stop code than in a line
// above: it has shown that of another dump below its own.
func (s *session) disputed(stop stopCode, l kd.Line) bool {
	return stop.mex && s.otherBugcheck(stop.code) && directlyBehind(s.target.Bugcheck.At, l)
}

// learnStopCode keeps a stop code and its arguments.
func (s *session) learnStopCode(stop stopCode, l kd.Line) {
	s.stopAt = kd.Ref{}
	if !s.setBugcheck(stop.code, l) {
		return
	}
	if len(stop.args) > 0 {
		s.target.Bugcheck.SetArgs(stop.args, l.All())
	} else {
		s.stopAt = l.All()
	}
}

// setBugcheck keeps a stop code; what is known of the same one stays. It
// reports whether there is one: a machine that runs has the code 0.
func (s *session) setBugcheck(code string, l kd.Line) bool {
	n, err := parseCode(code)
	if err != nil || n == 0 {
		return false
	}
	if s.target.Bugcheck == nil || s.target.Bugcheck.Code != n {
		s.target.Bugcheck = &snapshot.Bugcheck{Code: n, At: l.All()}
	}
	return true
}
