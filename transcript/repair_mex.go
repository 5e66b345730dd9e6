package transcript

import (
	"slices"
	"strings"

	"kdlocks/kd"
)

// table is a table of the extension mex whose rows come next. They begin with
// words of any kind, so that only the column heads above tell what they are.
type table uint8

const (
	noTable    table = iota
	mexThread        // of !mex.t
	mexThreads       // of !mex.lt
	mexOwners        // of !mex.eresource
	mexFrames        // the stack of !mex.t
	mexStack         // a stack of !mex.us
)

// nextTable returns the table that is open behind a line.
func (r *Repair) nextTable(text string, c class) table {
	switch {
	case text == "":
		if r.table == mexFrames { // its rows are padded, and a wrap may leave blanks alone on a line
			return mexFrames
		}
		return noTable
	case c == promptLine:
		return noTable
	case c != keyword || strings.HasPrefix(text, "Thread at address"):
		return r.table
	}
	heads := kd.Cursor{Text: text}
	switch b := text[0]; {
	case b == 'P' && heads.Take("Process Thread CID"):
		return mexThread
	case b == 'P' && heads.Take("Process PID Thread"):
		return mexThreads
	case b == 'P' && heads.Take("Process Thread Time"):
		return mexOwners
	case b == '#' && heads.Take("# Child-SP Return"):
		return mexFrames
	case '0' <= b && b <= '9' && strings.Contains(text, " [stats]:"):
		return mexStack
	}
	return noTable
}

// fit returns how much of a row of the table a text is.
func (t table) fit(text string) fit {
	c := kd.Cursor{Text: text}
	switch t {
	case mexThread:
		return threadRowFit(&c)
	case mexThreads:
		return listRowFit(&c)
	case mexOwners:
		if !toAddress(&c) {
			return noFit
		}
		if isMexTime(c.Peek()) {
			c.Word()
		}
		rest, _ := c.Rest()
		return siteFit(rest)
	case mexFrames:
		return mexFrameFit(&c)
	case mexStack:
		if w, _ := c.Word(); !isBareAddress(w) {
			return noFit
		}
		return mexSiteFit(&c)
	}
	return noFit
}

// isBareAddress reports whether a word is an address as mex prints it: 16
// digits without a backtick.
func isBareAddress(w string) bool { return len(w) == 16 && kd.AddrDigits(w) == 16 }

// toAddress moves behind the first address, before which an image name stands
// that may hold blanks.
func toAddress(c *kd.Cursor) bool {
	for first := true; ; first = false {
		switch w, _ := c.Word(); {
		case w == "":
			return false
		case isBareAddress(w):
			return !first
		}
	}
}

// threadRowFit matches
//
//	System (ffff8b089a09a040) ffff8b08a15d5040 (E|K|W|R|V) 4.2018  0  0  1 WrResource  15ms Waiting
func threadRowFit(c *kd.Cursor) fit {
	for w := ""; len(w) != 18 || w[0] != '(' || !isBareAddress(w[1:17]); {
		if w, _ = c.Word(); w == "" {
			return noFit
		}
	}
	w, _ := c.Word()
	if !isBareAddress(w) {
		return cutIf(c.Peek() == "" && partOfAddress(w))
	}
	if strings.HasPrefix(c.Peek(), "(") {
		if w, _ = c.Word(); w[len(w)-1] != ')' {
			return cutIf(c.Peek() == "")
		}
	}
	w, _ = c.Word()
	if w == "" {
		return cut
	}
	if got := matchValue('c', w); got != whole {
		return cutIf(got == cut && c.Peek() == "")
	}
	for range 3 { // the times in user and kernel mode, and context switches
		w, _ := c.Word()
		if w == "" {
			return cut
		}
		if strings.Trim(w, "0123456789,.:smhd") != "" || !isDecimal(w[:1]) {
			return noFit
		}
	}
	return stateFit(c)
}

// listRowFit matches
//
//	System    4 ffff9bb88c60f040 26a4 Waiting 4m:03.203 WrPushLock
//	System    4 ffffe10b186e9040 249c         2    0      0 Waiting 36s.515 WrFastMutex Owning Thread: ffffe10b186bc5c0 nt!ExAcquireFastMutex+0x122
func listRowFit(c *kd.Cursor) fit {
	if !toAddress(c) {
		return noFit
	}
	w, _ := c.Word()
	if kd.AddrDigits(w) == 0 {
		return cutIf(w == "")
	}
	for range 3 { // context switches, and the times in user and kernel mode
		w := c.Peek()
		if w == "" {
			return cut
		}
		if !isDecimal(w[:1]) {
			break
		}
		c.Word()
	}
	return stateFit(c)
}

// mexStateWords are the words of the State column.
var mexStateWords = []string{"Waiting", "Running", "Ready", "Standby", "Terminated", "Initialized", "Transition", "DeferredReady"}

