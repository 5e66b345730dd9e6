package locks

import "kdlocks/kd"

// Round is the output of one !locks command. A live system that is asked twice
// answers for two moments, and those are never joined.
type Round struct {
	At kd.Ref // its first line
	// Full is set when all resources were asked for, not one by its address.
	Full bool
	// Seen is set when output was read, and not the command alone.
	Seen bool
	// Complete is set when its closing line was read.
	Complete bool
	Total    Printed
	Held     Printed
}

// Begin tells the reader that a !locks command was typed; full is set when it
// asks for all resources.
func (r *Reader) Begin(at kd.Ref, full bool) {
	r.Break()
	r.out.Rounds = append(r.out.Rounds, Round{At: at, Full: full})
}

// round returns the round that a line belongs to, a new one if the last is
// complete or there is none.
func (r *Reader) round(l kd.Line) *Round {
	n := len(r.out.Rounds)
	if n == 0 || r.out.Rounds[n-1].Complete {
		r.out.Rounds = append(r.out.Rounds, Round{At: l.All()})
		n++
	}
	r.out.Rounds[n-1].Seen = true
	return &r.out.Rounds[n-1]
}

// banner reads the line that only a listing of all resources begins with; one
// in the middle of a listing begins another.
func (r *Reader) banner(l kd.Line) {
	r.Break()
	if n := len(r.out.Resources); n > 0 && len(r.out.Rounds) > 0 && r.out.Resources[n-1].Round == len(r.out.Rounds)-1 && !r.out.Rounds[len(r.out.Rounds)-1].Complete {
		r.out.Rounds = append(r.out.Rounds, Round{At: l.All()})
	}
	r.round(l).Full = true
}

// Extends reports whether the lists of r begin with those of o: r tells the
// same and perhaps more.
func (r *Resource) Extends(o *Resource) bool {
	if r.Mode != o.Mode || len(o.Entries) > len(r.Entries) || len(o.ExclusiveWaiters) > len(r.ExclusiveWaiters) {
		return false
	}
	for i, e := range o.Entries {
		if e.Raw != r.Entries[i].Raw || e.Marked != r.Entries[i].Marked {
			return false
		}
	}
	for i, w := range o.ExclusiveWaiters {
		if w.Thread != r.ExclusiveWaiters[i].Thread {
			return false
		}
	}
	return true
}

// Moments returns the index of the first round of each moment that the rounds
// show. Listings of all resources that agree, or of which one is cut short and
// agrees as far as it goes, are of one moment.
func (l Listing) Moments() []int {
	byRound := make([][]*Resource, len(l.Rounds))
	for _, r := range l.Resources {
		byRound[r.Round] = append(byRound[r.Round], r)
	}
	var first []int
	var m moment
	for i, round := range l.Rounds {
		if len(first) == 0 || round.Full && !m.joins(round, byRound[i]) {
			first = append(first, i)
			m = moment{at: map[kd.Addr]*Resource{}}
		}
		if round.Full {
			m.add(round, byRound[i])
		}
	}
	return first
}

// moment is what the listings of one moment say together.
type moment struct {
	at       map[kd.Addr]*Resource
	total    Printed
	complete bool
}

func (m *moment) add(round Round, rs []*Resource) {
	for _, r := range rs {
		if have := m.at[r.Addr]; have == nil || r.Extends(have) {
			m.at[r.Addr] = r
		}
	}
	if round.Complete {
		m.total, m.complete = round.Total, true
	}
}

// joins reports whether a further full listing agrees with the moment.
func (m *moment) joins(round Round, rs []*Resource) bool {
	if m.complete && round.Complete && m.total.N != round.Total.N {
		return false
	}
	seen := make(map[kd.Addr]bool, len(rs))
	extra := false
	for _, r := range rs {
		have := m.at[r.Addr]
		seen[r.Addr] = true
		switch {
		case have == nil:
			extra = true
		case !r.Extends(have) && !have.Extends(r) && !r.HeadUntrusted && !have.HeadUntrusted:
			return false
		}
	}
	missing := false
	for a := range m.at {
		missing = missing || !seen[a]
	}
	return !(extra && (m.complete || missing)) && !(missing && round.Complete)
}
