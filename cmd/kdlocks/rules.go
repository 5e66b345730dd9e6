package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kdlocks/heuristics"
	"kdlocks/inspect"
	"kdlocks/kd"
	"kdlocks/report"
	"kdlocks/rules"
)

// outputs is the annotation of a command that has output formats of its own.
const outputs = "outputs"

func withOutputs(cmd *cobra.Command, formats []string) *cobra.Command {
	cmd.Annotations = map[string]string{outputs: strings.Join(formats, " ")}
	return cmd
}

func (a *app) rulesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "List, explain, check and test the rules that name known issues",
		Long: `Rules recognise known issues and name their article and fix. They are those that
kdlocks ships with, those in the user's folder ($XDG_CONFIG_HOME/kdlocks/rules, else
~/.config/kdlocks/rules; on Windows %AppData%\kdlocks\rules), and those of --rules.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.rulesListCommand(), a.rulesShowCommand(), a.rulesLintCommand(), a.rulesTestCommand(), a.rulesSchemaCommand(), a.rulesNewCommand())
	return cmd
}

func (a *app) rulesListCommand() *cobra.Command {
	var class, pack, status string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the rules",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			set, err := a.ruleSet()
			if err != nil {
				return err
			}
			var list []*rules.Rule
			for _, r := range set.All() {
				if (class == "" || r.Class == class) && (pack == "" || r.Pack.Name == pack) && (status == "" || r.Status == status) {
					list = append(list, r)
				}
			}
			a.note(set.Notes)
			return report.WriteRules(a.stdout, list, a.output, a.style())
		},
	}
	cmd.Flags().StringVar(&class, "class", "", "only those of this class: self-deadlock, worker-exhaustion, ...")
	cmd.Flags().StringVar(&pack, "pack", "", "only those of this pack")
	cmd.Flags().StringVar(&status, "status", "", "only those of this status: experimental, stable or deprecated")
	return withOutputs(cmd, report.TableFormats())
}

func (a *app) rulesShowCommand() *cobra.Command {
	var source bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Explain a rule: what it asks for, what excludes it, where it is from",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			set, err := a.ruleSet()
			if err != nil {
				return err
			}
			r := set.Named(args[0])
			switch {
			case r == nil:
				return fmt.Errorf("%q is no rule%s", args[0], orHint(set.Nearest(args[0], nil), "kdlocks rules list has them"))
			case source:
				return report.WriteRuleSource(a.stdout, r)
			}
			return report.WriteRule(a.stdout, r, a.output, a.style())
		},
	}
	cmd.Flags().BoolVar(&source, "source", false, "print the rule as it stands in its file")
	return withOutputs(cmd, report.TableFormats())
}

// orHint sets what may be meant behind a message, else where to look.
func orHint(nearest, otherwise string) string {
	if nearest == "" {
		return "; " + otherwise
	}
	return "; " + nearest
}

func (a *app) rulesLintCommand() *cobra.Command {
	return withOutputs(&cobra.Command{
		Use:   "lint [PATH...]",
		Short: "Check rule files and run their tests; the exit code is 2 for any mistake",
		Long: `Lint checks rule files, folders or archives, and runs the tests of their rules.
Every mistake is told as file:line:column. Without a PATH it checks the packs that
kdlocks ships with.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.lint(cmd.Context(), args) },
	}, []string{"json", "table"})
}

