package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"kdlocks/heuristics"
	"kdlocks/kd"
	"kdlocks/rules/tree"
)

// Source is a rule file, a folder or an archive that rules are loaded from.
type Source struct {
	// Name is what people call it; files in messages begin with it.
	Name string
	FS   fs.FS
	// File is the one file to read, "" for all that is below FS.
	File string
	// Root is set where File is of the pack that FS holds: what people call that folder.
	Root    string
	Builtin bool
	// Draft is set for rules that somebody is still writing: they may lack tests.
	Draft bool

	text *string // of the one file, where it is at hand
	form string  // what another program made of that text
}

// Sources copies a list of sources, without those that kdlocks ships with if so said.
func Sources(list []Source, noBuiltin bool) []Source {
	return slices.DeleteFunc(slices.Clone(list), func(s Source) bool { return noBuiltin && s.Builtin })
}

// Bounds of what is loaded from one source.
const (
	mostFiles      = 2000
	mostTotalBytes = 32 << 20
	mostEntries    = 20_000
)

// Load reads sources in their order. Today is the date as 2026-11-21, which ends
// suppressions; "" ends none. The error is of type Problems where rule files have
// mistakes: then no rule is loaded.
func Load(sources []Source, today string) (*Set, error) {
	l := loader{set: &Set{}, today: today, where: make(map[string]*Rule), newer: make(map[string]bool), overridden: make(map[*Rule][]*override)}
	for _, src := range sources {
		if err := l.source(src); err != nil {
			return nil, err
		}
	}
	l.finish()
	if len(l.problems) > 0 {
		return nil, l.problems
	}
	l.set.plan = newPlan(l.set.Rules)
	return l.set, nil
}

// loader puts a Set together.
type loader struct {
	set       *Set
	today     string
	buf       bytes.Buffer // what files are read by
	problems  Problems
	where     map[string]*Rule
	overrides []override
	supersede []located
	// builtin is set where the rules that kdlocks ships with are among the sources,
	// parts are those that are one file of a pack.
	builtin bool
	parts   []*part
	// newer are the ids of rules that need a newer engine, overridden the overrides
	// that were applied.
	newer      map[string]bool
	overridden map[*Rule][]*override
}

// located is the id of a rule that another one names, and where.
type located struct {
	d *decoder
	wanted
}

// source reads one source: each folder with a pack.yaml is a pack, what lies in
// none is one of its own.
func (l *loader) source(src Source) error {
	files, err := listFiles(src)
	if err != nil {
		return err
	}
	packs := make(map[string]*Pack)
	kept := src.kept()
	if src.Root != "" && src.File != "pack.yaml" {
		packs["."] = l.pack(src, "pack.yaml", kept)
		l.parts = append(l.parts, &part{Source: src})
	}
	l.builtin = l.builtin || src.Builtin
	for _, f := range files {
		if path.Base(f) == "pack.yaml" {
			packs[path.Dir(f)] = l.pack(src, f, kept)
		}
	}
	loose := &Pack{Name: strings.TrimSuffix(path.Base(src.Name), path.Ext(src.Name)), Path: src.Name, Builtin: src.Builtin, fsys: src.FS, dir: "."}
	var read []*ruleFile
	total := 0
	for _, f := range files {
		if path.Base(f) == "pack.yaml" {
			continue
		}
		data, err := src.read(f, &l.buf)
		if err != nil {
			return err
		}
		if total += len(data); total > mostTotalBytes {
			return fmt.Errorf("%s: more than %d bytes of rules", src.Name, mostTotalBytes)
		}
		p := packOf(packs, f)
		if p == nil {
			p = loose
		}
		read = append(read, &ruleFile{pack: p, name: f, shown: src.shown(f), data: data, kept: kept, form: src.form, draft: src.Draft})
	}
	decodeAll(read)
	for _, f := range read {
		l.add(f)
	}
	for _, p := range append([]*Pack{loose}, sorted(packs)...) {
		if slices.ContainsFunc(l.set.Rules, func(r *Rule) bool { return r.Pack == p }) || p != loose {
			l.set.Packs = append(l.set.Packs, p)
		}
	}
	return nil
}

