package snapshot

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kdlocks/kd"
	"kdlocks/modules"
	"kdlocks/stacks"
	"kdlocks/threads"
)

// moduleIndex finds modules by address. Each list is in the order of Base;
// reach[i] is the end that no module up to i goes beyond.
type moduleIndex struct {
	loaded, unloaded           []*modules.Module
	loadedReach, unloadedReach []kd.Addr
	// foreign is set when the modules are of another boot than the session.
	foreign bool
}

// Module returns the loaded module of a name, of the kernel where there are
// several, else the unloaded one that was printed last; nil if none was
// printed. A name may have the ending of its file or not, in either case, and
// the kernel has those of all its images. Modules of another boot than the
// session's, which Modules has, are not found.
func (s *Snapshot) Module(name string) *modules.Module {
	if s.moduleIndex == nil || s.moduleIndex.foreign {
		return nil
	}
	var best *modules.Module
	for _, m := range s.Modules {
		if m.Is(name) && (best == nil || s.prefers(m, best)) {
			best = m
		}
	}
	return best
}

func (s *Snapshot) prefers(m, to *modules.Module) bool {
	if m.Unloaded != to.Unloaded {
		return to.Unloaded
	}
	inKernel := func(m *modules.Module) bool { return m.Base.IsKernel(s.Target.Arch) }
	if inKernel(m) != inKernel(to) {
		return inKernel(m)
	}
	return m.Unloaded && to.At.Before(m.At)
}

// IsLoaded tells whether a kernel module of a name is loaded: Yes if it was
// listed, No if a whole list lacks it that would have it, Unknown otherwise. A
// debugger that looks at the machine it runs on lists what was loaded when it
// asked, and so never tells No.
func (s *Snapshot) IsLoaded(name string) threads.Tri {
	if m := s.Module(name); m != nil && !m.Unloaded {
		return threads.Yes
	}
	if s.moduleIndex == nil || s.moduleIndex.foreign || s.Target.LiveAt.Known() {
		return threads.Unknown
	}
	for i := range s.ModuleLists {
		if l := &s.ModuleLists[i]; l.Whole && l.Covers(name) {
			return threads.No
		}
	}
	return threads.Unknown
}

// buildOfKernel takes the build from the version of the kernel's file where nothing else
// tells it.
func (s *Snapshot) buildOfKernel() {
	if s.Target.Build != "" {
		return
	}
	if m := s.Module("nt"); m != nil && !m.Unloaded && m.Base.IsKernel(s.Target.Arch) && m.FileVersion.Known() {
		if build, ok := m.FileVersion.Part(2); ok {
			s.Target.Build, s.Target.BuildAt = strconv.Itoa(build), m.FileVersionAt
		}
	}
}

// ModuleAt returns the module that holds an address: a loaded one, else an
// unloaded one. It returns nil if no range holds it, or those of several modules
// of other names do.
func (s *Snapshot) ModuleAt(a kd.Addr) *modules.Module {
	if s.Target.Arch == kd.X86 {
		a = a.Fold()
	}
	x := s.moduleIndex
	if x == nil {
		return nil
	}
	if m, several := find(x.loaded, x.loadedReach, a); m != nil || several {
		return m
	}
	m, _ := find(x.unloaded, x.unloadedReach, a)
	return m
}

// mostOverlaps bounds the modules that are looked at around an address.
const mostOverlaps = 64

// find returns the one module that holds an address; several is set if there is
// more than one.
func find(list []*modules.Module, reach []kd.Addr, a kd.Addr) (found *modules.Module, several bool) {
	i, _ := slices.BinarySearchFunc(list, a, func(m *modules.Module, a kd.Addr) int {
		if m.Base > a {
			return 1
		}
		return -1
	})
	for n := 0; i > 0 && reach[i-1] > a; n++ {
		if i--; n == mostOverlaps {
			return nil, true
		}
		switch m := list[i]; {
		case !m.Contains(a):
		case found == nil:
			found = m
		case modules.Key(found.Label()) != modules.Key(m.Label()):
			return nil, true
		}
	}
	return found, false
}

