package report

import (
	"bytes"
	"io"
	"strings"

	"kdlocks/kd"
)

// markup is a piece of a page. Tags come from this program alone: add takes
// them from constants, and whatever it fills into those is escaped.
type markup struct{ b bytes.Buffer }

// constant is markup that the program has written out. A string is none unless it
// is converted, which nothing but what embeds a file does.
type constant string

// add appends markup, in which each {} stands for the next of the texts. A {} can
// be between tags or within an attribute in double quotes, but for one that holds
// a style, a script or an address beyond its fragment.
func (m *markup) add(c constant, texts ...string) {
	for _, t := range texts {
		before, after, _ := strings.Cut(string(c), "{}")
		m.b.WriteString(before)
		escaped.WriteString(&m.b, t)
		c = constant(after)
	}
	m.b.WriteString(string(c))
}

// escaped is text such that it ends neither a text nor an attribute.
var escaped = strings.NewReplacer("\x00", "\ufffd", `"`, "&#34;", "&", "&amp;", "'", "&#39;", "+", "&#43;", "<", "&lt;", ">", "&gt;")

// section begins a part of the page, which links find by its id.
func (m *markup) section(id, title string) {
	m.add("<section id=\"{}\" aria-labelledby=\"h-{}\">\n<h2 id=\"h-{}\">{}</h2>\n", id, id, id, title)
}

// list appends a list of lines, nothing if there are none.
func (m *markup) list(lines []string) {
	if len(lines) == 0 {
		return
	}
	m.add("<ul>\n")
	m.items(lines)
	m.add("</ul>\n")
}

func (m *markup) items(lines []string) {
	for _, l := range lines {
		m.add("<li>{}</li>\n", clipText(l))
	}
}

// left appends what is said of things left out, "" if none are.
func (m *markup) left(text string) {
	if text != "" {
		m.add("<p class=\"left\">{}</p>\n", text)
	}
}

// drawing is an SVG of package picture, which escapes what it is given.
type drawing struct{ svg []byte }

func draw(write func(w io.Writer) error) (drawing, error) {
	var b bytes.Buffer
	err := write(&b)
	return drawing{b.Bytes()}, err
}

func (m *markup) draw(d drawing) { m.b.Write(d.svg) }

func (m *markup) to(w io.Writer) error {
	_, err := w.Write(m.b.Bytes())
	return err
}

// clipText is Plain for texts of any length, of which it keeps the first bytes.
func clipText(s string) string { return Plain(head(s, longestText)) }

// clipCell is clipText for the cell of a table.
func clipCell(s string) string { return Plain(head(s, longestCell)) }

// shortPlain is Plain for names.
func shortPlain(s string) string { return Plain(kd.ShortNames(s)) }
