package heuristics

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"kdlocks/kd"
	"kdlocks/memory"
	"kdlocks/memory/trend"
	"kdlocks/snapshot"
	"kdlocks/waitgraph"
)

var poolLeakTrend = &Check{
	ID:       "pool-leak-trend",
	Title:    "Kernel pool grows over time and never gives back: a driver leaks",
	Severity: High,
	Means: `In a log of performance counters "Pool Nonpaged Bytes" or "Pool Paged Bytes" rises all along without a substantial decrease. That is what tells a leak from load: what load takes is given back when the load falls. The slope is the median of the slopes of all pairs of points, in bytes per hour.
Seen must be: at least 12 samples that rise by more than 5 % (2 % over three days) with a rank correlation with time of 0.6 or more, no later level below an earlier one by more than a fifth of the rise, in nearly every part of the time up to the end, and not more and more slowly. They must span 25 hours, in which nearly all hours of a day are seen; or four hours in which a measure of load fell by half of its range. A daily rhythm hides a slow leak: over three days and more the lowest levels of the days are compared. Less than a day, three or four days compared, and a run before the last restart are no more than possible.`,
	WhenWrong: `A cache that fills for days, or load that grew for as long as was measured and is not in the log. A restart inside the log is cut out if "System Up Time" is logged; without it what grew before it is not told.`,
	Disproof:  "A longer log shows the counter fall back to where it was when the load falls.",
	Remedy:    "Find the tag: !poolused 2 (nonpaged) or !poolused 4 (paged) in a debugger, or poolmon -b on the machine, twice with an hour in between; the tag whose bytes grow names the driver.",
	Next:      "!poolused 2",
	References: []string{
		"Ntdebugging Blog: Troubleshooting Pool Leaks Part 1 – Perfmon",
		"Microsoft Learn: Memory Performance Information",
	},
}

var processLeakTrend = &Check{
	ID:       "process-leak-trend",
	Title:    "A process, or all of them together, takes more and more memory, handles or threads",
	Severity: Medium,
	Means: `In a log of performance counters the private bytes, handles, threads or pool charges of a process, or "Committed Bytes" of the machine, rise all along without a substantial decrease.
Seen must be: what pool-leak-trend asks for, by counters of one process between two of its starts.`,
	WhenWrong: `A cache of the program that fills up to a bound which was not reached in the log. Where "ID Process" is not logged, an instance may stand for one process after another: the first of several of one name gives its name to the next when it ends.`,
	Disproof:  "A longer log shows the counter fall, or stay at a bound that the program is configured to.",
	Remedy:    "Look at what the process allocates: UMDH or heap snapshots (WPR) for private bytes, !htrace or Handle for handles, the stacks of its threads for threads.",
	Next:      "!process 0 1 <image>",
	References: []string{
		"Ntdebugging Blog: Troubleshooting Pool Leaks Part 1 – Perfmon",
		"Microsoft Learn: Using Performance Monitor to Find a User-Mode Memory Leak",
	},
}

var countersFollowLoad = &Check{
	ID:       "counters-follow-load",
	Title:    "Counters of memory follow the load or stay as they are: no leak",
	Severity: Info,
	Means: `In a log of performance counters that spans more than a day, or in which the load was seen to fall, nothing that can leak grows: each counter falls again after it rose, stays within 5 %, levels off, or falls.
Seen must be: 12 samples of "Pool Nonpaged Bytes", "Pool Paged Bytes", "Committed Bytes" or a counter of a process, and of none of those that the log has an open question.`,
	WhenWrong: `A leak smaller than the daily rhythm hides below it: what a log of one day cannot tell, one of a week does. What only some action leaks that nobody took while it was measured is not seen.`,
	Disproof:  "A longer log shows the lowest level of each day above that of the day before.",
	Remedy:    "Look for another cause. If memory runs short all the same, the load needs it.",
	Next:      "kdlocks collect --counters",
	References: []string{
		"Ntdebugging Blog: Troubleshooting Pool Leaks Part 1 – Perfmon",
	},
}

