package rules

import (
	"fmt"

	"kdlocks/kd"
)

// unlisted is what is missing where facts of a kind are in the input and may not be
// all there are.
func (w *world) unlisted(c *clause, env bindings) gap {
	if c.kind.listed == nil || c.kind.listed(w, c) || c.kind.listedFor != nil && c.kind.listedFor(w, c, env) {
		return gap{}
	}
	if c.kind.rest != nil {
		return gap{missing: []Missing{c.kind.rest(w, c)}, open: true, unlisted: true}
	}
	command := ""
	if c.kind.name == "thread" {
		process, listed := w.processOf(c, env)
		if listed {
			return gap{}
		}
		if command = c.findThreads(); process != nil {
			command = fmt.Sprintf("!process %s 1f", process)
		}
	}
	if command == "" || len(c.ask) > 0 {
		command = w.command(c, env, c.kind.ask, nil)
	}
	return gap{missing: []Missing{{What: "whether there are others than those in the input", Command: command}}, open: true, unlisted: true}
}

// processOf returns the process that the threads of a clause must be of, nil if it
// can be several or any, and whether all threads of those were printed.
func (w *world) processOf(c *clause, env bindings) (process *Value, listed bool) {
	for _, m := range c.matchers {
		if m.field.name != "process" || len(m.ops) != 1 || !m.ops[0].namesKeys() || len(m.ops[0].operands) != 1 {
			continue
		}
		o := &m.ops[0].operands[0]
		values := one(o.lit)
		if o.ref != nil {
			values = o.ref.values(w, env)
		}
		listed = values.All
		for i := range values.List {
			listed = listed && w.snap.ListsAllThreads(values.List[i].A)
		}
		if len(values.List) == 1 {
			process = &values.List[0]
		}
		return process, listed
	}
	return nil, false
}

// unprinted is what is missing where the threads that a clause may hold for are
// known.
func (w *world) unprinted(c *clause, env bindings, addrs []kd.Addr) gap {
	var g gap
	for _, a := range addrs {
		if t := w.snap.Thread(a); (t == nil || !t.Printed()) && len(g.missing) < mostMissing {
			v := Value{Type: Address, A: a}
			g.missing = append(g.missing, Missing{What: "thread " + v.String(), Command: w.command(c, env, c.kind.one, &v)})
		}
	}
	return g
}

// findThreads is the command that lists the threads that a clause may fit alone.
func (c *clause) findThreads() string {
	for _, m := range c.matchers {
		if m.stack == nil {
			continue
		}
		for _, one := range m.stack.seq {
			for _, f := range one {
				if f.module != "" && f.module != "nt" && !isGlob(f.module) {
					return "!stacks 2 " + f.module
				}
			}
		}
	}
	return ""
}
