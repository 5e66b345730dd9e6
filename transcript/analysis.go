package transcript

import (
	"strings"

	"kdlocks/kd"
)

// stopTitle is the first line of what !analyze says of a stop code, until its
// arguments confirm that it is one.
type stopTitle struct {
	name string
	code string
	at   kd.Line
}

// mostDescribed is how many lines !analyze spends, at most, on what a stop code
// means before it comes to the arguments.
const mostDescribed = 16

// analysis takes the lines that !analyze prints around lists and stacks. What
// !analyze -show prints is about no target.
func (r *router) analysis(l kd.Line) bool {
	if b := l.Text[0]; b < 'A' || b > 'Z' {
		return false
	}
	if name, code, ok := stopCodeTitle(l.Text); ok {
		r.title = stopTitle{name, code, l}
		return true
	}
	if isArgument(l.Text) {
		if r.reference {
			return true
		}
		r.confirmTitle()
		r.cur.learnArgument(l)
		return true
	}
	key, value, ok := analysisKey(l.Text)
	if !ok {
		return false
	}
	if !r.reference {
		r.learnKey(key, value, l)
	}
	return true
}

// describing reports whether a line belongs to the words of !analyze about a
// stop code.
func (r *router) describing(l kd.Line) bool {
	return r.title.code != "" && l.Num-r.title.at.Num <= mostDescribed
}

// stopCodeTitle reads "SYSTEM_SERVICE_EXCEPTION (3b)", or what a debugger says of a code
// that is newer than itself: "Unknown bugcheck code (19c)", which has no name
// (github.com/microsoft/WinDbg-Feedback/issues/17).
func stopCodeTitle(text string) (name, code string, ok bool) {
	name, code, _ = strings.Cut(text, " (")
	if code, ok = strings.CutSuffix(code, ")"); !ok || !isStopName(name) && name != unknownStop {
		return "", "", false
	}
	if name == unknownStop {
		name = ""
	}
	digits := kd.AddrDigits(code)
	return name, code, digits > 0 && digits <= 8
}

const unknownStop = "Unknown bugcheck code"

// isStopName accepts words of capital letters, digits and underscores, one
// underscore at least.
func isStopName(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c != '_' && !('A' <= c && c <= 'Z' || '0' <= c && c <= '9') {
			return false
		}
	}
	return strings.Contains(s, "_")
}

// isArgument reports whether a line is "Arguments:" or one of the four below.
func isArgument(text string) bool {
	if text == "Arguments:" {
		return true
	}
	return len(text) > 5 && strings.HasPrefix(text, "Arg") && text[3] >= '1' && text[3] <= '4' && text[4] == ':'
}

// confirmTitle makes the stop code of the title that of the session; another
// one than it had begins another session.
func (r *router) confirmTitle() {
	t := r.title
	r.title = stopTitle{}
	if t.code == "" {
		return
	}
	r.stopCode(t.code, t.at)
	if b := r.cur.target.Bugcheck; b != nil && !r.cur.otherBugcheck(t.code) {
		b.Name = t.name
	}
}

func (r *router) stopCode(code string, l kd.Line) {
	if r.cur.facts > 0 && r.cur.otherBugcheck(code) {
		r.split()
	}
	r.cur.setBugcheck(code, l)
}

// learnArgument reads "Arg1: 00000000c0000005, Exception code that ...".
func (s *session) learnArgument(l kd.Line) {
	if l.Text == "Arguments:" {
		return
	}
	c := kd.Cursor{Text: l.Text[5:]}
	w, _ := c.Word()
	s.target.Bugcheck.SetArg(int(l.Text[3]-'1'), strings.TrimRight(w, ",."), l.All())
}

// analysisKeys are the keys of !analyze without an underscore.
var analysisKeys = map[string]bool{"CONTEXT": true, "Followup": true, "Value": true, "Key": true, "FOLLOWUP": true, "BLACKBOXBSD": true, "BLACKBOXNTFS": true, "BLACKBOXPNP": true, "BLACKBOXWINLOGON": true, "ADDITIONAL": true, "OSNAME": true, "OSBUILD": true, "OSSERVICEPACK": true, "Debugging Details": true}

// analysisKey cuts "PROCESS_NAME:  System".
func analysisKey(text string) (key, value string, ok bool) {
	key, value, ok = strings.Cut(text, ":")
	if !ok {
		return "", "", false
	}
	key, _ = kd.TrimBlanks(key)
	value, _ = kd.TrimBlanks(value)
	return key, value, analysisKeys[key] || isStopName(key)
}

// learnKey keeps the facts of the target that a key holds.
func (r *router) learnKey(key, value string, l kd.Line) {
	word := value
	if at := strings.IndexAny(value, " \t"); at >= 0 {
		word = value[:at]
	}
	switch key {
	case "BUGCHECK_CODE":
		if word != "" && word != "0" {
			r.title = stopTitle{}
			r.stopCode(word, l)
		}
	case "BUGCHECK_P1", "BUGCHECK_P2", "BUGCHECK_P3", "BUGCHECK_P4":
		r.cur.target.Bugcheck.SetArg(int(key[10]-'1'), word, l.All())
	case "OS_VERSION", "BUILD_VERSION_STRING", "OSBUILD":
		r.cur.learnBuild(word, l)
	case "OSPLATFORM_TYPE":
		if arch := map[string]kd.Arch{"x64": kd.X64, "x86": kd.X86, "arm64": kd.ARM64}[strings.ToLower(word)]; r.cur.target.Arch == kd.ArchUnknown {
			r.cur.target.Arch = arch
		}
	case "OSNAME":
		r.cur.target.OSName, r.cur.target.OSNameAt = strings.Clone(value), l.All()
	case "PROCESS_NAME":
		r.cur.target.Process = value
	case "FAILURE_BUCKET_ID":
		r.cur.target.FailureBucket = value
	}
}
