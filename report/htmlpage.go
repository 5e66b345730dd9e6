package report

import (
	_ "embed"
	"strconv"
)

//go:embed html.css
var htmlStyle string

// write writes the page.
func (p *htmlReport) write(m *markup) {
	m.add(`<!DOCTYPE html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta name="referrer" content="no-referrer"/>
<title>kdlocks: {}</title>
<style>
`, p.Title)
	m.add(constant(htmlStyle))
	m.add(`</style>
</head>
<body>
<a class="skip" href="#findings">Skip to the findings</a>
`)
	p.writeHeader(m)
	p.writeContents(m)
	m.add("<main>\n")
	p.writePictures(m)
	p.writeFindings(m)
	p.writeCharts(m)
	p.writeRules(m)
	p.writeVerifier(m)
	p.writeGaps(m)
	p.writeNotes(m)
	m.section("locks", "Locks")
	p.Locks.write(m)
	m.add("</section>\n")
	m.section("threads", "Threads")
	p.Threads.write(m)
	m.add("</section>\n")
	p.writeHeaps(m)
	p.writeInputs(m)
	m.add(`</main>
<footer><p>Written by kdlocks from the text that a kernel debugger printed; nothing else was looked at. The same as data: <code>kdlocks -o json</code>.</p></footer>
</body>
</html>
`)
}

func (p *htmlReport) writeHeader(m *markup) {
	m.add("<header>\n<div class=\"verdict {}\">\n<h1>{}", p.Class, p.Kind)
	if p.Sure != "" {
		m.add(` <span class="sure">{}</span>`, p.Sure)
	}
	m.add("</h1>\n<p>{}</p>\n", p.Summary)
	for _, s := range p.Sessions {
		m.add("<p>Session {}: {}. {}</p>\n", strconv.Itoa(s.Session), s.Verdict.Kind, clipText(s.Verdict.Summary))
	}
	m.add("</div>\n")
	for _, issue := range p.Issues {
		m.add("<p class=\"issue\">{}</p>\n", clipText(issue))
	}
	m.add("<p class=\"facts\">{}</p>\n</header>\n", p.Facts)
}

// writeContents writes links to the parts.
func (p *htmlReport) writeContents(m *markup) {
	part := func(id, title string, count int) {
		if count > 0 {
			m.add("<li><a href=\"#{}\">{} ({})</a></li>\n", id, title, strconv.Itoa(count))
		}
	}
	m.add(`<nav aria-label="Contents"><ul>
<li><a href="#picture">Picture</a></li>
<li><a href="#findings">Findings ({})</a></li>
`, strconv.Itoa(p.FindingCount))
	part("counters", "Counters over time", len(p.Charts))
	for _, rp := range p.RuleParts {
		part(rp.ID, rp.Title, len(rp.Notes))
	}
	if len(p.Verifier) > 0 {
		m.add("<li><a href=\"#verifier\">Driver Verifier</a></li>\n")
	}
	part("missing", "Missing", len(p.Gaps))
	part("not-looked-at", "Not looked at", len(p.NotSeen))
	m.add("<li><a href=\"#self-check\">Self-check</a></li>\n")
	part("notes", "Notes", p.NoteCount)
	m.add(`<li><a href="#locks">Locks</a></li>
<li><a href="#threads">Threads</a></li>
`)
	part("heaps", "Heaps", len(p.Heaps))
	m.add(`<li><a href="#inputs">Inputs</a></li>
</ul></nav>
`)
}

func (p *htmlReport) writePictures(m *markup) {
	figure := func(panels []drawing, legend drawing) {
		m.add("<figure tabindex=\"0\" aria-label=\"Wait-for graph\">\n")
		for _, d := range panels {
			m.draw(d)
		}
		m.draw(legend)
		m.add("</figure>\n")
	}
	m.section("picture", "Who waits for whom")
	if len(p.Panels) > 0 {
		figure(p.Panels, p.Legend)
	}
	if n := len(p.MorePanels); n > 0 {
		more := "pictures"
		if n == 1 {
			more = "picture"
		}
		m.add("<details><summary>{} more {}</summary>\n", strconv.Itoa(n), more)
		figure(p.MorePanels, drawing{})
		m.add("</details>\n")
	}
	if p.PictureMore != "" {
		m.add("<p>{}</p>\n", p.PictureMore)
	}
	if p.Words != "" {
		m.add("<details><summary>The same in words</summary>\n<pre>{}</pre>\n</details>\n", p.Words)
	}
	m.add("</section>\n")
}

func (p *htmlReport) writeFindings(m *markup) {
	m.section("findings", "Findings")
	if p.FindingCount == 0 {
		m.add("<p>None.</p>\n")
	}
	for i := range p.Findings {
		p.Findings[i].write(m)
	}
	if n := len(p.OtherFindings); n > 0 {
		m.add(`<details><summary>{} more findings</summary>
<div class="scroll" role="region" aria-label="More findings" tabindex="0"><table class="data">
<thead><tr><th scope="col">Detector</th><th scope="col">Severity</th><th scope="col">Grade</th><th scope="col">Summary</th></tr></thead>
<tbody>
`, strconv.Itoa(n))
		for _, f := range p.OtherFindings {
			m.add("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", f.ID, f.Severity, f.Grade, clipText(f.Summary))
		}
		m.add("</tbody></table></div>\n</details>\n")
	}
	m.left(p.FindingsLeft)
	m.add("</section>\n")
}

