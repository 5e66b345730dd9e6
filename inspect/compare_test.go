package inspect_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"kdlocks/inspect"
	"kdlocks/report"
)

// compareTexts compares texts as files of the names a.log, b.log, ...
func compareTexts(t *testing.T, texts ...string) *report.Comparison {
	t.Helper()
	var cases []inspect.Case
	for i, text := range texts {
		name := string(rune('a'+i)) + ".log"
		cases = append(cases, inspect.Case{Name: name, Inputs: []inspect.Input{inspect.Bytes(name, []byte(text))}})
	}
	c, err := inspect.Compare(context.Background(), cases, inspect.Options{})
	if err != nil || c == nil {
		t.Fatalf("Compare: %v", err)
	}
	checkComparedPlaces(t, c, texts)
	return c
}

// checkComparedPlaces looks up every piece of evidence in its capture.
func checkComparedPlaces(t *testing.T, c *report.Comparison, texts []string) {
	t.Helper()
	lines := make(map[string][]string)
	for i, text := range texts {
		lines[string(rune('a'+i))+".log"] = strings.Split(text, "\n")
	}
	check := func(what string, list []report.ComparedEvidence) {
		for _, e := range list {
			if why := falseEvidence(e.Evidence, lines[e.Input]); why != "" {
				t.Errorf("%s: evidence %+v: %s", what, e, why)
			}
		}
	}
	for _, f := range c.Findings {
		check(f.ID, f.Evidence)
	}
	for _, r := range c.Roots {
		check(r.Name, r.Evidence)
	}
}

func comparedLock(c *report.Comparison, r *resource) report.ComparedLock {
	for _, l := range c.Locks {
		if l.Address == fmt.Sprintf("%#x", r.addr) {
			return l
		}
	}
	return report.ComparedLock{State: "not there"}
}

func comparedFinding(c *report.Comparison, ts []*thread) report.ComparedFinding {
	want := inOrder(threadList(ts))
	for _, f := range c.Findings {
		if slices.Equal(inOrder(f.Threads), want) {
			return f
		}
	}
	return report.ComparedFinding{Fate: "not there"}
}

func comparedRoot(c *report.Comparison, th *thread) report.ComparedRoot {
	for _, r := range c.Roots {
		if r.Thread == fmt.Sprintf("%#x", th.addr) {
			return r
		}
	}
	return report.ComparedRoot{State: "not there"}
}

// checkPair holds a comparison of both moments against what was planted.
func checkPair(t *testing.T, p *pair, c *report.Comparison) {
	t.Helper()
	if c.Verdict.Kind != "deadlock" || c.Verdict.Confidence != "certain" || !strings.HasPrefix(c.Verdict.Summary, "Frozen in 2 captures") {
		t.Errorf("verdict %+v", c.Verdict)
	}
	if f := comparedFinding(c, p.cycle); f.Fate != "frozen" || f.Confidence != "certain" || !f.Stands {
		t.Errorf("the cycle is %s, %s: %s", f.Fate, f.Confidence, f.Why)
	}
	for want, r := range map[string]*resource{"moving": p.convoy, "freed": p.freed, "growing": p.grows} {
		if l := comparedLock(c, r); l.State != want {
			t.Errorf("lock %#x is %s (%s), want %s", r.addr, l.State, l.Why, want)
		}
	}
	if l := comparedLock(c, p.grows); l.WaitersNew != 7 || l.WaitersSame != 5 || l.WaitersGone != 0 || len(l.NewWaiters) != 7 {
		t.Errorf("of the growing lock: %+v", l)
	}
	if r := comparedRoot(c, p.root); r.State != "hung" {
		t.Errorf("the root is %s: %s", r.State, r.Why)
	}
	for th := range c.Threads.All() {
		if th.Address == fmt.Sprintf("%#x", p.reused.addr) && th.Motion != "another thread" {
			t.Errorf("the thread whose address was reused: %+v", th)
		}
	}
}