var countersTooShort = &Check{
	ID:       "counters-too-short",
	Title:    "A log of counters is too short, or ends too early, to tell a leak from load",
	Severity: Info,
	Means: `A counter that can leak is in the log, and the log does not tell whether it does: it spans less than 25 hours and no load was seen to fall, it rose together with the load, or more and more slowly, it rose once and only at the end, it fell at once as by a restart that nothing tells of, or it goes up and down and does not return. One look at a counter is never a leak.
Seen must be: a counter of memory in a log of performance counters.`,
	WhenWrong:  `Nothing is claimed but that the time does not suffice.`,
	Disproof:   "None is needed: measure longer.",
	Remedy:     "Go on measuring for as long as is said, over a time in which the load falls, and give all logs of the machine together: those with the same counters are joined.",
	Next:       "kdlocks collect --counters",
	References: []string{"Ntdebugging Blog: Troubleshooting Pool Leaks Part 1 – Perfmon"},
}

// collectCounters is the command that prints how to log counters.
const collectCounters = "kdlocks collect --counters"

func init() {
	register(poolLeakTrend, func(d *diagnosis) []Finding { return d.leakTrends(poolLeakTrend, ofPool) })
	register(processLeakTrend, func(d *diagnosis) []Finding {
		return d.leakTrends(processLeakTrend, func(m memory.Measure) bool { return !ofPool(m) })
	})
	register(countersFollowLoad, func(d *diagnosis) []Finding { return d.noLeakTrend() })
	register(countersTooShort, func(d *diagnosis) []Finding { return d.openTrends() })
}

func ofPool(m memory.Measure) bool { return m == memory.PoolNonPaged || m == memory.PoolPaged }

// mostLeaks bounds the findings about counters that grow: each quotes lines that may
// be very long.
const mostLeaks = 12

// leakTrends tells of the counters that grow.
func (d *diagnosis) leakTrends(check *Check, mine func(memory.Measure) bool) []Finding {
	var leaks []*snapshot.CounterTrend
	for _, c := range d.snap.Trends {
		if c.Leaks() && mine(c.What) {
			leaks = append(leaks, c)
		}
	}
	kd.SortStable(leaks, func(a, b *snapshot.CounterTrend) int {
		switch {
		case a.Weight() > b.Weight():
			return -1
		case a.Weight() < b.Weight():
			return 1
		}
		return 0
	})
	if len(leaks) > mostLeaks {
		d.notes = append(d.notes, kd.Note{At: leaks[mostLeaks].At, Text: fmt.Sprintf("%s: of %d counters that grow the %d are told that do so most", check.ID, len(leaks), mostLeaks)})
		leaks = leaks[:mostLeaks]
	}
	var out []Finding
	for _, c := range leaks {
		out = append(out, d.leakTrend(check, c))
	}
	return out
}

func (d *diagnosis) leakTrend(check *Check, c *snapshot.CounterTrend) Finding {
	f := check.finding(MemoryLeak)
	f.Confidence, f.Grade = sureOf(c), waitgraph.B
	first, last := c.Points[0], c.Points[len(c.Points)-1]
	f.seen(first.At, 0, "the first sample: "+Quantity(c.What, first.Value))
	f.seen(last.At, 0, "the last sample: "+Quantity(c.What, last.Value))
	f.seen(c.RestartAt, 0, "the first sample behind a restart")
	f.seen(c.At, 0, "the counter in the head of the log")
	f.Summary = fmt.Sprintf("%s%s %s", c.Name(), d.onMachine(c), grew(c)) + d.exhaustion(c)
	f.Explanation = fmt.Sprintf("It rises from %s to %s over %d samples; the largest decrease of its levels, noise and rhythm aside, is %s. %s", Quantity(c.What, c.Start), Quantity(c.What, c.End), c.Samples, Quantity(c.What, c.Drop), whyLeak(c)) + movesWith(c) + restarts(c)
	if c.RAM > 0 {
		f.seen(c.RAMAt, 0, "the physical memory")
	} else if c.What.Bytes() {
		d.gap(kd.Gap{What: "the size of physical memory, which tells how much a leak matters", Why: kd.NotInInput, Next: "!vm 1"})
	}
	if c.LeftHours >= 0 {
		f.seen(c.LimitAt, 0, "the limit")
	}
	switch {
	case c.What == memory.PoolPaged:
		d.tagBehind(&f, memory.Paged, "!poolused 4", "poolmon -b -p")
	case c.What == memory.PoolNonPaged:
		d.tagBehind(&f, memory.NonPaged, "!poolused 2", "poolmon -b -n")
	case c.Instance != "":
		image, _, _ := strings.Cut(c.Instance, "#")
		f.Next = []string{"!process 0 1 " + image + ".exe"}
	default:
		f.Next = []string{"!vm"}
	}
	return f
}

