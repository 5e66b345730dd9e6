package heuristics

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/memory"
	"kdlocks/waitgraph"
)

var poolTagGrows = &Check{
	ID:       "pool-tag-grows",
	Title:    "A tag uses more and more pool",
	Severity: High,
	Means: `Between listings of pool of one machine (!poolused, poolmon) a tag grew by at least 8 MB and a tenth, and in none of them did it fall by more than a tenth of that. What leaks stays, and so does what a growing load needs until the load goes back. That a tag went back does not refute a leak: the service or driver may have been started anew.
Seen must be: the tag in two listings, possible; in three or more that each show at least a twentieth more, up to the last one, over at least an hour by the uptimes, likely. A listing that adds up to its TOTAL and does not have the tag counts as 0. Of a machine that was started less than an hour before the last listing no leak is said, and what is listed then is not compared with later: what starts takes pool.`,
	WhenWrong:  `Two listings do not tell a leak from load that grew, least of all if they are minutes apart or one is of the time right after the start. Caches fill for hours.`,
	Disproof:   "A later listing, with less load, shows the tag with less.",
	Remedy:     "Find the driver of the tag; list pool again some hours later, or log the counters of pool for a day (kdlocks collect --counters).",
	Next:       "!poolused 2",
	References: []string{"NT Debugging blog: Troubleshooting Pool Leaks Part 1 – Perfmon", "Microsoft Learn: PoolMon examples"},
}

var poolTopTag = &Check{
	ID:       "pool-top-tag",
	Title:    "One tag holds an unusual amount of pool",
	Severity: Low,
	Means: `One tag holds at least 40 % of what is used of a pool and 256 MB, or a tenth of physical memory. That alone is no trouble and no leak: it is who to look at if memory is short.
Seen must be: the tag in !poolused or poolmon; its share by the TOTAL line or by !vm. Where nothing tells the share, 1 GB.`,
	WhenWrong:  `File servers, hypervisors and graphics hold gigabytes of pool on purpose.`,
	Disproof:   "A later listing shows the tag with as much or less.",
	Remedy:     "List pool again later: only growth tells a leak.",
	Next:       "!poolused 2",
	References: []string{"Microsoft Learn: !poolused"},
}

// Bounds below which nothing is said. They are judgement.
const (
	leastTagGrowth  = 8 << 20
	leastTop        = 256 << 20
	leastTopAlone   = 1 << 30
	leastTopPercent = 40
	// leastApartMS is how far listings must be apart to tell a leak.
	leastApartMS = 60 * 60_000
)

func init() {
	register(poolTagGrows, func(d *diagnosis) []Finding {
		grown := d.tagsThatGrew()
		var out []Finding
		for _, t := range []memory.Type{memory.NonPaged, memory.Paged} {
			var stayed, back []*memory.Growth
			for _, g := range grown {
				switch {
				case g.Type != t:
				case g.WentBack():
					back = append(back, g)
				default:
					stayed = append(stayed, g)
				}
			}
			if len(stayed) > 0 {
				out = append(out, d.growthFinding(stayed))
			} else if len(back) > 0 {
				out = append(out, d.growthFinding(back[:1]))
			}
		}
		return out
	})
	register(poolTopTag, func(d *diagnosis) []Finding {
		var out []Finding
		for _, t := range []memory.Type{memory.NonPaged, memory.Paged} {
			if top := d.topTag(t, d.snap.Memory.LastVM()); top != nil && !top.untagged() && d.unusual(top) {
				out = append(out, d.topTagFinding(top))
			}
		}
		return out
	})
}

// growths are the tags of which a leak is said, those that grew most first.
func (d *diagnosis) growths() []*memory.Growth {
	if _, young := d.snap.Target.JustStarted(); young {
		return nil
	}
	return slices.DeleteFunc(d.tagsThatGrew(), (*memory.Growth).WentBack)
}

// tagsThatGrew are all tags that grew and that no later listing has with as much, those that grew most first.
func (d *diagnosis) tagsThatGrew() []*memory.Growth {
	if d.twoMachines() {
		return nil
	}
	gs := slices.DeleteFunc(d.snap.PoolGrowths(), func(g *memory.Growth) bool {
		return !steadily(g) || g.Later != nil && (g.Most > g.Last.N || steadily(g.Later)) // a later session tells it
	})
	kd.SortStable(gs, func(a, b *memory.Growth) int { return cmp.Compare(b.Grown(), a.Grown()) })
	return gs
}

// steadily reports whether a tag grew by enough to be told, and did not fall meanwhile.
func steadily(g *memory.Growth) bool {
	by := g.Grown()
	return by >= leastTagGrowth && by >= g.First.N/10 && g.Falls <= by/10
}

