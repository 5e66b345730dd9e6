package dump

// WaitObject is what a wait block of a thread names.
type WaitObject struct {
	VA    uint64
	Type  uint8  // of its DISPATCHER_HEADER
	Read  bool   // the header could be read
	Limit uint32 // of a semaphore
	Owner uint64 // of a mutant, 0 if none has it
}

// Types of dispatcher objects, as KOBJECTS of Microsoft's symbols numbers them.
const (
	notificationEvent     = 0
	synchronizationEvent  = 1
	mutantObject          = 2
	processObject         = 3
	queueObject           = 4
	semaphoreObject       = 5
	threadObject          = 6
	gateObject            = 7
	notificationTimer     = 8
	synchronizationTimer  = 9
	priorityQueue         = 21
	notificationTimer2    = 24
	synchronizationTimer2 = 25
)

// mostObjects is MAXIMUM_WAIT_OBJECTS (Microsoft Learn: KeWaitForMultipleObjects), and one
// for the timer.
const mostObjects = 64 + 1

// readWait reads the wait blocks of a thread: an array, or before Windows 8 a ring.
func (d *Dump) readWait(t *Thread, r record) {
	l := d.layout
	at := r.u64(kthreadWaitBlockList)
	n := mostObjects
	if l.has(kthreadWaitBlockCount) {
		n = min(max(int(r.u8(kthreadWaitBlockCount)), 1), mostObjects)
	}
	var buf [0x40]byte
	size := l.at(waitBlockSize)
	if size == 0 || size > uint64(len(buf)) {
		size = 0x30
	}
	first := at
	for range n {
		if at == 0 {
			return
		}
		b, err := d.readRecord(buf[:size], at)
		if err != nil || b.u64(waitBlockThread) != t.VA {
			return
		}
		t.Objects = append(t.Objects, d.waitObject(b))
		switch {
		case l.has(waitBlockNextWaitBlock):
			if at = b.u64(waitBlockNextWaitBlock); at == first {
				return
			}
		default:
			at += size
		}
	}
}

func (d *Dump) waitObject(b record) WaitObject {
	o := WaitObject{VA: b.u64(waitBlockObject)}
	var head [0x40]byte
	if d.mem.ReadVirtual(head[:], o.VA) != nil {
		if d.mem.ReadVirtual(head[:0x18], o.VA) != nil {
			return o
		}
	}
	h := record{d.layout, o.VA, head[:]}
	o.Read, o.Type = true, h.u8(headerType)&0x7f
	switch o.Type {
	case mutantObject:
		o.Owner = h.u64(mutantOwnerThread) &^ 1
	case semaphoreObject:
		o.Limit = h.u32(semaphoreLimit)
	}
	return o
}

// waiters gives the threads in the wait list of a dispatcher object, in its order, to
// take, until that returns an error. It returns what is wrong with the list.
func (d *Dump) waiters(object uint64, take func(thread uint64) error) error {
	l := d.layout
	link, thread := l.at(waitBlockWaitListEntry), l.at(waitBlockThread)
	return d.mem.walkList(object+l.at(headerWaitListHead), func(entry uint64) error {
		va, err := d.mem.u64(entry - link + thread)
		if err != nil {
			return err
		}
		return take(va)
	})
}
