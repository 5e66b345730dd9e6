package stacks

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// readSymbol reads a call site and what the debugger hangs on it:
//
//	nt!KiSwapContext+0x7a
//	nt!KxSwitchKernelStackCallout+0x27 (TrapFrame @ fffff880`07fabc20)
//	nt!KiSwapThread+0x14e [d:\nt\ke\thredsup.c @ 6347]
//	win32kbase!PrivateAPI::`anonymous namespace'::EnterCritInternal+0x5f
//	0x00007ffa`a9094f14
//	<Unloaded_TestDriver.sys>+0x1172
func readSymbol(s string, f *Frame) bool {
	s, f.open = cutArguments(withoutBold(readSuffixes(s, f)))
	if s == "" || strings.HasPrefix(s, ":") {
		return false
	}
	f.Symbol = s
	if _, ok := kd.ParseAddr(s); ok {
		return true
	}
	name, offset := splitOffset(s)
	f.Offset = offset
	module, function, ok := strings.Cut(name, "!")
	if !ok {
		f.Module = name
		return plausibleModule(name) || (name == "" && offset >= 0)
	}
	f.Module, f.Function = module, function
	return function != "" && plausibleModule(module)
}

// cutArguments takes the typed arguments of kp out of a symbol; open is set when
// the line ends inside them, as in every frame of kP:
//
//	drv!Read(struct _DEVICE_OBJECT * dev = 0xffffaa3e`1c7b4600)+0x12
func cutArguments(s string) (symbol string, open bool) {
	bang := strings.IndexByte(s, '!')
	at := strings.IndexByte(s, '(')
	if bang < 0 || at <= bang+1 || strings.HasSuffix(s[:at], "operator") || s[at-1] == ' ' {
		return s, false
	}
	end := strings.LastIndexByte(s, ')')
	if end < at {
		return s[:at], true
	}
	return s[:at] + s[end+1:], false
}

// readSuffixes cuts what stands behind the symbol, keeps the source line and
// the trap frame, and returns the symbol.
func readSuffixes(s string, f *Frame) string {
	if strings.IndexByte(s, ' ') < 0 {
		return s
	}
	if at := strings.Index(s, " //"); at >= 0 {
		s = s[:at]
	}
	for _, mark := range []string{" (FPO:", " (CONV:", " (TrapFrame @", " (Inline Function @", " ["} {
		at := strings.Index(s, mark)
		if at < 0 {
			continue
		}
		tail := s[at+len(mark):]
		switch mark {
		case " [":
			f.Source, _, _ = strings.Cut(tail, "]")
		case " (TrapFrame @":
			f.Trap, _ = kd.ParseAddr(strings.TrimSpace(upTo(tail, ')')))
		case " (FPO:":
			readFPOTrap(tail, f)
		}
		s = s[:at] + restOfSuffix(tail, mark)
	}
	s, _ = kd.TrimBlanks(s)
	return s
}

// readFPOTrap reads the trap frame inside an FPO remark:
//
//	(FPO: [0,0] TrapFrame @ bad4ad64)
func readFPOTrap(tail string, f *Frame) {
	if _, after, ok := strings.Cut(upTo(tail, ')'), "TrapFrame @"); ok {
		f.Trap, _ = kd.ParseAddr(strings.TrimSpace(after))
	}
}

func upTo(s string, end byte) string {
	if at := strings.IndexByte(s, end); at >= 0 {
		return s[:at]
	}
	return s
}

// restOfSuffix returns what follows the bracket that mark opened.
func restOfSuffix(tail, mark string) string {
	end := byte(')')
	if mark == " [" {
		end = ']'
	}
	if at := strings.IndexByte(tail, end); at >= 0 {
		return tail[at+1:]
	}
	return ""
}

// splitOffset cuts "+0x1a" from the end of a symbol; -1 if there is none.
func splitOffset(s string) (string, int64) {
	at := strings.LastIndexByte(s, '+')
	if at < 0 {
		return s, -1
	}
	digits := s[at+1:]
	digits = strings.TrimPrefix(strings.TrimPrefix(digits, "0x"), "0×")
	if len(digits) == len(s)-at-1 {
		return s, -1
	}
	n, err := strconv.ParseInt(digits, 16, 64)
	if err != nil {
		return s, -1
	}
	return s[:at], n
}

// plausibleModule keeps prose and numbers from being taken for call sites: a
// module name has a letter, no blank and no leading dot.
func plausibleModule(s string) bool {
	if len(s) > 64 || strings.HasPrefix(s, ".") {
		return false
	}
	if strings.HasPrefix(s, "<Unloaded_") {
		return strings.HasSuffix(s, ">")
	}
	letters := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80:
			letters = true
		case '0' <= c && c <= '9' || strings.IndexByte("_-.$@", c) >= 0:
		default:
			return false
		}
	}
	return letters
}

// withoutBold takes the marks of Markdown's bold out.
func withoutBold(s string) string {
	if strings.IndexByte(s, '*') < 0 {
		return s
	}
	return strings.ReplaceAll(s, "**", "")
}
