package report

import (
	"math"
	"strconv"

	"kdlocks/memory"
	"kdlocks/snapshot"
)

// Memory is what !vm, !poolused, poolmon, !pool, !poolfind and their kin printed and what
// the tools for heaps and logs of performance counters hold, in the order of the input.
type Memory struct {
	VM     []VM         `json:"vm,omitempty"`
	Pools  []Pool       `json:"pools,omitempty"`
	Blocks []PoolBlocks `json:"pool_blocks,omitempty"`
	Counts []Counts     `json:"counts,omitempty"`
	// Words is what x, s, dps and their kin printed of the target's memory.
	Words []MemoryWords `json:"words,omitempty"`
	// Counters are logs of performance counters, nil if there are none.
	Counters *Counters `json:"counters,omitempty"`
	// Heaps are logs of dh and umdh, HeapDiffs what became of them.
	Heaps     []HeapLog  `json:"heaps,omitempty"`
	HeapDiffs []HeapDiff `json:"heap_diffs,omitempty"`
}

// VM is one output of !vm. Percentages are absent unless both numbers are known
// and can be true.
type VM struct {
	Session         int             `json:"session,omitempty"`
	Command         string          `json:"command,omitempty"`
	NonPagedPercent *float64        `json:"nonpaged_percent,omitempty"`
	PagedPercent    *float64        `json:"paged_percent,omitempty"`
	CommitPercent   *float64        `json:"commit_percent,omitempty"`
	NonPagedOverRAM *bool           `json:"nonpaged_over_ram,omitempty"`
	Counters        []MemoryCounter `json:"counters"`
	PageFiles       []PageFile      `json:"page_files,omitempty"`
	Warnings        []MemoryWarning `json:"warnings,omitempty"`
	Failures        []MemoryFailure `json:"failures,omitempty"`
	Processes       []ProcessCommit `json:"processes,omitempty"`
	// Sessions are what each session has of its own, SessionPoolMax the most paged pool
	// that it may have.
	Sessions       []SessionMemory `json:"sessions,omitempty"`
	SessionPoolMax *int64          `json:"session_pool_max_kb,omitempty"`
	At             At              `json:"at"`
}

// SessionMemory is what a session uses of the memory that is its own, in Kb.
type SessionMemory struct {
	ID        uint64 `json:"id"`
	PagedPool *int64 `json:"paged_pool_kb,omitempty"`
	NonPaged  *int64 `json:"nonpaged_kb,omitempty"`
	Commit    *int64 `json:"commit_kb,omitempty"`
	Failed    *int64 `json:"failed,omitempty"`
	At        At     `json:"at"`
}

// MemoryCounter is a line of !vm.
type MemoryCounter struct {
	Name  string `json:"name"`
	Pages *int64 `json:"pages,omitempty"`
	Kb    *int64 `json:"kb,omitempty"`
	Torn  bool   `json:"contradicts_itself,omitempty"`
	At    At     `json:"at"`
}

// PageFile is a paging file, in Kb.
type PageFile struct {
	Name    string `json:"name,omitempty"`
	Current *int64 `json:"current_kb,omitempty"`
	Free    *int64 `json:"free_kb,omitempty"`
	Minimum *int64 `json:"minimum_kb,omitempty"`
	Maximum *int64 `json:"maximum_kb,omitempty"`
	At      At     `json:"at"`
}

// MemoryWarning is what !vm prints between asterisks.
type MemoryWarning struct {
	Text string `json:"text"`
	At   At     `json:"at"`
}

// MemoryFailure counts what failed.
type MemoryFailure struct {
	What  string `json:"what"`
	Count int64  `json:"count"`
	At    At     `json:"at"`
}

// ProcessCommit is what a process has committed.
type ProcessCommit struct {
	PID    string `json:"pid"`
	Image  string `json:"image"`
	Pages  *int64 `json:"pages,omitempty"`
	Kb     *int64 `json:"kb,omitempty"`
	Shared *int64 `json:"shared_kb,omitempty"`
	Debt   *int64 `json:"debt_kb,omitempty"`
	At     At     `json:"at"`
}

// Pool is one output of !poolused or poolmon.
type Pool struct {
	Session   int              `json:"session,omitempty"`
	Tool      string           `json:"tool"`
	Command   string           `json:"command,omitempty"`
	Sort      string           `json:"sort"`
	Filter    string           `json:"filter,omitempty"`
	Filtered  *bool            `json:"filtered,omitempty"`
	Limit     int              `json:"limit,omitempty"`
	Cut       *bool            `json:"cut,omitempty"`
	OfSession *bool            `json:"of_session,omitempty"`
	SessionID *int64           `json:"session_id,omitempty"`
	Machine   map[string]int64 `json:"machine,omitempty"`
	Tags      []PoolTag        `json:"tags"`
	Total     *PoolTag         `json:"total,omitempty"`
	At        At               `json:"at"`
}

