package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"kdlocks/rules"
)

// ruleFlags say which rules are asked.
type ruleFlags struct {
	paths     []string
	noBuiltin bool
}

// today is the date that suppressions end by.
func today() string { return time.Now().Format(time.DateOnly) }

// ruleSet loads the rules once: the packs that kdlocks ships with, those of the
// user's folder, and those that were named.
func (a *app) ruleSet() (*rules.Set, error) {
	a.rulesOnce.Do(func() {
		defer collectLess()()
		a.rules, a.rulesErr = a.loadRules()
	})
	return a.rules, a.rulesErr
}

// collectLess lets garbage be collected less often until the function that it returns
// is called: most of what loading rules allocates is needed to the end, and a young
// heap is collected again and again.
func collectLess() (restore func()) {
	percent := debug.SetGCPercent(400)
	return func() { debug.SetGCPercent(percent) }
}

// startRules loads the rules while the log is read. Mistakes in a user's own rules
// are told before that.
func (a *app) startRules() error {
	if len(a.ruleFlags.paths) == 0 && userRules() == "" {
		go a.ruleSet()
		return nil
	}
	_, err := a.ruleSet()
	return err
}

func (a *app) loadRules() (*rules.Set, error) {
	sources, err := a.allSources()
	if err != nil {
		return nil, err
	}
	return rules.Load(sources, today())
}

// allSources opens what rules are loaded from.
func (a *app) allSources() ([]rules.Source, error) {
	var sources []rules.Source
	if !a.ruleFlags.noBuiltin {
		sources = append(sources, rules.Builtin())
	}
	if dir := userRules(); dir != "" {
		src, err := ruleSource(dir, os.DirFS)
		if err != nil {
			return nil, err
		}
		sources = append(sources, src)
	}
	named, err := ruleSources(a.ruleFlags.paths)
	if err != nil {
		return nil, err
	}
	return append(sources, named...), nil
}

// userRules returns the folder of the user's own rules, "" if there is none with
// rules in it. It lies where the XDG Base Directory Specification has it, on
// Windows in %AppData%.
func userRules() string {
	dir := os.Getenv("XDG_CONFIG_HOME")
	switch {
	case runtime.GOOS == "windows":
		dir, _ = os.UserConfigDir()
	case !filepath.IsAbs(dir): // which the specification says to ignore
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(home, ".config")
	}
	if dir == "" {
		return ""
	}
	dir = filepath.Join(dir, "kdlocks", "rules")
	if info, err := os.Stat(dir); err != nil || !info.IsDir() || !holdsYAML(os.DirFS(dir)) {
		return ""
	}
	return dir
}

// holdsYAML reports whether a folder has a rule file somewhere.
func holdsYAML(files fs.FS) bool {
	found := false
	_ = fs.WalkDir(files, ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // the loader tells of it
		}
		if ext := path.Ext(p); !e.IsDir() && (ext == ".yaml" || ext == ".yml") {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found
}

// ruleSources opens what --rules names, each once.
func ruleSources(paths []string) ([]rules.Source, error) {
	var out []rules.Source
	var known []fs.FileInfo
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil {
			if slices.ContainsFunc(known, func(have fs.FileInfo) bool { return os.SameFile(have, info) }) {
				continue
			}
			known = append(known, info)
		}
		src, err := ruleSource(p, folder)
		if err != nil {
			return nil, err
		}
		out = append(out, src)
	}
	return out, nil
}

// mostArchive bounds an archive of rules in bytes.
const mostArchive = 64 << 20

// folder opens a folder of which no link leads out: a pack may be a stranger's. It
// stays open while the program runs.
func folder(name string) fs.FS {
	root, err := os.OpenRoot(name)
	if err != nil {
		return os.DirFS(name)
	}
	return root.FS()
}

// ruleSource opens a rule file, an archive of rules, or a folder in the way that it is
// told.
func ruleSource(name string, folder func(string) fs.FS) (rules.Source, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return rules.Source{}, fmt.Errorf("%s: no such file", name)
	case err != nil:
		return rules.Source{}, err
	case info.IsDir():
		return rules.Source{Name: filepath.ToSlash(name), FS: bounded{folder(name)}}, nil
	case !info.Mode().IsRegular():
		return rules.Source{}, fmt.Errorf("%s: rules are read from a file, a folder or a zip", name)
	case strings.EqualFold(filepath.Ext(name), ".zip"):
		return zippedRules(name, info.Size())
	}
	if root, file := packAround(name); root != "" {
		return rules.Source{Name: filepath.ToSlash(name), FS: bounded{os.DirFS(root)}, File: file, Root: filepath.ToSlash(root)}, nil
	}
	return rules.Source{Name: filepath.ToSlash(name), FS: bounded{os.DirFS(filepath.Dir(name))}, File: filepath.Base(name)}, nil
}

// highestPack is in how many folders a pack.yaml is looked for, from that of a rule
// file upwards.
const highestPack = 3

// packAround finds the pack that a rule file is of: its folder and the file's path in
// there; "" if it is of none.
func packAround(name string) (root, file string) {
	whole, err := filepath.Abs(name)
	if err != nil {
		return "", ""
	}
	root = filepath.Dir(name)
	for range highestPack {
		if info, err := os.Stat(filepath.Join(root, "pack.yaml")); err == nil && info.Mode().IsRegular() {
			above, err := filepath.Abs(root)
			if err != nil {
				return "", ""
			}
			if file, err = filepath.Rel(above, whole); err != nil {
				return "", ""
			}
			return root, filepath.ToSlash(file)
		}
		root = filepath.Join(root, "..")
	}
	return "", ""
}

func zippedRules(name string, size int64) (rules.Source, error) {
	if size > mostArchive {
		return rules.Source{}, fmt.Errorf("%s: an archive of rules has at most %d MiB", name, mostArchive>>20)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return rules.Source{}, err
	}
	z, err := rules.ZipFS(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return rules.Source{}, fmt.Errorf("%s: %w", name, err)
	}
	return rules.Source{Name: filepath.ToSlash(name), FS: bounded{z}}, nil
}

// bounded is a file system in which no file is read without end: it has no pipes
// and devices, and of a large file only so much is read that whoever asks for it
// sees that it is too large.
type bounded struct{ fs.FS }

const mostOfRuleFile = 4 << 20

// Open opens a regular file or a folder.
func (b bounded) Open(name string) (fs.File, error) {
	info, err := fs.Stat(b.FS, name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() && !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("is no regular file")}
	}
	return b.FS.Open(name)
}

// ReadFile returns the first bytes of a file, whatever it says its size is.
func (b bounded) ReadFile(name string) ([]byte, error) {
	f, err := b.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostOfRuleFile))
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return data, nil
}
