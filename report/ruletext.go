package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"kdlocks/kd"
)

const (
	// mostIssues bounds the known issues that are told below the verdict.
	mostIssues = 8
	// mostClausePlaces bounds the places of a clause that the text forms show.
	mostClausePlaces = 12
	// mostRuleNotes bounds the rules of each list behind the findings, mostNeeds the
	// commands whose output is missing.
	mostRuleNotes, mostNeeds = 24, 4
	// longestReference bounds the reference in a line below the verdict.
	longestReference = 60
)

// issueLines name the known issues that hold, each in a line.
func (r *Report) issueLines() []string {
	var out []string
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Rule != nil {
			out = append(out, f.issueLine())
		}
	}
	if left := len(out) - mostIssues; left > 0 {
		out = append(out[:mostIssues:mostIssues], kd.Plural(left, "more known issue"))
	}
	return out
}

// issueLine is "Known issue (confirmed): title (KB2608658): what helps first".
func (f *Finding) issueLine() string {
	line := fmt.Sprintf("%s (%s): %s", typeWords[f.Rule.Type], f.Confidence, strings.TrimSuffix(f.Title, "."))
	if ref := f.Rule.reference(); ref != "" {
		line += " (" + ref + ")"
	}
	if f.Session > 0 {
		line += fmt.Sprintf(", session %d", f.Session)
	}
	return line + ": " + firstSentence(f.Remedy)
}

// reference is the number of the first article, else a short reference.
func (m *RuleMatch) reference() string {
	for _, ref := range m.References {
		if strings.HasPrefix(ref, "KB") {
			number, _, _ := strings.Cut(ref, ":")
			return number
		}
	}
	for _, ref := range m.References {
		if len(ref) <= longestReference {
			return ref
		}
	}
	return ""
}

// firstSentence cuts a text behind the first full stop that a sentence ends with.
func firstSentence(s string) string {
	for i := 0; i+2 < len(s); i++ {
		if strings.ContainsRune(".!?", rune(s[i])) && s[i+1] == ' ' && unicode.IsUpper(rune(s[i+2])) {
			return s[:i+1]
		}
	}
	return s
}

// graded says the grade of a finding's evidence, that rules do not have.
func (f *Finding) graded() string {
	if f.Grade == "" {
		return ""
	}
	return ", evidence grade " + f.Grade
}

// label is the kind that the title of a finding names before its severity.
func (f *Finding) label() string {
	if f.Rule != nil {
		return strings.ToLower(typeWords[f.Rule.Type]) + ", "
	}
	return ""
}

// head says what a clause is and what became of it.
func (c *RuleClause) head() string {
	role := c.Role
	if c.To != "" {
		role += " to " + c.To
	}
	if c.Name != "" {
		role += " " + c.Name
	}
	if c.inner {
		role = "  " + role
	}
	return role + ": " + c.Text
}

// origin says where the rule stands, and what changed it.
func (m *RuleMatch) origin() string {
	s := fmt.Sprintf("%s:%d, pack %s", m.File, m.Line, m.Pack)
	if m.Version != "" {
		s += " " + m.Version
	}
	if m.Changed != "" {
		s += ", " + m.Changed
	}
	return s
}

// places are the lines of the input that a clause rests on, as many as the text
// forms show, and what is left out.
func (c *RuleClause) places() (shown []Evidence, left string) {
	if n := len(c.Evidence) - mostClausePlaces; n > 0 {
		return c.Evidence[:mostClausePlaces], fmt.Sprintf("... and %d more (use -o json for all)", n)
	}
	return c.Evidence, ""
}

func (e *Evidence) place() string { return fmt.Sprintf("%s:%d:%d", e.Input, e.Line, e.Column) }

// candidates are the further facts that a rule holds for.
func (m *RuleMatch) candidates() []string {
	out := m.Candidates
	if m.MoreCandidates > 0 {
		out = append(out[:len(out):len(out)], fmt.Sprintf("... and %d more", m.MoreCandidates))
	}
	return out
}

// ruleNote are the rules, most often one, that the same is told of behind the findings.
type ruleNote struct {
	Head  string
	Lines []string
}

