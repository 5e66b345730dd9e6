package inspect_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/memory"
	"kdlocks/modules"
	"kdlocks/objects"
	"kdlocks/rules"
	"kdlocks/snapshot"
	"kdlocks/stacks"
	"kdlocks/threads"
	"kdlocks/transcript"
)

// sampleFacts read the facts of the samples by name; each is told what the truth says.
var sampleFacts = map[string]func(r *sampleRead, want string) string{
	// !vm
	"nonpaged_usage_pages": vmPages(memory.NonPagedPoolUsage),
	"nonpaged_max_pages":   vmPages(memory.NonPagedPoolMax),
	"nonpaged_nx_pages":    vmPages(memory.NonPagedPoolNxUsage),
	"paged_usage_pages":    vmPages(memory.PagedPoolUsage),
	"paged_max_pages":      vmPages(memory.PagedPoolMaximum),
	"nonpaged_pct":         ofVM(func(v *memory.VM) string { return percent(v.PrintedNonPagedPercent()) }),
	"paged_pct":            ofVM(func(v *memory.VM) string { return percent(v.PagedPercent()) }),
	"excessive_nonpaged":   ofVM(excessive),
	"excessive_banner":     ofVM(excessive),
	"failed_allocations":   ofVM(func(v *memory.VM) string { return number(v.Failed("pool allocations")) }),
	"arrow_comment_removed": func(r *sampleRead, _ string) string {
		const at = "NonPagedPool Usage: 31369 ( 125476 Kb)"
		put := strings.Replace(string(r.data), at, at+" \u00df Very high", 1)
		return yesNo(put != string(r.data) && vmNumbers([]byte(put)) == vmNumbers(r.data))
	},
	"trap": ofVMWant(func(v *memory.VM, want string) string {
		ram, nx := v.Pages(memory.PhysicalMemory), v.OverRAM(memory.NonPagedPoolNxUsage)
		_, usable := v.NonPagedPercent()
		if v.OverRAM(memory.NonPagedPoolUsage) == memory.Yes && nx == memory.No && !usable && strings.Contains(want, fmt.Sprint("(", ram.N, " pages)")) {
			return want
		}
		return "not seen"
	}),
	"os": ofSession(func(s *snapshot.Snapshot) string { return s.Target.BuiltBy }),

	// !poolused and poolmon
	"sort": ofPool(func(p *memory.Pool) string { return p.Sort.String() }),
	"total_line": ofPool(func(p *memory.Pool) string {
		np, pp := p.Total.NonPaged, p.Total.Paged
		return fmt.Sprintf("TOTAL %s %s %s %s", number(np.Allocs), number(np.Bytes), number(pp.Allocs), number(pp.Bytes))
	}),
	"top_tag":          topTag(0, func(row *memory.Row) string { return row.Tag }),
	"second_tag":       topTag(1, func(row *memory.Row) string { return row.Tag }),
	"top_paged_bytes":  topTag(0, func(row *memory.Row) string { return number(row.Paged.Bytes) }),
	"top_paged_allocs": topTag(0, func(row *memory.Row) string { return number(row.Paged.Allocs) }),
	"top_np_bytes":     topTag(0, func(row *memory.Row) string { return number(row.NonPaged.Bytes) }),
	"top_np_allocs":    topTag(0, func(row *memory.Row) string { return number(row.NonPaged.Allocs) }),
	"top_bytes":        topTag(0, func(row *memory.Row) string { return number(eitherPool(row).Bytes) }),
	"type":             topTag(0, func(row *memory.Row) string { return row.TypeWord }),
	"alloc_ratio": func(r *sampleRead, _ string) string {
		allocs := func(row *memory.Row) string { return number(row.NonPaged.Allocs) }
		return topTag(0, allocs)(r, "") + ":" + topTag(1, allocs)(r, "")
	},
	"all_tags_prefix": ofPoolWant(func(p *memory.Pool, want string) string {
		return everyRow(p, func(row *memory.Row) string { return row.Tag[:min(len(want), len(row.Tag))] })
	}),
	"mapped_driver": ofPool(func(p *memory.Pool) string {
		return everyRow(p, func(row *memory.Row) string { return row.Driver })
	}),
	"has_session_column": ofPool(func(p *memory.Pool) string { return yesNo(p.OfSession == memory.Yes && p.SessionID.Known()) }),
	"pair_with":          pairGrows,
	"healthy": func(r *sampleRead, _ string) string {
		return yesNo(len(r.report.Findings) == 0 && r.report.Verdict.Kind == "undecided")
	},

	// !pool and !poolfind
	"hit_tag":         hit(func(b *memory.Block) string { return b.Tag }),
	"hit_address":     hit(func(b *memory.Block) string { return b.Addr.String()[2:] }),
	"hit_size_hex":    hit(func(b *memory.Block) string { return fmt.Sprintf("%x", b.Bytes.N) }),
	"state":           hit(func(b *memory.Block) string { return map[bool]string{true: "Free", false: "Allocated"}[b.Free] }),
	"tag":             ofSession(foundTag),
	"has_free_blocks": ofSession(hasFreeBlocks),

	// !memusage, !defwrites and !sysptes
	"total_kb":              countOf("TOTAL", true),
	"dangling_no_commit_kb": countOf("Dangling No Commit", true),
	"free":                  countOf("total free", false),
	"largest_free_block":    countOf("largest free block", false),
	"dirty":                 countOf("CcTotalDirtyPages", false),
	"threshold_pages":       countOf("CcDirtyPageThreshold", false),
	"throttled": ofSession(func(s *snapshot.Snapshot) string {
		for _, c := range s.Memory.Counts {
			if c.Throttled != memory.Unknown {
				return yesNo(c.Throttled == memory.Yes)
			}
		}
		return ""
	}),

	// umdh and dhcmp
	"backtrace": ofSession(func(s *snapshot.Snapshot) string {
		for _, g := range s.Heaps {
			return "BackTrace" + g.Rows[0].ID
		}
		for _, l := range s.Memory.HeapLogs {
			return "BackTrace" + l.Traces[0].ID
		}
		return ""
	}),
	"delta_bytes_hex": heapChange(func(c *memory.TraceChange) memory.Number { return c.Bytes.Delta }),
	"delta_hex":       heapChange(func(c *memory.TraceChange) memory.Number { return c.Bytes.Delta }),
	"after_hex":       heapChange(func(c *memory.TraceChange) memory.Number { return c.Bytes.After }),
	"before_hex":      heapChange(func(c *memory.TraceChange) memory.Number { return c.Bytes.Before }),
	"allocs_hex":      heapChange(func(c *memory.TraceChange) memory.Number { return c.Allocs.After }),
	"total_bytes":     backTrace(func(b *memory.BackTrace) memory.Number { return b.Bytes }),
	"allocations":     backTrace(func(b *memory.BackTrace) memory.Number { return b.Allocs }),
	"size_each":       backTrace(func(b *memory.BackTrace) memory.Number { return b.Each }),
	"top_app_frame": func(r *sampleRead, _ string) string {
		top := r.report.Memory.Heaps[0].Top[0]
		return top.Module + "!" + top.Function
	},

	// Logs of performance counters
	"counters": ofSession(func(s *snapshot.Snapshot) string {
		var names []string
		for _, l := range s.Memory.Counters {
			for _, c := range l.Columns {
				names = append(names, c.Name())
			}
		}
		return fmt.Sprint(names)
	}),
	"rows": ofSession(func(s *snapshot.Snapshot) string {
		for _, l := range s.Memory.Counters {
			return fmt.Sprint(l.Read)
		}
		return ""
	}),

	// lm, lmvm and !lmi
	"loaded":            ofModules(func(m *modules.Module) string { return m.Name }, false),
	"unloaded":          ofModules(func(m *modules.Module) string { return m.Image }, true),
	"module":            ofModule(func(m *modules.Module) string { return m.Name }),
	"image":             ofModule(func(m *modules.Module) string { return m.Image }),
	"base":              ofModule(func(m *modules.Module) string { return fmt.Sprintf("%08x", uint64(m.Base)) }),
	"timestamp_hex":     sameCase(ofModule(func(m *modules.Module) string { return fmt.Sprintf("%x", m.TimeWord.N) })),
	"timestamp_is_hash": ofModule(func(m *modules.Module) string { return yesNo(m.Repro) }),
	"file_version":      ofModule(fileVersion),
	"versions": ofSession(func(s *snapshot.Snapshot) string {
		for _, m := range s.Modules {
			if v := fileVersion(m); v != "none" {
				return v
			}
		}
		return "none"
	}),

	// Locks, threads, work queues
	"held":                     ofSession(func(s *snapshot.Snapshot) string { return fmt.Sprint(s.Held.N) }),
	"total":                    total,
	"resources":                ofSession(func(s *snapshot.Snapshot) string { return fmt.Sprint(len(s.Resources)) }),
	"owner_low_bits_resources": ofSession(lowBits),
	"resource":                 ofSession(theResource),
	"owner":                    ofSession(theOwner),
	"owner_kind": ofSession(func(s *snapshot.Snapshot) string {
		return map[bool]string{true: "pointer", false: "thread"}[s.Resources[0].Resolved[0].Pointer]
	}),
	"first_shared_waiter":   ofSession(func(s *snapshot.Snapshot) string { return plainHex(s.Resources[0].SharedWaiters[0].Thread) }),
	"shared_waiters_header": ofSession(func(s *snapshot.Snapshot) string { return fmt.Sprint(s.Resources[0].SharedWaiterCount.N) }),
	"shared_waiters_listed": ofSession(func(s *snapshot.Snapshot) string { return fmt.Sprint(len(s.Resources[0].SharedWaiters)) }),
	"self_deadlock": func(r *sampleRead, _ string) string {
		return yesNo(strings.HasPrefix(r.report.Findings[0].ID, "self-deadlock") && r.report.Verdict.Kind == "deadlock")
	},
	"deadlock": deadlock,
	"cycle":    cycle,
	"layout": ofSession(func(s *snapshot.Snapshot) string {
		if len(s.Timeouts) == 1 && s.Timeouts[0].ActiveCount.Known() {
			return "ActiveCount"
		}
		return ""
	}),
	"kind": ofSession(func(s *snapshot.Snapshot) string {
		if len(s.CriticalSections()) > 0 && len(s.Resources) == 0 && !s.HasLocks {
			return "user_critsec"
		}
		return ""
	}),
	"locked": func(r *sampleRead, _ string) string {
		n := 0
		for _, c := range r.snaps[0].CriticalSections() {
			if c.Locked == objects.Yes {
				n++
			}
		}
		return fmt.Sprint(n)
	},
	"thread": ofSessionWant(func(s *snapshot.Snapshot, want string) string {
		for _, t := range s.Threads {
			if plainHex(t.Addr) == want && t.State != threads.StateUnknown {
				return want
			}
		}
		return ""
	}),
	"wrapped_symbols": ofSession(func(s *snapshot.Snapshot) string {
		n := 0
		for f := range frames(s) {
			if f.At.EndLine() > f.At.Line && f.Offset >= 0 {
				n++
			}
		}
		return fmt.Sprint(n)
	}),
	"driver":         driver,
	"owner_waits_in": captionedOwner,
	"waiters":        captionedWaiters,

	"critical_threads":       workers("Critical"),
	"delayed_threads_listed": workers("Delayed"),
	"pending": ofSession(func(s *snapshot.Snapshot) string {
		n := 0
		for _, q := range s.Objects.Queues {
			n += len(q.Pending)
		}
		return fmt.Sprint(n)
	}),

	// Stop codes
	"bugcheck":   ofSession(func(s *snapshot.Snapshot) string { return fmt.Sprintf("%x", s.Target.Bugcheck.Code) }),
	"contention": stopArg(2),
	"timeout_s":  stopArg(3),

	"issues": issues,
}

