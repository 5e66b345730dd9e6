package rules

import (
	"path"
	"sync"

	"kdlocks/rules/tree"
)

// elsewhere reports whether a rule is known that is not among those that are loaded:
// one that kdlocks ships with where those are left out, or one of another file of a
// pack of which one file was named. To name such a rule is no mistake.
func (l *loader) elsewhere(id string) bool {
	if l.newer[id] || !l.builtin && builtinIDs()[id] {
		return true
	}
	for _, src := range l.parts {
		if src.ids == nil {
			src.ids = idsIn(Source{Name: src.Root, FS: src.FS})
		}
		if src.ids[id] {
			return true
		}
	}
	return false
}

// part is a source that is one file of a pack.
type part struct {
	Source
	ids map[string]bool // of the rules of the whole pack, nil until they are asked for
}

// builtinIDs returns the ids of the rules that kdlocks ships with.
var builtinIDs = sync.OnceValue(func() map[string]bool { return idsIn(Builtin()) })

// idsIn returns the ids of the rules in a source, as far as its files can be read.
func idsIn(src Source) map[string]bool {
	out := make(map[string]bool)
	files, _ := listFiles(src)
	l, r, kept := &loader{}, &nodeReader{}, src.kept()
	for _, f := range files {
		data, err := src.read(f, &l.buf)
		if err != nil || path.Base(f) == "pack.yaml" {
			continue
		}
		root := r.decoder(f, data, kept).parse()
		if root == nil || root.Kind != tree.Mapping {
			continue
		}
		for i := 0; i+1 < len(root.Content); i += 2 {
			if root.Content[i].Value != "rules" {
				continue
			}
			for _, n := range root.Content[i+1].Content {
				out[idOf(n)] = true
			}
		}
	}
	return out
}
