package lzma

import (
	"encoding/binary"
	"math"
)

// Encode compresses bytes into a .lzma file. Lc is how many of the highest bits of
// a byte tell what byte follows, at most 8; pb, at most 4, is how many of the lowest
// bits of a position matter: 0 for text and code, 2 or 3 for tables of numbers.
func Encode(b []byte, lc, pb uint) []byte {
	e := &encoder{b: b, model: newModel(lc, pb), coder: newCoder(), finder: newFinder(b), nodes: make([]node, window+maxLen+1)}
	for e.at < len(b) {
		e.costs.update(e.model)
		for _, s := range e.plan() {
			e.write(s)
		}
	}
	header := append([]byte{byte(pb*5*9 + lc)}, binary.LittleEndian.AppendUint32(nil, uint32(max(len(b), 1<<12)))...)
	header = binary.LittleEndian.AppendUint64(header, uint64(len(b)))
	return append(header, e.coder.flush()...)
}

type encoder struct {
	b      []byte
	at     int
	model  *model
	coder  *coder
	finder *finder
	costs  prices
	nodes  []node
	steps  []step
}

// step is one thing to write: a byte, a byte at the last distance, or a match.
type step struct {
	n    int // bytes
	back int // -1 for a byte, 0 to 3 for one of the last distances, 4 and more for a distance
}

// window is how many bytes are planned at once.
const window = 1 << 12

// node is the cheapest known way to a position: a step, or up to three of which the
// last two are a byte and a match at the last distance. A row that repeats but for
// single bytes is written like that.
type node struct {
	price uint32
	step
	resumed   int // the length of that match, 0 if there is none
	from      int
	state     int
	distances [4]int
}

// plan returns the cheapest steps for the bytes that come next, as the model is now.
func (e *encoder) plan() []step {
	n := min(window, len(e.b)-e.at)
	nodes := e.nodes[:min(n+maxLen, len(e.b)-e.at)+1]
	for i := range nodes {
		nodes[i].price = math.MaxUint32
	}
	nodes[0] = node{state: e.model.state, distances: e.model.distances}
	end := n
	for i := 0; i < n; i++ {
		repeats := e.finder.next()
		e.extend(nodes, i, repeats)
		if k := len(repeats); k > 0 && repeats[k-1].n == maxLen && i+maxLen < len(nodes) {
			// So long a match is the best; the plan ends with it.
			for range maxLen - 1 {
				e.finder.next()
			}
			end = i + maxLen
			break
		}
	}
	e.steps = e.steps[:0]
	for i := end; i > 0; i = nodes[i].from {
		if n := nodes[i].resumed; n > 0 {
			e.steps = append(e.steps, step{n, 0}, step{1, -1})
		}
		if nodes[i].n > 0 {
			e.steps = append(e.steps, nodes[i].step)
		}
	}
	for i, k := 0, len(e.steps)-1; i < k; i, k = i+1, k-1 {
		e.steps[i], e.steps[k] = e.steps[k], e.steps[i]
	}
	return e.steps
}

// trial is a position of the plan from which steps are tried.
type trial struct {
	*encoder
	nodes []node // of the plan
	i     int    // the position in the plan
	at    int    // and in the bytes
	limit int    // how far steps can go
	from  node   // the way there
}

// extend tries all steps from a position of the plan.
func (e *encoder) extend(nodes []node, i int, repeats []repeat) {
	t := trial{e, nodes, i, e.at + i, min(len(nodes)-1-i, maxLen), nodes[i]}
	if t.limit == 0 {
		return
	}
	state, ps := t.from.state, t.posState(t.at)
	match := t.from.price + price(e.model.match[state][ps], 1)
	rep := match + price(e.model.rep[state], 1)
	t.single(t.from.price+price(e.model.match[state][ps], 0), rep+price(e.model.rep0[state], 0)+price(e.model.rep0Long[state][ps], 0))
	t.again(rep, ps)
	t.matches(match+price(e.model.rep[state], 0), ps, repeats)
}

func (e *encoder) posState(at int) int { return at & (1<<e.model.pb - 1) }

// offer proposes a step, and a match at the last distance behind the byte behind it
// where resumed is not 0.
func (t *trial) offer(s step, resumed int, cost uint32, state int, distances [4]int) {
	n := s.n
	if resumed > 0 {
		n += 1 + resumed
	}
	if to := &t.nodes[t.i+n]; cost < to.price {
		*to = node{price: cost, step: s, resumed: resumed, from: t.i, state: state, distances: distances}
	}
}

// single tries a byte, and a byte at the last distance.
func (t *trial) single(literal, short uint32) {
	b, d, state := t.b, t.from.distances, t.from.state
	var before, matched byte
	if t.at > 0 {
		before = b[t.at-1]
	}
	if p := t.at - d[0] - 1; p >= 0 {
		matched = b[p]
		if matched == b[t.at] {
			t.offer(step{1, 0}, 0, short, afterShortRep(state), d)
		}
	}
	t.offer(step{1, -1}, 0, literal+literalPrice(t.model.literalAt(before), b[t.at], matched, state >= 7), afterLiteral(state), d)
	t.resume(step{}, t.from.price, state, d)
}

