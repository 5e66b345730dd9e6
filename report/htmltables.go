package report

import (
	"fmt"
	"strconv"
)

// mostOwners bounds the owners in a cell.
const mostOwners = 4

var (
	lockHeads   = []string{"ERESOURCE", "Mode", "Owner", "Shared waiting", "Exclusive waiting", "Contention", "Symbol", "Line"}
	threadHeads = []string{"Thread", "CID", "Image", "State", "Reason", "Waits for", "ms", "Frames", "Line"}
)

// htmlLocks lists resources: those of the findings first, then those that are
// waited for, then others.
func (r *Report) htmlLocks() htmlTable {
	t := htmlTable{Name: "Locks", Heads: lockHeads}
	found := make(map[string]bool)
	for i := range r.Findings {
		for _, a := range r.Findings[i].Resources {
			found[key(r.Findings[i].Session, a)] = true
		}
	}
	n := index(r)
	var classes [3][][]string
	count := 0
	for l := range r.Resources.All() {
		count++
		class := 2
		switch {
		case found[key(l.Session, l.Address)]:
			class = 0
		case l.waited():
			class = 1
		}
		if len(classes[class]) < mostHTMLRows {
			classes[class] = append(classes[class], n.lockRow(&l))
		}
	}
	for _, rows := range classes {
		t.Rows = append(t.Rows, rows[:min(len(rows), mostHTMLRows-len(t.Rows))]...)
	}
	t.Said = fmt.Sprintf("%d read; those of the findings first, then those that threads wait for", count)
	if left := count - len(t.Rows); left > 0 {
		t.Left = fmt.Sprintf("… and %d more (kdlocks locks lists them)", left)
	}
	return t
}

func (n names) lockRow(l *Resource) []string {
	owners := ""
	for i, o := range l.Owners {
		if i > 0 {
			owners += "; "
		}
		if i == mostOwners {
			owners += fmt.Sprintf("and %d more", len(l.Owners)-i)
			break
		}
		owners += n.r.ownerCell(o)
		if o.Thread != "" {
			if p := n.threads[key(l.Session, o.Thread)]; p != nil {
				owners += p.who()
			}
		}
	}
	return []string{
		n.r.bare(l.Address), l.Mode, owners, waiting(l.SharedWaiterCount, len(l.SharedWaiters)),
		waiting(l.ExclusiveWaiterCount, len(l.ExclusiveWaiters)), number(l.Contention), l.Symbol, strconv.Itoa(l.At.Line),
	}
}

// htmlThreads lists threads: those of the findings first, then the first of
// the others.
func (r *Report) htmlThreads() htmlTable {
	t := htmlTable{Name: "Threads", Heads: threadHeads}
	shown := make(map[string]bool)
	add := func(th *Thread) {
		k := key(th.Session, th.Address)
		if th.Address != "" && shown[k] {
			return
		}
		shown[k] = true
		t.Rows = append(t.Rows, r.threadRow(th))
	}
	for _, k := range r.threadsFound() {
		if th := r.lookup(k.session, k.address); th != nil {
			add(th)
		}
	}
	if len(t.Rows) < mostHTMLRows {
		for th := range r.Threads.All() {
			if add(&th); len(t.Rows) == mostHTMLRows {
				break
			}
		}
	}
	t.Said = fmt.Sprintf("%d read; those of the findings first", r.threadCount)
	if left := r.threadCount - len(t.Rows); left > 0 {
		t.Left = fmt.Sprintf("… and %d more (kdlocks threads lists them)", left)
	}
	return t
}

// threadsFound returns the threads that findings are about, at most as many as
// a table has rows.
func (r *Report) threadsFound() []person {
	var out []person
	if r.lookup == nil {
		return nil
	}
	seen := make(map[string]bool)
	for i := range r.Findings {
		for _, a := range r.Findings[i].Threads {
			k := key(r.Findings[i].Session, a)
			if len(out) < mostHTMLRows && !seen[k] {
				seen[k] = true
				out = append(out, person{session: r.Findings[i].Session, address: a})
			}
		}
	}
	return out
}

func (r *Report) threadRow(th *Thread) []string {
	image, object := "", ""
	if th.Process != nil {
		image = th.Process.Image
	}
	if len(th.WaitObjects) > 0 {
		object = r.bare(th.WaitObjects[0].Address) + " " + th.WaitObjects[0].Kind
		if n := len(th.WaitObjects); n > 1 {
			object += fmt.Sprintf(" and %d more", n-1)
		}
	}
	return []string{orDash(r.bare(th.Address)), th.CID, image, th.State, th.WaitReason, object, number(th.WaitMS), strconv.Itoa(len(th.Frames)), strconv.Itoa(th.At.Line)}
}
