package dump

import (
	"cmp"
	"fmt"
	"time"

	"kdlocks/kd"
)

// triage writes the thread of a small dump.
func (p *printer) triage(t *triage) {
	if t.thread == nil {
		return
	}
	p.command("!thread %x", t.thread.VA)
	if t.thread.unread {
		p.print("        THREAD %016x", t.thread.VA)
		p.stackRange(t.thread)
		return
	}
	p.f = &Facts{process: map[uint64]*Process{t.process.VA: t.process}}
	p.head(t.thread)
	p.properties(t.thread)
}

// thread writes a THREAD block with its stack.
func (p *printer) thread(t *Thread) {
	p.out.about(t.VA)
	p.print("")
	if t.unread {
		p.print("        THREAD %016x", t.VA)
		return
	}
	p.head(t)
	if t.Suspended > 0 && t.Suspended < 0x80 {
		p.print("        SuspendCount %d", t.Suspended)
	}
	p.waitObjects(t)
	if len(t.IRPs) > 0 {
		p.print("        IRP List:")
		for _, irp := range t.IRPs {
			p.print("            %016x: (0006,%04x) Flags: 00000000  Mdl: 00000000", irp, p.d.layout.at(irpSize))
		}
	}
	p.properties(t)
	frames, why := p.d.stack(t)
	for _, g := range p.d.segments(t, frames) {
		inferred := ""
		if g.Inferred {
			inferred = " inferred"
		}
		p.print("        Previous stack segment: Base %016x Limit %016x Current %016x%s", g.Base, g.Limit, g.Current, inferred)
	}
	p.stack(t, frames, why)
}

func (p *printer) head(t *Thread) {
	l := p.begin("        THREAD ").hex(t.VA, 16).s("  Cid ").hex(t.PID, 4).s(".").hex(t.TID, 4)
	p.end(l.s("  Teb: ").hex(t.Teb, 16).s(" Win32Thread: ").hex(t.Win32, 16).s(" ").s(state(t)))
}

// state writes "WAIT: (WrResource) KernelMode Non-Alertable".
func state(t *Thread) string {
	switch {
	case t.waits():
		mode, alertable := "KernelMode", "Non-Alertable"
		if t.UserMode {
			mode = "UserMode"
		}
		if t.Alertable {
			alertable = "Alertable"
		}
		return t.State.String() + ": (" + reasonName(t.Reason) + ") " + mode + " " + alertable
	case t.running != nil:
		return fmt.Sprintf("RUNNING on processor %x", t.running.number)
	case t.State == Ready, t.State == Standby, t.State == Running, t.State == DeferredReady:
		return fmt.Sprintf("%s on processor %x", t.State, t.NextProcessor)
	}
	return t.State.String()
}

func (p *printer) waitObjects(t *Thread) {
	for _, o := range t.Objects {
		p.end(p.begin("            ").hex(o.VA, 16).s("  ").s(o.kind()))
	}
	if !t.Timed || !t.waits() {
		return
	}
	for _, o := range t.Objects {
		if o.VA == t.timer {
			return
		}
	}
	p.print("            %016x  NotificationTimer", t.timer)
}

// kind is the debugger's word for a dispatcher object.
func (o *WaitObject) kind() string {
	if !o.Read {
		return "Unknown"
	}
	switch o.Type {
	case notificationEvent:
		return "NotificationEvent"
	case synchronizationEvent:
		return "SynchronizationEvent"
	case mutantObject:
		return fmt.Sprintf("Mutant - owning thread %016x", o.Owner)
	case processObject:
		return "ProcessObject"
	case queueObject, priorityQueue:
		return "QueueObject"
	case semaphoreObject:
		return fmt.Sprintf("Semaphore Limit 0x%x", o.Limit)
	case threadObject:
		return "Thread"
	case gateObject:
		return "Gate"
	case notificationTimer, notificationTimer2:
		return "NotificationTimer"
	case synchronizationTimer, synchronizationTimer2:
		return "SynchronizationTimer"
	}
	return "Unknown"
}

