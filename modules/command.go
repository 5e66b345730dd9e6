package modules

import (
	"strings"

	"kdlocks/kd"
)

// Request is what an lm command asks for (Microsoft Learn: lm, List Loaded
// Modules). The zero Request is that of no known command.
type Request struct {
	Command string // as typed, "" if it is not known
	// Kernel and User tell which modules it lists. Kernel modules are those of the
	// machine; user-mode ones are those of one process.
	Kernel, User bool
	// Pattern is what names must match, "" if all are listed; Filtered is set where
	// another choice is made: by address, or by what is known of symbols.
	Pattern  string
	Filtered bool
}

// ParseCommand reads an lm command, and reports whether it is one. user is set
// at the prompt of a user-mode debugger.
//
//	lm   lmv   lm kv   lmvm sis   lmDvmsis   lm v m sis*   lm t n   lmnt   lm D sm   lm a fffff80002a00000
func ParseCommand(command string, user bool) (Request, bool) {
	text, _ := kd.TrimBlanks(command)
	if !kd.HasPrefixFold(text, "lm") {
		return Request{}, false
	}
	r := Request{Command: strings.Clone(clip(text)), Kernel: !user, User: true}
	for s := text[2:]; s != ""; s = s[1:] {
		switch c := s[0] | 0x20; {
		case c == ' ' || s[0] == '\t':
		case c == 'm' || c == 'a':
			rest, _ := kd.TrimBlanks(s[1:])
			rest = strings.Trim(rest, `"`)
			switch {
			case c == 'a':
				r.Filtered = true
			case rest != "" && strings.Trim(rest, "*") != "":
				r.Pattern = strings.Clone(clip(rest))
			}
			return r, true
		case c == 's' && len(s) > 1 && s[1]|0x20 == 'm': // sort by name
			s = s[1:]
		case c == 'k':
			r.User = user
		case c == 'u':
			r.Kernel = false
		case c == 'l' || c == 'e':
			r.Filtered = true
		case s[0] == '1': // names alone, which are not read
			return Request{}, false
		case strings.IndexByte("vdoctnifp", c) >= 0:
		default:
			return Request{}, false
		}
	}
	return r, true
}

// Covers reports whether a kernel module of this name would have been listed.
func (r *Request) Covers(name string) bool {
	return r.Kernel && !r.Filtered && (r.Pattern == "" || matches(strings.ToLower(r.Pattern), Key(name)))
}

// matches reports whether a name fits a pattern of the debugger, of which * and
// ? are known here: nothing fits one with other signs.
func matches(pattern, name string) bool {
	if strings.ContainsAny(pattern, `[]#+\`) {
		return false
	}
	p, n, star, mark := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p, n = p+1, n+1
		case star >= 0:
			mark++
			p, n = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// mostText bounds what is kept of a text, in bytes.
const mostText = 1024

func clip(s string) string {
	if len(s) > mostText {
		return strings.ToValidUTF8(s[:mostText], "")
	}
	return s
}