func TestComparedCapturesTellFrozenFromMoving(t *testing.T) {
	t.Parallel()
	for i, d := range dialects {
		for j, st := range styles {
			if (i+j)%3 > 0 || st.name == "entity" {
				continue
			}
			t.Run(d.name+"/"+st.name, func(t *testing.T) {
				p := newPair(uint64(10*i+j), d, 120)
				header := (i+j)%2 == 0
				first := p.print(st, header)
				p.goOn()
				second := p.print(st, header)
				c := compareTexts(t, first, second)
				checkPair(t, p, c)
				if c.SpanMS == nil || *c.SpanMS < 299_000 || *c.SpanMS > 301_000 {
					t.Errorf("span %v", c.SpanMS)
				}
				if l := comparedLock(c, p.convoy); l.PerSecond == nil || *l.PerSecond < 299 || *l.PerSecond > 301 {
					t.Errorf("contentions a second: %+v", l)
				}
				if c.Reordered {
					t.Error("reordered")
				}
				swapped := compareTexts(t, second, first)
				checkPair(t, p, swapped)
				if !swapped.Reordered || swapped.Captures[0].Name != "b.log" {
					t.Errorf("given the wrong way round: %+v", swapped.Captures)
				}
			})
		}
	}
}

func TestSameBytesGiveTheSameComparison(t *testing.T) {
	p := newPair(3, dialects[4], 200)
	first := p.print(styles[0], true)
	p.goOn()
	second := p.print(styles[0], true)
	var outs []string
	for range 2 {
		var b bytes.Buffer
		for _, f := range report.ComparisonFormats() {
			if err := report.ComparisonWriterFor(f)(&b, compareTexts(t, first, second), report.Style{}); err != nil {
				t.Fatal(err)
			}
		}
		outs = append(outs, b.String())
	}
	if outs[0] != outs[1] {
		t.Error("two comparisons differ")
	}
}

// twoMoments prints a machine, lets it go on, and prints it again.
func twoMoments(p *pair, st style, header bool) (first, second string) {
	first = p.print(st, header)
	p.goOn()
	return first, p.print(st, header)
}

func TestACycleThatDissolvedIsNoDeadlock(t *testing.T) {
	t.Parallel()
	for i, d := range dialects {
		p := barePair(uint64(i), d).fill(40)
		p.brieflyCrossed()
		first, second := twoMoments(p, styles[i%3], i%2 == 0)
		if kind := runText(t, []byte(first)).Verdict.Kind; kind != "deadlock" {
			t.Fatalf("%s: the first capture by itself is %s", d.name, kind)
		}
		c := compareTexts(t, first, second)
		f := comparedFinding(c, p.brief)
		if f.Fate != "dissolved" || f.Kind != "no-deadlock" || f.Stands {
			t.Errorf("%s: %s, %s: %s", d.name, f.Fate, f.Kind, f.Why)
		}
		if c.Verdict.Kind == "deadlock" || c.Verdict.Kind == "orphaned-lock" || !strings.Contains(c.Verdict.Summary, "dissolved") {
			t.Errorf("%s: verdict %+v", d.name, c.Verdict)
		}
		// The other way round it has formed.
		if d.x86 && i%2 == 1 {
			continue
		}
		p = barePair(uint64(i), d).fill(40)
		first = p.print(styles[0], true)
		p.now += p.span
		p.brieflyCrossed()
		c = compareTexts(t, first, p.print(styles[0], true))
		if f := comparedFinding(c, p.brief); f.Fate != "formed" && f.Fate != "only in the last" || !f.Stands || c.Verdict.Kind != "deadlock" {
			t.Errorf("%s: formed: %s, %s, verdict %+v", d.name, f.Fate, f.Why, c.Verdict)
		}
	}
}

func TestWithoutADeadlockTheRootOrTheContentionIsNamed(t *testing.T) {
	t.Parallel()
	for i, d := range dialects {
		p := barePair(uint64(i), d)
		p.addRoot()
		p.addConvoy()
		p.fill(80)
		first, second := twoMoments(p, styles[i%3], true)
		c := compareTexts(t, first, second)
		if c.Verdict.Kind != "blocked-chain" || c.Verdict.Confidence != "very-likely" || !strings.Contains(c.Verdict.Summary, "a hung root: thread "+p.a(p.root.addr)) {
			t.Errorf("%s: hung root: %+v", d.name, c.Verdict)
		}

		p = barePair(uint64(i), d)
		p.addConvoy()
		p.fill(60)
		first, second = twoMoments(p, styles[i%3], true)
		c = compareTexts(t, first, second)
		if c.Verdict.Kind != "contention" || !strings.Contains(c.Verdict.Summary, p.a(p.convoy.addr)) {
			t.Errorf("%s: convoy: %+v", d.name, c.Verdict)
		}
	}
}

