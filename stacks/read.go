package stacks

import (
	"slices"
	"strings"

	"kdlocks/kd"
)

// Read reads the frames of one stack. Lines that are no frames are passed
// over.
func Read(lines []kd.Line) Stack {
	var r Reader
	for _, l := range lines {
		r.Line(l)
	}
	return r.Take()
}

// Reader reads one stack line by line: the column heads of k, kb, kv, kn and
// their kin, then the frames.
type Reader struct {
	stack Stack
	open  bool
	// wide is set when stack addresses have 16 digits.
	wide bool
	// bare is set when the frames are call sites alone.
	bare bool
	// noSP is set when the column heads lack the stack address.
	noSP bool
	// distance is set when the column heads begin with kf's Memory.
	distance bool
	// mex is set when the column heads are those of !mex.t.
	mex bool
	// scanned is set when the frames to come were found by a search of the stack.
	scanned bool
}

// Open reports whether column heads or a frame have been read.
func (r *Reader) Open() bool { return r.open }

// OpenBare opens a stack whose frames are call sites alone, as in !stacks, where
// an offset may stand for the first of them.
func (r *Reader) OpenBare() { r.open, r.bare = true, true }

// Len returns the number of frames read so far.
func (r *Reader) Len() int { return len(r.stack.Frames) }

// Elide tells the reader that an author left something out here.
func (r *Reader) Elide() {
	if r.open && len(r.stack.Frames) > 0 {
		r.stack.Elided = len(r.stack.Frames)
	}
}

// InArguments reports whether the line to come may be an argument of the last
// frame, as kP prints them.
func (r *Reader) InArguments() bool {
	n := len(r.stack.Frames)
	return n > 0 && r.stack.Frames[n-1].open
}

// Take returns the stack that was read and makes the Reader new.
func (r *Reader) Take() Stack {
	s := r.stack
	*r = Reader{}
	return s
}

// IsHeader reports whether the line holds the column heads of a stack:
//
//	# Child-SP          RetAddr           : Args to Child      : Call Site
//	ChildEBP RetAddr  Args to Child
//	# Call Site
func IsHeader(text string) bool {
	c := kd.Cursor{Text: text}
	w, _ := c.Word()
	if w == "#" {
		w, _ = c.Word()
	}
	if w == "Call" && c.Take("Site") {
		return c.Peek() == ""
	}
	if strings.EqualFold(w, "Memory") { // kf: the distance to the frame before
		w, _ = c.Word()
	}
	if w == "RetAddr" {
		return true
	}
	if !strings.EqualFold(w, "Child-SP") && !strings.EqualFold(w, "ChildEBP") && !strings.EqualFold(w, "Child-FP") {
		return false
	}
	if c.Take(mexHeads) {
		return true
	}
	w, _ = c.Word()
	return strings.EqualFold(w, "RetAddr")
}

// Line takes the next line and reports whether it is part of the stack. A
// second header is not: take the stack first.
func (r *Reader) Line(l kd.Line) bool {
	if IsHeader(l.Text) {
		return r.header(l)
	}
	if IsInnerNoise(l.Text) {
		r.scanned = r.scanned || r.open && strings.HasPrefix(l.Text, scanWarning)
		return r.open
	}
	at := l.All()
	if r.scanned {
		at.Doubt = kd.Guessed
	}
	l.Text = stripDML(l.Text)
	if r.argument(l) {
		return true
	}
	f, ok := r.anyFrame(l)
	if !ok {
		return false
	}
	f.At, r.open = at, true
	r.dropArgumentTail(&f)
	r.stack.Frames = append(r.stack.Frames, f)
	return true
}

// dropArgumentTail takes the addresses off the first frame of a paste that
// begins inside a wrapped frame, when the next frame shows them to be its last
// two arguments: that one has all four, and a stack address below.
//
//	fffffaa4`22aa9780 00000000`00000001 : Ntfs!NtfsPrepareBuffers+0x68
//	fffff8a4`247332a0 fffff8a4`21645b56 : 00000000`00000000 ... : Ntfs!NtfsNonCachedIo+0x1e8
func (r *Reader) dropArgumentTail(next *Frame) {
	if len(r.stack.Frames) != 1 || r.stack.HeaderAt.Known() || len(next.Args) != 4 {
		return
	}
	if f := &r.stack.Frames[0]; !f.Bare && !f.Inline && len(f.Args) == 0 && f.ChildSP > next.ChildSP {
		f.ChildSP, f.RetAddr, f.Bare = 0, 0, true
	}
}

