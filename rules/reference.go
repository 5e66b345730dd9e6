package rules

import (
	"fmt"
	"strings"
)

// ReferencePage writes the reference of all kinds, fields and operators in Markdown,
// as docs/rules.md holds it.
func ReferencePage() string {
	var b strings.Builder
	b.WriteString("### Operators\n\n| operator | the field | for |\n|---|---|---|\n")
	for _, o := range operators {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", o.name, o.doc, operatorTypes(&o))
	}
	b.WriteString("\n### Types\n\n| type | is compared | is written |\n|---|---|---|\n")
	for _, t := range typeDocs {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", t.typ, t.compared, t.written)
	}
	b.WriteString("\n### Kinds of facts\n")
	for _, k := range kinds {
		fmt.Fprintf(&b, "\n#### `%s`\n\n%s.%s\n\n| field | type | what it is |\n|---|---|---|\n", k.name, capital(k.doc), k.read())
		for _, f := range k.fields {
			typ := f.typ.String()
			if f.list {
				typ += ", several"
			}
			doc := f.doc
			if f.typ == Enum {
				doc += ": " + wordsOf(f)
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.name, typ, strings.ReplaceAll(doc, "|", `\|`))
		}
	}
	return b.String()
}

// wordsOf lists those of an Enum.
func wordsOf(f *field) string {
	if f.name == "id" {
		return "one of those that `kdlocks explain` lists"
	}
	return "`" + strings.Join(f.words, "`, `") + "`"
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// read says where facts of the kind are read, and what is asked for where they
// are missing.
func (k *kind) read() string {
	switch {
	case k.ask == "" && k.one == "":
		return ""
	case k.one == "" || k.one == k.ask:
		return " Missing: `" + k.ask + "`."
	case k.ask == "":
		return " Missing: `" + fmt.Sprintf(k.one, "ADDRESS") + "`."
	}
	one := k.one
	if strings.Contains(one, "%s") {
		one = fmt.Sprintf(one, strings.ToUpper(k.keyName()))
	}
	return " Missing: `" + k.ask + "`; a single one: `" + one + "`."
}

func (k *kind) keyName() string {
	if k.key != "" {
		return k.key
	}
	return k.fields[0].name
}

// operatorTypes lists the types of fields that an operator is for.
func operatorTypes(o *operator) string {
	var out []string
	for t := range Type(len(typeNames)) {
		if o.fits(&field{typ: t, list: o.name == "has"}) {
			out = append(out, t.String())
		}
	}
	switch {
	case o.name == "has":
		return "fields with several values"
	case len(out) >= len(typeNames)-2:
		return "all but ranges and stacks"
	}
	return strings.Join(out, ", ")
}

var typeDocs = []struct {
	typ               Type
	compared, written string
}{
	{Name, "in either case; `*` and `?` are wild", "`nt!CmpRegistryLock`, `svchost.exe`, `\"nt!Cmp*\"`"},
	{Text, "letter by letter, blanks too", "`None`, `\"Irp \"`"},
	{Enum, "one of the words listed at the field", "`exclusive`"},
	{Number, "as a number", "`12`, `0x1f`"},
	{Size, "as bytes", "`4096`, `64KB`, `16MB`, `2GB`"},
	{Duration, "as milliseconds", "`500ms`, `30s`, `2m`, `1h`, `497d`; a number alone counts milliseconds"},
	{Percent, "as a number", "`90`, `\"90%\"`"},
	{Date, "as a day", "`2000-08-10`"},
	{Version, "number by number", "`6.1.7601.22590`"},
	{Address, "as a number", "`fffffa80169538a0`, with or without `0x` and backtick"},
	{Bool, "", "`true`, `false`"},
	{Range, "by `holds` alone", "`{holds: L.owner}`"},
	{Stack, "by a pattern of frames", "`{seq: [nt!ExpWaitForResource, \"sis!*\"]}`"},
}