func ofSession(f func(*snapshot.Snapshot) string) func(*sampleRead, string) string {
	return func(r *sampleRead, _ string) string { return r.first(f) }
}

func ofSessionWant(f func(*snapshot.Snapshot, string) string) func(*sampleRead, string) string {
	return func(r *sampleRead, want string) string {
		return r.first(func(s *snapshot.Snapshot) string { return f(s, want) })
	}
}

func ofVM(f func(*memory.VM) string) func(*sampleRead, string) string {
	return ofVMWant(func(v *memory.VM, _ string) string { return f(v) })
}

func ofVMWant(f func(*memory.VM, string) string) func(*sampleRead, string) string {
	return ofSessionWant(func(s *snapshot.Snapshot, want string) string {
		if len(s.Memory.VMs) != 1 {
			return ""
		}
		return f(s.Memory.VMs[0], want)
	})
}

func vmPages(name string) func(*sampleRead, string) string {
	return ofVM(func(v *memory.VM) string { return number(v.Pages(name)) })
}

func excessive(v *memory.VM) string { return yesNo(v.Banner("excessive nonpaged") != nil) }

// vmNumbers writes all numbers of the outputs of !vm.
func vmNumbers(data []byte) string {
	tr, _ := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("in", data)}, nil)
	var out strings.Builder
	for _, s := range tr.Snapshots {
		for _, v := range s.Memory.VMs {
			for _, c := range v.Counters {
				fmt.Fprintln(&out, c.Name, number(c.Pages), number(c.Kb))
			}
		}
	}
	return out.String()
}

