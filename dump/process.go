package dump

import (
	"fmt"

	"kdlocks/kd"
)

// Process is an EPROCESS of the list of active processes.
type Process struct {
	VA        uint64
	PID       uint64
	Parent    uint64
	Image     string
	Peb       uint64
	Directory uint64 // physical address of its page directory
	Handles   uint64 // ObjectTable
	Threads   []*Thread
}

// mostProcesses and mostThreads bound what the lists of the kernel may hold.
const (
	mostProcesses = 1 << 17
	mostThreads   = 1 << 17
)

// readProcesses walks the list of active processes, and the threads of each.
func (d *Dump) readProcesses(f *Facts) {
	l := d.layout
	links := l.at(eprocessActiveProcessLinks)
	buf := make([]byte, l.extent(eprocessUniqueProcessId, eprocessImageFileName, eprocessThreadListHead, eprocessPeb, eprocessInheritedFromUniqueProcessId, eprocessObjectTable, kprocessDirectoryTableBase))
	met := make(map[uint64]bool)
	err := d.mem.walkList(d.kdbg.processes, func(entry uint64) bool {
		if met[entry] || len(met) >= mostProcesses {
			return false
		}
		met[entry] = true
		r, err := d.readRecord(buf, entry-links)
		if err != nil {
			d.gap(fmt.Sprintf("the process at 0x%x: %v", entry-links, err), kd.NotInDump, fmt.Sprintf("!process %x 17", entry-links), false)
			return true
		}
		f.Processes = append(f.Processes, processOf(r, r.va))
		return true
	})
	if err != nil {
		d.gap(fmt.Sprintf("a part of the list of processes (PsActiveProcessHead, 0x%x): %v", d.kdbg.processes, err), kd.NotInDump, "!process 0 0", true)
	}
	for _, p := range f.Processes {
		f.process[p.VA] = p
	}
	for _, p := range f.Processes {
		d.readThreads(f, p)
	}
}

// processOf reads what stands in the EPROCESS itself.
func processOf(r record, va uint64) *Process {
	return &Process{
		VA: va, PID: r.u64(eprocessUniqueProcessId), Parent: r.u64(eprocessInheritedFromUniqueProcessId),
		Image: ansiText(r.at(eprocessImageFileName, 0, 15)), Peb: r.u64(eprocessPeb), Directory: r.u64(kprocessDirectoryTableBase) &^ 0xfff,
		Handles: r.u64(eprocessObjectTable),
	}
}

// readThreads walks the threads of a process.
func (d *Dump) readThreads(f *Facts, p *Process) {
	head := p.VA + d.layout.at(eprocessThreadListHead)
	entry := d.layout.at(ethreadThreadListEntry)
	err := d.mem.walkList(head, func(at uint64) bool {
		va := at - entry
		if f.thread[va] != nil || len(f.thread) >= mostThreads {
			return false
		}
		t, err := d.readThread(va)
		if err != nil {
			d.gap(fmt.Sprintf("thread 0x%x of %s: %v", va, p.Image, err), kd.NotInDump, fmt.Sprintf("!thread %x", va), false)
			t = &Thread{VA: va, unread: true}
		}
		f.thread[va] = t
		p.Threads = append(p.Threads, t)
		return true
	})
	if err != nil {
		d.gap(fmt.Sprintf("a part of the threads of process 0x%x (%s): %v", p.VA, p.Image, err), kd.NotInDump, fmt.Sprintf("!process %x 17", p.VA), true)
	}
}