// mergeModules keeps one module of each range and name. What one print lacks is
// taken from the other; what two disagree on is not known.
func (s *Snapshot) mergeModules(l *modules.Listing) {
	if l == nil || l.Empty() {
		return
	}
	s.ModuleLists = l.Lists
	type place struct {
		base           kd.Addr
		unloaded, user bool
	}
	have := make(map[place][]*modules.Module)
	var bare []*modules.Module // details without a range
	for _, m := range l.Modules {
		if s.Target.Arch == kd.X86 {
			m.MapAddrs(kd.Addr.Fold)
		}
		if m.Base == 0 {
			bare = append(bare, m)
			continue
		}
		p := place{m.Base, m.Unloaded, m.User}
		same := have[p][:min(len(have[p]), mostOverlaps)]
		if i := slices.IndexFunc(same, func(h *modules.Module) bool { return sameModule(h, m) }); i >= 0 {
			s.joinModule(same[i], m)
			continue
		}
		have[p] = append(have[p], m)
		s.Modules = append(s.Modules, m)
	}
	s.joinBare(bare)
	s.indexModules()
}

// moduleArch goes by the beginnings of modules.
func moduleArch(l *modules.Listing) kd.Arch {
	arch := kd.ArchUnknown
	for _, m := range l.Modules {
		switch {
		case m.Base == 0 || !m.Base.IsKernel(archOf(m.Base)): // a process may have 32 bits
		case archOf(m.Base) == kd.X64:
			return kd.X64
		default:
			arch = kd.X86
		}
	}
	return arch
}

// sameModule reports whether two modules have a name in common; each has one.
func sameModule(a, b *modules.Module) bool {
	return a.Name != "" && b.Is(a.Name) || a.Image != "" && b.Is(a.Image)
}

// joinBare gives details that came without a range to the one module that they
// fit.
func (s *Snapshot) joinBare(bare []*modules.Module) {
	if len(bare) == 0 {
		return
	}
	byKey := make(map[string][]*modules.Module)
	for _, m := range s.Modules {
		if m.Unloaded {
			continue
		}
		byKey[modules.Key(m.Name)] = append(byKey[modules.Key(m.Name)], m)
	}
	for _, m := range bare {
		if to := byKey[modules.Key(m.Image)]; len(to) == 1 && m.Image != "" {
			s.joinModule(to[0], m)
			continue
		}
		s.Modules = append(s.Modules, m)
		byKey[modules.Key(m.Image)] = append(byKey[modules.Key(m.Image)], m)
	}
}

// joinModule adds to a module what later knows more.
func (s *Snapshot) joinModule(have, later *modules.Module) {
	against := have.Join(later)
	if against == "" {
		return
	}
	s.note("", later.At, fmt.Sprintf("module %s was printed before (line %d) with another %s: that is taken as unknown", later.Label(), have.At.Line, against))
}

// indexModules makes modules findable by address, unless the kernel among them
// lies elsewhere than that of the session, or in two places.
func (s *Snapshot) indexModules() {
	x := &moduleIndex{}
	s.moduleIndex = x
	base := s.Target.KernelBase
	if s.Target.Arch == kd.X86 {
		base = base.Fold()
	}
	for _, m := range s.Modules {
		switch {
		case !m.Is("nt") || m.Unloaded || m.User || !m.Base.IsKernel(s.Target.Arch):
		case base == 0:
			base = m.Base
		case m.Base != base:
			x.foreign = true
			s.note("", m.At, fmt.Sprintf("module nt begins at %s, but before it the kernel began at %s: these are modules of another boot, and no address is named by their ranges", s.bare(m.Base), s.bare(base)))
			return
		}
	}
	for _, m := range s.Modules {
		switch {
		case m.End <= m.Base:
		case m.Unloaded:
			x.unloaded = append(x.unloaded, m)
		default:
			x.loaded = append(x.loaded, m)
		}
	}
	x.loadedReach, x.unloadedReach = sortModules(x.loaded), sortModules(x.unloaded)
}

