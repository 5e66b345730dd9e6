package rules

import (
	"fmt"
	"strings"

	"kdlocks/modules"
)

// kindMissing says that the input has no facts of a kind.
func (w *world) kindMissing(k *kind) string {
	what, _, _ := strings.Cut(k.doc, ",")
	return "the input holds no " + k.name + ": " + what
}

// missingFor is what of the values that a reference stands for is missing.
func (w *world) missingFor(o *operand, env bindings) Missing {
	b := env[o.ref.name]
	if b.fact == nil {
		return Missing{What: o.ref.String() + ", as " + o.ref.name + " is not known"}
	}
	what := o.ref.field.name + " of " + strings.TrimSpace(b.kind.name+" "+b.name(w))
	if len(o.ref.field.get(w, b.fact).List) > 0 {
		what = "whether there are further values: " + what
	}
	return Missing{What: what, Command: w.fieldCommand(b.kind, o.ref.field, b.fact)}
}

// fieldCommand is the command that supplies a field of a fact.
func (w *world) fieldCommand(k *kind, f *field, of fact) string {
	if f.command != nil {
		if c := f.command(w, of); c != "" {
			return c
		}
	}
	form := f.ask
	if form == "" {
		form = k.one
	}
	if form == "" {
		form = k.ask
	}
	key := w.keyOf(k, of)
	if !strings.Contains(form, "%s") {
		return form
	}
	if key == nil {
		return ""
	}
	return fmt.Sprintf(form, key.String())
}

func (o *operand) refName() string {
	if o.ref == nil {
		return o.lit.String()
	}
	return o.ref.String()
}

// mostMissing bounds the facts that are asked for one by one.
const mostMissing = 8

// command fills the key of a fact into a command. The clause's own commands come
// first.
func (w *world) command(c *clause, env bindings, form string, key *Value) string {
	if own := c.ownCommand(w, env); own != "" {
		return own
	}
	if c.unasked {
		return ""
	}
	if key == nil || !strings.Contains(form, "%s") {
		if strings.Contains(form, "%s") {
			return ""
		}
		return form
	}
	return fmt.Sprintf(form, key.String())
}

// missingOf says what of a fact is not known.
func (w *world) missingOf(c *clause, env bindings, m *matcher, f fact, v *verdict) Missing {
	if o := m.unknownOperand(w, env, f); o != nil {
		return w.missingFor(o, env)
	}
	what := m.field.name + " of " + strings.TrimSpace(c.kind.name+" "+bound{c.kind, f}.name(w))
	if v.cut.Known() && v.bare == 0 && v.without == "" {
		what += fmt.Sprintf(", which ends at line %d before its outermost frame", v.cut.Line)
	}
	if m.field.lack != "" {
		what += ": " + m.field.lack
	}
	if v.bare != 0 {
		address := Value{Type: Address, A: v.bare}.String()
		return Missing{What: what + ": no module is known for " + address, Command: "lm a " + address}
	}
	if v.without != "" {
		return Missing{What: what + ": no symbols for " + v.without, Command: ".reload /f " + fileOf(v.without)}
	}
	if own := c.ownCommand(w, env); own != "" {
		return Missing{What: what, Command: own}
	}
	return Missing{What: what, Command: w.fieldCommand(c.kind, m.field, f)}
}

// unknownOperand returns what a known field is compared with that is not known, nil
// where it is the field that is unknown.
func (m *matcher) unknownOperand(w *world, env bindings, f fact) *operand {
	if m.stack != nil || !m.field.get(w, f).All {
		return nil
	}
	for i := range m.ops {
		for k := range m.ops[i].operands {
			if o := &m.ops[i].operands[k]; o.ref != nil && !o.ref.values(w, env).All {
				return o
			}
		}
	}
	return nil
}

// ownCommand is the first of the commands that the clause itself asks for which what
// is known can be filled into, "" if there is none.
func (c *clause) ownCommand(w *world, env bindings) string {
	for _, t := range c.ask {
		if filled := t.commands(w, env); len(filled) > 0 {
			return filled[0]
		}
	}
	return ""
}

// keyOf returns the value that commands name a fact by, nil if it has none.
func (w *world) keyOf(k *kind, f fact) *Value {
	fields := k.fields[:min(1, len(k.fields))]
	if k.key != "" {
		fields = []*field{k.field(k.key)}
	}
	for _, fd := range fields {
		if v := fd.get(w, f); len(v.List) > 0 {
			return &v.List[0]
		}
	}
	return nil
}

// fileOf is the file of a driver's image by its module name.
func fileOf(module string) string {
	if strings.Contains(module, ".") || modules.Key(module) == "nt" {
		return module
	}
	return module + ".sys"
}
