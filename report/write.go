package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"kdlocks/kd"
)

// Style says how a text writer may use its terminal.
type Style struct {
	// Width is the columns of the terminal, 0 if it is none.
	Width int
	Color bool
	// Coverage adds how many lines of each command were understood, and the first
	// of those that were not.
	Coverage bool
	// Trouble says what of the input could not be read, "" if all could.
	Trouble string
	// Version is that of the program, "" if it is not known.
	Version string
}

// prose is the width that sentences are folded to.
func (s Style) prose() int {
	if s.Width <= 0 || s.Width > 100 {
		return 100
	}
	return s.Width
}

// Writer prints a report in one output format.
type Writer func(w io.Writer, r *Report, s Style) error

// documents are the formats whose output is one whole document of one whole
// report: two do not fit behind each other, and a list alone has no such form.
var documents = []string{"dot", "html", "sarif", "svg"}

// IsDocument reports whether a format has only whole documents.
func IsDocument(format string) bool { return slices.Contains(documents, format) }

// WriterFor returns the writer of an output format, nil if there is none. A
// program that names its writers itself is not built with all of them.
func WriterFor(format string) Writer {
	switch format {
	case "dot":
		return WriteDOT
	case "html":
		return WriteHTML
	case "json":
		return WriteJSON
	case "markdown":
		return WriteMarkdown
	case "sarif":
		return WriteSARIF
	case "svg":
		return WriteSVG
	case "table":
		return WriteText
	}
	return nil
}

// Formats returns the names of the output formats, sorted.
func Formats() []string {
	return []string{"dot", "html", "json", "markdown", "sarif", "svg", "table"}
}

// TableFormats returns the names of the formats that lists and tables of parts
// of the model can be printed in, sorted.
func TableFormats() []string { return []string{"json", "markdown", "table"} }

// bare prints an address as the debugger of the report's target would.
func (r *Report) bare(a string) string {
	digits := strings.TrimPrefix(a, "0x")
	width := 16
	if len(digits) <= 8 {
		width = 8
	}
	if a == "" || len(digits) >= width {
		return digits
	}
	return strings.Repeat("0", width-len(digits)) + digits
}

// names finds threads by address.
type names struct {
	r       *Report
	threads map[string]*person
}

func index(r *Report) names {
	n := names{r: r, threads: make(map[string]*person)}
	for i := range r.people {
		p := &r.people[i]
		if k := key(p.session, p.address); n.threads[k] == nil {
			n.threads[k] = p
		}
	}
	return n
}

func key(session int, address string) string { return fmt.Sprintf("%d/%s", session, address) }

// thread names a thread of a session: address, image and CID.
func (n names) thread(session int, a string) string {
	s := n.r.bare(a)
	if p := n.threads[key(session, a)]; p != nil {
		return s + p.who()
	}
	return s
}

func (t *Thread) who() string {
	p := person{cid: t.CID}
	if t.Process != nil {
		p.image = t.Process.Image
	}
	return p.who()
}

// who tells a thread to people: image and CID.
func (p *person) who() string {
	switch {
	case p.image == "" && p.cid == "":
		return ""
	case p.image == "" || p.cid == "":
		return " (" + kd.ShortNames(p.image) + p.cid + ")"
	}
	return " (" + kd.ShortNames(p.image) + ", " + p.cid + ")"
}

// callbacks is the kind of a wait until the callbacks of a driver have returned.
const callbacks = "callbacks"

// lock names what is waited for.
func (n names) lock(s *Step) string {
	switch {
	case s.Kind == callbacks:
		return "the driver's callbacks"
	case s.WaitsFor == "":
		return "a " + s.Kind
	}
	name := s.Kind + " " + n.r.bare(s.WaitsFor)
	if s.Symbol != "" {
		name += " (" + kd.ShortNames(s.Symbol) + ")"
	}
	return name
}

// by says how held_by of a step stands in the way.
func (s *Step) by() string {
	switch {
	case s.Guess && s.Kind == "IRP":
		return "perhaps to be completed by "
	case s.Guess:
		return "perhaps to be answered by "
	}
	switch s.Kind {
	case "thread":
		return "which must end: "
	case "process":
		return "to which belongs "
	case "ALPC message", "LPC message":
		return "to be answered by "
	case "IRP":
		return "to be completed by "
	case "work queue":
		return "served by "
	case callbacks:
		return "one of which runs on "
	}
	if s.Queued {
		return "queued behind "
	}
	return "held by "
}

// sameRoot returns the earlier finding that tells all that a chain's finding
// tells, and what its root waits for, -1 if there is none.
func sameRoot(fs []Finding, i int) int {
	f := &fs[i]
	if f.ID != "blocked-chain" || len(f.Threads) == 0 {
		return -1
	}
	for k := range fs[:i] {
		e := &fs[k]
		if e.ID != f.ID && e.Session == f.Session && len(e.Chain) == len(f.Chain) && len(e.Threads) > 0 && e.Threads[0] == f.Threads[0] {
			return k
		}
	}
	return -1
}
