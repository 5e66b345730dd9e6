package threads

import (
	"fmt"
	"strings"

	"kdlocks/kd"
	"kdlocks/stacks"
)

// State is the scheduler's state of a thread.
type State uint8

// The states that a THREAD line can name.
const (
	StateUnknown State = iota
	Waiting
	Running
	Ready
	Standby
	DeferredReady
	Terminated
	Initialized
	Transition
)

var stateNames = [...]string{"unknown", "waiting", "running", "ready", "standby", "deferred-ready", "terminated", "initialized", "transition"}

// String returns the word used in reports.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// CID is a client id: process and thread number.
type CID struct {
	Process, Thread uint32
	Known           bool
}

// String returns process.thread in lower-case hex of at least four digits
// each, "" if unknown.
func (c CID) String() string {
	if !c.Known {
		return ""
	}
	return fmt.Sprintf("%04x.%04x", c.Process, c.Thread)
}

// WaitObject is one dispatcher object that a thread waits for.
type WaitObject struct {
	Addr kd.Addr
	// Kind is the debugger's first word for it: Mutant, Semaphore, Thread,
	// ProcessObject, SynchronizationEvent, NotificationTimer, ...
	Kind   string
	Detail string  // what follows the kind, as printed
	Owner  kd.Addr // owning thread of a Mutant, if printed
	ByMex  bool    // the owner was printed by mex, not by the debugger
	Limit  int64   // of a Semaphore, -1 if not printed
	At     kd.Ref
}

// IsTimer reports whether the object is the thread's own wait timer: the wait
// ends by itself.
func (w WaitObject) IsTimer() bool {
	return w.Kind == "NotificationTimer" || w.Kind == "SynchronizationTimer"
}

// Reply is an LPC or ALPC reply that a thread waits for.
type Reply struct {
	Message kd.Addr // ALPC message, or LPC message id
	Port    kd.Addr
	Server  kd.Addr // process that owns the queue, 0 if not printed
	ALPC    bool
	At      kd.Ref
}

// IRP is one entry of a thread's "IRP List:".
type IRP struct {
	Addr kd.Addr
	// Driver is what mex prints in its Driver column, "" elsewhere.
	Driver string
	At     kd.Ref
}

// Process names a process where a thread or a listing mentions it.
type Process struct {
	Addr     kd.Addr
	Image    string
	CID      uint32
	CIDKnown bool
	At       kd.Ref
}

// Thread is one ETHREAD as far as it was printed. A stack that came without a
// thread header is a Thread with Addr 0.
type Thread struct {
	Addr kd.Addr
	CID  CID
	Teb  kd.Addr
	// Process is the owning process; Attached is where the thread runs at the
	// moment, if elsewhere.
	Process, Attached Process

	State State
	// StateUnread is set where the THREAD line goes on, or went on before it
	// was damaged, with a state that could not be read.
	StateUnread bool
	Processor   int    // for Running, -1 if not printed
	WaitReason  string // "WrResource" of "WAIT: (WrResource) ..."
	WaitMode    string // "KernelMode", "UserMode" or ""
	Alertable   Tri
	Suspended   int // SuspendCount
	Frozen      int // FreezeCount

	WaitObjects []WaitObject
	// WaitListOpen is set when the input ends before the list of wait objects
	// is known to be complete.
	WaitListOpen bool
	Reply        *Reply
	IRPs         []IRP

	// WaitStart is "Wait Start TickCount"; Ticks is how many clock ticks ago
	// that was, -1 if not printed. A tick is 1/64 s on most machines, but
	// WaitMS, the same span in milliseconds as the debugger printed it, is
	// what to rely on; -1 if not printed.
	WaitStart int64
	Ticks     int64
	WaitMS    int64
	WaitAt    kd.Ref
	// ContextSwitches is -1 if not printed.
	ContextSwitches int64
	Priority        int // -1 if not printed
	BasePriority    int // -1 if not printed
	// StartsIn is the module and offset of a StartAddress that is an address alone,
	// by the ranges of modules; "" if it is not known.
	StartsIn     string
	StartAddress string
	// NotResident is set by "Kernel stack not resident.".
	NotResident bool
	LargeStack  bool // the thread has called win32k and runs on a larger stack

	Stack stacks.Stack

	// Conflict says how blocks of this thread contradict each other, "" if they
	// do not: it was then printed at two moments, or its address used twice.
	Conflict string
	// Listed is set when the thread was printed in a list of all threads of its
	// process, below the PROCESS line or by !stacks up to its end: nobody picked
	// it.
	Listed bool
	// User is set for a thread that a user-mode debugger printed: Addr is that of
	// its TEB, for want of another.
	User bool
	// Header is set when a THREAD line was read: without it state and wait are
	// unknown.
	Header bool
	// Block is set when what stands behind wait objects, replies, IRPs and counts
	// of suspension in a THREAD block was read, too: of those, what was not printed
	// the thread does not have. Rows of lists and !process with flags 2 lack it.
	Block bool
	// Elided is set where the author left something out of those lines of the block.
	Elided bool
	// Caption is what an author says of a stack without a thread, nil if nothing.
	Caption *Caption
	At      kd.Ref // the THREAD line, or the first line known of it

	waits keptWait
}

// Tri is a truth value that can be unknown.
type Tri uint8

// The values of a Tri.
const (
	Unknown Tri = iota
	No
	Yes
)

