package rules

import (
	"bytes"
	"encoding/json"
	"strings"
)

// SchemaID is what the JSON schema of rule files calls itself.
const SchemaID = "kdlocks.rules/v1"

type object = map[string]any

// Schema returns the JSON schema (draft 2020-12) of rule files, made from the
// tables of kinds, fields and operators. The name of a kind is a key, so that a
// mistake in a clause is told at its place, and not as one of many alternatives
// that do not fit. What it refuses the decoder refuses, too; the decoder knows
// more, such as which names are bound.
func Schema() []byte {
	defs := object{
		"rule": ruleSchema(), "test": testSchema(), "reference": referenceSchema(), "texts": textsSchema(),
		"inner_clause": clauseSchema("one of the clauses of an any", roleMatch, false),
		"match":        clauseSchema("a fact that must be there: one kind of fact with what its fields are like", roleMatch, true),
		"boost":        clauseSchema("a fact that makes the rule surer, and may be missing", roleBoost, true),
		"exclude":      clauseSchema("a fact that shows that it is not this issue", roleExclude, true),
		"frame":        object{"type": "string", "pattern": framePat, "description": "module!function, without an offset; * stands for any run of letters, ? for one; nt stands for all names of the kernel"},
		"stack":        stackSchema(),
	}
	for _, k := range kinds {
		defs["kind_"+k.name] = kindSchema(k)
		for _, f := range k.fields {
			f.define(defs)
		}
	}
	count := &field{name: "count", typ: Number, doc: "how many facts the clause must fit, in place of at least one"}
	count.define(defs)
	defs["count"] = fieldSchema(count)
	top := object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SchemaID,
		"title": "kdlocks rule file", "description": "Rules that recognise known issues in what a Windows kernel debugger printed.",
		"type": "object", "additionalProperties": false, "required": []string{"format", "rules"},
		"properties": object{
			"format": object{"const": Format, "description": "what the file is"},
			"rules":  object{"type": "array", "minItems": 1, "maxItems": mostRules, "items": ref("rule"), "description": "the rules of one component"},
		},
		"$defs": defs,
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(top); err != nil {
		panic("rules: the schema is no JSON: " + err.Error())
	}
	return b.Bytes()
}

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

// Patterns of literals, without their ends. A reference may stand for any.
const (
	refPat      = `[A-Z][A-Za-z0-9_]*\.[a-z][a-z0-9_]*`
	namePat     = `^[A-Z][A-Za-z0-9_]{0,39}$`
	idPat       = `^[a-z0-9]+(-[a-z0-9]+)*$`
	framePat    = `^[^!\s]+![^!\s]+$`
	addressPat  = "(0[xX])?[0-9a-fA-F`]+"
	versionPat  = `[0-9]+(\.[0-9]+){1,3}`
	numberPat   = `(0[xX][0-9a-fA-F]+|[0-9._-]+)`
	percentPat  = numberPat + `\s*%?`
	sizePat     = numberPat + `\s*([kKmMgG]([iI]?[bB])?|[bB])?`
	durationPat = numberPat + `\s*([mM][sS]|[dDhHmMsS])?`
)

// ruleDocs say what the keys of a rule are for.
var ruleDocs = map[string]string{
	"id":         "small letters and digits with single hyphens; never used again for something else",
	"title":      "the issue in one line",
	"type":       "known-issue (if left out): somebody has documented it; pattern: waits that say where to look",
	"class":      "what kind of issue it is",
	"severity":   "how bad the issue is",
	"confidence": "how sure the clauses of match alone make it; a boost can raise it",
	"status":     "experimental until it held for real logs; deprecated when another rule takes its place",
	"inferred":   "true where the signature was read out of an article's words and never seen in a log: the rule is then never more than possible",
	"applies":    "the machines that the issue can be on, as fields of target; unknown ones are not left out",
	"match":      "clauses that must all hold",
	"boost":      "clauses that raise the confidence",
	"exclude":    "clauses of which one that holds shows that it is not this issue",
	"explain":    "what happened, with {NAME.field} for what clauses bound",
	"remedy":     "what helps; its first sentence stands in the summary",
	"disproof":   "what would show that it is another issue",
	"ask":        "debugger commands to type next",
	"references": "where the issue is described: at least one",
	"tests":      "logs and what the rule must say of them: at least one that it holds for, and one that it does not",
	"min_engine": "the version of the rule engine that it needs; this is " + Engine,
	"supersedes": "ids of rules whose results it takes away where it holds",
}

