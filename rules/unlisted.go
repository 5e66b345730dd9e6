package rules

import (
	"fmt"
	"slices"
	"strings"

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
		if listed || w.listsAsked(c) {
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

// listsAsked reports whether a list with a filter shows all threads that a clause may
// hold for: those of its program, or with the frames that it needs.
func (w *world) listsAsked(c *clause) bool {
	images, named := c.literals("image")
	for _, l := range w.snap.ThreadLists() {
		switch {
		case l.Frames != "":
			if c.needsFrameOf(l.Frames) {
				return true
			}
		case l.Image != "" && named && len(images) == 1 && strings.EqualFold(images[0], l.Image):
			return true
		}
	}
	return false
}

// needsFrameOf reports whether each stack that the clause holds for has a frame with
// some text in its module or behind it, which is in small letters.
func (c *clause) needsFrameOf(text string) bool {
	for _, m := range c.matchers {
		if m.stack == nil {
			continue
		}
		for _, one := range m.stack.seq {
			if !slices.ContainsFunc(one, func(f framePattern) bool {
				return f.module == "" || isGlob(f.module) || !strings.Contains(strings.ToLower(f.module)+"!", text)
			}) {
				return true
			}
		}
	}
	return false
}

// literals returns the values that a field must have one of, false if the clause does
// not say.
func (c *clause) literals(field string) (values []string, ok bool) {
	for _, m := range c.matchers {
		if m.field.name != field || !m.constant() || len(m.ops) != 1 || !m.ops[0].namesKeys() {
			continue
		}
		for _, o := range m.ops[0].operands {
			values = append(values, o.lit.S)
		}
		return values, true
	}
	return nil, false
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

// findThreads is the command that lists the threads that a clause may fit alone: those
// with frames of a module of which it needs one.
func (c *clause) findThreads() string {
	for _, m := range c.matchers {
		if m.stack == nil {
			continue
		}
		for _, one := range m.stack.seq {
			f := one[0]
			if f.module != "" && f.module != "nt" && !isGlob(f.module) && !slices.ContainsFunc(one, func(o framePattern) bool { return o.module != f.module }) {
				return "!stacks 2 " + f.module
			}
		}
	}
	return ""
}
