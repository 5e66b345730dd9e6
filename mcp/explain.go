package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"kdlocks/heuristics"
	"kdlocks/report"
	"kdlocks/rules"
)

type explainArgs struct {
	ID string `json:"id,omitempty" jsonschema:"The id of a finding: a detector or a rule. Without it all are listed."`
}

// Explained is the documentation of a detector or a rule, or a list of all.
type Explained struct {
	Detector json.RawMessage `json:"detector,omitempty" jsonschema:"What a finding of this detector means, when it is wrong, what would refute it, what to do."`
	Rule     json.RawMessage `json:"rule,omitempty" jsonschema:"What a rule asks for, what excludes it, what it means and where that is from."`

	Detectors []Listed `json:"detectors,omitempty"`
	Rules     []Listed `json:"rules,omitempty"`
}

// Listed is a detector or a rule in a list.
type Listed struct {
	ID       string `json:"id"`
	Severity string `json:"severity"`
	Title    string `json:"title"`
}

func (s *server) addExplain(to *sdk.Server) {
	addTool(s, to, tool[explainArgs, Explained]{
		name: "explain", title: "What a finding means",
		description: `Explains a detector or a rule from its own documentation: what its findings mean, when they are wrong, what would refute them, what to do, and sources.

Call it with the id of a finding before you explain that finding to somebody or act on it. Without an id it lists all detectors and rules.`,
		run: s.explain,
	})
}

func (s *server) explain(_ context.Context, in *explainArgs) (*answer, error) {
	if in.ID == "" {
		return s.explainAll()
	}
	var doc bytes.Buffer
	if c := heuristics.Lookup(in.ID); c != nil {
		if err := report.WriteCheck(&doc, c, "json", report.Style{}); err != nil {
			return nil, err
		}
		return &answer{value: &Explained{Detector: doc.Bytes()}}, nil
	}
	set, err := s.rules()
	if err != nil {
		return nil, err
	}
	r := set.Named(in.ID)
	if r == nil {
		var ids []string
		for _, c := range heuristics.Checks() {
			ids = append(ids, c.ID)
		}
		return nil, fmt.Errorf("%q is no detector and no rule; %s", clip(in.ID, 100), orElse(set.Nearest(in.ID, ids), "explain without an id lists them"))
	}
	if err := report.WriteRule(&doc, r, "json", report.Style{}); err != nil {
		return nil, err
	}
	return &answer{value: &Explained{Rule: doc.Bytes()}}, nil
}

func (s *server) explainAll() (*answer, error) {
	set, err := s.rules()
	if err != nil {
		return nil, err
	}
	out := &Explained{}
	for _, c := range heuristics.Checks() {
		out.Detectors = append(out.Detectors, Listed{c.ID, string(c.Severity), c.Title})
	}
	for _, r := range set.Rules {
		out.Rules = append(out.Rules, Listed{r.ID, r.Severity, r.Title})
	}
	return &answer{value: out}, nil
}

// rules returns the rules that the server asks.
func (s *server) rules() (*rules.Set, error) {
	set, err := s.Rules()
	if err != nil {
		return nil, fmt.Errorf("the rules that this server was started with cannot be used: %w", err)
	}
	return set, nil
}

func orElse(s, otherwise string) string {
	if strings.TrimSpace(s) == "" {
		return otherwise
	}
	return s
}
