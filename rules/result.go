package rules

import "kdlocks/kd"

// Outcome is what became of a rule.
type Outcome string

// The outcomes. A rule that holds has its confidence for an outcome.
const (
	OutConfirmed  Outcome = "confirmed"
	OutLikely     Outcome = "likely"
	OutPossible   Outcome = "possible"
	Excluded      Outcome = "excluded"
	CouldNotCheck Outcome = "could-not-check"
	NoMatch       Outcome = "no-match"
)

var outcomes = []string{"confirmed", "likely", "possible", "excluded", "could-not-check", "no-match"}

// Fired reports whether the rule holds.
func (o Outcome) Fired() bool { return o == OutConfirmed || o == OutLikely || o == OutPossible }

// Result is what a rule says of a judged snapshot.
type Result struct {
	Rule    *Rule
	Outcome Outcome
	Bound   []Binding
	Clauses []ClauseResult
	// Candidates are further facts that the rule holds for, less well or as well:
	// what was bound for each. MoreCandidates is how many there are besides.
	Candidates     []string
	MoreCandidates int

	Explanation, Remedy, Disproof string
	// Because says why the rule is excluded.
	Because string
	// Ask are the commands that would settle what could not be checked, and those
	// that the rule asks for.
	Ask []string
	// Threads and Locks are the addresses of what was bound.
	Threads, Locks []kd.Addr

	env     bindings
	w       *world
	faint   bool // see clauseState
	matched []clauseState
	bound   []clauseState // of boosts and excludes
}

// Binding is a name and the fact that it is bound to.
type Binding struct {
	Name, Kind, Fact string
	At               kd.Ref
}

// ClauseResult is what became of one clause.
type ClauseResult struct {
	Role  string // match, boost, exclude, applies
	Name  string // that it binds, "" for none
	Text  string // as in the rule
	Line  int    // in the rule's file
	Truth Truth
	// To is the confidence that a boost gives.
	To       Confidence
	Evidence []Evidence
	Missing  []Missing
	// Depth is that of a clause within "any", 0 elsewhere.
	Depth int
	// Telling is set where something of the clause holds that is not so on most
	// machines.
	Telling bool
	// Nearest says of a false clause what of the fact that fits it best does not fit;
	// tests of rules have it alone.
	Nearest string
}

// Evidence is a place in the input and why it counts.
type Evidence struct {
	At   kd.Ref
	Addr kd.Addr
	Why  string
}

// Missing is a fact that could not be checked and the command that supplies it,
// "" if none does.
type Missing struct{ What, Command string }

// Has reports whether the input shows something of the issue itself: one of the
// telling clauses of match holds.
func (r *Result) Has() bool {
	if r.faint {
		return false
	}
	for _, c := range r.Clauses {
		if c.Role == roleNames[roleMatch] && c.Truth != False && c.Telling {
			return true
		}
	}
	return false
}
