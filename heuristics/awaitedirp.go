package heuristics

import (
	"fmt"
	"strings"

	"kdlocks/kd"
	"kdlocks/objects"
	"kdlocks/stacks"
	"kdlocks/threads"
)

// printedIRP returns what !irp or !irpfind printed of an IRP, nil if nothing did
// or two prints contradict each other.
func (d *diagnosis) printedIRP(a kd.Addr) *objects.IRP {
	if p := d.snap.IRP(a); p != nil && p.Conflict == "" {
		return p
	}
	return nil
}

// allComplete reports whether a thread has IRPs and all are printed as complete.
func (d *diagnosis) allComplete(t *threads.Thread) bool {
	for _, i := range t.IRPs {
		if p := d.printedIRP(i.Addr); p == nil || !p.Complete {
			return false
		}
	}
	return len(t.IRPs) > 0
}

// ioState corrects what is said of a wait for I/O by what was printed of the
// thread's IRPs: a page that is read in has none in the list.
func (d *diagnosis) ioState(t *threads.Thread, text string) string {
	if !d.allComplete(t) || ioReasons[t.WaitReason] {
		return text
	}
	what := "its IRP is printed as complete"
	if len(t.IRPs) > 1 {
		what = fmt.Sprintf("its %d IRPs are printed as complete", len(t.IRPs))
	}
	if w := t.Waits(); w.Frame >= 0 && w.Frame < len(t.Stack.Frames) && w.For != threads.ForUnknown {
		what += " (" + t.Stack.Frames[w.Frame].Name() + " waits)"
	}
	return what + ", so it waits for something else"
}

// mostIRPs bounds the IRPs of one thread that are told.
const mostIRPs = 4

// tellIRPs says which driver has the IRPs of a root, as far as it was printed.
func (d *diagnosis) tellIRPs(f *Finding, t *threads.Thread) {
	told := 0
	for _, i := range t.IRPs {
		p := d.printedIRP(i.Addr)
		if p == nil || told == mostIRPs {
			continue
		}
		told++
		if p.AddrAt.Known() {
			f.seen(p.AddrAt, p.Addr, "the IRP was printed")
		}
		if p.Complete {
			f.Explanation += fmt.Sprintf(" IRP %s is printed as complete (line %d): no driver has it any more.", d.addr(i.Addr), p.At.Line)
			continue
		}
		d.tellDriver(f, p)
	}
	if d.allComplete(t) && f.Check == rootIO.check && !ioReasons[t.WaitReason] {
		f.Confidence = Possible
		f.Disproof = "A second capture shows the thread going on."
		f.Remedy = "Look at the stack for what the thread waits for: its IRPs are complete. Where a completion routine keeps an IRP, the driver of that routine must end it."
	}
}

// tellDriver says which driver has an IRP that is not complete.
func (d *diagnosis) tellDriver(f *Finding, p *objects.IRP) {
	driver, pending := p.Driver()
	if driver == "" {
		return
	}
	l := p.CurrentLocation()
	what := "IRP"
	if l.MajorName != "" {
		what = l.MajorName
	}
	f.Explanation += fmt.Sprintf(" IRP %s (%s) is with %s", d.addr(p.Addr), what, driver)
	switch pending {
	case objects.Yes:
		f.Explanation += ", which marked it pending"
	case objects.No:
		f.Explanation += ", which has not marked it pending"
	}
	f.Explanation += fmt.Sprintf(" (line %d).", p.At.Line)
	if !strings.Contains(f.Summary, driver) {
		f.Summary = strings.TrimSuffix(f.Summary, ".") + fmt.Sprintf("; %s has IRP %s.", driver, d.addr(p.Addr))
	}
	if l.Device.Known() && l.Device.Addr != 0 {
		f.seen(l.Device.At, l.Device.Addr, "the driver that has the IRP")
		f.Next = append(f.Next, "!devobj "+d.addr(l.Device.Addr))
	}
	if f.Check == rootIO.check {
		f.Remedy = fmt.Sprintf("Find out why %s does not complete the IRP.", driver)
	}
	if m := driver[strings.LastIndexByte(driver, '\\')+1:]; f.Suspect == nil && m != "" && !stacks.OfWindows(m) {
		f.Suspect = &Suspect{Module: m, Reason: "its driver has the IRP, as printed"}
		f.Next = append(f.Next, "lmvm "+m)
	}
}

// nextForIRPs asks for the IRPs of a thread that were not printed.
func (d *diagnosis) nextForIRPs(t *threads.Thread) []string {
	var out []string
	for _, i := range t.IRPs {
		if p := d.printedIRP(i.Addr); p == nil || p.Row {
			out = append(out, "!irp "+d.addr(i.Addr))
		}
	}
	return out
}
