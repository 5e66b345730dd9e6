package rules

import "kdlocks/rules/tree"

// nodesOf reads what another program made of a text: web/wasm/extras. A page need not load
// what parses YAML unless rules are brought to it.
func nodesOf(text, form string) (*tree.Node, *tree.Mistake) {
	root, mistake := new(tree.Reader).Read(form, text)
	if root == nil && mistake == nil {
		return nil, &tree.Mistake{Line: 1, Column: 1, Text: "the file was not read: what reads YAML could not be loaded, or stopped; is what serves this page still there?"}
	}
	return root, mistake
}
