package memory

import (
	"strings"

	"kdlocks/kd"
)

// CounterLog is one log of performance counters as perfmon, typeperf and relog
// write it: a head that names the columns and a row for each sample. Columns that
// nothing here asks for are counted in Others.
type CounterLog struct {
	// Machine is the computer that the paths of the columns name, "" if they name none
	// or several.
	Machine string
	// Zone is the time zone as printed, "" if the head does not tell it.
	Zone    string
	Columns []*CounterColumn
	Others  int
	// Foreign is set where some of the Others have names in a language other than English.
	Foreign bool
	// LeftOut counts the columns that can leak or are asked for, and are beyond those
	// that are kept.
	LeftOut int
	// Rows are the samples in the order of the input, of which every Stride-th is kept;
	// Read counts those that were read, Unread those that were not.
	Rows   []CounterRow
	Stride int
	Read   int
	Unread int
	// Untimed counts the rows whose time cannot be read, which are not used; FirstUntimed
	// is what stands for the time in the first of them.
	Untimed      int
	FirstUntimed string
	Notes        []kd.Note
	At           kd.Ref
	// EndLine is the last line of the log.
	EndLine int32
}

// CounterRow is when a row was sampled, and where it stands.
type CounterRow struct {
	// Time is in milliseconds of the log's own clock, from a day that is the same for
	// all logs.
	Time int64
	At   kd.Ref
}

// CounterColumn is one counter of one instance.
type CounterColumn struct {
	Path string // as printed: `\\SRV1\Process(lsass)\Private Bytes`
	// Machine, Object, Instance and Counter are the parts of Path as printed, Machine
	// and Instance "" where there is none; a further instance of one name has its
	// number: "svchost#3".
	Machine, Object, Instance, Counter string
	// What is what it counts, whatever language it is named in.
	What  Measure
	At    kd.Ref
	cells []cell // one for each row
}

// cell is a value and where it stands in its row; none if it has no length.
type cell struct {
	v   float64
	col int32
	len uint16
}

// Value returns the value of a row, counted from 0; false where it is a gap.
func (c *CounterColumn) Value(row int) (float64, bool) {
	if row >= len(c.cells) || c.cells[row].len == 0 {
		return 0, false
	}
	return c.cells[row].v, true
}

// Place returns where the value of a row stands.
func (l *CounterLog) Place(c *CounterColumn, row int) kd.Ref {
	at := l.Rows[row].At
	if row < len(c.cells) && c.cells[row].len > 0 && at.More == 0 {
		at.Col, at.Len = c.cells[row].col, int32(c.cells[row].len)
	}
	return at
}

// Measure is what a counter counts.
type Measure uint8

// The measures that are kept. Those from ProcessorTime on are measures of load.
const (
	NoMeasure Measure = iota
	PoolNonPaged
	PoolPaged
	CommittedBytes
	CommitLimitBytes
	AvailableBytes
	RAMBytes
	PagingFileUsed // in percent
	SystemUpTime
	PrivateBytes
	HandleCount
	ThreadCount
	WorkingSet
	ProcessID
	ProcessPoolNonPaged
	ProcessPoolPaged
	ProcessorTime
	ProcessCount
	Sessions
	FilesOpen
	Requests
	Traffic
)

// Load reports whether it measures what the machine was asked to do.
func (m Measure) Load() bool { return m >= ProcessorTime }

// Bytes reports whether its unit is the byte.
func (m Measure) Bytes() bool {
	switch m {
	case PoolNonPaged, PoolPaged, CommittedBytes, CommitLimitBytes, AvailableBytes, RAMBytes, PrivateBytes, WorkingSet, ProcessPoolNonPaged, ProcessPoolPaged:
		return true
	}
	return false
}

// OfProcess reports whether each process has one.
func (m Measure) OfProcess() bool { return m >= PrivateBytes && m <= ProcessPoolPaged }

// Leaks reports whether it can leak: what is judged.
func (m Measure) Leaks() bool {
	switch m {
	case PoolNonPaged, PoolPaged, CommittedBytes, PrivateBytes, HandleCount, ThreadCount, ProcessPoolNonPaged, ProcessPoolPaged:
		return true
	}
	return false
}

// Process returns what tells instances of one process name apart from others: the
// instance in lower case.
func (c *CounterColumn) Process() string { return strings.ToLower(c.Instance) }

// Name is the counter without the machine, in the words of the log.
func (c *CounterColumn) Name() string {
	if c.Instance == "" {
		return c.Object + `\` + c.Counter
	}
	return c.Object + "(" + c.Instance + `)\` + c.Counter
}
