package report

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"

	"kdlocks/heuristics"
	"kdlocks/rules"
	"kdlocks/snapshot"
)

// sarifSchema is where the schema of SARIF 2.1.0 is published; a copy is in
// testdata/sarif.
const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// WriteSARIF prints the report as a log of SARIF 2.1.0 (OASIS, Static Analysis
// Results Interchange Format) with one run. Every detector is a rule, every
// finding a result, and cycles and chains are graphs, since no code flows along
// them. Gaps, notes and what was not looked at are notifications. Results and
// notifications are written one by one.
func WriteSARIF(w io.Writer, r *Report, s Style) error {
	l := sarifLog{names: index(r), artifacts: make(map[string]int)}
	for i := range r.Inputs {
		if _, ok := l.artifacts[r.Inputs[i].Name]; !ok {
			l.artifacts[r.Inputs[i].Name] = i
		}
	}
	j := jsonStream{w: bufio.NewWriterSize(w, 1<<16)}
	j.text("{\n  \"$schema\": ")
	j.value(sarifSchema, "")
	j.text(",\n  \"version\": \"2.1.0\",\n  \"runs\": [\n    {\n      \"tool\": ")
	j.value(sarifTool{l.driver(s.Version)}, "      ")
	j.text(",\n      \"columnKind\": \"unicodeCodePoints\",\n      \"artifacts\": ")
	j.list(each(r.Inputs, l.artifact), "      ")
	j.text(",\n      \"invocations\": [\n        {\n          \"executionSuccessful\": ")
	j.value(s.Trouble == "", "")
	j.text(",\n          \"toolExecutionNotifications\": ")
	j.list(func(yield func(any) bool) {
		if s.Trouble == "" || yield(l.trouble(s.Trouble)) {
			l.notifications(yield)
		}
	}, "          ")
	j.text("\n        }\n      ],\n      \"results\": ")
	j.list(each(r.Findings, l.result), "      ")
	j.text(",\n      \"properties\": ")
	j.value(l.properties(), "      ")
	j.text("\n    }\n  ]\n}\n")
	if j.err != nil {
		return j.err
	}
	return j.w.Flush()
}

// each makes an item of the output of each item of a list, when it is asked for.
func each[T any](items []T, f func(*T) any) func(func(any) bool) {
	return func(yield func(any) bool) {
		for i := range items {
			if !yield(f(&items[i])) {
				return
			}
		}
	}
}

