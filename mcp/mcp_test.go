package mcp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"kdlocks/mcp"
	"kdlocks/rules"
)

// options are those of a server as the command starts it, without files.
func options(t testing.TB) mcp.Options {
	t.Helper()
	sources := []rules.Source{rules.Builtin()}
	set, err := rules.Load(sources, "2026-11-21")
	must(t, err)
	return mcp.Options{
		Version: "test", TimeLimit: time.Minute, Log: t.Output(), Today: func() string { return "2026-11-21" },
		Rules:   func() (*rules.Set, error) { return set, nil },
		Sources: func() ([]rules.Source, error) { return sources, nil },
	}
}

// client connects a client to a server of its own.
func client(t testing.TB, opt mcp.Options) *sdk.ClientSession {
	t.Helper()
	return clientWith(t, opt, nil)
}

func clientWith(t testing.TB, opt mcp.Options, of *sdk.ClientOptions) *sdk.ClientSession {
	t.Helper()
	toServer, fromClient := io.Pipe()
	toClient, fromServer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := mcp.Run(context.Background(), toServer, fromServer, opt)
		fromServer.Close()
		ended <- err
	}()
	c := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, of)
	session, err := c.Connect(t.Context(), &sdk.IOTransport{Reader: toClient, Writer: fromClient, MaxLineLength: 1 << 30}, nil)
	must(t, err)
	t.Cleanup(func() {
		session.Close()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return session
}

// call calls a tool.
func call(t testing.TB, s *sdk.ClientSession, tool string, args any) *sdk.CallToolResult {
	t.Helper()
	res, err := s.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: args})
	must(t, err)
	return res
}

// text returns the text of a result.
func text(t testing.TB, res *sdk.CallToolResult) string {
	t.Helper()
	if len(res.Content) != 1 {
		t.Fatalf("%d pieces of content", len(res.Content))
	}
	return res.Content[0].(*sdk.TextContent).Text
}

// value reads the structured content of a result that is no error.
func value[T any](t testing.TB, res *sdk.CallToolResult) T {
	t.Helper()
	if res.IsError {
		t.Fatalf("the call failed: %s", text(t, res))
	}
	data, err := json.Marshal(res.StructuredContent)
	must(t, err)
	var out T
	must(t, json.Unmarshal(data, &out))
	return out
}

// refused checks that a call failed for a reason.
func refused(t testing.TB, res *sdk.CallToolResult, why string) {
	t.Helper()
	if got := text(t, res); !res.IsError || !strings.Contains(got, why) {
		t.Errorf("error %v: %s\nwant: %s", res.IsError, got, why)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type object = map[string]any

const golden = "../testdata/sis-self-deadlock.log"

func read(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	must(t, err)
	return string(data)
}

// logs are the captures of testdata and the inputs of the cases, by name.
func logs(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{"golden": read(t, golden)}
	names, err := filepath.Glob("../testdata/corpus/*.log")
	must(t, err)
	cases, err := filepath.Glob("../testdata/cases/*.txtar")
	must(t, err)
	for _, n := range append(names, cases...) {
		out[filepath.Base(n)] = read(t, n)
	}
	if len(out) < 100 {
		t.Fatalf("%d logs", len(out))
	}
	return out
}

// outputSchemas compiles the output schemas of all tools.
func outputSchemas(t testing.TB, s *sdk.ClientSession) map[string]*jsonschema.Schema {
	t.Helper()
	list, err := s.ListTools(t.Context(), nil)
	must(t, err)
	out := make(map[string]*jsonschema.Schema)
	for _, tool := range list.Tools {
		out[tool.Name] = compiled(t, tool.Name, tool.OutputSchema)
	}
	return out
}

func compiled(t testing.TB, name string, schema any) *jsonschema.Schema {
	t.Helper()
	data, err := json.Marshal(schema)
	must(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	must(t, err)
	c := jsonschema.NewCompiler()
	must(t, c.AddResource(name+".json", doc))
	s, err := c.Compile(name + ".json")
	must(t, err)
	return s
}

// fits checks a result against the output schema of its tool.
func fits(t testing.TB, s *jsonschema.Schema, res *sdk.CallToolResult) {
	t.Helper()
	if res.IsError {
		t.Errorf("the call failed: %s", text(t, res))
		return
	}
	data, err := json.Marshal(res.StructuredContent)
	must(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	must(t, err)
	if err := s.Validate(doc); err != nil {
		t.Errorf("the output schema does not hold: %v", err)
	}
}
