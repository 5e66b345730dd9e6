package transcript

import (
	"strings"

	"kdlocks/collect"
	"kdlocks/kd"
)

// forms are the lines whose whole form is known, so that a piece of one can be
// told from all of it. They are written in words; blanks between them do not
// matter, nor does case.
//
//	%a  address of 8 or 16 digits     %h  hexadecimal number    %n  decimal number
//	%c  client id                     %t  (h:mm:ss.mmm)         %w  any word
//	%d  two addresses with a dash between
//	%p  (word)                        %i  image name
//	%*  any rest, also none           a|b one of several words
//	%l  a place in code as the rest
//	%a, %a: (%a) (%h,%h)  the same with what stands around it
//	[ ... ]  may be missing           word*  a word that begins so
//
// What stands before the first % is a line beginning: no line that begins so
// goes on with the one before it.
var forms = compileForms(append(collect.Marks(), []string{
	"**** DUMP OF ALL RESOURCE OBJECTS ****",
	"KD: Scanning for held locks* %*",
	"Resource @ %a Exclusively owned",
	"Resource @ %a Available",
	"Resource @ %a Shared %n owning threads",
	"Resource @ %a",
	"Resource @ %s (%a) Exclusively owned",
	"Resource @ %s (%a) Available",
	"Resource @ %s (%a) Shared %n owning threads",
	"Resource @ %s (%a)",
	"Contention Count = %n",
	"NumberOfSharedWaiters = %n",
	"NumberOfExclusiveWaiters = %h",
	"Threads Waiting On Exclusive Access:",
	"ActiveCount = %h Flags = %*",
	"Thread = %a, Count = %h",
	"%n total locks, %n locks currently held",
	"%n total locks",
	"Cannot get _ERESOURCE type",
	"Possible deadlock. Use !locks %a to determine the resource owner",
	"LOCK_ADDRESS: %a -- (!locks %a)",
	"PNP_TRIAGE:",
	"PNP_TRIAGE_DATA:",
	"Lock address : %a",
	"Thread Count : %n",
	"Thread address: %a",
	"Thread wait : %h",

	"THREAD %a Cid %c Teb: %h [ Win32Thread: %h ] WAIT: %p [ KernelMode|UserMode Alertable|Non-Alertable ]",
	"THREAD %a Cid %c Teb: %h [ Win32Thread: %h ] GATEWAIT: %p [ KernelMode|UserMode Alertable|Non-Alertable ]",
	"THREAD %a Cid %c Teb: %h [ Win32Thread: %h ] RUNNING on processor %h",
	"THREAD %a Cid %c Teb: %h [ Win32Thread: %h ] READY|STANDBY|TERMINATED|INITIALIZED|TRANSITION|DEFERRED_READY|DEFERREDREADY [ on processor %h ]",
	"IRP List:",
	"Waiting for reply to ALPC Message %h : queued at port %a : owned by process %a",
	"Waiting for reply to LPC MessageId %h:",
	"Current LPC port %a",
	"SuspendCount %n",
	"FreezeCount %n",
	"Not impersonating",
	"Impersonation token: %*",
	"Owning Process %a",
	"Owning Process %a Image: %i",
	"Attached Process N/A|0 Image: N/A",
	"Attached Process %a Image: %i",
	"Wait Start TickCount %n Ticks: %n [ %t ]",
	"WaitTime (ticks) %n",
	"WaitTime (seconds) %n",
	"Context Switch Count %n [ IdealProcessor: %n ] [ LargeStack|NoStackSwap ]",
	"Win32 Start Address %l",
	"Start Address %l",
	"Stack Init %a Current %a [ Base %a Limit %a Call %h ]",
	"Initial Sp %a Current Sp %a",
	"Base %a Limit %a Call %h",
	"Priority %n [ BasePriority %n ] [ PriorityDecrement %n ] [ UnusualBoost %n ] [ ForegroundBoost %n ] [ Decay Boost %n ] [ IoPriority %n ] [ PagePriority %n ]",
	"Kernel stack not resident.",
	"%a %k",
	"%a Semaphore Limit %h",
	"%a Mutant - owning thread %a",
	"%a Mutant %n Owning Thread: %a [ %p ]",
	"%a: (%h,%h) Flags: %h Mdl: %h",
	"%a is not a thread object, interpreting as stack value...",
	"TYPE mismatch for thread object at %a",
	"Implicit thread is now %a",
	"Using context of thread %a",

	"PROCESS %a",
	"PROCESS %a SessionId: %w Cid: %h Peb: %h ParentCid: %h",
	"SessionId: %w Cid: %h Peb: %h ParentCid: %h",
	"DirBase: %h ObjectTable: %h HandleCount: %w",
	"Image: %i",
	"VadRoot %h Vads %n Clone %n Private %w Modified %w Locked %w",
	"Working Set Sizes (now,min,max) %w %w %w %w %w %w",
	"DeviceMap %a",
	"Token %a",

	"Process Thread CID UserTime KernelTime ContextSwitches Wait Reason Time State",
	"Process PID Thread Id State Time Reason",
	"Process Thread Time Wait Function",
	"# Child-SP Return Call Site [ Info ] [ Source ]",
	"Child-SP RetAddr Call Site",
	"Child-SP RetAddr : Args to Child : Call Site",
	"# Child-SP RetAddr Call Site",
	"# Child-SP RetAddr : Args to Child : Call Site",
	"ChildEBP RetAddr [ Args to Child ]",
	"# ChildEBP RetAddr [ Args to Child ]",
	"Proc.Thread .Thread [ Ticks ] ThreadState Blocker",
	"Irp is active with %n stacks %n is current (= %a)",
	"%h %h %a %a %d [ Success ] [ Error ] [ Cancel ] [ pending ]",
	"%a %w irpStack: ( %w %w %a %w %w [ %a ]",
	"%a %w irpStack: ( %w %a %w %w [ %a ]",
	"%a %w Irp is complete (CurrentLocation %n > StackCount %n) [ %a ]",
	"Message %a",
	"Message @ %a",
	"MessageID : %h %p",
	"OwnerPort : %a %w",
	"WaitingThread : %a",
	"QueueType : %w",
	"QueuePort : %a %w",
	"QueuePortOwnerProcess : %a %p",
	"ServerThread : %a",
	"Client thread %a waiting a reply from %h",
	"Dumping ExWorkerQueue: %a",
	"PENDING: %w (%a) Routine %w (%a) IoObject (%a) Context (%a)",
	"PENDING: %w (%a) Routine %w (%a) Parameter [ (%a) ]",
	"PENDING: %w %a Routine %w (%a) Parameter %a",
	"CritSec %w at %h",
	"Critical section = %h %*",
	"OwningThread = %h",
	"%r %a [ %h ] Blocked|RUNNING|READY|STANDBY|TERMINATED|TRANSITION|INITIALIZED|GATEWAIT %*",
	"%r %a (N/A) Blocked|RUNNING|READY|STANDBY|TERMINATED|TRANSITION|INITIALIZED|GATEWAIT %*",
}...))