func (p *htmlReport) writeRules(m *markup) {
	for _, part := range p.RuleParts {
		m.section(part.ID, part.Title)
		for _, n := range part.Notes {
			m.add("<h3>{}</h3>\n", clipText(n.Head))
			m.list(n.Lines)
		}
		m.add("</section>\n")
	}
	if len(p.RuleLines) > 0 {
		m.section("rules", "Rules")
		m.list(p.RuleLines)
		m.add("</section>\n")
	}
}

func (p *htmlReport) writeVerifier(m *markup) {
	if len(p.Verifier) == 0 {
		return
	}
	m.section("verifier", "Driver Verifier")
	m.list(p.Verifier)
	m.left(p.VerifierLeft)
	m.add("</section>\n")
}

// writeGaps writes what is missing and what was not looked at.
func (p *htmlReport) writeGaps(m *markup) {
	if len(p.Gaps) > 0 {
		m.section("missing", "Missing")
		m.add(`<div class="scroll" role="region" aria-label="Missing facts" tabindex="0"><table class="data">
<thead><tr><th scope="col">What</th><th scope="col">Why</th><th scope="col">Type</th><th scope="col">A verdict hangs on it</th></tr></thead>
<tbody>
`)
		for _, g := range p.Gaps {
			decides := ""
			if g.Decides {
				decides = "yes"
			}
			m.add("<tr><td>{}</td><td>{}</td><td><code>{}</code></td><td>{}</td></tr>\n", clipText(g.What), clipText(g.Why), clipText(g.NextCommand), decides)
		}
		m.add("</tbody></table></div>\n")
		m.left(p.GapsLeft)
		m.add("</section>\n")
	}
	if len(p.NotSeen) > 0 {
		m.section("not-looked-at", "Not looked at")
		m.list(p.NotSeen)
		m.add("</section>\n")
	}
}

// writeNotes writes the self-checks and what else is noted.
func (p *htmlReport) writeNotes(m *markup) {
	m.section("self-check", p.Checks.Title)
	for _, c := range p.Checks.Failed {
		m.add("<h3>{}</h3>\n<ul>\n", clipText(c.Title))
		m.items(c.Places)
		for _, cost := range c.Costs {
			m.add("<li><strong>{}</strong></li>\n", clipText(cost))
		}
		m.add("</ul>\n")
	}
	m.left(p.Checks.Left)
	if p.Checks.Unchecked != "" {
		m.add("<p>{}</p>\n", clipText(p.Checks.Unchecked))
	}
	m.add("</section>\n")
	if len(p.Notes) > 0 {
		m.section("notes", "Notes")
		m.list(p.Notes)
		m.left(p.NotesLeft)
		m.add("</section>\n")
	}
}

func (p *htmlReport) writeInputs(m *markup) {
	m.section("inputs", "Inputs")
	m.add(`<p>Every line is claimed by a reader, known noise, or not understood.</p>
`)
	for i := range p.Inputs {
		in := &p.Inputs[i]
		m.add("<h3>{}</h3>\n<p class=\"facts\">{}</p>\n", clipText(in.Name), in.Facts)
		in.Table.write(m)
		for _, q := range in.Quotes {
			m.add("<h4>Lines not understood, {}</h4>\n<div class=\"lines\"><table><tbody>\n", clipText(q.Title))
			for _, l := range q.Lines {
				m.add("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", strconv.Itoa(l.Line), clipText(l.Text))
			}
			m.add("</tbody></table></div>\n")
			if q.More > 0 {
				m.left("… and " + strconv.Itoa(q.More) + " more")
			}
		}
	}
	for _, left := range p.InputsLeft {
		m.left(left)
	}
	m.add("</section>\n")
}

func (t *htmlTable) write(m *markup) {
	if len(t.Rows) == 0 {
		m.add("<p>None was read.</p>\n")
		m.left(t.Left)
		return
	}
	m.add("<div class=\"scroll\" role=\"region\" aria-label=\"{}\" tabindex=\"0\"><table class=\"data\">\n", clipText(t.Name))
	if t.Said != "" {
		m.add("<caption>{}</caption>\n", t.Said)
	}
	m.add("<thead><tr>")
	for _, h := range t.Heads {
		m.add("<th scope=\"col\">{}</th>", h)
	}
	m.add("</tr></thead>\n<tbody>\n")
	for _, row := range t.Rows {
		m.add("<tr>")
		for _, c := range row {
			m.add("<td>{}</td>", clipCell(c))
		}
		m.add("</tr>\n")
	}
	m.add("</tbody></table></div>\n")
	m.left(t.Left)
}
