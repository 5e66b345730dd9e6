package dump

import (
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
	p.print("        THREAD %016x  Cid %04x.%04x  Teb: %016x Win32Thread: %016x %s", t.VA, t.PID, t.TID, t.Teb, t.Win32, state(t))
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
		return fmt.Sprintf("%s: (%s) %s %s", t.State, reasonName(t.Reason), mode, alertable)
	case t.running != nil:
		return fmt.Sprintf("RUNNING on processor %x", t.running.number)
	case t.State == Ready, t.State == Standby, t.State == Running, t.State == DeferredReady:
		return fmt.Sprintf("%s on processor %x", t.State, t.NextProcessor)
	}
	return t.State.String()
}

func (p *printer) waitObjects(t *Thread) {
	for _, o := range t.Objects {
		p.print("            %016x  %s", o.VA, o.kind())
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
	p.print("        Owning Process            %016x       Image:         %s", t.Process, p.image(t.Process))
	if t.Attached != 0 {
		p.print("        Attached Process          %016x       Image:         %s", t.Attached, p.image(t.Attached))
	} else {
		p.print("        Attached Process          N/A            Image:         N/A")
	}
	p.print("        Wait Start TickCount      %-14d%s", t.WaitTime, p.ticks(t))
	p.print("        Context Switch Count      %d", t.ContextSwitches)
	p.print("        UserTime                  %s", p.clock(t.User))
	p.print("        KernelTime                %s", p.clock(t.Kernel))
	if t.Entry != 0 {
		p.print("        Win32 Start Address %s (0x%016x)", p.d.symbol(t.Entry), t.Entry)
	}
	if t.Start != 0 && t.Start != t.Entry {
		p.print("        Start Address %s (0x%016x)", p.d.symbol(t.Start), t.Start)
	}
	p.stackRange(t)
	p.print("        Priority %d BasePriority %d PriorityDecrement %d", t.Priority, t.BasePriority, t.Decrement)
	if !t.Resident {
		p.print("        Kernel stack not resident.")
	}
}

func (p *printer) stackRange(t *Thread) {
	p.print("        Stack Init %016x Current %016x", t.Init, t.Current)
	p.print("        Base %016x Limit %016x Call 0000000000000000", t.Base, t.Limit)
}

func (p *printer) image(process uint64) string {
	if proc := p.f.process[process]; proc != nil && proc.Image != "" {
		return proc.Image
	}
	return "<Unknown>"
}

// ticks writes how long a thread has waited. The count of ticks wraps.
func (p *printer) ticks(t *Thread) string {
	if p.f.Ticks == 0 {
		return ""
	}
	n := p.f.Ticks - t.WaitTime
	if int32(n) < 0 || n == 0 {
		return "  Ticks: 0"
	}
	if p.f.Tick == 0 {
		return fmt.Sprintf("  Ticks: %d", n)
	}
	return fmt.Sprintf("  Ticks: %d (%s)", n, elapsed(time.Duration(n)*p.f.Tick))
}

// clock writes a number of ticks as a time: "00:00:00.062".
func (p *printer) clock(ticks uint32) string {
	d := time.Duration(ticks) * p.f.Tick
	return fmt.Sprintf("%02d:%02d:%02d.%03d", d/time.Hour, d/time.Minute%60, d/time.Second%60, d/time.Millisecond%1000)
}

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
		p.print("        %s %s : %s %s %s %s : %s", tick(f.SP), tick(f.Ret), tick(f.Args[0]), tick(f.Args[1]), tick(f.Args[2]), tick(f.Args[3]), p.d.symbol(f.IP))
	}
}
