package memory

import (
	"strings"

	"kdlocks/kd"
)

// HeapLog is one log of umdh or dh: through which back traces a process allocated
// what it has not freed (Microsoft Learn: UMDH; Q268343, Q243318).
type HeapLog struct {
	Command string // as typed at a console, "" if nothing tells
	Version string // of umdh: "6.1.7650.0"
	// Time is when it was taken, as printed: "2012-04-30 12:09". Machine, PID and
	// Image say of what; Image is the file of the program without its folder.
	Time    string
	TimeAt  kd.Ref
	Machine string
	PID     Number
	Image   string
	Modules []HeapModule
	Heaps   []Heap
	// Traces stand in the order in which the log names them first. What several heaps
	// have of one is added up.
	Traces []BackTrace
	// Failed is the line by which the tool says that it found no back traces.
	Failed kd.Ref
	// Unread counts rows that could not be read, Dropped those beyond the limit on
	// what is kept. Cut is set where the input ends in the log.
	Unread, Dropped int
	Cut             bool
	At              kd.Ref
	EndLine         int32
	headed          bool // the line with the time was read
	ended           int  // heaps whose end is marked
}

// HeapModule is a module that the process had loaded.
type HeapModule struct {
	Name string // as frames would have it: "MSVCR90"
	File string // without its folder: "MSVCR90.dll"
	Base kd.Addr
	Size uint64
	At   kd.Ref
}

// Heap is one heap of the process, in bytes where the log says how many.
type Heap struct {
	Addr      kd.Addr
	Allocated Number
	Committed Number
	At        kd.Ref
}

// BackTrace is a call stack that allocated memory, and what was not freed of it.
type BackTrace struct {
	// ID is what stands behind BackTrace, as printed; Nameless says that it is zero:
	// the heap manager saved no back trace.
	ID     string
	Bytes  Number // all that was asked for
	Allocs Number
	Each   Number // bytes of each, unknown where they differ
	Frames []HeapFrame
	At     kd.Ref

	heap int // the heap whose list named it last
}

// HeapFrame is a line of a back trace, as printed.
type HeapFrame struct {
	Text string
	At   kd.Ref
}

// TraceKey returns an ID by which back traces are the same: without zeros in front,
// in upper case; "" for the one that stands for none.
func TraceKey(id string) string { return strings.ToUpper(strings.TrimLeft(id, "0")) }

// Nameless reports whether the back trace stands for allocations without one.
func (b *BackTrace) Nameless() bool { return TraceKey(b.ID) == "" }

// Torn reports whether something shows that back traces of the heaps are missing.
func (h *HeapLog) Torn() bool {
	return !h.headed && len(h.Heaps) == 0 || h.Unread+h.Dropped > 0 || h.Cut
}

// Whole reports whether the log lists all back traces of the heaps: the end of each
// heap is marked, as umdh 6.1 does. Logs of dh and of earlier versions have no such
// mark: where they are cut between two back traces, nothing shows it. Where umdh was
// told to leave out small ones, it does not say so.
func (h *HeapLog) Whole() bool {
	return !h.Torn() && (len(h.Heaps) > 0 && h.ended >= len(h.Heaps) || len(h.Traces) == 0 && h.Failed.Known())
}

// heapOf returns the heap whose list named a back trace last, 0 if none is known.
func (h *HeapLog) heapOf(b *BackTrace) kd.Addr {
	if b.heap == 0 || b.heap > len(h.Heaps) {
		return 0
	}
	return h.Heaps[b.heap-1].Addr
}

// Untraced reports whether the log has no back trace at all: stack traces were not
// collected.
func (h *HeapLog) Untraced() bool {
	for i := range h.Traces {
		if !h.Traces[i].Nameless() {
			return false
		}
	}
	return true
}

// Find returns the back trace of an ID, nil if the log has none.
func (h *HeapLog) Find(id string) *BackTrace {
	key := TraceKey(id)
	for i := range h.Traces {
		if TraceKey(h.Traces[i].ID) == key {
			return &h.Traces[i]
		}
	}
	return nil
}

// Holding returns the module that an address lies in, nil if the log lists none.
func (h *HeapLog) Holding(a kd.Addr) *HeapModule {
	for i := range h.Modules {
		if m := &h.Modules[i]; a >= m.Base && uint64(a-m.Base) < m.Size {
			return m
		}
	}
	return nil
}

// Minutes returns when the log was taken, in minutes since 1970 of the clock of the
// machine.
func (h *HeapLog) Minutes() (int64, bool) {
	var n [5]int64
	rest := h.Time
	for i, sep := range []string{"-", "-", " ", ":", ""} {
		digits := plainDigits(rest)
		v, ok := int64(0), digits > 0 && digits <= 4
		for k := 0; ok && k < digits; k++ {
			v = v*10 + int64(rest[k]-'0')
		}
		if !ok || !strings.HasPrefix(rest[digits:], sep) {
			return 0, false
		}
		n[i] = v
		rest = strings.TrimLeft(rest[digits+len(sep):], " ")
	}
	year, month, day, hour, minute := n[0], n[1], n[2], n[3], n[4]
	if year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 {
		return 0, false
	}
	return (days(year, month, day)*24+hour)*60 + minute, true
}

// days counts the days from the first of 1970 to a day of the Gregorian calendar.
func days(year, month, day int64) int64 {
	if month <= 2 { // a year from March on has its odd day at its end
		year, month = year-1, month+12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 719469
}

// Address returns the address that a frame is, if it is no more than that.
func (f HeapFrame) Address() (kd.Addr, bool) {
	word, _, _ := strings.Cut(f.Text, " ")
	word = strings.TrimPrefix(word, "0x")
	if !hexWord(word) {
		return 0, false
	}
	a := uint64(0)
	for i := range len(word) {
		a = a<<4 | uint64(hexDigit(word[i]))
	}
	return kd.Addr(a), true
}

// Symbol returns the module and the function of a frame without offset and source;
// "" for what it lacks.
//
//	MyApp!operator new+0x0000000E
//	Test!readdir+00000075 (c:\src\util.cpp, 674)
func (f HeapFrame) Symbol() (module, function string) {
	text := f.Text
	if strings.HasSuffix(text, ")") {
		if at := strings.LastIndex(text, " ("); at > 0 {
			text = text[:at]
		}
	}
	if at := strings.LastIndexByte(text, '+'); at > 0 && isHex(strings.TrimPrefix(text[at+1:], "0x")) {
		text = text[:at]
	}
	if _, is := f.Address(); is {
		return "", ""
	}
	module, function, ok := strings.Cut(text, "!")
	if !ok || strings.Trim(module, "?") == "" || module == "<no module>" {
		return strings.Trim(module, "<>?"), ""
	}
	if strings.Trim(function, "?") == "" {
		return module, ""
	}
	if strings.IndexByte(function, '!') > 0 { // frames were run together
		function, _, _ = strings.Cut(function, "+")
	}
	return module, function
}

// hexWord reports whether a text is an address as frames have it: five digits and
// more, no word of a language.
func hexWord(s string) bool {
	return len(s) >= 5 && len(s) <= 16 && isHex(s) && strings.ContainsAny(s, "0123456789")
}

func isHex(s string) bool {
	for i := range len(s) {
		if hexDigit(s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

// hexDigit returns the value of a hexadecimal digit, -1 for what is none.
func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
