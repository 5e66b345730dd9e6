package inspect_test

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/report"
)

// tally counts the facts that were compared and keeps those that differ.
type tally struct {
	total int
	wrong []string
}

// sameFact compares one fact.
func sameFact[T comparable](c *tally, where, what string, got, want T) {
	c.total++
	if got != want {
		c.wrong = append(c.wrong, fmt.Sprintf("%s: %s = %v, want %v", where, what, got, want))
	}
}

// factOf returns what a pointer names, and -99 for a fact that is absent.
func factOf[T int | int64](p *T) int64 {
	if p == nil {
		return -99
	}
	return int64(*p)
}

// hexText is an address as reports write it, "" for none.
func hexText(v uint64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("0x%x", v)
}

// compare holds a report against the truth.
func (w *world) compare(r *report.Report) *tally {
	c := &tally{}
	locks := make(map[string]*report.Resource)
	for _, res := range r.Resources.Slice() {
		locks[res.Address] = &res
	}
	threads := make(map[string]*report.Thread)
	for _, th := range r.Threads.Slice() {
		threads[th.Address] = &th
	}
	sameFact(c, "report", "resources", len(locks), len(w.locks))
	for _, l := range w.locks {
		if got := locks[hexText(l.addr)]; got != nil {
			w.compareLock(c, got, l)
		} else {
			sameFact(c, hexText(l.addr), "resource is there", false, true)
		}
	}
	for _, t := range w.threads {
		if t.where == nowhere {
			continue
		}
		if got := threads[hexText(t.addr)]; got != nil {
			w.compareThread(c, got, t)
		} else {
			sameFact(c, hexText(t.addr), "thread is there", false, true)
		}
	}
	return c
}

func (w *world) compareLock(c *tally, got *report.Resource, l *resource) {
	at := fmt.Sprintf("resource %#x", l.addr)
	mode := "exclusive"
	if l.shared {
		mode = "shared"
		sameFact(c, at, "owning threads", factOf(got.OwningThreads), int64(len(l.owners)))
	}
	sameFact(c, at, "mode", got.Mode, mode)
	sameFact(c, at, "symbol", got.Symbol, l.symbol)
	sameFact(c, at, "contention", factOf(got.Contention), int64(l.contention))
	sameFact(c, at, "shared waiters", factOf(got.SharedWaiterCount), int64(len(l.sharedWait)+l.announced))
	sameFact(c, at, "exclusive waiters", factOf(got.ExclusiveWaiterCount), int64(len(l.exclWait)))
	sameFact(c, at, "exclusive waiter list", fmt.Sprint(waiterList(got.ExclusiveWaiters)), fmt.Sprint(threadList(l.exclWait)))
	if l.announced != 0 {
		return // a list that contradicts its counts has no roles
	}
	sameFact(c, at, "shared waiter list", fmt.Sprint(waiterList(got.SharedWaiters)), fmt.Sprint(threadList(l.sharedWait)))
	sameFact(c, at, "owners", len(got.Owners), len(l.owners))
	for i := range min(len(got.Owners), len(l.owners)) {
		w.compareOwner(c, at, got.Owners[i], l.owners[i])
	}
}

func (w *world) compareOwner(c *tally, at string, got report.Owner, o owner) {
	at = fmt.Sprintf("%s owner %#x", at, o.raw)
	sameFact(c, at, "raw", got.Raw, hexText(o.raw))
	sameFact(c, at, "count", factOf(got.Count), int64(o.count))
	sameFact(c, at, "how", got.How, o.how)
	want := ""
	if o.thread != nil {
		want = hexText(o.thread.addr)
	}
	sameFact(c, at, "thread", got.Thread, want)
	live := map[int]string{0: "unknown", 1: "true", -1: "false"}[o.live]
	if got.Live != nil {
		sameFact(c, at, "live", fmt.Sprint(*got.Live), live)
	} else {
		sameFact(c, at, "live", "unknown", live)
	}
	if o.live < 0 || o.frame >= 0 {
		sameFact(c, at, "frame", factOf(got.Frame), int64(map[bool]int{true: o.frame, false: -99}[o.frame >= 0]))
	}
	if o.setBy == "" {
		return
	}
	if got.SetBy == nil {
		sameFact(c, at, "set by", "", o.setBy)
		return
	}
	sameFact(c, at, "set by", got.SetBy.Module+"!"+got.SetBy.Function, o.setBy)
}

