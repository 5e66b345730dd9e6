package report

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/heuristics"
	"kdlocks/kd"
	"kdlocks/snapshot"
)

// SelfCheck is a question that the input was asked about itself, and what the
// answer takes from findings.
type SelfCheck struct {
	ID      string `json:"id"`
	Session int    `json:"session,omitempty"`
	Title   string `json:"title"`  // what holds if it passed
	Result  string `json:"result"` // passed, failed or not-checkable
	// Why says what is missing where nothing could be compared, and what one that
	// passed did not have.
	Why      string     `json:"why,omitempty"`
	Compared int        `json:"compared"`
	Count    int        `json:"count"` // places where it failed
	Places   []Note     `json:"places,omitempty"`
	Lowers   []Lowering `json:"lowers,omitempty"`
	Touches  []Touched  `json:"touches,omitempty"`
}

// Lowering is what a self-check takes from a finding. From is what it would
// have without the check; where both are the same, it has that for other
// reasons as well.
type Lowering struct {
	Finding        int    `json:"finding"` // its number among the findings, counted from 1
	ID             string `json:"id"`
	FromGrade      string `json:"from_grade"`
	ToGrade        string `json:"to_grade"`
	FromConfidence string `json:"from_confidence"`
	ToConfidence   string `json:"to_confidence"`
	Why            string `json:"why"`
}

// Touched is a resource or thread that a self-check casts doubt on. AtBest is
// the best grade of an edge that rests on it, none where no edge is drawn, and
// absent where edges keep their grade.
type Touched struct {
	Resource string `json:"resource,omitempty"`
	Thread   string `json:"thread,omitempty"`
	AtBest   string `json:"at_best,omitempty"`
	Why      string `json:"why"`
	At       At     `json:"at"`
}

// limits are the best grades of edges.
var limits = map[snapshot.Limit]string{snapshot.Unlimited: "", snapshot.Reconciled: "C", snapshot.Associated: "D", snapshot.Unused: "none"}

// selfCheck turns a self-check into that of the report. The findings of its
// session begin at index before.
func (b *builder) selfCheck(c *heuristics.SelfCheck, fs []heuristics.Finding, before int) SelfCheck {
	out := b.plainCheck(&c.SelfCheck)
	for _, l := range c.Lowers {
		out.Lowers = append(out.Lowers, Lowering{
			Finding: before + l.Finding + 1, ID: fs[l.Finding].Check.ID,
			FromGrade: l.GradeBefore.String(), ToGrade: l.Grade.String(),
			FromConfidence: string(l.ConfidenceBefore), ToConfidence: string(l.Confidence), Why: l.Why,
		})
	}
	return out
}

func (b *builder) plainCheck(c *snapshot.SelfCheck) SelfCheck {
	out := SelfCheck{ID: string(c.ID), Session: b.session, Title: c.Title, Result: string(c.Result), Why: c.Why, Compared: c.Compared, Count: c.Count}
	for _, n := range c.Places {
		out.Places = append(out.Places, b.note(n))
	}
	for _, t := range c.Touched {
		out.Touches = append(out.Touches, Touched{Resource: hex(t.Resource), Thread: hex(t.Thread), AtBest: limits[t.Limit], Why: t.Why, At: b.at(t.At, 0)})
	}
	return out
}

// sessionCheck adds the check that is about all sessions together.
func (b *builder) sessionCheck(r *Report, judged []heuristics.Judgement) {
	var all []*snapshot.Snapshot
	for i := range judged {
		all = append(all, judged[i].Snap)
	}
	c := snapshot.OneSession(all)
	r.SelfCheck = append(r.SelfCheck, b.plainCheck(&c))
}

// checkLines is a self-check in words: what failed, where, and what that costs.
type checkLines struct {
	title  string
	places []string
	costs  []string
}

// mostFailed bounds the self-checks that the text forms show, mostCheckPlaces
// and mostCosts what they show of each.
const mostFailed, mostCheckPlaces, mostCosts = 20, 3, 6

// selfChecks is what the text forms say of all self-checks.
type selfChecks struct {
	failed []checkLines
	more   int      // that failed, beyond those
	open   []string // could not be asked
	passed int
	// told are the notes that this tells, by their keys.
	told map[string]bool
}

// title counts the checks.
func (s *selfChecks) title() string {
	title := fmt.Sprintf("Self-check: %d passed", s.passed)
	if n := len(s.failed) + s.more; n > 0 {
		title += fmt.Sprintf(", %d did not", n)
	}
	return title
}

// left says how many that failed are not shown, "" if all are.
func (s *selfChecks) left() string {
	if s.more == 0 {
		return ""
	}
	return fmt.Sprintf("... and %d more that did not (use -o json for all)", s.more)
}

