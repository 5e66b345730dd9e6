package snapshot

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/threads"
)

// Role is what the input takes an address for.
type Role string

// The roles of which an object has one only: each is a type of the kernel's
// that begins at its own address.
const (
	RoleResource Role = "resource"
	RoleThread   Role = "thread"
	RoleProcess  Role = "process"
	RoleIRP      Role = "IRP"
	RoleMutant   Role = "mutant"
)

// TwoRoles is an address that the input takes for two things.
type TwoRoles struct {
	Addr   kd.Addr
	Roles  [2]Role
	At     kd.Ref // where it has the second
	Before kd.Ref // where it has the first
}

// TwoRoles returns the addresses that the input takes for two things, in their
// order: a value was pasted into the wrong command, or two captures are mixed.
func (s *Snapshot) TwoRoles() []TwoRoles { return s.twoRoles }

// sighting is one place at which an address has a role.
type sighting struct {
	role Role
	at   kd.Ref
}

// findRoles fills twoRoles. Threads can be very many, so they are looked up
// among the addresses of everything else and not the other way round.
func (s *Snapshot) findRoles() {
	var seen map[kd.Addr]sighting
	var found map[kd.Addr]TwoRoles
	see := func(a kd.Addr, role Role, at kd.Ref) {
		if !a.IsKernel(s.Target.Arch) {
			return // each process has its own there
		}
		have, known := seen[a]
		switch {
		case !known:
			if seen == nil {
				seen = make(map[kd.Addr]sighting)
			}
			seen[a] = sighting{role, at}
		case have.role != role:
			if _, told := found[a]; !told {
				if found == nil {
					found = make(map[kd.Addr]TwoRoles)
				}
				found[a] = TwoRoles{a, [2]Role{have.role, role}, at, have.at}
			}
		}
	}
	for _, r := range s.Resources {
		see(r.Addr, RoleResource, r.At)
	}
	for i := range s.Processes {
		see(s.Processes[i].Addr, RoleProcess, s.Processes[i].At)
	}
	for _, t := range s.holders() {
		if t.Process.Addr != 0 {
			see(t.Process.Addr, RoleProcess, cmp.Or(t.Process.At, t.At))
		}
		for _, irp := range t.IRPs {
			see(irp.Addr, RoleIRP, irp.At)
		}
	}
	for _, t := range s.Threads {
		for _, w := range t.WaitObjects {
			if w.Owner != 0 && w.Kind == "Mutant" {
				see(w.Addr, RoleMutant, w.At)
			}
		}
	}
	for _, a := range slices.Sorted(maps.Keys(seen)) {
		if at, ok := s.threadAt(a); ok {
			see(a, RoleThread, at)
		}
	}
	s.eachNamedThread(func(a kd.Addr, at kd.Ref) {
		if _, known := seen[a]; known {
			see(a, RoleThread, at)
		}
	})
	s.compare(kd.OneRole, len(seen))
	for _, a := range slices.Sorted(maps.Keys(found)) {
		s.twoRoles = append(s.twoRoles, found[a])
	}
}

// mostHolders bounds the threads that are read whole for the self-checks.
const mostHolders = 64

// holders returns the threads that own what others wait for, the first of them:
// the same ones whether threads were skimmed or not.
func (s *Snapshot) holders() []*threads.Thread {
	var out []*threads.Thread
	seen := make(map[kd.Addr]bool)
	for _, r := range s.Resources {
		if r.Waiting() == 0 {
			continue
		}
		for i := range r.Resolved {
			a := r.Resolved[i].Thread
			if a == 0 || seen[a] {
				continue
			}
			seen[a] = true
			if t := s.Thread(a); t != nil {
				out = append(out, t)
			}
			if len(seen) == mostHolders {
				return out
			}
		}
	}
	return out
}

// threadAt returns where a thread was printed.
func (s *Snapshot) threadAt(a kd.Addr) (kd.Ref, bool) {
	if t := s.byAddr[a]; t != nil && t.Printed() {
		return lineOf(t.At), true
	}
	if b := s.Brief(a); b != nil {
		return b.At(), true
	}
	return kd.Ref{}, false
}

// lineOf is the line of a place: of a thread that was skimmed no more is known.
func lineOf(at kd.Ref) kd.Ref { return kd.Ref{Input: at.Input, Line: at.Line, Col: 1} }

// eachNamedThread walks the threads that lists of locks and waits name.
func (s *Snapshot) eachNamedThread(f func(kd.Addr, kd.Ref)) {
	for _, r := range s.Resources {
		for i := range r.Resolved {
			if o := &r.Resolved[i]; o.How == ByThread {
				f(o.Thread, o.At)
			}
		}
		for _, list := range [][]locks.Waiter{r.SharedWaiters, r.ExclusiveWaiters} {
			for _, w := range list {
				f(w.Thread, w.At)
			}
		}
	}
	for _, t := range s.Threads {
		for _, w := range t.WaitObjects {
			if w.Owner != 0 {
				f(w.Owner, w.At)
			}
		}
	}
}

// text says what contradicts what.
func (r TwoRoles) text(s *Snapshot) string {
	return fmt.Sprintf("%s is %s here and %s on line %d: it can be one of them only", s.bare(r.Addr), article(r.Roles[1]), article(r.Roles[0]), r.Before.Line)
}

func article(r Role) string {
	if r == RoleIRP {
		return "an IRP"
	}
	return "a " + string(r)
}