// tagBehind adds the tag that has most of a pool which leaks, where pool was listed; else
// it asks for a listing.
func (d *diagnosis) tagBehind(f *Finding, t memory.Type, listings ...string) {
	top := d.topTag(t, d.snap.Memory.LastVM())
	if top == nil {
		f.Next = listings
		return
	}
	f.seen(top.row.At, 0, "the tag that uses most of it")
	f.Explanation += " By the listing in the input " + top.words() + "; a second listing shows whether that is what grows."
	switch driver := driverOfRow(top.row); {
	case top.untagged():
		if c := d.untagged(); c != nil {
			_, f.Next = c.step(d)
		}
	case driver != "":
		f.Next = []string{"lmvm " + driverName(driver)}
	case ownerOfRow(top.row) == "":
		d.searchTag(f, trimTag(top.row.Tag))
		f.Suspect = nil // whether this tag is what grows is not known
	}
	if len(f.Next) == 0 {
		f.Next = listings
	}
}

// grew says that a counter leaks, as sure as that is.
func grew(c *snapshot.CounterTrend) string {
	by := fmt.Sprintf("by %s in %s, %s", Quantity(c.What, c.Rise()), Hours(c.Hours), PerHour(c))
	switch {
	case c.Past:
		return "seems to have leaked in a run before its last restart: it grew " + by + ". What it does since then is not known yet."
	case sureOf(c) == Possible:
		return "may leak: it grows " + by + "."
	case c.Days == 0 && c.Drop <= 0.05*c.Rise():
		return "leaks: it grows " + by + ", and never gives back."
	}
	return "leaks: it grows " + by + "."
}

// sureOf says how sure it is that a counter leaks. Less than a week does not show the
// load of a week, and what a few days have in common may be chance.
func sureOf(c *snapshot.CounterTrend) Confidence {
	const day, week = 24, 7 * 24
	switch {
	case c.Past, c.Measured < day, c.Days > 0 && c.Days < 5:
		return Possible
	case c.Days > 0 && c.Hours < week:
		return Likely
	case c.LoadFell >= 0 && c.Hours >= 2*day, c.Hours >= week:
		return VeryLikely
	}
	return Likely
}

// whyLeak says what tells the growth from load.
func whyLeak(c *snapshot.CounterTrend) string {
	switch {
	case c.Days > 0 && c.Days < 7:
		return fmt.Sprintf("Below its daily rhythm the lowest level of each of %d days is above that of the day before; measure for a week, which shows whether the load of its days does that.", c.Days)
	case c.Days > 0:
		return fmt.Sprintf("Below its daily rhythm the lowest level of each of %d days is above that of the day before.", c.Days)
	case c.LoadFell >= 0:
		return fmt.Sprintf("%s fell by half of its range meanwhile, and the counter did not.", c.Loads[c.LoadFell].Name())
	}
	text := "The log spans more than a whole day, in which load rises and falls"
	if len(c.Loads) == 0 {
		return text + "; no measure of load is in it."
	}
	return text + "."
}

// onMachine names the machine of a counter.
func (d *diagnosis) onMachine(c *snapshot.CounterTrend) string {
	if c.Machine == "" {
		return ""
	}
	return " of " + c.Machine
}

// exhaustion says what share of memory it is and for how long the rest lasts.
func (d *diagnosis) exhaustion(c *snapshot.CounterTrend) string {
	var out string
	if c.Past {
		return ""
	}
	if c.RAM > 0 && c.End <= c.RAM {
		out = fmt.Sprintf(" That is %.0f %% of the RAM of %s.", 100*c.End/c.RAM, Quantity(c.What, c.RAM))
	}
	if c.LeftHours >= 0 {
		out += fmt.Sprintf(" At that rate %s is used up in %s.", c.Limit, Hours(c.LeftHours))
	}
	return out
}

func movesWith(c *snapshot.CounterTrend) string {
	var names []string
	for _, w := range c.With {
		names = append(names, w.Name())
	}
	if len(names) == 0 {
		return ""
	}
	return " With it move " + strings.Join(names, ", ") + "."
}

func restarts(c *snapshot.CounterTrend) string {
	if c.Restarts == 0 {
		return ""
	}
	return fmt.Sprintf(" Restarts of the machine or the process in the logs: %d; the %s is judged.", c.Restarts, map[bool]string{true: "longest run between them", false: "run since the last"}[c.Past])
}

