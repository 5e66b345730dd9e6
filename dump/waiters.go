package dump

import (
	"cmp"
	"fmt"
	"slices"

	"kdlocks/kd"
)

// readWaiters finds who waits for each resource: by the lists of the resource, and by
// what the waiting threads name. What the two do not agree on is doubted.
func (d *Dump) readWaiters(f *Facts) {
	if d.kdbg.resources == 0 {
		return
	}
	waiting := make(map[uint64][]*Thread) // by object
	for _, t := range f.thread {
		for _, o := range t.Objects {
			waiting[o.VA] = append(waiting[o.VA], t)
		}
	}
	found := make(map[uint64]bool)
	for _, r := range f.Resources {
		if r.Fast {
			continue
		}
		w := &waitList{d: d, f: f, r: r, waiting: waiting}
		r.Shared = w.read(r.sharedAt, r.SharedCount, "shared", d.layout.chainsShared(), semaphoreObject)
		r.Exclusive = w.read(r.exclusiveAt, r.ExclusiveCount, "exclusive", d.layout.chainsExclusive(), synchronizationEvent)
		for _, t := range slices.Concat(r.Shared, r.Exclusive) {
			found[t] = true
		}
	}
	d.tellLost(f, found)
}

// chainsShared and chainsExclusive report whether waiters of the kind stand in a chain
// of entries on their own stacks, and not in the wait list of one object.
func (l *layout) chainsShared() bool    { return l.has(chainEvent) }
func (l *layout) chainsExclusive() bool { return l.has(chainEvent) && l.has(chainThread) }

// tellLost notes threads that wait for a resource and stand in no list.
func (d *Dump) tellLost(f *Facts, found map[uint64]bool) {
	const most = 20
	n := 0
	for _, p := range f.Processes {
		for _, t := range p.Threads {
			if t.State != Waiting || t.Reason != waitResource || found[t.VA] {
				continue
			}
			if n++; n <= most {
				d.gap(fmt.Sprintf("which ERESOURCE thread 0x%x waits for: it is in no list of waiters", t.VA), kd.NotInDump, fmt.Sprintf("!thread %x 1f", t.VA), false)
			}
		}
	}
	if n > most {
		d.note("%d more threads wait for ERESOURCEs and are in no list of waiters", n-most)
	}
}

// waitList reads one list of waiters.
type waitList struct {
	d       *Dump
	f       *Facts
	r       *Resource
	waiting map[uint64][]*Thread
	out     []uint64
	met     map[uint64]bool
	wrong   error
}

// read returns the threads of a list that begins at a value of the resource.
func (w *waitList) read(at uint64, count uint32, kind string, chained bool, object uint8) []uint64 {
	w.out, w.met, w.wrong = nil, make(map[uint64]bool), nil
	switch {
	case at == 0:
	case chained:
		w.chain(at)
	default:
		w.object(at, object)
	}
	if w.wrong != nil {
		w.doubt("the list of %s waiters of ERESOURCE 0x%x: %v", kind, w.r.VA, w.wrong)
	}
	if uint32(len(w.out)) != count {
		w.doubt("ERESOURCE 0x%x counts %s, and %d were found", w.r.VA, kd.Plural(int(count), kind+" waiter"), len(w.out))
	}
	return w.out
}

func (w *waitList) doubt(format string, args ...any) { w.d.doubt(w.r, format, args...) }

// mostStrangers is how many entries all lists may have more than there are threads, each of
// which waits for one resource.
const mostStrangers = 1 << 12

// more counts an entry of a list, whatever is in it, and returns an error if there are too
// many of all lists.
func (w *waitList) more() error {
	most := len(w.f.thread) + mostStrangers
	if w.d.waiting >= most {
		return fmt.Errorf("of all waiters %w", errLimit(most))
	}
	w.d.waiting++
	return nil
}

