package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"kdlocks/inspect"
	"kdlocks/kd"
	"kdlocks/report"
	"kdlocks/rules"
)

// Exit codes, a promise to scripts.
const (
	exitFine      = 0 // analysed, nothing at or above --fail-on
	exitFound     = 1 // a finding at or above --fail-on
	exitTrouble   = 2 // usage, unreadable input, or nothing in it recognised
	exitUndecided = 3 // nothing to fail on, but a fact that decides is missing

	exitInterrupted = 130 // Ctrl-C, as shells say it: 128 and the number of the signal
)

// app is the state of one run.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	code           int

	output string
	color  string
	width  int
	quiet  bool
	max    byteSize

	ruleFlags ruleFlags
	rulesOnce sync.Once
	rules     *rules.Set
	rulesErr  error

	symbols symbolFiles

	// patient is set where the run ends by itself, but not at once, after an interrupt.
	patient atomic.Bool

	bar    *bar
	mu     sync.Mutex // of opened, which an interrupt may close at any time
	opened []io.Closer
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, max: 16 << 30}
	defer a.close()
	defer leaveAtOnce(ctx, a)()
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case ctx.Err() != nil && !a.patient.Load():
		a.complain(errInterrupted)
		return exitInterrupted
	case err != nil:
		a.complain(err)
		return exitTrouble
	}
	return a.code
}

// complain prints an error, one line for each of several. Mistakes in rule files
// begin with their place, so that editors can go there.
func (a *app) complain(err error) {
	if ps := rules.ProblemsOf(err); ps != nil {
		fmt.Fprintln(a.stderr, kd.PlainLines(ps.Error()))
		fmt.Fprintf(a.stderr, "kdlocks: %s in rule files\n", kd.Plural(len(ps), "mistake"))
		return
	}
	for line := range strings.SplitSeq(kd.PlainLines(err.Error()), "\n") {
		fmt.Fprintln(a.stderr, "kdlocks: "+line)
	}
	if errors.Is(err, inspect.ErrNothing) {
		fmt.Fprintln(a.stderr, "kdlocks: type this in the debugger and name the log: "+strings.Join(inspect.Advice(err).Commands, "; "))
	}
}

func (a *app) rootCommand() *cobra.Command {
	opt := &analyzeOptions{}
	root := &cobra.Command{
		Use:   "kdlocks [command] FILE...|-",
		Short: "Windows kernel lock-deadlock inspector",
		Long: `kdlocks reads the output of !locks, !thread, !process and k, saved with .logopen
or pasted, and says who is deadlocked, why, how sure that is, and on which lines
it rests. Without a command it analyses its arguments; - is standard input, which it
also reads when nothing is named and something is piped in.`,
		Args:          cobra.ArbitraryArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.analyzeNamed(cmd, opt, args)
		},
	}
	flags := root.PersistentFlags()
	flags.StringVarP(&a.output, "output", "o", "table", "output format: "+strings.Join(report.Formats(), ", ")+"; of crash dumps also kd, what a debugger would print")
	flags.StringVar(&a.color, "color", "auto", "colour: auto, always or never")
	flags.IntVar(&a.width, "width", 0, "columns to print in; 0 takes those of the terminal")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "print nothing; the exit code tells")
	flags.Var(&a.max, "max-size", "most that is unpacked and piped in, all in all: bytes, or with K, M, G, T")
	flags.StringArrayVar(&a.ruleFlags.paths, "rules", nil, "ask the rules of this file, folder or zip, too; may be given again")
	flags.StringArrayVar(&a.symbols.paths, "symbols", nil, "for crash dumps: a PDB, an ISF of volatility3 (.json, .json.xz), or a folder of them as a debugger keeps it (C:\\symbols); may be given again")
	flags.BoolVar(&a.ruleFlags.noBuiltin, "no-builtin-rules", false, "leave the rules out that kdlocks ships with")
	opt.bind(root)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return a.checkFlags(cmd) }
	root.AddCommand(a.analyzeCommand(), a.compareCommand(), a.locksCommand(), a.threadsCommand(), a.stacksCommand(), a.modulesCommand(), a.memoryCommand(), a.resolveCommand(), a.explainCommand(), a.rulesCommand(), a.collectCommand(), a.dumpCommand(), a.redactCommand(), a.mcpCommand(), a.serveCommand(), a.versionCommand())
	return root
}

// readsTerminal reports whether standard input is a terminal, where nothing was
// piped in.
func (a *app) readsTerminal() bool {
	f, ok := a.stdin.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (a *app) checkFlags(cmd *cobra.Command) error {
	formats := report.Formats()
	if own, ok := cmd.Annotations[outputs]; ok {
		formats = strings.Fields(own)
	}
	if !cmd.HasParent() || cmd.Name() == "analyze" {
		formats = append(formats, kdOutput)
	}
	if err := a.checkOutput(formats); err != nil {
		return err
	}
	if report.IsDocument(a.output) && cmd.HasParent() && cmd.Name() != "analyze" {
		return fmt.Errorf("--output %s shows a whole report: %s has none", a.output, cmd.Name())
	}
	if refused := reportFlags[cmd.Name()]; refused != nil {
		if err := refuseReportFlags(cmd, refused); err != nil {
			return err
		}
	}
	if !slices.Contains([]string{"auto", "always", "never"}, a.color) {
		return fmt.Errorf("--color %q: not one of auto, always, never", a.color)
	}
	if a.width < 0 {
		return errors.New("--width is less than 0")
	}
	a.bar = a.newBar()
	return nil
}

// reportFlags are, by commands that print no report, the flags that are about reports.
var reportFlags = map[string][]string{
	"collect": {"output", "quiet", "width", "color", "max-size", "symbols", "rules", "no-builtin-rules"},
	"redact":  {"output", "width", "color", "rules", "no-builtin-rules"},
	"mcp":     {"output", "quiet", "width", "color", "symbols"},
	"serve":   {"output", "width", "color", "symbols"},
}

// refuseReportFlags reports an error if a flag was given that is about reports:
// a command that prints none would ignore it.
func refuseReportFlags(cmd *cobra.Command, names []string) error {
	for _, name := range names {
		if cmd.Flags().Changed(name) {
			return fmt.Errorf("--%s is for reports: %s prints none", name, cmd.Name())
		}
	}
	return nil
}

// checkOutput reports an error if the output format is not one of some.
func (a *app) checkOutput(formats []string) error {
	if !slices.Contains(formats, a.output) {
		return fmt.Errorf("--output %q: not one of %s", a.output, strings.Join(formats, ", "))
	}
	return nil
}

// style says how the output may use its terminal.
func (a *app) style() report.Style {
	s := report.Style{Width: a.width, Version: inspect.Version()}
	f, ok := a.stdout.(*os.File)
	terminal := ok && term.IsTerminal(int(f.Fd()))
	if terminal && s.Width == 0 {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			s.Width = w
		}
	}
	s.Color = a.color == "always" || a.color == "auto" && terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return s
}