// The objects of SARIF, as far as they are written; names are those of the
// standard.
type (
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name          string            `json:"name"`
		Version       string            `json:"version,omitempty"`
		Rules         []sarifDescriptor `json:"rules"`
		Notifications []sarifDescriptor `json:"notifications"`
		Properties    map[string]string `json:"properties"`
	}
	sarifDescriptor struct {
		ID      string              `json:"id"`
		Short   *sarifMessage       `json:"shortDescription,omitempty"`
		Full    *sarifMessage       `json:"fullDescription,omitempty"`
		Help    *sarifMessage       `json:"help,omitempty"`
		Default *sarifConfiguration `json:"defaultConfiguration,omitempty"`
	}
	sarifConfiguration struct {
		Level string `json:"level"`
	}
	sarifMessage struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifArtifact struct {
		Location sarifURI `json:"location"`
		Length   int64    `json:"length"`
		Encoding string   `json:"encoding,omitempty"`
		Roles    []string `json:"roles"`
	}
	sarifURI struct {
		URI   string `json:"uri"`
		Index *int   `json:"index,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
		Message  *sarifMessage `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifURI    `json:"artifactLocation"`
		Region   sarifRegion `json:"region"`
	}
	sarifRegion struct {
		StartLine   int           `json:"startLine"`
		StartColumn int           `json:"startColumn,omitempty"`
		EndLine     int           `json:"endLine,omitempty"`
		EndColumn   int           `json:"endColumn,omitempty"`
		Snippet     *sarifMessage `json:"snippet,omitempty"`
	}
	sarifNotification struct {
		Descriptor sarifDescriptor `json:"descriptor"`
		Level      string          `json:"level"`
		Message    sarifMessage    `json:"message"`
		Locations  []sarifLocation `json:"locations,omitempty"`
		Properties map[string]any  `json:"properties,omitempty"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Kind         string            `json:"kind"`
		Level        string            `json:"level"`
		Message      sarifMessage      `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Related      []sarifLocation   `json:"relatedLocations,omitempty"`
		Graphs       []sarifGraph      `json:"graphs,omitempty"`
		Traversals   []sarifTraversal  `json:"graphTraversals,omitempty"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Properties   map[string]any    `json:"properties"`
	}
)

// sarifLog makes the objects of one log.
type sarifLog struct {
	names
	artifacts map[string]int // index by the name of the input
}

// levels of severities. The standard has no level above error.
var sarifLevels = map[heuristics.Severity]string{
	heuristics.Critical: "error", heuristics.High: "error", heuristics.Medium: "warning", heuristics.Low: "note", heuristics.Info: "note",
}

func (l *sarifLog) driver(version string) sarifDriver {
	d := sarifDriver{Name: "kdlocks", Version: version, Rules: []sarifDescriptor{}, Properties: map[string]string{"reportSchema": Schema}}
	for _, c := range heuristics.Checks() {
		var text strings.Builder
		for _, part := range c.Parts() {
			fmt.Fprintf(&text, "%s\n%s\n\n", part.Head, part.Text)
		}
		var page strings.Builder
		_ = CheckMarkdown(&page, c) // a strings.Builder takes all
		d.Rules = append(d.Rules, sarifDescriptor{
			ID: c.ID, Short: &sarifMessage{Text: c.Title}, Full: &sarifMessage{Text: c.Means},
			Help:    &sarifMessage{Text: strings.TrimSpace(text.String()), Markdown: page.String()},
			Default: &sarifConfiguration{sarifLevels[c.Severity]},
		})
	}
	for _, r := range l.r.asked {
		d.Rules = append(d.Rules, ruleDescriptor(r))
	}
	for _, n := range []struct{ id, text string }{
		{noticeTrouble, "Some of the input could not be read."},
		{noticeGap, "A fact is missing."},
		{noticeSelfCheck, "The input contradicts itself, or could not be asked whether it does."},
		{noticeNote, "Something was read and not understood, or a count does not add up."},
		{noticeNotSeen, "A kind of evidence that the input does not hold."},
		{noticeRule, "A rule about a known issue that could not be checked, was excluded, is suppressed, or asks for output that the input does not hold."},
	} {
		d.Notifications = append(d.Notifications, sarifDescriptor{ID: n.id, Short: &sarifMessage{Text: n.text}})
	}
	return d
}

// Descriptors of the notifications.
const (
	noticeTrouble   = "input-trouble"
	noticeGap       = "missing-fact"
	noticeSelfCheck = "self-check"
	noticeNote      = "note"
	noticeNotSeen   = "not-looked-at"
	noticeRule      = "rule"
)

// sarifEncodings are the names that IANA registered.
var sarifEncodings = map[string]string{"utf-8": "UTF-8", "utf-8-bom": "UTF-8", "utf-16le": "UTF-16LE", "utf-16be": "UTF-16BE", "windows-1252": "windows-1252"}

func (l *sarifLog) artifact(in *Input) any {
	return sarifArtifact{Location: sarifURI{URI: fileURI(in.Name)}, Length: in.Bytes, Encoding: sarifEncodings[in.Encoding], Roles: []string{"analysisTarget"}}
}

// trouble is an error: what could not be read may hold anything.
func (l *sarifLog) trouble(text string) sarifNotification {
	n := l.notification(noticeTrouble, text, 0, nil)
	n.Level = "error"
	return n
}

// notifications walks what is missing, the gaps that a verdict hangs on as
// warnings, what was noted, and what was not looked at.
func (l *sarifLog) notifications(yield func(any) bool) {
	for _, g := range l.r.Gaps {
		n := l.notification(noticeGap, g.sentence(), g.Session, nil)
		n.Properties["nextCommand"], n.Properties["decides"] = g.NextCommand, g.Decides
		if g.Decides {
			n.Level = "warning"
		}
		if !yield(n) {
			return
		}
	}
	for i := range l.r.SelfCheck {
		if c := &l.r.SelfCheck[i]; c.Result != string(snapshot.Passed) && !yield(l.selfCheck(c)) {
			return
		}
	}
	for _, note := range l.r.Notes {
		if !yield(l.notification(noticeNote, note.Text, note.Session, note.At)) {
			return
		}
	}
	for _, what := range l.r.NotSeen {
		if !yield(l.notification(noticeNotSeen, what, 0, nil)) {
			return
		}
	}
	l.ruleNotices(yield)
}

// ruleNotices walks what rules say beside the results.
func (l *sarifLog) ruleNotices(yield func(any) bool) {
	if l.r.Rules == nil {
		return
	}
	for _, list := range [][]RuleMatch{l.r.Rules.CouldNotCheck, l.r.Rules.Excluded} {
		for i := range list {
			m := &list[i]
			text := fmt.Sprintf("%s: %s: %s", m.ID, m.Outcome, m.Title)
			if m.Because != "" {
				text += ", because " + m.Because
			}
			n := l.notification(noticeRule, text, m.Session, nil)
			n.Properties["rule"] = m
			if !yield(n) {
				return
			}
		}
	}
	for _, text := range l.r.ruleLines() {
		if !yield(l.notification(noticeRule, text, 0, nil)) {
			return
		}
	}
}

// selfCheck is a warning where a finding lost something by it.
func (l *sarifLog) selfCheck(c *SelfCheck) sarifNotification {
	lines := c.lines("", make(map[string]bool))
	n := l.notification(noticeSelfCheck, strings.Join(append([]string{lines.title}, lines.costs...), ". "), c.Session, nil)
	n.Properties["id"], n.Properties["result"], n.Properties["lowers"] = c.ID, c.Result, c.Lowers
	seen := make(map[At]bool)
	for _, p := range c.Places {
		if p.At != nil && !seen[*p.At] {
			seen[*p.At] = true
			n.Locations = append(n.Locations, l.place(*p.At))
		}
	}
	if slices.ContainsFunc(c.Lowers, Lowering.lowered) {
		n.Level = "warning"
	}
	return n
}

func (l *sarifLog) notification(id, text string, session int, at *At) sarifNotification {
	n := sarifNotification{Descriptor: sarifDescriptor{ID: id}, Level: "note", Message: sarifMessage{Text: text}, Properties: make(map[string]any)}
	if session > 0 {
		n.Properties["session"] = session
	}
	if at != nil {
		n.Locations = []sarifLocation{l.place(*at)}
	}
	return n
}

// place is a location without an end: how long the fact is is not known.
func (l *sarifLog) place(at At) sarifLocation {
	region := sarifRegion{StartLine: at.Line, StartColumn: at.Column}
	if at.EndLine > at.Line {
		region = sarifRegion{StartLine: at.Line, EndLine: at.EndLine}
	}
	return sarifLocation{Physical: sarifPhysical{l.uri(at.Input), region}}
}

func (l *sarifLog) uri(input string) sarifURI {
	u := sarifURI{URI: fileURI(input)}
	if i, ok := l.artifacts[input]; ok {
		u.Index = &i
	}
	return u
}

// properties are the verdict and whether a fact is missing that it hangs on.
func (l *sarifLog) properties() map[string]any {
	return map[string]any{"verdict": l.r.Verdict, "undecided": l.r.Undecided}
}

// ruleIndex is the place of a detector, or of a rule behind all of them, among the
// descriptors.
func (l *sarifLog) ruleIndex(f *Finding) int {
	if f.Rule == nil {
		return slices.IndexFunc(heuristics.Checks(), func(c *heuristics.Check) bool { return c.ID == f.ID })
	}
	i := slices.IndexFunc(l.r.asked, func(r *rules.Rule) bool { return r.ID == f.ID })
	if i < 0 {
		return i
	}
	return len(heuristics.Checks()) + i
}

// ruleDescriptor is the descriptor of a rule.
func ruleDescriptor(r *rules.Rule) sarifDescriptor {
	doc := ruleDocOf(r)
	var text, page strings.Builder
	_ = WriteRule(&text, r, "table", Style{}) // a strings.Builder takes all
	_ = doc.markdown(&page)
	return sarifDescriptor{
		ID: r.ID, Short: &sarifMessage{Text: r.Title}, Full: &sarifMessage{Text: doc.Explain},
		Help:    &sarifMessage{Text: strings.TrimSpace(text.String()), Markdown: page.String()},
		Default: &sarifConfiguration{sarifLevels[heuristics.Severity(r.Severity)]},
	}
}

func (l *sarifLog) result(f *Finding) any {
	kind, level := kindAndLevel(f)
	out := sarifResult{
		RuleID: f.ID, RuleIndex: l.ruleIndex(f),
		Kind: kind, Level: level, Message: sarifMessage{Text: f.Summary}, Locations: []sarifLocation{},
		Fingerprints: map[string]string{"kdlocks/v1": fingerprint(f)},
		Properties: map[string]any{
			"kind": f.Kind, "severity": f.Severity, "confidence": f.Confidence, "blockedThreads": f.BlockedThreads,
			"threads": f.Threads, "resources": f.Resources, "explanation": f.Explanation, "disproof": f.Disproof, "remedy": f.Remedy, "nextCommands": f.NextCommands,
		},
	}
	if f.Session > 0 {
		out.Properties["session"] = f.Session
	}
	if f.Grade != "" {
		out.Properties["grade"] = f.Grade
	}
	if f.Rule != nil {
		out.Properties["references"], out.Properties["rule"] = f.References, f.Rule
	}
	if f.Suspect != nil {
		out.Properties["suspect"] = f.Suspect
	}
	first := primary(f)
	if first >= 0 {
		out.Locations = append(out.Locations, l.evidence(&f.Evidence[first]))
	}
	for i := range f.Evidence {
		if i != first {
			out.Related = append(out.Related, l.evidence(&f.Evidence[i]))
		}
	}
	l.graph(&out, f, f.Cycle, "cycle")
	l.graph(&out, f, f.Chain, "chain")
	return out
}

// kindAndLevel says what the standard has for a finding. What is not proven is
// for a human to review, and whatever is no failure has the level none
// (sections 3.27.9 and 3.27.10).
func kindAndLevel(f *Finding) (kind, level string) {
	switch {
	case f.Kind == string(heuristics.Undecided):
		return "open", "none"
	case f.Kind == string(heuristics.SuspectedDeadlock), f.Rule != nil && f.Confidence != string(rules.Confirmed):
		return "review", "none"
	case f.Kind == string(heuristics.NoDeadlock), f.Severity == string(heuristics.Info):
		return "informational", "none"
	}
	return "fail", sarifLevels[heuristics.Severity(f.Severity)]
}

// fingerprint is the same for a finding of the same detector on the same
// threads and locks, whatever the order and the place that they are printed in.
func fingerprint(f *Finding) string {
	h := sha256.New()
	fmt.Fprintln(h, f.ID)
	for _, list := range [][]string{f.Threads, f.Resources} {
		sorted := slices.Compact(slices.Sorted(slices.Values(list)))
		fmt.Fprintln(h, strings.Join(sorted, " "))
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// primary is the evidence that a finding is shown at: what is printed of its
// first lock, else of its first thread; -1 if there is none.
func primary(f *Finding) int {
	for _, about := range [][]string{f.Resources, f.Threads} {
		if len(about) == 0 {
			continue
		}
		if i := slices.IndexFunc(f.Evidence, func(e Evidence) bool { return e.Address == about[0] }); i >= 0 {
			return i
		}
	}
	return min(0, len(f.Evidence)-1)
}

func (l *sarifLog) evidence(e *Evidence) sarifLocation {
	region := sarifRegion{StartLine: e.Line, StartColumn: e.Column}
	text := []rune(e.Text)
	start := min(max(e.Column-1, 0), len(text))
	end := min(start+e.Length, len(text))
	region.EndColumn = end + 1
	if e.EndLine > e.Line {
		region.EndLine = e.EndLine
		for i := end - 1; i >= 0; i-- {
			if text[i] == '\n' {
				region.EndColumn = end - i
				break
			}
		}
	}
	region.Snippet = &sarifMessage{Text: string(text[start:end])}
	return sarifLocation{Physical: sarifPhysical{l.uri(e.Input), region}, Message: &sarifMessage{Text: e.Why}}
}
