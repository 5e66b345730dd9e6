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
	text     string
	split    []string // lines, once they are asked for
	problems Problems
	rule     string // the id of the rule that is being read
	floor    string // the engine that all rules of the pack need, "" for any
	draft    bool   // rules may lack tests
	nodes    int
	before   *yaml.Node // the file as it was parsed before, nil if it was not
	// newer are the rules that need a newer engine, later the ids that must exist
	// once all files are read.
	newer []newer
	later []wanted
}

// newer is the id of a rule that is not read, and the engine that it needs.
type newer struct {
	id, engine string
	why        *Problem
}

// wanted is the id of a rule that another one names.
type wanted struct {
	id   string
	at   position
	rule string
}

func newDecoder(file, data string) *decoder {
	d := &decoder{file: file}
	if len(data) > mostBytes {
		d.fail(position{1, 1}, "the file is larger than %d KiB", mostBytes>>10)
		return d
	}
	text, why, from := plainText([]byte(data))
	d.text = text
	if why != "" {
		d.fail(positionOf(text, from), "%s", why)
	}
	return d
}

// fail adds a mistake at a place.
func (d *decoder) fail(at position, format string, args ...any) {
	if !d.full() {
		d.problems = append(d.problems, d.problem(at, format, args...))
	}
}

// problem makes what fail adds.
func (d *decoder) problem(at position, format string, args ...any) *Problem {
	p := &Problem{File: d.file, Line: at.line, Col: at.col, Rule: d.rule, Text: printable(fmt.Sprintf(format, args...))}
	if at.line > 0 && at.line <= len(d.lines()) {
		p.Source = d.lines()[at.line-1]
	}
	return p
}

// full reports whether so many mistakes were found that no more are told.
func (d *decoder) full() bool { return len(d.problems) >= mostProblems }

func (d *decoder) failAt(n *yaml.Node, format string, args ...any) { d.fail(at(n), format, args...) }

func at(n *yaml.Node) position { return position{n.Line, n.Column} }

// lines are those of the text, which mistakes alone need.
func (d *decoder) lines() []string {
	if d.split == nil {
		d.split = strings.Split(d.text, "\n")
	}
	return d.split
}

// decoderOf is newDecoder for a file whose nodes are kept: its text was looked at
// when they were made.
func decoderOf(file, text string, nodes *yaml.Node) *decoder {
	return &decoder{file: file, text: text, before: nodes}
}