// judged returns the counters whose time suffices and those with an open question.
func (d *diagnosis) judged() (settled, open []*snapshot.CounterTrend, leaks bool) {
	for _, c := range d.snap.Trends {
		switch {
		case c.Leaks():
			leaks = true
		case c.OpensQuestion():
			open = append(open, c)
		case c.Enough && c.Shape != trend.Grows: // by a trifle
			settled = append(settled, c)
		}
	}
	return settled, open, leaks
}

// mostCountersTold bounds the counters that a finding names.
const mostCountersTold = 6

func (d *diagnosis) noLeakTrend() []Finding {
	settled, open, leaks := d.judged()
	if len(settled) == 0 || leaks {
		return nil
	}
	f := countersFollowLoad.finding(NoLeak)
	f.Confidence, f.Grade = Likely, waitgraph.B
	if len(open) > 0 || d.columnsLeft() {
		f.Kind = Context
	}
	var says []string
	for _, c := range settled[:min(len(settled), mostCountersTold)] {
		says = append(says, fmt.Sprintf("%s %s", c.Name(), Does(c)))
		f.seen(c.Most.At, 0, "the most of "+c.Name()+": "+Quantity(c.What, c.Most.Value))
		last := c.Points[len(c.Points)-1]
		f.seen(last.At, 0, "the last sample of "+c.Name()+": "+Quantity(c.What, last.Value))
	}
	more := ""
	if n := len(settled) - mostCountersTold; n > 0 {
		more = fmt.Sprintf("; and %d more", n)
	}
	f.Summary = fmt.Sprintf("No leak in %s%s over %s: %s%s.", kd.Plural(len(settled), "counter"), d.onMachine(settled[0]), Hours(settled[0].Hours), strings.Join(says, "; "), more)
	f.Explanation = "A leak rises without a substantial decrease. " + hides(settled[0])
	f.Next = []string{collectCounters}
	if d.columnsLeft() {
		d.gap(kd.Gap{What: "a log of fewer columns, with the counters of processes that were left out here,", Why: kd.NotInInput, Next: collectCounters, Decides: d.snap.OnlyCounters()})
	}
	return []Finding{f}
}

// columnsLeft reports whether counters that can leak were left out of a log: they were
// too many.
func (d *diagnosis) columnsLeft() bool {
	for _, l := range d.snap.Memory.Counters {
		if l.LeftOut > 0 {
			return true
		}
	}
	return false
}

// hides says how much could leak and not be seen.
func hides(c *snapshot.CounterTrend) string {
	least := math.Max(3*c.Noise, 0.05*math.Abs(c.Start))
	if c.Shape == trend.Follows {
		least = math.Max(least, 0.25*(c.High-c.Low))
	}
	return fmt.Sprintf("What grows by less than about %s in that time cannot be seen.", Quantity(c.What, least))
}

// untimed returns a log in which times cannot be read, nil if there is none.
func (d *diagnosis) untimed() *memory.CounterLog {
	for _, l := range d.snap.Memory.Counters {
		if l.Untimed > 0 {
			return l
		}
	}
	return nil
}

func (d *diagnosis) openTrends() []Finding {
	settled, open, leaks := d.judged()
	decides := d.snap.OnlyCounters() && !leaks
	askTime := func(hours float64) {
		d.gap(kd.Gap{What: fmt.Sprintf("a log of counters over %s, through a time in which the load falls, to tell a leak from load", Hours(hours)), Why: kd.NotInInput, Next: collectCounters, Decides: decides})
	}
	if len(open) == 0 {
		switch l := d.untimed(); {
		case len(d.snap.Memory.Counters) == 0 || len(settled) > 0 || leaks:
		case len(d.snap.Trends) > 0:
			need := 7 * 24.0 // for what grew by a trifle
			for _, c := range d.snap.Trends {
				if c.Need > 0 {
					need = c.Need
				}
			}
			askTime(need)
		case l != nil:
			d.gap(kd.Gap{What: fmt.Sprintf("a time that can be read in %s of the log of counters (the first of them begins with %q)", kd.Plural(l.Untimed, "row"), l.FirstUntimed), Why: kd.Unreadable, Next: collectCounters, Decides: decides})
		default:
			what := `a counter that can leak, such as Memory\Pool Nonpaged Bytes, in the log of counters`
			if d.snap.Memory.Counters[0].Foreign {
				what += " (names in its language are not known)"
			}
			d.gap(kd.Gap{What: what, Why: kd.NotInInput, Next: collectCounters, Decides: decides})
		}
		return nil
	}
	f := countersTooShort.finding(Context)
	f.Confidence, f.Grade = Certain, waitgraph.A
	need := 0.0
	var says []string
	for i, c := range open {
		need = math.Max(need, c.Need)
		if i >= mostCountersTold {
			continue
		}
		says = append(says, c.Name()+" "+Does(c))
		f.seen(c.Points[0].At, 0, "the first sample of "+c.Name()+": "+Quantity(c.What, c.Points[0].Value))
		last := c.Points[len(c.Points)-1]
		f.seen(last.At, 0, "the last sample of "+c.Name()+": "+Quantity(c.What, last.Value))
	}
	c := open[0]
	f.Summary = fmt.Sprintf("Whether %s%s leaks cannot be told yet: %s in %s. Measure for %s in all%s.", kd.Plural(len(open), "counter"), d.onMachine(c), kd.Plural(c.Samples, "sample"), Hours(c.Hours), Hours(need), map[bool]string{true: ", without a restart"}[c.Restarts > 0])
	f.Explanation = strings.Join(says, "; ") + "."
	f.Next = []string{collectCounters}
	askTime(need)
	return []Finding{f}
}

