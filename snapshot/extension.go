package snapshot

import (
	"fmt"
	"slices"

	"kdlocks/kd"
	"kdlocks/locks"
)

// chooseSource takes one of two blocks of a resource that different tools
// printed: that of !locks, else that of mex. Where they disagree, that is said.
func (s *Snapshot) chooseSource(a, b *locks.Resource) *locks.Resource {
	if trust(b) > trust(a) {
		a, b = b, a
	}
	if a.Mode == locks.ModeUnknown || a.HeadUntrusted {
		return a // nothing to compare
	}
	s.compare(kd.ToolsAgree, 1)
	if a.Mode != b.Mode || !sameOwners(a, b) {
		s.contradict(a.Addr)
		s.note(kd.ToolsAgree, b.At, fmt.Sprintf("resource %s: %s says that it is %s, %s %s: %s is used", s.bare(a.Addr), tool(b), s.held(b), tool(a), s.held(a), tool(a)))
	}
	return a
}

// trust orders tools: extensions have been seen to name wrong owners and
// waiters.
func trust(r *locks.Resource) int {
	return slices.Index([]string{locks.WinDE, locks.Mex, ""}, r.Extension)
}

func tool(r *locks.Resource) string {
	if r.Extension == "" {
		return "!locks"
	}
	return r.Extension
}

func (s *Snapshot) held(r *locks.Resource) string {
	text := r.Mode.String()
	for i, o := range r.Owners {
		if i == 4 {
			return text + " and others"
		}
		text += " by " + s.bare(o.Raw)
	}
	return text
}

func sameOwners(a, b *locks.Resource) bool {
	if len(a.Owners) != len(b.Owners) {
		return false
	}
	for _, o := range a.Owners {
		if !owns(b, o.Raw) {
			return false
		}
	}
	return true
}

func owns(r *locks.Resource, thread kd.Addr) bool {
	return slices.ContainsFunc(r.Owners, func(o locks.OwnerEntry) bool { return o.Raw == thread || o.Actual == thread })
}

// addAwaited adds the resources that only the Info column of !mex.t names, and
// compares what it says with the resources that were printed.
func (s *Snapshot) addAwaited() {
	for _, t := range s.Threads {
		w := t.Stack.Awaited
		if w == nil || w.Owner == 0 || w.Lock == 0 {
			continue
		}
		r := s.byResource[w.Lock]
		entry := locks.Entry{Raw: w.Owner, Marked: true, At: w.At}
		switch {
		case r == nil:
			r = &Resource{Resource: &locks.Resource{
				Addr: w.Lock, Mode: locks.Shared, Extension: locks.Mex, At: w.At, EndLine: w.At.EndLine(),
				Reading: locks.Doubtful, Why: "named by a stack of mex alone",
				Entries: []locks.Entry{entry}, Owners: []locks.OwnerEntry{entry},
			}}
			if w.Exclusive {
				r.Mode = locks.Exclusive
			}
			s.byResource[w.Lock] = r
			s.Resources = append(s.Resources, r)
		case owns(r.Resource, w.Owner):
			if r.Extension == "" {
				s.compare(kd.ToolsAgree, 1)
			}
		case r.Mode == locks.Shared && !w.Exclusive && r.EndLine == r.At.EndLine() && r.Extension == locks.Mex:
			r.Entries, r.Owners = append(r.Entries, entry), append(r.Owners, entry)
		default:
			s.compare(kd.ToolsAgree, 1)
			s.contradict(w.Lock)
			s.note(kd.ToolsAgree, w.At, fmt.Sprintf("resource %s: a stack of mex names %s as owner, %s says that it is %s", s.bare(w.Lock), s.bare(w.Owner), tool(r.Resource), s.held(r.Resource)))
			if r.Extension != "" {
				r.Conflict = "mex names two owners"
			}
		}
	}
}

// checkTriage compares what !analyze says of a lock with what !locks says.
func (s *Snapshot) checkTriage() {
	for _, t := range s.Triage {
		r := s.byResource[t.Lock]
		if r == nil || t.Thread == 0 || r.HeadUntrusted {
			continue
		}
		s.compare(kd.ToolsAgree, 1)
		if owns(r.Resource, t.Thread) {
			continue
		}
		s.contradict(t.Lock)
		s.note(kd.ToolsAgree, t.At, fmt.Sprintf("resource %s: !analyze names %s, %s says that it is %s", s.bare(t.Lock), s.bare(t.Thread), tool(r.Resource), s.held(r.Resource)))
	}
}