// read returns the bytes of a file by way of a buffer; those of a huge one are cut
// where they are too many for a rule file.
func (src Source) read(name string, buf *bytes.Buffer) (string, error) {
	if src.text != nil {
		return *src.text, nil
	}
	info, err := fs.Stat(src.FS, name)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("is no regular file")
	}
	if err != nil {
		return "", src.failed(name, err) // to open a pipe would wait for its other end
	}
	f, err := src.FS.Open(name)
	if err != nil {
		return "", src.failed(name, err)
	}
	defer f.Close()
	buf.Reset()
	if _, err := buf.ReadFrom(io.LimitReader(f, tree.MostBytes+1)); err != nil {
		return "", src.failed(name, err)
	}
	return buf.String(), nil
}

// failed names a file by what people call it.
func (src Source) failed(name string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("%s: %w", src.shown(name), err)
}

func sorted(packs map[string]*Pack) []*Pack {
	var out []*Pack
	for _, p := range packs {
		out = append(out, p)
	}
	kd.SortStable(out, func(a, b *Pack) int { return strings.Compare(a.dir, b.dir) })
	return out
}

// packOf returns the pack that a file lies in, nil if none.
func packOf(packs map[string]*Pack, file string) *Pack {
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		if p := packs[dir]; p != nil {
			return p
		}
		if dir == "." || dir == "/" {
			return nil
		}
	}
}

// shown is the name of a file in messages.
func (src Source) shown(f string) string {
	if src.Root != "" {
		if f == src.File {
			return src.Name
		}
		return path.Join(src.Root, f)
	}
	if src.File != "" || src.Name == "" {
		return path.Join(path.Dir(src.Name), f)
	}
	return path.Join(src.Name, f)
}

// listFiles returns the YAML files of a source in order. Test data and hidden
// folders hold none.
func listFiles(src Source) ([]string, error) {
	if src.File != "" {
		return []string{src.File}, nil
	}
	var out []string
	entries := 0
	err := fs.WalkDir(src.FS, ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entries++; entries > mostEntries {
			return fmt.Errorf("more than %d files and folders", mostEntries)
		}
		hidden := p != "." && strings.HasPrefix(path.Base(p), ".")
		switch {
		case e.IsDir() && (hidden || path.Base(p) == "testdata"):
			return fs.SkipDir
		case e.IsDir() || hidden || path.Ext(p) != ".yaml" && path.Ext(p) != ".yml":
			return nil
		case len(out) == mostFiles:
			return fmt.Errorf("more than %d rule files", mostFiles)
		}
		out = append(out, p)
		return nil
	})
	if err == nil && len(out) == 0 {
		err = errors.New("no .yaml file in it")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", src.Name, err)
	}
	return out, nil
}

// ruleFile is a file of rules or overrides.
type ruleFile struct {
	pack      *Pack
	name      string
	shown     string
	data      string
	kept      map[uint32]string // nodes of built-in packs
	form      string
	draft     bool
	d         *decoder
	rules     []*Rule
	overrides []override
}

// decodeAll decodes files side by side.
func decodeAll(files []*ruleFile) {
	var wg sync.WaitGroup
	next := make(chan *ruleFile)
	var broken atomic.Pointer[kd.Panicked]
	for range min(len(files), max(1, runtime.GOMAXPROCS(0)-1)) { // a log is read meanwhile
		wg.Go(func() {
			var r nodeReader
			for f := range next {
				func() {
					defer kd.Catch(func(p *kd.Panicked) { broken.Store(p) })
					f.decode(&r)
				}()
			}
		})
	}
	for _, f := range files {
		next <- f
	}
	close(next)
	wg.Wait()
	broken.Load().Again()
}

func (f *ruleFile) decode(r *nodeReader) {
	f.d = r.decoder(f.shown, f.data, f.kept)
	f.d.floor, f.d.draft, f.d.form = f.pack.MinEngine, f.draft, f.form
	root := f.d.parse()
	if root == nil {
		return
	}
	switch f.d.format(root) {
	case "":
	case OverridesFormat:
		*r = nodeReader{} // an override keeps its nodes
		f.overrides = f.d.overrides(root)
	default:
		f.rules = f.d.rules(root)
	}
}

