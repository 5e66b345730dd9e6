package mcp_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestToolsSayWhatTheyAre(t *testing.T) {
	s := client(t, options(t))
	list, err := s.ListTools(t.Context(), nil)
	must(t, err)
	var names []string
	for _, tool := range list.Tools {
		names = append(names, tool.Name)
		a := tool.Annotations
		if a == nil || !a.ReadOnlyHint || !a.IdempotentHint || a.OpenWorldHint == nil || *a.OpenWorldHint || a.DestructiveHint == nil || *a.DestructiveHint {
			t.Errorf("%s: annotations %+v", tool.Name, a)
		}
		if tool.Title == "" || len(tool.Description) < 200 {
			t.Errorf("%s: title %q, description %q", tool.Name, tool.Title, tool.Description)
		}
		compiled(t, tool.Name, tool.InputSchema)
		compiled(t, tool.Name, tool.OutputSchema)
		in := schema(t, tool.InputSchema)
		if len(in.Properties) == 0 || !in.closed() {
			t.Errorf("%s: input schema %+v", tool.Name, in)
		}
		in.described(t, tool.Name)
		if data, err := json.Marshal(tool.InputSchema); err != nil || len(data) > 6000 {
			t.Errorf("%s: the input schema takes %d bytes of every conversation", tool.Name, len(data))
		}
	}
	slices.Sort(names)
	if want := []string{"analyze", "compare", "explain", "resolve", "rules"}; !slices.Equal(names, want) {
		t.Errorf("tools %v, want %v", names, want)
	}
}

// node is what the test reads of a schema.
type node struct {
	Type        any              `json:"type"`
	Description string           `json:"description"`
	Properties  map[string]*node `json:"properties"`
	Additional  json.RawMessage  `json:"additionalProperties"`
	Items       *node            `json:"items"`
}

func schema(t *testing.T, v any) *node {
	data, err := json.Marshal(v)
	must(t, err)
	n := &node{}
	must(t, json.Unmarshal(data, n))
	return n
}

// closed reports whether keys that are not known are refused.
func (n *node) closed() bool {
	return string(n.Additional) == "false" || string(n.Additional) == `{"not":{}}`
}

// described checks that all properties have a description.
func (n *node) described(t *testing.T, path string) {
	for name, p := range n.Properties {
		at := path + "." + name
		if p.Description == "" {
			t.Errorf("%s has no description", at)
		}
		if _, one := p.Type.(string); !one {
			t.Errorf("%s has the type %v", at, p.Type)
		}
		p.described(t, at)
		if p.Items != nil {
			p.Items.described(t, at)
		}
	}
}

// TestDocumentation holds docs/mcp.md to what there is.
func TestDocumentation(t *testing.T) {
	doc := read(t, "../docs/mcp.md")
	s := client(t, options(t))
	list, err := s.ListTools(t.Context(), nil)
	must(t, err)
	for _, tool := range list.Tools {
		if !strings.Contains(doc, "\n**"+tool.Name+"**") {
			t.Errorf("docs/mcp.md has no %s", tool.Name)
		}
		for name := range schema(t, tool.InputSchema).Properties {
			switch name {
			case "class", "pack", "status": // the help of the command line tells them
				continue
			}
			if !strings.Contains(doc, "`"+name+"`") && !strings.Contains(doc, "`"+name+":") {
				t.Errorf("docs/mcp.md has nothing of %s of %s", name, tool.Name)
			}
		}
	}
}

