package dump

import (
	"fmt"
	"math"
	"strings"

	"kdlocks/kd"
)

// chooseLayout takes the layout of the kernel's structures from its symbols, or from
// those that kdlocks has for the build, and believes it when processes read right by
// it: System, where it is there.
func (d *Dump) chooseLayout() {
	if d.kdbg == nil {
		return
	}
	if l := d.layoutOfSymbols(); l != nil {
		if err := d.checkLayout(l); err != nil {
			d.gap(fmt.Sprintf("processes and threads (by its own symbols the System process does not read right: %v)", err), kd.Unreadable, "!process 0 17", true)
			return
		}
		d.layout = l
		return
	}
	var why error
	for _, l := range layoutsOf(d.Header.Build) {
		if !d.kdbg.sizes.agrees(l) {
			continue
		}
		err := d.checkLayout(l)
		if err == nil {
			d.layout = l
			return
		}
		why = err
	}
	d.unknownLayout(why)
}

func (d *Dump) unknownLayout(why error) {
	reason := fmt.Sprintf("%v for build %d", errNoLayout, d.Header.Build)
	if known := layoutsOf(d.Header.Build); len(known) > 0 {
		s, l := d.kdbg.sizes, known[0]
		reason = fmt.Sprintf("the kernel says of itself other sizes than any layout known for build %d has: EPROCESS 0x%x (0x%x), ETHREAD 0x%x (0x%x)", d.Header.Build, s.eprocess, l.at(eprocessSize), s.ethread, l.at(ethreadSize))
	}
	if why != nil {
		reason = fmt.Sprintf("by the layout known for build %d the System process does not read right: %v", d.Header.Build, why)
	}
	symbols := "the symbols of the kernel tell it, --symbols"
	if d.nt != nil {
		symbols += ": " + d.wanted(d.nt)
	}
	d.gap(fmt.Sprintf("locks, processes and threads (%s; %s)", reason, symbols), kd.NotInInput, "", true)
}

// layoutOfSymbols makes a layout of the kernel's own symbols, nil if there are none
// or they lack what is needed.
func (d *Dump) layoutOfSymbols() *layout {
	if d.nt == nil {
		return nil
	}
	t := d.symbols(d.nt)
	if t == nil {
		return nil
	}
	l := &layout{first: d.nt.view.GUID, last: d.nt.view.GUID}
	for id, name := range fieldNames {
		typ, path := splitName(name)
		if path == "size" {
			if n, ok := t.Size(typ); ok {
				l.fields[id] = field{off: n, known: true}
			}
			continue
		}
		if f, ok := t.Field(typ, path); ok {
			l.fields[id] = field{off: f.Offset, bit: f.Bit, bits: f.Bits, known: true}
		}
	}
	for _, id := range needed {
		if !l.has(id) {
			d.note("the symbols of the kernel lack %s: they are not used for its structures", fieldNames[id])
			return nil
		}
	}
	return l
}

func splitName(name string) (typ, path string) {
	for i := range name {
		if name[i] == '.' {
			return name[:i], name[i+1:]
		}
	}
	return name, ""
}

// needed are the fields that no layout can be without.
var needed = []fieldID{
	eprocessUniqueProcessId, eprocessActiveProcessLinks, eprocessImageFileName, eprocessThreadListHead, kprocessDirectoryTableBase,
	ethreadCid, ethreadThreadListEntry, kthreadInitialStack, kthreadStackLimit, kthreadStackBase, kthreadKernelStack, kthreadState,
	kthreadWaitReason, kthreadWaitBlockList, kthreadProcess, waitBlockThread, waitBlockObject, headerType, headerWaitListHead,
	eresourceOwnerTable, eresourceActiveCount, eresourceFlag, eresourceSharedWaiters, eresourceExclusiveWaiters, eresourceOwnerEntry,
	ownerOwnerThread, ownerOwnerCount, ownerTableSize,
}

// systemPID is the ID of the System process (Windows Internals, 7th edition, part 1, chapter 2).
const systemPID = 4

// mostChecked is how many processes, and threads of each, a layout is checked with.
const (
	mostChecked        = 64
	mostCheckedThreads = 16
)