// PoolTag is a row: what one tag uses. The tag has four characters.
type PoolTag struct {
	Tag      string     `json:"tag,omitempty"`
	Type     string     `json:"type,omitempty"`
	NonPaged *PoolUsage `json:"nonpaged,omitempty"`
	Paged    *PoolUsage `json:"paged,omitempty"`
	Comment  string     `json:"comment,omitempty"`
	Driver   string     `json:"driver,omitempty"`
	At       At         `json:"at"`
}

// PoolUsage is what a tag uses of one type of pool.
type PoolUsage struct {
	Allocs     *int64 `json:"allocs,omitempty"`
	Bytes      *int64 `json:"bytes,omitempty"`
	Made       *int64 `json:"made,omitempty"`
	Freed      *int64 `json:"freed,omitempty"`
	PerAlloc   *int64 `json:"bytes_per_alloc,omitempty"`
	MadeSince  *int64 `json:"made_since,omitempty"`
	FreedSince *int64 `json:"freed_since,omitempty"`
	BytesSince *int64 `json:"bytes_since,omitempty"`
}

// Counts is one output of !memusage, !defwrites or !sysptes. The counters of !sysptes
// count page table entries.
type Counts struct {
	Session   int             `json:"session,omitempty"`
	Tool      string          `json:"tool"`
	Counters  []MemoryCounter `json:"counters"`
	Throttled *bool           `json:"throttled,omitempty"`
	// Uses say what pages are used for.
	Uses []PageUse `json:"uses,omitempty"`
	At   At        `json:"at"`
}

// PageUse is a row of !memusage, in Kb; a number is absent where dashes stand for it.
type PageUse struct {
	Name       string `json:"name"`
	Control    string `json:"control,omitempty"` // the control area of a file
	Valid      *int64 `json:"valid,omitempty"`
	Standby    *int64 `json:"standby,omitempty"`
	Dirty      *int64 `json:"dirty,omitempty"`
	Shared     *int64 `json:"shared,omitempty"`
	Locked     *int64 `json:"locked,omitempty"`
	PageTables *int64 `json:"page_tables,omitempty"`
	At         At     `json:"at"`
}

// PoolBlocks is one output of !pool or !poolfind.
type PoolBlocks struct {
	Session int         `json:"session,omitempty"`
	Tool    string      `json:"tool"`
	Command string      `json:"command,omitempty"`
	Tag     string      `json:"tag,omitempty"`
	Blocks  []PoolBlock `json:"blocks"`
	Stopped string      `json:"stopped_at,omitempty"` // where a search was ended before it was through
	At      At          `json:"at"`
}

// PoolBlock is a block of pool.
type PoolBlock struct {
	Address string `json:"address"`
	Bytes   *int64 `json:"bytes,omitempty"`
	Tag     string `json:"tag"`
	Free    bool   `json:"free,omitempty"`
	Asked   bool   `json:"asked,omitempty"` // it holds the address that !pool was asked about
	Region  string `json:"region,omitempty"`
	Comment string `json:"comment,omitempty"`
	Driver  string `json:"driver,omitempty"`
	At      At     `json:"at"`
}

// memory adds what was read of memory.
func (b *builder) memory(r *Report, s *snapshot.Snapshot) {
	if s.Memory.Empty() {
		return
	}
	if r.Memory == nil {
		r.Memory = &Memory{}
	}
	for _, v := range s.Memory.VMs {
		r.Memory.VM = append(r.Memory.VM, b.vm(v))
	}
	for _, p := range s.Memory.Pools {
		r.Memory.Pools = append(r.Memory.Pools, b.pool(p))
	}
	for _, k := range s.Memory.Blocks {
		r.Memory.Blocks = append(r.Memory.Blocks, b.poolBlocks(k))
	}
	for _, c := range s.Memory.Counts {
		out := Counts{b.session, c.Tool, b.numbers(c.Counters), flagged(c.Throttled), nil, b.at(c.At, c.EndLine)}
		for _, u := range c.Uses {
			out.Uses = append(out.Uses, PageUse{u.Name, hex(u.Control), amount(u.Valid), amount(u.Standby), amount(u.Dirty), amount(u.Shared), amount(u.Locked), amount(u.PageTables), b.at(u.At, 0)})
		}
		r.Memory.Counts = append(r.Memory.Counts, out)
	}
	if m := s.Memory.Memory; m != nil {
		r.Memory.Words = append(r.Memory.Words, b.memoryWords(m))
	}
	b.counters(r.Memory, s)
	b.heaps(r, s)
}