// Does says in words what a counter does.
func Does(c *snapshot.CounterTrend) string {
	from, to := Quantity(c.What, c.Start), Quantity(c.What, c.End)
	switch c.Shape {
	case trend.Grows:
		return fmt.Sprintf("grows from %s to %s, %s", from, to, PerHour(c))
	case trend.FollowsUp:
		return fmt.Sprintf("rises from %s to %s, as the load does", from, to)
	case trend.Falls:
		return fmt.Sprintf("falls from %s to %s", from, to)
	case trend.Follows:
		return fmt.Sprintf("rises and falls again, between %s and %s", Quantity(c.What, c.Low), Quantity(c.What, c.High))
	case trend.Levels:
		return fmt.Sprintf("rose from %s to %s and does so no longer", from, to)
	case trend.Slows:
		return fmt.Sprintf("rises from %s to %s, more and more slowly", from, to)
	case trend.Steps:
		return fmt.Sprintf("rose once, from %s to %s, %s before the end", from, to, Hours(c.StepAt))
	case trend.Steady:
		return "stays at about " + to
	}
	if c.Samples == 1 {
		return fmt.Sprintf("is %s in the only sample", Quantity(c.What, c.Points[0].Value))
	}
	way := ""
	if c.Figures() {
		way = fmt.Sprintf(", between %s and %s", Quantity(c.What, c.Low), Quantity(c.What, c.High))
	}
	return fmt.Sprintf("goes from %s to %s%s", Quantity(c.What, c.Points[0].Value), Quantity(c.What, c.Points[len(c.Points)-1].Value), way)
}

// PerHour is the slope of a counter in words.
func PerHour(c *snapshot.CounterTrend) string {
	if c.PerHour < 0 {
		return "-" + Quantity(c.What, -c.PerHour) + " per hour"
	}
	return Quantity(c.What, c.PerHour) + " per hour"
}

// Quantity prints a value of a counter with its unit.
func Quantity(m memory.Measure, v float64) string {
	if !m.Bytes() {
		unit := map[memory.Measure]string{memory.HandleCount: " handles", memory.ThreadCount: " threads"}[m]
		digits := 0
		if math.Abs(v) < 10 && v != math.Trunc(v) {
			digits = 1
		}
		return strconv.FormatFloat(v, 'f', digits, 64) + unit
	}
	return inBytes(v)
}

// inBytes prints a number of bytes in the unit that suits it.
func inBytes[T int64 | float64](n T) string {
	v := float64(n)
	units := []string{"bytes", "KB", "MB", "GB", "TB"}
	i := 0
	for math.Abs(v) >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	digits := 0
	if i > 0 && math.Abs(v) < 100 {
		digits = 1
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + " " + units[i]
}

// Hours prints a time in hours in the unit that suits it.
func Hours(h float64) string {
	switch {
	case h < 1:
		return kd.Plural(int(math.Round(h*60)), "minute")
	case h < 72:
		return strings.TrimSuffix(strconv.FormatFloat(h, 'f', 1, 64), ".0") + " hours"
	}
	return strings.TrimSuffix(strconv.FormatFloat(h/24, 'f', 1, 64), ".0") + " days"
}
