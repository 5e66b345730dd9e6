package report

import (
	"kdlocks/kd"
	"kdlocks/rules"
)

// Schema names the version of the report's JSON form.
const Schema = "kdlocks.report/v1"

// Report is the whole result. Addresses are lower-case hexadecimal strings
// with 0x, since JavaScript numbers lose bits. Every field may be absent when
// its value is unknown; a known zero is written.
type Report struct {
	Schema    string         `json:"schema"`
	Verdict   Verdict        `json:"verdict"`
	Inputs    []Input        `json:"inputs"`
	Target    *Target        `json:"target,omitempty"`
	Sessions  []Session      `json:"sessions,omitempty"`
	Resources List[Resource] `json:"resources"`
	Threads   List[Thread]   `json:"threads"`
	// Processes are those of PROCESS blocks, Processors the rows of !running,
	// StackMatches the blocks of !findstack.
	Processes    []ProcessBlock `json:"processes,omitempty"`
	Processors   []Processor    `json:"processors,omitempty"`
	StackMatches []StackMatch   `json:"stack_matches,omitempty"`
	// VerifierDeadlocks is what !deadlock printed of lock orders that Driver
	// Verifier objects to; no verdict rests on them.
	VerifierDeadlocks []VerifierDeadlock `json:"verifier_deadlocks,omitempty"`
	// NotThread are values that !thread took for no thread and found on no
	// thread's stack.
	NotThread []string `json:"not_thread,omitempty"`

	// What else was read of locks: absent when there is none.
	Totals      []Totals        `json:"totals,omitempty"`
	Waits       List[Wait]      `json:"waits,omitzero"`
	Timeouts    []TimeoutReport `json:"timeout_reports,omitempty"`
	PushLocks   []PushLock      `json:"pushlocks,omitempty"`
	QueuedLocks []QueuedLock    `json:"queued_spin_locks,omitempty"`
	Triage      []Triage        `json:"pnp_triage,omitempty"`

	// Single objects: absent when there is none.
	IRPs             List[IRP]         `json:"irps,omitzero"`
	Messages         []Message         `json:"alpc_messages,omitempty"`
	Ports            []Port            `json:"alpc_ports,omitempty"`
	WorkQueues       []WorkQueue       `json:"work_queues,omitempty"`
	CriticalSections []CriticalSection `json:"critical_sections,omitempty"`
	Mutexes          []Mutex           `json:"mutexes,omitempty"`

	// Modules are loaded and unloaded modules, ModuleLists the lists of loaded ones.
	Modules     []Module     `json:"modules,omitempty"`
	ModuleLists []ModuleList `json:"module_lists,omitempty"`
	// Memory is what was read of virtual memory and pool, nil if nothing was.
	Memory *Memory `json:"memory,omitempty"`

	Findings []Finding `json:"findings"`
	// Rules is what rule packs say beside the findings, absent if none were asked.
	Rules *Rules `json:"rules,omitempty"`
	// SelfCheck is what the input was asked about itself.
	SelfCheck []SelfCheck `json:"self_check"`
	Notes     []Note      `json:"notes"`
	Gaps      []Gap       `json:"gaps"`
	// NotSeen says what kinds of evidence the input does not hold.
	NotSeen []string `json:"not_looked_at,omitempty"`
	// Undecided is true when a fact is missing that a verdict hangs on.
	Undecided bool `json:"undecided,omitempty"`

	// people are the threads that the text forms may have to name.
	people []person
	// lookup finds a thread without walking all, nil if it was not printed.
	lookup func(session int, address string) *Thread
	// resolve says what addresses are, nil in a report that was put together otherwise.
	resolve func([]kd.Addr) []Answer
	// threadCount is how many items Threads has.
	threadCount int
	// ofProgram is set when a user-mode debugger printed all threads, kernel when a
	// kernel debugger's prompt was seen.
	ofProgram, kernel bool
	// detected is how many of the findings are of detectors: known issues stand
	// behind them.
	detected int
	// asked are the rules that were asked.
	asked []*rules.Rule
}

type person struct {
	session             int
	address, image, cid string
	state, reason       string
}

// Verdict is the judgement in one sentence.
type Verdict struct {
	Kind       string `json:"kind"`
	Confidence string `json:"confidence"`
	Summary    string `json:"summary"`
}

// sure returns the confidence to stand behind the kind, "" where nothing was decided.
func (v Verdict) sure() string {
	if v.Kind == "undecided" {
		return ""
	}
	return " (" + v.Confidence + ")"
}