// twoMachines reports whether what !vm prints of physical memory differs.
func (d *diagnosis) twoMachines() bool {
	pages := int64(0)
	for _, v := range d.snap.Memory.VMs {
		n := v.Pages(memory.PhysicalMemory).N
		if pages = cmp.Or(pages, n); n != 0 && n != pages {
			return true
		}
	}
	return false
}

func (d *diagnosis) growthFinding(gs []*memory.Growth) Finding {
	const few = 5
	f := poolTagGrows.finding(MemoryLeak)
	f.Confidence, f.Grade = Possible, waitgraph.A
	first := gs[0]
	if first.Steps > 2 && first.Rising && first.Apart >= leastApartMS {
		f.Confidence = Likely
	}
	meaning, why := map[bool]string{true: "likely", false: "perhaps"}[f.Confidence == Likely]+" a leak", "Growth alone does not tell a leak from load: what load needs comes back when it goes."
	minutes, young := d.snap.Target.JustStarted()
	if young || first.WentBack() {
		f.Kind, f.Severity, f.Remedy = Context, Info, "List pool again when the machine has run for some hours."
		meaning = fmt.Sprintf("the machine was started %s before, so that this tells no leak", kd.Plural(minutes, "minute"))
		why = "A machine that starts takes pool until all that it runs is there."
	}
	if first.WentBack() {
		f.Remedy, f.Disproof = "None, unless pool runs short while the load lasts.", "The later session is of another machine or boot."
		meaning = fmt.Sprintf("a later session shows it with %s, so that this tells no leak", inBytes(first.Least.Of(first.Type).Bytes.N))
		why = "What load needs comes back when it goes. So does what leaked, when the service or driver that leaks is started anew, or frees it for another reason."
	}
	if first.Restarted {
		meaning = "before the machine was started anew: " + meaning
	}
	if t := &d.snap.Target; t.LiveAt.Known() && t.StoppedAt.Known() {
		meaning += ", if lkd> and kd> are of one machine"
	} else if first.Apart == 0 && first.FirstRow.At.Input != first.LastRow.At.Input {
		meaning += ", if the inputs are of one machine and in the order of time"
	}
	over := kd.Plural(first.Moments, "listing")
	if first.Apart > 0 {
		over += " in " + Hours(float64(first.Apart)/3_600_000)
	}
	f.Summary = fmt.Sprintf("Tag %s%s grew from %s to %s of %s pool over %s: %s.", trimTag(first.Tag),
		inBrackets(ownerOfRow(first.LastRow)), inBytes(first.First.N), inBytes(first.Last.N), first.Type, over, meaning)
	var others []string
	for i := range gs[:min(len(gs), few)] {
		g := gs[i]
		f.seen(g.FirstRow.At, 0, "what the tag used at first")
		f.seen(g.LastRow.At, 0, "what it used in the end")
		if i > 0 {
			others = append(others, fmt.Sprintf("%s by %s", trimTag(g.Tag), inBytes(g.Grown())))
		}
	}
	f.Explanation = why
	if len(others) > 0 {
		f.Explanation += " Others that grew: " + strings.Join(others, ", ") + "."
	}
	if first.WentBack() {
		f.seen(first.Least.At, 0, "what it has later")
	} else {
		d.whoseTag(&f, first.LastRow, "grew most")
	}
	f.Next = append(f.Next, listingOf(first.Type))
	return f
}

// unusual reports whether a tag holds so much that it is worth a word.
func (d *diagnosis) unusual(top *topTag) bool {
	n := top.row.Of(top.t).Bytes.N
	if vm := d.snap.Memory.LastVM(); vm != nil && top.t == memory.NonPaged && n >= leastTop/4 {
		if ram := vm.Counter(memory.PhysicalMemory); ram != nil && ram.Kb.Known() && !ram.Torn && n >= ram.Kb.N*1024/10 {
			return true
		}
	}
	return n >= leastTop && top.share >= leastTopPercent || n >= leastTopAlone && top.share < 0
}

func (d *diagnosis) topTagFinding(top *topTag) Finding {
	f := poolTopTag.finding(Context)
	f.Confidence, f.Grade = Certain, waitgraph.A
	if !top.surely {
		f.Confidence = Possible
	}
	f.seen(top.row.At, 0, "the tag that uses most")
	f.Summary = fmt.Sprintf("Of %s pool %s.", top.t, top.words())
	f.Explanation = "One listing says who has most, and never that it leaks."
	f.Next = []string{listingOf(top.t)}
	// Whose it is matters once it grows: it is told here, and not asked for.
	if driver := driverOfRow(top.row); driver != "" {
		f.Suspect = &Suspect{Module: driverName(driver), Reason: "it allocates under the tag that uses most"}
	} else if tag := trimTag(top.row.Tag); ownerOfRow(top.row) == "" && d.searchOf(tag) != nil {
		d.searchTag(&f, tag)
	}
	return f
}
