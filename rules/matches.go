package rules

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/modules"
	"kdlocks/stacks"
)

// match is a fact that a clause holds for, or may hold for. Its fact is nil where
// the input does not hold it.
type match struct {
	clauseState
	// open is set where it stands for any number of facts that may exist.
	open bool
}

// matches returns the facts that a clause holds for and then those it may hold
// for.
func (w *world) matches(c *clause, env bindings) []match {
	var yes, maybe []match
	facts, gap := w.candidates(c, env)
	for _, f := range facts {
		if w.steps -= c.weight; w.steps < 0 {
			w.spent = true
			break
		}
		switch m := w.try(c, env, f); m.truth {
		case True:
			yes = append(yes, m)
		case Unknown:
			maybe = append(maybe, m)
		}
	}
	// Of a fact that fits, nobody guesses that it is another one that was not printed.
	if gap.missing != nil && !(gap.unlisted && len(yes) > 0 && c.count == nil) {
		maybe = append(maybe, match{clauseState: clauseState{c: c, truth: Unknown, missing: gap.missing, unlisted: gap.unlisted}, open: gap.open})
	}
	return append(yes, maybe...)
}

// gap is what of the facts that a clause may hold for is missing.
type gap struct {
	missing []Missing
	// open is set where it may be any number of facts, unlisted where the input has
	// facts of the kind and does not say that they are all.
	open, unlisted bool
}

// candidates returns the facts that a clause may hold for, and what of them is
// missing.
func (w *world) candidates(c *clause, env bindings) ([]fact, gap) {
	if facts, g, ok := w.byKey(c, env); ok {
		return facts, g
	}
	if !c.kind.seen(w) {
		return nil, gap{missing: []Missing{{What: w.kindMissing(c.kind), Command: w.command(c, env, c.kind.ask, nil)}}, open: true}
	}
	if c.walk < 0 {
		return w.lookup(c, env), w.unlisted(c, env)
	}
	if addrs, ok := w.ledTo(c); ok {
		w.walkFor(w.together(c))
		return w.callees.facts[c.walk], w.unprinted(c, env, addrs)
	}
	g := w.unlisted(c, env)
	w.walkFor(w.together(c))
	if w.callees.short[c.walk] {
		g = gap{missing: []Missing{{What: "there are more threads that may fit than rules look at", Command: c.findThreads()}}, open: true}
	}
	return w.callees.facts[c.walk], g
}

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

// kindMissing says that the input has no facts of a kind.
func (w *world) kindMissing(k *kind) string {
	what, _, _ := strings.Cut(k.doc, ",")
	return "the input holds no " + k.name + ": " + what
}

// byKey returns the facts of a clause that asks for their keys.
func (w *world) byKey(c *clause, env bindings) (facts []fact, g gap, ok bool) {
	for _, m := range c.matchers {
		if m.field.name != c.kind.key || c.kind.find == nil || c.kind.hidden != nil && !c.kind.hidden(c, nil) {
			continue
		}
		for i := range m.ops {
			if op := &m.ops[i]; op.namesKeys() {
				if c.keyed && c.walk >= 0 && op.unbound(env) && w.unseen(op) {
					return nil, gap{}, false
				}
				facts, g = w.ofKeys(c, op, env)
				return facts, g, true
			}
		}
	}
	return nil, gap{}, false
}

// unbound reports whether the comparison is with facts alone that the input does not
// hold.
func (c *comparison) unbound(env bindings) bool {
	return !slices.ContainsFunc(c.operands, func(o operand) bool { return o.ref == nil || env[o.ref.name].fact != nil })
}

// unseen reports whether the input has no facts of the kinds that the comparison is
// with.
func (w *world) unseen(c *comparison) bool {
	return !slices.ContainsFunc(c.operands, func(o operand) bool { return o.ref == nil || kindNamed(o.ref.kind).seen(w) })
}

// namesKeys reports whether the comparison gives the keys of facts.
func (c *comparison) namesKeys() bool {
	for i := range c.operands {
		if c.operands[i].glob != "" {
			return false
		}
	}
	return c.op == "eq" || c.op == "in" || c.op == "has"
}

func (w *world) ofKeys(c *clause, op *comparison, env bindings) (facts []fact, g gap) {
	seen := make(map[string]bool)
	for i := range op.operands {
		o := &op.operands[i]
		values := one(o.lit)
		if o.ref != nil {
			values = o.ref.values(w, env)
		}
		if !values.All {
			g.open = true
			// What a name stands for may be unknown because its facts are not listed.
			g.unlisted = o.ref != nil && env[o.ref.name].fact == nil
			g.missing = append(g.missing, w.missingFor(o, env))
		}
		for _, v := range values.List {
			if seen[v.key()] {
				continue
			}
			seen[v.key()] = true
			if f := c.kind.find(w, v); f != nil {
				facts = append(facts, f)
				continue
			}
			if c.kind.absent != nil && c.kind.absent(w, v) {
				continue
			}
			if g.unlisted = false; len(g.missing) < mostMissing {
				g.missing = append(g.missing, Missing{What: c.kind.name + " " + v.String(), Command: w.command(c, env, c.kind.one, &v)})
			}
		}
	}
	return facts, g
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
	if key == nil || !strings.Contains(form, "%s") {
		if strings.Contains(form, "%s") {
			return ""
		}
		return form
	}
	return fmt.Sprintf(form, key.String())
}

