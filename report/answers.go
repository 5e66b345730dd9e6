package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/objects"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// Answer is one thing that an address is.
type Answer struct {
	Address  string `json:"address"`
	Session  int    `json:"session,omitempty"`
	Kind     string `json:"kind"` // unknown if the input does not show it
	Resource string `json:"resource,omitempty"`
	Thread   string `json:"thread,omitempty"`
	Frame    *int   `json:"frame,omitempty"`
	Live     *bool  `json:"live,omitempty"`
	Text     string `json:"text"`
	At       *At    `json:"at,omitempty"`
	// NextCommand asks the debugger about an unknown address.
	NextCommand string `json:"next_command,omitempty"`
}

// Resolve says what addresses are in the sessions of some sources.
func Resolve(sources []Source, snaps []*snapshot.Snapshot, addrs []kd.Addr) []Answer {
	b := builder{sources: sources}
	var out []Answer
	for _, a := range addrs {
		found := false
		for i, s := range snaps {
			if len(snaps) > 1 {
				b.session = i + 1
			}
			for _, m := range s.WhatIs(a) {
				out = append(out, b.answer(s, a, m))
				found = true
			}
		}
		if !found {
			out = append(out, Answer{Address: a.String(), Kind: "unknown", Text: "the input does not show it", NextCommand: fmt.Sprintf("!thread %x e", uint64(a))})
		}
	}
	return out
}

func (b *builder) answer(s *snapshot.Snapshot, a kd.Addr, m snapshot.Meaning) Answer {
	out := Answer{Address: a.String(), Session: b.session, Kind: m.Kind, Resource: hex(m.Resource), Thread: hex(m.Thread), Live: tri(m.Live)}
	if m.Slot.Frame >= 0 && (m.Kind == "stack" || m.Kind == "owner" && m.Owner.Pointer) {
		out.Frame = &m.Slot.Frame
	}
	at := b.at(m.At, 0)
	out.At = &at
	out.Text = explain(s, m)
	return out
}

func explain(s *snapshot.Snapshot, m snapshot.Meaning) string {
	bare := func(a kd.Addr) string { return a.Bare(s.Target.Arch) }
	switch m.Kind {
	case "resource":
		r := s.Resource(m.Resource)
		return strings.TrimSpace("ERESOURCE "+r.Symbol) + ", " + r.Mode.String()
	case "waiter":
		return "waits for ERESOURCE " + bare(m.Resource)
	case "owner":
		if m.Thread == 0 {
			return fmt.Sprintf("owner entry of ERESOURCE %s, unresolved: %s", bare(m.Resource), m.Owner.Why)
		}
		return fmt.Sprintf("owner entry of ERESOURCE %s: thread %s (%s)%s", bare(m.Resource), bare(m.Thread), m.Owner.How, place(s, m))
	case "thread":
		t := s.Thread(m.Thread)
		return strings.TrimSpace(fmt.Sprintf("thread %s %s %s %s", t.CID, t.Process.Image, t.State, t.WaitReason))
	case "wait-object":
		return fmt.Sprintf("%s that thread %s waits for", m.Object, bare(m.Thread))
	case "irp":
		if i := s.IRP(m.Addr); i != nil && i.At == m.At {
			return explainIRP(s, i)
		}
		return "IRP in the list of thread " + bare(m.Thread)
	case "process":
		return strings.TrimSpace("process " + m.Process.Image)
	case "alpc-message", "lpc-message":
		return explainMessage(s, s.Message(m.Addr))
	case "port":
		p := s.Port(m.Addr)
		return strings.TrimSpace(strings.TrimSpace(p.Kind+" "+p.Name) + " of process " + bare(p.Owner.Addr) + " " + p.OwnerImage)
	case "worker":
		return "worker thread of the work queue " + m.Object
	case "work-item":
		return strings.TrimSpace("work item that no worker has taken yet " + m.Object)
	case "critical-section":
		return explainSection(s, m)
	case "module":
		return explainModule(s, m.Addr, m.Module)
	case "mutex":
		return explainMutex(s, s.Mutex(m.Addr))
	}
	name := "the current segment"
	if m.Segment > 0 {
		name = "an earlier segment"
	}
	return fmt.Sprintf("on the stack of thread %s, in %s%s", bare(m.Thread), name, place(s, m))
}