func (a *app) lint(ctx context.Context, paths []string) error {
	checked, err := a.rulesOf(paths)
	problems := rules.ProblemsOf(err)
	if err != nil && problems == nil {
		if a.output != "json" || a.quiet {
			return err
		}
		problems = rules.Problems{{Text: err.Error()}}
	}
	problems = append(problems, checked.notLoaded...)
	count, tests := 0, 0
	for _, set := range checked.sets {
		count += len(set.Rules)
		results := set.RunTests(inspect.Reader(ctx))
		tests += len(results)
		problems = append(problems, report.TestMistakes(results, a.style())...)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if len(problems) > 0 {
		a.code = exitTrouble
	}
	switch {
	case a.quiet:
		return nil
	case a.output == "json":
		return report.WriteProblems(a.stdout, problems)
	case len(problems) > 0:
		a.complain(problems)
		return nil
	}
	a.note(checked.notes)
	_, err = fmt.Fprintf(a.stdout, "%s, %s: no mistake\n", kd.Plural(count, "rule"), kd.Plural(tests, "test"))
	return err
}

func (a *app) rulesTestCommand() *cobra.Command {
	var explain bool
	cmd := &cobra.Command{
		Use:   "test [PATH...]",
		Short: "Run the tests of rules; the exit code is 1 if one failed",
		Long: `Test runs the tests of the rules in files, folders or archives, and says of each
that failed what it expected and what came, field by field, and what became of each
clause; with --explain it says that of the others, too. Without a PATH it tests the
packs that kdlocks ships with. The exit code is 1 if a test failed and 2 if the rules
have mistakes.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.testRules(cmd.Context(), args, explain) },
	}
	cmd.Flags().BoolVar(&explain, "explain", false, "say what became of each clause in all tests")
	return withOutputs(cmd, report.RuleTestFormats())
}

func (a *app) testRules(ctx context.Context, paths []string, explain bool) error {
	checked, err := a.rulesOf(paths)
	if err != nil {
		if a.output == "table" || a.quiet {
			return err
		}
		a.code = exitTrouble
		return report.WriteRuleTests(a.stdout, report.RulesThatDoNotLoad(err), a.output, a.style())
	}
	read := inspect.Reader(ctx)
	var tests []report.RuleTest
	if len(checked.notLoaded) > 0 {
		tests = report.RulesThatDoNotLoad(checked.notLoaded)
	}
	for _, set := range checked.sets {
		run := set.RunTests
		if explain {
			run = set.ExplainTests
		}
		for _, t := range run(read) {
			if t.Failed() {
				a.code = exitFound
			}
			tests = append(tests, report.NewRuleTest(&t))
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if len(checked.notLoaded) > 0 {
		a.code = exitTrouble
	}
	if a.quiet {
		return nil
	}
	return report.WriteRuleTests(a.stdout, tests, a.output, a.style())
}

// checked is what lint and test are about: a set for each pack, and what is to be
// said of all.
type checked struct {
	sets      []*rules.Set
	notes     []string
	notLoaded rules.Problems
}

// rulesOf loads what lint and test are about: what is named, else the packs that
// kdlocks ships with.
func (a *app) rulesOf(paths []string) (checked, error) {
	paths = append(slices.Clip(paths), a.ruleFlags.paths...)
	if len(paths) == 0 {
		set, err := rules.Load([]rules.Source{rules.Builtin()}, today())
		return checkedOf(set, true), err
	}
	sources, err := ruleSources(paths)
	if err != nil {
		return checked{}, err
	}
	alone, err := rules.Load(sources, today())
	if a.ruleFlags.noBuiltin || err != nil && rules.ProblemsOf(err) == nil {
		return checkedOf(alone, false), err
	}
	// Overrides name rules of the packs that kdlocks ships with, and new rules
	// must not take their ids, unless they are of a pack that takes another's place.
	both, bothErr := rules.Load(append([]rules.Source{rules.Builtin()}, sources...), today())
	switch {
	case bothErr == nil:
		return checkedOf(both, false), nil
	case err == nil && replacesBuiltin(alone):
		return checkedOf(alone, false), nil
	case err == nil || len(rules.ProblemsOf(bothErr)) <= len(rules.ProblemsOf(err)):
		return checked{}, bothErr
	}
	return checked{}, err
}

// checkedOf takes the packs of a set that are builtin, or that are not.
func checkedOf(set *rules.Set, builtin bool) checked {
	if set == nil {
		return checked{}
	}
	out := checked{notes: set.Notes, notLoaded: set.NotLoaded}
	for _, p := range set.Packs {
		if p.Builtin == builtin {
			out.sets = append(out.sets, set.Of(p))
		}
	}
	return out
}

// replacesBuiltin reports whether a pack of the set has the name of one that
// kdlocks ships with.
func replacesBuiltin(set *rules.Set) bool {
	own, err := rules.Load([]rules.Source{rules.Builtin()}, "")
	if err != nil {
		return false
	}
	return slices.ContainsFunc(set.Packs, func(p *rules.Pack) bool {
		return slices.ContainsFunc(own.Packs, func(o *rules.Pack) bool { return o.Name == p.Name })
	})
}

func (a *app) rulesSchemaCommand() *cobra.Command {
	return withOutputs(&cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of rule files, for editors",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.stdout.Write(rules.Schema())
			return err
		},
	}, []string{"json", "table"})
}

func (a *app) rulesNewCommand() *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:   "new ID",
		Short: "Print a rule file to begin with, which passes lint as it stands",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id := args[0]
			if !rules.IsID(id) {
				return fmt.Errorf("an id is at most 80 small letters and digits with single hyphens between: %q", id)
			}
			if to == "" && cmd.Flags().Changed("to") {
				return errors.New("--to names no file")
			}
			if err := a.free(id); err != nil {
				return err
			}
			if to == "" {
				_, err := io.WriteString(a.stdout, rules.Skeleton(id))
				return err
			}
			return writeNew(to, rules.Skeleton(id))
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "write this file, which must not exist, in place of standard output")
	return withOutputs(cmd, []string{"table"})
}

// free returns an error if a rule or a detector has an id. Rules with mistakes, which
// may be those that somebody is about to mend, take none.
func (a *app) free(id string) error {
	if heuristics.Lookup(id) != nil {
		return fmt.Errorf("the id %s is that of a detector, and a rule has one of its own", id)
	}
	if set, err := a.ruleSet(); err == nil {
		if r := set.Named(id); r != nil {
			return fmt.Errorf("the id %s is taken by the rule at %s:%d; to change that one, write an override", id, r.File, r.Line)
		}
	}
	return nil
}

// writeNew writes a file that does not exist.
func writeNew(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s: the file exists; kdlocks does not write over it", name)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	return errors.Join(err, f.Close())
}
