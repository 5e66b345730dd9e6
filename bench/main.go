// Bench measures kdlocks as a whole program, from file to verdict, on logs
// that it generates, and compares what it measures with what is promised.
//
//	go run ./bench [-quick] [-runs N] [-only a,f] [-clock cpu] [-markdown FILE]
//	go run ./bench gen [-bytes N | -threads N] [-form NAME] [-o FILE]
//
// The exit code is 1 when a promise does not hold, and 2 for trouble.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"kdlocks/bench/loggen"
)

const (
	exitHeld    = 0
	exitNotHeld = 1
	exitTrouble = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := bench
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "gen" {
		run, args = gen, args[1:]
	}
	code, err := run(ctx, args)
	if err != nil {
		if errors.Is(err, flag.ErrHelp) {
			os.Exit(exitHeld)
		}
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(exitTrouble)
	}
	os.Exit(code)
}

// sizes are the sizes of the generated logs, in bytes.
type sizes struct {
	main         int64         // against wc and rg, two cores, memory
	small, large int64         // growth: large is ten times small
	form         int64         // each mangled form
	start        int64         // from start to exit
	body         int64         // of each large request to the server
	unpacked     int64         // of each small request that is packed
	hold         time.Duration // how long clients that do nothing hold their connection
}

var (
	fullSizes  = sizes{main: 500e6, small: 100e6, large: 1000e6, form: 100e6, start: 1e6, body: 100e6, unpacked: 1 << 30, hold: 30 * time.Second}
	quickSizes = sizes{main: 10e6, small: 2e6, large: 20e6, form: 4e6, start: 1e6, body: 2e6, unpacked: 64 << 20, hold: time.Second}
)

// bench is the harness.
func bench(ctx context.Context, args []string) (int, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "small logs: does the harness work?")
	runs := flags.Int("runs", 5, "how often each is run; the fastest counts")
	only := flags.String("only", "", "figures to measure by their letters, such as a,c; all when empty")
	clock := flags.String("clock", "wall", "wall, or cpu for user and system time on a busy machine (two cores and the start are always wall)")
	markdown := flags.String("markdown", "", "file in which the section between the bench marks is replaced by the table")
	program := flags.String("kdlocks", "", "program to measure instead of building ./cmd/kdlocks")
	dir := flags.String("dir", "", "where to make the temporary folder; needs about 1.5 GB")
	seed := flags.Uint64("seed", 1, "seed of the logs")
	if err := flags.Parse(args); err != nil {
		return 0, err
	}
	if *runs < 1 || *clock != "wall" && *clock != "cpu" || flags.NArg() > 0 {
		return 0, errors.New("see -help")
	}
	letters, err := letters(*only)
	if err != nil {
		return 0, err
	}
	tmp, err := os.MkdirTemp(*dir, "kdlocks-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(tmp)
	l := &lab{dir: tmp, program: *program, runs: *runs, cpu: *clock == "cpu", seed: *seed, sizes: fullSizes, progress: os.Stderr}
	if *quick {
		l.sizes = quickSizes
	}
	if err := l.prepare(ctx); err != nil {
		return 0, err
	}
	rows, err := l.measure(ctx, letters)
	if err != nil {
		return 0, err
	}
	writeTable(os.Stdout, l.header(), rows)
	if *markdown != "" {
		if err := replaceSection(*markdown, l.header(), rows); err != nil {
			return 0, err
		}
	}
	for _, r := range rows {
		if r.held == notHeld {
			return exitNotHeld, nil
		}
	}
	return exitHeld, nil
}

// letters reads the list of figures that are wanted; nil is all.
func letters(only string) ([]string, error) {
	if only == "" {
		return nil, nil
	}
	list := strings.Split(only, ",")
	for _, name := range list {
		known := false
		for _, f := range figures {
			known = known || f.letter == name
		}
		if !known {
			return nil, fmt.Errorf("-only %s: no such figure", name)
		}
	}
	return list, nil
}

// gen writes one log.
func gen(_ context.Context, args []string) (code int, err error) {
	flags := flag.NewFlagSet("gen", flag.ContinueOnError)
	var opt loggen.Options
	flags.Int64Var(&opt.Bytes, "bytes", 100e6, "size to reach, of the text before -form")
	flags.IntVar(&opt.Threads, "threads", 0, "number of threads, in the place of -bytes")
	flags.Uint64Var(&opt.Seed, "seed", 1, "seed")
	columns := flags.String("args", "mixed", `column "Args to Child": mixed, with, without`)
	plant := flags.String("plant", "owner-pointer", "what to plant: owner-pointer, cycle, nothing")
	form := flags.String("form", "", "form of the text: "+formNames())
	name := flags.String("o", "-", "file to write, - is standard output")
	if err := flags.Parse(args); err != nil {
		return 0, err
	}
	var ok1, ok2 bool
	opt.Args, ok1 = map[string]loggen.Args{"mixed": loggen.MixedArgs, "with": loggen.WithArgs, "without": loggen.WithoutArgs}[*columns]
	opt.Plant, ok2 = map[string]loggen.Plant{"owner-pointer": loggen.OwnerPointer, "cycle": loggen.Cycle, "nothing": loggen.Nothing}[*plant]
	if !ok1 || !ok2 || flags.NArg() > 0 {
		return 0, errors.New("gen: see -help")
	}
	out := io.WriteCloser(os.Stdout)
	if *name != "-" {
		if out, err = os.Create(filepath.Clean(*name)); err != nil {
			return 0, err
		}
	}
	stats, err := writeLog(out, opt, *form)
	if err = errors.Join(err, out.Close()); err != nil {
		return 0, err
	}
	fmt.Fprintf(os.Stderr, "%d bytes and %d lines before any mangling, %d threads, %d resources, deadlocked %x\n",
		stats.Bytes, stats.Lines, stats.Threads, stats.Resources, stats.Deadlocked)
	return exitHeld, nil
}

func formNames() string {
	var names []string
	for _, f := range loggen.Forms {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// writeLog writes a log in a form, "" for as printed.
func writeLog(w io.Writer, opt loggen.Options, form string) (loggen.Stats, error) {
	if form == "" {
		return loggen.Write(w, opt)
	}
	f, ok := loggen.FormNamed(form)
	if !ok {
		return loggen.Stats{}, fmt.Errorf("no form %q; there are %s", form, formNames())
	}
	m := f.Through(w)
	stats, err := loggen.Write(m, opt)
	return stats, errors.Join(err, m.Close())
}
