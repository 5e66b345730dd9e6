package waitgraph

// What names a kind of lock or object that a thread can wait for, in the words
// of reports.
type What string

// The kinds of things waited for.
const (
	ERESOURCE       What = "ERESOURCE"
	Mutant          What = "mutant"
	FastMutex       What = "fast mutex"
	GuardedMutex    What = "guarded mutex"
	PushLock        What = "pushlock"
	ThreadObject    What = "thread"  // until it ends
	ProcessObject   What = "process" // until it ends
	ALPCMessage     What = "ALPC message"
	LPCMessage      What = "LPC message"
	IRP             What = "IRP"
	WorkQueue       What = "work queue"
	Rundown         What = "rundown protection"
	CriticalSection What = "critical section"
	Callbacks       What = "callbacks" // until those of a driver have returned
)

// IsLock reports whether it is a lock that somebody owns.
func (w What) IsLock() bool {
	switch w {
	case ThreadObject, ProcessObject, ALPCMessage, LPCMessage, IRP, WorkQueue, Callbacks:
		return false
	}
	return true
}