// beginnings are more words that a line of debugger output begins with, for
// lines that hold nothing we use or have readers of their own.
var beginnings = []string{
	"Process  ", "Process Thread ", "Process PID Thread", "Child-SP ", "ChildEBP ", "Proc.Thread ", "Threads:", "UserTime ", "KernelTime ", "Scheduling Group", "GetContextState failed", "Unable to ",
	"WARNING:", "*** ERROR", "*** WARNING", "*** Stack trace", "LOCK_ADDRESS:", "PNP_TRIAGE", "STACK_TEXT:",
	"Opened log file", "Closing open log file", "Microsoft (R) Windows", "Loading Dump File", "BugCheck ",
	"Debug session time:", "System Uptime:", "Machine Name:", "Kernel base =", "Product:", "Built by:",
	"ElapsedTime", "QuotaPoolUsage", "Working Set Sizes", "PeakWorkingSetSize", "VirtualSize",
	"PeakVirtualSize", "PageFaultCount", "MemoryPriority", "BasePriority ", "CommitCharge",
	"Invalid Thread(", "Thread at address", "System Processors:", "Idle Processors:",
	"kdlocks-collect ", "kdlocks-section ",
	"Arguments", "Break instruction exception", "SYMBOL_NAME:", "MODULE_NAME:", "FOLLOWUP_NAME:",
	">[", "[IRP_MJ_", "[N/A(", "Args:", `\Driver\`, `\FileSystem\`, "No Mdl", "Irp Extension present", "Searching ", "Scanning large pool",
	"PENDING:", "**** Critical WorkQueue", "**** Delayed WorkQueue", "**** HyperCritical WorkQueue", "**** NUMA ",
	"DebugInfo ", "LockCount ", "RecursionCount ", "WaiterWoken ", "LockSemaphore ", "SpinCount ", "EntryCount ", "ContentionCount ",
}

// fit says how much of a known line a text is.
type fit uint8

const (
	noFit fit = iota
	cut       // the beginning of a known line: more must follow
	open      // a known line with an end that nothing is known about
	whole
)

// token is one word of a form.
type token struct {
	kind  byte     // '=' literal, or the letter behind the %
	words []string // of a literal, one of which it must be
	from  bool     // of a literal: the word only begins so
	pre   string   // before and behind the value
	post  string
	skip  int // tokens to leave out if it does not match; 0: it must
}

type compiledForm struct {
	tokens []token
	lead   string // the literal words before the first value, with one blank each
}

// byFirst finds forms by the first byte of their lead, in lower case; those
// that begin with a value are in valued.
var byFirst, valued = indexForms(forms)

func compileForms(list []string) []compiledForm {
	out := make([]compiledForm, len(list))
	for i, f := range list {
		out[i] = compileForm(f)
	}
	return out
}

func compileForm(s string) compiledForm {
	var f compiledForm
	group, lead := -1, true
	for _, w := range strings.Fields(s) {
		switch {
		case w == "[":
			group = len(f.tokens)
			lead = false
			continue
		case w == "]":
			f.tokens[group].skip = len(f.tokens) - group
			continue
		}
		t := compileToken(w)
		if t.kind != '=' || len(t.words) > 1 {
			lead = false
		} else if lead {
			f.lead += w + " "
		}
		f.tokens = append(f.tokens, t)
	}
	f.lead = strings.TrimRight(f.lead, " *")
	if strings.HasPrefix(s, "****") {
		f.lead = s
	}
	return f
}

func compileToken(w string) token {
	at := strings.IndexByte(w, '%')
	if at < 0 {
		if body, ok := strings.CutSuffix(w, "*"); ok && !strings.HasSuffix(body, "*") {
			return token{kind: '=', words: []string{body}, from: true}
		}
		return token{kind: '=', words: strings.Split(w, "|")}
	}
	if w == "(%h,%h)" {
		return token{kind: 'q'}
	}
	return token{kind: w[at+1], pre: w[:at], post: w[at+2:]}
}

func indexForms(list []compiledForm) (byFirst [256][]*compiledForm, valued []*compiledForm) {
	for i := range list {
		f := &list[i]
		if f.lead == "" {
			valued = append(valued, f)
			continue
		}
		byFirst[lower(f.lead[0])] = append(byFirst[lower(f.lead[0])], f)
	}
	return byFirst, valued
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// fitForms returns how much of any known form a text is.
func fitForms(text string) fit {
	best := noFit
	list := byFirst[lower(text[0])]
	if len(list) == 0 || kd.AddrDigits(text[:1]) > 0 {
		for _, f := range valued {
			if best = max(best, f.fit(text)); best == whole {
				return best
			}
		}
	}
	for _, f := range list {
		if best = max(best, f.fit(text)); best == whole {
			return best
		}
	}
	return best
}

// fit matches a text with the form.
func (f *compiledForm) fit(text string) fit {
	c := kd.Cursor{Text: text}
	for i := 0; i < len(f.tokens); {
		t := &f.tokens[i]
		if t.kind == '*' {
			return open
		}
		before := c.Pos
		if t.kind == 'l' {
			rest, _ := c.Rest()
			return placeFit(rest)
		}
		w, _ := c.Word()
		if w == "" {
			if t.skip > 0 {
				i += t.skip
				continue
			}
			return cut
		}
		last := c.Peek() == ""
		switch t.match(w) {
		case whole:
			i++
			if t.kind == 'i' {
				return open
			}
		case cut:
			if last {
				return cut
			}
			fallthrough
		default:
			if t.skip == 0 {
				return noFit
			}
			i += t.skip
			c.Pos = before
		}
	}
	if c.Peek() != "" {
		return noFit
	}
	return whole
}

// placeFit returns how much of a place in code a text is: the name of a
// function, in which blanks stand between brackets only, and its address.
//
//	ucrtbase!thread_start<unsigned int (__cdecl*)(void *),1> (0x00007ff8f0b61b20)
//	0x77e617f8
func placeFit(s string) fit {
	if s == "" {
		return cut
	}
	if strings.HasPrefix(s, "0x") {
		if matchValue('a', s) == cut {
			return cut
		}
		return open
	}
	name, addr, has := s, "", false
	if at := strings.LastIndex(s, " (0x"); at >= 0 {
		name, addr, has = s[:at], s[at+2:], true
	} else if body, ok := cutAddressMark(s); ok {
		name, has = body, true
	}
	depth, blank := 0, false
	for i := 0; i < len(name); i++ {
		switch name[i] {
		case '(', '<', '`':
			depth++
		case ')', '>', '\'':
			depth--
		case ' ', '\t':
			blank = blank || depth <= 0
		}
	}
	body, closed := strings.CutSuffix(addr, ")")
	switch {
	case blank || depth < 0 || has && depth != 0 || strings.Contains(name, "<<"):
		return open
	case !has && depth > 0, has && !closed && partOfAddress(addr):
		return cut
	case closed && matchValue('a', body) == whole:
		return whole
	}
	return open
}