// take adds a waiter, and returns an error if it is not new.
func (w *waitList) take(va uint64) error {
	if w.met[va] {
		return errBefore
	}
	w.met[va] = true
	w.out = append(w.out, va)
	return nil
}

// object reads the wait list of a dispatcher object, and holds it against the threads that
// say that they wait for it.
func (w *waitList) object(at uint64, kind uint8) {
	b, err := w.d.mem.u64(at)
	if err != nil {
		w.wrong = err
	} else if uint8(b)&0x7f != kind {
		w.wrong = fmt.Errorf("the object at 0x%x has the type %d", at, uint8(b)&0x7f)
	}
	if err == nil {
		err = w.d.waiters(at, func(va uint64) error {
			if err := w.more(); err != nil {
				return err
			}
			w.known(va)
			return w.take(va)
		})
		if err != nil {
			w.wrong = err
		}
	}
	for _, t := range w.sorted(at) {
		if !w.met[t.VA] && w.more() == nil {
			w.take(t.VA)
			w.doubt("thread 0x%x says that it waits for ERESOURCE 0x%x, and is not in its list", t.VA, w.r.VA)
		}
	}
}

// sorted returns the threads that name an object, by their addresses.
func (w *waitList) sorted(object uint64) []*Thread {
	ts := slices.Clone(w.waiting[object])
	slices.SortFunc(ts, func(a, b *Thread) int { return cmp.Compare(a.VA, b.VA) })
	return ts
}

// known reports whether a waiter is a thread, and notes it if not.
func (w *waitList) known(va uint64) bool {
	if w.f.thread[va] != nil {
		return true
	}
	w.doubt("0x%x in a list of waiters of ERESOURCE 0x%x is no thread of any process", va, w.r.VA)
	return true
}

// agrees holds the thread that an entry names against those that wait for its event.
func (w *waitList) agrees(said uint64, waiting []*Thread) {
	t := w.f.thread[said]
	switch {
	case !w.known(said) || t == nil || slices.Contains(waiting, t):
	case t.State != Waiting:
		w.doubt("thread 0x%x is in a list of waiters of ERESOURCE 0x%x and does not wait: it is %s", said, w.r.VA, t.State)
	case len(t.Objects) > 0:
		w.doubt("thread 0x%x is in a list of waiters of ERESOURCE 0x%x and waits for 0x%x", said, w.r.VA, t.Objects[0].VA)
	}
}

// chain reads a chain of entries, each on the stack of its waiter, that ends with zero or
// leads back to its first.
func (w *waitList) chain(first uint64) {
	l := w.d.layout
	seen := make(map[uint64]bool)
	at := first
	for at != 0 && !(seen[at] && at == first) {
		if seen[at] {
			w.wrong = fmt.Errorf("its chain leads back to 0x%x, which is not its first entry", at)
			return
		}
		seen[at] = true
		if at == w.r.VA+l.at(eresourceSharedWaiters) || at == w.r.VA+l.at(eresourceExclusiveWaiters) {
			return // back at the head
		}
		if err := w.more(); err != nil {
			w.wrong = err
			return
		}
		w.entry(at)
		next, err := w.d.mem.u64(at)
		if err != nil {
			w.wrong = err
			return
		}
		at = next
	}
}

// entry takes the waiter of an entry of a chain: what the entry says, and who waits for
// the event in it.
func (w *waitList) entry(at uint64) {
	l := w.d.layout
	event := at + l.at(chainEvent)
	ts := w.sorted(event)
	said := uint64(0)
	if l.has(chainThread) {
		v, err := w.d.mem.u64(at + l.at(chainThread))
		if err != nil {
			w.wrong = err
		}
		said = v
	}
	switch {
	case said == 0 && len(ts) == 0:
		w.wrong = fmt.Errorf("nobody waits for the event of its entry at 0x%x", at)
	case said == 0:
		w.take(ts[0].VA)
	default:
		w.agrees(said, ts)
		w.take(said)
	}
}
