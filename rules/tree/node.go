// Package tree holds what a rule file is before anybody knows its rules: plain text and the
// nodes of its YAML, and writes the nodes as bytes for a program that cannot read YAML.
package tree

// Kind says what a Node is.
type Kind uint8

// The kinds of nodes. Zero is none.
const (
	Mapping Kind = iota + 1
	Sequence
	Scalar
	Alias
)

// Style says how a node is written in its file. Its bits can come together.
type Style uint8

// The styles of nodes. Zero is a value without quotes, and a list or mapping without
// brackets.
const (
	Tagged Style = 1 << iota
	DoubleQuoted
	SingleQuoted
	Literal // behind |
	Folded  // behind >
	Flow    // in brackets
)

// Node is a value in a rule file.
type Node struct {
	Kind  Kind
	Style Style
	// Tag is the type of the value, such as !!str: as it stands in the file if Style has
	// Tagged, otherwise as YAML takes the value.
	Tag string
	// Value is the text of a scalar without quotes, and the name that an alias stands for.
	Value string
	// Anchor is the name that aliases have for the node, "" for none.
	Anchor string
	// Line and Column count from 1, the column in characters.
	Line, Column int
	// Content are the items of a sequence, or key and value of each entry of a mapping.
	Content []*Node
}

// Mistake says why a text has no nodes, and where: line and column count from 1, the
// column in characters.
type Mistake struct {
	Line, Column int
	Text         string
}
