package snapshot

import (
	"fmt"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/stacks"
	"kdlocks/threads"
)

// mergeResources keeps one resource for each address. A block printed twice is
// one fact seen twice: the fuller one is kept. Two that contradict each other
// were printed at two moments: the later one is kept, and that is said.
func (s *Snapshot) mergeResources(rounds []locks.Round, rs []*locks.Resource) {
	s.byResource = make(map[kd.Addr]*Resource, len(rs))
	whole, listed := wholeRounds(rounds, rs)
	s.Whole = whole
	for _, r := range rs {
		have := s.byResource[r.Addr]
		if have == nil {
			have = &Resource{Resource: r}
			s.byResource[r.Addr] = have
			s.Resources = append(s.Resources, have)
			continue
		}
		s.compare(kd.OneMoment, 1)
		have.Resource = s.chooseResource(have.Resource, r)
	}
	for _, r := range s.Resources {
		if r.Extension != "" && (r.Reading == locks.Doubtful || r.Reading == locks.Hearsay) {
			s.Notes = append(s.Notes, kd.Note{At: r.At, Text: fmt.Sprintf("resource %s: %s", s.bare(r.Addr), r.Why)})
		}
		if whole && !listed[r.Addr] && len(r.Owners) > 0 {
			r.Conflict = "it is not in the list of all held locks"
			s.note(kd.OneMoment, r.At, fmt.Sprintf("resource %s is printed as held, but the list of all held locks lacks it: two moments", s.bare(r.Addr)))
		}
	}
}

// wholeRounds reports whether a listing of all held locks was read whole, with
// as many blocks as its last line counts, and which resources such ones hold.
func wholeRounds(rounds []locks.Round, rs []*locks.Resource) (whole bool, listed map[kd.Addr]bool) {
	held := make(map[int]int)
	for _, r := range rs {
		if len(r.Owners) > 0 {
			held[r.Round]++
		}
	}
	isWhole := make(map[int]bool)
	for _, round := range rounds {
		if round.Full && round.Complete && round.Total.N > 0 && round.Held.Known() && round.Held.N == held[round.Index] {
			isWhole[round.Index], whole = true, true
		}
	}
	listed = make(map[kd.Addr]bool)
	for _, r := range rs {
		if isWhole[r.Round] {
			listed[r.Addr] = true
		}
	}
	return whole, listed
}

func (s *Snapshot) chooseResource(old, later *locks.Resource) *locks.Resource {
	if old.Extension != later.Extension {
		return s.chooseSource(old, later)
	}
	if later.HeadUntrusted || later.Mode == locks.ModeUnknown {
		if old.Symbol == "" {
			old.Symbol = later.Symbol
		}
		return old
	}
	if old.HeadUntrusted || old.Mode == locks.ModeUnknown {
		return later
	}
	keep := later
	switch fuller := len(old.Entries)+len(old.ExclusiveWaiters) > len(later.Entries)+len(later.ExclusiveWaiters); {
	case fuller && old.Extends(later):
		keep = old
	case !later.Extends(old):
		s.note(kd.OneMoment, later.At, fmt.Sprintf("resource %s was printed before (line %d) with other owners or waiters: this later state is used", s.bare(later.Addr), old.At.Line))
		keep.Conflict = "it was printed twice with different owners or waiters"
	}
	if keep.Symbol == "" {
		keep.Symbol = old.Symbol + later.Symbol
	}
	return keep
}

// mergeThreads keeps one thread for each address; stacks without a thread
// header stay apart.
func (s *Snapshot) mergeThreads(ts []*threads.Thread) {
	s.byAddr, s.first = make(map[kd.Addr]*threads.Thread, len(ts)), make(map[*threads.Thread]kd.Ref)
	for _, t := range ts {
		have := s.byAddr[t.Addr]
		if t.Addr == 0 || have == nil {
			s.Threads = append(s.Threads, t)
			if t.Addr != 0 {
				s.byAddr[t.Addr] = t
			}
			continue
		}
		at := have.At
		s.compare(kd.OneMoment, 1)
		listed := have.Listed || t.Listed
		s.mergeThread(have, t)
		have.Listed = listed
		if _, known := s.first[have]; have.At != at && !known {
			s.first[have] = at
		}
	}
}

// mergeProcesses keeps one process for each address: !process prints the same
// block in many commands, some without an image or number.
func (s *Snapshot) mergeProcesses() {
	at := make(map[kd.Addr]int, len(s.Processes))
	kept := s.Processes[:0:0]
	for _, p := range s.Processes {
		i, known := at[p.Addr]
		if !known {
			at[p.Addr] = len(kept)
			kept = append(kept, p)
			continue
		}
		if have := &kept[i]; have.Image == "" {
			have.Image = p.Image
		}
		if have := &kept[i]; !have.CIDKnown {
			have.CID, have.CIDKnown = p.CID, p.CIDKnown
		}
	}
	s.Processes = kept
}

// onceEach leaves out rows that were printed twice.
func onceEach(rows []threads.Processor) []threads.Processor {
	type row struct {
		cpu                       int
		prcb, current, next, idle kd.Addr
	}
	seen := make(map[row]bool, len(rows))
	var out []threads.Processor
	for _, p := range rows {
		if k := (row{p.CPU, p.Prcb, p.Current, p.Next, p.Idle}); !seen[k] {
			seen[k] = true
			out = append(out, p)
		}
	}
	return out
}

