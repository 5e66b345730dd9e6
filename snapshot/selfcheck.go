package snapshot

import (
	"fmt"
	"slices"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/threads"
)

// Result says what came of a self-check.
type Result string

// The results of a self-check.
const (
	Passed       Result = "passed"
	Failed       Result = "failed"
	NotCheckable Result = "not-checkable"
)

// Limit says how good an edge can be that rests on what a self-check touches. A
// larger Limit is weaker.
type Limit uint8

// The limits.
const (
	Unlimited  Limit = iota // what is missing is counted, edges stay as they are
	Reconciled              // read from something that had to be made out: grade C
	Associated              // an association only: grade D
	Unused                  // no edge is drawn
)

// Touched is a resource or a thread that a self-check casts doubt on.
type Touched struct {
	Resource, Thread kd.Addr // one of them
	At               kd.Ref
	Limit            Limit
	Why              string
}

// SelfCheck is a question that the input was asked about itself, and the
// answer.
type SelfCheck struct {
	ID    kd.SelfCheck
	Title string // what holds if it passed
	// Result is NotCheckable where nothing was there to compare; Why says what. In
	// one that passed, Why says what it passed without.
	Result Result
	Why    string
	// Compared counts what was looked at, Count the places where it failed.
	Compared, Count int
	// Places are the first of those.
	Places  []kd.Note
	Touched []Touched
}

// mostPlaces bounds the places of a self-check, mostTouched what it touches.
const mostPlaces, mostTouched = 20, 1000

// titles say what holds if a self-check passed, without what in the input
// checking was not possible.
var titles = []struct {
	id             kd.SelfCheck
	title, without string
}{
	{kd.CountsFit, "Counts agree with what is listed", "no count"},
	{kd.MarksFit, "Marks, modes and counts of a resource agree", "no list of owners"},
	{kd.WaitersAgree, "Waiter lists agree with what the threads themselves show", "no listed waiter is printed as a thread"},
	{kd.OneRole, "No address plays two roles", "nothing to compare"},
	{kd.OneMoment, "All is of one moment of one machine", "no banner, no time, and nothing printed twice"},
	{kd.ToolsAgree, "Extensions and !analyze agree with !locks", "no lock printed by two tools"},
	{kd.ThreadsRead, "States and stacks of threads could be read", "no thread"},
	{kd.TextWhole, "No fact had to be pieced together", "no resource and no thread"},
	{kd.KindsSeen, "Every kind of lock was looked at", "nothing was read"},
}

// Checks asks the input all questions about itself that need no graph, in the
// order in which they are shown. WaitersAgree is left to who draws the edges:
// here it says only how many waiters can be compared. Of a session that nothing
// was read of there is nothing to ask.
func (s *Snapshot) Checks() []SelfCheck {
	if s.Empty() {
		return nil
	}
	out := make([]SelfCheck, len(titles))
	for i, t := range titles {
		c := &out[i]
		c.ID, c.Title, c.Compared = t.id, t.title, s.compared[t.id]
		for _, n := range s.Notes {
			if n.Self == t.id {
				c.Fail(n)
			}
		}
		s.touch(c)
		c.conclude(t.without)
	}
	return out
}

// Fail adds a place where the check failed.
func (c *SelfCheck) Fail(n kd.Note) {
	c.Result, c.Why = Failed, ""
	c.Count++
	if len(c.Places) < mostPlaces {
		c.Places = append(c.Places, n)
	}
}

// Touch adds what the check casts doubt on.
func (c *SelfCheck) Touch(t Touched) {
	if len(c.Touched) < mostTouched {
		c.Touched = append(c.Touched, t)
	}
}

// conclude gives the result where no place failed.
func (c *SelfCheck) conclude(without string) {
	switch {
	case c.Result != "":
	case c.Compared == 0:
		c.Result, c.Why = NotCheckable, without
	default:
		c.Result = Passed
	}
}

