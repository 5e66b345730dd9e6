package rules

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"kdlocks/rules/tree"
)

// Bounds of a rule file: what a person writes is far below.
const (
	mostNodes = 200_000
	mostDepth = 40
	mostRules = 2000
)

// decoder reads one file and collects its mistakes.
type decoder struct {
	file     string
	text     string
	form     string   // what another program made of the text, "" if none did
	split    []string // lines, once they are asked for
	problems Problems
	rule     string // the id of the rule that is being read
	floor    string // the engine that all rules of the pack need, "" for any
	draft    bool   // rules may lack tests
	nodes    int
	before   *tree.Node // the file as it was parsed before, nil if it was not
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
	if len(data) > tree.MostBytes {
		d.fail(position{1, 1}, "the file is larger than %d KiB", tree.MostBytes>>10)
		return d
	}
	text, why, from := tree.PlainText([]byte(data))
	d.text = text
	if why != "" {
		before := text[:from]
		d.fail(position{strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1}, "%s", why)
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
	p := &Problem{File: d.file, Line: at.line, Col: at.col, Rule: d.rule, Text: tree.Printable(fmt.Sprintf(format, args...))}
	if at.line > 0 && at.line <= len(d.lines()) {
		p.Source = d.lines()[at.line-1]
	}
	return p
}

// full reports whether so many mistakes were found that no more are told.
func (d *decoder) full() bool { return len(d.problems) >= mostProblems }

func (d *decoder) failAt(n *tree.Node, format string, args ...any) { d.fail(at(n), format, args...) }

func at(n *tree.Node) position { return position{n.Line, n.Column} }

// lines are those of the text, which mistakes alone need.
func (d *decoder) lines() []string {
	if d.split == nil {
		d.split = strings.Split(d.text, "\n")
	}
	return d.split
}

// decoder is newDecoder for a file whose nodes may be kept: the text of such a file was
// looked at when they were made.
func (r *nodeReader) decoder(file, text string, kept map[uint32]string) *decoder {
	if nodes := r.of(kept, text); nodes != nil {
		return &decoder{file: file, text: text, before: nodes}
	}
	return newDecoder(file, text)
}

// parse makes nodes of the file; nil if it is no YAML, or holds what rules must
// not hold.
func (d *decoder) parse() *tree.Node {
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
	root, mistake := nodesOf(d.text, d.form)
	if mistake != nil {
		d.fail(position{mistake.Line, mistake.Column}, "%s", mistake.Text)
		return nil
	}
	if !d.plain(root, 0) {
		return nil
	}
	return root
}

// plain walks the nodes and refuses anchors, aliases, tags, letters that drive a
// terminal, and more than a person writes.
func (d *decoder) plain(n *tree.Node, depth int) bool {
	d.nodes++
	switch {
	case depth > mostDepth:
		d.failAt(n, "nested deeper than %d levels", mostDepth)
		return false
	case d.nodes > mostNodes:
		d.failAt(n, "the file has more than %d values", mostNodes)
		return false
	case n.Kind == tree.Alias:
		d.failAt(n, "aliases (*%s) are not part of the format: write the value out, or put a text that begins with * in quotes", n.Value)
		return false
	case n.Anchor != "":
		d.failAt(n, "anchors (&%s) are not part of the format: write the value out where it is needed, or put a text that begins with & in quotes", n.Anchor)
		return false
	case n.Style&tree.Tagged != 0 && strings.HasPrefix(n.Tag, "!!"):
		d.failAt(n, "tags (%s) are not part of the format: leave it out", n.Tag)
		return false
	case n.Style&tree.Tagged != 0:
		d.failAt(n, "a text that begins with ! is put in quotes (YAML takes it for a tag): %s", quoteTagged(n))
		return false
	}
	if i := strings.IndexFunc(n.Value, tree.Unprintable); i >= 0 {
		r, _ := utf8.DecodeRuneInString(n.Value[i:])
		d.failAt(n, "the text holds the control character U+%04X", r)
		return false
	}
	if n.Style&(tree.Literal|tree.Folded) != 0 && n.Value == "" {
		line, column := tree.InText(d.lines(), n.Line+1, 1)
		d.fail(position{line, max(column, tree.Indent(d.lines()[line-1])+1)}, "the lines of a text behind | or > are indented deeper than its key, and this one is not")
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
func quoteTagged(n *tree.Node) string {
	s := n.Tag
	if n.Kind == tree.Scalar && n.Value != "" {
		s += " " + n.Value
	}
	if strings.ContainsAny(s, `"\`) {
		return "'" + tree.Clip(s) + "'"
	}
	return `"` + tree.Clip(s) + `"`
}

// entry is a key of a mapping and its value.
type entry struct{ key, value *tree.Node }

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
func (d *decoder) mapping(n *tree.Node, what string, keys []string) (entries, bool) {
	return d.mappingOf(n, what, "key", keys)
}

// mappingOf is mapping for keys that have a name of their own.
func (d *decoder) mappingOf(n *tree.Node, what, noun string, keys []string) (entries, bool) {
	if n.Kind != tree.Mapping {
		d.failAt(n, "%s is a mapping%s, and this is %s%s", what, ofKeys(noun, keys), kindOf(n), d.comment(n))
		return nil, false
	}
	out := make(entries, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content) && !d.full(); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch have, twice := out.get(k.Value); {
		case k.Kind != tree.Scalar:
			d.failAt(k, "a key of %s is a word, and this is %s", what, kindOf(k))
		case twice:
			d.failAt(k, "%s stands twice in %s, first in line %d", k.Value, what, have.key.Line)
		case k.Value == "<<":
			d.failAt(k, "merge keys (<<) are not part of the format: write the values out")
		case !slices.Contains(keys, k.Value) && k.Value == "count" && noun == "field":
			d.failAt(k, "%s has no field \"count\": how many facts fit is asked beside %s, as in {%s: {...}, count: {gte: 8}}", what, what, what)
		case !slices.Contains(keys, k.Value):
			d.failAt(k, "%s has no %s %q%s", what, noun, tree.Clip(k.Value), orKeys(k.Value, keys))
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
func (d *decoder) comment(n *tree.Node) string {
	if n.Tag != "!!null" || n.Value != "" || n.Line > len(d.lines()) {
		return ""
	}
	line := d.lines()[n.Line-1]
	if strings.HasPrefix(strings.TrimLeft(line[tree.ByteOf(line, n.Column):], " "), "#") {
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
func (d *decoder) list(n *tree.Node, what string) []*tree.Node {
	if n.Kind != tree.Sequence {
		d.failAt(n, "%s is a list, and this is %s", what, kindOf(n))
		return nil
	}
	return n.Content
}

// scalar returns a single value as text; a mistake if it is none or empty.
func (d *decoder) scalar(n *tree.Node, what string) (string, bool) {
	if n.Kind != tree.Scalar {
		hint := ""
		if n.Kind == tree.Mapping && n.Style&tree.Flow != 0 {
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
func (d *decoder) word(n *tree.Node, what string, words []string) string {
	s, ok := d.scalar(n, what)
	if ok && !slices.Contains(words, s) {
		d.failAt(n, "%s is none of %s: %q%s", what, oneOf(words), tree.Clip(s), didYouMean(s, words))
		return ""
	}
	return s
}

func (d *decoder) boolean(n *tree.Node, what string) bool {
	s, ok := d.scalar(n, what)
	if ok && s != "true" && s != "false" {
		d.failAt(n, "%s is true or false: %q", what, tree.Clip(s))
	}
	return s == "true"
}

// kindOf says what a node is.
func kindOf(n *tree.Node) string {
	switch n.Kind {
	case tree.Mapping:
		return "a mapping"
	case tree.Sequence:
		return "a list"
	case tree.Alias:
		return "an alias"
	}
	if n.Tag == "!!null" {
		return "empty"
	}
	return fmt.Sprintf("the single value %q", tree.Clip(n.Value))
}
