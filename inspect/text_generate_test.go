package inspect_test

import (
	"fmt"
	"strings"
)

// style is how a person collected the output.
type style struct {
	name    string
	prompt  string // "" for none
	verbose bool   // !locks -v
	echo    bool   // the command stands again on the next line
	header  bool   // .logopen line at the top
}

var styles = []style{
	{name: "kd", prompt: "kd> "},
	{name: "cpu", prompt: "2: kd> ", header: true},
	{name: "two-digit cpu", prompt: "11: kd> "},
	{name: "no blank", prompt: "0:kd> "},
	{name: "local", prompt: "lkd> "},
	{name: "entity", prompt: "0: kd&gt; "},
	{name: "echo", prompt: "kd> ", echo: true},
	{name: "effective machine", prompt: "16.0: kd:x86> "},
	{name: "no prompt"},
	{name: "verbose", prompt: "3: kd> ", verbose: true},
	{name: "verbose without prompt", verbose: true},
}

// collected are the styles of the script of kdlocks collect.
var collected = []style{
	{name: "collected", prompt: mark},
	{name: "collected, verbose", prompt: mark, verbose: true},
}

// mark stands in the place of a prompt where the script of kdlocks collect was
// run.
const mark = "kdlocks-section "

// printer prints one world.
type printer struct {
	*world
	style
}

// a prints an address as block lines do, s as stack lines do.
func (w *world) a(v uint64) string {
	if w.d.x86 {
		return fmt.Sprintf("%08x", v)
	}
	return fmt.Sprintf("%016x", v)
}

func (w *world) s(v uint64) string {
	if w.d.x86 {
		return fmt.Sprintf("%08x", v)
	}
	return fmt.Sprintf("%08x`%08x", v>>32, v&0xffffffff)
}

// command prints what was typed and its echo.
func (p printer) command(format string, args ...any) string {
	c := fmt.Sprintf(format, args...)
	switch {
	case p.prompt == "":
		return ""
	case p.prompt == mark && c[0] != '!': // typed behind the script
		return "kd> " + c + "\n"
	case p.echo:
		return p.prompt + c + "\n" + c + "\n"
	}
	return p.prompt + c + "\n"
}

// sections prints the world, one string for each command whose output can be
// moved without changing its meaning.
func (w *world) sections(st style) []string {
	p := printer{w, st}
	out := []string{p.logHead() + p.lockList()}
	for _, proc := range w.procs {
		out = append(out, p.process(proc))
	}
	for _, t := range w.threads {
		switch t.where {
		case alone:
			out = append(out, p.command("!thread %s", w.a(t.addr))+p.block(t, "", true)+"\n")
		case byValue:
			out = append(out, p.command("!thread %s e", w.a(t.value))+w.a(t.value)+
				" is not a thread object, interpreting as stack value...\n"+p.block(t, "", true)+"\n")
		case split:
			out = append(out, p.splitThread(t))
		}
	}
	if st.prompt != "" {
		out = append(out, p.command("!running")+"\nSystem Processors:  (000000000000000f)\n  Idle Processors:  (0000000000000001)\n\n")
	}
	return out
}

// logHead is what .logopen writes at the top.
func (p printer) logHead() string {
	if !p.header {
		return ""
	}
	return "Opened log file 'F:\\hang.txt'\n"
}

// lockList prints !locks.
func (p printer) lockList() string {
	var b strings.Builder
	if p.verbose {
		b.WriteString(p.command("!locks -v"))
	} else {
		b.WriteString(p.command("!LOCKS"))
	}
	b.WriteString("**** DUMP OF ALL RESOURCE OBJECTS ****\n")
	for _, r := range p.locks {
		b.WriteString("KD: Scanning for held locks" + strings.Repeat(".", 1+p.rng.IntN(300)) + "\n\n")
		p.resource(&b, r)
	}
	b.WriteString("KD: Scanning for held locks....\n")
	fmt.Fprintf(&b, "%d total locks, %d locks currently held\n", 100*len(p.locks)+2263, len(p.locks))
	return b.String()
}

// item is one entry of a list as printed.
type item struct {
	text  string
	th    *thread
	close bool // ends its line
}