// again tries the last distances.
func (t *trial) again(rep uint32, ps int) {
	state := afterRep(t.from.state)
	for k, d := range t.from.distances {
		if t.at <= d {
			continue
		}
		n := common(t.b[t.at-d-1:], t.b[t.at:], t.limit)
		if n < minLen {
			continue
		}
		cost, distances := rep+t.model.repPrice(t.from.state, k, ps), moved(t.from.distances, k)
		t.resume(step{n, k}, cost+t.costs.rep[ps][n], state, distances)
		for ; n >= minLen; n-- {
			t.offer(step{n, k}, 0, cost+t.costs.rep[ps][n], state, distances)
		}
	}
}

// matches tries what was found, each length at the least distance that has it.
func (t *trial) matches(match uint32, ps int, repeats []repeat) {
	state, d := afterMatch(t.from.state), t.from.distances
	n := minLen
	for _, r := range repeats {
		distances := [4]int{r.dist, d[0], d[1], d[2]}
		for ; n <= min(r.n, t.limit); n++ {
			cost := match + t.costs.match[ps][n] + t.costs.distance(r.dist, n)
			t.offer(step{n, 4 + r.dist}, 0, cost, state, distances)
			if n == r.n {
				t.resume(step{n, 4 + r.dist}, cost, state, distances)
			}
		}
	}
}

// resume tries a byte and a match at the last distance behind a step.
func (t *trial) resume(s step, cost uint32, state int, distances [4]int) {
	at := t.at + s.n
	p := at - distances[0] - 1
	if p < 0 || s.n+1+minLen > t.limit || t.b[p] == t.b[at] {
		return
	}
	n := common(t.b[p+1:], t.b[at+1:], t.limit-s.n-1)
	if n < minLen {
		return
	}
	var before byte
	if at > 0 {
		before = t.b[at-1]
	}
	cost += price(t.model.match[state][t.posState(at)], 0) + literalPrice(t.model.literalAt(before), t.b[at], t.b[p], state >= 7)
	state = afterLiteral(state)
	ps := t.posState(at + 1)
	cost += price(t.model.match[state][ps], 1) + price(t.model.rep[state], 1) + t.model.repPrice(state, 0, ps) + t.costs.rep[ps][n]
	t.offer(s, n, cost, afterRep(state), distances)
}

// repPrice is what it costs to name one of the last distances.
func (m *model) repPrice(state, k, posState int) uint32 {
	if k == 0 {
		return price(m.rep0[state], 0) + price(m.rep0Long[state][posState], 1)
	}
	sum := price(m.rep0[state], 1)
	if k == 1 {
		return sum + price(m.rep1[state], 0)
	}
	return sum + price(m.rep1[state], 1) + price(m.rep2[state], k-2)
}

// moved puts one of the last distances first.
func moved(d [4]int, k int) [4]int {
	first := d[k]
	copy(d[1:k+1], d[:k])
	d[0] = first
	return d
}

func (e *encoder) write(s step) {
	m, ps := e.model, e.posState(e.at)
	switch {
	case s.back < 0:
		var before, matched byte
		if e.at > 0 {
			before = e.b[e.at-1]
		}
		if m.state >= 7 {
			matched = e.b[e.at-m.distances[0]-1]
		}
		e.coder.bit(&m.match[m.state][ps], 0)
		e.coder.literal(m.literalAt(before), e.b[e.at], matched, m.state >= 7)
		m.state = afterLiteral(m.state)
	case s.back >= 4:
		e.coder.bit(&m.match[m.state][ps], 1)
		e.coder.bit(&m.rep[m.state], 0)
		e.coder.length(&m.matchLen, s.n, ps)
		e.coder.distance(m, s.back-4, s.n)
		m.distances = [4]int{s.back - 4, m.distances[0], m.distances[1], m.distances[2]}
		m.state = afterMatch(m.state)
	default:
		e.writeRep(s, ps)
	}
	e.at += s.n
}

func (e *encoder) writeRep(s step, ps int) {
	m := e.model
	e.coder.bit(&m.match[m.state][ps], 1)
	e.coder.bit(&m.rep[m.state], 1)
	if s.back == 0 {
		e.coder.bit(&m.rep0[m.state], 0)
		e.coder.bit(&m.rep0Long[m.state][ps], min(s.n-1, 1))
	} else {
		e.coder.bit(&m.rep0[m.state], 1)
		e.coder.bit(&m.rep1[m.state], min(s.back-1, 1))
		if s.back > 1 {
			e.coder.bit(&m.rep2[m.state], s.back-2)
		}
	}
	m.distances = moved(m.distances, s.back)
	if s.n == 1 {
		m.state = afterShortRep(m.state)
		return
	}
	e.coder.length(&m.repLen, s.n, ps)
	m.state = afterRep(m.state)
}
