package rules

import (
	"cmp"
	"math"
	"strconv"
	"strings"

	"kdlocks/kd"
	"kdlocks/modules"
)

// bindings are the facts that clauses have bound. A name that is bound to nil is
// one of a clause that could not be checked.
type bindings map[string]bound

type bound struct {
	kind *kind
	fact fact
}

// values returns what a reference stands for.
func (r *reference) values(w *world, env bindings) Values {
	b := env[r.name]
	if b.fact == nil {
		return unknown
	}
	return r.field.get(w, b.fact)
}

// verdict is the truth of a matcher and the places that it rests on.
type verdict struct {
	truth Truth
	at    []Evidence
	// without is set where the stack has frames whose functions are unknown; it
	// names their module.
	without string
	// faint is set where nothing tells that what is unknown is there.
	faint bool
	// cut is the last frame of a stack that goes on further out.
	cut kd.Ref
	// bare is the address of such a frame for which no module is known, either.
	bare kd.Addr
}

// test compares a fact with the matcher.
func (m *matcher) test(w *world, env bindings, f fact) verdict {
	values := m.field.get(w, f)
	if m.stack != nil {
		return m.testStack(w, env, values)
	}
	out := verdict{truth: False}
	if !values.All {
		out.truth = Unknown
	}
	// A list without the value that it must not hold has all elements unlike it.
	if m.negative() {
		return m.testNone(w, env, values)
	}
	for _, v := range values.List {
		t := True
		for _, c := range m.ops {
			if t = t.and(c.test(w, env, v)); t == False {
				break
			}
		}
		if t == True {
			out.at = append(out.at, v.evidence(m.field.name))
			if v.since.Known() {
				out.at = append(out.at, Evidence{At: v.since, Why: m.field.name + " since here"})
			}
		}
		out.truth = out.truth.or(t)
		if t == True && !m.field.list {
			break
		}
	}
	out.at = out.at[:min(len(out.at), mostPlaces)]
	return out
}

// mostPlaces bounds the places that are kept of one comparison.
const mostPlaces = 16

func (m *matcher) negative() bool {
	for _, c := range m.ops {
		if c.op != "ne" {
			return false
		}
	}
	return len(m.ops) > 0
}

// testNone holds if no value equals one of the operands.
func (m *matcher) testNone(w *world, env bindings, values Values) verdict {
	out := verdict{truth: truth(values.All)}
	if !values.All {
		out.truth = Unknown
	}
	for _, v := range values.List {
		for _, c := range m.ops {
			out.truth = out.truth.and(c.test(w, env, v))
		}
		out.at = append(out.at, v.evidence(m.field.name))
	}
	return out
}

// evidence is the place of a value; the text there holds its address.
func (v Value) evidence(field string) Evidence {
	e := Evidence{At: v.At, Why: field + " " + v.String()}
	if v.Type == Address {
		e.Addr = v.A
	}
	return e
}

func (m *matcher) testStack(w *world, env bindings, values Values) verdict {
	if len(values.List) == 0 {
		return verdict{truth: Unknown}
	}
	frames := values.List[0].Frames
	lacks := values.List[0].cut
	t, found := m.stack.bind(w, env).match(frames, lacks)
	out := verdict{truth: t}
	if t == Unknown && lacks {
		out.cut, out.faint = frames[len(frames)-1].At, found == nil
	}
	for _, i := range found {
		out.at = append(out.at, Evidence{At: frames[i].At, Why: "frame " + strconv.Itoa(i) + ": " + frames[i].Name()})
		if out.without == "" && out.bare == 0 && callOf(&frames[i]).function == "" {
			out.without, out.bare = frames[i].Module, frames[i].Unnamed()
		}
	}
	return out
}

// test compares one value.
func (c *comparison) test(w *world, env bindings, v Value) Truth {
	out := False
	for i := range c.operands {
		if out = out.or(c.testOperand(w, env, v, &c.operands[i])); out == True {
			break
		}
	}
	if c.op == "ne" {
		switch out {
		case True:
			return False
		case False:
			return True
		}
	}
	return out
}

