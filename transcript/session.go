package transcript

import (
	"strconv"
	"strings"

	"kdlocks/collect"
	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/memory"
	"kdlocks/modules"
	"kdlocks/objects"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// session is the output that one debugger session printed about one machine.
type session struct {
	target  snapshot.Target
	id      identity
	locks   locks.Reader
	threads threads.Reader
	objects objects.Reader
	modules modules.Reader
	memory  memory.Reader
	width   int // hex digits of kernel addresses in head lines: 8, 16, 0 unknown
	facts   int // lines claimed by the readers
	runs    []*collect.Run
	gaps    []kd.Gap
	// stopAt is where a stop code stands whose arguments may follow.
	stopAt kd.Ref
	// breakAt is the line of the last break-in.
	breakAt kd.Ref
}

// identity tells machines and moments apart.
type identity struct{ kernelBase, time, uptime, machine, connected string }

// moment is what says in full where and when a session looked.
type moment struct{ kernelBase, time, uptime string }

// moment returns the moment of a session, and reports whether it is known.
func (i identity) moment() (moment, bool) {
	return moment{i.kernelBase, i.time, i.uptime}, i.kernelBase != "" && i.time != "" && i.uptime != ""
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
	case strings.HasPrefix(l.Text, "Microsoft (R) Windows Debugger"):
		return true, changed(old)
	case opensDump(l.Text):
		return true, changed(old || s.target.Known())
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
	case isBreak(l.Text), strings.HasPrefix(l.Text, "*BUSY*"), strings.HasPrefix(l.Text, "Kernel Debugger connection established"):
		// A live system that was broken into: what came before is past.
		return true, changed(old)
	case s.stopArgsLine(l), s.breakPlace(l) != "":
		return true, noChange
	}
	if stop, ok := parseStopCode(l.Text); ok && !s.disputed(stop, l) {
		return true, changed(old && (stop.now || s.otherBugcheck(stop.code)))
	}
	for _, p := range []string{"Product:", "Built by:", "Edition build lab:", "Opened log file"} {
		if strings.HasPrefix(l.Text, p) {
			return true, noChange
		}
	}
	return false, noChange
}

// opensDump reports whether a line is the first about another dump: unlike the
// name of the debugger, which the command version prints too.
func opensDump(text string) bool { return strings.HasPrefix(text, "Loading Dump File [") }

// opensTarget reports whether a line tells that the debugger was started or
// connected, or that the target went down: what it looks at from there on may be
// another machine or boot.
func opensTarget(text string) bool {
	for _, p := range []string{"Microsoft (R) Windows Debugger", "Connected to Windows", "Kernel Debugger connection established", "Shutdown occurred at", "quit:"} {
		if strings.HasPrefix(text, p) {
			return true
		}
	}
	return opensDump(text)
}

func isBreak(text string) bool { return strings.HasPrefix(text, "Break instruction exception") }

// breakPlace reads where in code a break is, off the line behind that of the
// break, perhaps with a blank line between; "" if that is not it.
//
//	nt!ExpWaitForResource+0x20a846:
func (s *session) breakPlace(l kd.Line) string {
	if !directlyBehind(s.breakAt, l) {
		return ""
	}
	place, ok := strings.CutSuffix(l.Text, ":")
	if !ok || !strings.Contains(place, "!") || !strings.Contains(place, "+0x") || strings.ContainsAny(place, " \t") {
		return ""
	}
	return place
}

// directlyBehind reports whether a line is the next one, or has but one between.
func directlyBehind(at kd.Ref, l kd.Line) bool {
	return at.Known() && l.Input == at.Input && l.Num > at.EndLine() && l.Num-at.EndLine() <= 2
}

// notAvailable is the uptime of a target that the debugger could not ask.
const notAvailable = "not available"

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
		s.target.BuiltBy, _ = c.Word()
		s.learnBuild(s.target.BuiltBy, l)
	case c.Take("System Uptime:"):
		s.target.Uptime, _ = c.Rest()
		if s.target.Uptime != notAvailable {
			s.target.Repeated = s.target.Repeated || s.facts > 0 && s.target.Uptime == s.id.uptime
			s.id.uptime = s.target.Uptime
		}
	case c.Take("Machine Name:"):
		s.id.machine, _ = c.Rest()
		s.target.Machine = s.id.machine
	case strings.HasPrefix(l.Text, "Connected to Windows"):
		s.id.connected = l.Text
	case isBreak(l.Text):
		s.breakAt = l.All()
	case s.breakPlace(l) != "":
		s.locks.BrokeIn(s.breakPlace(l), s.breakAt)
	case s.stopArgsLine(l):
		args, _ := parseStopArgs(l.Text)
		s.target.Bugcheck.SetArgs(args, l.All())
		s.stopAt = kd.Ref{}
	default:
		if stop, ok := parseStopCode(l.Text); ok {
			s.learnStopCode(stop, l)
		}
	}
}

// learnVersion reads
//
//	Windows 10 Kernel Version 19041 MP (8 procs) Free x64
func (s *session) learnVersion(l kd.Line) {
	_, after, _ := strings.Cut(l.Text, "Kernel Version")
	c := kd.Cursor{Text: after}
	if w, _ := c.Word(); isDecimal(w) {
		s.target.Build, s.target.BuildAt = w, kd.Ref{}
	}
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

// learnBuild keeps the build of a version where no version line told it:
//
//	7601.17514.amd64fre.win7sp1_rtm.101119-1850
//	6.1.7601.17514 (win7sp1_rtm.101119-1850)
//	10.0.26227.5000
func (s *session) learnBuild(version string, l kd.Line) {
	if s.target.Build != "" {
		return
	}
	const least = 1000 // no major version of Windows is so large
	for part := range strings.SplitSeq(version, ".") {
		if n, err := strconv.Atoi(part); err != nil || n > 99999 {
			return
		} else if n >= least {
			s.target.Build, s.target.BuildAt = strings.Clone(part), l.All()
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

// headWidth returns the number of digits of the address in a head line of a
// resource, thread, process, IRP, message or port, or in a row of !running, 0 for other lines and sign-extended addresses,
// and whether the line ends there. One machine has one width.
func headWidth(text string) (width int, last bool) {
	c := kd.Cursor{Text: text}
	if !c.Take("Resource @") && !c.Take("THREAD") && !c.Take("PROCESS") {
		if width, last = objects.HeadWidth(text); width > 0 {
			return width, last
		}
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
