package stacks

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// languages are the words of the Language column of a Visual Studio call stack.
var languages = map[string]bool{"C": true, "C++": true, "ASM": true, "C/C++": true, "C/C++/ASM": true, "C++/ASM": true, "Unknown": true}

// isLanguage reports whether a line holds only the last column of a frame that
// did not fit.
func isLanguage(text string) bool {
	return len(text) <= len("C/C++/ASM") && languages[text]
}

// IsVisualStudioFrame reports whether a line is one of a call stack as Visual
// Studio copies it: marker, call site and language, set off by tabs, without
// any address:
//
//	>	OpenZFS!zap_add+0xe0 [C:\src\zap_micro.c @ 1310] 	C/C++/ASM
//	 	drv.sys!DispatchRead(_DEVICE_OBJECT * dev, _IRP * irp) Line 123	C++
//
// The language may stand on the next line behind a marked frame that ends with
// its source.
func IsVisualStudioFrame(l kd.Line) bool {
	_, ok := visualStudioFrame(l)
	return ok
}

func visualStudioFrame(l kd.Line) (Frame, bool) {
	f := Frame{At: l.All(), Offset: -1, Bare: true}
	if rest, ok := strings.CutPrefix(l.Text, ">\t"); ok && strings.HasSuffix(rest, "]") {
		ok = readSymbol(rest, &f) && f.Function != "" && f.Offset >= 0 && strings.Contains(f.Source, " @ ")
		f.Module = imageBase(f.Module)
		return f, ok
	}
	if n := len(l.Text); n == 0 || l.Text[n-1] != '+' && l.Text[n-1] < 'A' {
		return f, false
	}
	at := strings.LastIndexAny(l.Text, " \t")
	if at < 0 || !languages[l.Text[at+1:]] {
		return f, false
	}
	site, _ := kd.TrimBlanks(strings.TrimPrefix(l.Text[:at], ">"))
	site, line, bytes := cutLineNumber(site)
	if !readSymbol(site, &f) || f.Function == "" || strings.ContainsAny(f.Function, " \t") && !strings.ContainsAny(f.Function, "`<") {
		return f, false
	}
	if f.Source == "" {
		f.Source = line
	}
	if line == "" && bytes >= 0 {
		f.Offset = bytes
	}
	f.Module = imageBase(f.Module)
	return f, true
}

// cutLineNumber cuts " Line 123", and " + 0x1a bytes" behind it or in its place,
// off a call site. The bytes count from the line, or without one from the
// function; -1 if they are not printed.
func cutLineNumber(site string) (rest, line string, bytes int64) {
	bytes = -1
	if s, ok := strings.CutSuffix(site, " bytes"); ok {
		if at := strings.LastIndex(s, " + 0x"); at >= 0 {
			if n, err := strconv.ParseInt(s[at+len(" + 0x"):], 16, 64); err == nil {
				site, bytes = s[:at], n
			}
		}
	}
	at := strings.LastIndex(site, " Line ")
	if at < 0 {
		return site, "", bytes
	}
	return site[:at], site[at+1:], bytes
}

// imageBase takes the extension off the file name that Visual Studio prints for
// a module.
func imageBase(name string) string {
	for _, ext := range []string{".sys", ".exe", ".dll"} {
		if n := len(name) - len(ext); n > 0 && strings.EqualFold(name[n:], ext) {
			return name[:n]
		}
	}
	return name
}
