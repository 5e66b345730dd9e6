package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"kdlocks/bench/loggen"
)

// figure measures one thing that is promised.
type figure struct {
	letter  string
	measure func(*lab, context.Context) ([]row, error)
}

var figures = []figure{
	{"a", (*lab).againstWC},
	{"b", (*lab).againstRipgrep},
	{"c", (*lab).twoCores},
	{"d", (*lab).memory},
	{"e", (*lab).growth},
	{"f", (*lab).startToExit},
	{"g", (*lab).forms},
	{"h", (*lab).serve},
}

// What is promised.
const (
	promisedOfWC      = 0.15
	promisedOfRipgrep = 1.0
	promisedTwoCores  = 1.35
	promisedMemory    = 0.15 // of the input
	promisedBase      = 20 << 20
	promisedGrowth    = 11.0 // ten times the input
	promisedStart     = 20 * time.Millisecond
	promisedForm      = 0.40
)

// measure measures the figures that are wanted, all if none is named. One that
// fails is a row that says so.
func (l *lab) measure(ctx context.Context, letters []string) ([]row, error) {
	var rows []row
	for _, f := range figures {
		if letters != nil && !slices.Contains(letters, f.letter) {
			continue
		}
		l.say("figure %s", f.letter)
		got, err := f.measure(l, ctx)
		if ctx.Err() != nil {
			return nil, errors.New("interrupted")
		}
		if err != nil {
			got = append(got, row{figure: "failed", measured: firstLine(err.Error()), held: notHeld})
			l.say("  failed: %v", err)
		}
		for i := range got {
			got[i].letter = f.letter
		}
		rows = append(rows, got...)
	}
	return rows, nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// againstWC compares with counting the lines, which is what reading costs.
func (l *lab) againstWC(ctx context.Context) ([]row, error) {
	wc, err := exec.LookPath("wc")
	if err != nil {
		return []row{notMeasured("speed against wc -l", "there is no wc")}, nil
	}
	g, err := l.mainLog(ctx)
	if err != nil {
		return nil, err
	}
	kd, other := l.kdlocks(g, 1), &contender{name: "wc -l", cores: 1, args: []string{wc, "-l", g.path}}
	if err := l.race(ctx, l.runs, kd, other); err != nil {
		return nil, err
	}
	ratio := share(other.best, kd.best)
	return []row{{
		figure:   fmt.Sprintf("speed against wc -l, %s", size(g.bytes)),
		measured: fmt.Sprintf("%s (%s, %s; wc %s)", percent(ratio), round(kd.best), rate(g.bytes, kd.best), round(other.best)),
		promised: "at least " + percent(promisedOfWC),
		held:     holds(ratio >= promisedOfWC),
	}}, nil
}

// everyLine matches each line of a log that is not blank, and spells out what
// its kind has.
const everyLine = "^ *(?:[0-9a-f]{8}`[0-9a-f]{8} [0-9a-f]{8}`[0-9a-f]{8} +(?:: (?:[0-9a-f]{8}`[0-9a-f]{8} ){4}: )?[^ ]+$" +
	"|[0-9a-f]{16}  [A-Z][A-Za-z]+(?: Limit 0x[0-9a-f]+)?$" +
	"|[0-9a-f]{16}: \\([0-9a-f]{4},[0-9a-f]{4}\\) Flags: [0-9a-f]{8}  Mdl: [0-9a-f]{8}$" +
	"|THREAD [0-9a-f]{16}  Cid [0-9a-f]+\\.[0-9a-f]+  Teb: [0-9a-f]{16} Win32Thread: [0-9a-f]{16} (?:WAIT: \\([A-Za-z]+\\) (?:User|Kernel)Mode (?:Non-)?Alertable|RUNNING on processor [0-9a-f]+)$" +
	"|(?:Not impersonating|IRP List:)$" +
	"|(?:DeviceMap|Token) +[0-9a-f]{16}$" +
	"|(?:Owning|Attached) Process +(?:[0-9a-f]{16}|N/A) +Image: +[^ ]+$" +
	"|Wait Start TickCount +[0-9]+ +Ticks: [0-9]+(?: \\([0-9:.]+\\))?$" +
	"|Context Switch Count +[0-9]+ +IdealProcessor: [0-9]+ *$" +
	"|(?:UserTime|KernelTime|ElapsedTime) +[0-9:.]+$" +
	"|Win32 Start Address [^ ]+(?: \\(0x[0-9a-f]+\\))?$" +
	"|Stack Init [0-9a-f]{16} Current [0-9a-f]{16}$" +
	"|Base [0-9a-f]{16} Limit [0-9a-f]{16} Call [0-9a-f]+$" +
	"|Priority [0-9]+ BasePriority [0-9]+ PriorityDecrement [0-9]+ IoPriority [0-9]+ PagePriority [0-9]+$" +
	"|Child-SP +RetAddr +(?:: Args to Child +: )?Call Site$" +
	"|Waiting for reply to ALPC Message [0-9a-f]{16} : queued at port [0-9a-f]{16} : owned by process [0-9a-f]{16}$" +
	"|PROCESS [0-9a-f]{16}$|SessionId: [^ ]+  Cid: .*|DirBase: .*|Image: .*|VadRoot .*|QuotaPoolUsage.*|Working Set Sizes .*" +
	"|(?:PeakWorkingSetSize|VirtualSize|PeakVirtualSize|PageFaultCount|MemoryPriority|BasePriority|CommitCharge) +[0-9A-Z]+.*" +
	"|Resource @ 0x[0-9a-f]{16}    (?:Exclusively owned|Shared [0-9]+ owning threads)$" +
	"|(?:Contention Count|NumberOfSharedWaiters|NumberOfExclusiveWaiters) = [0-9]+$" +
	"|(?:Threads: )?(?:[0-9a-f]{16}-[0-9a-f]{2}(?:<\\*>)? *)+(?:\\*\\*\\* .*)?$|Threads Waiting On Exclusive Access:$|(?:[0-9a-f]{16} *)+$" +
	"|KD: Scanning for held locks\\.+$|[0-9]+ total locks, [0-9]+ locks currently held$|\\*\\*\\*\\* .*|[0-9]+: kd> .*|Opened log file .*)"

// everyBeginning matches them by what they begin with, which is the least that
// tells the kinds apart and much faster.
const everyBeginning = "^ *(?:[0-9a-f]{8}`[0-9a-f]{8} |[0-9a-f]{16}|THREAD |PROCESS |Not impersonating|IRP List:|DeviceMap|Token|Owning Process|Attached Process" +
	"|Wait Start|Context Switch|UserTime|KernelTime|ElapsedTime|Win32 Start|Stack Init|Base |Priority |Child-SP|Waiting for|SessionId|DirBase|Image:|VadRoot" +
	"|QuotaPool|Working Set|PeakWorking|VirtualSize|PeakVirtual|PageFault|MemoryPriority|BasePriority|CommitCharge|Resource @|Contention|NumberOf|Threads" +
	"|KD: |[0-9]+ total|[0-9]+: kd>|\\*\\*\\*\\*|Opened log)"

// againstRipgrep compares with one regular expression for all kinds of lines,
// as strict and as loose as it can be.
func (l *lab) againstRipgrep(ctx context.Context) ([]row, error) {
	rg, err := exec.LookPath("rg")
	if err != nil {
		return []row{notMeasured("speed against rg -c", "there is no rg")}, nil
	}
	g, err := l.mainLog(ctx)
	if err != nil {
		return nil, err
	}
	kd := l.kdlocks(g, 1)
	cs := []*contender{kd}
	for _, expression := range []string{everyLine, everyBeginning} {
		c := &contender{name: "rg -c", cores: 1, args: []string{rg, "--no-config", "-c", expression, g.path}}
		if err := l.keep(ctx, c); err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(c.output)), 10, 64)
		if err != nil || n != g.Lines-g.Blank {
			return nil, fmt.Errorf("the expression matches %s of %d lines", bytes.TrimSpace(c.output), g.Lines-g.Blank)
		}
		cs = append(cs, c)
	}
	if err := l.race(ctx, l.runs, cs...); err != nil {
		return nil, err
	}
	var rows []row
	for i, what := range []string{"each line spelled out", "beginnings of lines"} {
		other := cs[i+1]
		ratio := share(other.best, kd.best)
		rows = append(rows, row{
			figure:   fmt.Sprintf("speed against rg -c, %s, %s", what, size(g.bytes)),
			measured: fmt.Sprintf("%.2f times (%s; rg %s)", ratio, round(kd.best), round(other.best)),
			promised: "not slower",
			held:     holds(ratio >= promisedOfRipgrep),
		})
	}
	return rows, nil
}

