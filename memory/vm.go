package memory

import (
	"slices"
	"strings"

	"kdlocks/kd"
)

// VM is one output of !vm.
type VM struct {
	Command string // as typed, "" if nothing tells
	// Counters are the lines of a name and a number of pages, in their order.
	Counters  []Counter
	PageFiles []PageFile
	// Banners are the lines between asterisks, without those.
	Banners []Banner
	// Failures are the banners that count what failed.
	Failures []Failure
	// Percent is the usage of nonpaged pool that the debugger works out itself.
	Percent Number
	// Processes are the rows that flag 1 leaves out; Dropped counts those beyond
	// the limit on what is kept.
	Processes []ProcessCommit
	Dropped   int
	// Sessions are the rows that flag 4 adds: each session has paged pool of its own, of at
	// most SessionPoolMax Kb.
	Sessions       []SessionMemory
	SessionPoolMax Number
	At             kd.Ref
	EndLine        int32
}

// Counter is a line such as "NonPagedPool Usage: 877 ( 3508 Kb)". Either number
// is unknown if it cannot be read.
type Counter struct {
	Name  string // as printed, with one blank between words
	Pages Number
	Kb    Number
	// Torn is set where the two numbers are not of one size.
	Torn bool
	At   kd.Ref
}

// LastVM returns the last !vm that tells how much of nonpaged pool is used, else of physical
// memory, else the last one: the later may be cut. It is nil if there is none.
func (l *Listing) LastVM() *VM {
	for _, both := range [][2]string{{NonPagedPoolUsage, NonPagedPoolMax}, {AvailablePages, PhysicalMemory}} {
		for _, v := range slices.Backward(l.VMs) {
			if v.Pages(both[0]).Known() && v.Pages(both[1]).Known() {
				return v
			}
		}
	}
	if n := len(l.VMs); n > 0 {
		return l.VMs[n-1]
	}
	return nil
}

// Bytes returns the size of a counter: by its pages, which a 32-bit debugger prints whole
// where it loses what is beyond 32 bits of the Kb; pages have 8 Kb on Itanium, else 4.
func (c *Counter) Bytes() (int64, bool) {
	switch {
	case c == nil || c.Torn || !c.Pages.Known() && !c.Kb.Known():
		return 0, false
	case !c.Pages.Known():
		return c.Kb.N << 10, true
	case c.Pages.N > 0 && c.Kb.N == 8*c.Pages.N:
		return c.Pages.N << 13, true
	}
	return c.Pages.N << 12, c.Pages.N < 1<<50
}

// PageFile is a paging file; sizes are in Kb.
type PageFile struct {
	Name                            string // "" if it has none
	Current, Free, Minimum, Maximum Number
	At                              kd.Ref
}

// Banner is a warning, such as "Excessive NonPaged Pool Usage". It is not
// evidence by itself: a counter that is wrong raises it, too.
type Banner struct {
	Text string
	At   kd.Ref
}

// Failure is a banner such as "3 pool allocations have failed".
type Failure struct {
	What string // "pool allocations"
	N    Number
}

// ProcessCommit is what a process has committed: in pages and Kb, or, on
// Windows 10, in Kb only.
type ProcessCommit struct {
	PID    uint64
	Image  string
	Commit Counter
	// Shared and Debt are further columns of Windows 10, in Kb.
	Shared, Debt Number
}

// The names of counters as the debugger prints them (Microsoft's documentation
// of !vm; testdata).
const (
	PhysicalMemory      = "Physical Memory"
	AvailablePages      = "Available Pages"
	FreeSystemPTEs      = "Free System PTEs"
	ModifiedPages       = "Modified Pages"
	NonPagedPoolUsage   = "NonPagedPool Usage"
	NonPagedPoolNxUsage = "NonPagedPoolNx Usage"
	NonPagedPoolMax     = "NonPagedPool Max"
	PagedPoolUsage      = "PagedPool Usage"
	PagedPoolMaximum    = "PagedPool Maximum"
	CommittedPages      = "Committed pages"
	CommitLimit         = "Commit limit"
)

// Counter returns the counter of a name, in either case; nil if it was not
// printed.
func (v *VM) Counter(name string) *Counter {
	return counterOf(v.Counters, name)
}