// New returns a thread about which nothing but its address is known.
func New(addr kd.Addr, at kd.Ref) *Thread {
	return &Thread{
		Addr: addr, At: at, Processor: -1, WaitStart: -1, Ticks: -1, WaitMS: -1,
		ContextSwitches: -1, Priority: -1, BasePriority: -1,
	}
}

// Printed reports whether the thread itself was printed, in whatever form, and
// not only its address.
func (t *Thread) Printed() bool {
	return t.Header || t.State != StateUnknown || len(t.Stack.Frames) > 0
}

// WaitsKnown reports whether WaitObjects and Reply are all that the thread waits
// for: they were printed, or its state says that it does not wait.
func (t *Thread) WaitsKnown() bool {
	switch {
	case t.NoWait():
		return true
	case t.WaitListOpen, t.Elided:
		return false
	case t.Block:
		return true
	}
	return t.Header && len(t.WaitObjects) > 0
}

// NoWait reports whether the thread was printed in a state in which it waits for
// nothing.
func (t *Thread) NoWait() bool {
	return t.State != StateUnknown && t.State != Waiting && !t.StateUnread
}

// Unread reports whether the thread's state was printed, but is not known: it
// may well run.
func (t *Thread) Unread() bool { return t.StateUnread && t.State == StateUnknown }

// Timed reports whether one of the objects waited for is a timer.
func (t *Thread) Timed() bool {
	for _, w := range t.WaitObjects {
		if w.IsTimer() {
			return true
		}
	}
	return false
}

// FindFrame returns the index of the first frame whose function contains any
// of the words, -1 if there is none. Words are matched in either case.
func (t *Thread) FindFrame(words ...string) int {
	for i := range t.Stack.Frames {
		if containsAny(t.Stack.Frames[i].Function, words) {
			return i
		}
	}
	return -1
}

// containsAny reports whether s contains any of the words, in either case.
func containsAny(s string, words []string) bool {
	for _, w := range words {
		if containsFold(s, w) {
			return true
		}
	}
	return false
}

// containsFold reports whether s contains word, which is ASCII, in either case.
func containsFold(s, word string) bool {
	for i := 0; i+len(word) <= len(s); i++ {
		if (s[i]^word[0])&^0x20 == 0 && strings.EqualFold(s[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

// MapAddrs replaces every address of the thread by f of it.
func (t *Thread) MapAddrs(f func(kd.Addr) kd.Addr) {
	t.Addr, t.Teb = f(t.Addr), f(t.Teb)
	t.Process.Addr, t.Attached.Addr = f(t.Process.Addr), f(t.Attached.Addr)
	for i := range t.WaitObjects {
		w := &t.WaitObjects[i]
		w.Addr, w.Owner = f(w.Addr), f(w.Owner)
	}
	for i := range t.IRPs {
		t.IRPs[i].Addr = f(t.IRPs[i].Addr)
	}
	if t.Reply != nil {
		t.Reply.Port, t.Reply.Server = f(t.Reply.Port), f(t.Reply.Server)
	}
	t.Stack.MapAddrs(f)
}

// Interpretation is the debugger's own statement that a value lies on the
// stack of a thread.
type Interpretation struct {
	Value  kd.Addr // as typed, with its low bits
	Thread kd.Addr // 0 if the debugger found none
	At     kd.Ref
}

// Listing is what one transcript says about threads and processes.
type Listing struct {
	Threads           []*Thread
	Processes         []Process
	Processors        []Processor
	Interpretations   []Interpretation
	Matches           []StackMatch
	VerifierDeadlocks []*VerifierDeadlock
	Notes             []kd.Note
	// Tallied are the numbers that were compared with what is listed.
	Tallied []kd.Ref
	// All are the commands that list every thread that they ask for, with its stack,
	// and whose output was printed to its end.
	All []AllOf

	// AllProcesses are the commands that list every process, of the machine or of a
	// program, and whose output was printed to its end.
	AllProcesses []AllOf

	// Skimmed are threads of which only that much was kept, in the order of
	// the input; Load reads one of them whole, nil if the input no longer
	// holds it.
	Skimmed []Brief
	// Indirect counts those of them that WaitsIndirectly is true of.
	Indirect int
	Load     func(Brief) *Thread
	// Functions has every function on their stacks, and perhaps others that the
	// inputs name in places like it.
	Functions *FunctionNames
}

// AllOf is a command that lists every thread, or process, that it was asked for.
type AllOf struct {
	At kd.Ref
	// Process is the one whose threads are listed, 0 for all.
	Process kd.Addr
	// Image is the program whose processes were asked for, Frames a part of the
	// symbols on the stacks of the threads; both in small letters, "" for all.
	Image, Frames string
}

// Everything reports whether nothing was left out.
func (a AllOf) Everything() bool { return a.Process == 0 && a.Image == "" && a.Frames == "" }

// ResourceArgument returns the resource that the thread's stack shows as the
// first argument of ExpWaitForResource, and where. On x86 the column shows the
// arguments; on x64 home space that is often stale.
func (t *Thread) ResourceArgument() (kd.Addr, kd.Ref, bool) {
	i := t.FindFrame("ExpWaitForResource")
	if i < 0 || len(t.Stack.Frames[i].Args) == 0 {
		return 0, kd.Ref{}, false
	}
	f := &t.Stack.Frames[i]
	return f.Args[0], f.At, f.Args[0] != 0
}
