package memory

import (
	"strings"

	"kdlocks/kd"
)

// umdhRemark takes a comment of umdh within its output. Those that tell something
// are its list of modules and what it could not find.
func (r *Reader) umdhRemark(text string, l kd.Line) bool {
	h := r.heap
	switch {
	case h.about == modulePart && h.moduleRow(text, l):
	case moduleHeader(text):
	case strings.HasPrefix(text, "Loaded modules:"):
		h.about = modulePart
	default:
		h.about = noPart
		h.failed(text, l)
	}
	return true
}

// moduleHeader reports whether a line is the one above the list of modules. Some
// versions put its words above the columns.
func moduleHeader(text string) bool {
	c := kd.Cursor{Text: text}
	for _, want := range [...]string{"Base", "Size", "Module"} {
		if w, _ := c.Word(); w != want {
			return false
		}
	}
	return true
}

// comments are what umdh begins comments with that stand in no other text.
var comments = []string{
	"UMDH: version", "Debug library initialized", "Each log entry has the following syntax", "Loaded modules:", "Process modules enumerated",
	"Debug privilege has been enabled", "Connecting to process", "Umdh OS version",
}

// HeapComment reports whether umdh writes a comment of that text.
func HeapComment(text string) bool {
	for _, c := range comments {
		if strings.HasPrefix(text, c) {
			return true
		}
	}
	return false
}

// failures are what umdh says where the process has no back traces (Q268343, and
// the warnings of later versions).
var failures = []string{
	"A stack trace was not saved for this allocation", "UmdhGetAddrFromName couldn't find Stack Trace DB pointer", "SymGetSymFromName(",
	"ntdll.dll symbols are incorrect", "OpenProcess failed",
}

// failed keeps the first line by which umdh says that it found nothing.
func (h *heapReader) failed(text string, l kd.Line) bool {
	is := (strings.HasPrefix(text, "Warning:") || strings.HasPrefix(text, "Error:")) && strings.Contains(text, "stack")
	for _, f := range failures {
		is = is || strings.HasPrefix(text, f)
	}
	if is && h.log != nil && !h.log.Failed.Known() {
		h.log.Failed = l.All()
	}
	return is
}

// besideRows are the beginnings of lines that stand among the rows of a log and
// hold nothing we use.
var besideRows = []string{
	"REQUESTED bytes + OVERHEAD at ADDRESS by BackTraceID", "STACK if not already dumped", "Flags:", "Number Of Entries:", "Number Of Tags:",
	"Total FreeSpace:", "Number of Virtual Address chunks used:", "Address Space Used:", "Entry Overhead:", "Process modules enumerated",
	"Connecting", "LastError =", "(ntdll!RtlpStackTraceDataBase)",
}

// beside reads a line that stands beside the rows of an open log.
//
//	Bytes Allocated: 00008DF0
//	Creator:  (Backtrace00007)
//	DBGHELP: ntdll - public symbols
//	         d:\symbols\wntdll.pdb\B193CACD9AB340E7BF3434EA1ABBE0482\wntdll.pdb
func (h *heapReader) beside(text string, l kd.Line) bool {
	was := h.about
	if was == symbolPart {
		h.about = noPart
		if strings.Contains(text, `\`) || kd.HasPrefixFold(text, "srv*") {
			return true
		}
	}
	switch {
	case strings.HasPrefix(text, "DBGHELP:"):
		h.below, h.about = noFrames, symbolPart
		return true
	case was == modulePart && (moduleHeader(text) || h.moduleRow(text, l)), h.failed(text, l):
		return true
	case h.log == nil:
		return false
	case strings.HasPrefix(text, "Creator:"):
		h.below = skipFrames
		return true
	}
	for _, p := range besideRows {
		if strings.HasPrefix(text, p) {
			h.below = noFrames
			return true
		}
	}
	return h.gauge(text, "Bytes Allocated:", l) || h.gauge(text, "Bytes Committed:", l)
}

// gauge reads a number of the heap, in bytes.
func (h *heapReader) gauge(text, name string, l kd.Line) bool {
	n := len(h.log.Heaps)
	if n == 0 || !strings.HasPrefix(text, name) {
		return false
	}
	w := words{l, len(l.Text) - len(text) + len(name)}
	if v, ok := w.hexNumber(); ok && strings.HasPrefix(name, "Bytes A") {
		h.log.Heaps[n-1].Allocated = v
	} else if ok {
		h.log.Heaps[n-1].Committed = v
	}
	return true
}

// mostModules bounds the modules of a log.
const mostModules = 4096

// moduleRow reads a row of the list of modules; the base and the size are
// hexadecimal:
//
//	//              400000   11D000 D:\app\app.exe
func (h *heapReader) moduleRow(text string, l kd.Line) bool {
	c := kd.Cursor{Text: text}
	base, _ := c.Word()
	size, _ := c.Word()
	path, _ := c.Rest()
	a, ok := kd.ParseAddr(base)
	n, sized := kd.ParseAddr(size)
	if !ok || !sized || path == "" || h.log == nil {
		return false
	}
	file := strings.Clone(path[strings.LastIndexAny(path, `\/`)+1:])
	name := file
	if dot := strings.LastIndexByte(file, '.'); dot > 0 {
		name = file[:dot]
	}
	if len(h.log.Modules) < mostModules {
		h.log.Modules = append(h.log.Modules, HeapModule{Name: name, File: file, Base: a, Size: uint64(n), At: l.All()})
	}
	if h.log.Image == "" && kd.HasPrefixFold(file[max(0, len(file)-4):], ".exe") {
		h.log.Image = file
	}
	return true
}