// Pages returns the pages of a counter: unknown if it was not printed, or if its
// own number of Kb contradicts it.
func (v *VM) Pages(name string) Number {
	c := v.Counter(name)
	if c == nil || c.Torn {
		return Number{}
	}
	return c.Pages
}

// resident are the counters of pages that are in physical memory.
var resident = []string{AvailablePages, ModifiedPages, "Modified PF Pages", NonPagedPoolUsage, NonPagedPoolNxUsage}

// OverRAM reports whether a counter of pages that are in physical memory is
// larger than that: it is then no fact about the machine. It is Unknown where
// either was not printed.
func (v *VM) OverRAM(name string) Flag {
	n, ram := v.Pages(name), v.Pages(PhysicalMemory)
	if !n.Known() || !ram.Known() {
		return Unknown
	}
	return flag(n.N > ram.N)
}

// NonPagedOverRAM reports whether one of the counters of nonpaged pool is larger
// than physical memory.
func (v *VM) NonPagedOverRAM() Flag {
	f := v.OverRAM(NonPagedPoolUsage)
	if nx := v.OverRAM(NonPagedPoolNxUsage); nx == Yes || f == Unknown {
		return nx
	}
	return f
}

// NonPagedUsage returns the pages of nonpaged pool in use: the two counters
// together where the one of no-execute pool is printed, too. That neither counts
// what the other does is taken from their names; no document says so. It is
// unknown where one of them cannot be true.
func (v *VM) NonPagedUsage() (pages int64, ok bool) {
	sum := v.Pages(NonPagedPoolUsage)
	if !sum.Known() || v.NonPagedOverRAM() == Yes {
		return 0, false
	}
	if v.Counter(NonPagedPoolNxUsage) == nil {
		return sum.N, true
	}
	nx := v.Pages(NonPagedPoolNxUsage)
	ram := v.Pages(PhysicalMemory)
	if !nx.Known() || sum.N > 1<<62-nx.N || ram.Known() && sum.N+nx.N > ram.N {
		return 0, false
	}
	return sum.N + nx.N, true
}

// NonPagedPercent returns NonPagedUsage in percent of NonPagedPool Max. It is
// unknown unless both are known and can be true.
func (v *VM) NonPagedPercent() (percent float64, ok bool) {
	n, ok := v.NonPagedUsage()
	if !ok {
		return 0, false
	}
	return v.percentOf(n, NonPagedPoolMax)
}

// PagedPercent is NonPagedPercent for paged pool.
func (v *VM) PagedPercent() (percent float64, ok bool) {
	n := v.Pages(PagedPoolUsage)
	if !n.Known() {
		return 0, false
	}
	return v.percentOf(n.N, PagedPoolMaximum)
}

// CommitPercent returns the committed pages in percent of the limit, if both are
// known and can be true.
func (v *VM) CommitPercent() (percent float64, ok bool) {
	n := v.Pages(CommittedPages)
	if !n.Known() {
		return 0, false
	}
	return v.percentOf(n.N, CommitLimit)
}

// percentOf returns n in percent of a counter that n cannot be larger than.
func (v *VM) percentOf(n int64, name string) (float64, bool) {
	most := v.Pages(name)
	if !most.Known() || most.N == 0 || n > most.N {
		return 0, false
	}
	return 100 * float64(n) / float64(most.N), true
}

// PrintedNonPagedPercent returns the NonPagedPool Usage in percent of the Max as
// the two were printed, true or not.
func (v *VM) PrintedNonPagedPercent() (percent float64, ok bool) {
	n, most := v.Pages(NonPagedPoolUsage), v.Pages(NonPagedPoolMax)
	if !n.Known() || !most.Known() || most.N == 0 {
		return 0, false
	}
	return 100 * float64(n.N) / float64(most.N), true
}

// Failed returns how many of something failed: of pool allocations for "pool
// allocations". It is unknown where no banner tells; !vm prints none for 0.
func (v *VM) Failed(what string) Number {
	for _, f := range v.Failures {
		if strings.EqualFold(f.What, what) {
			return f.N
		}
	}
	return Number{}
}

// Banner returns the first banner that has some words in it, in either case; nil
// if there is none.
func (v *VM) Banner(words string) *Banner {
	for i := range v.Banners {
		if strings.Contains(strings.ToLower(v.Banners[i].Text), strings.ToLower(words)) {
			return &v.Banners[i]
		}
	}
	return nil
}