// touch does what is particular to a check.
func (s *Snapshot) touch(c *SelfCheck) {
	switch c.ID {
	case kd.CountsFit:
		s.touchCounts(c)
	case kd.MarksFit, kd.ToolsAgree:
		s.touchReadings(c)
	case kd.WaitersAgree:
		c.Compared = s.printedWaiters()
	case kd.OneRole:
		for _, r := range s.twoRoles {
			c.Fail(kd.Note{At: r.At, Text: r.text(s), Self: kd.OneRole})
		}
	case kd.OneMoment:
		s.touchMoments(c)
	case kd.ThreadsRead:
		s.touchThreads(c)
	case kd.TextWhole:
		s.touchPieces(c)
	case kd.KindsSeen:
		s.touchKinds(c)
	}
}

// touchCounts lists the resources with waiters that are announced and not
// listed.
func (s *Snapshot) touchCounts(c *SelfCheck) {
	for _, r := range s.Resources {
		for _, p := range []locks.Printed{r.SharedOwners, r.SharedWaiterCount, r.ExclusiveWaiterCount} {
			if p.Known() {
				c.Compared++
			}
		}
		if shared, exclusive := r.Unlisted(); shared+exclusive > 0 {
			c.Touch(Touched{Resource: r.Addr, At: r.At, Why: kd.Plural(shared+exclusive, "waiter") + " announced and not listed: counted as blocked, but no edge is drawn from a thread unless its stack names the resource"})
		}
	}
	if s.Held.Known() {
		c.Compared++
	}
}

// touchReadings lists the resources whose lists could not be taken as they
// stand: those of !locks for one check, those of extensions for the other.
func (s *Snapshot) touchReadings(c *SelfCheck) {
	var alone []kd.Note
	for _, r := range s.Resources {
		if (r.Extension != "") != (c.ID == kd.ToolsAgree) {
			continue
		}
		if c.ID == kd.MarksFit && len(r.Entries)+len(r.ExclusiveWaiters) > 0 {
			c.Compared++
		}
		t := Touched{Resource: r.Addr, At: r.At, Why: r.Why}
		switch r.Reading {
		case locks.Doubtful:
			t.Limit = Reconciled
		case locks.Hearsay:
			t.Limit = Associated
		case locks.Irreconcilable:
			t.Limit = Unused
		}
		if t.Limit != Unlimited {
			alone = append(alone, kd.Note{At: r.At, Text: fmt.Sprintf("resource %x: %s", uint64(r.Addr), r.Why)})
			c.Touch(t)
		}
	}
	for _, r := range s.Resources {
		if c.ID == kd.ToolsAgree && s.contradicted[r.Addr] {
			c.Touch(Touched{Resource: r.Addr, At: r.At, Why: "tools disagree about it, and " + tool(r.Resource) + " is used"})
		}
	}
	if n := len(alone); c.ID == kd.ToolsAgree && c.Compared == 0 && n > 0 {
		c.Count, c.Places = n, alone[:min(n, mostPlaces)]
		c.Result, c.Why = NotCheckable, fmt.Sprintf("!locks prints none of the %s that extensions print", kd.Plural(n, "resource"))
	}
}

// printedWaiters counts the listed waiters whose thread was printed, too.
func (s *Snapshot) printedWaiters() int {
	n := 0
	for a := range s.waiters {
		if _, ok := s.threadAt(a); ok {
			n++
		}
	}
	return n
}

// touchMoments lists what other output contradicts, so that it may be of
// another moment.
func (s *Snapshot) touchMoments(c *SelfCheck) {
	if s.Target.Known() || s.Target.SessionTime != "" || s.Target.Uptime != "" {
		c.Compared++
	}
	if s.Target.LiveAt.Known() {
		c.Fail(kd.Note{At: s.Target.LiveAt, Text: LiveText, Self: kd.OneMoment})
	}
	for _, r := range s.Resources {
		if r.Conflict != "" {
			c.Touch(Touched{Resource: r.Addr, At: r.At, Limit: Associated, Why: r.Conflict})
		}
	}
	for _, t := range s.Threads {
		if t.Conflict != "" {
			c.Touch(Touched{Thread: t.Addr, At: t.At, Limit: Associated, Why: "it was printed before " + t.Conflict})
		}
	}
}