func TestAnotherBootIsRefused(t *testing.T) {
	t.Parallel()
	for i, d := range dialects {
		for _, header := range []bool{true, false} {
			p, q := newPair(uint64(i), d, 80), newPair(uint64(i+50), d, 80)
			q.base = "6c000000"
			c := compareTexts(t, p.print(styles[0], header), q.print(styles[0], header))
			if len(c.Captures) > 1 || len(c.Refused) != 1 || c.Verdict.Kind != "undecided" || !c.Undecided || len(c.Findings) > 0 {
				t.Errorf("%s: %+v, refused %+v", d.name, c.Verdict, c.Refused)
				continue
			}
			if why := c.Refused[0].Why; header && !strings.Contains(why, "kernel base") || !header && !strings.Contains(why, "boot") {
				t.Errorf("%s: refused because of %s", d.name, why)
			}
		}
	}
}

// TestAnotherBootAmongThreeCaptures compares the two that belong together.
func TestAnotherBootAmongThreeCaptures(t *testing.T) {
	p, q := newPair(1, dialects[5], 80), newPair(60, dialects[5], 80)
	q.base = "6c000000"
	first, second := twoMoments(p, styles[0], true)
	c := compareTexts(t, first, q.print(styles[0], true), second)
	checkPair(t, p, c)
	if len(c.Refused) != 1 || c.Refused[0].Name != "b.log" {
		t.Errorf("refused %+v", c.Refused)
	}
}

func TestTheSameMomentTwiceProvesNothing(t *testing.T) {
	t.Parallel()
	for i, d := range dialects {
		for _, header := range []bool{true, false} {
			text := newPair(uint64(i), d, 60).print(styles[0], header)
			c := compareTexts(t, text, text)
			if len(c.Captures) != 1 || len(c.Refused) != 1 || !strings.Contains(c.Refused[0].Why, "the same moment") || c.Verdict.Kind != "undecided" {
				t.Errorf("%s, header %v: %+v, refused %+v", d.name, header, c.Verdict, c.Refused)
			}
		}
	}
	// Lists alone, without a time: the same twice may be one moment.
	p := newPair(1, dialects[5], 60)
	locks := p.sections(styles[0])[0]
	if c := compareTexts(t, locks, locks); len(c.Captures) != 1 || !strings.Contains(c.Refused[0].Why, "may be of the same moment") {
		t.Errorf("lists alone: refused %+v", c.Refused)
	}
}

func TestListsMissingInOneCapture(t *testing.T) {
	t.Parallel()
	without := func(p *pair) string {
		return p.header() + strings.Join(p.sections(styles[0])[1:], "")
	}
	shown := func(p *pair) *pair {
		for _, th := range p.cycle {
			if th.where == nowhere || th.where == byValue {
				th.where = alone
			}
		}
		return p
	}
	for i, d := range dialects {
		p := shown(newPair(uint64(i), d, 60))
		first := p.print(styles[0], true)
		p.goOn()
		c := compareTexts(t, first, without(p))
		if f := comparedFinding(c, p.cycle); f.Fate != "frozen" || !strings.Contains(f.Why, "not left their waits") {
			t.Errorf("%s: in the last: %s: %s", d.name, f.Fate, f.Why)
		}
		// A thread of it that is not printed, or has run, leaves it open.
		p = shown(newPair(uint64(i), d, 60))
		first = p.print(styles[0], true)
		p.goOn()
		if i%2 == 0 {
			p.cycle[0].where = nowhere
		} else {
			p.cycle[0].switches += 50_000
		}
		c = compareTexts(t, first, without(p))
		f := comparedFinding(c, p.cycle)
		if f.Fate != "not confirmed" || f.Stands || c.Verdict.Kind != "undecided" || !c.Undecided || !slices.Contains(c.NextCommands, "!locks") {
			t.Errorf("%s: open: %s: %s; verdict %+v, next %v", d.name, f.Fate, f.Why, c.Verdict, c.NextCommands)
		}

		p = shown(newPair(uint64(i), d, 60))
		first = without(p)
		p.goOn()
		c = compareTexts(t, first, p.print(styles[0], true))
		if c.Verdict.Kind != "deadlock" || !comparedFinding(c, p.cycle).Stands {
			t.Errorf("%s: missing in the first: verdict %+v", d.name, c.Verdict)
		}
	}
}

