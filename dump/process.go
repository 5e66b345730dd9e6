package dump

import "fmt"

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
	met := newTaken(processCell, mostProcesses)
	err := d.mem.walkList(d.kdbg.processes, func(entry uint64) error {
		va := entry - links
		if err := met.take(va); err != nil {
			return err
		}
		r, err := d.readRecord(buf, va)
		if err != nil {
			if d.moreGaps() {
				d.gap(fmt.Sprintf("the process at 0x%x: %v", va, err), why(err), fmt.Sprintf("!process %x 17", va), false)
			}
			return nil
		}
		f.Processes = append(f.Processes, processOf(r, r.va))
		return nil
	})
	if err != nil {
		d.gap(fmt.Sprintf("a part of the list of processes (PsActiveProcessHead, 0x%x): %v", d.kdbg.processes, err), why(err), "!process 0 0", true)
	}
	for _, p := range f.Processes {
		f.process[p.VA] = p
	}
	threads := newTaken(threadCell, mostThreads)
	for _, p := range f.Processes {
		d.readThreads(f, p, threads)
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
func (d *Dump) readThreads(f *Facts, p *Process, met *taken) {
	head := p.VA + d.layout.at(eprocessThreadListHead)
	entry := d.layout.at(ethreadThreadListEntry)
	err := d.mem.walkList(head, func(at uint64) error {
		va := at - entry
		if err := met.take(va); err != nil {
			return err
		}
		t, err := d.readThread(va)
		if err != nil {
			if d.moreGaps() {
				d.gap(fmt.Sprintf("thread 0x%x of %s: %v", va, p.Image, err), why(err), fmt.Sprintf("!thread %x", va), false)
			}
			t = &Thread{VA: va, unread: true}
		}
		f.thread[va] = t
		p.Threads = append(p.Threads, t)
		return nil
	})
	if err != nil && d.moreGaps() {
		d.gap(fmt.Sprintf("a part of the threads of process 0x%x (%s): %v", p.VA, p.Image, err), why(err), fmt.Sprintf("!process %x 17", p.VA), true)
	}
}