// add takes the rules and overrides of a file.
func (l *loader) add(f *ruleFile) {
	d := f.d
	defer func() { l.problems = append(l.problems, d.problems...) }()
	l.overrides = append(l.overrides, f.overrides...)
	for _, r := range f.rules {
		r.Pack, r.path = f.pack, f.name
		if before := l.where[r.ID]; before != nil && r.ID != "" {
			d.rule = r.ID
			d.fail(r.idAt, "the id is taken by the rule at %s:%d; overrides change a rule, and a new one has an id of its own", before.File, before.Line)
			continue
		}
		if heuristics.Lookup(r.ID) != nil {
			d.rule = r.ID
			d.fail(r.idAt, "the id is that of a detector (kdlocks explain %s), and a rule has one of its own", r.ID)
		}
		l.where[r.ID] = r
		l.set.Rules = append(l.set.Rules, r)
	}
	for _, n := range d.newer {
		l.newer[n.id] = true
		l.set.Notes = append(l.set.Notes, "rule not loaded: "+n.id+" (needs engine "+n.engine+", this is "+Engine+")")
		l.set.NotLoaded = append(l.set.NotLoaded, n.why)
	}
	for _, w := range d.later {
		l.supersede = append(l.supersede, located{d, w})
	}
}

// finish checks what names rules of other files, and applies the overrides.
func (l *loader) finish() {
	if len(l.problems) > 0 {
		return // a rule that could not be read may be the one that is named
	}
	for _, w := range l.supersede {
		w.d.problems, w.d.rule = nil, w.rule
		switch by := l.where[w.id]; {
		case by == nil && !l.elsewhere(w.id):
			w.d.fail(w.at, "supersedes names no rule: %q%s", tree.Clip(w.id), didYouMean(w.id, l.set.IDs()))
		case by != nil && slices.Contains(by.Supersedes, w.rule) && w.rule < w.id:
			w.d.fail(w.at, "%s supersedes this rule in turn: neither would ever be told", w.id)
		}
		l.problems = append(l.problems, w.d.problems...)
	}
	for i := range l.overrides {
		l.override(&l.overrides[i])
	}
}

var packKeys = []string{"name", "title", "version", "license", "min_engine", "maintainers"}

// pack reads a pack.yaml.
func (l *loader) pack(src Source, file string, kept map[uint32]string) *Pack {
	p := &Pack{Name: path.Base(path.Dir(file)), Path: src.shown(path.Dir(file)), Builtin: src.Builtin, fsys: src.FS, dir: path.Dir(file)}
	data, err := src.read(file, &l.buf)
	if err != nil {
		l.problems = append(l.problems, &Problem{File: src.shown(file), Line: 1, Col: 1, Text: "the file cannot be read"})
		return p
	}
	d := new(nodeReader).decoder(src.shown(file), data, kept)
	d.form = src.form
	defer func() { l.problems = append(l.problems, d.problems...) }()
	root := d.parse()
	if root == nil {
		return p
	}
	m, ok := d.mapping(root, "a pack", packKeys)
	if !ok || !d.required(root, m, "a pack", 0, "name", "version") {
		return p
	}
	get := func(key string) string {
		if n := e(m, key); n != nil {
			s, _ := d.scalar(n, key)
			return s
		}
		return ""
	}
	p.Name, p.Version, p.License, p.Title, p.MinEngine = get("name"), get("version"), get("license"), get("title"), get("min_engine")
	if p.Name != "" && !isPackName(p.Name) {
		d.failAt(e(m, "name"), "the name of a pack is letters and digits with single . _ or - between: %q", tree.Clip(p.Name))
	}
	for _, key := range []string{"version", "min_engine"} {
		if n := e(m, key); n != nil && n.Kind == tree.Scalar && n.Value != "" {
			if _, ok := parseVersion(n.Value); !ok {
				d.failAt(n, "%s is a version such as 1.2.0: %q", key, tree.Clip(n.Value))
			}
		}
	}
	if n := e(m, "maintainers"); n != nil {
		for _, item := range d.list(n, "maintainers") {
			if s, ok := d.scalar(item, "a maintainer"); ok {
				p.Maintainers = append(p.Maintainers, s)
			}
		}
	}
	return p
}

// ReadLog returns a log that a test names: beside the rule file, else in the
// pack's testdata, else in the pack.
func (r *Rule) ReadLog(name string) ([]byte, error) {
	for _, dir := range []string{path.Dir(r.path), path.Join(r.Pack.dir, "testdata"), r.Pack.dir, path.Join(path.Dir(r.path), "testdata")} {
		f, err := r.Pack.fsys.Open(path.Join(dir, name))
		if err != nil {
			continue
		}
		defer f.Close()
		return io.ReadAll(io.LimitReader(f, mostTotalBytes))
	}
	return nil, fmt.Errorf("no file %s beside %s or in testdata", name, r.File)
}