// stateFit matches state, wait reason and time, each once at most and in any
// order. The state must be there.
func stateFit(c *kd.Cursor) fit {
	state, reason, time, waits := false, false, false, false
	for {
		w, _ := c.Word()
		if w == "" {
			return wholeOrCut(state && (reason || !waits))
		}
		last := c.Peek() == ""
		got := (&token{kind: '=', words: mexStateWords}).match(w)
		switch {
		case !state && got == whole:
			state, waits = true, w == "Waiting"
			if w == "Running" && c.Take("on processor") {
				if w, _ := c.Word(); !isDecimal(w) {
					return cutIf(w == "")
				}
			}
		case !time && isMexTime(w):
			time = true
		case !reason && isWaitReason(w):
			reason = true
		case reason && strings.HasPrefix("Owning", w):
			return ownerFit(w, c)
		default:
			return cutIf(last && (!state && got == cut || !time && isDecimal(w) || !reason && beginsReason(w)))
		}
	}
}

// ownerFit matches the columns of !mex.WrFastMutex from the word w on: the owner
// and the routine that waits.
func ownerFit(w string, c *kd.Cursor) fit {
	for _, want := range [...]string{"Owning", "Thread:"} {
		if w != want {
			return cutIf(c.Peek() == "" && strings.HasPrefix(want, w))
		}
		w, _ = c.Word()
	}
	if !isBareAddress(w) {
		return cutIf(c.Peek() == "" && (w == "" || partOfAddress(w)))
	}
	site, _ := c.Rest()
	if site == "" {
		return cut
	}
	return siteFit(site)
}

func wholeOrCut(isWhole bool) fit {
	if isWhole {
		return whole
	}
	return cut
}

// isMexTime reports whether a word is a span of time as mex prints it, or the
// beginning of one: 15ms, 3s.218, 4m:03.203.
func isMexTime(w string) bool {
	return w == "0" || w != "" && isDecimal(w[:1]) && strings.Trim(w, "0123456789.:smhd") == "" && strings.ContainsAny(w, "smhd")
}

// waitReasons are the names of KWAIT_REASON that do not begin with Wr.
var waitReasons = []string{"Executive", "FreePage", "PageIn", "PoolAllocation", "DelayExecution", "Suspended", "UserRequest"}

func isWaitReason(w string) bool {
	if strings.HasPrefix(w, "Wr") {
		return strings.IndexFunc(w, func(c rune) bool { return c > 'z' || !isLetter(byte(c)) }) < 0
	}
	return slices.Contains(waitReasons, w)
}

// beginsReason reports whether a word is the beginning of a wait reason.
func beginsReason(w string) bool {
	begins := func(r string) bool { return strings.HasPrefix(r, w) }
	return w != "" && (begins("Wr") || slices.ContainsFunc(waitReasons, begins))
}

// mexFrameFit matches a frame of !mex.t, which has a decimal number:
//
//	5 ffff828c6d947300 fffff809b53c1116 nt!ExAcquireResourceExclusiveLite+0x1fe Thread: ...
func mexFrameFit(c *kd.Cursor) fit {
	if w, _ := c.Word(); !isDecimal(w) || len(w) > 3 {
		return noFit
	}
	for range 2 {
		if w, _ := c.Word(); !isBareAddress(w) {
			return cutIf(c.Peek() == "" && partOfAddress(w))
		}
	}
	return mexSiteFit(c)
}

// lockInfo is what !mex.t says of the lock that a call asks for.
var lockInfo = compileForm("Thread: %a %p exclusive|shared owner of EResource: %a")

// mexSiteFit matches a call site and what mex prints behind it: the lock, or
// the line of the source, with parentheses in !mex.us.
func mexSiteFit(c *kd.Cursor) fit {
	w, at := c.Word()
	if strings.HasPrefix(w, "<Unloaded_") || strings.IndexByte(w, '!') < 0 || hasOffset(w) {
		if w == "" {
			return cut
		}
	} else { // blanks may stand inside the name
		return siteFit(c.Text[at:])
	}
	got := symbolFit(w)
	tail, _ := c.Rest()
	if tail == "" || got != whole {
		return got
	}
	switch b := tail[0]; {
	case b == 'T':
		got := lockInfo.fit(tail)
		if got == whole && !isBareAddress(tail[strings.LastIndexAny(tail, " \t")+1:]) {
			return cut
		}
		return got
	case b == '(' && strings.HasSuffix(tail, ")"):
		return wholeIf(isSource(tail[1 : len(tail)-1]))
	case b == '-' && strings.HasPrefix(tail, "-->"):
		return open // an author's note
	case isSource(tail):
		return whole
	case strings.HasPrefix(strings.TrimLeft(tail, "("), `\\`), strings.Contains(tail[:min(len(tail), 4)], `:\`):
		return open // the path goes on
	}
	return noFit
}

// hasOffset reports whether a symbol ends with an offset.
func hasOffset(w string) bool {
	_, digits, ok := cutOffset(w)
	return ok && kd.AddrDigits("0x"+digits) > 0
}

// isSource reports whether a text is the line of a source file: C:\a.c @ 53.
func isSource(s string) bool {
	path, line, ok := strings.Cut(s, " @ ")
	return ok && isDecimal(line) && strings.IndexByte(path, '\\') >= 0
}