// anyFrame reads a frame of any form.
func (r *Reader) anyFrame(l kd.Line) (Frame, bool) {
	f, ok := r.frame(l)
	if !ok {
		f, ok = r.cutFrame(l)
	}
	if !ok && (len(r.stack.Frames) == 0 || r.bare) {
		f, ok = r.site(l)
		r.bare = r.bare || ok
	}
	return f, ok
}

// ReadFrame reads a text that is a frame whatever stands before it. Its place is
// left to the caller.
func ReadFrame(text string) (Frame, bool) {
	var r Reader
	f, ok := r.frame(kd.Line{Text: text})
	f.At = kd.Ref{}
	return f, ok
}

// ReadSite reads a text that is a call site alone. Its place is left to the
// caller.
func ReadSite(text string) (Frame, bool) {
	f := Frame{Offset: -1, Bare: true}
	return f, readSymbol(text, &f)
}

func (r *Reader) header(l kd.Line) bool {
	if r.open {
		return false
	}
	r.open, r.stack.HeaderAt = true, l.All()
	r.stack.X86 = strings.Contains(strings.ToLower(l.Text), "childebp")
	r.distance = kd.HasPrefixFold(strings.TrimLeft(l.Text, "# "), "Memory")
	_, behind, _ := strings.Cut(l.Text, "Return")
	r.mex = kd.HasPrefixFold(strings.TrimLeft(behind, " \t"), "Call")
	r.bare = !r.mex && !strings.Contains(l.Text, "RetAddr")
	r.noSP = !r.bare && strings.HasPrefix(strings.TrimLeft(l.Text, "# "), "RetAddr")
	return true
}

// IsBareFrame reports whether the line is a call site alone, as kc prints it
// or an author leaves of a stack:
//
//	nt!KiSwapThread+0x44f (FPO: [Non-Fpo])
func IsBareFrame(l kd.Line) bool {
	var r Reader
	_, ok := r.bareFrame(l)
	return ok
}

// InKernelImage reports whether a line is a call site in the kernel's image,
// which Process Explorer calls by the name of its file.
func InKernelImage(l kd.Line) bool {
	module, _, ok := strings.Cut(strings.TrimPrefix(l.Text, "00 "), "!")
	switch imageName(strings.ToLower(module)) {
	case "nt", "ntoskrnl", "ntkrnlmp", "ntkrnlpa", "ntkrpamp":
		return ok
	}
	return false
}

// Restarts reports whether a call site alone begins another stack: the one
// that is open has reached its end, or began with the same function.
func (r *Reader) Restarts(l kd.Line) bool {
	n := len(r.stack.Frames)
	if !r.bare || n == 0 {
		return false
	}
	f, ok := r.site(l)
	if !ok {
		return false
	}
	ended := IsThreadStart(r.stack.Frames[n-1].Function) && !IsThreadStart(f.Function)
	return ended || f.Name() == r.stack.Frames[0].Name() || r.waitsAgain(f)
}

// waitsAgain reports whether a call site is one of the open stack in which a
// thread acquires something or waits: it does so once at a time.
func (r *Reader) waitsAgain(f Frame) bool {
	if !strings.Contains(f.Function, "Acquire") && !strings.Contains(f.Function, "Wait") {
		return false
	}
	const most = 64 // how far from the innermost frame such a call may stand
	frames := r.stack.Frames[:min(most, len(r.stack.Frames))]
	return slices.ContainsFunc(frames, func(o Frame) bool { return o.Name() == f.Name() && o.Offset == f.Offset })
}

// site reads a frame without addresses, of a debugger or of Visual Studio.
func (r *Reader) site(l kd.Line) (Frame, bool) {
	if f, ok := visualStudioFrame(l); ok {
		return f, true
	}
	return r.bareFrame(l)
}