// OneSession asks whether some inputs are of one session and moment: facts of
// two are never joined.
func OneSession(all []*Snapshot) SelfCheck {
	c := SelfCheck{ID: kd.OneSession, Title: "The inputs are of one session and moment", Compared: len(all)}
	for i, s := range all[min(1, len(all)):] {
		c.Fail(kd.Note{At: s.begins(), Text: fmt.Sprintf("here begins session %d of %d: each is judged alone, and nothing is joined over them", i+2, len(all)), Self: kd.OneSession})
	}
	c.conclude("nothing was read")
	return c
}

// begins returns the first place that a fact was read at.
func (s *Snapshot) begins() kd.Ref {
	var first kd.Ref
	see := func(at kd.Ref) {
		if at.Known() && (!first.Known() || at.Before(first)) {
			first = at
		}
	}
	for _, r := range s.Resources {
		see(r.At)
	}
	for _, t := range s.Threads {
		see(lineOf(t.At))
	}
	for i := range s.rest {
		see(s.rest[i].At())
	}
	for i := range s.Processes {
		see(s.Processes[i].At)
	}
	see(s.Total.At)
	return first
}

// LiveText says what it means that a debugger looks at the machine it runs on.
const LiveText = "lkd> is a debugger on the machine that it looks at: what it prints is of different moments. A deadlock must look the same when it is printed again"

// touchThreads lists the threads whose state or stack was printed and could not
// be read.
func (s *Snapshot) touchThreads(c *SelfCheck) {
	c.Compared = s.ThreadCount()
	for _, r := range s.Resources {
		for i := range r.Resolved {
			s.touchPointer(c, r, &r.Resolved[i])
		}
	}
	for _, t := range s.Threads {
		if t.Unread() {
			c.Touch(Touched{Thread: t.Addr, At: t.At, Limit: Associated, Why: "its state could not be read: it may run"})
		}
	}
	for _, t := range s.holders() {
		switch {
		case t.NotResident && len(t.Stack.Frames) == 0:
			c.Touch(Touched{Thread: t.Addr, At: t.At, Why: "its stack is not resident: what it does is not known"})
		case nameless(t):
			at := t.Stack.Frames[0].At
			c.Fail(kd.Note{At: at, Text: fmt.Sprintf("thread %s: no frame of its stack names a function, as without symbols", s.bare(t.Addr)), Self: kd.ThreadsRead})
			c.Touch(Touched{Thread: t.Addr, At: at, Why: "without symbols its stack tells nothing of what it waits for"})
		}
	}
	switch n := s.Stackless(); {
	case n == 0 || c.Result != "":
	case n >= c.Compared:
		c.Result, c.Compared, c.Why = NotCheckable, 0, fmt.Sprintf("no stack of %s in the input: only states were read", kd.Plural(n, "thread"))
	default:
		c.Why = fmt.Sprintf("%d of %s have no stack in the input", n, kd.Plural(c.Compared, "thread"))
	}
}

// Stackless counts the threads of which the input has no stack.
func (s *Snapshot) Stackless() int {
	n := 0
	for _, t := range s.Threads {
		if len(t.Stack.Frames) == 0 {
			n++
		}
	}
	rest := s.Skimmed()
	for i := range rest {
		b := &rest[i]
		if b.Has(threads.NoStack) {
			n++
		}
	}
	return n
}

// touchPointer tells of an owner pointer on a stack whose bounds were not
// printed.
func (s *Snapshot) touchPointer(c *SelfCheck, r *Resource, o *Owner) {
	if o.Thread == 0 || !o.Weak() {
		return
	}
	t := Touched{Resource: r.Addr, At: o.At, Why: "the bounds of the stack that holds its owner pointer were not printed"}
	if o.Live == threads.Unknown {
		t.Limit = Associated
	}
	c.Fail(kd.Note{At: o.At, Text: fmt.Sprintf("owner pointer %s of resource %s: the bounds of the stack that holds it were not printed", s.bare(o.Raw), s.bare(r.Addr)), Self: kd.ThreadsRead})
	c.Touch(t)
}

// nameless reports whether a stack has frames and none names a function.
func nameless(t *threads.Thread) bool {
	for i := range t.Stack.Frames {
		if t.Stack.Frames[i].Function != "" {
			return false
		}
	}
	return t.Addr != 0 && len(t.Stack.Frames) > 0
}

