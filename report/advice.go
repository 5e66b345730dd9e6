package report

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
)

// Advice says in a sentence what the input is like where that is not what an
// analysis needs, and what to type.
type Advice struct {
	ID       string   `json:"id"`
	Text     string   `json:"text"`
	Commands []string `json:"commands,omitempty"`
}

// NothingRead is what to type where nothing was recognised.
var NothingRead = Advice{
	ID:       "nothing-recognised",
	Text:     "Nothing in it was recognised as output of a kernel debugger. Open the dump in WinDbg, type these, and paste what comes:",
	Commands: []string{".logopen C:\\hang.log", "!locks -v", "!stacks 2", "!process 0 7", ".logclose"},
}

// UserModeRead is what to type where a user-mode debugger printed what was given, and
// nothing of it was recognised.
var UserModeRead = Advice{
	ID:       "user-mode",
	Text:     "This is the output of a user-mode debugger: its !locks lists critical sections of one process, not ERESOURCEs. Critical sections are judged together with the stacks of their threads; type these there. For ERESOURCEs, !locks is to be typed in a kernel debugger.",
	Commands: []string{".logopen C:\\hang.log", "!locks", "~*kv", ".logclose"},
}

// WrongSymbols is what to type where extensions refused to work for the symbols of the
// kernel, and nothing was recognised.
var WrongSymbols = Advice{
	ID:       "wrong-symbols",
	Text:     "The debugger says that its symbols of the kernel are wrong, so its extensions print nothing. Load them, and run the commands again:",
	Commands: []string{".symfix", ".reload /f nt", "!locks -v", "!stacks 2", "!process 0 7"},
}

// mostCommandsAdvised bounds the commands of one advice.
const mostCommandsAdvised = 12

// Advice returns what the reader of the report should know of the input first.
func (r *Report) Advice() []Advice {
	var out []Advice
	if slices.ContainsFunc(r.Inputs, func(in Input) bool { return in.Dump != nil }) {
		return r.adviceOfDumps()
	}
	for _, a := range []Advice{r.userMode(), r.severalMachines(), r.cutShort(), r.noStacks(), r.noLocks(), r.notUnderstood(), r.missing()} {
		if a.Text != "" {
			out = append(out, a)
		}
	}
	return out
}

// adviceOfDumps tells what crash dumps lack: nothing that could be typed adds to them.
func (r *Report) adviceOfDumps() []Advice {
	var out []Advice
	for _, g := range r.Gaps {
		if g.Decides && len(out) == 0 {
			out = append(out, Advice{ID: "dump", Text: "What decides is not in the dump: " + g.What + " (" + g.Why + "). A small dump has no list of locks; a kernel or complete dump has it. kdlocks dump info says which symbols belong to it."})
		}
	}
	if a := r.severalMachines(); a.Text != "" {
		out = append(out, a)
	}
	return out
}

// userMode tells of the !locks of a user-mode debugger.
func (r *Report) userMode() Advice {
	switch {
	case !r.Resources.IsZero():
		return Advice{}
	case len(r.CriticalSections) == 0 && r.ofProgram:
		return Advice{
			ID:       "user-mode",
			Text:     "These are threads of one process, printed by a user-mode debugger, without its list of critical sections:",
			Commands: []string{"!locks", "~*kv"},
		}
	case len(r.CriticalSections) == 0:
		return Advice{}
	case r.kernel:
		return Advice{
			ID:       "user-mode",
			Text:     "These are critical sections, the locks of one process. The kernel's own locks are not in the input:",
			Commands: []string{"!kdexts.locks -v", "!stacks 2"},
		}
	}
	return Advice{
		ID:       "user-mode",
		Text:     "These are critical sections of one process: the !locks of a user-mode debugger. The kernel's locks are listed by the !locks of a kernel debugger or a kernel dump:",
		Commands: []string{"!kdexts.locks -v", "!stacks 2"},
	}
}

