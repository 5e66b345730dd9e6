package dump

import (
	"context"
	"fmt"
	"time"
)

// Facts are what the lists of the kernel hold.
type Facts struct {
	Processes []*Process
	Resources []*Resource // that somebody owns or waits for, and fast ones
	Free      []Free      // the others
	Listed    bool        // the list of resources was read to its end
	Unloaded  []Unloaded
	Ticks     uint32        // now; 0 if it is not known
	Tick      time.Duration // how long a tick is; 0 if it is not known
	// Others are threads that own a resource and are in no list, such as those that
	// have ended.
	Others []*Thread

	process    map[uint64]*Process
	thread     map[uint64]*Thread
	processors []*processor
}

// Free is an ERESOURCE that nobody owns or waits for.
type Free struct {
	VA         uint64
	Contention uint32
}

// Unloaded is a driver that was unloaded.
type Unloaded struct {
	Name       string
	Start, End uint64
}

// sharedTickCount is TickCount in KUSER_SHARED_DATA, which x64 Windows maps at the same
// address everywhere (Microsoft Learn: KUSER_SHARED_DATA).
const sharedTickCount = 0xfffff78000000320

// Read walks the lists of the kernel. It returns nil where nothing of them can be found,
// and the error of ctx when that is done first.
func (d *Dump) Read(ctx context.Context) (*Facts, error) {
	if d.mem == nil || d.kdbg == nil || d.layout == nil {
		return nil, ctx.Err()
	}
	f := &Facts{process: make(map[uint64]*Process), thread: make(map[uint64]*Thread)}
	for _, step := range []func(*Facts){d.readTicks, d.readUnloaded, d.readProcesses, d.readProcessors, d.readResources, d.readOthers, d.readWaiters} {
		step(f)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return f, nil
}

// readTicks reads the clock. A tick that is longer than any clock has is not known.
func (d *Dump) readTicks(f *Facts) {
	f.Ticks, _ = d.mem.u32(sharedTickCount)
	if d.kdbg.timeIncrement == 0 {
		return
	}
	const longest = 1_000_000 // 100 ms in 100 ns
	if n, err := d.mem.u32(d.kdbg.timeIncrement); err == nil && n > 0 && n <= longest {
		f.Tick = time.Duration(n) * 100
	}
}

// readUnloaded reads MmUnloadedDrivers: 50 entries with name, begin and end (volatility3
// has them so).
func (d *Dump) readUnloaded(f *Facts) {
	const entries, size = 50, 0x28
	if d.kdbg.unloaded == 0 {
		return
	}
	at, err := d.mem.u64(d.kdbg.unloaded)
	if err != nil || at == 0 {
		return
	}
	var b [size]byte
	for i := uint64(0); i < entries; i++ {
		if d.mem.ReadVirtual(b[:], at+i*size) != nil {
			return
		}
		name, err := d.mem.unicode(at+i*size, mostName)
		if err == nil && name != "" {
			f.Unloaded = append(f.Unloaded, Unloaded{Name: name, Start: le.Uint64(b[0x10:]), End: le.Uint64(b[0x18:])})
		}
	}
}

// readOthers reads owners that are threads in no list.
func (d *Dump) readOthers(f *Facts) {
	for _, r := range f.Resources {
		for _, o := range r.Owners {
			va := o.Thread &^ 3
			if f.thread[va] != nil || !kernelAddress(va) || len(f.Others) >= mostThreads {
				continue
			}
			if t := d.otherThread(f, va); t != nil {
				f.thread[va] = t
				f.Others = append(f.Others, t)
			}
		}
	}
}

// otherThread reads a thread that is in no list, nil if what is there is none: it must name a
// process that is there, and the ID of that, too.
func (d *Dump) otherThread(f *Facts, va uint64) *Thread {
	t, err := d.readThread(va)
	if err != nil || t.State > mostState || t.Limit > t.Base || t.Base-t.Limit > mostStack {
		return nil
	}
	p := f.process[t.Process]
	if p == nil || p.PID != t.PID || t.TID == 0 || t.TID%4 != 0 {
		return nil
	}
	return t
}

// systemVersion is the line of vertarget that names the system.
func (h *Header) systemVersion() string {
	kind := "Free"
	if h.Major == 0xc {
		kind = "Checked"
	}
	return fmt.Sprintf("%s Kernel Version %d MP (%d procs) %s %s", windowsName(h.Build), h.Build, h.Processors, kind, h.Machine)
}

// windowsName is what debuggers call the system of a build.
func windowsName(build uint32) string {
	switch {
	case build >= 10240:
		return "Windows 10" // so WinDbg says of Windows 11, too
	case build >= 9600:
		return "Windows 8.1"
	case build >= 9200:
		return "Windows 8"
	case build >= 7600:
		return "Windows 7"
	case build >= 6000:
		return "Windows Server 2008/Windows Vista"
	case build >= 3790:
		return "Windows Server 2003"
	}
	return "Windows"
}