// TestOneLogIsComparedWithItself gives both moments in one log.
func TestOneLogIsComparedWithItself(t *testing.T) {
	t.Parallel()
	const wentOn = "kd> g\nBreak instruction exception - code 80000003 (first chance)\n"
	for i, d := range dialects {
		p := newPair(uint64(i), d, 80)
		first, second := twoMoments(p, styles[0], false)
		c := compareTexts(t, first+wentOn+second)
		checkPair(t, p, c)
		if len(c.Captures) == 2 && c.Captures[1].Name != "a.log #2" {
			t.Errorf("%s: names %s, %s", d.name, c.Captures[0].Name, c.Captures[1].Name)
		}
		// A live system is asked twice: one header, two lists.
		p = newPair(uint64(i), d, 80)
		first = p.print(styles[4], true)
		p.goOn()
		checkPair(t, p, compareTexts(t, first+p.print(styles[4], false)))
	}
}

func TestThreeCaptures(t *testing.T) {
	p := newPair(5, dialects[4], 100)
	first, second := twoMoments(p, styles[0], true)
	p.reused = nil
	p.goOn()
	third := p.print(styles[0], true)
	for i, texts := range [][]string{{first, second, third}, {third, first, second}} {
		c := compareTexts(t, texts...)
		if f := comparedFinding(c, p.cycle); f.Fate != "frozen" || len(f.Captures) != 3 || !strings.HasPrefix(c.Verdict.Summary, "Frozen in 3 captures within 10 min 0 s") {
			t.Errorf("%d: %s; %s", i, f.Fate, c.Verdict.Summary)
		}
		if l := comparedLock(c, p.convoy); l.State != "moving" || *l.Contentions != 180_000 {
			t.Errorf("%d: convoy %s, %v", i, l.State, l.Contentions)
		}
		if l := comparedLock(c, p.grows); l.State != "growing" || l.WaitersNew != 14 {
			t.Errorf("%d: %+v", i, l)
		}
	}
}

// TestAReusedAddressIsNotTheSameThread: the lists look the same, but one thread
// of the cycle is another.
func TestAReusedAddressIsNotTheSameThread(t *testing.T) {
	for i, d := range dialects {
		p := newPair(uint64(i), d, 60)
		for _, th := range p.cycle {
			th.where = alone
		}
		first := p.print(styles[0], true)
		p.goOn()
		p.cycle[1].tid += 0x2000
		c := compareTexts(t, first, p.print(styles[0], true))
		// The last capture has a deadlock by itself, and not the one of before.
		if f := comparedFinding(c, p.cycle); f.Fate != "formed" || !f.Stands || !strings.Contains(f.Why, "another thread") {
			t.Errorf("%s: %s: %s", d.name, f.Fate, f.Why)
		}
	}
}

// TestAThreadOfTheCycleThatRan takes the certainty away.
func TestAThreadOfTheCycleThatRan(t *testing.T) {
	p := newPair(2, dialects[6], 60)
	for _, th := range p.cycle {
		th.where = alone
	}
	first := p.print(styles[0], true)
	p.goOn()
	p.cycle[2].switches += 70_000
	c := compareTexts(t, first, p.print(styles[0], true))
	if f := comparedFinding(c, p.cycle); f.Fate != "frozen" || f.Confidence != "very-likely" || !strings.Contains(f.Why, "has run meanwhile") {
		t.Errorf("%s, %s: %s", f.Fate, f.Confidence, f.Why)
	}
}

// TestComparisonsFollowTheSchema validates comparisons against the published
// schema, and against it once more with no field beside the described ones.
func TestComparisonsFollowTheSchema(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/compare.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, strict := range []bool{false, true} {
		schema := compileSchema(t, string(text), strict)
		for i, d := range dialects {
			p := newPair(uint64(i), d, 60)
			p.brieflyCrossed()
			first, second := twoMoments(p, styles[i], i%2 == 0)
			for _, texts := range [][]string{{first, second}, {first, first}, {second}, {first, newPair(9, d, 20).print(styles[0], false), second}} {
				var b bytes.Buffer
				if err := report.WriteComparisonJSON(&b, compareTexts(t, texts...), report.Style{}); err != nil {
					t.Fatal(err)
				}
				doc, err := jsonschema.UnmarshalJSON(&b)
				if err != nil {
					t.Fatal(err)
				}
				if err := schema.Validate(doc); err != nil {
					t.Errorf("%s (strict %v): %v", d.name, strict, err)
				}
			}
		}
	}
}

