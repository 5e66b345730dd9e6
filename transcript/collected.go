package transcript

import (
	"slices"

	"kdlocks/collect"
	"kdlocks/kd"
	"kdlocks/objects"
)

// mark takes a line that the script of kdlocks collect printed. It stands for
// a prompt: output that comes without prompts is that of the command it names.
func (r *router) mark(m collect.Mark, l kd.Line) {
	switch m.Kind {
	case collect.Begin:
		// A machine that is looked at again is at another moment, unless its time
		// and uptime say otherwise.
		if len(r.cur.runs) > 0 {
			r.run = nil
			r.split()
		}
		r.beginRun(m, l)
		r.tellLive()
		if r.section >= 0 && r.typed { // it is what the command that runs the script prints first
			r.src.Sections[r.section].EndLine = l.Last()
		}
		r.unnamed(l)
	case collect.Command:
		if r.run == nil {
			r.beginRun(m, l)
		}
		r.run.Add(m, l.All())
		r.named(m, l)
	case collect.Wait:
		r.unnamed(l)
	case collect.End:
		if r.run != nil {
			r.run.Add(m, l.All())
		}
		r.run = nil
		r.unnamed(l)
	}
}

func (r *router) beginRun(m collect.Mark, l kd.Line) {
	r.run, r.factsBefore = collect.NewRun(m, l.All()), r.cur.facts
	if len(r.cur.runs) == mostRuns {
		r.cur.runs[mostRuns-1] = r.run
		return
	}
	r.cur.runs = append(r.cur.runs, r.run)
}

// mostRuns bounds the runs that are kept of a session, the last of them among
// these: nobody runs the script so often at one moment.
const mostRuns = 64

// runsLive reports whether a session was collected while the machine ran on.
// Then the same time and uptime do not tell that another session is of the same
// moment: LiveKD tells those of its beginning.
func (f *facts) runsLive() bool { return slices.ContainsFunc(f.runs, (*collect.Run).Live) }

// tellLive keeps that the machine runs on, where the script says so.
func (r *router) tellLive() {
	if r.run != nil && r.run.Live() && !r.cur.target.LiveAt.Known() {
		r.cur.target.LiveAt = r.run.Begin
	}
}

// carryRun takes the run that goes on into the session that begins. The session
// that ends keeps it if it has facts of it.
func (r *router) carryRun(ended *session) {
	if r.run == nil {
		return
	}
	if n := len(ended.runs); n > 0 && ended.runs[n-1] == r.run && ended.facts == r.factsBefore {
		ended.runs = slices.Clip(ended.runs[:n-1])
	}
	r.cur.runs, r.factsBefore = append(r.cur.runs, r.run), 0
	r.tellLive()
}

// named begins the section of the command that a mark names, unless its own
// prompt will.
func (r *router) named(m collect.Mark, l kd.Line) {
	if r.typedMark {
		r.unnamed(l)
		return
	}
	r.endOutput()
	r.typed = true
	loose := false
	if m.Known || m.Command[0] == '!' { // an extension lets no machine run on
		loose = r.command(m.Command, l)
	}
	r.cur.threads.Prompt(loose)
	r.cur.threads.Typed(m.Command, l.All())
	r.open(m.Command, l)
}

// unnamed ends the section of a command where no other is named.
func (r *router) unnamed(l kd.Line) {
	if r.typedMark { // the output of .echo
		r.typedMark = false
		if r.section >= 0 {
			r.src.Sections[r.section].EndLine = l.Last()
		}
		return
	}
	r.endOutput()
	r.cur.threads.Prompt(true)
	r.section, r.typed = -1, false
}

// endOutput ends what is open in the output of a command.
func (r *router) endOutput() {
	r.cur.locks.Break()
	r.cur.objects.Prompt(objects.Printed{})
	r.cur.modules.Prompt(false)
	r.cur.memory.Break()
	r.title, r.reference = stopTitle{}, false
}
