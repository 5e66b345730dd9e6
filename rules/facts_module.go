package rules

import (
	"iter"
	"strings"

	"kdlocks/kd"
	"kdlocks/modules"
	"kdlocks/stacks"
	"kdlocks/threads"
)

// moduleFact is a module of lm, or one that only frames show.
type moduleFact struct {
	*modules.Module
	// frame is set where no list has the module.
	frame bool
}

func init() {
	registerKind(&kind{
		name: "module", doc: "a module of lm, lmv, lmvm or !lmi, or one that a frame shows to be loaded; an unloaded one only where the clause says unloaded: true",
		ask: "lm", one: "lmvm %s", key: "name",
		seen:   func(w *world) bool { return len(w.factsOf(kindNamed("module"))) > 0 },
		listed: func(w *world, _ *clause) bool { return w.wholeModuleList() },
		all:    allModules,
		find:   findModule,
		hidden: func(c *clause, f fact) bool {
			for _, m := range c.matchers {
				if m.field.name == "unloaded" {
					return false
				}
			}
			return f == nil || f.(*moduleFact).Unloaded
		},
		absent: func(w *world, v Value) bool {
			return !ofUserMode(v.S) && w.snap.IsLoaded(v.S) == threads.No
		},
		at:   placed(func(m *moduleFact) kd.Ref { return m.At }),
		addr: addressed(func(m *moduleFact) kd.Addr { return m.Base }),
		fields: []*field{
			{name: "name", typ: Name, list: true, doc: "its name, or that of its file: tcpip, tcpip.sys. Write the ending of user-mode modules (.dll, .exe): lists of kernel modules lack those", get: getter(moduleNames)},
			{name: "version", typ: Version, doc: "the file version", get: getter(func(_ *world, m *moduleFact) Values {
				return version(m.FileVersion, m.FileVersionAt)
			})},
			{name: "product_version", typ: Version, doc: "the product version", get: getter(func(_ *world, m *moduleFact) Values {
				return version(m.ProductVersion, m.ProductVersionAt)
			})},
			{name: "version_text", typ: Name, doc: "the file version as the resource strings say it: *win7sp1_gdr*", get: getter(func(_ *world, m *moduleFact) Values { return text(Name, m.FileVersionText, m.At) })},
			{name: "company", typ: Name, doc: "CompanyName", get: getter(func(_ *world, m *moduleFact) Values { return text(Name, m.CompanyName, m.At) })},
			{name: "path", typ: Name, doc: "the path of its image", get: getter(func(_ *world, m *moduleFact) Values { return text(Name, m.Path, m.At) })},
			{name: "linked", typ: Date, doc: "the day it was linked. Reproducible builds have none: a hash stands in its place, and no comparison with it holds", get: getter(func(_ *world, m *moduleFact) Values {
				switch {
				case m.Repro:
					return none
				case !m.TimeWord.Known():
					return unknown
				}
				return number(Date, float64(m.TimeWord.N), m.TimeWord.At)
			})},
			{name: "time_word", typ: Address, doc: "its time stamp in hexadecimal: 5C087E1D", get: getter(func(_ *world, m *moduleFact) Values { return hexNumber(m.TimeWord) })},
			{name: "checksum", typ: Address, doc: "its checksum in hexadecimal", get: getter(func(_ *world, m *moduleFact) Values { return hexNumber(m.CheckSum) })},
			{name: "third_party", typ: Bool, common: true, doc: "whether it is none of Windows", get: getter(func(_ *world, m *moduleFact) Values {
				return boolean(isThirdParty(m.Name) && isThirdParty(m.Image), m.At)
			})},
			{name: "unloaded", typ: Bool, doc: "whether it is in the list of unloaded modules", get: getter(func(_ *world, m *moduleFact) Values { return boolean(m.Unloaded, m.At) })},
			{name: "base", typ: Address, doc: "where it begins", get: getter(func(_ *world, m *moduleFact) Values { return address(m.Base, m.At) })},
			{name: "range", typ: Range, doc: "the addresses of its image", get: getter(func(_ *world, m *moduleFact) Values {
				if m.Base == 0 || m.End == 0 {
					return unknown
				}
				return one(Value{Type: Range, Spans: []Span{{m.Base, m.End}}, At: m.At})
			})},
			{name: "symbols", typ: Name, doc: "what the debugger says of its symbols: no symbols, deferred, pdb symbols", get: getter(func(_ *world, m *moduleFact) Values { return text(Name, m.SymbolStatus, m.At) })},
		},
	})
}

// isThirdParty reports whether a name is none of a module of Windows; "" may be one
// of any.
func isThirdParty(name string) bool { return name == "" || !stacks.OfWindows(modules.Key(name)) }

func version(v modules.Version, at kd.Ref) Values {
	if !v.Known() || isZero(v) {
		return unknown
	}
	return one(Value{Type: Version, V: v, At: at})
}

// isZero reports whether a version is 0.0.0.0, as images have that say none.
func isZero(v modules.Version) bool {
	n, ok := v.Compare(modules.VersionOf(0, 0, 0, 0))
	return ok && n == 0
}

func hexNumber(n modules.Number) Values {
	if !n.Known() {
		return unknown
	}
	return one(Value{Type: Address, A: kd.Addr(n.N), At: n.At})
}

// ofUserMode reports whether a name has the ending of a user-mode file.
func ofUserMode(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, ".dll") || strings.HasSuffix(name, ".exe")
}

// moduleNames are all names that a rule may have for a module.
func moduleNames(_ *world, m *moduleFact) Values {
	out := Values{All: true}
	for _, s := range []string{m.Name, m.Image, modules.Key(m.Name), modules.Key(m.Image)} {
		if s != "" && (len(out.List) == 0 || out.List[len(out.List)-1].S != s) {
			out.List = append(out.List, Value{Type: Name, S: s, At: m.At})
		}
	}
	return out
}

func findModule(w *world, v Value) fact {
	if m := w.snap.Module(v.S); m != nil && !m.Unloaded {
		return &moduleFact{Module: m}
	}
	for _, f := range w.factsOf(kindNamed("module")) {
		if m := f.(*moduleFact); m.frame && m.Is(v.S) {
			return m
		}
	}
	return nil
}

// wholeModuleList reports whether all kernel modules were listed.
func (w *world) wholeModuleList() bool {
	for i := range w.snap.ModuleLists {
		l := &w.snap.ModuleLists[i]
		if l.Whole && l.Kernel && l.Pattern == "" && !l.Filtered {
			return true
		}
	}
	return false
}

// allModules lists the modules that were printed, then those that only frames
// show.
func allModules(w *world) iter.Seq[fact] {
	return func(yield func(fact) bool) {
		known := map[string]bool{"": true}
		for _, m := range w.snap.Modules {
			if !m.Unloaded {
				known[modules.Key(m.Name)], known[modules.Key(m.Image)] = true, true
			}
			if !yield(&moduleFact{Module: m}) {
				return
			}
		}
		for _, t := range w.snap.Threads {
			for i := range t.Stack.Frames {
				if f := onlyOnStack(&t.Stack.Frames[i], known); f != nil && !yield(f) {
					return
				}
			}
		}
	}
}

// onlyOnStack makes a fact of the module of a frame that is not known yet.
func onlyOnStack(f *stacks.Frame, known map[string]bool) *moduleFact {
	key := modules.Key(f.Module)
	if known[key] || strings.HasPrefix(f.Module, "<") {
		return nil
	}
	known[key] = true
	return &moduleFact{Module: &modules.Module{Name: f.Module, At: f.At}, frame: true}
}
