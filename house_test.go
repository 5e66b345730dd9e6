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
	"kd":           {},
	"locks":        {"kd"},
	"stacks":       {"kd"},
	"threads":      {"kd", "stacks"},
	"collect":      {"kd"},
	"memory":       {"kd"},
	"objects":      {"kd"},
	"modules":      {"kd"},
	"snapshot":     {"collect", "kd", "locks", "memory", "modules", "objects", "stacks", "threads"},
	"transcript":   {"collect", "kd", "locks", "memory", "modules", "objects", "snapshot", "stacks", "threads"},
	"waitgraph":    {"kd", "locks", "objects", "snapshot", "stacks", "threads"},
	"heuristics":   {"collect", "kd", "locks", "objects", "snapshot", "stacks", "threads", "waitgraph"},
	"compare":      {"heuristics", "kd", "locks", "snapshot", "threads", "waitgraph"},
	"picture":      {"kd"},
	"rules":        {"heuristics", "kd", "locks", "memory", "modules", "objects", "snapshot", "stacks", "threads"},
	"report":       {"compare", "heuristics", "kd", "locks", "memory", "modules", "objects", "picture", "rules", "snapshot", "stacks", "threads"},
	"inspect":      {"compare", "heuristics", "kd", "report", "rules", "snapshot", "transcript"},
	"open":         {"inspect", "transcript"},
	"cmd/kdlocks":  {"collect", "heuristics", "inspect", "kd", "open", "report", "rules"},
	"bench/loggen": {},
	"bench":        {"bench/loggen"},
}

// outside lists the packages that only the commands may import, and os the
// package that opens files for them: whatever opens files, sockets or
// terminals, or tells the time.
var outside = []string{"os", "net", "net/http", "time", "os/exec", "os/signal", "golang.org/x/term", "github.com/spf13/cobra"}

// commands are the packages that are programs.
var commands = []string{"cmd/kdlocks", "bench"}

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
		allowed, ok := house[name]
		if !ok {
			t.Errorf("package %s is not in the house", name)
		}
		for _, imp := range p.Imports {
			if own, ok := strings.CutPrefix(imp, "kdlocks/"); ok && !slices.Contains(allowed, own) {
				t.Errorf("%s imports %s", name, own)
			}
			if !slices.Contains(commands, name) && !(name == "open" && imp == "os") && slices.Contains(outside, imp) {
				t.Errorf("%s imports %s", name, imp)
			}
		}
	}
}