func ofPool(f func(*memory.Pool) string) func(*sampleRead, string) string {
	return ofPoolWant(func(p *memory.Pool, _ string) string { return f(p) })
}

func ofPoolWant(f func(*memory.Pool, string) string) func(*sampleRead, string) string {
	return ofSessionWant(func(s *snapshot.Snapshot, want string) string {
		if len(s.Memory.Pools) != 1 {
			return ""
		}
		return f(s.Memory.Pools[0], want)
	})
}

// eitherPool is what a row tells of the type of pool that uses more.
func eitherPool(row *memory.Row) *memory.Usage {
	if row.Paged.Bytes.N > row.NonPaged.Bytes.N || !row.NonPaged.Bytes.Known() {
		return &row.Paged
	}
	return &row.NonPaged
}

// topTag tells of the tag that uses most, or of one behind it: of the pool that the
// listing is sorted by, or else of either.
func topTag(place int, f func(*memory.Row) string) func(*sampleRead, string) string {
	return ofPool(func(p *memory.Pool) string {
		uses := func(row *memory.Row) int64 {
			switch p.Sort {
			case memory.ByNonPaged:
				return row.NonPaged.Bytes.N
			case memory.ByPaged:
				return row.Paged.Bytes.N
			}
			return eitherPool(row).Bytes.N
		}
		rows := slices.Clone(p.Rows)
		slices.SortStableFunc(rows, func(a, b memory.Row) int { return int(min(1, max(-1, uses(&b)-uses(&a)))) })
		return f(&rows[place])
	})
}