// uncheckedRules are those that hold as far as the input goes.
func (r *Report) uncheckedRules() []ruleNote {
	if r.Rules == nil {
		return nil
	}
	return ruleNotes(r.Rules.CouldNotCheck, func(m *RuleMatch) []string {
		var out, lacks []string
		for i := range m.Clauses {
			c := &m.Clauses[i]
			switch {
			case c.Role != "match":
			case c.Truth == "true":
				out = append(out, "holds: "+c.Text+c.firstPlace())
			case c.Truth == "unknown":
				if c.telling {
					out = append(out, "may hold: "+c.Text+c.firstPlace())
				}
				for _, missing := range c.Missing {
					lacks = append(lacks, missing.line())
				}
				if len(c.Missing) == 0 {
					lacks = append(lacks, "could not be checked: "+c.Text)
				}
			}
		}
		out = append(out, lacks...)
		if next := m.NextCommands; len(next) > 0 && !m.saysWhatToType() {
			out = append(out, "type: "+strings.Join(firstOf(next, mostNeeds), "; "))
		}
		return out
	})
}

// saysWhatToType reports whether a fact that a clause of match lacks has a command.
func (m *RuleMatch) saysWhatToType() bool {
	return slices.ContainsFunc(m.Clauses, func(c RuleClause) bool {
		return c.Role == "match" && slices.ContainsFunc(c.Missing, func(m RuleMissing) bool { return m.NextCommand != "" })
	})
}

// excludedRules are those that a clause of exclude put out.
func (r *Report) excludedRules() []ruleNote {
	if r.Rules == nil {
		return nil
	}
	return ruleNotes(r.Rules.Excluded, func(m *RuleMatch) []string {
		out := []string{"because " + m.Because}
		for i := range m.Clauses {
			if c := &m.Clauses[i]; c.Role == "exclude" && c.Truth == "true" && len(c.Evidence) > 0 {
				e := &c.Evidence[0]
				out = append(out, e.place()+": "+strings.TrimSpace(strings.Join(e.shown(), " ")))
			}
		}
		return out
	})
}

// firstPlace says where a clause was found first.
func (c *RuleClause) firstPlace() string {
	if len(c.Evidence) == 0 {
		return ""
	}
	return " at " + c.Evidence[0].place()
}

// ruleNotes tells of rules, and once of those of which there is the same to say.
func ruleNotes(ms []RuleMatch, lines func(*RuleMatch) []string) []ruleNote {
	var out []ruleNote
	var alike [][]*RuleMatch
	at := make(map[string]int)
	for i := range ms {
		m := &ms[i]
		what := lines(m)
		key := fmt.Sprint(m.Session, "\n", strings.Join(what, "\n"))
		n, known := at[key]
		if !known {
			n = len(out)
			at[key], out, alike = n, append(out, ruleNote{Lines: what}), append(alike, nil)
		}
		alike[n] = append(alike[n], m)
	}
	for i := range out {
		out[i].Head = headOf(alike[i])
	}
	if left := len(out) - mostRuleNotes; left > 0 {
		return append(out[:mostRuleNotes], ruleNote{Head: fmt.Sprintf("... and %d more (use -o json for all)", left)})
	}
	return out
}

func headOf(ms []*RuleMatch) string {
	head := ms[0].ID + ": " + ms[0].Title
	if len(ms) > 1 {
		var ids []string
		for _, m := range ms {
			ids = append(ids, m.ID)
		}
		head = fmt.Sprintf("%d rules: %s", len(ms), strings.Join(ids, ", "))
	}
	if n := ms[0].Session; n > 0 {
		head = fmt.Sprintf("session %d: %s", n, head)
	}
	return head
}

// ruleLines say which rules the input had nothing for, and what overrides hide.
func (r *Report) ruleLines() []string {
	if r.Rules == nil {
		return nil
	}
	var out []string
	n := 0
	var needs []string
	for i, need := range r.Rules.Unheard {
		n += need.Rules
		if i < mostNeeds {
			needs = append(needs, fmt.Sprintf("%s (%d)", need.Command, need.Rules))
		}
	}
	if left := len(r.Rules.Unheard) - mostNeeds; left > 0 {
		needs = append(needs, "and "+kd.Plural(left, "more command"))
	}
	if n > 0 {
		verb := "ask"
		if n == 1 {
			verb = "asks"
		}
		out = append(out, fmt.Sprintf("%s %s for output that the input does not hold: %s", kd.Plural(n, "rule"), verb, strings.Join(needs, ", ")))
	}
	for _, s := range r.Rules.Suppressed {
		out = append(out, "suppressed: "+s)
	}
	return append(out, r.Rules.Notes...)
}