// TestCapturesOfDifferentMachinesAreNotCompared pairs every capture of the
// corpus with every other, and with itself: no two are two moments of one boot.
func TestCapturesOfDifferentMachinesAreNotCompared(t *testing.T) {
	names, err := filepath.Glob("../testdata/corpus/*.log")
	if err != nil || len(names) < 40 {
		t.Fatal(err, len(names))
	}
	var inputs []inspect.Input
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, inspect.Bytes(filepath.Base(name), data))
	}
	refused := 0
	for i := range inputs {
		for j := range inputs {
			c, _ := inspect.Compare(context.Background(), []inspect.Case{{Name: "a", Inputs: inputs[i : i+1]}, {Name: "b", Inputs: inputs[j : j+1]}}, inspect.Options{})
			switch {
			case c == nil:
			case len(c.Captures) > 1:
				t.Errorf("%s and %s are compared: %s", inputs[i].Name, inputs[j].Name, c.Verdict.Summary)
			default:
				refused += len(c.Refused)
			}
		}
	}
	if refused < 1500 {
		t.Errorf("%d pairs refused", refused)
	}
}

// FuzzCompare compares any two texts, and holds the outputs to the promises of
// all: same bytes, same comparison; evidence is where it says.
func FuzzCompare(f *testing.F) {
	p := newPair(1, dialects[4], 30)
	first, second := twoMoments(p, styles[0], true)
	f.Add([]byte(first), []byte(second))
	for _, k := range loadCases(f) {
		f.Add(k.input, bytes.ReplaceAll(k.input, []byte("Contention Count = "), []byte("Contention Count = 9")))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if len(a)+len(b) > 1<<18 {
			return
		}
		var outs [2]bytes.Buffer
		for i := range outs {
			cases := []inspect.Case{{Name: "a.log", Inputs: []inspect.Input{inspect.Bytes("a.log", a)}}, {Name: "b.log", Inputs: []inspect.Input{inspect.Bytes("b.log", b)}}}
			c, err := inspect.Compare(context.Background(), cases, inspect.Options{})
			if c == nil {
				if err == nil {
					t.Fatal("neither a comparison nor an error")
				}
				return
			}
			for _, format := range report.ComparisonFormats() {
				if err := report.ComparisonWriterFor(format)(&outs[i], c, report.Style{Width: 80}); err != nil {
					t.Fatal(err)
				}
			}
			for _, h := range c.Findings {
				if h.Fate == "frozen" && len(c.Captures) < 2 {
					t.Fatal("frozen in one capture")
				}
			}
		}
		if !bytes.Equal(outs[0].Bytes(), outs[1].Bytes()) {
			t.Error("two comparisons of the same bytes differ")
		}
	})
}

