package collect

import (
	"slices"
	"strings"

	"kdlocks/kd"
)

// Run is what a log holds of one run of the script.
type Run struct {
	Begin kd.Ref // zero if the log begins later
	Last  kd.Ref // the last mark that was read
	Ended bool

	mark Mark
	seen []string // the commands whose marks were read
}

// NewRun returns the run that a mark stands first in.
func NewRun(m Mark, at kd.Ref) *Run {
	r := &Run{Last: at}
	if m.Kind == Begin {
		r.Begin, r.mark = at, m
	}
	return r
}

// Add takes a further mark of the run.
func (r *Run) Add(m Mark, at kd.Ref) {
	r.Last = at
	switch m.Kind {
	case Command:
		if m.Known && !slices.Contains(r.seen, m.Command) {
			r.seen = append(r.seen, m.Command)
		}
	case End:
		r.Ended = true
	}
}

// Live reports whether the machine ran on meanwhile, by what the script says of
// itself.
func (r *Run) Live() bool { return strings.HasPrefix(r.mark.Set, "live") }

// cut reports whether the script began and did not come to its end.
func (r *Run) cut() bool { return r.Begin.Known() && !r.Ended }

// whole returns the commands whose output came to its end: another mark
// follows.
func (r *Run) whole() []string {
	if n := len(r.seen); n > 0 && !r.Ended {
		return r.seen[:n-1]
	}
	return r.seen
}

// Lost is what runs that were cut short did not collect.
type Lost struct {
	At       kd.Ref   // the last mark before the cut
	Within   string   // the command that was running; its output may be whole
	Commands []string // those that did not run, in their order
}

// LostBy returns what is lost of all runs that looked at one moment; the zero
// Lost if nothing is. What one run lost another may have.
func LostBy(runs []*Run) Lost {
	have := make(map[string]bool)
	for _, r := range runs {
		for _, c := range r.whole() {
			have[c] = true
		}
	}
	for _, r := range slices.Backward(runs) {
		if !r.cut() {
			continue
		}
		lost := Lost{At: r.Last}
		if n := len(r.seen); n > 0 && !have[r.seen[n-1]] {
			lost.Within = r.seen[n-1]
		}
		if r.mark.Known {
			for _, s := range sets[r.mark.Set].Sections() {
				if !slices.Contains(r.seen, s.Command) && !have[s.Command] {
					lost.Commands = append(lost.Commands, s.Command)
				}
			}
		}
		if lost.Within != "" || len(lost.Commands) > 0 {
			return lost
		}
	}
	return Lost{}
}
