package stacks

import (
	"strings"

	"kdlocks/kd"
)

// Awaited is the lock that a thread asks for, as the Info column of !mex.t
// names it.
type Awaited struct {
	Lock kd.Addr // the ERESOURCE
	// Owner is a thread that holds it, 0 if none is named; Exclusive is how.
	Owner     kd.Addr
	Exclusive bool
	// Shared is set when the routine of the frame asks for shared access.
	Shared bool
	At     kd.Ref // the words; they hold both addresses
}

// mexHeads are the column heads of a stack in !mex.t, which has no backticks
// in addresses, decimal frame numbers and its own columns behind the call site.
const mexHeads = "Return Call Site"

// mexSite cuts what !mex.t prints behind a call site and keeps what it says:
//
//	nt!ExAcquireResourceExclusiveLite+0x1fe Thread: ffff8b08a1756040 (System) exclusive owner of EResource: ffff8b08a2014a90
//	TestDriver!FileMoveThread+0x43         C:\src\Driver.c @ 58
func (r *Reader) mexSite(l kd.Line, at int, f *Frame) string {
	rest := l.Text[at:]
	end := siteEnd(rest)
	site, tail := rest[:end], rest[end:]
	if info := strings.Index(tail, "EResource:"); info >= 0 {
		r.awaits(l, at+end, site)
		return site
	}
	if tail, _ = kd.TrimBlanks(tail); strings.Contains(tail, " @ ") && !strings.HasPrefix(tail, "-") {
		f.Source = tail
	}
	return site
}

// siteEnd returns where a call site ends: behind its offset, or before two
// blanks or a tab.
func siteEnd(s string) int {
	end := len(s)
	for _, gap := range []string{"  ", "\t"} {
		if at := strings.Index(s[:end], gap); at >= 0 {
			end = at
		}
	}
	if at := strings.Index(s[:end], "+0x"); at >= 0 {
		if blank := strings.IndexByte(s[at:end], ' '); blank >= 0 {
			end = at + blank
		}
	}
	return end
}

// awaits reads the Info column from byte at on. The innermost lock is the one
// that the thread waits for.
func (r *Reader) awaits(l kd.Line, at int, site string) {
	if r.stack.Awaited != nil {
		return
	}
	c := kd.Cursor{Text: l.Text, Pos: at}
	a := Awaited{Shared: strings.Contains(site, "Shared")}
	start, named := -1, false
	digits := 0 // of the stack address; an address with fewer was cut
	for frame := (kd.Cursor{Text: l.Text}); digits < 8 && frame.Pos < at; {
		w, _ := frame.Word()
		digits = kd.AddrDigits(w)
	}
	for {
		if c.Peek() == "" {
			return
		}
		word, wordAt := c.Word()
		switch {
		case word == "Thread:":
			start = wordAt
			w, _ := c.Word()
			a.Owner, named = kd.ParseFullAddr(w)
			named = named && kd.AddrDigits(w) == digits
		case word == "exclusive" && c.Take("owner of"):
			a.Exclusive = true
		case word == "EResource:":
			if start < 0 {
				start = wordAt
			}
			w, end := c.Word()
			var ok bool
			if a.Lock, ok = kd.ParseFullAddr(w); !ok || kd.AddrDigits(w) != digits || start < 0 || a.Owner != 0 && !named {
				return
			}
			a.At = l.Ref(start, end+len(w)-start)
			r.stack.Awaited = &a
			return
		}
	}
}

// UniqueFrame takes a frame of !mex.us: the address of the code, the call site
// and its source, without a stack address:
//
//	fffff83670ff1230 TestDriver!FileCreationThread+0x150 (C:\src\Driver.c @ 45)
//	0000000000000080 0x80
func (r *Reader) UniqueFrame(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	w, _ := c.Word()
	if _, ok := kd.ParseFullAddr(w); !ok {
		return false
	}
	site, _ := c.Rest()
	f := Frame{At: l.All(), Offset: -1, Bare: true}
	end := siteEnd(site)
	tail, _ := kd.TrimBlanks(site[end:])
	if strings.HasPrefix(tail, "(") && strings.HasSuffix(tail, ")") {
		f.Source = tail[1 : len(tail)-1]
	} else if tail != "" {
		return false
	}
	if !readSymbol(site[:end], &f) || f.Function == "" && f.Offset < 0 && f.Module != "" {
		return false
	}
	r.open, r.bare = true, true
	r.stack.Frames = append(r.stack.Frames, f)
	return true
}
