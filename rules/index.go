package rules

import "slices"

// index finds facts of a kind by the values of one field.
type index struct {
	byKey map[string][]int32
	// loose are the facts that may have further values.
	loose []int32
}

// indexOf returns the index of a field, and makes it when it is first asked for.
func (w *world) indexOf(k *kind, f *field) *index {
	if x, ok := w.indexes[f]; ok {
		return x
	}
	x := &index{byKey: make(map[string][]int32)}
	for i, fact := range w.factsOf(k) {
		values := f.get(w, fact)
		partial := false
		for _, v := range values.List {
			partial = partial || v.partial || v.cut
			key := v.key()
			if have := x.byKey[key]; len(have) == 0 || have[len(have)-1] != int32(i) {
				x.byKey[key] = append(have, int32(i))
			}
		}
		if !values.All || partial {
			x.loose = append(x.loose, int32(i))
		}
	}
	w.indexes[f] = x
	return x
}

// indexed reports whether values of the type are found by a key.
func (t Type) indexed() bool { return t == Name || t == Text || t == Enum || t == Address }

// keysOf returns the keys that one of the field's values must have if the matcher
// is to hold; false if there is no such list.
func (m *matcher) keysOf(w *world, x *index, env bindings) (keys []string, all, ok bool) {
	for i := range m.ops {
		c := &m.ops[i]
		if c.op != "eq" && c.op != "in" && c.op != "has" && c.op != "glob" {
			continue
		}
		if keys, all, ok = c.keys(w, x, env); ok {
			return keys, all, true
		}
	}
	return nil, false, false
}

// keys returns the keys of the operands; all is false where a reference may stand
// for further values.
func (c *comparison) keys(w *world, x *index, env bindings) (keys []string, all, ok bool) {
	all = true
	for i := range c.operands {
		o := &c.operands[i]
		switch {
		case o.glob != "":
			for key := range x.byKey {
				if matchGlob(o.glob, key) {
					keys = append(keys, key)
				}
			}
		case o.ref == nil:
			keys = append(keys, o.lit.key())
		default:
			values := o.ref.values(w, env)
			all = all && values.All
			for _, v := range values.List {
				keys = append(keys, v.key())
			}
		}
	}
	return keys, all, true
}

// lookup returns the facts of a kind that a clause may hold for.
func (w *world) lookup(c *clause, env bindings) []fact {
	lists, ok := w.shortest(c, env)
	if !ok {
		return w.factsOf(c.kind)
	}
	return pick(w.factsOf(c.kind), slices.Concat(lists...))
}

// shortest returns the numbers of the facts that a clause may hold for, by the index
// that leaves the fewest; false if none helps.
func (w *world) shortest(c *clause, env bindings) (best [][]int32, ok bool) {
	least := 0
	for _, m := range c.matchers {
		if !m.field.typ.indexed() || m.negative() {
			continue
		}
		x := w.indexOf(c.kind, m.field)
		keys, complete, known := m.keysOf(w, x, env)
		if !known || !complete {
			continue
		}
		n, lists := len(x.loose), [][]int32{x.loose}
		for _, k := range keys {
			n += len(x.byKey[k])
			lists = append(lists, x.byKey[k])
		}
		if !ok || n < least {
			best, least, ok = lists, n, true
		}
	}
	if lists, joins := w.joined(c); joins {
		n := 0
		for _, l := range lists {
			n += len(l)
		}
		if !ok || n < least {
			best, ok = lists, true
		}
	}
	return best, ok
}

// pick returns the facts of some numbers, each once, in their order.
func pick(all []fact, numbers []int32) []fact {
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	out := make([]fact, len(numbers))
	for i, n := range numbers {
		out[i] = all[n]
	}
	return out
}
