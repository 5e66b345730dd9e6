package heuristics

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/memory"
	"kdlocks/waitgraph"
)

var poolUntagged = &Check{
	ID:       "pool-untagged",
	Title:    "Much pool was allocated without a tag",
	Severity: Medium,
	Means: `Under the tag None stands what drivers allocate with ExAllocatePool, which takes no tag: so the tag does not name the driver. The driver is found by what it imports: the address of ExAllocatePool stands in its import table, and nowhere else. The steps are: x for the address, a search through all modules for it, dps to see that what was found is an import table, !lmi for the module.
Seen must be: None among the largest tags of nonpaged pool. A driver is named only where an import table with the address was printed and the module around it is known.`,
	WhenWrong:  `A driver that imports ExAllocatePool need not be the one that keeps the memory, least of all where several do. Newer compilers make tagged calls of untagged ones, and a driver that looks the address up at run time (MmGetSystemRoutineAddress) has it elsewhere. One listing says how much there is, and not that it grows.`,
	Disproof:   "A later !poolused 2 shows None with no more than now.",
	Remedy:     "Update or remove the product that the driver belongs to. For its developer: ExAllocatePool2 or ExAllocatePoolWithTag, with a tag of its own.",
	Next:       "x nt!ExAllocatePool",
	References: []string{"NT Debugging blog: NonPagedPool Depletion", "Microsoft Learn: ExAllocatePool"},
}

func init() {
	register(poolUntagged, func(d *diagnosis) []Finding {
		c := d.untagged()
		if c == nil {
			return nil
		}
		f := poolUntagged.finding(Context)
		f.Confidence, f.Grade = Possible, waitgraph.A
		if len(c.drivers()) == 1 {
			f.Confidence = Likely
		}
		c.tell(d, &f)
		u := c.top.row.Of(memory.NonPaged)
		f.Summary = fmt.Sprintf("%s of nonpaged pool were allocated without a tag%s.", inBytes(u.Bytes.N), c.who())
		return []Finding{f}
	})
}

// importers is the way from the tag None to the drivers that import ExAllocatePool.
type importers struct {
	top topTag // of None
	// routine is the address of ExAllocatePool, 0 if it was not printed; routineAt is
	// where it was.
	routine   kd.Addr
	routineAt kd.Ref
	searched  bool // all modules were searched for it
	tables    []importTable
}

// importTable is a place at which the address of ExAllocatePool stands.
type importTable struct {
	at    kd.Addr
	found kd.Ref
	// others are entries beside it that are functions, too; looked says that memory
	// around it was printed.
	others []*memory.Words
	looked bool
	in     holder
}

// holder is the module that an address is in. Its image is "" if it is not known.
type holder struct {
	image string // the file, else the name
	base  kd.Addr
	at    kd.Ref
	// kernel is set for nt itself, whose tables of Driver Verifier hold addresses of
	// routines, too.
	kernel bool
}

// holder finds the module that an address is in: by its range, or because !lmi was asked
// about the address.
func (d *diagnosis) holder(a kd.Addr) holder {
	m := d.snap.ModuleAt(a)
	if m == nil || m.Unloaded { // what is there now is another one
		m = nil
		for _, asked := range d.snap.Modules {
			if slices.Contains(asked.Asked, a) {
				m = asked
			}
		}
	}
	if m == nil {
		return holder{}
	}
	h := holder{m.Image, m.Base, m.At, m.Is("nt")}
	if h.image == "" {
		h.image = m.Label()
	}
	return h
}

// leastUntagged is what must stand under None for it to matter where it is not the
// largest tag, in bytes and in percent of the pool.
const (
	leastUntagged      = 16 << 20
	leastUntaggedShare = 10
)

// untagged follows the tag None, nil if it has little.
func (d *diagnosis) untagged() *importers {
	for i := len(d.snap.Memory.Pools) - 1; i >= 0; i-- {
		p := d.snap.Memory.Pools[i]
		r := p.Find("None", memory.NonPaged)
		if r == nil || p.OfSession == memory.Yes {
			continue
		}
		c := &importers{top: topTag{row: r, pool: p, t: memory.NonPaged, share: -1}}
		c.top.weigh(d.snap.Memory.LastVM())
		most := largestTag(p, memory.NonPaged)
		n := r.NonPaged.Bytes
		c.top.surely = most != nil && most.row == r && most.surely
		if !n.Known() || p.Filtered == memory.Yes || (most == nil || most.row != r || n.N < leastUntagged/2) && (n.N < leastUntagged || c.top.share < leastUntaggedShare) {
			return nil
		}
		c.follow(d)
		return c
	}
	return nil
}

