package collect

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"kdlocks/kd"
)

// Version is that of the marks and the list of commands.
const Version = 1

// Kind says what a mark tells.
type Kind uint8

// The marks of a script.
const (
	Begin Kind = iota + 1
	Command
	Wait // the debugger waits before it collects again
	End
)

// Mark is a line that the script prints into the log.
//
//	kdlocks-collect v1 begin full
//	kdlocks-section !process 0 7
//	kdlocks-collect v1 waits 10 minutes
//	kdlocks-collect v1 end
type Mark struct {
	Kind    Kind
	Version int
	Set     string // of Begin, in lower case
	Known   bool   // of Begin and Command: this version has that set or command
	Command string // whose output follows, in the spelling of this version if known
}

const (
	markPrefix = "kdlocks-"
	collectKey = "kdlocks-collect"
	sectionKey = "kdlocks-section"
)

// The texts of the marks.
func beginMark(s Set) string      { return fmt.Sprintf("%s v%d begin %s", collectKey, Version, s) }
func commandMark(c string) string { return sectionKey + " " + c }
func waitMark(minutes int) string {
	return fmt.Sprintf("%s v%d waits %s", collectKey, Version, kd.Plural(minutes, "minute"))
}
func endMark() string { return fmt.Sprintf("%s v%d end", collectKey, Version) }

// Marks returns the marks of all scripts of this version, but for the one that
// tells how long the debugger waits.
func Marks() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(sets)) {
		out = append(out, beginMark(sets[name]))
	}
	for _, s := range sections {
		out = append(out, commandMark(s.Command))
	}
	return append(out, endMark())
}

// mostCommand bounds a command that a mark names, in bytes: nobody types more.
const mostCommand = 80

// ParseMark reads a mark, in any case and with any blanks between its words.
func ParseMark(text string) (Mark, bool) {
	if !kd.HasPrefixFold(text, markPrefix) {
		return Mark{}, false
	}
	c := kd.Cursor{Text: text}
	if c.Take(sectionKey) {
		rest, _ := c.Rest()
		m := Mark{Kind: Command, Version: Version}
		m.Command, m.Known = known(strings.Join(strings.Fields(rest), " "))
		return m, m.Command != "" && len(m.Command) <= mostCommand
	}
	if !c.Take(collectKey) {
		return Mark{}, false
	}
	n, ok := version(lowerWord(&c))
	if !ok {
		return Mark{}, false
	}
	m := Mark{Version: n}
	switch lowerWord(&c) {
	case "begin":
		m.Kind, m.Set = Begin, lowerWord(&c)
		_, m.Known = sets[m.Set]
		m.Known = m.Known && n == Version
		return m, c.Peek() == "" && m.Set != ""
	case "waits":
		m.Kind = Wait
		return m, true
	case "end":
		m.Kind = End
		return m, c.Peek() == ""
	}
	return Mark{}, false
}

func lowerWord(c *kd.Cursor) string {
	w, _ := c.Word()
	return strings.ToLower(w)
}

// version reads "v1".
func version(w string) (int, bool) {
	digits, ok := strings.CutPrefix(w, "v")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n > 0
}

// Typed reads one command that was typed, and reports whether it prints a mark.
//
//	.echo kdlocks-section !locks
func Typed(command string) (Mark, bool) {
	c := kd.Cursor{Text: command}
	if !c.Take(".echo") {
		return Mark{}, false
	}
	rest, _ := c.Rest()
	rest, _ = kd.TrimBlanks(rest)
	return ParseMark(rest)
}
