package memory

import "kdlocks/kd"

// Listing is what was read, in the order of the input.
type Listing struct {
	VMs   []*VM
	Pools []*Pool
	// Blocks are outputs of !pool and !poolfind.
	Blocks []*Blocks
	// Counts are outputs of !memusage, !defwrites and !sysptes.
	Counts []*Counts
	// Memory is what x, s, dps and their kin printed, nil if nothing was.
	Memory *Memory
	// Counters are logs of performance counters.
	Counters []*CounterLog
	// HeapLogs are logs of dh and umdh, HeapDiffs comparisons that dhcmp or umdh
	// printed.
	HeapLogs  []*HeapLog
	HeapDiffs []*HeapDiff
	Notes     []kd.Note
}

// Empty reports whether nothing was read.
func (l *Listing) Empty() bool {
	return l == nil || len(l.VMs)+len(l.Pools)+len(l.Blocks)+len(l.Counts)+len(l.Counters)+len(l.HeapLogs)+len(l.HeapDiffs) == 0 && l.Memory.empty()
}

// Add joins what was read of another log of the same moment.
func (l *Listing) Add(o *Listing) {
	if o == nil {
		return
	}
	l.VMs = append(l.VMs, o.VMs...)
	l.Pools = append(l.Pools, o.Pools...)
	l.Blocks = append(l.Blocks, o.Blocks...)
	l.Counts = append(l.Counts, o.Counts...)
	l.Memory = l.Memory.add(o.Memory)
	l.Counters = append(l.Counters, o.Counters...)
	l.HeapLogs = append(l.HeapLogs, o.HeapLogs...)
	l.HeapDiffs = append(l.HeapDiffs, o.HeapDiffs...)
	l.Notes = append(l.Notes, o.Notes...)
}

// Flag is a yes or no that may not be known.
type Flag uint8

// The values of a Flag.
const (
	Unknown Flag = iota
	No
	Yes
)

// String returns "unknown", "no" or "yes".
func (f Flag) String() string { return [...]string{"unknown", "no", "yes"}[f] }

// flag turns a bool that is known into a Flag.
func flag(yes bool) Flag {
	if yes {
		return Yes
	}
	return No
}

// Number is a count as printed and where; the unit is said by what it is a
// field of. The zero Number is unknown.
type Number struct {
	N  int64
	At kd.Ref
}

// Known reports whether the number was printed and read.
func (n Number) Known() bool { return n.At.Known() }
