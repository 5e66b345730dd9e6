package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"kdlocks/bench/loggen"
)

// lab is where programs are run on generated logs.
type lab struct {
	dir      string
	program  string // kdlocks
	taskset  string // "" if there is none
	runs     int
	cpu      bool // count processor time
	seed     uint64
	sizes    sizes
	progress io.Writer

	main log // made for the first figure that needs it
}

// log is a generated file.
type log struct {
	path  string
	bytes int64 // of the file
	chars int64 // of its text
	loggen.Stats
}

func (l *lab) say(format string, args ...any) { fmt.Fprintf(l.progress, format+"\n", args...) }

// prepare builds kdlocks and looks what there is to measure with.
func (l *lab) prepare(ctx context.Context) error {
	l.taskset, _ = exec.LookPath("taskset")
	if l.taskset != "" && exec.CommandContext(ctx, l.taskset, "-c", cpuList(2), l.taskset, "--version").Run() != nil {
		l.taskset = "" // these processors are not ours
	}
	if l.program != "" {
		return nil
	}
	l.program = filepath.Join(l.dir, "kdlocks")
	if runtime.GOOS == "windows" {
		l.program += ".exe"
	}
	l.say("building kdlocks")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", l.program, "kdlocks/cmd/kdlocks")
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// log generates a file and reads it once, so that every run finds it in the
// page cache.
func (l *lab) log(ctx context.Context, bytes int64, form string) (log, error) {
	name := fmt.Sprintf("%d%s.log", bytes, form)
	l.say("generating %s", strings.TrimSpace(size(bytes)+" "+form))
	g := log{path: filepath.Join(l.dir, name)}
	f, err := os.Create(g.path)
	if err != nil {
		return g, err
	}
	defer f.Close()
	g.Stats, err = writeLog(stoppable{ctx, f}, loggen.Options{Bytes: bytes, Seed: l.seed}, form)
	if err != nil {
		return g, err
	}
	// What is written back later would disturb a measurement.
	if err := f.Sync(); err != nil {
		return g, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return g, err
	}
	g.bytes, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{f}, make([]byte, 256<<10))
	g.chars = g.bytes
	if form == "utf16" {
		g.chars = g.bytes/2 - 1 // the text is ASCII
	}
	return g, err
}

func (g log) remove() {
	if g.path != "" {
		os.Remove(g.path)
	}
}

// mainLog is the log of most figures.
func (l *lab) mainLog(ctx context.Context) (log, error) {
	if l.main.path != "" {
		return l.main, nil
	}
	g, err := l.log(ctx, l.sizes.main, "")
	if err == nil {
		l.main = g
	}
	return g, err
}

// stoppable fails once its context is done.
type stoppable struct {
	ctx context.Context
	w   io.Writer
}

func (s stoppable) Write(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.w.Write(p)
}

// contender is a command line that is timed, and what its runs took.
type contender struct {
	name  string
	cores int
	args  []string
	wall  bool // also where processor time counts otherwise
	// fine are exit codes that are no failure.
	fine []int

	best   time.Duration // of the runs so far, 0 if none
	memory int64         // most resident memory of a run in bytes, 0 if not known
	output []byte        // of a run of which it was kept
	sum    [32]byte      // of that output
}

// kdlocks is the whole program on a log.
func (l *lab) kdlocks(g log, cores int) *contender {
	return &contender{name: fmt.Sprintf("kdlocks, %d core(s)", cores), cores: cores, args: []string{l.program, g.path}, fine: []int{0, 1, 3}}
}

// race runs the contenders in turn, l.runs times.
func (l *lab) race(ctx context.Context, runs int, cs ...*contender) error {
	for n := range runs {
		for _, c := range cs {
			if err := l.once(ctx, c, nil); err != nil {
				return err
			}
			if n == 0 && c.best > time.Second {
				l.say("  %s: %s", c.name, round(c.best))
			}
		}
	}
	return nil
}

// once runs a contender with its output to w, the null device if nil.
func (l *lab) once(ctx context.Context, c *contender, w io.Writer) error {
	args := c.args
	if l.taskset != "" {
		args = append([]string{l.taskset, "-c", cpuList(c.cores)}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", c.cores), "LC_ALL=C")
	cmd.Stdout = w
	var said complaint
	cmd.Stderr = &said
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && slices.Contains(c.fine, exit.ExitCode()) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(c.args, " "), err, said.text)
	}
	if l.cpu && !c.wall {
		took = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	if c.best == 0 || took < c.best {
		c.best = max(took, 1)
	}
	c.memory = max(c.memory, peakMemory(cmd.ProcessState))
	return nil
}

// keep runs a contender once more and keeps the beginning of its output and the
// sum of all of it.
func (l *lab) keep(ctx context.Context, c *contender) error {
	k := keeper{sum: sha256.New()}
	again := *c // this run's time does not count
	if err := l.once(ctx, &again, &k); err != nil {
		return err
	}
	c.memory = max(c.memory, again.memory)
	c.output = k.head
	k.sum.Sum(c.sum[:0])
	return nil
}

// cpuList names the processors to run on. The last ones are the quietest on
// most machines: interrupts tend to go to the first.
func cpuList(cores int) string {
	n := runtime.NumCPU()
	return fmt.Sprintf("%d-%d", max(0, n-cores), n-1)
}

// keeper sums up what is written and keeps the first of it.
type keeper struct {
	sum  hash.Hash
	head []byte
}

func (k *keeper) Write(p []byte) (int, error) {
	const most = 64 << 10
	if room := most - len(k.head); room > 0 {
		k.head = append(k.head, p[:min(room, len(p))]...)
	}
	return k.sum.Write(p)
}

// complaint keeps the first complaint of a program.
type complaint struct{ text []byte }

func (t *complaint) Write(p []byte) (int, error) {
	if room := 2000 - len(t.text); room > 0 {
		t.text = append(t.text, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

// verdictStands reports whether the output says what was planted in the log.
func verdictStands(output []byte, g log) bool {
	text := string(output)
	if !strings.HasPrefix(text, "DEADLOCK") {
		return false
	}
	for _, a := range g.Deadlocked {
		if !strings.Contains(text, fmt.Sprintf("%016x", a)) {
			return false
		}
	}
	return true
}