// parse makes nodes of the file; nil if it is no YAML, or holds what rules must
// not hold.
func (d *decoder) parse() *yaml.Node {
	if len(d.problems) > 0 {
		return nil
	}
	if strings.TrimSpace(d.text) == "" {
		d.fail(position{1, 1}, "the file is empty")
		return nil
	}
	if root := d.before; root != nil {
		d.before = nil
		return root
	}
	var doc yaml.Node
	if err := yaml.Load([]byte(d.text), &doc); err != nil {
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

// syntax tells of a mistake that the YAML parser found: at the place where layout
// sees it, if that is before the parser stumbled.
func (d *decoder) syntax(err error) {
	at, text := position{}, strings.TrimPrefix(err.Error(), "yaml: ")
	var le *yaml.LoadError
	if errors.As(err, &le) {
		at, text = position{le.Mark.Line, le.Mark.Column}, strings.TrimPrefix(le.Message, "yaml: ")
		if at.line == 0 {
			at = position{le.ContextMark.Line, le.ContextMark.Column}
		}
	}
	bad := findMisplaced(d.lines())
	switch {
	case strings.Contains(text, "no documents"):
		d.fail(position{1, 1}, "the file holds nothing but comments")
	case bad != nil && (at.line == 0 || bad.at.line <= at.line):
		d.fail(bad.at, "not valid YAML: %s", bad.why)
	default:
		d.fail(d.inText(at), "not valid YAML: %s", inPlainWords(text))
	}
}

// inText moves a place behind the end of the file to its last line.
func (d *decoder) inText(at position) position {
	last := len(d.lines())
	for last > 1 && strings.TrimSpace(d.lines()[last-1]) == "" {
		last--
	}
	if at.line > last {
		return position{last, utf8.RuneCountInString(d.lines()[last-1]) + 1}
	}
	return position{max(at.line, 1), max(at.col, 1)}
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

// plain walks the nodes and refuses anchors, aliases, tags, letters that drive a
// terminal, and more than a person writes.
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
		d.failAt(n, "aliases (*%s) are not part of the format: write the value out, or put a text that begins with * in quotes", n.Value)
		return false
	case n.Anchor != "":
		d.failAt(n, "anchors (&%s) are not part of the format: write the value out where it is needed, or put a text that begins with & in quotes", n.Anchor)
		return false
	case n.Style&yaml.TaggedStyle != 0 && strings.HasPrefix(n.Tag, "!!"):
		d.failAt(n, "tags (%s) are not part of the format: leave it out", n.Tag)
		return false
	case n.Style&yaml.TaggedStyle != 0:
		d.failAt(n, "a text that begins with ! is put in quotes (YAML takes it for a tag): %s", quoteTagged(n))
		return false
	}
	if i := strings.IndexFunc(n.Value, unprintable); i >= 0 {
		r, _ := utf8.DecodeRuneInString(n.Value[i:])
		d.failAt(n, "the text holds the control character U+%04X", r)
		return false
	}
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 && n.Value == "" {
		below := d.inText(position{n.Line + 1, 1})
		below.col = max(below.col, indentOf(d.lines()[below.line-1])+1)
		d.fail(below, "the lines of a text behind | or > are indented deeper than its key, and this one is not")
		return false
	}
	for _, c := range n.Content {
		if !d.plain(c, depth+1) {
			return false
		}
	}
	return true
}

// quoteTagged is how the text of a node that begins with ! is written.
func quoteTagged(n *yaml.Node) string {
	s := n.Tag
	if n.Kind == yaml.ScalarNode && n.Value != "" {
		s += " " + n.Value
	}
	if strings.ContainsAny(s, `"\`) {
		return "'" + clip(s) + "'"
	}
	return `"` + clip(s) + `"`
}

// entry is a key of a mapping and its value.
type entry struct{ key, value *yaml.Node }

// entries are those of a mapping, as few as rules have.
type entries []entry

func (m entries) get(key string) (entry, bool) {
	for _, e := range m {
		if e.key.Value == key {
			return e, true
		}
	}
	return entry{}, false
}

func (m entries) at(key string) entry {
	e, _ := m.get(key)
	return e
}

// keys returns the keys, sorted.
func (m entries) keys() []string {
	var out []string
	for _, e := range m {
		out = append(out, e.key.Value)
	}
	slices.Sort(out)
	return out
}

// mapping returns the entries of a mapping whose keys are some words. What is no
// mapping, other keys, and keys that come twice are mistakes; false if it is no
// mapping.
func (d *decoder) mapping(n *yaml.Node, what string, keys []string) (entries, bool) {
	return d.mappingOf(n, what, "key", keys)
}

// mappingOf is mapping for keys that have a name of their own.
func (d *decoder) mappingOf(n *yaml.Node, what, noun string, keys []string) (entries, bool) {
	if n.Kind != yaml.MappingNode {
		d.failAt(n, "%s is a mapping%s, and this is %s%s", what, ofKeys(noun, keys), kindOf(n), d.comment(n))
		return nil, false
	}
	out := make(entries, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content) && !d.full(); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch have, twice := out.get(k.Value); {
		case k.Kind != yaml.ScalarNode:
			d.failAt(k, "a key of %s is a word, and this is %s", what, kindOf(k))
		case twice:
			d.failAt(k, "%s stands twice in %s, first in line %d", k.Value, what, have.key.Line)
		case k.Value == "<<":
			d.failAt(k, "merge keys (<<) are not part of the format: write the values out")
		case !slices.Contains(keys, k.Value) && k.Value == "count" && noun == "field":
			d.failAt(k, "%s has no field \"count\": how many facts fit is asked beside %s, as in {%s: {...}, count: {gte: 8}}", what, what, what)
		case !slices.Contains(keys, k.Value):
			d.failAt(k, "%s has no %s %q%s", what, noun, clip(k.Value), orKeys(k.Value, keys))
		default:
			out = append(out, entry{k, v})
		}
	}
	return out, true
}

// ofKeys lists the keys of a mapping if they are few.
func ofKeys(noun string, keys []string) string {
	if len(keys) > 8 {
		return " of " + noun + "s"
	}
	return " with the " + noun + "s " + strings.Join(keys, ", ")
}

// comment is a hint where a value is empty because a comment begins there.
func (d *decoder) comment(n *yaml.Node) string {
	if n.Tag != "!!null" || n.Value != "" || n.Line > len(d.lines()) {
		return ""
	}
	line := d.lines()[n.Line-1]
	if strings.HasPrefix(strings.TrimLeft(line[byteOf(line, n.Column):], " "), "#") {
		return ": # begins a comment, so that a text with it is put in quotes"
	}
	return ""
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
		hint := ""
		if n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0 {
			hint = "; a text that begins with { is put in quotes"
		}
		d.failAt(n, "%s is a single value, and this is %s%s", what, kindOf(n), hint)
		return "", false
	}
	s := strings.TrimSpace(n.Value)
	if s == "" || n.Tag == "!!null" && n.Value == "" {
		d.failAt(n, "%s is empty%s", what, d.comment(n))
		return "", false
	}
	return s, true
}

// word returns a value that must be one of some words.
func (d *decoder) word(n *yaml.Node, what string, words []string) string {
	s, ok := d.scalar(n, what)
	if ok && !slices.Contains(words, s) {
		d.failAt(n, "%s is none of %s: %q%s", what, oneOf(words), clip(s), didYouMean(s, words))
		return ""
	}
	return s
}

func (d *decoder) boolean(n *yaml.Node, what string) bool {
	s, ok := d.scalar(n, what)
	if ok && s != "true" && s != "false" {
		d.failAt(n, "%s is true or false: %q", what, clip(s))
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