// follow reads what was printed of the steps.
func (c *importers) follow(d *diagnosis) {
	m := d.snap.Memory.Memory
	if m == nil {
		return
	}
	for _, s := range m.Symbols {
		if memory.Function(s.Name) == "ExAllocatePool" {
			c.routine, c.routineAt = s.Addr, s.At
		}
	}
	for i := range m.Words {
		w := &m.Words[i]
		if c.routine == 0 && memory.Function(w.Symbol) == "ExAllocatePool" && len(w.Values) == 1 {
			c.routine, c.routineAt = w.Values[0], w.At
		}
	}
	if c.routine == 0 {
		return
	}
	c.searched = slices.ContainsFunc(m.Searches, func(s memory.Search) bool {
		return s.Whole && s.Value == c.routine && strings.Contains(s.Command, "for_each_module")
	})
	places := make(map[kd.Addr]*memory.Words)
	for i := range m.Words {
		if w := &m.Words[i]; !w.Found {
			places[w.Addr] = w
		}
	}
	for i := range m.Words {
		w := &m.Words[i]
		for k, v := range w.Values {
			if at := w.Addr + kd.Addr(k*w.Size); v == c.routine {
				c.place(d, at, w, places)
			}
		}
	}
}

// looksForImporters reports whether what was printed of memory is part of the way to who
// imports ExAllocatePool.
func looksForImporters(m *memory.Memory) bool {
	return slices.ContainsFunc(m.Symbols, func(s memory.Symbol) bool { return memory.Function(s.Name) == "ExAllocatePool" }) ||
		slices.ContainsFunc(m.Words, func(w memory.Words) bool { return memory.Function(w.Symbol) == "ExAllocatePool" })
}

// place adds a place at which the address stands, once.
func (c *importers) place(d *diagnosis, at kd.Addr, w *memory.Words, places map[kd.Addr]*memory.Words) {
	const most = 64
	if len(c.tables) >= most || slices.ContainsFunc(c.tables, func(t importTable) bool { return t.at == at }) {
		return
	}
	t := importTable{at: at, found: w.At}
	for _, beside := range []kd.Addr{at - kd.Addr(w.Size), at + kd.Addr(w.Size)} {
		if o := places[beside]; o != nil {
			t.looked = true
			if ofKernel(o.Symbol) {
				t.others = append(t.others, o)
			}
		}
	}
	t.in = d.holder(at)
	c.tables = append(c.tables, t)
}

// ofKernel reports whether a symbol is a routine that drivers import.
func ofKernel(symbol string) bool {
	module, _, _ := strings.Cut(symbol, "!")
	return memory.Function(symbol) != "" && (strings.EqualFold(module, "nt") || strings.EqualFold(module, "hal"))
}

// settled reports whether it is known of every place what it is.
func (c *importers) settled() bool {
	return !slices.ContainsFunc(c.tables, func(t importTable) bool { return !t.looked || len(t.others) > 0 && t.in.image == "" })
}

// drivers are the images that surely import the routine.
func (c *importers) drivers() []string {
	var out []string
	for _, t := range c.tables {
		if t.in.image != "" && !t.in.kernel && len(t.others) > 0 && !slices.Contains(out, t.in.image) {
			out = append(out, t.in.image)
		}
	}
	return out
}

// baseOf is where a driver's image begins.
func (c *importers) baseOf(image string) kd.Addr {
	for _, t := range c.tables {
		if t.in.image == image {
			return t.in.base
		}
	}
	return 0
}

// isGUID reports whether a name has the form of one: letters in groups of 8, 4, 4, 4
// and 12, in braces or not. Authors put an X for each.
func isGUID(name string) bool {
	groups := strings.Split(strings.Trim(name, "{}"), "-")
	for i, n := range []int{8, 4, 4, 4, 12} {
		if len(groups) != 5 || len(groups[i]) != n || strings.Trim(strings.ToLower(groups[i]), "0123456789abcdefx") != "" {
			return false
		}
	}
	return true
}

// who names the drivers, or says that none is known.
func (c *importers) who() string {
	switch names := c.drivers(); {
	case len(names) == 1 && c.searched && c.settled():
		return ": " + names[0] + " is the one module that imports ExAllocatePool"
	case len(names) == 1:
		return ": " + names[0] + " imports ExAllocatePool"
	case len(names) > 1:
		return ": " + strings.Join(names, ", ") + " import ExAllocatePool, which of them keeps the memory cannot be told from that"
	}
	return ""
}