// twoCores compares two cores with one, and the reports of both, and holds the
// verdict against what was planted.
func (l *lab) twoCores(ctx context.Context) ([]row, error) {
	g, err := l.mainLog(ctx)
	if err != nil {
		return nil, err
	}
	one, two := l.kdlocks(g, 1), l.kdlocks(g, 2)
	for _, c := range []*contender{one, two} {
		if err := l.keep(ctx, c); err != nil {
			return nil, err
		}
	}
	rows := []row{
		{figure: "report of two cores", measured: choose(one.sum == two.sum, "the same", "another"), promised: "the same, byte for byte", held: holds(one.sum == two.sum)},
		{figure: "verdict", measured: choose(verdictStands(one.output, g), "as planted", firstLine(string(one.output))), promised: "as planted", held: holds(verdictStands(one.output, g))},
	}
	const name = "two cores against one"
	if cores() < 2 {
		return append(rows, notMeasured(name, "there is one core")), nil
	}
	one.wall, two.wall = true, true
	if err := l.race(ctx, l.runs, one, two); err != nil {
		return nil, err
	}
	ratio := share(one.best, two.best)
	return append([]row{{
		figure:   fmt.Sprintf("%s, %s", name, size(g.bytes)),
		measured: fmt.Sprintf("%.2f times (%s, %s)", ratio, round(one.best), round(two.best)),
		promised: fmt.Sprintf("at least %.2f times", promisedTwoCores),
		held:     holds(ratio >= promisedTwoCores),
	}}, rows...), nil
}

