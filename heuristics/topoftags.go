package heuristics

import (
	"fmt"
	"strings"

	"kdlocks/memory"
)

// topTag is the tag that uses most of a type of pool.
type topTag struct {
	row  *memory.Row
	pool *memory.Pool
	t    memory.Type
	// surely says that no tag is missing that uses more.
	surely bool
	// share is in percent of all that is used of the type, below 0 if that is unknown.
	share float64
}

// topTag returns the tag that uses most of a type of pool in the last listing that
// surely tells, else the one of the last listing that has most of those listed; nil if
// there is none. vm may be nil.
func (d *diagnosis) topTag(t memory.Type, vm *memory.VM) *topTag {
	var guess *topTag
	for i := len(d.snap.Memory.Pools) - 1; i >= 0; i-- {
		p := d.snap.Memory.Pools[i]
		if p.OfSession == memory.Yes {
			continue
		}
		top := largestTag(p, t)
		if top == nil {
			continue
		}
		if top.weigh(vm); top.surely {
			return top
		}
		if guess == nil && p.Filtered != memory.Yes && (top.share < 0 || top.share >= leastGuess) {
			guess = top
		}
	}
	return guess
}

// leastGuess is the share of what is used, in percent, from which on a tag is named of which
// is not known whether others have more.
const leastGuess = 5

// largestTag returns the row of a listing with most bytes, nil if it has none.
func largestTag(p *memory.Pool, t memory.Type) *topTag {
	var top *memory.Row
	rank := 0
	ranks := p.Ranks(t)
	for i := range p.Rows {
		r := &p.Rows[i]
		if n := r.Of(t).Bytes; n.Known() && n.N > 0 && (top == nil || n.N > top.Of(t).Bytes.N) {
			top, rank = r, ranks[i]
		}
	}
	if top == nil {
		return nil
	}
	return &topTag{row: top, pool: p, t: t, surely: rank == 1, share: -1}
}

// weigh finds out how much of the pool the tag has. vm may be nil.
func (top *topTag) weigh(vm *memory.VM) {
	if share, ok := top.pool.Share(top.row, top.t, vm); ok {
		top.share = share
	}
}

// untagged reports whether it is the tag of ExAllocatePool.
func (top *topTag) untagged() bool { return top.row.Tag == "None" }

// words says what the tag has: "tag None (call to ExAllocatePool) holds 48.5 MB of it
// in 246,479 allocations, 39 %".
func (top *topTag) words() string {
	u := top.row.Of(top.t)
	text := fmt.Sprintf("tag %s%s holds %s", trimTag(top.row.Tag), inBrackets(ownerOfRow(top.row)), inBytes(u.Bytes.N))
	if u.Allocs.Known() {
		text += fmt.Sprintf(" in %s allocations", grouped(u.Allocs.N))
	}
	if top.share >= 0 {
		text += fmt.Sprintf(", %d %% of what is used", int(top.share))
	}
	if !top.surely {
		text += " (the most of the tags that are listed)"
	}
	return text
}

func inBrackets(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// trimTag writes a tag without the blanks at its end.
func trimTag(tag string) string {
	for len(tag) > 1 && tag[len(tag)-1] == ' ' {
		tag = tag[:len(tag)-1]
	}
	return tag
}

// ownerOfRow says who allocates under the tag of a row: as printed, else as the table
// has it, "" if neither tells.
func ownerOfRow(r *memory.Row) string {
	if r.Described() == memory.Yes {
		if r.Driver != "" {
			return r.Comment + ", " + r.Driver
		}
		return r.Comment
	}
	o, ok := memory.OwnerOfTag(r.Tag)
	if !ok {
		return ""
	}
	if o.Driver != "" {
		return o.What + ", " + o.Driver
	}
	return o.What
}

// driverOfRow is the file that allocates under the tag of a row, "" if it is not
// known or is the kernel.
func driverOfRow(r *memory.Row) string {
	driver := r.Driver
	// pooltag.txt names the program of user mode that a driver serves, as with nsi.dll.
	served := strings.HasSuffix(strings.ToLower(driver), ".dll")
	if o, ok := memory.OwnerOfTag(r.Tag); ok && (driver == "" || served && strings.HasSuffix(o.Driver, ".sys")) {
		driver = o.Driver
	}
	if driver == "nt" || len(driver) > 3 && driver[:3] == "nt!" {
		return ""
	}
	return driver
}
