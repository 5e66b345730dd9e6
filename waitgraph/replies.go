package waitgraph

import (
	"slices"

	"kdlocks/kd"
	"kdlocks/objects"
	"kdlocks/threads"
)

// reply returns the wait for the reply to a message of which the debugger
// printed the thread that works on it.
func (g *Graph) reply(t *threads.Thread, grade Grade) (claim, bool) {
	m, what := g.message(t)
	if m == nil || m.ServerThread.Addr == 0 || m.ServerThread.Addr == t.Addr {
		return claim{}, false
	}
	if !AwaitedBy(m, t) {
		if m.Canceled == objects.Yes {
			g.note(m.At, "thread %s waits for the reply to message %s, which is printed as canceled: no edge is drawn", g.bare(t.Addr), g.bare(t.Reply.Message))
		}
		return claim{}, false
	}
	return claim{
		gate: Node{Kind: Object, What: what, Addr: t.Reply.Message}, grade: grade, at: t.Reply.At, about: t.Reply.Message,
		owner: m.ServerThread.Addr, owned: gradeOf(m.ServerThread.At.Doubt), ownedAt: m.ServerThread.At, said: m.ServerThread.Addr,
	}, true
}

// message returns the message whose reply a thread waits for, nil if it was not
// printed itself or contradicts other output.
func (g *Graph) message(t *threads.Thread) (*objects.Message, What) {
	if t.Reply == nil {
		return nil, ""
	}
	what := LPCMessage
	if t.Reply.ALPC {
		what = ALPCMessage
	}
	m := g.Snap.Message(t.Reply.Message)
	if m == nil || m.Conflict != "" || m.LPC == t.Reply.ALPC {
		return nil, what
	}
	return m, what
}

// AwaitedBy reports whether a message as printed agrees with a thread's wait for
// its reply: it is not canceled, and no other thread waits for it.
func AwaitedBy(m *objects.Message, t *threads.Thread) bool {
	return m.Canceled != objects.Yes && (!m.Client.Known() || m.Client.Addr == t.Addr)
}

// criticalSection returns the wait for a critical section whose owner was
// printed: by its thread ID, so it is looked for in the same process.
func (g *Graph) criticalSection(t *threads.Thread, grade Grade) (claim, bool) {
	if len(g.Snap.CriticalSections()) == 0 || t.Process.Addr == 0 && !t.User {
		return claim{}, false
	}
	f := t.SectionWait()
	if f == nil || len(f.Args) == 0 {
		return claim{}, false
	}
	cs := g.Snap.CriticalSection(f.Args[0], t.Process.Addr)
	if cs == nil || cs.Conflict != "" || !cs.Owner.Known() || cs.Owner.N == 0 {
		return claim{}, false
	}
	owner := g.threadOf(t, cs.Owner.N)
	if owner == 0 || owner == t.Addr {
		return claim{}, false // it lets its owner in again
	}
	if stack := C; t.Stack.X86 {
		grade = max(grade, stack)
	} else {
		grade = D
	}
	return claim{
		gate: Node{Kind: Object, What: CriticalSection, Addr: cs.Addr, Of: processOf(t)}, grade: grade, at: f.At, about: cs.Addr,
		owner: owner, owned: B, ownedAt: cs.At, said: cs.Addr,
	}, true
}

// threadOf finds the thread with an ID in the process of another.
func (g *Graph) threadOf(t *threads.Thread, id uint64) kd.Addr {
	if g.byID == nil {
		g.byID = make(map[processThread]kd.Addr)
		for _, t := range g.Snap.Threads {
			if t.CID.Known {
				g.byID[processThread{processOf(t), uint64(t.CID.Thread)}] = t.Addr
			}
		}
	}
	return g.byID[processThread{processOf(t), id}]
}

// processOf is what a thread's process is known by: its address, or its ID in a
// user-mode debugger, which is no address of the kernel.
func processOf(t *threads.Thread) kd.Addr {
	if t.User {
		return kd.Addr(t.CID.Process)
	}
	return t.Process.Addr
}

// processThread is a process and the ID of one of its threads.
type processThread struct {
	process kd.Addr
	id      uint64
}