func (r *sampleRead) ofTag(tag string, of func(*memory.Row) memory.Number) string {
	return ofPool(func(p *memory.Pool) string {
		for i := range p.Rows {
			if p.Rows[i].Tag == tag {
				return number(of(&p.Rows[i]))
			}
		}
		return ""
	})(r, "")
}

// everyRow returns what all rows have.
func everyRow(p *memory.Pool, f func(*memory.Row) string) string {
	for i := range p.Rows {
		if f(&p.Rows[i]) != f(&p.Rows[0]) {
			return f(&p.Rows[i])
		}
	}
	return f(&p.Rows[0])
}

// pairGrows reads a sample with the one that it is a pair with: each tag of one has a
// row in the other, and what became of it is known. It returns the number of that file.
func pairGrows(r *sampleRead, want string) string {
	number := func(s string) string { return strings.TrimSuffix(strings.TrimLeft(s, "0"), ".0") }
	for _, other := range r.all {
		of, _, _ := strings.Cut(other.File, "-")
		if number(of) != number(want) {
			continue
		}
		data, err := os.ReadFile(other.path())
		if err != nil {
			return err.Error()
		}
		in := []transcript.Input{transcript.Bytes(r.File, r.data), transcript.Bytes(other.File, data)}
		slices.SortFunc(in, func(a, b transcript.Input) int { return strings.Compare(a.Name, b.Name) })
		tr, err := transcript.Read(context.Background(), in, nil)
		if err != nil || len(tr.Snapshots) != 1 || len(tr.Snapshots[0].Memory.Pools) != 2 {
			return fmt.Sprint("no pair: ", err)
		}
		p := tr.Snapshots[0].Memory.Pools
		grew, known := memory.Grown(p[0], p[1], "Drsd", memory.Paged)
		made := p[1].Rows[0].Paged.Life().Made.N - p[0].Rows[0].Paged.Life().Made.N
		if known && grew == 27*832-21*832 && made == 737-560 {
			return want
		}
		return fmt.Sprint("grew by ", grew)
	}
	return "no such sample"
}

