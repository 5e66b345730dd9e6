package dump

import (
	"fmt"

	"kdlocks/kd"
)

// mostFree is how many resources are listed that nobody owns or waits for.
const mostFree = 100_000

// resources writes !locks.
func (p *printer) resources() {
	if p.d.kdbg.resources == 0 {
		return // where the list begins is not known: that is not a list of none
	}
	p.command("!locks -v")
	p.print("**** DUMP OF ALL RESOURCE OBJECTS ****")
	p.counts = p.f.counts()
	held, fast := 0, []uint64(nil)
	for _, r := range p.f.Resources {
		if r.Fast {
			fast = append(fast, r.VA)
			continue
		}
		if p.owned(r) {
			held++
		}
		p.resource(r)
	}
	for i, free := range p.f.Free {
		if i == mostFree {
			p.d.note("%d resources that nobody owns or waits for are not listed", len(p.f.Free)-mostFree)
			break
		}
		p.out.about(free.VA)
		p.end(p.named(p.begin("Resource @ "), free.VA).s("    Available"))
		p.contention(free.Contention)
	}
	p.out.about(p.d.kdbg.resources)
	p.print("")
	p.print("%d total locks, %d locks currently held", len(p.f.Resources)+len(p.f.Free), held)
	p.tellFast(fast)
}

// tellFast tells of resources whose owners are not read.
func (p *printer) tellFast(fast []uint64) {
	if len(fast) == 0 {
		return
	}
	p.d.gap(fmt.Sprintf("owners and waiters of %s (0x%x and others): how those are laid out is not public", kd.Plural(len(fast), "fast resource"), fast[0]), kd.Unreadable, fmt.Sprintf("!locks -v %x", fast[0]), false)
}

// named writes the address of a resource, with its symbol if it is in a module.
func (p *printer) named(l line, va uint64) line {
	if m := p.d.module(va); m != nil {
		return l.s(p.d.symbol(va)).s(" (0x").hex(va, 16).s(")")
	}
	return l.s("0x").hex(va, 16)
}

func (p *printer) contention(n uint32) {
	if n != 0 {
		p.end(p.begin("    Contention Count = ").dec(int64(n), 0))
	}
}

func (p *printer) resource(r *Resource) {
	p.out.about(r.VA)
	p.print("")
	mode := "Available"
	switch {
	case !p.owned(r):
	case r.ExclusivelyOwned():
		mode = "Exclusively owned"
	default:
		mode = fmt.Sprintf("Shared %d owning threads", r.owning())
	}
	p.end(p.named(p.begin("Resource @ "), r.VA).s("    ").s(mode))
	p.contention(r.Contention)
	if r.SharedCount != 0 {
		p.print("    NumberOfSharedWaiters = %d", r.SharedCount)
	}
	if r.ExclusiveCount != 0 {
		p.print("    NumberOfExclusiveWaiters = %d", r.ExclusiveCount)
	}
	if r.Doubt != "" {
		p.print("    WARNING: Lists disagree: %s", r.Doubt)
	}
	p.owners(r)
	p.exclusive(r)
}

// owned reports whether somebody owns a resource: by its count, where resources have one,
// whatever its owner entries say.
func (p *printer) owned(r *Resource) bool {
	return r.Active != 0 || len(r.Owners) > 0 && !p.counts
}

// owning counts the owners of a resource that is owned shared.
func (r *Resource) owning() int {
	return max(len(r.Owners), int(r.Active))
}

// owners writes the list of owners and shared waiters: four to a line, and one that is no
// thread at the end of its own.
func (p *printer) owners(r *Resource) {
	if len(r.Owners)+len(r.Shared) == 0 {
		return
	}
	p.line = append(p.line[:0], "     Threads: "...)
	n := 0
	next := func() {
		p.out.add(p.line)
		p.line, n = append(p.line[:0], "              "...), 0
	}
	for _, o := range r.Owners {
		if n == 4 {
			next()
		}
		p.line = fmt.Appendf(p.line, "%016x-%02x<*> ", o.Thread, o.Count)
		n++
		if remark := p.remark(o); remark != "" {
			p.line = append(p.line, remark...)
			next()
		}
	}
	for _, va := range r.Shared {
		if n == 4 {
			next()
		}
		p.line = fmt.Appendf(p.line, "%016x-01    ", va)
		n++
	}
	if n > 0 {
		p.out.add(p.line)
	}
}

// remark is what a debugger says of an owner that is no thread.
func (p *printer) remark(o Owner) string {
	thread := p.f.thread[o.Thread&^3]
	switch {
	case o.Thread&3 == 0 && thread != nil:
		return ""
	case thread != nil:
		return fmt.Sprintf("*** Actual Thread %016x", o.Thread&^3)
	}
	return "*** Unknown owner, possibly FileSystem"
}

func (p *printer) exclusive(r *Resource) {
	if len(r.Exclusive) == 0 {
		return
	}
	p.print("     Threads Waiting On Exclusive Access:")
	for i := 0; i < len(r.Exclusive); i += 4 {
		p.line = append(p.line[:0], "              "...)
		for _, va := range r.Exclusive[i:min(i+4, len(r.Exclusive))] {
			p.line = fmt.Appendf(p.line, "%016x       ", va)
		}
		p.out.add(p.line)
	}
}
