package heuristics

import (
	"fmt"

	"kdlocks/kd"
)

var powerIRP = &Check{
	ID:       "power-irp-blocked",
	Title:    "A driver has not completed a power IRP",
	Severity: High,
	Means: `The machine stopped with 0x9F and 3 as the first argument: a device object has kept a power IRP for too long. The fourth argument is the IRP, the second the physical device object. Locks that are owned meanwhile are victims of it, if at all.
Seen must be: the stop code with its arguments.`,
	WhenWrong:  `The driver named last in the IRP is not always the one that keeps it: the current stack location says which driver has it now, and that one can wait for another device.`,
	Disproof:   "!irp shows that the IRP was completed.",
	Remedy:     "See in which driver the IRP is, and what that driver waits for: its power routine, its queue, its work item.",
	Next:       "!irp <fourth argument>",
	References: []string{"Microsoft Learn: Bug check 0x9F: DRIVER_POWER_STATE_FAILURE"},
}

func init() {
	register(powerIRP, func(d *diagnosis) []Finding {
		s := d.stop
		if s == nil || s.code != driverPowerStateFailure || s.arg(1) != 3 || !s.arg(4).IsKernel(d.snap.Target.Arch) {
			return nil
		}
		f := powerIRP.finding(BlockedChain)
		f.Confidence = VeryLikely
		f.seen(s.at, kd.Addr(s.code), "why the machine stopped")
		f.Summary = fmt.Sprintf("A driver has not completed the power IRP %s in time (stop %s): the stop is about that IRP, not about a lock.", d.addr(s.arg(4)), s)
		f.Explanation = "The fourth argument of the stop code is the IRP that was blocked."
		f.Next = []string{"!irp " + d.addr(s.arg(4))}
		if pdo := s.arg(2); pdo.IsKernel(d.snap.Target.Arch) {
			f.Explanation += fmt.Sprintf(" The second is the physical device object of the stack, %s.", d.addr(pdo))
			f.Next = append(f.Next, "!devstack "+d.addr(pdo))
		}
		for _, t := range d.snap.Threads {
			for _, irp := range t.IRPs {
				if irp.Addr == s.arg(4) {
					f.seen(irp.At, irp.Addr, "a thread that has the IRP")
					f.Threads = append(f.Threads, t.Addr)
				}
			}
		}
		return []Finding{f}
	})
}