// tell adds to a finding what is known of the steps, and asks for the next.
func (c *importers) tell(d *diagnosis, f *Finding) {
	f.seen(c.top.row.At, 0, "what was allocated without a tag")
	f.seen(c.routineAt, 0, "where ExAllocatePool is")
	for i := range c.tables {
		t := &c.tables[i]
		f.seen(t.found, 0, "its address stands here")
		for _, o := range t.others {
			f.seen(o.At, o.Addr, "the functions beside it make that an import table")
		}
		if t.in.image != "" {
			f.seen(t.in.at, t.in.base, "the module around it")
		}
	}
	if ms := c.drivers(); len(ms) == 1 {
		f.Suspect = &Suspect{Module: driverName(ms[0]), Reason: "it imports ExAllocatePool, which allocates under the tag None"}
		if isGUID(driverName(ms[0])) {
			f.Explanation += "Its name is a GUID: such a driver may be made by a program when that starts, and is not on the disk when it does not run. Look for that program. "
		}
	}
	text, next := c.step(d)
	f.Explanation += text
	f.Next = append(f.Next, next...)
}

// step says which step of the way is missing, and the command for it.
func (c *importers) step(d *diagnosis) (text string, next []string) {
	const which = "Which driver that is shows in who imports ExAllocatePool. "
	if c.routine == 0 {
		d.gap(kd.Gap{What: "where ExAllocatePool is", Why: kd.NotInInput, Next: "x nt!ExAllocatePool"})
		return which + "Its address is needed first.", []string{"x nt!ExAllocatePool"}
	}
	if len(c.tables) == 0 {
		return c.stepSearch(d, which)
	}
	for i := range c.tables {
		t := &c.tables[i]
		switch at := d.addr(t.at); {
		case !t.looked:
			next = append(next, "dps "+at)
		case len(t.others) > 0 && t.in.image == "":
			next = append(next, "!lmi "+at)
		}
	}
	if len(next) > 0 {
		what := "whether an import table is at " + strings.TrimPrefix(next[0], "dps ")
		if strings.HasPrefix(next[0], "!lmi") {
			what = "which module " + strings.TrimPrefix(next[0], "!lmi ") + " is in"
		}
		d.gap(kd.Gap{What: what, Why: kd.NotInInput, Next: next[0]})
		const few = 4
		return fmt.Sprintf("%sIts address stands at %s.", which, kd.Plural(len(c.tables), "place")), next[:min(len(next), few)]
	}
	switch ms := c.drivers(); len(ms) {
	case 0:
		return "What was printed around the places where the address of ExAllocatePool stands is no import table of routines of the kernel: the driver is not known.", c.searchAgain(d)
	case 1:
		text = "The import table of " + ms[0] + " holds the address of ExAllocatePool."
		if !c.searched || !c.settled() {
			return text + " Whether other modules import it, too, was not looked at.", c.searchCommand(d)
		}
		return text + " No other import table does, of all that were searched." + c.elsewhere(d), []string{d.detailsOf(driverName(ms[0]), c.baseOf(ms[0]))}
	}
	return "The import tables of several modules hold the address of ExAllocatePool.", []string{"!poolfind None 0"}
}

// elsewhere tells of places outside of import tables where the address stands: a driver that
// looks a routine up at run time keeps it so.
func (c *importers) elsewhere(d *diagnosis) string {
	var at []string
	for i := range c.tables {
		if t := &c.tables[i]; len(t.others) == 0 && !t.in.kernel && len(at) < mostPlaces {
			at = append(at, d.addr(t.at))
		}
	}
	if len(at) == 0 {
		return ""
	}
	return " Its address also stands at " + strings.Join(at, ", ") + ", beside no other routine: who keeps it there may call it, too."
}

// stepSearch asks for the search, or says that it found nothing.
func (c *importers) stepSearch(d *diagnosis, which string) (string, []string) {
	if c.searched {
		return "No module holds the address of ExAllocatePool, by the search that was typed: the driver looks it up at run time, or was unloaded.", []string{"lm n t", "!poolfind None 0"}
	}
	next := c.searchCommand(d)
	d.gap(kd.Gap{What: "which modules hold the address of ExAllocatePool", Why: kd.NotInInput, Next: next[0]})
	return which + "Search all modules for its address.", next
}

// searchAgain asks for the search, or for the blocks themselves where it was made.
func (c *importers) searchAgain(d *diagnosis) []string {
	if c.searched {
		return []string{"!poolfind None 0"}
	}
	return c.searchCommand(d)
}

func (c *importers) searchCommand(d *diagnosis) []string {
	how := "s-d"
	if d.snap.Target.Arch.Is64() {
		how = "s-q"
	}
	return []string{"!for_each_module " + how + " @#Base @#End " + d.addr(c.routine)}
}
