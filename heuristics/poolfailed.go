package heuristics

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/memory"
)

var poolAllocationsFailed = &Check{
	ID:       "pool-allocations-failed",
	Title:    "Allocations failed, though there is memory now",
	Severity: Low,
	Means: `!vm prints that allocations from pool, or of system PTEs, failed since the machine started, while neither is near its limit now. It was short at some time, or it is short in a way that the totals do not show: the pool of a session, a quota, addresses in pieces.
Seen must be: the count in !vm, and what is used now.`,
	WhenWrong:  `The count is never set back. One large request that nobody could have met counts, too.`,
	Disproof:   "A later !vm prints the same count: nothing fails any more.",
	Remedy:     "Type !vm again after some minutes, and see whether the count rises while the machine hangs.",
	Next:       "!vm",
	References: []string{"Microsoft Learn: !vm"},
}

func init() {
	register(poolAllocationsFailed, func(d *diagnosis) []Finding {
		v := d.snap.Memory.LastVM()
		if v == nil {
			return nil
		}
		short := d.shortages()
		var out []Finding
		for _, failure := range v.Failures {
			what, n := failure.What, failure.N
			if what != poolAllocations && what != pteAllocations && !strings.HasPrefix(what, "view space") {
				continue
			}
			told := func(s shortage) bool {
				return (s.what == systemPTEs) == (what == pteAllocations) && (s.pool != memory.NoType || s.what == systemPTEs)
			}
			if n.Known() && n.N > 0 && !slices.ContainsFunc(short, told) {
				out = append(out, d.failedFinding(v, what, n))
			}
		}
		return append(out, d.sessionsFailed(v, short)...)
	})
}

// sessionsFailed tells of sessions from whose pool allocations failed, where it is not used
// up and no failure of the whole system tells of them.
func (d *diagnosis) sessionsFailed(v *memory.VM, short []shortage) []Finding {
	if n := v.Failed(poolAllocations); n.Known() && n.N > 0 {
		return nil
	}
	var out []Finding
	for i := range v.Sessions {
		of := &v.Sessions[i]
		if of.Failed.N <= 0 || slices.ContainsFunc(short, func(s shortage) bool { return s.session == of }) || len(out) == mostPlaces {
			continue
		}
		f := poolAllocationsFailed.finding(Context)
		f.Confidence = Certain
		f.seen(of.Failed.At, 0, "allocations from the pool of the session that failed")
		f.seen(of.PagedPool.At, 0, "what it uses now")
		f.Summary = fmt.Sprintf("%s of session %d failed since it began", kd.Plural(int(of.Failed.N), "pool allocation"), of.ID)
		if p, ok := v.SessionPercent(of); ok {
			f.Summary += fmt.Sprintf("; now %d %% of its paged pool are in use", int(p))
		}
		f.Summary += "."
		f.Explanation = "The count does not say when."
		f.Next = []string{"!poolused 0xc"}
		out = append(out, f)
	}
	return out
}

func (d *diagnosis) failedFinding(v *memory.VM, what string, n memory.Number) Finding {
	f := poolAllocationsFailed.finding(Context)
	f.Confidence = Certain
	f.seen(n.At, 0, "allocations that failed")
	f.Summary = fmt.Sprintf("%s %s failed since the machine started", grouped(n.N), what)
	f.Explanation = "The count does not say when."
	for _, earlier := range d.snap.Memory.VMs {
		if m := earlier.Failed(what); earlier != v && m.Known() && m.N < n.N && m.At.Before(n.At) && !d.twoMachines() {
			f.Severity = Medium
			f.Summary += fmt.Sprintf(", %s of them between two listings", grouped(n.N-m.N))
			f.seen(m.At, 0, "the count of an earlier listing")
			f.Explanation = "They failed between the two listings."
			break
		}
	}
	nonPaged, ok := v.NonPagedPercent()
	if paged, ok2 := v.PagedPercent(); ok && ok2 && what == poolAllocations {
		f.Summary += fmt.Sprintf("; now %d %% of nonpaged and %d %% of paged pool are in use", int(nonPaged), int(paged))
	}
	f.Summary += "."
	for i := range v.Sessions {
		if s := &v.Sessions[i]; s.Failed.Known() && s.Failed.N > 0 {
			f.Explanation += fmt.Sprintf(" %s from the pool of session %d.", capital(kd.Plural(int(s.Failed.N), "allocation")+" failed"), s.ID)
			f.seen(s.Failed.At, 0, "allocations from the pool of a session that failed")
		}
	}
	f.Next = []string{"!vm"}
	return f
}
