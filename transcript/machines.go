package transcript

import (
	"slices"

	"kdlocks/kd"
	"kdlocks/memory"
)

// splitMachines tells apart the machines, or boots of one, that a session shows with no
// banner in between: a routine of the kernel stays where it is for as long as a machine
// runs, its addresses have one width, and it has as much memory (one that is given more
// while it runs is taken for another: that joins nothing wrongly). What was printed of
// memory behind the last of the one machine is of the next.
func splitMachines(whole facts) []facts {
	begins := whole.otherMachines()
	if len(begins) == 0 {
		return []facts{whole}
	}
	return cutAt(whole, begins)
}

// trait is what a place of the input tells of its machine: one of the three.
type trait struct {
	at      kd.Ref
	wide    bool    // addresses have 64 bits
	routine kd.Addr // where ExAllocatePool is
	pages   int64   // of physical memory
}

// otherMachines returns where further machines begin, in the order of the input.
func (f *facts) otherMachines() []kd.Ref {
	traits := f.traits()
	if len(traits) < 2 {
		return nil
	}
	var begins []kd.Ref
	var was, vm trait // of the machine before, as far as it is known; its last !vm
	listings, all := f.memoryPlaces(), f.places()
	lists := slices.Concat(listings, f.lockPlaces())
	kd.SortStable(lists, order)
	begin := func(at kd.Ref) {
		begins, was = append(begins, at), trait{}
		if !vm.at.Before(at) {
			was.pages = vm.pages
		}
	}
	for _, t := range traits {
		switch {
		case t.pages != 0:
			if was.pages != 0 && was.pages != t.pages {
				begin(t.at)
			}
			vm, was.pages = t, t.pages
		case t.wide:
			if was.routine != 0 && !isWide(was.routine) {
				begin(behind(lists, all, t.at))
			}
			was.wide = true
		default:
			if was.routine != 0 && was.routine != t.routine || was.routine == 0 && was.wide && !isWide(t.routine) {
				begin(behind(listings, all, t.at))
			}
			was.routine = t.routine
		}
	}
	return begins
}

// traits returns what tells machines apart, in the order of the input, nothing if no
// memory was printed of any.
func (f *facts) traits() []trait {
	if f.memory == nil {
		return nil
	}
	var out []trait
	if m := f.memory.Memory; m != nil {
		for _, s := range m.Symbols {
			if s.Name == "nt!ExAllocatePool" {
				out = append(out, trait{at: s.At, routine: s.Addr})
			}
		}
	}
	if len(out) > 0 { // the width alone tells nothing that the readers do not see
		for _, at := range f.wide() {
			out = append(out, trait{at: at, wide: true})
		}
	}
	for _, v := range f.memory.VMs {
		if n := v.Pages(memory.PhysicalMemory); n.N > 0 {
			out = append(out, trait{at: v.At, pages: n.N})
		}
	}
	kd.SortStable(out, func(a, b trait) int { return order(a.at, b.at) })
	return out
}

// isWide reports whether an address of the kernel has 64 bits.
func isWide(a kd.Addr) bool { return a > 0xffffffff && !a.SignExtended() }

// wide returns where resources and threads with addresses of 64 bits stand.
func (f *facts) wide() []kd.Ref {
	var out []kd.Ref
	for _, r := range f.locks.Resources {
		if isWide(r.Addr) {
			out = append(out, r.At)
		}
	}
	for _, t := range f.threads.Threads {
		if isWide(t.Addr) && t.At.Known() {
			out = append(out, t.At)
		}
	}
	for i := range f.threads.Skimmed {
		if b := &f.threads.Skimmed[i]; isWide(b.Addr) {
			out = append(out, b.At())
		}
	}
	kd.SortStable(out, order)
	return out
}

// order compares places of the input.
func order(a, b kd.Ref) int {
	switch {
	case a.Before(b):
		return -1
	case b.Before(a):
		return 1
	}
	return 0
}

// lockPlaces are where lists of locks begin.
func (f *facts) lockPlaces() []kd.Ref {
	var out []kd.Ref
	for _, r := range f.locks.Rounds {
		out = append(out, r.At)
	}
	kd.SortStable(out, order)
	return out
}

// memoryPlaces are where !vm and listings of pool begin.
func (f *facts) memoryPlaces() []kd.Ref {
	var out []kd.Ref
	for _, v := range f.memory.VMs {
		out = append(out, v.At)
	}
	for _, p := range f.memory.Pools {
		out = append(out, p.At)
	}
	kd.SortStable(out, order)
	return out
}

// places are where locks, threads, modules and the target's memory are told of.
func (f *facts) places() []kd.Ref {
	out := f.wide()
	for _, r := range f.locks.Resources {
		out = append(out, r.At)
	}
	if f.modules != nil {
		for _, m := range f.modules.Modules {
			out = append(out, m.At)
		}
	}
	if m := f.memory.Memory; m != nil {
		for _, s := range m.Symbols {
			out = append(out, s.At)
		}
		for _, s := range m.Searches {
			out = append(out, s.At)
		}
		for _, w := range m.Words {
			out = append(out, w.At)
		}
	}
	kd.SortStable(out, order)
	return out
}

// behind returns the first of some places that stands behind the last of others before
// an end, and before the end; the end if there is none. Both are in the order of the
// input.
func behind(places, others []kd.Ref, end kd.Ref) kd.Ref {
	var last kd.Ref
	if i, _ := slices.BinarySearchFunc(others, end, order); i > 0 {
		last = others[i-1]
	}
	i, same := slices.BinarySearchFunc(places, last, order)
	if same {
		i++
	}
	if i < len(places) && places[i].Before(end) {
		return places[i]
	}
	return end
}
