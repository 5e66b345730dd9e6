package transcript

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// prompt is a debugger prompt and what was typed behind it.
type prompt struct {
	command string
	system  string // "0" of ||0:2: kd>, the number of one of several targets
	user    bool   // a user-mode prompt, such as 0:006>
	thread  int    // of a user-mode prompt, 6 in 0:006>
	local   bool   // lkd>: the debugger looks at the machine that it runs on
}

// parsePrompt reads
//
//	kd> !locks
//	2: kd> kn
//	0:kd> !deadlock
//	lkd> !thread 8982d030
//	0: kd:x86> k
//	0: kd&gt; !process 0 7
//	0:006> !locks
//	0 : kd >   ! locks
func parsePrompt(text string) (prompt, bool) {
	if len(text) > 2 && text[1] == ' ' && text[2] == ':' {
		return spacedPrompt(text)
	}
	s, system := skipProcessor(text)
	word := s
	for _, p := range []string{"lkd", "kd"} {
		if kd.HasPrefixFold(s, p) {
			s = s[len(p):]
			break
		}
	}
	if s == word {
		return userPrompt(text)
	}
	if strings.HasPrefix(s, ":") { // the effective machine: kd:x86>
		end := strings.IndexAny(s, "> &")
		if end < 0 || end > 12 {
			return prompt{}, false
		}
		s = s[end:]
	}
	p, ok := afterPrompt(s, false)
	p.system, p.local = system, kd.HasPrefixFold(word, "l")
	return p, ok
}

// spacedPrompt reads a prompt between whose signs a page put blanks.
func spacedPrompt(text string) (prompt, bool) {
	if text[0] < '0' || text[0] > '9' {
		return prompt{}, false
	}
	c := kd.Cursor{Text: text[2:]}
	if !c.Take(": kd >") && !c.Take(": lkd >") {
		return prompt{}, false
	}
	rest, _ := c.Rest()
	if name, ok := strings.CutPrefix(rest, "!"); ok {
		name, _ = kd.TrimBlanks(name)
		rest = "!" + name
	}
	return prompt{command: rest}, true
}

func afterPrompt(s string, user bool) (prompt, bool) {
	rest, ok := strings.CutPrefix(s, ">")
	if !ok {
		if rest, ok = strings.CutPrefix(s, "&gt;"); !ok {
			return prompt{}, false
		}
	}
	rest, _ = kd.TrimBlanks(rest)
	if at := strings.Index(rest, " //"); at >= 0 {
		rest, _ = kd.TrimBlanks(rest[:at])
	}
	return prompt{command: rest, user: user}, true
}

// skipProcessor moves over "2: ", "16.0: " and the system number "||1:".
func skipProcessor(s string) (rest, system string) {
	several := strings.HasPrefix(s, "||")
	s = strings.TrimLeft(s, "|")
	for i := range 2 {
		n := 0
		for n < len(s) && n < 6 && (s[n] >= '0' && s[n] <= '9' || s[n] == '.') {
			n++
		}
		if n == 0 || n >= len(s) || s[n] != ':' {
			break
		}
		if several && i == 0 {
			system = s[:n]
		}
		s, _ = kd.TrimBlanks(s[n+1:])
	}
	return s, system
}

// userPrompt reads the user-mode prompt: process, colon, thread.
func userPrompt(s string) (prompt, bool) {
	i := 0
	for i < len(s) && i < 12 && (s[i] >= '0' && s[i] <= '9' || s[i] == ':') {
		i++
	}
	if i == 0 || !strings.Contains(s[:i], ":") {
		return prompt{}, false
	}
	p, ok := afterPrompt(s[i:], true)
	p.thread, _ = strconv.Atoi(s[strings.LastIndexByte(s[:i], ':')+1 : i])
	return p, ok
}

// stackCommands print frames, with or without column heads.
var stackCommands = map[string]bool{
	"k": true, "kb": true, "kc": true, "kd": true, "kl": true, "kn": true, "kp": true, "kv": true,
	"!thread": true, "!process": true,
	"!locks": true, "!analyze": true, "!running": true, "!ready": true, "!findstack": true,
}

// isStackCommand reports whether frames may stand without column heads in the
// output of a command: k in all its forms, and the extensions that print
// stacks. In other output two addresses and a symbol are a dump of memory.
func isStackCommand(word string) bool {
	return stackCommands[word] || len(word) > 1 && len(word) < 6 && word[0] == 'k' && stackCommands[word[:2]]
}

// commandWord returns the first word of a command in lower case.
func commandWord(command string) string {
	c := kd.Cursor{Text: command}
	w, _ := c.Word()
	w = strings.ToLower(w)
	for _, p := range []string{"!kdexts.", "!kdextx86.", "!kdext.", "!uext.", "!ext."} {
		if rest, ok := strings.CutPrefix(w, p); ok {
			return "!" + rest
		}
	}
	return w
}

// printsFields reports whether a command may print the fields of a type, as dt
// does.
func printsFields(word string) bool {
	return word == "dt" || word == "dtx" || word == "dx" || strings.HasPrefix(word, "?") || strings.HasSuffix(word, "ddt")
}

// resumes are commands after which the machine ran on, or another one is looked
// at: what follows is another moment.
var resumes = map[string]bool{
	"g": true, "gh": true, "gn": true, "gc": true, "gu": true, "p": true, "pa": true, "pc": true, "pct": true,
	"ph": true, "pt": true, "t": true, "ta": true, "tb": true, "tc": true, "tct": true, "th": true, "tt": true,
	"wt": true, ".reboot": true, ".crash": true, ".opendump": true, ".restart": true, ".attach": true,
}

// isComment reports whether a part of a command line is a remark.
func isComment(command string) bool {
	c, _ := kd.TrimBlanks(command)
	return strings.HasPrefix(c, "*") || strings.HasPrefix(c, "$$")
}

// isRefusal reports whether a debugger answers that it did not run a command:
//
//	^ No runnable debuggees error in 'g'
func isRefusal(text string) bool {
	return strings.HasPrefix(text, "^") || strings.Contains(text, " error in '")
}

// asksForAll reports whether a !locks command names no resource: all its
// arguments are switches.
func asksForAll(command string) bool {
	c := kd.Cursor{Text: command}
	c.Word()
	for {
		w, _ := c.Word()
		if w == "" {
			return true
		}
		if !strings.HasPrefix(w, "-") {
			return false
		}
	}
}

// addressOf returns the address among the arguments of a command.
func addressOf(command string) (kd.Addr, bool) {
	c := kd.Cursor{Text: command}
	c.Word()
	for {
		w, _ := c.Word()
		if w == "" {
			return 0, false
		}
		if a, ok := kd.ParseFullAddr(w); ok {
			return a, true
		}
	}
}