// Input is one file or paste. Lines are counted from 1.
type Input struct {
	Name            string    `json:"name"`
	Bytes           int64     `json:"bytes"`
	Encoding        string    `json:"encoding,omitempty"`
	Lines           int       `json:"lines"`
	LinesUnderstood int       `json:"lines_understood"`
	Dump            *Dump     `json:"dump,omitempty"`
	Sections        []Section `json:"sections"`
	// Outside counts the lines that are in no section.
	Outside       Coverage   `json:"outside_sections"`
	NotUnderstood List[Line] `json:"not_understood,omitzero"`

	// unclear returns those of NotUnderstood from a line to another.
	unclear func(first, last int) List[Line]
	// line returns a line as it stands in the input, without its end; nil in a
	// report that was put together otherwise.
	line func(n int) string
}

// Section is the output of one command.
type Section struct {
	Command string `json:"command"`
	Line    int    `json:"line"`
	EndLine int    `json:"end_line"`
	Coverage
}

// Coverage counts lines by what became of them. A line that holds the end of
// one section and the beginning of the next counts for the first.
type Coverage struct {
	Claimed       int `json:"lines_claimed"`
	Noise         int `json:"lines_noise"`
	NotUnderstood int `json:"lines_not_understood"`
}

func (c Coverage) understood() int { return c.Claimed + c.Noise }

// Line is one line of an input as it stands there.
type Line struct {
	Line int    `json:"line"`
	Text string `json:"text"`
}

// At is a place in an input: its name, lines and column counted from 1, the
// column in characters.
type At struct {
	Input   string `json:"input"`
	Line    int    `json:"line"`
	EndLine int    `json:"end_line,omitempty"`
	Column  int    `json:"column,omitempty"`
	InDump
}

// InDump says of a fact out of a dump where it is in the memory of the machine, in
// hexadecimal, and in the file, in bytes. Its line is that of what -o kd prints. Both are
// absent where the input is a text.
type InDump struct {
	Memory string `json:"memory,omitempty"`
	Offset int64  `json:"offset,omitempty"`
}

// Dump is what a crash dump says of itself, and what could be read of it.
type Dump struct {
	Type    string `json:"type"` // "kernel dump"
	Machine string `json:"machine"`
	Build   int    `json:"build"`
	Layout  string `json:"layout,omitempty"` // versions of the kernel whose structures are laid out so
	// Symbols is the symbol file of the kernel, with GUID and age, and SymbolsRead whether
	// it was given.
	Symbols     string `json:"symbols,omitempty"`
	SymbolsRead bool   `json:"symbols_read,omitempty"`
	Pages       int64  `json:"pages,omitempty"` // of 4 KiB, in the file
	Modules     int    `json:"modules"`
}

// Target is the machine that was looked at.
type Target struct {
	Arch     string    `json:"arch,omitempty"`
	Build    string    `json:"build,omitempty"`
	Version  string    `json:"version,omitempty"`
	Uptime   string    `json:"uptime,omitempty"`
	Bugcheck *Bugcheck `json:"bugcheck,omitempty"`
	// As vertarget and !analyze print them.
	Processors    int    `json:"processors,omitempty"`
	BuiltBy       string `json:"built_by,omitempty"`
	KernelBase    string `json:"kernel_base,omitempty"`
	SessionTime   string `json:"session_time,omitempty"`
	Process       string `json:"process_name,omitempty"`
	FailureBucket string `json:"failure_bucket,omitempty"`

	machine string // its name
}

// Bugcheck is a stop code and its arguments.
type Bugcheck struct {
	Code string   `json:"code"`
	Name string   `json:"name,omitempty"`
	Args []string `json:"args,omitempty"`
}

// Session is one of several debugger sessions in the inputs. Facts of two
// sessions are never joined; Session fields elsewhere count from 1.
type Session struct {
	Session int     `json:"session"`
	Target  Target  `json:"target"`
	Verdict Verdict `json:"verdict"`
}

// Resource is one ERESOURCE.
type Resource struct {
	Address              string   `json:"address"`
	Session              int      `json:"session,omitempty"`
	Symbol               string   `json:"symbol,omitempty"`
	Mode                 string   `json:"mode"`
	PrintedBy            string   `json:"printed_by,omitempty"` // an extension; absent for !locks
	OwningThreads        *int     `json:"owning_threads,omitempty"`
	Contention           *int     `json:"contention,omitempty"`
	SharedWaiterCount    *int     `json:"shared_waiter_count,omitempty"`
	ExclusiveWaiterCount *int     `json:"exclusive_waiter_count,omitempty"`
	Reading              string   `json:"reading,omitempty"` // doubtful, hearsay or irreconcilable
	Owners               []Owner  `json:"owners"`
	SharedWaiters        []Waiter `json:"shared_waiters"`
	ExclusiveWaiters     []Waiter `json:"exclusive_waiters"`
	At                   At       `json:"at"`
}