func ruleSchema() object {
	ids := object{"type": "string", "pattern": idPat, "maxLength": 80}
	is := object{
		"id": ids, "title": words(), "type": enum(types), "class": enum(classes), "severity": enum(severities), "confidence": enum(confidences), "status": enum(statuses),
		"inferred": object{"type": "boolean"}, "applies": ref("kind_target"),
		"match": list("match"), "boost": list("boost"), "exclude": list("exclude"),
		"explain": words(), "remedy": words(), "disproof": words(), "ask": ref("texts"),
		"references": list("reference"), "tests": object{"type": "array", "minItems": 2, "items": ref("test")},
		"min_engine": object{"type": []string{"string", "number"}, "pattern": whole(versionPat)},
		"supersedes": object{"type": "array", "items": ids},
	}
	props := object{}
	for name, what := range is {
		props[name] = described(what.(object), ruleDocs[name])
	}
	return object{
		"type": "object", "additionalProperties": false, "properties": props,
		"required": []string{"id", "title", "class", "severity", "confidence", "match", "explain", "remedy", "references", "tests"},
	}
}

// described is a copy with a description.
func described(o object, doc string) object {
	out := object{"description": doc}
	for k, v := range o {
		out[k] = v
	}
	return out
}

func words() object               { return object{"type": "string", "minLength": 1} }
func enum(words []string) object  { return object{"enum": words} }
func list(items string) object    { return object{"type": "array", "minItems": 1, "items": ref(items)} }
func whole(pattern string) string { return "^(" + pattern + ")$" }

// orRef fits a literal or a reference.
func orRef(pattern string) string { return whole(pattern + "|" + refPat) }

func textsSchema() object {
	return object{"type": []string{"string", "array"}, "minLength": 1, "items": words(), "description": "one text or a list of them"}
}

func referenceSchema() object {
	return object{
		"type": "object", "additionalProperties": false, "minProperties": 1,
		"properties": object{
			"kb":   object{"type": []string{"string", "integer"}, "pattern": `^(KB)?Q?[0-9]{5,8}$`, "description": "the number of a Knowledge Base article"},
			"url":  object{"type": "string", "minLength": 1, "description": "its address"},
			"text": object{"type": "string", "minLength": 1, "description": "its title, or what else names it"},
		},
	}
}

func testSchema() object {
	return object{
		"type": "object", "additionalProperties": false, "required": []string{"expect"},
		"properties": object{
			"name":   object{"type": "string", "description": "what the test is called in messages"},
			"log":    object{"type": "string", "pattern": `^[^/\\:][^\\:]*$`, "description": "a file of the pack's testdata, or beside the rule file"},
			"input":  object{"type": "string", "minLength": 1, "description": "the log itself, in place of a file"},
			"expect": object{"enum": outcomes, "description": "what the rule must say of the log"},
			"bind": object{
				"type": "object", "additionalProperties": false, "description": "what clauses must bind: NAME.field and the value",
				"patternProperties": object{"^" + refPat + "$": object{"type": []string{"string", "number", "boolean"}}},
			},
		},
	}
}

// clauseSchema is that of a clause: its kind is a key, beside what a clause of
// its role may have.
func clauseSchema(doc string, r role, outer bool) object {
	props := object{
		"as":    object{"type": "string", "pattern": namePat, "description": "a name for the fact; later clauses and texts say NAME.field"},
		"count": ref("count"),
		"ask":   described(ref("texts"), "the command that supplies the fact, in place of the usual one"),
	}
	if outer {
		props["any"] = object{
			"type": "array", "minItems": 2, "description": "lists of clauses of which one must hold",
			"items": object{"type": []string{"array", "object"}, "minItems": 1, "items": ref("inner_clause"), "if": object{"type": "object"}, "then": ref("inner_clause")},
		}
	}
	out := object{"type": "object", "description": doc, "additionalProperties": false, "minProperties": 1, "properties": props}
	if r == roleBoost || r == roleExclude {
		props["all"] = object{"type": "array", "minItems": 2, "items": ref("inner_clause"), "description": "clauses that must hold together"}
	}
	switch r {
	case roleBoost:
		props["to"] = object{"enum": confidences, "description": "the confidence that it raises the rule to"}
		out["required"] = []string{"to"}
	case roleExclude:
		props["because"] = object{"type": "string", "minLength": 1, "description": "why that shows another issue, with {NAME.field}"}
		out["required"] = []string{"because"}
	}
	for _, k := range kinds {
		props[k.name] = ref("kind_" + k.name)
	}
	return out
}

func kindSchema(k *kind) object {
	props := object{}
	for _, f := range k.fields {
		props[f.name] = fieldSchema(f)
	}
	doc := k.doc
	if k.ask != "" {
		doc += "\n\nRead from " + k.ask
	}
	return object{"type": "object", "additionalProperties": false, "properties": props, "description": doc}
}

// shared reports whether all fields of the type can be compared with the same: a
// word is one of those of its field.
func (f *field) shared() bool { return f.typ != Enum && f.typ != Stack }