func (p *printer) properties(t *Thread) {
	p.print("        Not impersonating")
	p.end(p.begin("        Owning Process            ").hex(t.Process, 16).s("       Image:         ").s(p.image(t.Process)))
	if t.Attached != 0 {
		p.print("        Attached Process          %016x       Image:         %s", t.Attached, p.image(t.Attached))
	} else {
		p.print("        Attached Process          N/A            Image:         N/A")
	}
	p.end(p.ticks(p.begin("        Wait Start TickCount      ").dec(int64(t.WaitTime), 14), t))
	p.end(p.begin("        Context Switch Count      ").dec(int64(t.ContextSwitches), 0))
	p.end(p.clock(p.begin("        UserTime                  "), t.User))
	p.end(p.clock(p.begin("        KernelTime                "), t.Kernel))
	if at := cmp.Or(t.Entry, t.Start); at != 0 {
		p.end(p.begin("        Win32 Start Address ").s(p.d.symbol(at)).s(" (0x").hex(at, 16).s(")"))
	}
	p.stackRange(t)
	l := p.begin("        Priority ").dec(int64(t.Priority), 0).s(" BasePriority ").dec(int64(t.BasePriority), 0)
	p.end(l.s(" PriorityDecrement ").dec(int64(t.Decrement), 0))
	if !t.Resident {
		p.print("        Kernel stack not resident.")
	}
}

func (p *printer) stackRange(t *Thread) {
	p.end(p.begin("        Stack Init ").hex(t.Init, 16).s(" Current ").hex(t.Current, 16))
	p.end(p.begin("        Base ").hex(t.Base, 16).s(" Limit ").hex(t.Limit, 16).s(" Call 0000000000000000"))
}

func (p *printer) image(process uint64) string {
	if proc := p.f.process[process]; proc != nil && proc.Image != "" {
		return proc.Image
	}
	return "<Unknown>"
}

// ticks writes how long a thread has waited. The count of ticks wraps.
func (p *printer) ticks(l line, t *Thread) line {
	if p.f.Ticks == 0 {
		return l
	}
	n := p.f.Ticks - t.WaitTime
	if int32(n) < 0 || n == 0 {
		return l.s("  Ticks: 0")
	}
	l = l.s("  Ticks: ").dec(int64(n), 0)
	if p.f.Tick == 0 {
		return l
	}
	d := time.Duration(n) * p.f.Tick
	l = l.s(" (").dec(int64(d/(24*time.Hour)), 0).s(":")
	return l.time(d % (24 * time.Hour)).s(")")
}

// clock writes a number of ticks as a time: "00:00:00.062".
func (p *printer) clock(l line, ticks uint32) line { return l.time(time.Duration(ticks) * p.f.Tick) }

// ScanWarning is the line above frames that were found by a search for return addresses.
const ScanWarning = "WARNING: Frames below were found by a scan of the stack, and may be wrong."

// stack writes the frames of a thread.
func (p *printer) stack(t *Thread, frames []Frame, why error) {
	if why != nil {
		if p.ends++; p.ends <= mostEnds {
			p.d.gap(fmt.Sprintf("the stack of thread 0x%x beyond %s: %v", t.VA, kd.Plural(len(frames), "frame"), why), kd.NotInDump, fmt.Sprintf("!thread %x 1f", t.VA), false)
		}
	}
	if len(frames) == 0 {
		return
	}
	p.print("        Child-SP          RetAddr           : Args to Child                                                           : Call Site")
	scanned := false
	for i := range frames {
		f := &frames[i]
		if f.Scanned && !scanned {
			scanned = true
			p.print("        %s", ScanWarning)
		}
		l := p.begin("        ").tick(f.SP).s(" ").tick(f.Ret).s(" :")
		for _, v := range f.Args {
			l = l.s(" ").tick(v)
		}
		p.end(l.s(" : ").s(p.d.symbol(f.IP)))
	}
}