// TestCuttingACaptureRefutesNothing cuts one of the two at random places: what
// is then missing neither dissolves the cycle nor frees a lock, and a lock that
// moves does not freeze.
func TestCuttingACaptureRefutesNothing(t *testing.T) {
	t.Parallel()
	for i, d := range dialects {
		st := styles[(2*i)%len(styles)]
		p := newPair(uint64(i), d, 60)
		first, second := twoMoments(p, st, i%2 == 0)
		rng := rand.New(rand.NewPCG(uint64(i), 4))
		list := strings.LastIndex(second, "total locks") // most of what matters stands before
		for n := range 60 {
			texts := []string{first, second}
			at := rng.IntN(len(second))
			if n%2 == 0 {
				at = rng.IntN(list)
			}
			switch n % 3 {
			case 0:
				texts[1] = second[:at]
			case 1:
				texts[1] = second[at:]
			default:
				texts[0] = first[:min(at, len(first))]
			}
			var cases []inspect.Case
			for k, text := range texts {
				cases = append(cases, inspect.Case{Name: fmt.Sprint(k), Inputs: []inspect.Input{inspect.Bytes(fmt.Sprint(k), []byte(text))}})
			}
			c, _ := inspect.Compare(context.Background(), cases, inspect.Options{})
			if c == nil || len(c.Captures) < 2 {
				continue
			}
			name := fmt.Sprintf("%s, %s, cut %d at %d", d.name, st.name, n%3, at)
			if f := comparedFinding(c, p.cycle); f.Fate == "dissolved" {
				t.Errorf("%s: the cycle is %s: %s", name, f.Fate, f.Why)
			}
			if l := comparedLock(c, p.grows); l.State == "freed" || l.State == "moving" || l.State == "another lock" {
				t.Errorf("%s: the growing lock is %s: %s", name, l.State, l.Why)
			}
			if l := comparedLock(c, p.convoy); l.State == "frozen" || l.State == "growing" || l.State == "freed" {
				t.Errorf("%s: the convoy is %s: %s", name, l.State, l.Why)
			}
			if r := comparedRoot(c, p.root); r.State == "gone" || r.State == "moving" {
				t.Errorf("%s: the root is %s: %s", name, r.State, r.Why)
			}
		}
	}
}

// TestEveryPlantedDeadlockIsFrozen prints every kind of deadlock at two moments.
func TestEveryPlantedDeadlockIsFrozen(t *testing.T) {
	t.Parallel()
	for i, plant := range deadlocks {
		for j, d := range dialects {
			if plant.on64 && d.x86 || (i+j)%2 > 0 {
				continue
			}
			p := barePair(uint64(i), d)
			plant.put(p.world)
			p.addConvoy()
			p.fill(60)
			st := styles[(i+j)%len(styles)]
			first, second := twoMoments(p, st, j%2 == 0)
			c := compareTexts(t, first, second)
			if len(c.Captures) < 2 {
				t.Errorf("%s, %s, %s: not compared: %+v", plant.name, d.name, st.name, c.Refused)
				continue
			}
			for _, w := range p.want {
				f := comparedFinding(c, w.threads)
				if f.Fate != "frozen" || f.Kind != w.kind || !f.Stands {
					t.Errorf("%s, %s, %s: %s is %s, %s: %s", plant.name, d.name, st.name, f.ID, f.Fate, f.Kind, f.Why)
				}
				// Bounds that were not printed are no surer when seen twice.
				sure := w.grade != "C" && !strings.Contains(plant.name, "earlier stack")
				if sure != (f.Confidence == "certain") {
					t.Errorf("%s, %s, %s: %s of grade %s is %s: %s", plant.name, d.name, st.name, f.ID, f.Grade, f.Confidence, f.Why)
				}
			}
			if l := comparedLock(c, p.convoy); l.State != "moving" {
				t.Errorf("%s, %s, %s: the convoy is %s", plant.name, d.name, st.name, l.State)
			}
		}
	}
}

// TestComparedInnocentsAreNotAccused prints every near miss at two moments.
func TestComparedInnocentsAreNotAccused(t *testing.T) {
	t.Parallel()
	for i, plant := range innocents {
		for j, d := range dialects {
			if plant.on64 && d.x86 || (i+j)%2 > 0 {
				continue
			}
			p := barePair(uint64(i), d)
			plant.put(p.world)
			p.fill(60)
			first, second := twoMoments(p, styles[(i+j)%len(styles)], true)
			c := compareTexts(t, first, second)
			if c.Verdict.Kind == "deadlock" || c.Verdict.Kind == "orphaned-lock" || len(c.Captures) < 2 {
				t.Errorf("%s, %s: %+v, refused %+v", plant.name, d.name, c.Verdict, c.Refused)
			}
		}
	}
}

// TestAnOrphanedLockThatIsReleased has dissolved.
func TestAnOrphanedLockThatIsReleased(t *testing.T) {
	for i, d := range dialects {
		p := barePair(uint64(i), d)
		plantTerminated(p.world)
		p.fill(40)
		first := p.print(styles[0], true)
		p.freed = p.locks[slices.IndexFunc(p.locks, func(r *resource) bool { return r.owners[0].thread == p.want[0].threads[0] })]
		p.goOn()
		c := compareTexts(t, first, p.print(styles[0], true))
		if f := comparedFinding(c, p.want[0].threads); f.Fate != "dissolved" || c.Verdict.Kind == "orphaned-lock" {
			t.Errorf("%s: %s, verdict %+v", d.name, f.Fate, c.Verdict)
		}
	}
}

