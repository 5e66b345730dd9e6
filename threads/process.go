package threads

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// process reads the first line of a PROCESS block:
//
//	PROCESS 86ab1030  SessionId: 1  Cid: 0f64    Peb: 7ffd6000  ParentCid: 075c
//	PROCESS ffffcb234ff34200
func (r *Reader) process(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	if !strings.HasPrefix(l.Text, "PROCESS") || !c.Take("PROCESS") {
		return false
	}
	w, at := c.Word()
	addr, ok := kd.ParseFullAddr(w)
	if !ok {
		if r.lostHead(w, &c) {
			r.proc = nil
		}
		return false
	}
	r.closeBlock()
	r.out.Processes = append(r.out.Processes, Process{Addr: addr, At: l.Ref(at, len(w))})
	r.proc = &r.out.Processes[len(r.out.Processes)-1]
	readCid(&c, r.proc)
	return true
}

// readCid reads "SessionId: 1  Cid: 0584 ..." up to the process id.
func readCid(c *kd.Cursor, p *Process) {
	for {
		w, _ := c.Word()
		if w == "" {
			return
		}
		if w != "Cid:" {
			continue
		}
		w, _ = c.Word()
		if n, err := strconv.ParseUint(w, 16, 32); err == nil {
			p.CID, p.CIDKnown = uint32(n), true
		}
		return
	}
}

// processLine reads a line of the open PROCESS block.
func (r *Reader) processLine(l kd.Line) bool {
	if r.cur != nil {
		return false
	}
	c := kd.Cursor{Text: l.Text}
	switch {
	case c.Take("Image:"):
		r.proc.Image, _ = c.Rest()
		return true
	case strings.HasPrefix(l.Text, "SessionId:"), strings.HasPrefix(l.Text, "Cid:"):
		readCid(&c, r.proc)
		return true
	}
	return isProcessNoise(l.Text) || isMutantState(l.Text)
}

// isMutantState reports whether a line is the mutant of a process as NT 4 and
// Windows 2000 print it. No thread waits for it:
//
//	ff8d2fb8 MutantState Signalled OwningThread 0
func isMutantState(text string) bool {
	c := kd.Cursor{Text: text}
	w, _ := c.Word()
	_, ok := kd.ParseFullAddr(w)
	return ok && c.Take("MutantState")
}

// processNoise are lines of a PROCESS block that carry nothing we use.
var processNoise = []string{
	"DirBase:", "VadRoot", "DeviceMap", "Token", "ElapsedTime", "UserTime", "KernelTime",
	"QuotaPoolUsage", "Working Set Sizes", "PeakWorkingSetSize", "VirtualSize",
	"PeakVirtualSize", "PageFaultCount", "MemoryPriority", "BasePriority", "CommitCharge",
	"Job", "DebugPort", "ProcessorAffinity", "Setting context", "FreezeCount", "DeepFreeze",
	"ReadOperationCount", "WriteOperationCount", "OtherOperationCount", "MutantState",
	"ReadTransferCount", "WriteTransferCount", "OtherTransferCount", "No active threads",
	"Not impersonating", "Process Lock", "Clone", "Process default mempolicy", "HandleCount",
	"PicoContext", "Wow64Process", "Silo", "Affinity", "BoostCount", "PEB NULL", "PEB at",
}

func isProcessNoise(text string) bool {
	for _, p := range processNoise {
		if kd.HasPrefixFold(text, p) {
			return true
		}
	}
	return false
}
