package dump

import (
	"fmt"

	"kdlocks/kd"
)

// chooseLayout takes the layout of the kernel's structures from its symbols, or from
// those that kdlocks has for the build, and believes it when the System process reads
// right by it.
func (d *Dump) chooseLayout() {
	if d.kdbg == nil {
		return
	}
	if l := d.layoutOfSymbols(); l != nil {
		if err := d.checkSystem(l); err != nil {
			d.gap(fmt.Sprintf("processes and threads: by its own symbols the System process does not read right: %v", err), kd.Unreadable, "!process 0 17", true)
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
		err := d.checkSystem(l)
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
	if why != nil {
		reason = fmt.Sprintf("by the layout known for build %d the System process does not read right: %v", d.Header.Build, why)
	}
	symbols := "the symbols of the kernel tell it (--symbols)"
	if d.nt != nil {
		symbols += ": " + d.wanted(d.nt)
	}
	d.gap(fmt.Sprintf("locks, processes and threads: %s; %s", reason, symbols), kd.NotInInput, "", true)
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

// checkSystem reads the first process and its first thread by a layout, and says what
// is not as it must be.
func (d *Dump) checkSystem(l *layout) error {
	links, err := d.mem.u64(d.kdbg.processes)
	if err != nil {
		return fmt.Errorf("PsActiveProcessHead: %w", err)
	}
	va := links - l.at(eprocessActiveProcessLinks)
	p, err := d.mem.record(l, make([]byte, l.extent(eprocessUniqueProcessId, eprocessImageFileName, eprocessThreadListHead, kprocessDirectoryTableBase)), va)
	if err != nil {
		return fmt.Errorf("EPROCESS: %w", err)
	}
	if pid := p.u64(eprocessUniqueProcessId); pid != systemPID {
		return fmt.Errorf("the first process has the ID %d", pid)
	}
	if name := ansiText(p.at(eprocessImageFileName, 0, 15)); name != "System" {
		return fmt.Errorf("the first process is called %q", name)
	}
	if dtb := p.u64(kprocessDirectoryTableBase) &^ 0xfff; dtb != d.Header.Directory {
		d.note("the page directory of the System process is 0x%x, the header's 0x%x", dtb, d.Header.Directory)
	}
	return d.checkSystemThread(l, va, p.u64(eprocessThreadListHead))
}

// checkSystemThread reads the first threads of the System process: what they say must be
// such that a thread of it can say it. What cannot be read contradicts nothing.
func (d *Dump) checkSystemThread(l *layout, process, link uint64) error {
	const most = 16
	head := process + l.at(eprocessThreadListHead)
	for n := 0; n < most && link != head; n++ {
		va := link - l.at(ethreadThreadListEntry)
		r, err := d.mem.record(l, make([]byte, l.threadExtent()), va)
		if err != nil {
			return nil // a list that is damaged says nothing against the layout
		}
		t := threadOf(r)
		switch {
		case t.PID != systemPID:
			return fmt.Errorf("its thread 0x%x is of process %d", va, t.PID)
		case t.Process != process:
			return fmt.Errorf("its thread 0x%x belongs to process 0x%x", va, t.Process)
		case t.State > mostState:
			return fmt.Errorf("its thread 0x%x has the state %d", va, t.State)
		case t.Base != 0 && !t.hasStack():
			return fmt.Errorf("the stack of its thread 0x%x, from 0x%x to 0x%x, is none", va, t.Limit, t.Base)
		}
		if link, err = d.mem.u64(link); err != nil {
			return nil
		}
	}
	return nil
}

// hasStack reports whether the bounds of the stack can be those of one.
func (t *Thread) hasStack() bool {
	return t.Limit < t.Base && t.Base-t.Limit <= mostStack && t.Init > t.Limit && t.Init <= t.Base
}

// mostStack bounds the size of a kernel stack in bytes: none is near a megabyte.
const mostStack = 1 << 20