func sortModules(list []*modules.Module) (reach []kd.Addr) {
	kd.SortStable(list, func(a, b *modules.Module) int { return cmp.Compare(a.Base, b.Base) })
	end := kd.Addr(0)
	for _, m := range list {
		end = max(end, m.End)
		reach = append(reach, end)
	}
	return reach
}

// finish does what a thread needs once it was read whole: its stack is cut into
// segments, and frames that are addresses get their module.
func (s *Snapshot) finish(t *threads.Thread) {
	t.Stack.Split(s.Target.Arch)
	s.nameFrames(t.Stack.Frames)
	if m, offset := s.kernelCode(t.StartAddress); m != nil {
		t.StartsIn = fmt.Sprintf("%s+0x%x", m.Label(), uint64(offset))
	}
}

// kernelCode finds the module of a text that is an address of the kernel alone:
// one of user mode is of a process that the lists do not name.
func (s *Snapshot) kernelCode(text string) (m *modules.Module, offset kd.Addr) {
	if s.moduleIndex == nil || text == "" {
		return nil, 0
	}
	a, ok := kd.ParseAddr(strings.TrimSpace(text))
	if s.Target.Arch == kd.X86 {
		a = a.Fold()
	}
	if !ok || !a.IsKernel(s.Target.Arch) {
		return nil, 0
	}
	if m = s.ModuleAt(a); m == nil || m.User {
		return nil, 0
	}
	return m, a - m.Base
}

// nameFrames finds the module of frames that are addresses alone.
func (s *Snapshot) nameFrames(frames []stacks.Frame) {
	if s.moduleIndex == nil {
		return
	}
	for i := range frames {
		f := &frames[i]
		if f.Module != "" || f.Function != "" {
			continue
		}
		if m, offset := s.kernelCode(f.Symbol); m != nil {
			f.Module, f.Offset, f.Derived = m.Label(), int64(offset), true
		}
	}
}

// CodeAt returns the module that the caller of a frame runs in, by the return
// address, whatever name the frame of the caller has; nil if that is not known.
func (s *Snapshot) CodeAt(f *stacks.Frame) (m *modules.Module, offset kd.Addr) {
	if f.RetAddr == 0 || f.Inline || !f.RetAddr.IsKernel(s.Target.Arch) {
		return nil, 0
	}
	if m = s.ModuleAt(f.RetAddr); m == nil || m.User {
		return nil, 0
	}
	return m, f.RetAddr - m.Base
}

// formatModules writes modules and the lists that they stood in.
func (s *Snapshot) formatModules(b *strings.Builder) {
	for i := range s.ModuleLists {
		l := &s.ModuleLists[i]
		fmt.Fprintf(b, "module-list %q :%d", l.Command, l.At.Line)
		for _, f := range []struct {
			name string
			set  bool
		}{{"kernel", l.Kernel}, {"user", l.User}, {"filtered", l.Filtered || l.Pattern != ""}, {"whole", l.Whole}} {
			if f.set {
				b.WriteString(" " + f.name)
			}
		}
		b.WriteString("\n")
	}
	for _, m := range s.Modules {
		fmt.Fprintf(b, "module %s :%d", m.Label(), m.At.Line)
		if m.Base != 0 {
			fmt.Fprintf(b, " %s..%s", s.bare(m.Base), s.bare(m.End))
		}
		formatWords(b, "image", m.Image, "path", m.Path, "status", m.SymbolStatus, "marks", m.SymbolMarks, "symbols", m.SymbolFile, "mapped", m.MappedFile)
		formatWords(b, "time", m.Timestamp)
		for _, n := range []struct {
			name string
			modules.Number
		}{{"stamp", m.TimeWord}, {"checksum", m.CheckSum}, {"size", m.ImageSize}} {
			if n.Known() {
				fmt.Fprintf(b, " %s %x", n.name, n.N)
			}
		}
		if m.Repro {
			b.WriteString(" repro")
		}
		formatWords(b, "file-version", m.FileVersion.String(), "product-version", m.ProductVersion.String(), "file-version-text", m.FileVersionText,
			"product-version-text", m.ProductVersionText, "company", m.CompanyName, "product", m.ProductName, "description", m.FileDescription, "conflict", m.Conflict)
		b.WriteString("\n")
	}
}