// try compares one fact with all matchers of a clause.
func (w *world) try(c *clause, env bindings, f fact) match {
	if c.kind.hidden != nil && c.kind.hidden(c, f) {
		return match{clauseState: clauseState{c: c, truth: False}}
	}
	out := match{clauseState: clauseState{c: c, truth: True, fact: f}}
	telling, derived := 0, true
	for _, m := range c.matchers {
		v := m.test(w, env, f)
		if out.truth = out.truth.and(v.truth); out.truth == False {
			return match{clauseState: clauseState{c: c, truth: False}}
		}
		if v.truth == Unknown {
			o := m.unknownOperand(w, env, f)
			derived = derived && o != nil && env[o.ref.name].fact == nil
			out.missing = append(out.missing, w.missingOf(c, env, m, f, &v))
		}
		telling += m.tells(&v)
		out.places = append(out.places, v.at...)
	}
	out.tells = telling >= tellsMuch || telling > 0 && out.truth == True
	out.unlisted = out.truth == Unknown && derived
	if len(out.places) == 0 {
		out.places = []Evidence{{At: c.kind.at(f), Addr: addrOf(c.kind, f), Why: c.kind.name}}
	}
	return out
}

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

func addrOf(k *kind, f fact) kd.Addr {
	if k.addr == nil {
		return 0
	}
	return k.addr(f)
}

// missingOf says what of a fact is not known.
func (w *world) missingOf(c *clause, env bindings, m *matcher, f fact, v *verdict) Missing {
	name := bound{c.kind, f}.name(w)
	if o := m.unknownOperand(w, env, f); o != nil {
		return w.missingFor(o, env)
	}
	what := m.field.name + " of " + strings.TrimSpace(c.kind.name+" "+name)
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

// mostCounted bounds the numbers that are tried one by one where some facts are
// unknown.
const mostCounted = 1000

// counted compares how many facts a clause holds for.
func (w *world) counted(c *clause, env bindings) clauseState {
	yes, maybe := 0, 0
	const anyNumber = 1 << 30
	out := clauseState{c: c, unlisted: true}
	for _, m := range w.matches(c, env) {
		out.tells = out.tells || m.tells
		out.unlisted = out.unlisted && (m.truth == True || m.unlisted)
		switch {
		case m.truth == True:
			if yes++; yes == 1 {
				out.fact = m.fact
			}
			if places := m.places; len(out.places) < mostPlaces {
				if yes > 1 {
					places = places[:1]
				}
				out.places = append(out.places, places...)
			}
		default:
			if maybe++; m.open {
				maybe += anyNumber
			}
			if len(out.missing) < mostMissing {
				out.missing = append(out.missing, m.missing...)
			}
		}
	}
	holds := func(n int) Truth {
		t := True
		for i := range c.count.ops {
			t = t.and(c.count.ops[i].test(w, env, Value{Type: Number, N: float64(n)}))
		}
		return t
	}
	out.truth = holds(yes)
	for n := yes + 1; n <= yes+min(maybe, mostCounted); n++ {
		if holds(n) != out.truth {
			out.truth = Unknown
		}
	}
	if holds(yes+maybe) != out.truth || w.spent {
		out.truth = Unknown
	}
	if out.truth == Unknown && len(out.missing) == 0 {
		out.missing = []Missing{{What: "what the number is compared with"}}
	}
	if out.truth != Unknown {
		out.missing = nil
	}
	return out
}

// told makes the result of a clause.
func (w *world) told(st *clauseState) ClauseResult {
	out := ClauseResult{Role: roleNames[st.c.role], Text: st.c.text, Line: st.c.at.line, Truth: st.truth, To: st.c.to, Missing: st.missing, Telling: st.tells, Name: st.c.as}
	if st.c.inner {
		out.Depth = 1
	}
	for _, p := range st.places {
		out.addEvidence(p)
	}
	return out
}

// addEvidence adds a place, or to a place that is told already what else it shows.
func (c *ClauseResult) addEvidence(e Evidence) {
	i := slices.IndexFunc(c.Evidence, func(have Evidence) bool { return have.At == e.At })
	switch {
	case !e.At.Known():
	case i < 0:
		c.Evidence = append(c.Evidence, e)
	case !strings.Contains(c.Evidence[i].Why, e.Why):
		c.Evidence[i].Why += ", " + e.Why
	}
}
