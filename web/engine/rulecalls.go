package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"kdlocks/heuristics"
	"kdlocks/inspect"
	"kdlocks/report"
	"kdlocks/rules"
)

// rulesFor returns the rules that arguments ask for. They are loaded once and
// again when the user's own are others.
func (e *Engine) rulesFor(args RuleArgs) (*rules.Set, error) {
	if len(args.Own) == 0 && !args.NoBuiltin && e.opt.Loaded != nil {
		return e.opt.Loaded, nil
	}
	own, err := json.Marshal(args)
	if err != nil {
		return nil, err
	}
	if e.set != nil && e.own == string(own) {
		return e.set, nil
	}
	set, err := rules.Load(e.sourcesOf(args, true), e.opt.Today)
	if err != nil {
		return nil, err
	}
	e.set, e.own = set, string(own)
	return set, nil
}

// rulesOrOthers is rulesFor; where the user's own rules have mistakes, it returns
// those and the rules without them.
func (e *Engine) rulesOrOthers(args RuleArgs) (*rules.Set, json.RawMessage, error) {
	set, err := e.rulesFor(args)
	ps := rules.ProblemsOf(err)
	if ps == nil {
		return set, nil, err
	}
	set, err = e.rulesFor(RuleArgs{NoBuiltin: args.NoBuiltin})
	return set, problems(ps), err
}

func (e *Engine) sourcesOf(args RuleArgs, draft bool) []rules.Source {
	out := rules.Sources(e.opt.Rules, args.NoBuiltin)
	for _, f := range args.Own {
		src := rules.ParsedSource(f.Name, f.Text, string(f.Parsed))
		src.Draft = draft
		out = append(out, src)
	}
	return out
}

func problems(ps rules.Problems) json.RawMessage {
	var b bytes.Buffer
	_ = report.WriteProblems(&b, ps) // a Buffer takes all
	return b.Bytes()
}

// Lint is what is wrong in rule files, and what became of their tests.
type Lint struct {
	Mistakes json.RawMessage   `json:"mistakes"`
	Draft    bool              `json:"draft"` // all that is wrong is that tests lack: the rules are asked
	Rules    int               `json:"rules"`
	Tests    []report.RuleTest `json:"tests"`
}

// lint checks the user's rule files and runs their tests.
func (e *Engine) lint(ctx context.Context, args RuleArgs, _ []inspect.Input, w io.Writer) error {
	out := Lint{Mistakes: problems(nil), Tests: []report.RuleTest{}}
	set, err := rules.Load(e.sourcesOf(args, false), e.opt.Today)
	if ps := rules.ProblemsOf(err); ps != nil {
		out.Mistakes = problems(ps)
		// What else is wrong with a rule is not looked for where its tests lack.
		set, err = rules.Load(e.sourcesOf(args, true), e.opt.Today)
		if ps := rules.ProblemsOf(err); ps != nil {
			out.Mistakes = problems(ps)
			return answer(w, out)
		}
		out.Draft = true
	}
	if err != nil {
		return err
	}
	for _, p := range set.Packs {
		if p.Builtin || !slices.ContainsFunc(args.Own, func(f RuleFile) bool { return f.Name == p.Path }) {
			continue
		}
		own := set.Of(p)
		out.Rules += len(own.Rules)
		results := own.RunTests(inspect.Reader(ctx))
		for i := range results {
			out.Tests = append(out.Tests, report.NewRuleTest(&results[i]))
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return answer(w, out)
}

// ruleArgs choose a rule, "" for the list.
type ruleArgs struct {
	RuleArgs
	ID string `json:"id"`
	// Source asks for the rule as it stands in its file.
	Source bool `json:"source"`
}

// rules lists the rules, or shows one.
func (e *Engine) rules(_ context.Context, args ruleArgs, _ []inspect.Input, w io.Writer) error {
	set, err := e.rulesFor(args.RuleArgs)
	if err != nil {
		return err
	}
	if args.ID == "" {
		return report.WriteRulesJSON(w, set.Rules)
	}
	r := set.Lookup(args.ID)
	switch {
	case r == nil:
		return fmt.Errorf("%q is no rule", args.ID)
	case args.Source:
		return report.WriteRuleSource(w, r)
	}
	return report.WriteRule(w, r, "json", report.Style{})
}

// explain documents a detector or a rule.
func (e *Engine) explain(ctx context.Context, args ruleArgs, _ []inspect.Input, w io.Writer) error {
	if args.ID == "" {
		return report.WriteExplainedJSON(w, heuristics.Checks(), nil)
	}
	if c := heuristics.Lookup(args.ID); c != nil {
		return report.WriteCheck(w, c, "json", report.Style{})
	}
	return e.rules(ctx, args, nil, w)
}

// skeleton returns a rule file to begin with.
func (e *Engine) skeleton(_ context.Context, args ruleArgs, _ []inspect.Input, w io.Writer) error {
	if !rules.IsID(args.ID) {
		return fmt.Errorf("%w: %q cannot be the id of a rule", ErrArgs, args.ID)
	}
	_, err := io.WriteString(w, rules.Skeleton(args.ID))
	return err
}