// mergeThread adds to have what later knows more. Blocks that contradict each
// other are of two moments: the later one is kept, and that is said.
func (s *Snapshot) mergeThread(have, later *threads.Thread) {
	if why := conflict(have, later); why != "" {
		if have.Header && !later.Header {
			s.note(kd.OneMoment, later.At, fmt.Sprintf("thread %s was printed before (line %d) %s: that block is used, not this row", s.bare(later.Addr), have.At.Line, why))
		} else {
			s.note(kd.OneMoment, later.At, fmt.Sprintf("thread %s was printed before (line %d) %s: this later block is used", s.bare(later.Addr), have.At.Line, why))
			*have = *later
		}
		have.Conflict = why
		return
	}
	replace := isStub(have, later) || later.Header && (!have.Header || richer(later, have)) && !isStub(later, have)
	mergeStack(have, later)
	defer knownState(have, *have, *later)
	if replace {
		earlier := *have
		*have = *later
		have.Stack, have.Conflict = earlier.Stack, earlier.Conflict
		supplyThread(have, &earlier)
		return
	}
	supplyThread(have, later)
}

// isStub reports whether a THREAD line was cut behind the address and nothing
// of a block follows, where another print of the thread says more.
func isStub(t, other *threads.Thread) bool {
	return t.State == threads.StateUnknown && other.State != threads.StateUnknown && !t.StateUnread &&
		len(t.WaitObjects)+len(t.IRPs)+len(t.Stack.Frames) == 0 && t.Ticks < 0 && t.ContextSwitches < 0 && t.Priority < 0
}

// supplyThread takes what one print of a thread lacks of who it is and how long
// it waits from another print.
func supplyThread(to, from *threads.Thread) {
	if !to.CID.Known {
		to.CID = from.CID
	}
	if to.Process.Image == "" && (to.Process.Addr == 0 || to.Process.Addr == from.Process.Addr) {
		to.Process.Image = from.Process.Image
	}
	if to.Ticks < 0 && to.WaitMS < 0 {
		to.WaitStart, to.Ticks, to.WaitMS, to.WaitAt = from.WaitStart, from.Ticks, from.WaitMS, from.WaitAt
	}
}

// knownState gives a thread whose state is not known, or could not be read, the
// state that one of two prints of it, a and b, shows.
func knownState(t *threads.Thread, a, b threads.Thread) {
	if t.State != threads.StateUnknown {
		return
	}
	from := a
	if from.State == threads.StateUnknown {
		from = b
	}
	t.State, t.Processor = from.State, from.Processor
	t.WaitReason, t.WaitMode, t.Alertable = from.WaitReason, from.WaitMode, from.Alertable
}

// conflict says what two blocks of one thread disagree on.
func conflict(have, later *threads.Thread) string {
	if !have.Header || !later.Header {
		return rowConflict(have.State, later.State)
	}
	a, b := &have.Stack, &later.Stack
	switch {
	case have.CID.Known && later.CID.Known && have.CID != later.CID:
		return "with CID " + have.CID.String()
	case have.State != later.State && have.State != threads.StateUnknown && later.State != threads.StateUnknown:
		return "as " + have.State.String()
	case have.WaitReason != later.WaitReason && have.WaitReason != "" && later.WaitReason != "":
		return "waiting (" + have.WaitReason + ")"
	case a.Current != 0 && b.Current != 0:
		// The same stack pointer is the same moment, however well the
		// debugger unwound from there.
		if a.Current != b.Current {
			return "with another stack pointer"
		}
	case !samePath(a.Frames, b.Frames):
		return "with another stack"
	}
	return ""
}

// rowConflict says what a row of !running or !stacks and another print of one
// thread disagree on: a thread on a processor is in no other state.
func rowConflict(have, later threads.State) string {
	onProcessor := func(s threads.State) bool { return s == threads.Running || s == threads.Standby }
	if have == later || have == threads.StateUnknown || later == threads.StateUnknown || !onProcessor(have) && !onProcessor(later) {
		return ""
	}
	return "as " + have.String()
}

// samePath reports whether the physical kernel frames of one stack are the
// beginning of those of the other.
func samePath(a, b []stacks.Frame) bool {
	a, b = physical(a), physical(b)
	for i := range min(len(a), len(b)) {
		if a[i].ChildSP != b[i].ChildSP {
			return false
		}
	}
	return true
}

func physical(frames []stacks.Frame) []stacks.Frame {
	var out []stacks.Frame
	for _, f := range frames {
		if !f.Inline && !f.Bare && f.ChildSP.IsKernel(kd.ArchUnknown) {
			out = append(out, f)
		}
	}
	return out
}

// richer reports whether a block that says as much as an earlier one of the
// same thread, or more, should replace it.
func richer(later, have *threads.Thread) bool {
	return len(later.WaitObjects) >= len(have.WaitObjects) && (later.Ticks >= 0 || have.Ticks < 0)
}

// isFuller reports whether frames say more than others: call sites alone say
// less than frames with their stack addresses, however many they are.
func isFuller(a, b []stacks.Frame) bool {
	pa, pb := len(physical(a)) > 0, len(physical(b)) > 0
	if pa != pb {
		return pa
	}
	return len(a) > len(b)
}

// mergeStack takes the later block's frames if they say more, and its range if
// none was known.
func mergeStack(have, later *threads.Thread) {
	to, from := &have.Stack, &later.Stack
	if isFuller(from.Frames, to.Frames) {
		to.Frames, to.HeaderAt, to.X86, to.Elided = from.Frames, from.HeaderAt, from.X86, from.Elided
	}
	if to.Awaited == nil {
		to.Awaited = from.Awaited
	}
	if to.Init == 0 {
		to.Init, to.Current, to.InitAt = from.Init, from.Current, from.InitAt
	}
	if to.Limit == 0 {
		to.Base, to.Limit, to.RangeAt = from.Base, from.Limit, from.RangeAt
	}
}
