package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Bounds of a rule file: what a person writes is far below.
const (
	mostBytes = 1 << 20
	mostNodes = 200_000
	mostDepth = 40
	mostRules = 2000
)

// decoder reads one file and collects its mistakes.
type decoder struct {
	file     string
	lines    []string
	problems Problems
	rule     string // the id of the rule that is being read
	nodes    int
	// newer are the rules that need a newer engine, later the ids that must exist
	// once all files are read.
	newer []string
	later []wanted
}

// wanted is the id of a rule that another one names.
type wanted struct {
	id   string
	at   position
	rule string
}

func newDecoder(file string, data []byte) *decoder {
	return &decoder{file: file, lines: strings.Split(string(data), "\n")}
}

// fail adds a mistake at a place.
func (d *decoder) fail(at position, format string, args ...any) {
	if len(d.problems) >= mostProblems {
		return
	}
	p := &Problem{File: d.file, Line: at.line, Col: at.col, Rule: d.rule, Text: fmt.Sprintf(format, args...)}
	if at.line > 0 && at.line <= len(d.lines) {
		p.Source = strings.TrimRight(d.lines[at.line-1], "\r")
	}
	d.problems = append(d.problems, p)
}

func (d *decoder) failAt(n *yaml.Node, format string, args ...any) { d.fail(at(n), format, args...) }

func at(n *yaml.Node) position { return position{n.Line, n.Column} }

// parse makes nodes of the file; nil if it is no YAML, or holds what rules must
// not hold.
func (d *decoder) parse(data []byte) *yaml.Node {
	if len(data) > mostBytes {
		d.fail(position{}, "the file is larger than %d bytes", mostBytes)
		return nil
	}
	if !utf8.Valid(data) {
		d.fail(position{1, 1}, "the file is not UTF-8")
		return nil
	}
	var doc yaml.Node
	if err := yaml.Load(data, &doc); err != nil {
		d.syntax(err)
		return nil
	}
	if len(doc.Content) == 0 {
		d.fail(position{1, 1}, "the file is empty")
		return nil
	}
	root := doc.Content[0]
	if !d.plain(root, 0) {
		return nil
	}
	return root
}

// syntax tells of a mistake that the YAML parser found.
func (d *decoder) syntax(err error) {
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		d.fail(position{1, 1}, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		return
	}
	line, col := le.Mark.Line, le.Mark.Column
	if line == 0 {
		line, col = le.ContextMark.Line, le.ContextMark.Column
	}
	text := le.Message
	if strings.Contains(text, "cannot start any token") && line > 0 && line <= len(d.lines) && strings.HasPrefix(strings.TrimLeft(d.lines[line-1], " "), "\t") {
		text = "YAML is indented with blanks, this line with a tab"
	}
	d.fail(position{max(line, 1), max(col, 1)}, "not valid YAML: %s", text)
}

// plain walks the nodes and refuses anchors, aliases, merge keys, tags, and more
// than a person writes.
func (d *decoder) plain(n *yaml.Node, depth int) bool {
	d.nodes++
	switch {
	case depth > mostDepth:
		d.failAt(n, "nested deeper than %d levels", mostDepth)
		return false
	case d.nodes > mostNodes:
		d.failAt(n, "the file has more than %d values", mostNodes)
		return false
	case n.Kind == yaml.AliasNode:
		d.failAt(n, "aliases (*%s) are not part of the format: write the value out", n.Value)
		return false
	case n.Anchor != "":
		d.failAt(n, "anchors (&%s) are not part of the format: write the value out where it is needed", n.Anchor)
		return false
	case n.Style&yaml.TaggedStyle != 0:
		d.failAt(n, "tags (%s) are not part of the format", n.Tag)
		return false
	}
	for _, c := range n.Content {
		if !d.plain(c, depth+1) {
			return false
		}
	}
	return true
}

// entry is a key of a mapping and its value.
type entry struct{ key, value *yaml.Node }

// mapping returns the entries of a mapping whose keys are some words. What is no
// mapping, other keys, and keys that come twice are mistakes; false if it is no
// mapping.
func (d *decoder) mapping(n *yaml.Node, what string, keys []string) (map[string]entry, bool) {
	if n.Kind != yaml.MappingNode {
		d.failAt(n, "%s is a mapping of keys, and this is %s", what, kindOf(n))
		return nil, false
	}
	out := make(map[string]entry)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch _, twice := out[k.Value]; {
		case k.Kind != yaml.ScalarNode:
			d.failAt(k, "a key of %s is a word, and this is %s", what, kindOf(k))
		case twice:
			d.failAt(k, "%s stands twice in %s", k.Value, what)
		case !slices.Contains(keys, k.Value):
			d.failAt(k, "%s has no key %q%s", what, k.Value, orKeys(k.Value, keys))
		default:
			out[k.Value] = entry{k, v}
		}
	}
	return out, true
}

// orKeys proposes a key, or lists them where none is near.
func orKeys(word string, keys []string) string {
	if hint := didYouMean(word, keys); hint != "" {
		return hint
	}
	return "; it has " + oneOf(keys)
}

// list returns the items of a list; a mistake if it is none.
func (d *decoder) list(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		d.failAt(n, "%s is a list, and this is %s", what, kindOf(n))
		return nil
	}
	return n.Content
}

// scalar returns a single value as text; a mistake if it is none or empty.
func (d *decoder) scalar(n *yaml.Node, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode {
		d.failAt(n, "%s is a single value, and this is %s", what, kindOf(n))
		return "", false
	}
	s := strings.TrimSpace(n.Value)
	if s == "" || n.Tag == "!!null" {
		d.failAt(n, "%s is empty", what)
		return "", false
	}
	return s, true
}

// word returns a value that must be one of some words.
func (d *decoder) word(n *yaml.Node, what string, words []string) string {
	s, ok := d.scalar(n, what)
	if ok && !slices.Contains(words, s) {
		d.failAt(n, "%s is none of %s: %q%s", what, oneOf(words), s, didYouMean(s, words))
		return ""
	}
	return s
}

func (d *decoder) boolean(n *yaml.Node, what string) bool {
	s, ok := d.scalar(n, what)
	if ok && s != "true" && s != "false" {
		d.failAt(n, "%s is true or false: %q", what, s)
	}
	return s == "true"
}

// kindOf says what a node is.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	if n.Tag == "!!null" {
		return "empty"
	}
	return fmt.Sprintf("the single value %q", clip(n.Value))
}

// clip cuts a text for a message.
func clip(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}