// memory is the most resident memory of runs on one and two cores.
func (l *lab) memory(ctx context.Context) ([]row, error) {
	g, err := l.mainLog(ctx)
	if err != nil {
		return nil, err
	}
	one, two := l.kdlocks(g, 1), l.kdlocks(g, 2)
	if err := l.race(ctx, min(l.runs, 2), one, two); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("peak memory, %s", size(g.bytes))
	peak := max(one.memory, two.memory)
	if peak == 0 {
		return []row{notMeasured(name, "this system does not say")}, nil
	}
	most := int64(promisedMemory*float64(g.bytes)) + promisedBase
	return []row{{
		figure:   name,
		measured: fmt.Sprintf("%s, %.3f x input (one core %s, two %s)", mib(peak), float64(peak)/float64(g.bytes), mib(one.memory), mib(two.memory)),
		promised: fmt.Sprintf("at most %s: %.2f x input + %s", mib(most), promisedMemory, mib(promisedBase)),
		held:     holds(peak <= most),
	}}, nil
}

// growth compares the times of a log and of one ten times as large.
func (l *lab) growth(ctx context.Context) ([]row, error) {
	l.dropMain()
	small, err := l.log(ctx, l.sizes.small, "")
	defer small.remove()
	if err != nil {
		return nil, err
	}
	large, err := l.log(ctx, l.sizes.large, "")
	defer large.remove()
	if err != nil {
		return nil, err
	}
	a, b := l.kdlocks(small, 1), l.kdlocks(large, 1)
	if err := l.race(ctx, l.runs, a, b); err != nil {
		return nil, err
	}
	ratio := share(b.best, a.best)
	return []row{{
		figure:   fmt.Sprintf("time for %s against %s", size(large.bytes), size(small.bytes)),
		measured: fmt.Sprintf("%.2f times (%s, %s)", ratio, round(b.best), round(a.best)),
		promised: fmt.Sprintf("at most %.0f times", promisedGrowth),
		held:     holds(ratio <= promisedGrowth),
	}}, nil
}

// startToExit compares a small log with a program that does nothing.
func (l *lab) startToExit(ctx context.Context) ([]row, error) {
	nothing, err := exec.LookPath("true")
	if err != nil {
		return []row{notMeasured("start to exit", "there is no true")}, nil
	}
	g, err := l.log(ctx, l.sizes.start, "")
	defer g.remove()
	if err != nil {
		return nil, err
	}
	kd, other := l.kdlocks(g, 1), &contender{name: "true", cores: 1, args: []string{nothing}}
	kd.wall, other.wall = true, true
	if err := l.race(ctx, 4*l.runs, kd, other); err != nil {
		return nil, err
	}
	more := kd.best - other.best
	return []row{{
		figure:   fmt.Sprintf("%s from start to exit, more than true", size(g.bytes)),
		measured: fmt.Sprintf("%s (%s, true %s)", round(more), round(kd.best), round(other.best)),
		promised: "at most " + round(promisedStart),
		held:     holds(more <= promisedStart),
	}}, nil
}

// forms compares the time for a character of mangled text with that of clean
// text, and holds the verdict against what was planted.
func (l *lab) forms(ctx context.Context) ([]row, error) {
	l.dropMain()
	clean, err := l.log(ctx, l.sizes.form, "")
	defer clean.remove()
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, f := range loggen.Forms {
		r, err := l.form(ctx, clean, f.Name)
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			r = row{figure: f.Name, measured: "failed: " + firstLine(err.Error()), held: notHeld}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func (l *lab) form(ctx context.Context, clean log, form string) (row, error) {
	g, err := l.log(ctx, l.sizes.form, form)
	defer g.remove()
	if err != nil {
		return row{}, err
	}
	plain, mangled := l.kdlocks(clean, 1), l.kdlocks(g, 1)
	mangled.fine = append(mangled.fine, 2) // nothing recognised
	mangled.name += ", " + form
	if err := l.keep(ctx, mangled); err != nil {
		return row{}, err
	}
	if err := l.race(ctx, l.runs, plain, mangled); err != nil {
		return row{}, err
	}
	ratio := share(plain.best, mangled.best) * float64(g.chars) / float64(clean.chars)
	stands := verdictStands(mangled.output, g)
	return row{
		figure:   fmt.Sprintf("%s, speed per character against clean, %s", form, size(clean.bytes)),
		measured: fmt.Sprintf("%s (%s, clean %s)%s", percent(ratio), round(mangled.best), round(plain.best), choose(stands, "", ", not the planted verdict")),
		promised: fmt.Sprintf("at least %s, verdict as planted", percent(promisedForm)),
		held:     holds(ratio >= promisedForm && stands),
	}, nil
}

// dropMain makes room on the disk.
func (l *lab) dropMain() {
	l.main.remove()
	l.main = log{}
}

// share is how often b fits into a.
func share(a, b time.Duration) float64 { return float64(a) / float64(b) }

func choose(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}