// severalMachines tells of sessions whose facts were not joined.
func (r *Report) severalMachines() Advice {
	if len(r.Sessions) < 2 {
		return Advice{}
	}
	var kinds, names []string
	for _, s := range r.Sessions {
		if t := strings.TrimSpace(s.Target.Arch + " " + s.Target.Build); !slices.Contains(kinds, t) {
			kinds = append(kinds, t)
		}
		if n := s.Target.machine; n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if len(names) > 1 {
		kinds = names
	}
	text := fmt.Sprintf("The input holds %d sessions or moments. Facts of one are never joined with those of another, and each was judged alone.", len(r.Sessions))
	if len(kinds) > 1 {
		text = fmt.Sprintf("The input is of more than one machine (%s). ", strings.Join(kinds, ", ")) + text
	} else {
		text += " If they are captures of one machine, a comparison tells what is frozen and what moves."
	}
	return Advice{ID: "several-sessions", Text: text}
}

// cutShort tells of a log that ends too early: by its own marks, within a line, or with
// fewer items than it announces.
func (r *Report) cutShort() Advice {
	for _, g := range r.Gaps {
		if g.Why == string(kd.CutShort) {
			return Advice{ID: "cut", Text: "The input looks cut. Missing is " + g.What + ".", Commands: []string{g.NextCommand}}
		}
	}
	for _, n := range r.Notes {
		if n.At == nil {
			continue
		}
		for _, in := range r.Inputs {
			if in.Name == n.At.Input && in.Lines == max(n.At.Line, n.At.EndLine) && in.Lines > 1 {
				return Advice{ID: "cut", Text: fmt.Sprintf("The input seems to end within line %d: %s. Log to a file instead of copying from the window:", in.Lines, strings.TrimSuffix(n.Text, ".")), Commands: logToFile}
			}
		}
	}
	for _, c := range r.SelfCheck {
		if c.ID == "counts-fit-lists" && c.Result == "failed" && len(c.Places) > 0 {
			return Advice{ID: "cut", Text: "The input looks cut: " + strings.TrimSuffix(c.Places[0].Text, ".") + ". Log to a file instead of copying from the window:", Commands: logToFile}
		}
	}
	return Advice{}
}

var logToFile = []string{".logopen C:\\hang.log", "!locks -v", ".logclose"}

// noStacks tells that threads are named and none has a stack, where one could say more.
func (r *Report) noStacks() Advice {
	if v := r.Verdict; v.Kind == "no-deadlock" || v.Kind != "undecided" && v.Confidence == "certain" {
		return Advice{}
	}
	for t := range r.Threads.All() {
		if len(t.Frames) > 0 {
			return Advice{}
		}
	}
	if r.Resources.IsZero() && r.threadCount == 0 {
		return Advice{}
	}
	return Advice{ID: "no-stacks", Text: "No stack was given: what a thread does, and which frame an owner pointer lies in, cannot be seen. These print all:", Commands: []string{"!stacks 2", "!process 0 7"}}
}

// noLocks tells that there are threads and no list of locks.
func (r *Report) noLocks() Advice {
	if !r.Resources.IsZero() || len(r.CriticalSections) > 0 || r.threadCount == 0 || r.ofProgram {
		return Advice{}
	}
	for _, in := range r.Inputs {
		for _, s := range in.Sections {
			if strings.Contains(s.Command, "locks") {
				return Advice{}
			}
		}
	}
	return Advice{ID: "no-locks", Text: "No list of ERESOURCEs was given: who owns what is waited for cannot be seen.", Commands: []string{"!locks -v"}}
}

// notUnderstood tells where much of the input was not understood.
func (r *Report) notUnderstood() Advice {
	const few = 5
	lines, read := 0, 0
	for _, in := range r.Inputs {
		lines, read = lines+in.Lines, read+in.LinesUnderstood
	}
	if lines-read < few || (lines-read)*4 < lines {
		return Advice{}
	}
	return Advice{ID: "not-understood", Text: fmt.Sprintf("%d of %d lines were not understood; the coverage lists them. If a mail program or a forum changed the text, paste it as the debugger printed it.", lines-read, lines)}
}

// missing gathers the commands that supply facts that decide.
func (r *Report) missing() Advice {
	a := Advice{ID: "missing"}
	for _, g := range r.Gaps {
		if g.Decides && g.NextCommand != "" && !slices.Contains(a.Commands, g.NextCommand) && len(a.Commands) < mostCommandsAdvised {
			a.Commands = append(a.Commands, g.NextCommand)
		}
	}
	if len(a.Commands) > 0 {
		a.Text = "A fact is missing that decides. Type this and add what comes to the input:"
	}
	return a
}

// NextCommands returns what to type next, each once: what supplies a fact that
// decides, then what the findings ask for, then the rest.
func (r *Report) NextCommands() []string {
	out := []string{}
	add := func(c string) {
		if c != "" && !slices.Contains(out, c) && len(out) < mostCommandsAdvised {
			out = append(out, c)
		}
	}
	for _, g := range r.Gaps {
		if g.Decides {
			add(g.NextCommand)
		}
	}
	for i := range r.Findings {
		for _, c := range r.Findings[i].NextCommands {
			add(c)
		}
	}
	for _, g := range r.Gaps {
		add(g.NextCommand)
	}
	return out
}
