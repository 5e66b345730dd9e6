// Package parse reads YAML as rule files have it, and says where one has none.
package parse

import (
	"errors"
	"strings"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"kdlocks/rules/tree"
)

// mostDepth is how deep values are nested at most, which is far beyond what rules may be: a
// browser bears some thousand calls within each other, and the parser makes several for each.
const mostDepth = 1000

// Text makes nodes of a text that tree.PlainText returned. Anchors, aliases and tags are
// there to be refused.
func Text(text string) (*tree.Node, *tree.Mistake) {
	var doc yaml.Node
	if err := yaml.Load([]byte(text), &doc, yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(mostDepth)))); err != nil {
		return nil, mistake(err, strings.Split(text, "\n"))
	}
	if len(doc.Content) == 0 {
		return nil, &tree.Mistake{Line: 1, Column: 1, Text: "the file is empty"}
	}
	return node(doc.Content[0]), nil
}

// Form is what tree.Append writes of the bytes of a rule file. It is empty where there is
// nothing to parse: where the file is too large, blank or no text.
func Form(data []byte) []byte {
	if len(data) > tree.MostBytes {
		return nil
	}
	text, why, _ := tree.PlainText(data)
	if why != "" || strings.TrimSpace(text) == "" {
		return nil
	}
	root, mistake := Text(text)
	return tree.Append(nil, text, root, mistake)
}

var kinds = map[yaml.Kind]tree.Kind{yaml.MappingNode: tree.Mapping, yaml.SequenceNode: tree.Sequence, yaml.ScalarNode: tree.Scalar, yaml.AliasNode: tree.Alias}

var styles = [...]struct {
	theirs yaml.Style
	ours   tree.Style
}{
	{yaml.TaggedStyle, tree.Tagged}, {yaml.DoubleQuotedStyle, tree.DoubleQuoted}, {yaml.SingleQuotedStyle, tree.SingleQuoted},
	{yaml.LiteralStyle, tree.Literal}, {yaml.FoldedStyle, tree.Folded}, {yaml.FlowStyle, tree.Flow},
}

func node(n *yaml.Node) *tree.Node {
	out := &tree.Node{Kind: kinds[n.Kind], Tag: n.Tag, Value: n.Value, Anchor: n.Anchor, Line: n.Line, Column: n.Column}
	for _, s := range styles {
		if n.Style&s.theirs != 0 {
			out.Style |= s.ours
		}
	}
	if len(n.Content) > 0 {
		out.Content = make([]*tree.Node, len(n.Content))
	}
	for i, c := range n.Content {
		out.Content[i] = node(c)
	}
	return out
}

// mistake tells of what the YAML parser found: at the place where the layout is wrong, if
// that is before the parser stumbled.
func mistake(err error, lines []string) *tree.Mistake {
	line, column, text := 0, 0, strings.TrimPrefix(err.Error(), "yaml: ")
	var le *yaml.LoadError
	if errors.As(err, &le) {
		line, column, text = le.Mark.Line, le.Mark.Column, strings.TrimPrefix(le.Message, "yaml: ")
		if line == 0 {
			line, column = le.ContextMark.Line, le.ContextMark.Column
		}
	}
	bad := Misplaced(lines)
	switch {
	case strings.Contains(text, "no documents"):
		return &tree.Mistake{Line: 1, Column: 1, Text: "the file holds nothing but comments"}
	case bad != nil && (line == 0 || bad.Line <= line):
		bad.Text = "not valid YAML: " + bad.Text
		return bad
	}
	line, column = tree.InText(lines, line, column)
	return &tree.Mistake{Line: line, Column: column, Text: "not valid YAML: " + inPlainWords(text)}
}

// inPlainWords says what the parser means by some of its messages.
func inPlainWords(text string) string {
	for _, w := range parserWords {
		if strings.Contains(text, w.theirs) {
			return w.ours
		}
	}
	return text
}

var parserWords = []struct{ theirs, ours string }{
	{"unknown anchor", "a text that begins with * is put in quotes (YAML takes it for an alias)"},
	{"unknown escape character", "within double quotes a backslash is written \\\\; within single quotes it stands for itself"},
	{"cannot start any token", "a text that begins with this letter is put in quotes"},
	{"expected alphabetic or numeric character", "a text that begins with & or * is put in quotes (YAML takes it for an anchor or alias)"},
	{"tab character", "YAML is indented with blanks, and here is a tab"},
	{"undefined tag handle", "a text that begins with ! is put in quotes (YAML takes it for a tag)"},
	{"exceeded max depth", "brackets or lines are nested too deep"},
}
