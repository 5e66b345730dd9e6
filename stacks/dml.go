package stacks

import "strings"

// stripDML takes the marks of the Debugger Markup Language off a frame that kM
// printed and that was copied with them:
//
//	<exec cmd=".frame 0n2;dv /t /v">02</exec> fffff880`07fab5b0 fffff800`0224ec9e nt!X+0x19f
func stripDML(s string) string {
	if !strings.Contains(s, "</") {
		return s
	}
	var b strings.Builder
	for {
		at := nextTag(s)
		if at < 0 {
			b.WriteString(s)
			return b.String()
		}
		end := strings.IndexByte(s[at:], '>')
		if end < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:at])
		s = s[at+end+1:]
	}
}

// nextTag finds the next mark, -1 if there is none.
func nextTag(s string) int {
	for i := 0; i < len(s); i++ {
		if s[i] != '<' {
			continue
		}
		name := strings.TrimPrefix(s[i+1:], "/")
		for _, tag := range []string{"exec", "link", "col", "b", "i", "u"} {
			rest, ok := strings.CutPrefix(name, tag)
			if ok && rest != "" && (rest[0] == '>' || rest[0] == ' ') {
				return i
			}
		}
	}
	return -1
}