// resource prints the block of one resource.
func (p printer) resource(b *strings.Builder, r *resource) {
	name := "0x" + p.a(r.addr)
	if r.symbol != "" {
		name = r.symbol + " (" + name + ")"
	}
	mode := "Exclusively owned"
	if r.shared {
		mode = fmt.Sprintf("Shared %d owning threads", len(r.owners))
	}
	fmt.Fprintf(b, "Resource @ %s    %s\n", name, mode)
	p.count(b, "Contention Count", r.contention)
	p.count(b, "NumberOfSharedWaiters", len(r.sharedWait)+r.announced)
	p.count(b, "NumberOfExclusiveWaiters", len(r.exclWait))
	p.list(b, "     Threads: ", p.entries(r), 4)
	if len(r.exclWait) == 0 {
		return
	}
	if p.chance(50) {
		b.WriteString("\n")
	}
	b.WriteString("     Threads Waiting On Exclusive Access:\n")
	var items []item
	for _, t := range r.exclWait {
		items = append(items, item{text: p.a(t.addr) + "       ", th: t})
	}
	p.list(b, strings.Repeat(" ", 14), items, 4)
	b.WriteString("\n")
}

func (p printer) count(b *strings.Builder, name string, n int) {
	if n != 0 {
		fmt.Fprintf(b, "    %s = %d\n", name, n)
	}
}

// entries are the owners and shared waiters of a resource.
func (p printer) entries(r *resource) []item {
	var owners, waiters []item
	for _, o := range r.owners {
		it := item{text: fmt.Sprintf("%s-%02x<*> ", p.a(o.raw), o.count), th: o.thread}
		if o.pointer {
			it.th = nil
		}
		if o.remark != "" {
			it.text, it.close = it.text+o.remark, true
		}
		if o.remark == "*** Actual Thread" {
			it.text += " " + p.a(o.thread.addr)
		}
		owners = append(owners, it)
	}
	for _, t := range r.sharedWait {
		mark := "    "
		if r.markAll {
			mark = "<*> "
		}
		waiters = append(waiters, item{text: p.a(t.addr) + "-01" + mark, th: t})
	}
	if r.ownerLast && !r.markAll {
		return append(waiters, owners...)
	}
	return append(owners, waiters...)
}

// list prints items, several on a line; after each its THREAD block if the
// command was -v.
func (p printer) list(b *strings.Builder, head string, items []item, perLine int) {
	b.WriteString(head)
	onLine := 0
	for i, it := range items {
		b.WriteString(it.text)
		onLine++
		shown := p.verbose && it.th != nil && it.th.where != nowhere
		switch {
		case shown:
			b.WriteString("\n\n" + p.block(it.th, "     ", true) + "\n")
		case it.close || onLine == perLine || i == len(items)-1:
			b.WriteString("\n")
		default:
			continue
		}
		onLine = 0
		if i < len(items)-1 && !shown {
			b.WriteString(strings.Repeat(" ", 14))
		}
	}
}

// process prints !process with the threads that are shown there.
func (p printer) process(proc process) string {
	var b strings.Builder
	b.WriteString(p.command("!process %s 1f", p.a(proc.addr)))
	fmt.Fprintf(&b, "PROCESS %s\n", p.a(proc.addr))
	fmt.Fprintf(&b, "    SessionId: none  Cid: %04x    Peb: 00000000  ParentCid: 0000\n", proc.pid)
	fmt.Fprintf(&b, "    DirBase: 001aa000  ObjectTable: %s  HandleCount: 1095.\n    Image: %s\n", p.a(proc.addr+0x40), proc.image)
	fmt.Fprintf(&b, "    VadRoot %s Vads 360 Clone 0 Private 20841. Modified 49808. Locked 0.\n", p.a(proc.addr+0x80))
	fmt.Fprintf(&b, "    DeviceMap %s\n    Token                             %s\n", p.a(proc.addr+0x90), p.a(proc.addr+0xa0))
	b.WriteString("    ElapsedTime                       02:08:27.945\n    UserTime                          00:00:00.218\n")
	b.WriteString("    Working Set Sizes (now,min,max)  (29101, 50, 345) (116404KB, 200KB, 1380KB)\n")
	b.WriteString("    MemoryPriority                    BACKGROUND\n    BasePriority                      8\n    CommitCharge                      24461\n\n")
	for _, t := range p.threads {
		if t.where == inProcess && t.proc == proc.addr {
			b.WriteString(p.block(t, "        ", true) + "\n")
		}
	}
	return b.String()
}

