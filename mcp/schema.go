package mcp

import (
	"encoding/json"
	"reflect"

	"github.com/google/jsonschema-go/jsonschema"

	"kdlocks/report"
)

// documents are types of which no schema is read off: they have one of their own,
// in docs, and an assistant would read it with every list of tools.
var documents = map[reflect.Type]*jsonschema.Schema{
	reflect.TypeFor[json.RawMessage](): {Type: "object"},
	reflect.TypeFor[report.Finding]():  {Type: "object", Description: "As under findings of schema kdlocks.report/v1."},
	reflect.TypeFor[report.Resource](): {Type: "object", Description: "As under resources of schema kdlocks.report/v1."},
	reflect.TypeFor[report.Thread]():   {Type: "object", Description: "As under threads of schema kdlocks.report/v1."},
}

// schemaOf reads the schema of a value off its type.
func schemaOf[T any]() *jsonschema.Schema {
	s, err := jsonschema.For[T](&jsonschema.ForOptions{TypeSchemas: documents})
	if err != nil {
		panic(err) // a type of this package has none: every test shows it
	}
	return s
}

// withoutNull takes null out of the types of properties: it says nothing that to
// leave them out does not, and some clients take no property of two types.
func withoutNull(s *jsonschema.Schema) {
	if len(s.Types) == 2 && s.Types[0] == "null" {
		s.Type, s.Types = s.Types[1], nil
	}
	for _, p := range s.Properties {
		withoutNull(p)
	}
	if s.Items != nil {
		withoutNull(s.Items)
	}
}
