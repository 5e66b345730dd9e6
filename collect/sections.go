package collect

import (
	"fmt"
	"strings"
)

// Section is one command of the script.
type Section struct {
	Command string // as the debugger takes it
	Gives   string // what it tells
	Cost    string // how long it takes and how much it prints, in words
	Quick   bool   // it belongs to the quick part
	Live    bool   // it makes sense where the machine runs on, at an lkd> prompt
}

// sections are the commands in the order of the script: what is cheap and
// decides comes first, what is huge comes last, so that a log which ends too
// early is worth most. Their syntax and flags are those of Microsoft's
// documentation of each command; that of !exqueue is in the MSDN library only
// (cc267004).
var sections = []Section{
	{"vertarget", "build, processors, time and uptime: they tell machines and moments apart", "at once", true, true},
	{".bugcheck", "the stop code and its arguments, which outrank every lock", "at once", true, false},
	{"!locks", "the ERESOURCEs that are held, their owners and waiters: most deadlocks are decided here", "seconds", true, true},
	{"!thread", "the thread that broke in or crashed, with its stack", "at once", true, false},
	{"!running -it", "the threads on the processors, with stacks: an owner that runs is not deadlocked", "seconds", true, false},
	{"!locks -v", "the same locks with the THREAD blocks and stacks of owners and waiters", "seconds; a stack for each owner and waiter", true, false},
	{"!ready", "the threads that are ready but do not run, with stacks", "seconds", true, false},
	{"!qlocks", "the queued spin locks", "at once", true, false},
	{"!dpcs", "the DPC queues of all processors", "at once", true, false},
	{"!exqueue f", "the work queues: pending items, and the worker threads with stacks", "seconds", true, true},
	{"!deadlock", "what Driver Verifier says of the order of locks, where it was on", "at once", true, true},
	{"!vm 1", "memory in short: a shortage makes all else secondary", "at once", true, true},
	{"!poolused 2", "the tags of nonpaged pool, those with most first: who has it where it is short, and what grows from one log to the next", "seconds; a row for each tag", true, true},
	{"!stacks 0", "one row for each thread with where it blocks: the short form of what comes next", "minutes; a row for each thread", false, false},
	{"!process 0 7", "all processes and threads with waits, IRPs and stacks: what owners wait for, and owners by address of their stack", "minutes; a stack for each thread", false, true},
	{"lm kv", "the drivers with their versions", "minutes; 15 lines for each driver", false, true},
	{"!irpfind", "the IRPs with their threads and drivers", "many minutes: it searches the pool", false, false},
	{"!analyze -v", "what the debugger itself concludes", "minutes; it loads symbols of many modules", false, false},
}

// Omission is a command that the script leaves out, and why.
type Omission struct{ Command, Why string }

// Omissions are the commands that one would look for in the script.
var Omissions = []Omission{
	{"!process 0 17", "`!process 0 7` prints the same kernel stacks. With 10 the debugger goes into every process, reads its user-mode modules again, and throws away those that it had: minutes for each process, and user-mode stacks decide no lock"},
	{"!stacks 2", "`!process 0 7` prints the same stacks with the waits; `!stacks 0` has the rows"},
	{"!findstack nt!ExpWaitForResource 2", "it walks all stacks for a part of what `!stacks 0` and `!process 0 7` print"},
	{"!irp, !alpc /m, !alpc /p, !pool, !cs, !devstack", "they take an address: the report names the command with the address where one decides"},
	{"!timer", "no detector uses timers; a wait with a time limit shows it in its THREAD block"},
	{"!locks -d", "all ERESOURCEs, also those that nobody holds: thousands of blocks that block nobody"},
	{".reload, .symfix", "they change the symbols of your session. Names of functions matter: see to the symbols of nt first"},
	{".dump", "a dump is better than any log, but on the machine itself or over a slow cable it may be out of reach"},
}

// Set says which commands a script has.
type Set struct {
	Quick bool // only the cheap part
	Live  bool // only what makes sense where the machine runs on
}

// sets are the names of the sets in marks.
var sets = map[string]Set{"full": {}, "quick": {Quick: true}, "live": {Live: true}, "live-quick": {Quick: true, Live: true}}

// String returns the name of the set in marks.
func (s Set) String() string {
	for name, set := range sets {
		if set == s {
			return name
		}
	}
	return ""
}

// Sections returns the commands of the set in the order of the script.
func (s Set) Sections() []Section {
	var out []Section
	for _, sec := range sections {
		if (sec.Quick || !s.Quick) && (sec.Live || !s.Live) {
			out = append(out, sec)
		}
	}
	return out
}

// known returns a command as the script has it, whatever its case and blanks.
func known(command string) (string, bool) {
	for _, sec := range sections {
		if strings.EqualFold(sec.Command, command) {
			return sec.Command, true
		}
	}
	return command, false
}

// Table returns the commands as a table in Markdown.
func Table() string {
	var b strings.Builder
	b.WriteString("| | command | what it tells | what it costs | `--quick` | `--live` |\n|---|---|---|---|---|---|\n")
	for i, s := range sections {
		fmt.Fprintf(&b, "| %d | `%s` | %s | %s | %s | %s |\n", i+1, s.Command, s.Gives, s.Cost, tick(s.Quick), tick(s.Live))
	}
	b.WriteString("\n| left out | why |\n|---|---|\n")
	for _, o := range Omissions {
		fmt.Fprintf(&b, "| `%s` | %s |\n", o.Command, o.Why)
	}
	return b.String()
}

func tick(yes bool) string {
	if yes {
		return "yes"
	}
	return ""
}