func TestBadArgumentsAreToolErrors(t *testing.T) {
	s := client(t, options(t))
	log := read(t, golden)
	tooMany := make([]string, 201)
	for _, c := range []struct {
		tool string
		args any
		want string
	}{
		{"analyze", object{}, "nothing to look at: pass the debugger's output as text"},
		{"analyze", object{"txt": log}, `arguments of analyze: unknown field "txt"`},
		{"analyze", object{"text": 5}, "arguments of analyze: text does not take number"},
		{"analyze", []string{"text"}, "arguments of analyze: an object is wanted, not array"},
		{"analyze", object{"text": log, "paths": []string{"a"}}, "pass one of text, pieces and paths"},
		{"analyze", object{"text": ""}, "nothing to look at"},
		{"analyze", object{"pieces": []object{{"text": log}}, "name": "x"}, "name is that of text"},
		{"analyze", object{"pieces": []object{{"name": "a", "text": log}, {"name": "a", "text": log}}}, `two pieces have the name "a"`},
		{"analyze", object{"pieces": []object{{"text": log}, {"text": ""}}}, "piece 2 has no text"},
		{"analyze", object{"paths": []string{golden}}, "this server reads no files: it was started without --files DIR"},
		{"analyze", object{"text": log, "format": "xml"}, `format "xml": not one of summary, markdown, json`},
		{"analyze", object{"text": log, "max_chars": 100}, "max_chars 100: from 10000 to"},
		{"analyze", object{"text": log, "max_findings": 101}, "max_findings 101: from 1 to 100"},
		{"analyze", object{"text": log, "finding": 9}, "finding 9: the report has 2"},
		{"analyze", object{"text": log, "finding": -1}, "counted from 1"},
		{"analyze", object{"text": log, "format": "json", "finding": 1}, "are for format summary"},
		{"analyze", object{"text": log, "locks": object{"owner": "zz"}}, `"zz" is no address`},
		{"analyze", object{"text": log, "threads": object{"adress": "1"}}, `unknown field "adress"`},
		{"analyze", object{"text": log, "format": "json", "max_chars": 10000}, "pass max_chars (at most"},
		{"analyze", object{"text": "Dear all,\nhello\n"}, "Nothing can be said of it, neither that there is a deadlock nor that there is none. Pass the output of"},
		{"analyze", object{"text": "\x00\x01\x02MDMP\x00\x00"}, "input: "},
		{"resolve", object{"text": log}, "addresses: none is given"},
		{"resolve", object{"text": log, "addresses": []string{"xyz"}}, `addresses: "xyz" is no address`},
		{"resolve", object{"text": log, "addresses": tooMany}, "addresses: 201 are given, at most 200"},
		{"resolve", object{"addresses": []string{"fffffa80169538a0"}}, "nothing to look at"},
		{"explain", object{"id": "deadlock-cycel"}, `"deadlock-cycel" is no detector and no rule; did you mean "deadlock-cycle"?`},
		{"explain", object{"id": "x"}, "explain without an id lists them"},
		{"compare", object{"captures": []object{}}, "captures: 0 are given"},
		{"compare", object{"captures": []object{{"text": log}, {}}}, "captures[1]: nothing to look at"},
		{"compare", object{"captures": []object{{"text": log, "name": "a"}, {"text": log, "name": "a"}}}, `captures[1]: another one is called "a"`},
		{"rules", object{"action": "delete"}, `action "delete": not one of list, show, new, reference, lint, test`},
		{"rules", object{"action": "show"}, "action show needs id"},
		{"rules", object{"action": "show", "id": "nope"}, `"nope" is no rule`},
		{"rules", object{"action": "lint"}, "action lint needs yaml"},
		{"rules", object{"action": "lint", "yaml": "a: b", "text": log}, "text is for action test"},
		{"rules", object{"action": "new", "id": "Not An Id"}, "an id is at most 80 small letters"},
		{"rules", object{"action": "new", "id": "deadlock-cycle"}, "the id deadlock-cycle is taken"},
		{"rules", object{"id": "x"}, "id is for action show and new"},
	} {
		refused(t, call(t, s, c.tool, c.args), c.want)
	}
	if res := call(t, s, "analyze", object{"text": log}); res.IsError {
		t.Errorf("after all that: %s", text(t, res))
	}
}

func TestExplain(t *testing.T) {
	s := client(t, options(t))
	schema := outputSchemas(t, s)["explain"]
	type doc struct{ Title, Means, Disproof, Explain string }
	type explained struct {
		Detector, Rule   *doc
		Detectors, Rules []doc
	}
	res := call(t, s, "explain", object{"id": "self-deadlock-owner-pointer"})
	fits(t, schema, res)
	if d := value[explained](t, res).Detector; d == nil || d.Means == "" || d.Disproof == "" {
		t.Errorf("detector: %+v", d)
	}
	res = call(t, s, "explain", object{"id": "ms-kb2608658-sis-owner-pointer"})
	fits(t, schema, res)
	if r := value[explained](t, res).Rule; r == nil || r.Explain == "" {
		t.Errorf("rule: %+v", r)
	}
	res = call(t, s, "explain", nil)
	fits(t, schema, res)
	if all := value[explained](t, res); len(all.Detectors) < 20 || len(all.Rules) < 20 || all.Rules[0].Title == "" {
		t.Errorf("%d detectors, %d rules", len(all.Detectors), len(all.Rules))
	}
}

func TestResolve(t *testing.T) {
	s := client(t, options(t))
	res := call(t, s, "resolve", object{"text": read(t, golden), "addresses": []string{"fffff880`07fab7f3", "0xfffffa8011efede8", "1234"}})
	fits(t, outputSchemas(t, s)["resolve"], res)
	type answer struct {
		Address, Kind, Thread string
		Frame                 *int
		At                    *struct{ Line int }
		NextCommand           string `json:"next_command"`
	}
	as := value[struct{ Answers []answer }](t, res).Answers
	find := func(address, kind string) *answer {
		if i := slices.IndexFunc(as, func(a answer) bool { return a.Address == address && a.Kind == kind }); i >= 0 {
			return &as[i]
		}
		t.Fatalf("no %s %s in %+v", kind, address, as)
		return nil
	}
	if a := find("0xfffff88007fab7f3", "owner"); a.Thread != "0xfffffa80169538a0" || a.Frame == nil || *a.Frame != 9 || a.At == nil || a.At.Line != 6 {
		t.Errorf("owner pointer: %+v", a)
	}
	find("0xfffffa8011efede8", "resource")
	if a := find("0x1234", "unknown"); a.NextCommand != "!thread 1234 e" {
		t.Errorf("unknown address: %+v", a)
	}
}
