package inspect_test

import (
	"encoding/binary"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
)

// form is a way in which the same output can reach a reader. It keeps the
// meaning.
type form struct {
	name   string
	order  func(*rand.Rand, []string) []string // of the sections, nil: as is
	text   func(string) string                 // nil: as is
	encode func(string) []byte                 // nil: UTF-8
}

var forms = []form{
	{name: "plain"},
	{name: "CRLF", text: crlf},
	{name: "UTF-8 with BOM", encode: func(s string) []byte { return []byte("\ufeff" + s) }},
	{name: "UTF-16LE with BOM", text: crlf, encode: utf16Bytes(binary.LittleEndian, true)},
	{name: "UTF-16BE with BOM", encode: utf16Bytes(binary.BigEndian, true)},
	{name: "UTF-16LE", encode: utf16Bytes(binary.LittleEndian, false)},
	{name: "UTF-16BE", text: crlf, encode: utf16Bytes(binary.BigEndian, false)},
	{name: "upper-case hex", text: upperHex},
	{name: "quoted", text: func(s string) string { return eachLine(s, func(l string) string { return "> " + l }) }},
	{name: "quoted twice", text: func(s string) string { return eachLine(s, func(l string) string { return "> > " + l }) }},
	{name: "no backticks", text: func(s string) string { return tickedAddress.ReplaceAllString(s, "$1$2") }},
	{name: "collapsed", text: func(s string) string { return eachLine(s, collapse) }},
	{name: "indented", text: func(s string) string { return eachLine(s, func(l string) string { return "    " + l }) }},
	{name: "tabs", text: func(s string) string { return strings.ReplaceAll(s, "    ", "\t") }},
	{name: "no end of line at the end", text: func(s string) string { return strings.TrimRight(s, "\n") }},
	{name: "re-ordered", order: reorder},
	{name: "one section twice", order: func(r *rand.Rand, s []string) []string { return append(slices.Clone(s), s[r.IntN(len(s))]) }},
	{name: "all twice", order: func(_ *rand.Rand, s []string) []string { return append(slices.Clone(s), s...) }},
	{name: "re-ordered, collapsed, quoted, CRLF", order: reorder, text: func(s string) string {
		return crlf(eachLine(s, func(l string) string { return "> " + collapse(l) }))
	}},
}

// apply returns the text of the sections as a reader of it would see it, and
// its bytes.
func (f form) apply(rng *rand.Rand, sections []string) (string, []byte) {
	if f.order != nil {
		sections = f.order(rng, sections)
	}
	text := strings.Join(sections, "")
	if f.text != nil {
		text = f.text(text)
	}
	if f.encode == nil {
		return text, []byte(text)
	}
	return text, f.encode(text)
}

func reorder(rng *rand.Rand, sections []string) []string {
	out := slices.Clone(sections)
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func collapse(l string) string { return strings.Join(strings.Fields(l), " ") }

// eachLine maps the lines of a text that ends with an end of line.
func eachLine(s string, f func(string) string) string {
	var b strings.Builder
	for l := range strings.Lines(s) {
		b.WriteString(f(strings.TrimSuffix(l, "\n")) + "\n")
	}
	return b.String()
}

// published are the forms that publishing software gives to a paste: markup
// characters as entities, and a multiplication sign between decimal digits.
var published = []form{
	{name: "entities", text: strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace},
	{name: "typographic signs", text: func(s string) string {
		return digitsOnly.ReplaceAllString(strings.ReplaceAll(s, ".....", "\u2026"), "0\u00d7$1")
	}},
}

var (
	tickedAddress   = regexp.MustCompile("([0-9a-f]{8})`([0-9a-f]{8})")
	digitsOnly      = regexp.MustCompile(`\b0x([0-9]+)\b`)
	wholeAddress    = regexp.MustCompile("\\b[0-9a-f]{8}(?:`?[0-9a-f]{8})?\\b")
	prefixedAddress = regexp.MustCompile("0x([0-9a-f]{8}(?:`?[0-9a-f]{8})?)\\b")
)

// upperHex turns all whole addresses into capitals.
func upperHex(s string) string {
	s = prefixedAddress.ReplaceAllStringFunc(s, func(m string) string { return "0x" + strings.ToUpper(m[2:]) })
	return wholeAddress.ReplaceAllStringFunc(s, strings.ToUpper)
}

// utf16Bytes returns an encoder.
func utf16Bytes(order binary.AppendByteOrder, bom bool) func(string) []byte {
	return func(s string) []byte {
		var out []byte
		if bom {
			out = order.AppendUint16(out, 0xfeff)
		}
		for _, u := range utf16.Encode([]rune(s)) {
			out = order.AppendUint16(out, u)
		}
		return out
	}
}