// splitThread prints a thread in two steps: its block, and its stack by k.
func (p printer) splitThread(t *thread) string {
	out := p.command("!Thread 0x%s 0", p.a(t.addr)) + p.block(t, "", false) + "\n"
	if len(t.frames) == 0 {
		return out
	}
	out += p.command(".thread %s", p.s(t.addr)) + "Implicit thread is now " + p.s(t.addr) + "\n"
	args := p.d.args && p.chance(40)
	command := pick(p.world, []string{"kn", "k", "KN 100"})
	if args {
		command = "kvn"
	}
	out += p.command("%s", command)
	out += "  *** Stack trace for last set context - .thread/.cxr resets it\n"
	return out + p.stack(t, "", true, args) + "\n"
}

// stateText is the end of a THREAD line.
func (p printer) stateText(t *thread) string {
	switch t.state {
	case "waiting":
		alert := "Non-Alertable"
		if t.alertable {
			alert = "Alertable"
		}
		return fmt.Sprintf("WAIT: (%s) %s %s", t.reason, t.mode, alert)
	case "running":
		return fmt.Sprintf("RUNNING on processor %x", t.processor)
	}
	return strings.ToUpper(t.state)
}

// block prints a THREAD block; the frames of an embedded one stand as far
// left as it has them.
func (p printer) block(t *thread, indent string, withStack bool) string {
	var b strings.Builder
	line := func(format string, args ...any) { b.WriteString(indent + fmt.Sprintf(format, args...) + "\n") }
	line("THREAD %s  Cid %04x.%04x  Teb: %s Win32Thread: %s %s", p.a(t.addr), t.pid, t.tid, p.a(0), p.a(0), p.stateText(t))
	for _, o := range t.objects {
		text := o.kind
		if o.detail != "" {
			text += " " + o.detail
		}
		if o.owner != 0 {
			text += " " + p.a(o.owner)
		}
		line("    %s  %s", p.a(o.addr), text)
	}
	if len(t.irps) > 0 {
		line("IRP List:")
	}
	for _, i := range t.irps {
		line("    %s: (0006,0310) Flags: 00000884  Mdl: %s", p.a(i), p.a(0))
	}
	p.properties(t, line)
	if withStack && len(t.frames) > 0 {
		if p.verbose {
			indent = ""
		}
		b.WriteString(p.stack(t, indent, false, p.d.args))
	}
	return b.String()
}

// properties prints the middle of a THREAD block.
func (p printer) properties(t *thread, line func(string, ...any)) {
	line("Not impersonating")
	line("DeviceMap                 %s", p.a(0x80000000+t.proc&0xffff))
	line("Owning Process            %s       Image:         %s", p.a(t.proc), t.image)
	line("Attached Process          N/A            Image:         N/A")
	ago := ""
	if ms := t.ms(); t.ticks > 0 {
		ago = fmt.Sprintf(" (%d:%02d:%02d:%02d.%03d)", ms/86_400_000, ms/3_600_000%24, ms/60_000%60, ms/1000%60, ms%1000)
	}
	line("Wait Start TickCount      %-14d Ticks: %d%s", t.start, t.ticks, ago)
	line("Context Switch Count      %-14d IdealProcessor: 3             ", t.switches)
	line("UserTime                  00:00:00.000")
	line("KernelTime                00:00:02.496")
	line("Win32 Start Address nt!ExpWorkerThread (0x%s)", p.a(0x81880356))
	switch {
	case t.limit == 0:
	case p.d.x86:
		line("Stack Init %s Current %s Base %s Limit %s Call %s", p.a(t.init), p.a(t.current), p.a(t.base), p.a(t.limit), p.d.call)
	default:
		line("Stack Init %s Current %s", p.a(t.init), p.a(t.current))
		line("Base %s Limit %s Call %s", p.a(t.base), p.a(t.limit), p.d.call)
	}
	line(p.d.priority, t.prio, t.basePrio)
}

// ms is the printed span of a wait: a tick is a 64th of a second.
func (t *thread) ms() int64 { return t.ticks * 15_625 / 1000 }