// unchecked says in one line what could not be asked, "" if all could.
func (s *selfChecks) unchecked() string {
	if len(s.open) == 0 {
		return ""
	}
	return "Could not be checked: " + strings.Join(s.open, ", ")
}

// inWords says what the self-checks found. What kinds of lock the input does
// not hold stands under "Not looked at".
func (r *Report) inWords() selfChecks {
	out := selfChecks{told: make(map[string]bool)}
	for i := range r.SelfCheck {
		c := &r.SelfCheck[i]
		session := ""
		if c.Session > 0 {
			session = fmt.Sprintf(", session %d", c.Session)
		}
		switch {
		case c.ID == string(kd.KindsSeen) && c.Result != string(snapshot.Passed):
		case c.Result == string(snapshot.Passed):
			out.passed++
		case c.Result == string(snapshot.NotCheckable) && len(c.Touches) == 0:
			if text := fmt.Sprintf("%s (%s)", c.ID, c.Why); !slices.Contains(out.open, text) {
				out.open = append(out.open, text)
			}
		case len(out.failed) == mostFailed:
			out.more++
		default:
			out.failed = append(out.failed, c.lines(session, out.told))
		}
	}
	return out
}

// lines says what failed, and keeps in told which notes that tells.
func (c *SelfCheck) lines(session string, told map[string]bool) checkLines {
	out := checkLines{title: fmt.Sprintf("%s: not at %s (%s%s)", c.Title, kd.Plural(c.Count, "place"), c.ID, session)}
	if c.Result == string(snapshot.NotCheckable) {
		out.title = fmt.Sprintf("%s: could not be checked, %s (%s%s)", c.Title, c.Why, c.ID, session)
	}
	for i, p := range c.Places {
		if i == mostCheckPlaces {
			out.places = append(out.places, fmt.Sprintf("... and %d more (use -o json for all)", c.Count-i))
			break
		}
		told[p.key()] = true
		out.places = append(out.places, p.where()+p.Text)
	}
	for i, l := range c.Lowers {
		if i == mostCosts {
			out.costs = append(out.costs, fmt.Sprintf("... and %d more findings (use -o json for all)", len(c.Lowers)-i))
			break
		}
		cost := l.text()
		if !slices.ContainsFunc(out.places, func(place string) bool { return strings.HasSuffix(place, l.Why) }) {
			cost += ": " + l.Why
		}
		out.costs = append(out.costs, cost)
	}
	if len(c.Lowers) == 0 {
		out.costs = append(out.costs, c.cost())
	}
	return out
}

// key is what notes are compared by: their place and text.
func (n Note) key() string { return n.where() + n.Text }

// untold returns the notes that the self-checks have not told.
func (r *Report) untold(told map[string]bool) []Note {
	var out []Note
	for _, n := range r.Notes {
		if !told[n.key()] {
			out = append(out, n)
		}
	}
	return out
}

// where is the place of a note, in front of its text.
func (n Note) where() string {
	if n.At == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d: ", n.At.Input, n.At.Line)
}

// lowered reports whether the check alone took something from the finding.
func (l Lowering) lowered() bool {
	return l.FromGrade != l.ToGrade || l.FromConfidence != l.ToConfidence
}

// text says what happened to the finding, without the reason.
func (l Lowering) text() string {
	if !l.lowered() {
		return fmt.Sprintf("[%d] %s rests on it, with evidence grade %s and %s", l.Finding, l.ID, l.ToGrade, l.ToConfidence)
	}
	var what []string
	if l.FromGrade != l.ToGrade {
		what = append(what, fmt.Sprintf("evidence grade %s becomes %s", l.FromGrade, l.ToGrade))
	}
	if l.FromConfidence != l.ToConfidence {
		what = append(what, fmt.Sprintf("%s becomes %s", l.FromConfidence, l.ToConfidence))
	}
	return fmt.Sprintf("[%d] %s: %s", l.Finding, l.ID, strings.Join(what, ", "))
}

// cost says what a self-check that lowers no finding does to what was read.
func (c *SelfCheck) cost() string {
	n := make(map[string]int)
	for _, t := range c.Touches {
		n[t.AtBest]++
	}
	var out []string
	if k := n["none"]; k > 0 {
		out = append(out, fmt.Sprintf("no edge is drawn from %s", kd.Plural(k, "place")))
	}
	for _, grade := range []string{"C", "D"} {
		if k := n[grade]; k > 0 {
			out = append(out, fmt.Sprintf("edges that rest on %s have grade %s at best", kd.Plural(k, "place"), grade))
		}
	}
	out = append(out, "no finding rests on it")
	return strings.Join(out, "; ")
}
