package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/rules"
)

// RuleMatch is what a rule says of the input, clause by clause.
type RuleMatch struct {
	ID      string `json:"id"`
	Title   string `json:"title"`
	Type    string `json:"type"` // known-issue or pattern
	Class   string `json:"class"`
	Status  string `json:"status"`
	Outcome string `json:"outcome"` // confirmed, likely, possible, excluded, could-not-check
	Session int    `json:"session,omitempty"`
	Pack    string `json:"pack"`
	Version string `json:"pack_version,omitempty"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	// Inferred is set where the signature was read out of an article's words.
	Inferred bool `json:"inferred,omitempty"`
	// Bindings are the facts that the clauses bound to names.
	Bindings []RuleBinding `json:"bindings"`
	Clauses  []RuleClause  `json:"clauses"`
	// Candidates are further facts that the rule holds for no better.
	Candidates     []string `json:"candidates,omitempty"`
	MoreCandidates int      `json:"more_candidates,omitempty"`
	Because        string   `json:"because,omitempty"` // of an excluded rule
	Changed        string   `json:"changed,omitempty"` // what an override changed
	NextCommands   []string `json:"next_commands,omitempty"`
	References     []string `json:"references,omitempty"`
}

// RuleBinding is a name of a rule and the fact that it stands for.
type RuleBinding struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	Fact string `json:"fact,omitempty"`
	At   *At    `json:"at,omitempty"`
}

// RuleClause is one clause and what became of it.
type RuleClause struct {
	Role     string        `json:"role"`         // match, boost or exclude
	Name     string        `json:"as,omitempty"` // that the clause binds
	Text     string        `json:"text"`
	Line     int           `json:"line"`  // of the rule's file
	Truth    string        `json:"truth"` // true, false or unknown
	To       string        `json:"to,omitempty"`
	Evidence []Evidence    `json:"evidence,omitempty"`
	Missing  []RuleMissing `json:"missing,omitempty"`

	inner   bool // of a list of any
	telling bool // see rules.ClauseResult
}

// RuleMissing is a fact that a clause lacks and the command that supplies it.
type RuleMissing struct {
	What        string `json:"what"`
	NextCommand string `json:"next_command,omitempty"`
}

// Rules is what the rule packs say beside the findings.
type Rules struct {
	// Asked is how many rules were asked about each session.
	Asked int `json:"asked"`
	// CouldNotCheck are rules that hold as far as the input goes, Excluded those
	// that would hold if a clause of exclude did not.
	CouldNotCheck []RuleMatch `json:"could_not_check"`
	Excluded      []RuleMatch `json:"excluded"`
	// Suppressed are rules whose findings an override hides, and why.
	Suppressed []string `json:"suppressed,omitempty"`
	// Unheard counts the rules that nothing in the input is about, by the command
	// whose output they ask for.
	Unheard []RuleNeed `json:"need_output_of,omitempty"`
	Notes   []string   `json:"notes,omitempty"`
}

// RuleNeed is a command and how many rules ask for its output.
type RuleNeed struct {
	Command string `json:"command"`
	Rules   int    `json:"rules"`
}

// rules adds what rules say of a session to a report and returns the known
// issues that hold.
func (b *builder) rules(r *Report, found []rules.Result) []Finding {
	var issues []Finding
	for i := range found {
		res := &found[i]
		switch {
		case res.Rule.Suppressed != nil && res.Outcome.Fired():
			s := res.Rule.Suppressed
			r.Rules.Suppressed = append(r.Rules.Suppressed, fmt.Sprintf("%s until %s by %s: %s", res.Rule.ID, s.Until, s.By, s.Reason))
		case res.Outcome.Fired():
			issues = append(issues, b.knownIssue(res))
		case res.Outcome == rules.Excluded:
			r.Rules.Excluded = append(r.Rules.Excluded, b.ruleMatch(res))
		case res.Has():
			r.Rules.CouldNotCheck = append(r.Rules.CouldNotCheck, b.ruleMatch(res))
		case len(res.Ask) > 0:
			if b.unheard == nil {
				b.unheard = make(map[string]string)
			}
			b.unheard[res.Rule.ID] = res.Ask[0]
		}
	}
	return issues
}

// count sorts the rules that nothing in the input is about by the command that
// they ask for, the one first that most do.
func (r *Rules) count(unheard map[string]string) {
	needs := make(map[string]int)
	for _, command := range unheard {
		needs[command]++
	}
	for command, n := range needs {
		r.Unheard = append(r.Unheard, RuleNeed{command, n})
	}
	kd.SortStable(r.Unheard, func(a, b RuleNeed) int {
		return cmp.Or(cmp.Compare(b.Rules, a.Rules), strings.Compare(a.Command, b.Command))
	})
}

// knownIssue makes a finding of a rule that holds.
func (b *builder) knownIssue(res *rules.Result) Finding {
	m := b.ruleMatch(res)
	out := Finding{
		ID: m.ID, Session: b.session, Title: m.Title, Severity: res.Rule.Severity, Confidence: m.Outcome, Kind: m.Type,
		Summary: m.summary(), Threads: hexes(res.Threads), Resources: hexes(res.Locks), Explanation: res.Explanation,
		Disproof: res.Disproof, Remedy: res.Remedy, References: m.References, Evidence: []Evidence{}, NextCommands: m.NextCommands, Rule: &m,
	}
	for _, c := range m.Clauses {
		if c.Truth != "true" || c.Role == "exclude" {
			continue
		}
		for _, e := range c.Evidence {
			if !slices.Contains(out.Evidence, e) { // two clauses may rest on one fact
				out.Evidence = append(out.Evidence, e)
			}
		}
	}
	if out.NextCommands == nil {
		out.NextCommands = []string{}
	}
	return out
}

// typeWords begin what is said of a rule that holds.
var typeWords = map[string]string{rules.KnownIssue: "Known issue", rules.Pattern: "Pattern"}

// summary names the issue and its first article.
func (m *RuleMatch) summary() string {
	s := typeWords[m.Type] + ", " + m.Outcome + ": " + strings.TrimSuffix(m.Title, ".")
	if ref := m.reference(); ref != "" {
		s += " (" + ref + ")"
	}
	return s + "."
}

func (b *builder) ruleMatch(res *rules.Result) RuleMatch {
	r := res.Rule
	out := RuleMatch{
		ID: r.ID, Title: r.Title, Type: r.Type, Class: r.Class, Status: r.Status, Outcome: string(res.Outcome), Session: b.session, Pack: r.Pack.Name, Version: r.Pack.Version,
		File: r.File, Line: r.Line, Inferred: r.Inferred, Bindings: []RuleBinding{}, Clauses: []RuleClause{}, Candidates: res.Candidates, MoreCandidates: res.MoreCandidates,
		Because: res.Because, Changed: r.Changed, NextCommands: notTyped(res.Ask, b.typed),
	}
	for _, ref := range r.References {
		out.References = append(out.References, ref.String())
	}
	for _, bound := range res.Bound {
		rb := RuleBinding{Name: bound.Name, Kind: bound.Kind, Fact: bound.Fact}
		if bound.At.Known() {
			at := b.at(bound.At, 0)
			rb.At = &at
		}
		out.Bindings = append(out.Bindings, rb)
	}
	for i := range res.Clauses {
		out.Clauses = append(out.Clauses, b.ruleClause(&res.Clauses[i]))
	}
	return out
}

func (b *builder) ruleClause(c *rules.ClauseResult) RuleClause {
	out := RuleClause{Role: c.Role, Name: c.Name, inner: c.Depth > 0, Text: c.Text, Line: c.Line, Truth: c.Truth.String(), To: string(c.To), telling: c.Telling}
	for _, e := range c.Evidence {
		quoted, ok := b.quote(e.At, e.Addr, e.Why)
		if !ok {
			break
		}
		out.Evidence = append(out.Evidence, quoted)
	}
	for _, m := range c.Missing {
		out.Missing = append(out.Missing, RuleMissing{What: m.What, NextCommand: m.Command})
	}
	return out
}
