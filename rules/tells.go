package rules

import (
	"slices"

	"kdlocks/stacks"
)

// tellsMuch is what tells of an issue also where the rest of the fact is unknown:
// more than its name.
const tellsMuch = 2

// tells weighs what a comparison says of an issue: frames and symbols that fit, or
// that would if there were symbols of a driver, say more than a name or a number.
func (m *matcher) tells(v *verdict) int {
	switch {
	case m.field.common || !m.constant() || m.usual():
		return 0
	case v.truth == Unknown && v.without != "" && !stacks.OfWindows(v.without):
		return tellsMuch
	case v.truth != True:
		return 0
	case m.stack != nil && m.stack.tellsMuch(), m.field.name == "frame", m.field.name == "symbol":
		return tellsMuch
	}
	return 1
}

// tellsMuch reports whether the pattern asks for a frame of a module that is on few
// stacks: one that is named, and not the kernel or a framework.
func (p *stackPattern) tellsMuch() bool {
	return slices.ContainsFunc(p.seq, func(one []framePattern) bool {
		return !slices.ContainsFunc(one, func(f framePattern) bool {
			return f.third || isGlob(f.module) || stacks.OnBehalf(f.module)
		})
	})
}

// tellsMuch reports whether the clause asks for a stack that tells of an issue by itself.
func (c *clause) tellsMuch() bool {
	return slices.ContainsFunc(c.matchers, func(m *matcher) bool { return m.stack != nil && m.stack.tellsMuch() })
}

// usual reports whether the matcher asks for what most facts have.
func (m *matcher) usual() bool {
	for i := range m.ops {
		for _, o := range m.ops[i].operands {
			if o.glob == "*" || m.ops[i].op != "ne" && slices.Contains(m.field.usual, o.lit.S) {
				return true
			}
		}
	}
	return false
}