// bareFrame reads a call site alone. It begins a stack only with a function and
// an offset or frame number 00; in such a stack, and after the column head of
// kc, the offset may be missing, and an address may stand for a symbol.
func (r *Reader) bareFrame(l kd.Line) (Frame, bool) {
	f := Frame{At: l.All(), Offset: -1, Bare: true}
	if len(r.stack.Frames) > 0 && !r.bare || strings.HasSuffix(l.Text, ":") {
		return f, false
	}
	c := kd.Cursor{Text: l.Text}
	if r.bare || strings.HasPrefix(l.Text, "00 ") {
		r.skipNumber(&c)
	}
	numbered := c.Pos > 0
	rest, _ := c.Rest()
	if !readSymbol(rest, &f) {
		return f, false
	}
	if f.Function == "" {
		return f, r.bare && (f.Offset >= 0 || f.Module == "")
	}
	return f, r.bare || f.Offset >= 0 || numbered
}

// argument reads a line of the typed arguments that kP prints below a call
// site; the last one closes them and may hold the offset:
//
//	struct _DEVICE_OBJECT * dev = 0xffffaa3e`1c7b4600,
//	unsigned long flags = 0)+0x12 [path @ 1]
func (r *Reader) argument(l kd.Line) bool {
	if !r.InArguments() {
		return false
	}
	f := &r.stack.Frames[len(r.stack.Frames)-1]
	body, tail, closed := cutLast(l.Text, ')')
	if !closed && !strings.HasSuffix(l.Text, ",") || closed && !strings.Contains(body, " = ") && body != "void" && body != "" {
		f.open = false
		return false
	}
	if closed {
		f.open = false
		_, f.Offset = splitOffset(readSuffixes(tail, f))
	}
	return true
}

// cutLast cuts s at the last c.
func cutLast(s string, c byte) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, c); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// scanWarning begins the line above frames of a dump that a search of the stack for
// return addresses found.
const scanWarning = "WARNING: Frames below were found by a scan of the stack"

// IsInnerNoise reports whether the line is one that the debugger prints
// between frames.
func IsInnerNoise(text string) bool {
	return strings.HasPrefix(text, "WARNING: Stack unwind information not available") ||
		strings.HasPrefix(text, "WARNING: Frame IP not in any known module") || strings.HasPrefix(text, scanWarning) ||
		text == "[External Code]" || strings.HasPrefix(text, "[Frames below may be incorrect") || isLanguage(text) // Visual Studio
}

// IsFrame reports whether the line reads as a frame whatever stands before it:
// it has a frame number, or argument columns between colons, or five columns
// of addresses. A line of two addresses and a symbol may also be a dump of
// memory (dds, dps) and needs column heads before it.
func IsFrame(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	first, _ := c.Word()
	var r Reader
	if _, ok := r.frame(l); !ok {
		return false
	}
	if _, ok := kd.ParseFullAddr(first); !ok {
		return true
	}
	c.Word()
	third := c.Peek()
	_, isAddr := kd.ParseFullAddr(third)
	return third == ":" || isAddr
}

// frame reads one of
//
//	0a ffffbbb9`66523220 fffff83b`01f02273 nt!FsRtlAcquireFileForCcFlushEx+0x27f
//	fffff880`07fab3e0 fffff800`0228da52 : a b c d : nt!KiSwapContext+0x7a
//	8b487190 8a615901 850a5f88 00000000 00000000 nt!KeWaitForSingleObject+0x492
//	05 (Inline Function) --------`--------     nt!X+0x19 [path @ 1080]
func (r *Reader) frame(l kd.Line) (Frame, bool) {
	c := kd.Cursor{Text: l.Text}
	r.skipNumber(&c)
	if c.Take("(Inline Function)") || c.Take("(Inline)") { // the latter on x86
		return r.inline(&c, l)
	}
	f := Frame{At: l.All(), Offset: -1, Bare: r.noSP}
	var ok bool
	if !r.noSP {
		if f.ChildSP, ok = r.stackColumn(&c); !ok {
			return f, false
		}
	}
	w, _ := c.Word()
	if f.RetAddr, ok = kd.ParseFullAddr(w); !ok {
		return f, false
	}
	if !readArgs(&c, &f) {
		return f, false
	}
	rest, at := c.Rest()
	if r.mex {
		rest = r.mexSite(l, at, &f)
	}
	if !readSymbol(rest, &f) {
		return f, false
	}
	// A module alone is the rest of a symbol that was cut; without column
	// heads it may be any word.
	return f, f.Function != "" || f.Offset >= 0 || f.Module == "" || r.stack.HeaderAt.Known()
}