func (b *builder) poolBlocks(k *memory.Blocks) PoolBlocks {
	out := PoolBlocks{Session: b.session, Tool: k.Tool, Command: k.Command, Tag: k.Tag, Blocks: []PoolBlock{}, Stopped: hex(k.Stopped), At: b.at(k.At, k.EndLine)}
	for i := range k.Rows {
		r := &k.Rows[i]
		out.Blocks = append(out.Blocks, PoolBlock{hex(r.Addr), amount(r.Bytes), r.Tag, r.Free, r.Asked, r.Region, r.Comment, r.Driver, b.at(r.At, 0)})
	}
	return out
}

func (b *builder) vm(v *memory.VM) VM {
	out := VM{
		Session: b.session, Command: v.Command, Counters: b.numbers(v.Counters), NonPagedOverRAM: flagged(v.NonPagedOverRAM()), At: b.at(v.At, v.EndLine),
		NonPagedPercent: known1(v.NonPagedPercent()), PagedPercent: known1(v.PagedPercent()), CommitPercent: known1(v.CommitPercent()),
	}
	for _, f := range v.PageFiles {
		out.PageFiles = append(out.PageFiles, PageFile{f.Name, amount(f.Current), amount(f.Free), amount(f.Minimum), amount(f.Maximum), b.at(f.At, 0)})
	}
	for _, w := range v.Banners {
		out.Warnings = append(out.Warnings, MemoryWarning{w.Text, b.at(w.At, 0)})
	}
	for _, f := range v.Failures {
		out.Failures = append(out.Failures, MemoryFailure{f.What, f.N.N, b.at(f.N.At, 0)})
	}
	for _, p := range v.Processes {
		out.Processes = append(out.Processes, ProcessCommit{hexID(p.PID), p.Image, amount(p.Commit.Pages), amount(p.Commit.Kb), amount(p.Shared), amount(p.Debt), b.at(p.Commit.At, 0)})
	}
	for _, n := range v.Sessions {
		out.Sessions = append(out.Sessions, SessionMemory{n.ID, amount(n.PagedPool), amount(n.NonPaged), amount(n.Commit), amount(n.Failed), b.at(n.At, 0)})
	}
	out.SessionPoolMax = amount(v.SessionPoolMax)
	return out
}

func (b *builder) numbers(list []memory.Counter) []MemoryCounter {
	out := []MemoryCounter{}
	for _, c := range list {
		out = append(out, MemoryCounter{c.Name, amount(c.Pages), amount(c.Kb), c.Torn, b.at(c.At, 0)})
	}
	return out
}

func (b *builder) pool(p *memory.Pool) Pool {
	out := Pool{
		Session: b.session, Tool: p.Tool.String(), Command: p.Command, Sort: p.Sort.String(), Filter: p.Filter, Filtered: flagged(p.Filtered), Limit: p.Limit,
		Cut: flagged(p.Cut()), OfSession: flagged(p.OfSession), SessionID: amount(p.SessionID), Tags: []PoolTag{}, At: b.at(p.At, p.EndLine),
	}
	for _, g := range p.Machine {
		if out.Machine == nil {
			out.Machine = make(map[string]int64)
		}
		out.Machine[g.Name] = g.N
	}
	for i := range p.Rows {
		out.Tags = append(out.Tags, b.poolTag(&p.Rows[i]))
	}
	if p.Total.At.Known() {
		out.Total = ptr(b.poolTag(&p.Total))
	}
	return out
}

func (b *builder) poolTag(r *memory.Row) PoolTag {
	return PoolTag{r.Tag, r.Type.String(), usage(&r.NonPaged), usage(&r.Paged), r.Comment, r.Driver, b.at(r.At, 0)}
}

func usage(u *memory.Usage) *PoolUsage {
	if *u == (memory.Usage{}) {
		return nil
	}
	l := u.Life()
	return &PoolUsage{
		Allocs: amount(u.Allocs), Bytes: amount(u.Bytes), Made: amount(l.Made), Freed: amount(l.Freed), PerAlloc: amount(l.PerAlloc),
		MadeSince: amount(l.MadeSince), FreedSince: amount(l.FreedSince), BytesSince: amount(l.BytesSince),
	}
}

func amount(n memory.Number) *int64 {
	if !n.Known() {
		return nil
	}
	return ptr(n.N)
}

func flagged(f memory.Flag) *bool {
	if f == memory.Unknown {
		return nil
	}
	return ptr(f == memory.Yes)
}

// known1 keeps one decimal of a percentage.
func known1(percent float64, ok bool) *float64 {
	if !ok {
		return nil
	}
	return ptr(math.Round(10*percent) / 10)
}

func hexID(id uint64) string { return strconv.FormatUint(id, 16) }
