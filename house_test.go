package kdlocks_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// house lists what each package may import of this module, directly. The
// picture of docs/architecture.md is this table.
var house = map[string][]string{
	"kd":            {},
	"locks":         {"kd"},
	"stacks":        {"kd"},
	"threads":       {"kd", "stacks"},
	"collect":       {"kd"},
	"memory":        {"kd"},
	"memory/trend":  {},
	"objects":       {"kd"},
	"modules":       {"kd"},
	"snapshot":      {"collect", "kd", "locks", "memory", "memory/trend", "modules", "objects", "stacks", "threads"},
	"transcript":    {"collect", "kd", "locks", "memory", "modules", "objects", "snapshot", "stacks", "threads"},
	"waitgraph":     {"kd", "locks", "objects", "snapshot", "stacks", "threads"},
	"heuristics":    {"collect", "kd", "locks", "memory", "memory/trend", "objects", "snapshot", "stacks", "threads", "waitgraph"},
	"compare":       {"heuristics", "kd", "locks", "snapshot", "threads", "waitgraph"},
	"picture":       {"kd"},
	"rules":         {"heuristics", "kd", "locks", "memory", "memory/trend", "modules", "objects", "rules/parse", "rules/tree", "snapshot", "stacks", "threads"},
	"rules/parse":   {"kd", "rules/tree"},
	"rules/tree":    {},
	"report":        {"compare", "heuristics", "kd", "locks", "memory", "memory/trend", "modules", "objects", "picture", "rules", "snapshot", "stacks", "threads"},
	"inspect":       {"compare", "dump", "dump/symbols", "dump/walked", "heuristics", "kd", "report", "rules", "snapshot", "transcript"},
	"redact":        {"kd", "stacks", "transcript"},
	"dump":          {"dump/image", "dump/symbols", "dump/unwind", "dump/walked", "kd"},
	"dump/dumptest": {},
	"dump/image":    {},
	"dump/symbols":  {},
	"dump/unwind":   {"dump/image"},
	"dump/walked":   {"kd"},
	"web/engine":    {"heuristics", "inspect", "kd", "open", "picture", "redact", "report", "rules"},
	"open":          {"inspect", "transcript"},
	"mcp":           {"collect", "heuristics", "inspect", "kd", "open", "report", "rules"},
	"web":           {"docs", "heuristics", "inspect", "kd", "open", "report", "rules", "web/engine"},
	"docs":          {},
	"cmd/kdlocks":   {"collect", "dump/symbols", "heuristics", "inspect", "kd", "mcp", "open", "redact", "report", "rules", "web", "web/page"},
	"web/page":      {"web/engine"},
	"web/browser":   {},
	"web/wasm":      {"inspect", "web/engine", "web/wasm/bridge"},
	"web/build":     {"web/build/pack", "web/page"},
	"bench/loggen":  {},
	"bench":         {"bench/loggen"},

	"web/build/lzma": {},
	"web/build/pack": {"web/build/lzma"},

	"web/wasm/bridge": {"kd"},
	"web/wasm/extras": {"dump", "dump/walked", "rules/parse", "rules/tree", "web/wasm/bridge"},
}

// outside lists the packages that only the commands may import: whatever opens
// files, sockets or terminals, or tells the time.
var outside = []string{"os", "net", "net/http", "time", "os/exec", "os/signal", "golang.org/x/term", "github.com/spf13/cobra", protocol}

// protocol is the SDK of package mcp.
const protocol = "github.com/modelcontextprotocol/go-sdk/mcp"

// may lists what of outside other packages may import all the same: open opens
// files for the commands, mcp serves for one and has time limits, web answers whom it
// does not know, dump writes times that it read and asks no clock.
var may = map[string][]string{"open": {"os"}, "mcp": {"time", protocol}, "web": {"os", "net", "net/http", "time"}, "dump": {"time"}}

// commands are the packages that are programs.
var commands = []string{"cmd/kdlocks", "bench", "web/build", "web/wasm", "web/wasm/extras"}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func TestImportsPointDown(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p goPackage
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, "kdlocks/")
		if p.ImportPath == "kdlocks" {
			continue // tests only
		}
		own, ok := house[name]
		if !ok {
			t.Errorf("package %s is not in the house", name)
		}
		for _, imp := range p.Imports {
			if inner, ok := strings.CutPrefix(imp, "kdlocks/"); ok && !slices.Contains(own, inner) {
				t.Errorf("%s imports %s", name, inner)
			}
			if slices.Contains(outside, imp) && !slices.Contains(may[name], imp) && (!slices.Contains(commands, name) || imp == protocol) {
				t.Errorf("%s imports %s", name, imp)
			}
		}
	}
}
