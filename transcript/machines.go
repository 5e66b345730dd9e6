package transcript

import (
	"slices"

	"kdlocks/kd"
)

// splitMachines tells apart the machines, or boots of one, that a session shows with no
// banner in between: a routine of the kernel stays where it is for as long as a machine
// runs, and its addresses have one width. What was printed of memory behind the last of
// the one machine is of the next.
func splitMachines(whole facts) []facts {
	begins := whole.otherMachines()
	if len(begins) == 0 {
		return []facts{whole}
	}
	return cutAt(whole, begins)
}

// otherMachines returns where further machines begin, in the order of the input.
func (f *facts) otherMachines() []kd.Ref {
	if f.memory == nil || f.memory.Memory == nil || len(f.memory.Memory.Symbols) == 0 {
		return nil
	}
	var begins []kd.Ref
	routine := kd.Addr(0) // of ExAllocatePool on the machine before, 0 if that is not known
	wide, lists, listings, all := f.wide(), f.lockPlaces(), f.memoryPlaces(), f.places()
	seen := false // that the machine has addresses of 64 bits
	objects := func(before func(kd.Ref) bool) {
		for ; len(wide) > 0 && before(wide[0]); wide = wide[1:] {
			if seen = true; routine != 0 && !isWide(routine) {
				begins = append(begins, behind(lists, all, wide[0]))
				routine = 0
			}
		}
	}
	for _, s := range f.memory.Memory.Symbols {
		if s.Name != "nt!ExAllocatePool" {
			continue
		}
		objects(func(at kd.Ref) bool { return at.Before(s.At) })
		if routine != 0 && routine != s.Addr || routine == 0 && seen && !isWide(s.Addr) {
			begins = append(begins, behind(listings, all, s.At))
			seen = false
		}
		routine = s.Addr
	}
	objects(func(kd.Ref) bool { return true })
	return begins
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
	m := f.memory.Memory
	for _, s := range m.Symbols {
		out = append(out, s.At)
	}
	for _, s := range m.Searches {
		out = append(out, s.At)
	}
	for _, w := range m.Words {
		out = append(out, w.At)
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
