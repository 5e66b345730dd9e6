package transcript

import (
	"strings"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/memory"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// Logs of performance counters are no session of a debugger: their head names the
// machine. They go with the one session of the input that may be of that machine, or
// make one of their own.

// takeCounters takes the counter logs out of what the sessions read.
func takeCounters(sessions []*rawSession) []*memory.CounterLog {
	var out []*memory.CounterLog
	for _, s := range sessions {
		if m := s.facts.memory; m != nil && len(m.Counters) > 0 {
			rest := *m
			out, rest.Counters = append(out, m.Counters...), nil
			s.facts.memory = &rest
		}
	}
	return out
}

// addCounters gives counter logs to the session that they go with.
func (r *router) addCounters(logs []*memory.CounterLog) {
	machines := memory.ByMachine(logs)
	if len(machines) == 1 && len(r.out.Snapshots) == 1 && mayBe(r.out.Snapshots[0], machines[0].Machine) {
		r.out.Snapshots[0].SetCounters(machines[0].Logs)
		return
	}
	for _, m := range machines {
		r.attached++
		s := snapshot.Build(snapshot.Target{Machine: m.Machine, Attached: r.attached}, locks.Listing{}, threads.Listing{}, nil, nil)
		s.SetCounters(m.Logs)
		r.out.Snapshots = append(r.out.Snapshots, s)
	}
}

// mayBe reports whether nothing says that a session is of another machine.
func mayBe(s *snapshot.Snapshot, machine string) bool {
	other := strings.Trim(s.Target.Machine, `"`)
	return machine == "" || other == "" || strings.EqualFold(machine, other)
}

// counterRow reports whether a line, without the quoting of a mail, is of a counter
// log: such lines are long, alike and full of marks, and nothing is repaired in them.
func (r *Repair) counterRow(text string) bool {
	for text != "" && (text[0] == '>' || text[0] == ' ') {
		text = text[1:]
	}
	switch {
	case text == "":
		return false
	case memory.IsCounterHead(text):
		r.counters = true
		return true
	}
	return r.counters && memory.IsCounterRow(text)
}

// pushCounters takes a line of a counter log past the repair of others. It waits for
// the next line, which tells that the input does not end in it.
func (r *Repair) pushCounters(raw string, num int32, emit func(kd.Line)) {
	r.batch(true, emit)
	text, off := kd.TrimBlanks(raw)
	w := row{raw: raw, text: text, num: num, off: int32(off)}
	r.unquote(&w)
	r.count(w.fixes, num)
	r.counterLine, r.hasCounter = w, true
}

// endCounters gives out the line of a counter log that waits; ends is true if the
// input ends in it.
func (r *Repair) endCounters(ends bool, emit func(kd.Line)) {
	if r.hasCounter {
		r.hasCounter, r.counterLine.cut = false, ends
		emit(r.line(&r.counterLine))
	}
}
