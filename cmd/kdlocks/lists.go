package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"kdlocks/heuristics"
	"kdlocks/inspect"
	"kdlocks/kd"
	"kdlocks/report"
)

func (a *app) locksCommand() *cobra.Command {
	var f report.LockFilter
	cmd := &cobra.Command{
		Use:   "locks FILE...|-",
		Short: "List the ERESOURCEs with their owners and waiters, and IRPs, messages, work queues, critical sections and mutexes that were printed",
		Long: `List the ERESOURCEs with their owners and waiters, and IRPs, messages, ports, work queues, critical sections and
mutexes that were printed. Flags that choose among ERESOURCEs show these alone. With -o json the lists are fields of one
object, under the names that they have in the report; those that a flag chose are a list.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := report.Canonical(&f.Owner, &f.Address); err != nil {
				return err
			}
			return a.withReport(cmd.Context(), args, func(w io.Writer, r *report.Report) error {
				if f == (report.LockFilter{}) {
					return report.WriteAllLocks(w, r, a.output, a.style())
				}
				return report.WriteLocks(w, r, r.Locks(f), a.output, a.style())
			})
		},
	}
	cmd.Flags().BoolVar(&f.Waited, "waited", false, "only those that threads wait for")
	cmd.Flags().StringVar(&f.Owner, "owner", "", "only those owned by this thread or owner value")
	cmd.Flags().StringVar(&f.Address, "address", "", "only the one at this address")
	return cmd
}

func (a *app) threadsCommand() *cobra.Command {
	var f report.ThreadFilter
	cmd := &cobra.Command{
		Use:   "threads FILE...|-",
		Short: "List the threads with their states and waits",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := report.Canonical(&f.Address); err != nil {
				return err
			}
			return a.withReport(cmd.Context(), args, func(w io.Writer, r *report.Report) error {
				return report.WriteThreads(w, r, r.ThreadsBy(f), a.output, a.style())
			})
		},
	}
	threadFlags(cmd, &f)
	return cmd
}

func threadFlags(cmd *cobra.Command, f *report.ThreadFilter) {
	flags := cmd.Flags()
	flags.StringVar(&f.Address, "thread", "", "only the one at this address")
	flags.StringVar(&f.State, "state", "", "only those in this state: waiting, running, ready, ...")
	flags.StringVar(&f.Reason, "reason", "", "only those with this wait reason: WrResource, ...")
	flags.StringVar(&f.Image, "image", "", "only those of this process image")
	flags.StringVar(&f.Module, "module", "", "only those with a frame of this module")
	flags.StringVar(&f.Function, "function", "", "only those with a frame whose function contains this")
}

func (a *app) stacksCommand() *cobra.Command {
	var f report.ThreadFilter
	cmd := &cobra.Command{
		Use:   "stacks FILE...|-",
		Short: "Print the stacks with their segments",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := report.Canonical(&f.Address); err != nil {
				return err
			}
			return a.withReport(cmd.Context(), args, func(w io.Writer, r *report.Report) error {
				return report.WriteStacks(w, r, r.ThreadsBy(f), a.output, a.style())
			})
		},
	}
	threadFlags(cmd, &f)
	return cmd
}

func (a *app) modulesCommand() *cobra.Command {
	var f report.ModuleFilter
	cmd := &cobra.Command{
		Use:   "modules FILE...|-",
		Short: "List the loaded and unloaded modules with their versions",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withReport(cmd.Context(), args, func(w io.Writer, r *report.Report) error {
				return report.WriteModules(w, r, r.ModulesBy(f), a.output, a.style())
			})
		},
	}
	cmd.Flags().StringVar(&f.Name, "name", "", "only the one of this name or file, in either case, with or without the ending")
	cmd.Flags().BoolVar(&f.Unloaded, "unloaded", false, "only unloaded ones")
	return cmd
}

func (a *app) memoryCommand() *cobra.Command {
	var f report.MemoryFilter
	cmd := &cobra.Command{
		Use:   "memory FILE...|-",
		Short: "List what was printed of virtual memory, pool and heaps, and what performance counters do",
		Long: `List what !vm, !poolused, poolmon, !pool, !poolfind, dh, dhcmp and umdh printed, each output with its numbers as
they stand in the input, and what the counters of a performance log do over time. With -o json they are one object, under
the names that they have in the report.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withReport(cmd.Context(), args, func(w io.Writer, r *report.Report) error {
				return report.WriteMemory(w, r, f, a.output, a.style())
			})
		},
	}
	cmd.Flags().StringVar(&f.Tag, "tag", "", "only this tag of pool; case counts")
	return cmd
}

func (a *app) resolveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "resolve ADDRESS... FILE|-",
		Short: "Say what addresses are: thread, stack and frame, resource, owner, module and offset",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var addrs []kd.Addr
			for _, s := range args[:len(args)-1] {
				v, ok := kd.ParseAddr(s)
				if !ok {
					return fmt.Errorf("%q is no address", s)
				}
				addrs = append(addrs, v)
			}
			return a.resolve(cmd.Context(), addrs, args[len(args)-1])
		},
	}
}

func (a *app) resolve(ctx context.Context, addrs []kd.Addr, name string) error {
	if err := a.checkOutput(report.TableFormats()); err != nil {
		return err
	}
	set, err := a.open(ctx, []string{name})
	if err != nil && len(set.Inputs) == 0 {
		return err
	}
	answers, runErr := inspect.Resolve(ctx, set.Inputs, addrs, a.options(nil))
	if answers != nil && !a.quiet {
		if werr := report.WriteAnswers(a.stdout, answers, a.output, a.style()); werr != nil {
			return werr
		}
	}
	a.note(set.Grown())
	return errors.Join(err, runErr)
}

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [ID]",
		Short: "Explain a detector or a rule from its own documentation",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := a.checkOutput(report.TableFormats()); err != nil {
				return err
			}
			if len(args) == 1 {
				return a.explain(args[0])
			}
			set, err := a.ruleSet()
			if err != nil {
				return err
			}
			return report.WriteExplained(a.stdout, heuristics.Checks(), set.Rules, a.output, a.style())
		},
	}
}

// explain prints the documentation of a detector or a rule. That of a detector
// is there whatever the rules are like.
func (a *app) explain(id string) error {
	if c := heuristics.Lookup(id); c != nil {
		return report.WriteCheck(a.stdout, c, a.output, a.style())
	}
	set, err := a.ruleSet()
	if err != nil {
		return err
	}
	if r := set.Named(id); r != nil {
		return report.WriteRule(a.stdout, r, a.output, a.style())
	}
	var detectors []string
	for _, c := range heuristics.Checks() {
		detectors = append(detectors, c.ID)
	}
	return fmt.Errorf("%q is no detector and no rule%s", id, orHint(set.Nearest(id, detectors), "kdlocks explain lists them"))
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(a.stdout, "kdlocks %s, report schema %s\n", inspect.Version(), report.Schema)
			return err
		},
	}
}