// Titles of what rules say behind the findings.
const (
	uncheckedTitle = "Rules that could not be checked"
	excludedTitle  = "Rules that were excluded"
	ruleLinesTitle = "Rules"
)

// rules prints what rules say beside the findings.
func (p *page) rules() {
	for _, part := range []struct {
		title string
		notes []ruleNote
	}{{uncheckedTitle, p.r.uncheckedRules()}, {excludedTitle, p.r.excludedRules()}} {
		if part.notes == nil {
			continue
		}
		fmt.Fprintf(p, "\n%s\n", p.bold(part.title))
		for _, n := range part.notes {
			p.fold("  - ", n.Head)
			for _, l := range n.Lines {
				p.fold("      ", l)
			}
		}
	}
	p.list(ruleLinesTitle, p.r.ruleLines())
}

// truthColors are those of clauses: green for what holds, yellow for what could
// not be checked.
var truthColors = map[string]string{"true": "32", "unknown": "33"}

// clauses prints the clauses of a rule, each with the lines that it rests on.
func (p *page) clauses(m *RuleMatch) {
	p.head("Clauses of " + m.origin())
	quoted := make(map[string]bool) // a line is quoted where it counts first
	for i := range m.Clauses {
		c := &m.Clauses[i]
		text := wrap(c.head(), fmt.Sprintf("    %-8s", c.Truth), strings.Repeat(" ", 12), p.s.prose())
		if code := truthColors[c.Truth]; code != "" {
			text = strings.Replace(text, c.Truth, p.paint(code, c.Truth), 1)
		}
		p.WriteString(text)
		shown, left := c.places()
		for k := range shown {
			p.fold("              ", shown[k].place()+": "+shown[k].Why)
			if quoted[shown[k].place()] {
				continue
			}
			quoted[shown[k].place()] = true
			for _, line := range shown[k].shown() {
				p.fold("                | ", line)
			}
		}
		if left != "" {
			p.fold("              ", left)
		}
		for _, missing := range c.Missing {
			p.fold("              ", missing.line())
		}
	}
	if m.Inferred {
		p.fold("    ", "The signature was read out of an article's words and never seen in a log.")
	}
	p.bullets("Other candidates, which fit no better", m.candidates())
}

// bullets prints a part of a finding that is a list.
func (p *page) bullets(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	p.head(title)
	for _, l := range lines {
		p.fold("    - ", l)
	}
}

// rules prints what rules say beside the findings.
func (m *markdown) rules() {
	for _, part := range []struct {
		title string
		notes []ruleNote
	}{{uncheckedTitle, m.r.uncheckedRules()}, {excludedTitle, m.r.excludedRules()}} {
		if part.notes == nil {
			continue
		}
		fmt.Fprintf(m, "\n### %s\n\n", part.title)
		for _, n := range part.notes {
			fmt.Fprintf(m, "- %s\n", escape(n.Head))
			for _, l := range n.Lines {
				fmt.Fprintf(m, "  - %s\n", escape(l))
			}
		}
	}
	m.list(ruleLinesTitle, m.r.ruleLines())
}

// clauses prints the clauses of a rule in a block.
func (m *markdown) clauses(rule *RuleMatch) {
	var b strings.Builder
	quoted := make(map[string]bool)
	for i := range rule.Clauses {
		c := &rule.Clauses[i]
		fmt.Fprintf(&b, "%-8s%s\n", c.Truth, c.head())
		shown, left := c.places()
		for k := range shown {
			fmt.Fprintf(&b, "          %s  # %s\n", shown[k].place(), shown[k].Why)
			if !quoted[shown[k].place()] {
				quoted[shown[k].place()] = true
				fmt.Fprintf(&b, "              %s\n", strings.TrimSpace(strings.Join(shown[k].shown(), "\n              ")))
			}
		}
		if left != "" {
			fmt.Fprintf(&b, "          %s\n", left)
		}
		for _, missing := range c.Missing {
			fmt.Fprintf(&b, "          %s\n", missing.line())
		}
	}
	fmt.Fprintf(m, "\n**Clauses** of %s:\n\n%s", code(rule.origin()), fenced(b.String()))
	if rule.Inferred {
		m.WriteString("\nThe signature was read out of an article's words and never seen in a log.\n")
	}
	m.bullets("Other candidates, which fit no better", rule.candidates())
}

func (m *markdown) bullets(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(m, "\n**%s:**\n\n", title)
	for _, l := range lines {
		fmt.Fprintf(m, "- %s\n", escape(l))
	}
}