// checkLayout reads processes and their threads by a layout, and says what is not as it must
// be. The System process decides, where it is in the dump. Where it is not, the others do,
// or that the layout has the sizes and offsets that the kernel tells of itself.
func (d *Dump) checkLayout(l *layout) error {
	met := newTaken(processCell, mostChecked)
	var system, other error
	found, right, wrong := false, 0, 0
	err := d.mem.walkList(d.kdbg.processes, func(entry uint64) error {
		va := entry - l.at(eprocessActiveProcessLinks)
		if err := met.take(va); err != nil || found {
			return errLimit(mostChecked)
		}
		b, err := d.mem.record(l, make([]byte, l.extent(eprocessUniqueProcessId, eprocessImageFileName, eprocessThreadListHead, kprocessDirectoryTableBase)), va)
		if err != nil {
			return nil
		}
		p := processOf(b, va)
		threads, err := d.checkProcess(l, p, b.u64(eprocessThreadListHead))
		switch {
		case p.PID == systemPID:
			found, system = true, err
		case err != nil:
			wrong++
			other = err
		case threads > 0:
			right++
		}
		return nil
	})
	switch {
	case found:
		return system
	case right > wrong || wrong == 0 && d.kdbg.sizes.told():
		d.note("the System process is not in the dump: the layout of the kernel's structures is believed for %s", d.believed(right))
		return nil
	case other != nil:
		return other
	}
	return fmt.Errorf("PsActiveProcessHead: %w", err)
}

func (d *Dump) believed(right int) string {
	if right > 0 {
		return kd.Plural(right, "other process") + " that read right by it"
	}
	return "the sizes that KDDEBUGGER_DATA64 tells"
}

// checkProcess says what of a process and its threads cannot be so, and how many of them
// read right.
func (d *Dump) checkProcess(l *layout, p *Process, threads uint64) (int, error) {
	switch {
	case p.PID == systemPID && !strings.HasPrefix(p.Image, "System"):
		return 0, fmt.Errorf("process %d is called %q", systemPID, p.Image)
	case p.PID == 0 || p.PID%4 != 0 || p.PID > math.MaxUint32:
		return 0, fmt.Errorf("the process at 0x%x has the ID %d", p.VA, p.PID)
	case p.PID == systemPID && p.Directory != d.Header.Directory:
		d.note("the page directory of the System process is 0x%x, the header's 0x%x", p.Directory, d.Header.Directory)
	}
	return d.checkThreads(l, p, threads)
}

// checkThreads reads the first threads of a process: what most of them say must be such that
// a thread of it can say it. What cannot be read contradicts nothing.
func (d *Dump) checkThreads(l *layout, p *Process, link uint64) (right int, wrong error) {
	head := p.VA + l.at(eprocessThreadListHead)
	bad := 0
	for n := 0; n < mostCheckedThreads && link != head; n++ {
		r, err := d.mem.record(l, make([]byte, l.threadExtent()), link-l.at(ethreadThreadListEntry))
		if err != nil {
			break // a list that is damaged says nothing against the layout
		}
		if err := threadOf(r).checkOf(p); err != nil {
			wrong = err
			bad++
		} else {
			right++
		}
		if link, err = d.mem.u64(link); err != nil {
			break
		}
	}
	if wrong != nil && (right > bad || right > 0 && d.kdbg.sizes.told()) {
		d.note("a thread of process %d does not read right: %v", p.PID, wrong)
		return right, nil
	}
	return right, wrong
}

// checkOf says what a thread of a process cannot say.
func (t *Thread) checkOf(p *Process) error {
	switch {
	case t.PID != p.PID:
		return fmt.Errorf("its thread 0x%x is of process %d", t.VA, t.PID)
	case t.Process != p.VA:
		return fmt.Errorf("its thread 0x%x belongs to process 0x%x", t.VA, t.Process)
	case t.State > mostState:
		return fmt.Errorf("its thread 0x%x has the state %d", t.VA, t.State)
	case t.Base != 0 && !t.hasStack():
		return fmt.Errorf("the stack of its thread 0x%x, from 0x%x to 0x%x, is none", t.VA, t.Limit, t.Base)
	}
	return nil
}

// hasStack reports whether the bounds of the stack can be those of one.
func (t *Thread) hasStack() bool {
	return t.Limit < t.Base && t.Base-t.Limit <= mostStack && t.Init > t.Limit && t.Init <= t.Base
}

// mostStack bounds the size of a kernel stack in bytes: none is near a megabyte.
const mostStack = 1 << 20