// cutAddressMark cuts what is left of " (0x" at the end of a text.
func cutAddressMark(s string) (string, bool) {
	for _, m := range []string{" (0", " ("} {
		if body, ok := strings.CutSuffix(s, m); ok {
			return body, true
		}
	}
	return s, false
}

// match returns whole if a word is what the token asks for, cut if it is the
// beginning of such a word.
func (t *token) match(w string) fit {
	if t.kind == '=' {
		return t.literal(w)
	}
	if len(w) < len(t.pre) {
		return cutIf(strings.HasPrefix(t.pre, w))
	}
	body, ok := strings.CutPrefix(w, t.pre)
	if !ok {
		return noFit
	}
	closed := true
	if t.post != "" {
		body, closed = strings.CutSuffix(body, t.post)
	}
	got := matchValue(t.kind, body)
	if got == whole && !closed {
		return cut
	}
	return got
}

func cutIf(b bool) fit {
	if b {
		return cut
	}
	return noFit
}

func (t *token) literal(w string) fit {
	best := noFit
	for _, want := range t.words {
		switch {
		case strings.EqualFold(w, want), t.from && kd.HasPrefixFold(w, want):
			return whole
		case kd.HasPrefixFold(want, w):
			best = cut
		}
	}
	return best
}

func matchValue(kind byte, w string) fit {
	switch kind {
	case 'a':
		n := kd.AddrDigits(w)
		if n == 8 && strings.IndexByte(w, '`') < 0 || n == 16 {
			return whole
		}
		return cutIf(partOfAddress(w))
	case 'h':
		return wholeIf(kd.AddrDigits(w) > 0)
	case 'n':
		return wholeIf(isDecimal(w))
	case 'c':
		p, t, ok := strings.Cut(w, ".")
		if ok && kd.AddrDigits(p) > 0 && kd.AddrDigits(t) > 0 {
			return whole
		}
		return cutIf(kd.AddrDigits(p) > 0 && (t == "" || kd.AddrDigits(t) > 0))
	case 'r':
		p, t, ok := strings.Cut(w, ".")
		return wholeIf(ok && kd.AddrDigits(p) > 0 && len(t) == 6 && kd.AddrDigits(t) == 6)
	case 'p':
		if w[0] == '(' && w[len(w)-1] == ')' {
			return whole
		}
		return cutIf(w[0] == '(')
	case 't':
		if strings.HasPrefix(w, "(") && strings.HasSuffix(w, ")") {
			return whole
		}
		return cutIf(strings.HasPrefix(w, "("))
	case 'q':
		if w[0] == '(' && w[len(w)-1] == ')' && strings.IndexByte(w, ',') > 0 {
			return whole
		}
		return cutIf(w[0] == '(')
	case 'k':
		return wholeIf(isObjectKind(w))
	case 'd':
		a, b, _ := strings.Cut(w, "-")
		if matchValue('a', a) == whole && matchValue('a', b) == whole {
			return whole
		}
		return cutIf(partOfAddress(a) && partOfAddress(b))
	case 's':
		return wholeIf(strings.IndexByte(w, '!') > 0)
	}
	return whole
}

func wholeIf(b bool) fit {
	if b {
		return whole
	}
	return noFit
}

// partOfAddress reports whether a word may be the first digits of an address.
func partOfAddress(w string) bool {
	w = strings.TrimPrefix(strings.TrimPrefix(w, "0x"), "0X")
	if len(w) > 16 {
		return false
	}
	for i := 0; i < len(w); i++ {
		if !isHex(w[i]) && (w[i] != '`' || i != 8) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func isDecimal(w string) bool {
	for i := 0; i < len(w); i++ {
		if w[i] < '0' || w[i] > '9' {
			return false
		}
	}
	return w != ""
}

// objectKinds are the dispatcher objects that a wait names by one word.
var objectKinds = []string{"SynchronizationEvent", "NotificationEvent", "NotificationTimer", "SynchronizationTimer",
	"QueueObject", "ProcessObject", "Thread", "Unknown", "Gate", "ProfileObject", "Process", "Event"}

func isObjectKind(w string) bool {
	for _, k := range objectKinds {
		if w == k {
			return true
		}
	}
	return false
}
