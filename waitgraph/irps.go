package waitgraph

import (
	"maps"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/stacks"
	"kdlocks/threads"
)

// mayWaitForIRP reports whether nothing says that a thread waits for something
// else than the completion of an IRP: its list holds all that it has issued and
// that are not complete, also those that it does not wait for.
func mayWaitForIRP(t *threads.Thread) bool {
	switch t.Waits().For {
	case threads.ForIO:
		return true
	case threads.ForUnknown:
	default:
		return false
	}
	switch t.WaitReason {
	case "", "Executive", "WrExecutive", "Unknown":
	default:
		return false
	}
	return t.WaitMode != "UserMode" && len(t.WaitObjects) < 2 && t.Suspended+t.Frozen <= 0 && t.FindFrame("KeDelayExecutionThread") < 0
}

// openIRPs are the IRPs of a thread that are not printed as complete.
func (g *Graph) openIRPs(t *threads.Thread) []kd.Addr {
	var out []kd.Addr
	for _, irp := range t.IRPs {
		if p := g.Snap.IRP(irp.Addr); p == nil || !p.Complete {
			out = append(out, irp.Addr)
		}
	}
	return out
}

// holder is a frame that shows an IRP as an argument.
type holder struct {
	thread *threads.Thread
	node   int // -1 if the thread is not in the graph
	frame  int
}

// guessCompleter joins threads to the blocked ones whose stacks show their IRP
// as an argument.
func (g *Graph) guessCompleter(asked map[kd.Addr][]int) {
	// Most IRPs are on no blocked stack: only of those that are, all are asked.
	held := g.holders(asked, func(node int) bool { return node >= 0 && g.waits(node) })
	if len(held) == 0 {
		return
	}
	for irp := range asked {
		if held[irp] == nil {
			delete(asked, irp)
		}
	}
	holders := g.holders(asked, func(int) bool { return true })
	for _, irp := range slices.Sorted(maps.Keys(holders)) {
		for _, from := range asked[irp] {
			g.joinHolders(from, irp, holders[irp])
		}
	}
}

// holders returns the frames that show IRPs as arguments, of the threads that are
// meant: by their nodes, -1 for one that is not in the graph.
func (g *Graph) holders(asked map[kd.Addr][]int, meant func(node int) bool) map[kd.Addr][]holder {
	holders := make(map[kd.Addr][]holder)
	for _, t := range g.Snap.Threads {
		node := g.Find(t.Addr)
		if !meant(node) {
			continue
		}
		for i := range t.Stack.Frames {
			f := &t.Stack.Frames[i]
			if strings.HasPrefix(f.Function, "Ki") {
				continue
			}
			for _, arg := range f.Args {
				hs := holders[arg]
				if asked[arg] != nil && (len(hs) == 0 || hs[len(hs)-1].thread != t || hs[len(hs)-1].frame != i) {
					holders[arg] = append(hs, holder{t, node, i})
				}
			}
		}
	}
	return holders
}

// inStacks reports whether any stack of the input has a frame of a module.
func (g *Graph) inStacks(module string) bool {
	return slices.ContainsFunc(g.Snap.Threads, func(t *threads.Thread) bool { return shows(t, module) })
}

// joinHolders draws who may have to complete the IRP of a thread: nobody where a
// thread with it runs. !irp may say which driver has it: a thread without a frame
// of that driver does not work on it, if the driver is known by the name of its
// module; and on x86, where arguments are what the caller passed, it is no guess
// that the only thread with it in a routine of the driver does.
func (g *Graph) joinHolders(from int, irp kd.Addr, hs []holder) {
	driver := g.driverOf(irp)
	known := driver != "" && (stacks.OfWindows(driver) || g.inStacks(driver))
	hs = slices.DeleteFunc(slices.Clone(hs), func(h holder) bool { return h.node == from })
	if slices.ContainsFunc(hs, func(h holder) bool { return h.thread.OnProcessor() }) {
		return
	}
	one := !slices.ContainsFunc(hs, func(h holder) bool { return h.thread != hs[0].thread }) && len(g.openIRPs(g.ThreadOf(from))) == 1
	for _, h := range hs {
		if h.node < 0 || !g.waits(h.node) || known && !shows(h.thread, driver) {
			continue
		}
		f := &h.thread.Stack.Frames[h.frame]
		end := Edge{To: h.node, Grade: D, At: f.At, About: irp, Guess: true}
		if h.thread.Stack.X86 {
			end.Grade = C
			end.Guess = !one || driver == "" || !strings.EqualFold(f.Module, driver)
		}
		g.mayEnd(from, Node{Kind: Object, What: IRP, Addr: irp}, g.irpAt(g.Nodes[from].Addr, irp), end)
	}
}

// driverOf returns the driver that has an IRP as !irp prints it, as modules are
// named: Ntfs of \FileSystem\Ntfs; "" if that is not known.
func (g *Graph) driverOf(irp kd.Addr) string {
	p := g.Snap.IRP(irp)
	if p == nil || p.Conflict != "" || p.Complete {
		return ""
	}
	driver, _ := p.Driver()
	return driver[strings.LastIndexByte(driver, '\\')+1:]
}

// shows reports whether a stack has a frame of a module.
func shows(t *threads.Thread, module string) bool {
	return slices.ContainsFunc(t.Stack.Frames, func(f stacks.Frame) bool { return strings.EqualFold(f.Module, module) })
}

// irpAt is where an IRP stands in the list of the thread that issued it.
func (g *Graph) irpAt(thread, irp kd.Addr) kd.Ref {
	t := g.Snap.Thread(thread)
	for _, i := range t.IRPs {
		if i.Addr == irp {
			return i.At
		}
	}
	return t.At
}
