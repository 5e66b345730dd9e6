package heuristics

import (
	"fmt"

	"kdlocks/threads"
	"kdlocks/waitgraph"
)

// What else than the other threads may end a wait of a cycle: an APC or alert an
// alertable one, the end of its process one in user mode (Microsoft Learn: Waits
// and APCs). Waits for an ERESOURCE are neither.

// mostEnds bounds the threads of a cycle that are looked at for it.
const mostEnds = 4096

// alertable returns the first thread of a cycle whose wait is alertable and for
// no ERESOURCE, nil if there is none.
func (d *diagnosis) alertable(cycle []Step) *threads.Thread {
	return d.waitsSo(cycle, func(t *threads.Thread) bool { return t.Alertable == threads.Yes })
}

// waitsSo returns the first thread of a cycle that waits for no ERESOURCE, and in
// some way; nil if there is none.
func (d *diagnosis) waitsSo(cycle []Step, so func(*threads.Thread) bool) *threads.Thread {
	for _, s := range cycle[:min(len(cycle), mostEnds)] {
		if s.What == waitgraph.ERESOURCE || s.Thread == 0 {
			continue
		}
		if t := d.snap.Thread(s.Thread); t != nil && t.State == threads.Waiting && so(t) {
			return t
		}
	}
	return nil
}

// tellAlertable says of a cycle that one of its waits is alertable, "" if none is.
func (d *diagnosis) tellAlertable(cycle []Step) string {
	t := d.alertable(cycle)
	switch {
	case t == nil:
		return ""
	case t.WaitMode == "UserMode":
		return fmt.Sprintf(" %s waits alertable in user mode (line %d): an APC that is queued to it ends the wait. That makes it less than certain.", capital(d.thread(t.Addr)), t.At.Line)
	}
	return fmt.Sprintf(" %s waits alertable (line %d): an alert ends the wait. That makes it less than certain.", capital(d.thread(t.Addr)), t.At.Line)
}

// anotherOwner disproves any cycle.
const anotherOwner = "A second capture shows another owner or another waiter on any lock of the cycle."

// disproofOf says what would refute a cycle.
func disproofOf(cycle []Step) string {
	with, without := false, false
	for _, s := range cycle {
		with, without = with || s.What == waitgraph.ERESOURCE, without || s.What != waitgraph.ERESOURCE
	}
	switch {
	case !without:
		return anotherOwner + " A changed wait time or context switch count proves nothing: waits for an ERESOURCE are begun anew every few seconds."
	case !with:
		return anotherOwner + " A changed context switch count of one of its threads speaks against it, too: such waits are not begun anew."
	}
	return anotherOwner + " A changed wait time or context switch count of a thread that waits for an ERESOURCE proves nothing: such a wait is begun anew every few seconds. Of the other threads a changed count speaks against the cycle."
}

// inOneOrder is what the developer of a cycle must mind.
const inOneOrder = " Look on their stacks for the order in which the locks are taken: every thread must take them in the same order, and must not call out while it holds one."

// remedyOf says what frees the threads of a cycle.
func (d *diagnosis) remedyOf(cycle []Step) string {
	t := d.waitsSo(cycle, func(t *threads.Thread) bool { return t.User || t.WaitMode == "UserMode" && t.Process.Image != "System" })
	if t == nil {
		return "Only a restart frees the threads." + inOneOrder
	}
	process := "the process of " + d.thread(t.Addr)
	if t.Process.Addr != 0 {
		process = "process " + d.addr(t.Process.Addr)
		if t.Process.Image != "" {
			process += " (" + t.Process.Image + ")"
		}
	}
	return fmt.Sprintf("To end %s may free the threads: %s waits in user mode, and such a wait ends with its process. A restart does in any case.", process, d.thread(t.Addr)) + inOneOrder
}