func hit(f func(*memory.Block) string) func(*sampleRead, string) string {
	return ofSession(func(s *snapshot.Snapshot) string {
		for _, b := range s.Memory.Blocks {
			if row := b.Asked(); row != nil {
				return f(row)
			}
		}
		return ""
	})
}

// foundTag is the tag of all blocks that !poolfind lists.
func foundTag(s *snapshot.Snapshot) string {
	tag := ""
	for _, b := range s.Memory.Blocks {
		for i := range b.Rows {
			if b.Rows[i].Tag != b.Tag || tag != "" && b.Tag != tag {
				return b.Rows[i].Tag
			}
		}
		tag = b.Tag
	}
	return tag
}

func hasFreeBlocks(s *snapshot.Snapshot) string {
	for _, b := range s.Memory.Blocks {
		if slices.ContainsFunc(b.Rows, func(row memory.Block) bool { return row.Free }) {
			return "true"
		}
	}
	return "false"
}

func countOf(name string, kb bool) func(*sampleRead, string) string {
	return ofSession(func(s *snapshot.Snapshot) string {
		for _, c := range s.Memory.Counts {
			switch n := c.Counter(name); {
			case n != nil && kb:
				return number(n.Kb)
			case n != nil:
				return number(n.Pages)
			}
		}
		return ""
	})
}

// total is what !locks or !sysptes count.
func total(r *sampleRead, want string) string {
	return r.first(func(s *snapshot.Snapshot) string {
		if s.HasLocks {
			return fmt.Sprint(s.Total.N)
		}
		return countOf("Total System Ptes", false)(r, want)
	})
}

func heapChange(f func(*memory.TraceChange) memory.Number) func(*sampleRead, string) string {
	return ofSession(func(s *snapshot.Snapshot) string {
		for _, d := range s.Memory.HeapDiffs {
			return fmt.Sprintf("%x", f(&d.Rows[0]).N)
		}
		return ""
	})
}

func backTrace(f func(*memory.BackTrace) memory.Number) func(*sampleRead, string) string {
	return ofSession(func(s *snapshot.Snapshot) string {
		for _, l := range s.Memory.HeapLogs {
			return number(f(&l.Traces[0]))
		}
		return ""
	})
}

func ofModules(f func(*modules.Module) string, unloaded bool) func(*sampleRead, string) string {
	return ofSession(func(s *snapshot.Snapshot) string {
		var names []string
		for _, m := range s.Modules {
			if m.Unloaded == unloaded {
				names = append(names, f(m))
			}
		}
		return fmt.Sprint(names)
	})
}

func ofModule(f func(*modules.Module) string) func(*sampleRead, string) string {
	return ofSession(func(s *snapshot.Snapshot) string {
		if len(s.Modules) == 0 {
			return ""
		}
		return f(s.Modules[0])
	})
}

func fileVersion(m *modules.Module) string {
	if !m.FileVersion.Known() {
		return "none"
	}
	return m.FileVersion.String()
}

// sameCase gives a number the case that the truth has.
func sameCase(f func(*sampleRead, string) string) func(*sampleRead, string) string {
	return func(r *sampleRead, want string) string {
		if got := f(r, want); !strings.EqualFold(got, want) {
			return got
		}
		return want
	}
}

func plainHex(a kd.Addr) string { return fmt.Sprintf("%x", uint64(a)) }

func lowBits(s *snapshot.Snapshot) string {
	var out []string
	for _, r := range s.Resources {
		if slices.ContainsFunc(r.Resolved, func(o snapshot.Owner) bool { return o.Raw&3 == 3 && o.Actual == o.Raw&^3 }) {
			out = append(out, short(r.Addr))
		}
	}
	return fmt.Sprint(out)
}

// short writes an address of x86 in eight digits.
func short(a kd.Addr) string { return fmt.Sprintf("%x", uint64(a)&0xffffffff) }

func theResource(s *snapshot.Snapshot) string {
	switch {
	case len(s.Resources) > 0:
		return plainHex(s.Resources[0].Addr)
	case len(s.Timeouts) > 0:
		return short(s.Timeouts[0].Addr)
	case s.Target.Bugcheck != nil:
		return plainHex(s.Target.Bugcheck.Args[0])
	}
	return ""
}

func theOwner(s *snapshot.Snapshot) string {
	switch {
	case len(s.Resources) > 0 && len(s.Timeouts) == 0:
		return plainHex(s.Resources[0].Owners[0].Raw)
	case len(s.Timeouts) > 0:
		return short(s.Timeouts[0].Threads[0].Raw)
	}
	return ""
}