func waiterList(ws []report.Waiter) []string {
	out := []string{}
	for _, w := range ws {
		out = append(out, w.Thread)
	}
	return out
}

func threadList(ts []*thread) []string {
	out := []string{}
	for _, t := range ts {
		out = append(out, hexText(t.addr))
	}
	return out
}

func (w *world) compareThread(c *tally, got *report.Thread, t *thread) {
	at := fmt.Sprintf("thread %#x", t.addr)
	sameFact(c, at, "cid", got.CID, fmt.Sprintf("%04x.%04x", t.pid, t.tid))
	sameFact(c, at, "state", got.State, t.state)
	sameFact(c, at, "wait reason", got.WaitReason, t.reason)
	sameFact(c, at, "wait mode", got.WaitMode, t.mode)
	if t.state == "waiting" {
		sameFact(c, at, "alertable", got.Alertable != nil && *got.Alertable, t.alertable)
	}
	if t.state == "running" {
		sameFact(c, at, "processor", factOf(got.Processor), int64(t.processor))
	}
	if got.Process == nil {
		sameFact(c, at, "process", "", t.image)
	} else {
		sameFact(c, at, "process", got.Process.Address+" "+got.Process.Image, hexText(t.proc)+" "+t.image)
	}
	sameFact(c, at, "wait objects", fmt.Sprint(gotObjects(got)), fmt.Sprint(wantObjects(t)))
	sameFact(c, at, "IRPs", len(got.IRPs), len(t.irps))
	sameFact(c, at, "wait start", factOf(got.WaitStartTick), t.start)
	sameFact(c, at, "ticks", factOf(got.WaitTicks), t.ticks)
	if t.ticks > 0 {
		sameFact(c, at, "ms", factOf(got.WaitMS), t.ms())
	}
	sameFact(c, at, "context switches", factOf(got.ContextSwitches), t.switches)
	sameFact(c, at, "priority", factOf(got.Priority), int64(t.prio))
	sameFact(c, at, "base priority", factOf(got.BasePriority), int64(t.basePrio))
	w.compareStack(c, at, got, t)
}

func gotObjects(t *report.Thread) []string {
	out := []string{}
	for _, o := range t.WaitObjects {
		out = append(out, o.Address+" "+o.Kind+" "+o.Owner)
	}
	return out
}

func wantObjects(t *thread) []string {
	out := []string{}
	for _, o := range t.objects {
		out = append(out, hexText(o.addr)+" "+o.kind+" "+hexText(o.owner))
	}
	return out
}

func (w *world) compareStack(c *tally, at string, got *report.Thread, t *thread) {
	if t.limit == 0 {
		return
	}
	if got.Stack == nil {
		sameFact(c, at, "stack", "", "one")
		return
	}
	s := got.Stack
	sameFact(c, at, "stack range", fmt.Sprint(s.Init, s.Current, s.Base, s.Limit), fmt.Sprint(hexText(t.init), hexText(t.current), hexText(t.base), hexText(t.limit)))
	sameFact(c, at, "frames", len(got.Frames), len(t.frames))
	for i := range min(len(got.Frames), len(t.frames)) {
		g, f := got.Frames[i], t.frames[i]
		where := fmt.Sprintf("%s frame %d", at, i)
		sameFact(c, where, "index", g.Index, i)
		sameFact(c, where, "inline", g.Inline, f.inline)
		sameFact(c, where, "trap", g.Trap, hexText(f.trap))
		sameFact(c, where, "symbol", g.Module+"!"+g.Function+strings.ToLower(g.Symbol), f.name()+f.symbol)
		if f.inline {
			sameFact(c, where, "child sp", g.ChildSP, "")
		} else { // a printed zero is a known zero
			sameFact(c, where, "child sp", g.ChildSP, fmt.Sprintf("0x%x", f.sp))
			sameFact(c, where, "ret", g.RetAddr, fmt.Sprintf("0x%x", f.ret))
		}
		if f.offset >= 0 {
			sameFact(c, where, "offset", factOf(g.Offset), f.offset)
		}
	}
}

// inOrder returns addresses in order, as a set is compared.
func inOrder(list []string) []string {
	out := slices.Clone(list)
	slices.Sort(out)
	return out
}
