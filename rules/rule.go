package rules

import (
	"io/fs"
	"strings"
)

// Confidence says how sure a rule is that its issue is the one.
type Confidence string

// The confidences, surest first.
const (
	Confirmed Confidence = "confirmed"
	Likely    Confidence = "likely"
	Possible  Confidence = "possible"
)

var confidences = []string{string(Possible), string(Likely), string(Confirmed)}

// rank orders confidences: the surer, the higher.
func (c Confidence) rank() int {
	for i, word := range confidences {
		if word == string(c) {
			return i + 1
		}
	}
	return 0
}

var (
	severities = []string{"critical", "high", "medium", "low", "info"}
	classes    = []string{"self-deadlock", "lock-deadlock", "contention", "worker-exhaustion", "pool-leak", "heap-leak", "storage", "registry", "power", "graphics", "filter-driver", "file-system", "lock-role", "hang-other"}
	types      = []string{KnownIssue, Pattern}
	statuses   = []string{"experimental", "stable", "deprecated"}
)

// The types of rules: an issue that somebody has documented, or a pattern of waits
// that says where to look.
const (
	KnownIssue = "known-issue"
	Pattern    = "pattern"
)

// Rule is one known issue: what shows it, how sure that makes, and what helps.
type Rule struct {
	ID, Title string
	// Type is KnownIssue or Pattern.
	Type       string
	Class      string
	Severity   string
	Confidence Confidence
	Status     string
	// Inferred is set where the signature is read out of an article's words and
	// was never seen in a log: such a rule is never more than possible.
	Inferred bool
	// Explain, Remedy and Disproof are templates over what the clauses of match
	// bind; Disproof may be nil.
	Explain, Remedy, Disproof *template
	Ask                       []*template
	References                []Reference
	MinEngine                 string
	Supersedes                []string
	Tests                     []Test

	// Pack is the pack that it is from, File its file in there, Line where it
	// begins.
	Pack *Pack
	File string
	Line int
	// Changed says what an override did to it, "" if none did.
	Changed string
	// Suppressed is why and until when its findings are not shown, nil if they are.
	Suppressed *Suppression

	ceiling Confidence // that an override gives, "" for none
	path    string     // of File in the pack's file system
	idAt    position
	applies *clause
	match   []*clause
	boost   []*clause
	exclude []*clause
	text    string // of the file; the rule goes up to line end, 0 for all
	end     int
}

// Reference names an article: a KB number, an address, or words.
type Reference struct{ KB, URL, Text string }

// String prints the reference in one line.
func (r Reference) String() string {
	switch {
	case r.KB != "" && r.Text != "":
		return "KB" + r.KB + ": " + r.Text
	case r.KB != "":
		return "KB" + r.KB
	case r.Text != "" && r.URL != "":
		return r.Text + ": " + r.URL
	}
	return r.URL + r.Text
}

// Test is a log and what the rule must say of it.
type Test struct {
	Name   string
	Log    string // a file below the pack's testdata, or beside the rule file
	Input  string // the text itself, in place of Log
	Expect Outcome
	Bind   []ExpectedBinding
	at     position
}

// ExpectedBinding is a field of a binding and the value that a test expects.
type ExpectedBinding struct {
	Ref, Want string
	ref       *reference
	want      Value
	at        position
}

// Suppression hides the findings of a rule.
type Suppression struct{ Reason, By, Until string }

// Pack is a set of rules that is versioned and shipped as one.
type Pack struct {
	Name, Version, License, Title string
	MinEngine                     string
	Maintainers                   []string
	Builtin                       bool
	// Path is what the pack was loaded from.
	Path string

	fsys fs.FS
	dir  string
}

// Source returns the rule as it stands in its file.
func (r *Rule) Source() string {
	lines := strings.Split(r.text, "\n")
	if r.end > 0 {
		lines = lines[:min(len(lines), r.end-1)]
	}
	return strings.TrimRight(strings.Join(lines[min(len(lines), r.Line-1):], "\n"), " \n\t\r") + "\n"
}

type role uint8

const (
	roleMatch role = iota
	roleBoost
	roleExclude
	roleApplies
)

var roleNames = [...]string{"match", "boost", "exclude", "applies"}

// clause asks for one fact of a kind, or for one of several lists of clauses.
type clause struct {
	role     role
	as       string
	kind     *kind
	matchers []*matcher
	// count, when not nil, compares how many facts match.
	count *matcher
	// any is set in place of kind: one of the lists must hold. An "all" has one list.
	any [][]*clause
	// inner is set for a clause of such a list.
	inner bool
	// scope is that of an "all": what excludes says may name what it binds.
	scope *scope
	ask   []*template
	// unasked is set where a rule says so with an empty ask: another clause asks.
	unasked bool
	to      Confidence
	because *template
	text    string
	at      position
	// walk numbers the clauses that are looked for on all threads, -1 for others. One
	// that is keyed is so only where nothing is known of the facts that it takes the
	// addresses of threads from.
	walk  int
	keyed bool
	// needs are groups of numbers of patterns: of each one must be on the stack.
	needs [][]int
	// weight is what it costs to compare a fact: 1, and 1 for each pattern of frames.
	weight int
	// leads are fields of other clauses that hold the address of this one's thread.
	leads []lead
	// joins are the fields of this one that clauses of threads take addresses from.
	joins []lead
}

// matcher compares one field. All of its comparisons must hold for one of the
// field's values.
type matcher struct {
	field *field
	ops   []comparison
	stack *stackPattern
	at    position
}

// constant reports whether the matcher can be judged without any binding.
func (m *matcher) constant() bool {
	if m.stack != nil {
		return !m.stack.hasRefs()
	}
	for _, c := range m.ops {
		for _, o := range c.operands {
			if o.ref != nil {
				return false
			}
		}
	}
	return true
}

// comparison is one operator and what it compares with.
type comparison struct {
	op       string
	operands []operand
	pct      float64 // of near
}

// operand is a literal, a pattern or a reference.
type operand struct {
	lit  Value
	glob string
	ref  *reference
}

// reference names a field of a fact that another clause bound.
type reference struct {
	name  string
	kind  string
	field *field
}

func (r *reference) String() string { return r.name + "." + r.field.name }