// Owner is one owner entry and the thread behind it.
type Owner struct {
	Raw    string `json:"raw"`
	Count  *int   `json:"count,omitempty"`
	Remark string `json:"remark,omitempty"`
	How    string `json:"how"`
	Thread string `json:"thread,omitempty"`
	Live   *bool  `json:"live,omitempty"`
	Frame  *int   `json:"frame,omitempty"` // index into the thread's frames
	SetBy  *SetBy `json:"set_by,omitempty"`
	Why    string `json:"why,omitempty"`
	At     At     `json:"at"`
}

// SetBy names the function whose parameter or local an owner pointer is.
type SetBy struct {
	Module   string `json:"module,omitempty"`
	Function string `json:"function,omitempty"`
	Slot     string `json:"slot"`
}

// Waiter is one entry of a waiter list.
type Waiter struct {
	Thread string `json:"thread"`
	At     At     `json:"at"`
}

// Process names a process.
type Process struct {
	Address string `json:"address,omitempty"`
	Image   string `json:"image,omitempty"`
}

// Thread is one thread, or a stack without a thread header.
type Thread struct {
	Address         string       `json:"address,omitempty"`
	Session         int          `json:"session,omitempty"`
	CID             string       `json:"cid,omitempty"`
	Process         *Process     `json:"process,omitempty"`
	Attached        *Process     `json:"attached_process,omitempty"`
	State           string       `json:"state"`
	Processor       *int         `json:"processor,omitempty"`
	WaitReason      string       `json:"wait_reason,omitempty"`
	WaitMode        string       `json:"wait_mode,omitempty"`
	Alertable       *bool        `json:"alertable,omitempty"`
	SuspendCount    int          `json:"suspend_count,omitempty"`
	FreezeCount     int          `json:"freeze_count,omitempty"`
	WaitObjects     []WaitObject `json:"wait_objects,omitempty"`
	Reply           *Reply       `json:"reply,omitempty"`
	IRPs            []string     `json:"irps,omitempty"`
	WaitStartTick   *int64       `json:"wait_start_tick,omitempty"`
	WaitTicks       *int64       `json:"wait_ticks,omitempty"`
	WaitMS          *int64       `json:"wait_ms,omitempty"`
	ContextSwitches *int64       `json:"context_switches,omitempty"`
	Priority        *int         `json:"priority,omitempty"`
	BasePriority    *int         `json:"base_priority,omitempty"`
	StartAddress    string       `json:"start_address,omitempty"`
	StartsIn        string       `json:"starts_in,omitempty"` // of a start address without a symbol
	NotResident     bool         `json:"stack_not_resident,omitempty"`
	LargeStack      bool         `json:"large_stack,omitempty"`
	Stack           *Stack       `json:"stack,omitempty"`
	Frames          []Frame      `json:"frames"`
	At              At           `json:"at"`
}

// WaitObject is one dispatcher object that a thread waits for.
type WaitObject struct {
	Address string `json:"address"`
	Kind    string `json:"kind"`
	Detail  string `json:"detail,omitempty"`
	Owner   string `json:"owner,omitempty"`
	Limit   *int64 `json:"limit,omitempty"` // of a semaphore
}

// Reply is the LPC or ALPC reply that a thread waits for.
type Reply struct {
	Kind    string `json:"kind"` // alpc or lpc
	Message string `json:"message,omitempty"`
	Port    string `json:"port,omitempty"`
	Server  string `json:"server_process,omitempty"`
}

// Stack is the range of a kernel stack and its segments.
type Stack struct {
	Init     string    `json:"init,omitempty"`
	Current  string    `json:"current,omitempty"`
	Base     string    `json:"base,omitempty"`
	Limit    string    `json:"limit,omitempty"`
	Segments []Segment `json:"segments,omitempty"`
}

// Segment is one contiguous stack; base is its end, exclusive.
type Segment struct {
	Base       string `json:"base"`
	Limit      string `json:"limit"`
	SP         string `json:"sp,omitempty"`
	Inferred   bool   `json:"inferred,omitempty"`
	FirstFrame *int   `json:"first_frame,omitempty"`
	LastFrame  *int   `json:"last_frame,omitempty"`
}