// addGuesses draws who may have to reply to a message, or to complete an IRP,
// where that was not printed and the one who waits holds others up: the blocked
// threads of the server process, and those with the IRP on their stacks.
func (g *Graph) addGuesses(members map[kd.Addr][]kd.Addr) {
	asked := make(map[kd.Addr][]int) // threads that wait, by IRP
	for _, t := range g.Snap.Threads {
		i := g.Find(t.Addr)
		if i < 0 || len(g.In[i]) == 0 || len(g.Out[i]) > 0 || t.State != threads.Waiting || t.Timed() || t.WaitListOpen {
			continue
		}
		if t.Reply != nil {
			g.guessServer(i, t, members[t.Reply.Server])
			continue
		}
		if mayWaitForIRP(t) {
			for _, irp := range g.openIRPs(t) {
				asked[irp] = append(asked[irp], i)
			}
		}
	}
	if len(asked) > 0 {
		g.guessCompleter(asked)
	}
}

// guessServer joins a thread to the blocked threads of the process that owns the
// port at which its message is queued.
func (g *Graph) guessServer(client int, t *threads.Thread, server []kd.Addr) {
	m, what := g.message(t)
	if m != nil && m.ServerThread.Known() || t.Reply.Server == t.Process.Addr || slices.ContainsFunc(server, g.canServe) || g.skimmedIdle()[t.Reply.Server] {
		return
	}
	if p := g.Snap.Message(t.Reply.Message); p != nil && !AwaitedBy(p, t) {
		return
	}
	for _, a := range server {
		if s := g.Find(a); s >= 0 && s != client && g.waits(s) {
			st := g.Snap.Thread(a)
			g.mayEnd(client, Node{Kind: Object, What: what, Addr: t.Reply.Message}, t.Reply.At, Edge{To: s, Grade: D, At: st.At, About: a, Guess: true})
		}
	}
}

// receives are routines in which a thread waits for the next message or work:
// of a port, of the threads of a pool, of a queue.
var receives = []string{"NtWaitForWorkViaWorkerFactory", "AlpcpReceiveMessage", "NtReplyWaitReceivePort", "KeRemoveQueue"}

// canServe reports whether a thread is idle and can take the next message.
func (g *Graph) canServe(a kd.Addr) bool { return Receives(g.Snap.Thread(a)) }

// Receives reports whether a thread is idle: it waits for the next message or
// for work.
func Receives(t *threads.Thread) bool {
	if t == nil || t.State != threads.Waiting {
		return false
	}
	if len(t.Stack.Frames) == 0 {
		return t.WaitReason == "WrQueue" || t.WaitReason == "WrLpcReceive"
	}
	return t.FindFrame(receives...) >= 0
}

// skimmedIdle are the processes that have an idle thread among the skimmed ones:
// of each process one is read whole, when first asked.
func (g *Graph) skimmedIdle() map[kd.Addr]bool {
	if g.idle != nil {
		return g.idle
	}
	g.idle = make(map[kd.Addr]bool)
	seen := make(map[[2]int32]bool) // input and process
	rest := g.Snap.Skimmed()
	for i := range rest {
		b := &rest[i]
		from := [2]int32{int32(b.Input), b.Process}
		if b.Process < 0 || seen[from] || b.State != threads.Waiting || !b.Has(threads.QueueWait) && b.WaitReason() != "WrLpcReceive" {
			continue
		}
		seen[from] = true
		if t := g.Snap.Thread(b.Addr); Receives(t) {
			g.idle[t.Process.Addr] = true
		}
	}
	return g.idle
}

// mayEnd draws a thread's wait for an object, once, and who may end it, once.
func (g *Graph) mayEnd(from int, gate Node, at kd.Ref, end Edge) {
	n := g.node(gate)
	if !g.joined(from, n) {
		g.Add(Edge{From: from, To: n, At: at, About: gate.Addr, Guess: end.Guess})
	}
	if !g.joined(n, end.To) {
		end.From = n
		g.Add(end)
	}
}

func (g *Graph) joined(from, to int) bool {
	for _, e := range g.Out[from] {
		if g.Edges[e].To == to {
			return true
		}
	}
	return false
}