func (c *comparison) testOperand(w *world, env bindings, v Value, o *operand) Truth {
	if v.partial {
		return v.mayBe(o)
	}
	if o.ref == nil {
		out := c.compare(v, o.lit, o.glob)
		if out == False && v.cut && v.mayBegin(o) {
			return Unknown
		}
		return out
	}
	values := o.ref.values(w, env)
	out := truth(false)
	if !values.All || c.op == "ne" && len(values.List) == 0 {
		out = Unknown
	}
	for _, other := range values.List {
		out = out.or(c.compare(v, other, ""))
	}
	return out
}

// compare is holds where one of the numbers may be larger than it is known to be.
func (c *comparison) compare(v, with Value, glob string) Truth {
	if !v.atLeast && !with.atLeast {
		return truth(c.holds(v, with, glob))
	}
	larger, less := v.atLeast, with.atLeast // which of the two may grow
	switch n := v.compare(with); c.op {
	case "gt", "gte":
		if c.holds(v, with, "") {
			return truthUnless(less)
		}
		return falseUnless(larger)
	case "lt", "lte":
		if c.holds(v, with, "") {
			return truthUnless(larger)
		}
		return falseUnless(less)
	case "near":
		return Unknown
	default: // that they are equal
		return falseUnless(n == 0 || n < 0 && larger || n > 0 && less)
	}
}

func truthUnless(unknown bool) Truth {
	if unknown {
		return Unknown
	}
	return True
}

func falseUnless(unknown bool) Truth {
	if unknown {
		return Unknown
	}
	return False
}

// mayBe tells whether a symbol whose function is not known may be one: false for
// another module.
func (v Value) mayBe(o *operand) Truth {
	want := o.lit.S
	if o.glob != "" {
		want = o.glob
	}
	module, _, _ := strings.Cut(want, "!")
	if o.ref != nil || v.S == "" || matchGlob(modules.Key(module), modules.Key(v.S)) {
		return Unknown
	}
	return False
}

// mayBegin reports whether a name that may be cut can be the beginning of what it is
// compared with.
func (v Value) mayBegin(o *operand) bool {
	want, _, _ := strings.Cut(cmp.Or(o.glob, o.lit.S), "*")
	return len(want) > len(v.S) && strings.EqualFold(want[:len(v.S)], v.S)
}

// holds compares two values, or a value with a pattern.
func (c *comparison) holds(v, with Value, glob string) bool {
	switch c.op {
	case "eq", "ne", "in", "has", "glob":
		if glob != "" {
			if v.Type == Text {
				return matchGlob(glob, v.S)
			}
			return matchGlob(glob, strings.ToLower(v.S))
		}
		return v.equals(with)
	case "holds":
		for _, s := range v.Spans {
			if s.holds(with.A.Untagged()) {
				return true
			}
		}
		return false
	case "near":
		return math.Abs(v.N-with.N) <= math.Abs(with.N)*c.pct/100
	}
	n := v.compare(with)
	switch c.op {
	case "lt":
		return n < 0
	case "lte":
		return n <= 0
	case "gt":
		return n > 0
	}
	return n >= 0 // gte
}

// equals compares values of kinds that can be compared.
func (v Value) equals(o Value) bool {
	switch v.Type {
	case Name:
		return strings.EqualFold(v.S, o.S)
	case Text, Enum:
		return v.S == o.S
	case Address:
		return v.A == o.A
	case Version:
		n, ok := v.V.Compare(o.V)
		return ok && n == 0
	}
	return v.N == o.N
}

// compare orders values of a type that has an order.
func (v Value) compare(o Value) int {
	if v.Type == Version {
		n, _ := v.V.Compare(o.V)
		return n
	}
	switch {
	case v.N < o.N:
		return -1
	case v.N > o.N:
		return 1
	}
	return 0
}
