package report

import "strconv"

// write writes a finding in full.
func (f *htmlFinding) write(m *markup) {
	number := strconv.Itoa(f.Number)
	m.add("<article id=\"finding-{}\" aria-labelledby=\"h-finding-{}\">\n<h3 id=\"h-finding-{}\">[{}] {}</h3>\n", number, number, number, number, clipText(f.Title))
	f.writeTags(m)
	if f.Tell {
		m.add("<p><strong>{}</strong></p>", clipText(f.Summary))
	}
	m.add("\n")
	if f.SameRoot != 0 {
		same := strconv.Itoa(f.SameRoot)
		m.add("<p>The same root as in <a href=\"#finding-{}\">[{}]</a>.</p>\n</article>\n", same, same)
		return
	}
	if s := f.Suspect; s != nil {
		m.add("<h4>Suspect</h4>\n<p><strong>{}</strong>: {}</p>\n", clipText(s.Module), clipText(s.Reason))
	}
	m.add("<h4>Why</h4>\n<p>{}</p>\n", clipText(f.Explanation))
	f.writeClauses(m)
	for i := range f.Steps {
		f.Steps[i].write(m)
	}
	if len(f.NextCommands) > 0 {
		m.add("<h4>Type next</h4>\n<ul class=\"commands\">\n")
		for _, c := range f.NextCommands {
			m.add("<li><code>{}</code></li>\n", clipText(c))
		}
		m.add("</ul>\n")
	}
	m.add("<h4>What would disprove it</h4>\n<p>{}</p>\n<h4>What to do</h4>\n<p>{}</p>\n", clipText(f.Disproof), clipText(f.Remedy))
	f.writeEvidence(m)
	f.writeThreads(m)
	if len(f.References) > 0 {
		m.add("<h4>References</h4>\n")
		m.list(f.References)
	}
	m.add("</article>\n")
}

func (f *htmlFinding) writeTags(m *markup) {
	m.add("<ul class=\"tags\"><li class=\"severity-{}\">{}</li><li>{}, {}</li>", f.Severity, f.Severity, f.Kind, f.Confidence)
	if f.Grade != "" {
		m.add("<li>evidence grade {}</li>", f.Grade)
	}
	m.add("<li><code>{}</code></li>", f.ID)
	if f.Session != 0 {
		m.add("<li>session {}</li>", strconv.Itoa(f.Session))
	}
	if f.BlockedThreads != 0 {
		m.add("<li>{} blocked</li>", strconv.Itoa(f.BlockedThreads))
	}
	m.add("</ul>\n")
}

// writeClauses writes those of a known issue, and the other candidates.
func (f *htmlFinding) writeClauses(m *markup) {
	if len(f.Clauses) > 0 {
		m.add("<h4>Clauses of <code>{}</code></h4>\n<ul class=\"clauses\">\n", clipText(f.ClausesOf))
		for _, c := range f.Clauses {
			m.add("<li><span class=\"truth truth-{}\">{}</span><code>{}</code>", c.Truth, c.Truth, clipText(c.Head))
			if len(c.Lines) > 0 {
				m.add("\n")
				m.list(c.Lines)
			}
			m.add("</li>\n")
		}
		m.add("</ul>\n")
	}
	if len(f.Candidates) > 0 {
		m.add("<h4>Other candidates, which fit no better</h4>\n")
		m.list(f.Candidates)
	}
}

// writeEvidence writes the lines of the input that the finding rests on.
func (f *htmlFinding) writeEvidence(m *markup) {
	if len(f.Blocks) > 0 {
		m.add("<h4>Evidence</h4>\n")
	}
	for _, block := range f.Blocks {
		m.add("<div class=\"lines\"><table>\n<caption>{}</caption>\n<tbody>\n", clipText(block.Input))
		for _, l := range block.Lines {
			m.add("<tr")
			if len(l.Whys) > 0 {
				m.add(" class=\"hit\"")
			}
			m.add("><th scope=\"row\">{}</th><td>", strconv.Itoa(l.Number))
			for _, p := range l.Pieces {
				if p.Marked {
					m.add("<mark>{}</mark>", p.Text)
				} else {
					m.add("{}", p.Text)
				}
			}
			for _, why := range l.Whys {
				m.add("<span class=\"why\">↑ {}</span>", clipText(why))
			}
			m.add("</td></tr>\n")
		}
		m.add("</tbody></table></div>\n")
	}
	m.left(f.EvidenceLeft)
}

// writeThreads writes the stacks and the threads that the finding names.
func (f *htmlFinding) writeThreads(m *markup) {
	for i := range f.Stacks {
		m.add("<details><summary>{}</summary>\n", clipText(f.Stacks[i].Name))
		f.Stacks[i].write(m)
		m.add("</details>\n")
	}
	if len(f.Groups) > 0 {
		m.add("<details open=\"\"><summary>{}</summary>\n", f.GroupsOf)
		for _, g := range f.Groups {
			m.add("<p><strong>{}</strong></p>\n<p class=\"mono\">", clipText(g.Name))
			for _, frame := range g.Frames {
				m.add("{}<br/>\n", shortPlain(frame))
			}
			m.add("</p>\n")
		}
		for _, left := range f.GroupsLeft {
			m.add("<p>{}</p>\n", clipText(left))
		}
		m.add("</details>\n")
	}
	for _, p := range f.People {
		m.add("<details><summary>{}</summary>\n<p class=\"mono\">{}</p>\n</details>\n", clipText(p.Name), clipText(p.Text))
	}
}