// cutFrame reads a frame that a cut paste left without its call site, and
// perhaps without its return address. It goes on the stack that is open only
// where it continues it upwards.
func (r *Reader) cutFrame(l kd.Line) (Frame, bool) {
	f := Frame{At: l.All(), Offset: -1, Cut: true}
	if r.bare || r.noSP || !r.stack.HeaderAt.Known() {
		return f, false
	}
	c := kd.Cursor{Text: l.Text}
	r.skipNumber(&c)
	var ok bool
	if f.ChildSP, ok = r.stackColumn(&c); !ok || !r.rises(f.ChildSP) {
		return f, false
	}
	w, _ := c.Word()
	if f.RetAddr, ok = kd.ParseFullAddr(w); !ok {
		f.RetAddr = 0
		if w == "" || !isDigits(w) || c.Peek() != "" {
			return f, false
		}
	}
	for w != "" {
		if w, _ = c.Word(); w != ":" && !isDigits(w) {
			return f, false
		}
	}
	return f, true
}

// rises reports whether a stack address lies above the last frame's, not
// further than one stack goes, and that frame has a caller.
func (r *Reader) rises(sp kd.Addr) bool {
	const most = 0x20000
	n := len(r.stack.Frames)
	if n == 0 {
		return true
	}
	last := r.stack.Frames[n-1]
	return last.RetAddr != 0 && sp > last.ChildSP && sp-last.ChildSP < most
}

// isDigits reports whether a word is an address, whole or cut.
func isDigits(w string) bool {
	for i := 0; i < len(w); i++ {
		if c := w[i]; c != '`' && !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
			return false
		}
	}
	return len(w) <= 17
}

// skipNumber moves over a frame number, one to three hexadecimal digits, and
// over the distance that kf prints.
func (r *Reader) skipNumber(c *kd.Cursor) {
	w := c.Peek()
	if _, ok := kd.ParseAddr(w); ok && len(w) <= 3 && !strings.HasPrefix(w, "0x") {
		c.Word()
	}
	r.skipDistance(c)
}

// skipDistance moves over the column that kf puts between number and stack
// address.
func (r *Reader) skipDistance(c *kd.Cursor) {
	if w := c.Peek(); r.distance && len(w) < 8 && kd.AddrDigits(w) > 0 {
		c.Word()
	}
}

// stackColumn reads Child-SP or ChildEBP. All frames of one stack have the
// same width; a shorter number was cut.
func (r *Reader) stackColumn(c *kd.Cursor) (kd.Addr, bool) {
	w, _ := c.Word()
	a, ok := kd.ParseFullAddr(w)
	if !ok {
		return 0, false
	}
	wide := kd.AddrDigits(w) == 16
	if len(r.stack.Frames) > 0 && wide != r.wide {
		return 0, false
	}
	r.wide = wide
	if !wide {
		r.stack.X86 = true
	}
	return a, true
}

// readArgs reads the argument columns if there are any: up to four addresses
// between colons, or three without.
func readArgs(c *kd.Cursor, f *Frame) bool {
	if c.Peek() == ":" {
		c.Word()
		if w := c.Peek(); strings.ContainsAny(w, "!+") {
			return true // no arguments, the call site follows
		}
		for {
			w, _ := c.Word()
			if w == ":" {
				return true
			}
			a, ok := kd.ParseFullAddr(w)
			if !ok || len(f.Args) == 4 {
				return false
			}
			f.Args = append(f.Args, a)
		}
	}
	for len(f.Args) < 3 {
		a, ok := kd.ParseFullAddr(c.Peek())
		if !ok || strings.HasPrefix(c.Peek(), "0x") {
			break
		}
		c.Word()
		f.Args = append(f.Args, a)
	}
	return true
}

// inline reads what follows "(Inline Function)".
func (r *Reader) inline(c *kd.Cursor, l kd.Line) (Frame, bool) {
	f := Frame{At: l.All(), Offset: -1, Inline: true}
	for {
		w := c.Peek()
		if w != ":" && !strings.HasPrefix(w, "--------") {
			break
		}
		c.Word()
	}
	rest, _ := c.Rest()
	return f, readSymbol(rest, &f)
}
