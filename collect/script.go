package collect

import (
	"errors"
	"fmt"
	"strings"
)

// Options say what the script does.
type Options struct {
	Set
	// Log is the file that the debugger writes what it prints into; "" for none.
	Log string
	// Twice collects a second time after so many minutes; 0 for once.
	Twice int
}

// mostMinutes bounds the wait between two collections: a day.
const mostMinutes = 24 * 60

// lineEnd is the line end of the script. $$>< puts a semicolon in the place of
// every carriage return, says Microsoft's documentation, so there must be one.
const lineEnd = "\r\n"

// Script returns the text of the script, one command on each line.
func Script(o Options) (string, error) {
	if o.Twice < 0 || o.Twice > mostMinutes {
		return "", fmt.Errorf("%d minutes: not 1 to %d", o.Twice, mostMinutes)
	}
	if o.Twice > 0 && !o.Live {
		return "", errors.New("only a machine that runs on changes while the debugger waits: at an lkd> prompt; elsewhere let it go on with g, break in again, and run the script again")
	}
	var lines []string
	if o.Log != "" {
		open, err := logOpen(o.Log)
		if err != nil {
			return "", err
		}
		lines = append(lines, open)
	}
	lines = o.once(lines)
	if o.Twice > 0 {
		lines = append(lines, echo(waitMark(o.Twice)), fmt.Sprintf(".sleep 0n%d", o.Twice*60*1000))
		lines = o.once(lines)
	}
	if o.Log != "" {
		lines = append(lines, ".logclose")
	}
	return strings.Join(lines, lineEnd) + lineEnd, nil
}

// once adds one collection.
func (o Options) once(lines []string) []string {
	lines = append(lines, echo(beginMark(o.Set)))
	for _, s := range o.Sections() {
		lines = append(lines, echo(commandMark(s.Command)), s.Command)
	}
	return append(lines, echo(endMark()))
}

func echo(text string) string { return ".echo " + text }

// logOpen returns the command that opens a log. With /t the debugger puts its
// process, the date and the time behind the name, so that no log is written
// over another.
func logOpen(name string) (string, error) {
	if err := checkName(name); err != nil {
		return "", fmt.Errorf("the log %q: %w", name, err)
	}
	if strings.ContainsAny(name, " ") {
		name = `"` + name + `"`
	}
	return ".logopen /t " + name, nil
}

// checkName refuses names that the debugger would read otherwise than they are
// meant, or Windows does not take.
func checkName(name string) error {
	for i, c := range name {
		switch {
		case c == ';':
			return errors.New("a semicolon ends the command")
		case c < ' ' || strings.ContainsRune(`<>"|?*`, c):
			return fmt.Errorf("a name cannot have %q in Windows", c)
		case c > '~':
			return fmt.Errorf("%q: name it in ASCII, the encoding that every debugger reads a script in", c)
		case c == ':' && i != 1:
			return errors.New("a colon stands behind the letter of a drive only")
		}
	}
	switch {
	case strings.Contains(name, "${"):
		return errors.New("the debugger would replace ${ by an alias")
	case strings.TrimSpace(name) != name:
		return errors.New("it begins or ends with a blank")
	case name[0] == '/' || name[0] == '-':
		return errors.New("the debugger would take it for an option")
	case strings.HasSuffix(name, `\`) || strings.HasSuffix(name, "/"):
		return errors.New("it names a folder")
	}
	return nil
}