// Frame is one frame of a stack, innermost first.
type Frame struct {
	Index    int    `json:"index"`
	ChildSP  string `json:"child_sp,omitempty"`
	RetAddr  string `json:"ret_addr,omitempty"`
	Module   string `json:"module,omitempty"`
	Function string `json:"function,omitempty"`
	Offset   *int64 `json:"offset,omitempty"`
	Symbol   string `json:"symbol,omitempty"` // call site as printed, if it has no function
	Source   string `json:"source,omitempty"`
	Trap     string `json:"trap_frame,omitempty"`
	Inline   bool   `json:"inline,omitempty"`
	// Derived is set when the debugger printed an address alone: module and offset
	// then follow from the ranges of modules.
	Derived bool `json:"derived,omitempty"`
}

// Step is one hop from thread to thread.
type Step struct {
	Thread   string `json:"thread,omitempty"`    // absent for a waiter that is announced and not listed
	WaitsFor string `json:"waits_for,omitempty"` // absent for a lock whose address was not printed
	Kind     string `json:"kind"`                // of what is waited for: ERESOURCE, mutant, ...
	Symbol   string `json:"symbol,omitempty"`    // of what is waited for
	HeldBy   string `json:"held_by,omitempty"`
	Queued   bool   `json:"queued,omitempty"` // held_by waits for it, too, queued before
	Guess    bool   `json:"guess,omitempty"`  // it is not known that held_by must end the wait
	Grade    string `json:"grade"`            // of the weaker of its two edges
}

// Suspect is the module to look at first.
type Suspect struct {
	Module string `json:"module"`
	Reason string `json:"reason"`
}

// Evidence is a piece of the input and why it counts. Text is the line as it
// stands in the input; Column and Length, in characters, mark the piece of it
// that is meant, which contains Address. A piece that goes on over line ends
// has an EndLine: Text then is all its lines, and Length counts one character
// for each line end.
type Evidence struct {
	Input   string `json:"input"`
	Line    int    `json:"line"`
	EndLine int    `json:"end_line,omitempty"`
	Column  int    `json:"column"`
	Length  int    `json:"length"`
	Text    string `json:"text"`
	Address string `json:"address,omitempty"` // absent for a frame without addresses
	Why     string `json:"why"`
	InDump
}

// StackGroup are threads with the same stack; Threads names the first of them.
// Frames are innermost first, without what is on every stack.
type StackGroup struct {
	Count   int      `json:"count"`
	Threads []string `json:"threads"`
	Frames  []string `json:"frames"`
}

// Finding is what one detector found.
type Finding struct {
	ID             string   `json:"id"`
	Session        int      `json:"session,omitempty"`
	Title          string   `json:"title"`
	Severity       string   `json:"severity"`
	Confidence     string   `json:"confidence"`
	Grade          string   `json:"grade,omitempty"` // absent for a known issue
	Kind           string   `json:"kind"`
	Summary        string   `json:"summary"`
	Threads        []string `json:"threads"`
	Resources      []string `json:"resources"`
	Cycle          []Step   `json:"cycle,omitempty"`
	Chain          []Step   `json:"chain,omitempty"`
	Others         []string `json:"also_entangled,omitempty"`
	Bystanders     []string `json:"bystanders,omitempty"`
	BlockedThreads int      `json:"blocked_threads"`
	// StackGroups are the stacks of the bystanders, of the first StacksGrouped
	// of them. StacksMissing of those have no stack in the input.
	StackGroups   []StackGroup `json:"stack_groups,omitempty"`
	StacksGrouped int          `json:"stacks_grouped,omitempty"`
	StacksMissing int          `json:"stacks_missing,omitempty"`
	Suspect       *Suspect     `json:"suspect,omitempty"`
	Explanation   string       `json:"explanation"`
	Disproof      string       `json:"disproof"`
	Remedy        string       `json:"remedy"`
	References    []string     `json:"references,omitempty"`
	Evidence      []Evidence   `json:"evidence"`
	NextCommands  []string     `json:"next_commands"`
	// Rule is set for a known issue: which clause held on which line.
	Rule *RuleMatch `json:"rule,omitempty"`
}

// Note is something read but not understood, or a count that does not add up.
type Note struct {
	At      *At    `json:"at,omitempty"`
	Session int    `json:"session,omitempty"`
	Text    string `json:"text"`
}

// Gap is a fact that is missing, why, and the command that supplies it.
type Gap struct {
	What        string `json:"what"`
	Session     int    `json:"session,omitempty"`
	Why         string `json:"why"`
	NextCommand string `json:"next_command"`
	Decides     bool   `json:"decides,omitempty"`
}

// sentence tells of the gap and, where there is one, of the command that closes it.
func (g *Gap) sentence() string {
	s := g.What + ": " + g.Why + "."
	if g.NextCommand != "" {
		s += " Type: " + g.NextCommand
	}
	return s
}
