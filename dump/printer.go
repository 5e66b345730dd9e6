package dump

import (
	"fmt"
	"time"

	"kdlocks/kd"
)

// printer writes facts in the words and columns of a kernel debugger (logs in testdata).
type printer struct {
	d    *Dump
	f    *Facts
	out  *Listing
	line line
	ends int // stacks that end early
	// counts is whether a resource says how many own it.
	counts bool
}

// print adds a line.
func (p *printer) print(format string, args ...any) {
	p.line = fmt.Appendf(p.line[:0], format, args...)
	p.out.add(p.line)
}

// begin begins a line by hand, which end adds.
func (p *printer) begin(text string) line { return p.line[:0].s(text) }

func (p *printer) end(l line) {
	p.line = l
	p.out.add(l)
}

// addr writes an address as debuggers do of the machine: fffff800`02a00000, or 82900000.
func (p *printer) addr(va uint64) string {
	if p.d.Header.Bits == 32 {
		return fmt.Sprintf("%08x", va)
	}
	return tick(va)
}

// command adds a prompt with what would be typed there.
func (p *printer) command(format string, args ...any) {
	p.out.about(0)
	p.print("")
	p.print("kd> "+format, args...)
}

// target writes what a debugger prints when it opens a dump.
func (p *printer) target() {
	h := p.d.Header
	p.print("%s", h.systemVersion())
	if p.d.nt != nil {
		if p.d.nt.Version != "" {
			p.print("Built by: %s", p.d.nt.Version)
		}
		list := h.Modules
		if p.d.kdbg != nil {
			list = p.d.kdbg.modules
		}
		p.print("Kernel base = 0x%s PsLoadedModuleList = 0x%s", p.addr(p.d.nt.Base), p.addr(list))
	}
	if !h.Taken.IsZero() {
		p.print("Debug session time: %s (UTC + 0:00)", h.Taken.Format("Mon Jan _2 15:04:05.000 2006"))
	}
	if h.Uptime > 0 {
		p.print("System Uptime: %s", uptime(h.Uptime))
	}
	if h.Bugcheck != 0 {
		p.command(".bugcheck")
		p.print("Bugcheck code %08X", h.Bugcheck)
		p.print("Arguments %s %s %s %s", p.addr(h.Params[0]), p.addr(h.Params[1]), p.addr(h.Params[2]), p.addr(h.Params[3]))
	}
}

// uptime writes "3 days 4:05:06.789".
func uptime(d time.Duration) string {
	days, rest := d/(24*time.Hour), d%(24*time.Hour)
	return fmt.Sprintf("%d days %d:%02d:%02d.%03d", days, rest/time.Hour, rest/time.Minute%60, rest/time.Second%60, rest/time.Millisecond%1000)
}

// modules writes lm with the details that are known.
func (p *printer) modules() {
	if len(p.d.modules) == 0 {
		return
	}
	p.command("lmv")
	if p.d.Header.Bits == 32 {
		p.print("start    end        module name")
	} else {
		p.print("start             end                 module name")
	}
	for _, m := range p.d.modules {
		p.out.about(m.at)
		p.print("%s %s   %-8s   (deferred)", p.addr(m.Base), p.addr(m.end()), m.Name)
		path := m.Path
		if path == "" {
			path = m.File
		}
		if path != "" {
			p.print("    Image path: %s", path)
		}
		if m.File != "" {
			p.print("    Image name: %s", m.File)
		}
		if m.Stamp != 0 {
			p.print("    Timestamp:        %s (%08X)", time.Unix(int64(m.Stamp), 0).UTC().Format("Mon Jan _2 15:04:05 2006"), m.Stamp)
		}
		p.print("    CheckSum:         %08X", m.CheckSum)
		p.print("    ImageSize:        %08X", m.Size)
		if m.Version != "" {
			p.print("    File version:     %s", m.Version)
		}
	}
	p.unloaded()
}

func (p *printer) unloaded() {
	var list []Unloaded
	switch {
	case p.f != nil:
		list = p.f.Unloaded
	case p.d.triage != nil:
		list = p.d.triage.unloaded
	}
	if len(list) == 0 {
		return
	}
	p.out.about(0)
	p.print("")
	p.print("Unloaded modules:")
	for _, u := range list {
		p.print("%s %s   %s", p.addr(u.Start), p.addr(u.End), u.Name)
	}
}

// process writes the head of a PROCESS block.
func (p *printer) process(proc *Process) {
	p.out.about(proc.VA)
	p.print("")
	p.print("PROCESS %016x", proc.VA)
	p.print("    SessionId: none  Cid: %04x    Peb: %08x  ParentCid: %04x", proc.PID, proc.Peb, proc.Parent)
	p.print("    DirBase: %08x  ObjectTable: %016x  HandleCount: <Data Not Accessible>", proc.Directory, proc.Handles)
	p.print("    Image: %s", proc.Image)
}

// endStacks tells of the stacks that end early.
func (p *printer) endStacks() {
	if p.ends > mostEnds {
		p.d.note("%s more end before the thread's first function", kd.Plural(p.ends-mostEnds, "stack"))
	}
}

// mostEnds is how many stacks that end early are named.
const mostEnds = 20
