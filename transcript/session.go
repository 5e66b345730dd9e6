package transcript

import (
	"strconv"
	"strings"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// session is the output that one debugger session printed about one machine.
type session struct {
	target  snapshot.Target
	id      identity
	locks   locks.Reader
	threads threads.Reader
	width   int // hex digits of kernel addresses in head lines: 8, 16, 0 unknown
	facts   int // lines claimed by the readers
}

// identity tells machines and moments apart.
type identity struct{ kernelBase, time, uptime, machine, connected string }

// same reports whether both say in full where and when they looked, and the
// same.
func (i identity) same(o identity) bool {
	return i.kernelBase != "" && i.time != "" && i.uptime != "" && i.kernelBase == o.kernelBase && i.time == o.time && i.uptime == o.uptime
}

// change says what a header line tells of the session.
type change uint8

const (
	noChange       change = iota
	sameMoment            // it goes on, whatever an earlier line made doubtful
	perhapsAnother        // unless the next header line says otherwise
	another
)

// changed is another if cond is true.
func changed(cond bool) change {
	if cond {
		return another
	}
	return noChange
}

// headerLine reads the lines that a debugger prints about the target, and
// reports whether the line is one and what it tells of the session.
func (s *session) headerLine(l kd.Line) (known bool, _ change) {
	c := kd.Cursor{Text: l.Text}
	old := s.facts > 0
	switch {
	case strings.HasPrefix(l.Text, "Microsoft (R) Windows Debugger"), strings.HasPrefix(l.Text, "Loading Dump File ["):
		return true, changed(old)
	case strings.HasPrefix(l.Text, "Windows") && strings.Contains(l.Text, "Kernel Version"):
		return true, changed(old && differs(s.target.Version, l.Text))
	case c.Take("Kernel base ="):
		v, _ := c.Word()
		return true, changed(old && differs(s.id.kernelBase, v))
	case c.Take("Debug session time:"):
		// A live target tells the time of day; its uptime, on the next line,
		// says whether it ran on.
		if v, _ := c.Rest(); old && differs(s.id.time, v) {
			return true, perhapsAnother
		}
		return true, noChange
	case c.Take("System Uptime:"):
		v, _ := c.Rest()
		if v == notAvailable || !differs(s.id.uptime, v) {
			return true, sameMoment
		}
		return true, changed(old)
	case c.Take("Machine Name:"):
		v, _ := c.Rest()
		return true, changed(old && v != "" && differs(s.id.machine, v))
	case strings.HasPrefix(l.Text, "Connected to Windows"):
		return true, changed(old && differs(s.id.connected, l.Text))
	case strings.HasPrefix(l.Text, "Break instruction exception"), strings.HasPrefix(l.Text, "*BUSY*"), strings.HasPrefix(l.Text, "Kernel Debugger connection established"):
		// A live system that was broken into: what came before is past.
		return true, changed(old)
	case c.Take("BugCheck"):
		w, _ := c.Word()
		return strings.Contains(l.Text, "{"), changed(old && s.otherBugcheck(strings.TrimSuffix(w, ",")))
	case c.Take("Bugcheck code"):
		w, _ := c.Word()
		return true, changed(old && s.otherBugcheck(w))
	case strings.HasPrefix(l.Text, "Arguments "):
		return true, noChange
	}
	for _, p := range []string{"Product:", "Built by:", "Edition build lab:", "Opened log file"} {
		if strings.HasPrefix(l.Text, p) {
			return true, noChange
		}
	}
	return false, noChange
}

// notAvailable is the uptime of a target that the debugger could not ask.
const notAvailable = "not available"

// otherBugcheck reports whether the session has a stop code, and another one.
func (s *session) otherBugcheck(code string) bool {
	n, err := strconv.ParseUint(strings.TrimPrefix(code, "0x"), 16, 32)
	return err == nil && s.target.Bugcheck != nil && s.target.Bugcheck.Code != uint32(n)
}

func differs(known, now string) bool { return known != "" && known != now }

// learn keeps the facts of a header line.
func (s *session) learn(l kd.Line) {
	c := kd.Cursor{Text: l.Text}
	switch {
	case strings.HasPrefix(l.Text, "Windows") && strings.Contains(l.Text, "Kernel Version"):
		s.target.Version = l.Text
		s.learnVersion(l)
	case c.Take("Kernel base ="):
		s.id.kernelBase, _ = c.Word()
		s.target.KernelBase, _ = kd.ParseFullAddr(s.id.kernelBase)
	case c.Take("Debug session time:"):
		s.id.time, _ = c.Rest()
		s.target.SessionTime = s.id.time
	case c.Take("Built by:"), c.Take("Edition build lab:"):
		s.target.BuiltBy, _ = c.Rest()
	case c.Take("System Uptime:"):
		s.target.Uptime, _ = c.Rest()
		if s.target.Uptime != notAvailable {
			s.id.uptime = s.target.Uptime
		}
	case c.Take("Machine Name:"):
		s.id.machine, _ = c.Rest()
	case strings.HasPrefix(l.Text, "Connected to Windows"):
		s.id.connected = l.Text
	case c.Take("BugCheck"):
		s.learnBugcheck(&c, l)
	case c.Take("Bugcheck code"):
		w, _ := c.Word()
		s.setBugcheck(w, l)
	case c.Take("Arguments") && s.target.Bugcheck != nil:
		s.target.Bugcheck.Args = addresses(&c)
	}
}

// learnVersion reads
//
//	Windows 10 Kernel Version 19041 MP (8 procs) Free x64
func (s *session) learnVersion(l kd.Line) {
	_, after, _ := strings.Cut(l.Text, "Kernel Version")
	c := kd.Cursor{Text: after}
	s.target.Build, _ = c.Word()
	s.target.Processors = processors(after)
	for _, a := range []struct {
		word string
		arch kd.Arch
	}{{"ARM 64", kd.ARM64}, {"ARM64", kd.ARM64}, {"x64", kd.X64}, {"x86", kd.X86}} {
		if strings.Contains(after, a.word) {
			s.target.Arch, s.target.ArchAt = a.arch, l.All()
			return
		}
	}
}

// processors reads "(8 procs)", 0 if it is not there.
func processors(s string) int {
	before, _, ok := strings.Cut(s, " procs)")
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(before[strings.LastIndexByte(before, '(')+1:])
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// learnBugcheck reads "BugCheck 9F, {3, ffffe001, ffffd000, ffffe002}".
func (s *session) learnBugcheck(c *kd.Cursor, l kd.Line) {
	w, _ := c.Word()
	s.setBugcheck(strings.TrimSuffix(w, ","), l)
	if args := addresses(c); s.target.Bugcheck != nil && len(args) > 0 {
		s.target.Bugcheck.Args = args
	}
}

func addresses(c *kd.Cursor) []kd.Addr {
	var out []kd.Addr
	for len(out) < 8 {
		w, _ := c.Word()
		if w == "" {
			break
		}
		if a, ok := kd.ParseAddr(strings.Trim(w, "{},")); ok {
			out = append(out, a)
		}
	}
	return out
}

// headWidth returns the number of digits of the address in a head line of a
// resource, thread or process, or in a row of !running, 0 for other lines and sign-extended addresses,
// and whether the line ends there. One machine has one width.
func headWidth(text string) (width int, last bool) {
	c := kd.Cursor{Text: text}
	if !c.Take("Resource @") && !c.Take("THREAD") && !c.Take("PROCESS") {
		return threads.ProcessorWidth(text), false
	}
	w, _ := c.Word()
	if strings.Contains(w, "!") {
		w, _ = c.Word()
		w = strings.Trim(w, "()")
	}
	a, ok := kd.ParseFullAddr(w)
	if !ok || a.SignExtended() {
		return 0, false
	}
	return kd.AddrDigits(w), c.Peek() == ""
}