// def and valueDef name the definitions that fields of one type share.
func (f *field) def() string {
	if f.list {
		return "list_" + f.valueDef()
	}
	return "of_" + f.valueDef()
}

func (f *field) valueDef() string { return strings.ReplaceAll(f.typ.String(), " ", "_") }

// define adds the definitions that the field shares with others.
func (f *field) define(defs object) {
	if f.shared() {
		defs[f.def()] = matcherSchema(f)
		defs[f.valueDef()], _ = valueSchema(f)
	}
}

// fieldSchema is that of what a field is compared with, with its documentation.
func fieldSchema(f *field) object {
	doc := f.doc + "\n\nType: " + f.typ.String()
	if f.list {
		doc = f.doc + "\n\nType: list of " + f.typ.String() + "; one that fits is enough"
	}
	switch {
	case f.typ == Stack:
		return described(ref("stack"), doc)
	case f.shared():
		return described(ref(f.def()), doc)
	}
	return described(matcherSchema(f), doc)
}

// matcherSchema is that of what a field can be compared with: a value alone, a
// list of which one must fit, or operators.
func matcherSchema(f *field) object {
	value, types := valueSchema(f)
	if f.shared() {
		value = ref(f.valueDef())
	}
	ops := object{}
	for _, o := range operators {
		if o.fits(f) {
			ops[o.name] = described(operandSchema(&o, value), o.doc)
		}
	}
	out := object{"type": "object", "additionalProperties": false, "minProperties": 1, "properties": ops}
	if f.typ == Range {
		return out
	}
	out["type"] = append([]string{"array", "object"}, types...)
	out["minItems"], out["items"] = 1, value
	out["if"], out["then"] = object{"type": types}, value
	if f.typ == Enum {
		out["examples"] = f.words
	}
	return out
}

func operandSchema(o *operator, value object) object {
	switch {
	case o.name == "near":
		return object{
			"type": "object", "additionalProperties": false, "required": []string{"ref", "pct"},
			"properties": object{
				"ref": object{"type": []string{"string", "number"}, "description": "NAME.field, or a number"},
				"pct": object{"type": []string{"number", "string"}, "pattern": whole(percentPat), "description": "by how many percent it may differ"},
			},
		}
	case o.list:
		return object{"type": []string{"array", "string"}, "minItems": 1, "items": value, "pattern": "^" + refPat + "$"}
	case o.name == "glob":
		return object{"type": []string{"string", "number"}, "minLength": 1, "maxLength": longestPattern, "pattern": `^[^\[\]{}]*$`}
	}
	return value
}

// valueSchema is that of one value of a field's type, or of a reference, and the
// JSON types that YAML makes of such values.
func valueSchema(f *field) (object, []string) {
	pattern, types := "", []string{"string", "number"}
	switch f.typ {
	case Enum:
		return object{"if": object{"type": "string", "pattern": "^" + refPat + "$"}, "else": enum(f.words)}, []string{"string"}
	case Bool:
		pattern, types = "true|false", []string{"boolean", "string"}
	case Address, Range:
		pattern = addressPat
	case Number:
		pattern = numberPat
	case Percent:
		pattern = percentPat
	case Size:
		pattern = sizePat
	case Duration:
		pattern = durationPat
	case Date:
		pattern = `[0-9]{4}-[0-9]{2}-[0-9]{2}`
	case Version:
		pattern = versionPat
	default:
		types = []string{"string", "number", "boolean"}
		return object{"type": types, "minLength": 1}, types
	}
	return object{"type": types, "pattern": orRef(pattern)}, types
}

func stackSchema() object {
	frame := object{"type": []string{"string", "array"}, "pattern": framePat, "minItems": 1, "items": ref("frame"), "description": "module!function, or a list of which one must stand there"}
	return object{
		"type": []string{"string", "array", "object"}, "pattern": framePat, "minItems": 1, "maxItems": mostFrames, "items": frame,
		"additionalProperties": false, "minProperties": 1,
		"description": "frames in their order, innermost first: one, a list with any frames between, or more exactly",
		"properties": object{
			"seq":    object{"type": "array", "minItems": 1, "maxItems": mostFrames, "items": frame, "description": "frames that must be there in this order, with any between"},
			"within": object{"type": []string{"integer", "string"}, "minimum": 1, "maximum": 10_000, "pattern": "^[0-9]+$", "description": "how many frames in a row may hold all of seq"},
			"top":    object{"type": "boolean", "description": "true where seq begins at the innermost frame; routines that wait do not count"},
			"none":   object{"type": "array", "items": frame, "description": "frames that must not be there"},
		},
	}
}

// SchemaLine is the comment by which editors find the schema, for one at a path.
func SchemaLine(path string) string {
	return "# yaml-language-server: $schema=" + strings.ReplaceAll(path, "\\", "/")
}
