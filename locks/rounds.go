package locks

import "kdlocks/kd"

// Round is the output of one !locks command. A live system that is asked twice
// answers for two moments, and those are never joined.
type Round struct {
	At    kd.Ref // its first line
	Index int    // Resource.Round of its resources
	// Full is set when all resources were asked for, not one by its address.
	Full bool
	// Seen is set when output was read, and not the command alone.
	Seen bool
	// Complete is set when its closing line was read, or when an extension
	// printed it, whose blocks have none.
	Complete bool
	Total    Printed
	Held     Printed
}

// Begin tells the reader that a !locks command was typed; full is set when it
// asks for all resources.
func (r *Reader) Begin(at kd.Ref, full bool) {
	r.Break()
	r.out.Rounds = append(r.out.Rounds, Round{At: at, Index: len(r.out.Rounds), Full: full})
}

// round returns the round that a line belongs to, a new one if the last is
// complete or there is none.
func (r *Reader) round(l kd.Line) *Round {
	n := len(r.out.Rounds)
	if n == 0 || r.out.Rounds[n-1].Complete {
		r.out.Rounds = append(r.out.Rounds, Round{At: l.All(), Index: len(r.out.Rounds)})
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
		r.out.Rounds = append(r.out.Rounds, Round{At: l.All(), Index: len(r.out.Rounds)})
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
		// A listing that counts no lock at all has failed.
		full := round.Full && (!round.Complete || round.Total.N > 0 || round.Total.Unread)
		if len(first) == 0 || full && !m.joins(round, byRound[i]) {
			first = append(first, i)
			m = moment{at: map[kd.Addr]*Resource{}, cut: map[kd.Addr]bool{}, whole: map[kd.Addr]bool{}}
		}
		if full {
			m.add(round, byRound[i])
		}
	}
	return first
}

// moment is what the listings of one moment say together.
type moment struct {
	at       map[kd.Addr]*Resource
	cut      map[kd.Addr]bool // the last block of a listing that was cut short
	whole    map[kd.Addr]bool // a block of a listing that was not
	total    Printed
	complete bool
}

func (m *moment) add(round Round, rs []*Resource) {
	for _, r := range rs {
		if have := m.at[r.Addr]; r.held() && (have == nil || r.Extends(have)) {
			m.at[r.Addr] = r
			m.whole[r.Addr] = round.Complete && !r.lacks()
		}
	}
	if round.Complete {
		m.total, m.complete = round.Total, true
	} else if n := len(rs); n > 0 {
		m.cut[rs[n-1].Addr] = true
	}
}

// held reports whether a block says that somebody owns or waits: with other
// switches !locks lists free resources as well.
func (r *Resource) held() bool {
	return r.Mode != Unowned || r.Waiting() > 0 || len(r.Entries) > 0
}

// lacks reports whether something of a block could not be read, or an author
// took something out.
func (r *Resource) lacks() bool { return r.damaged || r.Swallowed != 0 || r.Open || r.HeadUntrusted }

// joins reports whether a further full listing agrees with the moment.
func (m *moment) joins(round Round, rs []*Resource) bool {
	switch {
	case len(rs) == 0 && !round.Complete:
		return true
	case m.complete && round.Complete && m.total.N != round.Total.N && !m.total.Unread && !round.Total.Unread:
		return false
	}
	seen := make(map[kd.Addr]bool, len(rs))
	extra := false
	for i, r := range rs {
		if !r.held() {
			continue
		}
		have := m.at[r.Addr]
		seen[r.Addr] = true
		if have == nil {
			extra = true
			continue
		}
		if round.Complete && m.whole[r.Addr] && !r.lacks() && !(r.Extends(have) && have.Extends(r)) {
			return false // nothing is cut off of either: a waiter has come or gone
		}
		tail := i == len(rs)-1 && !round.Complete || m.cut[r.Addr]
		if !tail && !r.HeadUntrusted && !have.HeadUntrusted && !r.Extends(have) && !have.Extends(r) {
			return false
		}
	}
	missing := false
	for a := range m.at {
		missing = missing || !seen[a]
	}
	return !(extra && (m.complete || missing)) && !(missing && round.Complete)
}