func explainMutex(s *snapshot.Snapshot, m *objects.Mutex) string {
	text := "fast mutex"
	if m.Guarded {
		text = "guarded mutex"
	}
	switch {
	case m.Owner.Addr != 0:
		text += ", owned by thread " + m.Owner.Addr.Bare(s.Target.Arch)
	case m.Owner.Known():
		text += ", owned by nobody"
	}
	return text
}

func explainIRP(s *snapshot.Snapshot, i *objects.IRP) string {
	text := "IRP"
	switch driver, pending := i.Driver(); {
	case i.Complete:
		text += ", complete"
	case driver != "" && pending == objects.Yes:
		text += ", pending in " + driver
	case driver != "":
		text += ", at " + driver
	}
	if i.Thread.Addr != 0 {
		text += ", issued by thread " + i.Thread.Addr.Bare(s.Target.Arch)
	}
	return text
}

func explainMessage(s *snapshot.Snapshot, m *objects.Message) string {
	text := "ALPC message"
	if m.LPC {
		text = "LPC message"
	}
	if m.Client.Addr != 0 {
		text += ", thread " + m.Client.Addr.Bare(s.Target.Arch) + " waits for the reply"
	}
	if m.Client.Addr == 0 && m.From != "" {
		text += ", from thread " + m.From
	}
	if m.Server.Addr != 0 {
		text += strings.TrimRight(", the server is process "+m.Server.Addr.Bare(s.Target.Arch)+" "+m.ServerImage, " ")
	}
	switch {
	case m.ServerThread.Addr != 0:
		text += ", its thread " + m.ServerThread.Addr.Bare(s.Target.Arch) + " works on it"
	case m.ServerThread.Known():
		text += ", no thread has taken it"
	}
	return text
}

func explainSection(s *snapshot.Snapshot, m snapshot.Meaning) string {
	i := slices.IndexFunc(s.CriticalSections(), func(c *objects.CriticalSection) bool { return c.Addr == m.Addr && c.At == m.At })
	if i < 0 {
		return ""
	}
	c := s.CriticalSections()[i]
	text := strings.TrimSpace("critical section " + c.Symbol)
	switch {
	case c.Locked == objects.No:
		text += ", not locked"
	case c.Owner.Known() && c.Owner.N != 0:
		text += fmt.Sprintf(", owned by the thread with ID %04x", c.Owner.N)
	}
	return text
}

// place says whether a stack address is live and which frame holds it.
func place(s *snapshot.Snapshot, m snapshot.Meaning) string {
	t := s.Thread(m.Thread)
	switch {
	case m.Segment < 0 || t == nil:
		return ""
	case m.Live == threads.No:
		return ", below its stack pointer: that frame has returned"
	case m.Slot.Frame < 0:
		return ", no printed frame reaches it"
	}
	text := fmt.Sprintf(", in frame %d %s", m.Slot.Frame, t.Stack.Frames[m.Slot.Frame].Name())
	if m.Slot.Setter >= 0 && m.Slot.Param > 0 {
		text += fmt.Sprintf(", the place of parameter %d of %s", m.Slot.Param, t.Stack.Frames[m.Slot.Setter].Name())
	}
	return text
}

// WriteAnswers prints answers as a table, JSON or Markdown.
func WriteAnswers(w io.Writer, as []Answer, format string, s Style) error {
	t := &table{columns: []column{{head: "Address"}, {head: "Is"}, {head: "What", prose: true}, {head: "Line"}}}
	for _, a := range as {
		line := ""
		if a.At != nil {
			line = fmt.Sprintf("%s:%d", a.At.Input, a.At.Line)
		}
		text := a.Text
		if a.NextCommand != "" {
			text += "; type " + a.NextCommand
		}
		t.add(a.Address, a.Kind, text, line)
	}
	if format == "table" {
		return t.blocks(w, s.prose())
	}
	return writeTable(w, t, as, format, s)
}