// touchPieces lists what was put together from pieces at a doubtful seam.
func (s *Snapshot) touchPieces(c *SelfCheck) {
	c.Compared = len(s.Resources) + s.ThreadCount()
	for _, r := range s.Resources {
		s.pieced(c, Touched{Resource: r.Addr}, resourcePlaces(r.Resource))
	}
	for _, t := range s.Threads {
		if s.carriesEdges(t) {
			s.pieced(c, Touched{Thread: t.Addr}, threadPlaces(t))
		}
	}
}

// carriesEdges reports whether edges rest on where a thread's own block stands:
// it waits for what has an owner, or its stack holds an owner pointer. Such
// threads are always read whole.
func (s *Snapshot) carriesEdges(t *threads.Thread) bool {
	if s.pointedAt[t.Addr] {
		return true
	}
	for i := range t.WaitObjects {
		if t.WaitObjects[i].Owner != 0 {
			return true
		}
	}
	return false
}

// pieced fails for the weakest of some places, if it is doubtful.
func (s *Snapshot) pieced(c *SelfCheck, t Touched, places []*kd.Ref) {
	worst := doubtful(places)
	if worst.Doubt == kd.Sure {
		return
	}
	what := "resource " + s.bare(t.Resource)
	if t.Resource == 0 {
		what = "thread " + s.bare(t.Thread)
	}
	t.At, t.Limit, t.Why = worst, Reconciled, "put together from pieces that have just the form they must have"
	if worst.Doubt == kd.Guessed {
		t.Limit, t.Why = Associated, "put together from pieces of which the text proves no more than that they fit"
	}
	c.Fail(kd.Note{At: worst, Text: what + ": " + t.Why, Self: kd.TextWhole})
	c.Touch(t)
}

// doubtful returns the most doubtful of some places, none if all are sure.
func doubtful(places []*kd.Ref) kd.Ref {
	var worst kd.Ref
	for _, at := range places {
		if at.Doubt > worst.Doubt {
			worst = *at
		}
	}
	return worst
}

// resourcePlaces are the places that edges of a resource rest on.
func resourcePlaces(r *locks.Resource) []*kd.Ref {
	out := []*kd.Ref{&r.At}
	for i := range r.Owners {
		out = append(out, &r.Owners[i].At)
	}
	for _, list := range [][]locks.Waiter{r.SharedWaiters, r.ExclusiveWaiters} {
		for i := range list {
			out = append(out, &list[i].At)
		}
	}
	return out
}

// threadPlaces are the places that edges of a thread rest on.
func threadPlaces(t *threads.Thread) []*kd.Ref {
	out := []*kd.Ref{&t.At, &t.Stack.RangeAt}
	for i := range t.WaitObjects {
		out = append(out, &t.WaitObjects[i].At)
	}
	return out
}

// touchKinds says which kinds of lock the input has nothing of. That is no fault
// of what it does have.
func (s *Snapshot) touchKinds(c *SelfCheck) {
	fastMutex := len(s.Objects.Mutexes) > 0 || slices.ContainsFunc(s.Threads, func(t *threads.Thread) bool {
		return t.Stack.Awaited != nil && t.Stack.Awaited.Lock == 0 // mex names the owner and not the lock
	})
	for _, k := range []struct {
		seen bool
		text string
	}{
		{s.HasLocks || len(s.Resources) > 0, "ERESOURCEs: !locks"},
		{s.ThreadCount() > 0, "mutants and what else threads wait for: !thread or !process 0 2"},
		{fastMutex, "fast and guarded mutexes: the stacks of their waiters, then dt nt!_FAST_MUTEX or !mex.WrFastMutex"},
		{len(s.QueuedLocks) > 0, "queued spin locks: !qlocks"},
		{len(s.PushLocks) > 0, "pushlocks: !locks lists none; the stacks of their waiters, then dt nt!_EX_PUSH_LOCK"},
	} {
		c.Compared++
		if !k.seen {
			c.Fail(kd.Note{Text: k.text, Self: kd.KindsSeen})
		}
	}
	if c.Count > 0 {
		c.Result, c.Why = NotCheckable, fmt.Sprintf("the input has nothing of %d of %s", c.Count, kd.Plural(c.Compared, "kind"))
	}
}
