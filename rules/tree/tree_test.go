package tree

import (
	"strings"
	"testing"
)

// written is what Append writes of a list of texts that stand in brackets.
func written(items ...string) (b, text string) {
	text = "[" + strings.Join(items, ", ") + "]"
	root := &Node{Kind: Sequence, Style: Flow, Tag: "!!seq", Line: 1, Column: 1}
	column := 2
	for _, s := range items {
		root.Content = append(root.Content, &Node{Kind: Scalar, Tag: "!!str", Value: s, Line: 1, Column: column})
		column += len(s) + 2
	}
	return string(Append(nil, text, root, nil)), text
}

// Bytes that are cut, or are of another text, are refused or read as something else, and
// no node is outside of the text.
func TestBytesOfAnotherText(t *testing.T) {
	b, text := written("one", "two", "three")
	if root, mistake := new(Reader).Read(b, text); mistake != nil || root == nil || len(root.Content) != 3 || root.Content[2].Value != "three" {
		t.Fatalf("%+v, %+v", root, mistake)
	}
	for n := range b {
		if root, mistake := new(Reader).Read(b[:n], text); root != nil || mistake != nil {
			t.Errorf("%d of %d bytes: %+v, %+v", n, len(b), root, mistake)
		}
	}
	for n := range len(text) - 1 {
		if root, _ := new(Reader).Read(b, text[:n]); root != nil && n < strings.Index(text, "three") {
			t.Errorf("%q: %+v", text[:n], root)
		}
	}
	m := string(Append(nil, text, nil, &Mistake{2, 3, "why"}))
	if root, mistake := new(Reader).Read(m, ""); root != nil || mistake == nil || *mistake != (Mistake{2, 3, "why"}) {
		t.Errorf("%+v, %+v", root, mistake)
	}
	if root, mistake := new(Reader).Read(m[:len(m)-1], ""); root != nil || mistake != nil {
		t.Errorf("%+v, %+v", root, mistake)
	}
	deep := strings.Repeat(string([]byte{byte(Sequence) | 1<<tagBits, 0, distanceBytes, 1}), 1<<18)
	if root, mistake := new(Reader).Read(deep, ""); root != nil || mistake != nil {
		t.Error("nodes are nested without a bound")
	}
}

// FuzzRead: bytes that are no nodes are refused, and do no harm.
func FuzzRead(f *testing.F) {
	for _, items := range [][]string{nil, {"one", "two"}} {
		b, text := written(items...)
		f.Add(b, text)
	}
	f.Add(string(Append(nil, "", nil, &Mistake{1, 1, "why"})), "")
	f.Fuzz(func(t *testing.T, b, text string) {
		if root, mistake := new(Reader).Read(b, text); root != nil && mistake != nil {
			t.Error("both")
		}
	})
}
