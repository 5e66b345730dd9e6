package heuristics

import (
	"fmt"
	"strings"

	"kdlocks/kd"
	"kdlocks/threads"
)

// awaited is what the list of wait objects of a root shows: objects that
// somebody must give back, or that must end, for which no wait is drawn.
type awaited struct {
	text   string    // "it waits for ...", "" if there is no such object
	lock   bool      // one is owned
	others []kd.Addr // the threads that own or are them
}

// awaitedBy reads the wait objects of a root. A wait for several objects or with
// a timer is not counted, because something else may end it.
func (d *diagnosis) awaitedBy(t *threads.Thread) awaited {
	var out awaited
	var names []string
	n := 0
	for _, o := range t.WaitObjects {
		if o.IsTimer() {
			continue
		}
		n++
		switch {
		case o.Owner == t.Addr && o.Owner != 0:
			return awaited{lock: true, text: fmt.Sprintf("it waits for %s %s, which is printed as its own: a thread that owns it does not wait for it, so that the two contradict each other", strings.ToLower(o.Kind), d.addr(o.Addr))}
		case o.Owner != 0:
			out.lock = true
			out.others = append(out.others, o.Owner)
			names = append(names, fmt.Sprintf("%s %s, which %s owns", strings.ToLower(o.Kind), d.addr(o.Addr), d.thread(o.Owner)))
		case o.Kind == "Thread" && o.Addr != t.Addr:
			out.others = append(out.others, o.Addr)
			names = append(names, "the end of "+d.thread(o.Addr))
		case o.Kind == "ProcessObject" && o.Addr != t.Process.Addr:
			names = append(names, "the end of process "+d.addr(o.Addr))
		}
	}
	if len(names) == 0 {
		return awaited{}
	}
	out.text = "it waits for " + names[0]
	if n > 1 {
		out.text = fmt.Sprintf("it waits for any of %d objects, one of them %s: not counted, because another may end the wait", n, names[0])
		if len(names) > 1 {
			out.text = fmt.Sprintf("it waits for any of %d objects, among them %s: not counted, because another may end the wait", n, listed(names))
		}
	}
	if n == 1 && t.WaitListOpen {
		out.text += ": not counted, because the input ends there and more objects may follow"
	}
	if t.Timed() {
		out.text += ", with a timer: the wait ends by itself"
		if n == 1 {
			out.text += ", so it is not counted"
		}
	}
	return out
}

// listed joins the first few of some names.
func listed(names []string) string {
	const most = 3
	if len(names) > most {
		return strings.Join(names[:most], "; ") + fmt.Sprintf("; and %d more", len(names)-most)
	}
	return strings.Join(names, "; ")
}

// inWords puts what a root's wait objects show in the place of the general words
// for a wait in user mode, and behind any others.
func (a awaited) inWords(text string) string {
	switch {
	case a.text == "":
		return text
	case strings.HasPrefix(text, "it waits in user mode"), strings.HasPrefix(text, "its wait reason is"):
		return a.text
	}
	return text + "; " + a.text
}

// tellAwaited says what to do about a root that waits for what another thread
// owns, or for it to end.
func (d *diagnosis) tellAwaited(f *Finding, a awaited) {
	if f.Check != rootUserMode.check || a.text == "" {
		return
	}
	f.Remedy = "Look at the thread or process that must end: what keeps it."
	if a.lock {
		f.Remedy = "Look at the owner of the mutant: what it waits for, and what else may end this wait."
	}
	f.Next = append(f.Next, d.nextForThreads(a.others)...)
}