// TestAnIdleWorkerThatOwnsALock hangs others in both captures: a leaked lock, or
// one that another thread will release.
func TestAnIdleWorkerThatOwnsALock(t *testing.T) {
	for i, d := range dialects {
		p := barePair(uint64(i), d)
		p.addRoot()
		p.root.reason, p.root.objects = "WrQueue", []object{{addr: p.addr(regionObject), kind: "QueueObject"}}
		p.layOut(p.root, append(slices.Clone(d.routines[:len(d.routines)-2]), nt("KeRemoveQueueEx", 0x217), nt("ExpWorkerThread", 0xce), nt("PspSystemThreadStartup", 0x58)), false)
		p.fill(40)
		first, second := twoMoments(p, styles[0], true)
		c := compareTexts(t, first, second)
		r := comparedRoot(c, p.root)
		if r.State != "hung" || r.ID != "owner-idle-worker" || c.Verdict.Kind != "blocked-chain" || c.Verdict.Confidence != "likely" {
			t.Errorf("%s: %s is %s, verdict %+v", d.name, r.ID, r.State, c.Verdict)
		}
	}
}

// TestALockBehindAStalePointerIsUndecided: the thread that the pointer leads to
// is not its owner, and no root.
func TestALockBehindAStalePointerIsUndecided(t *testing.T) {
	for i, d := range dialects {
		p := barePair(uint64(i), d)
		th, r := p.thread(), p.lock(false)
		th.where = inProcess
		p.wantsShared(p.owned(false, p.thread()), th)
		p.pointerOwner(r, th, slot{th.current - 0x20, -1, ""})
		r.owners[0].live = -1
		p.wantsExclusive(r, p.thread())
		p.fill(40)
		first, second := twoMoments(p, styles[0], true)
		c := compareTexts(t, first, second)
		if got := comparedRoot(c, th); got.State != "not there" {
			t.Errorf("%s: a root: %+v", d.name, got)
		}
		if !c.Undecided {
			t.Errorf("%s: %+v", d.name, c.Verdict)
		}
	}
}

// TestListsAloneAreOrderedByTheirCounts: no header, no thread.
func TestListsAloneAreOrderedByTheirCounts(t *testing.T) {
	for i, d := range dialects {
		p := newPair(uint64(i), d, 60)
		first := p.sections(styles[0])[0]
		p.goOn()
		second := p.sections(styles[0])[0]
		for _, texts := range [][]string{{first, second}, {second, first}} {
			c := compareTexts(t, texts...)
			if c.Order != "contention counts" || c.Reordered != (texts[0] == second) {
				t.Errorf("%s: by %s, reordered %v", d.name, c.Order, c.Reordered)
			}
			if f := comparedFinding(c, p.cycle); f.Fate != "frozen" || c.Verdict.Kind != "deadlock" {
				t.Errorf("%s: %s, verdict %+v", d.name, f.Fate, c.Verdict)
			}
			for want, r := range map[string]*resource{"moving": p.convoy, "freed": p.freed, "growing": p.grows} {
				if l := comparedLock(c, r); l.State != want {
					t.Errorf("%s: lock %#x is %s (%s), want %s", d.name, r.addr, l.State, l.Why, want)
				}
			}
		}
	}
}

// TestADeadOwnerWhoseAddressIsUsedAgain frees nothing.
func TestADeadOwnerWhoseAddressIsUsedAgain(t *testing.T) {
	for i, d := range dialects {
		p := barePair(uint64(i), d)
		plantTerminated(p.world)
		p.fill(40)
		first := p.print(styles[0], true)
		p.goOn()
		dead := p.want[0].threads[0]
		dead.tid += 0x1000
		p.idle(dead)
		c := compareTexts(t, first, p.print(styles[0], true))
		if f := comparedFinding(c, p.want[0].threads); f.Fate != "not confirmed" || c.Verdict.Kind != "undecided" {
			t.Errorf("%s: %s: %s, verdict %+v", d.name, f.Fate, f.Why, c.Verdict)
		}
	}
}