func deadlock(r *sampleRead, want string) string {
	if r.report.Verdict.Kind == "deadlock" && len(r.report.Findings[0].Cycle) == 2 {
		return want
	}
	return r.report.Verdict.Kind
}

func cycle(r *sampleRead, _ string) string {
	var out []string
	for _, t := range r.report.Findings[0].Threads[:2] {
		out = append(out, strings.TrimPrefix(t, "0x"))
	}
	return fmt.Sprint(out)
}

func frames(s *snapshot.Snapshot) func(func(*stacks.Frame) bool) {
	return func(yield func(*stacks.Frame) bool) {
		for _, t := range s.Threads {
			for i := range t.Stack.Frames {
				if !yield(&t.Stack.Frames[i]) {
					return
				}
			}
		}
	}
}

// driver is the module that the findings suspect.
func driver(r *sampleRead, _ string) string {
	for _, f := range r.report.Findings {
		if f.Suspect != nil {
			return f.Suspect.Module
		}
	}
	return "no suspect"
}

// captionedOwner is the function of the stack that a caption says to be the owner's.
func captionedOwner(r *sampleRead, want string) string {
	return r.first(func(s *snapshot.Snapshot) string {
		for _, t := range s.Threads {
			if t.Caption == nil || !t.Caption.Owner {
				continue
			}
			for i := range t.Stack.Frames {
				if f := &t.Stack.Frames[i]; f.Module+"!"+f.Function == want {
					return want
				}
			}
		}
		return ""
	})
}

// captionedWaiters counts the threads that captions say to wait, and that do.
func captionedWaiters(r *sampleRead, _ string) string {
	return r.first(func(s *snapshot.Snapshot) string {
		n := 0
		for _, t := range s.Threads {
			if t.Caption != nil && !t.Caption.Owner && t.Waits().For == threads.ForResource {
				n += t.Caption.Threads
			}
		}
		return fmt.Sprint(n)
	})
}

func workers(name string) func(*sampleRead, string) string {
	return ofSession(func(s *snapshot.Snapshot) string {
		for _, q := range s.Objects.Queues {
			if q.Name == name {
				return fmt.Sprint(len(q.Workers))
			}
		}
		return ""
	})
}

func stopArg(i int) func(*sampleRead, string) string {
	return ofSession(func(s *snapshot.Snapshot) string {
		a, _, ok := s.Target.Bugcheck.Arg(i)
		if !ok {
			return ""
		}
		return fmt.Sprint(uint64(a))
	})
}

// sampleIssues are the rules for the issues that samples are of. lacks is set where the
// sample has a part of the report only, and the rule is about the other one: it then says
// what to type.
var sampleIssues = map[string]struct{ rule, lacks string }{
	"GEN-NPP-PRESSURE": {"vm-nonpaged-near-max", ""},
	"NTDEBUG-NONE":     {"pool-tag-none-exallocatepool", ""},
	"KB2608658-3":      {"ms-kb2608658-sis-owner-pointer", ""},
	"AMDACP-WORKITEM":  {"amdacp-work-items", ""},
	"DOKANY-426":       {"dokany-pr426-abba", "the stacks of the two threads"},
	"ZFSIN-200":        {"zfsin-200-flush-on-delete", "the second stack, which flushes"},
	"SYSINFORMER-1761": {"systeminformer-1761-cmdguard", ""},
	"WINFSP-677":       {"winfsp-pr677-can-i-write", ""},
}

// issues names the issues that rules find in a sample, in the words of the truth.
func issues(r *sampleRead, want string) string {
	found := []string{}
	names := make(map[string]string)
	for name, i := range sampleIssues {
		names[i.rule] = name
	}
	for _, j := range r.judged {
		for _, res := range r.set.Judge(j) {
			name, known := names[res.Rule.ID]
			switch {
			case res.Outcome.Fired() && known:
				found = append(found, name)
			case res.Outcome.Fired():
				found = append(found, res.Rule.ID)
			case known && sampleIssues[name].lacks != "" && res.Outcome == rules.CouldNotCheck && strings.Contains(want, name):
				found = append(found, name)
			}
		}
	}
	slices.Sort(found)
	return fmt.Sprint(slices.Compact(found))
}
