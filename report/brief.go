package report

// mostKept bounds each list of addresses and hops of a brief finding.
const mostKept = 300

// Brief returns the report for a face that asks for the rest when somebody looks
// at it: of threads and resources only those that the findings name first, threads
// without their stacks, and of the lists of a finding the beginning.
func (r *Report) Brief() *Report {
	out := *r
	out.Findings = make([]Finding, len(r.Findings))
	for i := range r.Findings {
		out.Findings[i] = r.Findings[i].brief()
	}
	out.Threads, out.Resources = ListOf(out.threadsNamed()...), ListOf(out.locksNamed()...)
	out.Waits, out.IRPs, out.Modules = List[Wait]{}, List[IRP]{}, nil
	out.Inputs = append([]Input{}, r.Inputs...)
	for i := range out.Inputs {
		in := &out.Inputs[i]
		in.NotUnderstood = upTo(in.NotUnderstood, mostKept)
	}
	return &out
}

func (f Finding) brief() Finding {
	f.Threads, f.Resources = beginning(f.Threads), beginning(f.Resources)
	f.Cycle, f.Chain = beginning(f.Cycle), beginning(f.Chain)
	f.Others, f.Bystanders = beginning(f.Others), beginning(f.Bystanders)
	f.Evidence = beginning(f.Evidence)
	return f
}

func beginning[T any](s []T) []T { return s[:min(len(s), mostKept):min(len(s), mostKept)] }

func upTo[T any](l List[T], n int) List[T] {
	return List[T]{func(yield func(T) bool) {
		left := n
		for it := range l.All() {
			if left--; left < 0 || !yield(it) {
				return
			}
		}
	}}
}

// threadsNamed returns the threads of the findings, of their hops before those
// that wait beside them.
func (r *Report) threadsNamed() []Thread {
	if r.lookup == nil {
		return nil
	}
	var out []Thread
	seen := make(map[string]bool)
	add := func(session int, addrs ...string) {
		for _, a := range addrs {
			k := key(session, a)
			if a == "" || seen[k] || len(out) == mostKept {
				continue
			}
			seen[k] = true
			if t := r.lookup(session, a); t != nil {
				t.Frames, t.Stack = []Frame{}, nil
				out = append(out, *t)
			}
		}
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		add(f.Session, f.Threads...)
		for _, s := range f.hops() {
			add(f.Session, s.Thread, s.HeldBy)
		}
	}
	for i := range r.Findings {
		add(r.Findings[i].Session, r.Findings[i].Others...)
		add(r.Findings[i].Session, r.Findings[i].Bystanders...)
	}
	return out
}

func (r *Report) locksNamed() []Resource {
	wanted := make(map[string]bool)
	for i := range r.Findings {
		f := &r.Findings[i]
		for _, a := range f.Resources {
			wanted[key(f.Session, a)] = true
		}
		for _, s := range f.hops() {
			wanted[key(f.Session, s.WaitsFor)] = true
		}
	}
	var out []Resource
	for l := range r.Resources.All() {
		if wanted[key(l.Session, l.Address)] && len(out) < mostKept {
			out = append(out, l)
		}
	}
	return out
}

// ThreadAt returns a thread of a session, nil if it was not printed.
func (r *Report) ThreadAt(session int, address string) *Thread {
	if r.lookup == nil {
		return nil
	}
	return r.lookup(session, address)
}
