package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"kdlocks/dump/symbols"
	"kdlocks/inspect"
	"kdlocks/rules"
)

// symbolFiles are the symbols that --symbols names: files, and stores of them as debuggers
// and volatility3 keep them.
type symbolFiles struct {
	paths  []string
	once   sync.Once
	tables []*symbols.Table
	stores []string
	err    error
}

// options are those of every analysis.
func (a *app) options(rules func() (*rules.Set, error)) inspect.Options {
	return inspect.Options{Progress: a.bar.reading, Rules: rules, Symbols: a.symbols.read, FindSymbols: a.symbols.find}
}

// read reads the files that were named, once.
func (s *symbolFiles) read() ([]*symbols.Table, error) {
	s.once.Do(func() {
		for _, name := range s.paths {
			if st, err := os.Stat(name); err == nil && st.IsDir() {
				s.stores = append(s.stores, name)
				continue
			}
			t, err := readSymbols(name)
			if err != nil {
				s.err = errors.Join(s.err, fmt.Errorf("%s: %w", name, err))
				continue
			}
			s.tables = append(s.tables, t)
		}
	})
	return s.tables, s.err
}

// find looks for the symbols of an image in the stores. What is there and cannot be read, or
// is of another build, is passed over.
func (s *symbolFiles) find(want symbols.ID) *symbols.Table {
	for _, store := range s.stores {
		for _, name := range placesInStore(want) {
			t, err := readSymbols(filepath.Join(store, name))
			if err == nil && strings.EqualFold(t.ID().GUID, want.GUID) && t.ID().Age == want.Age {
				return t
			}
		}
	}
	return nil
}

// placesInStore are the names that the symbols of an image have in a store: of debuggers
// (Microsoft Learn, "SymStore"), of volatility3, and alone. The name of the PDB comes from
// the dump: only its last part counts, and no device is opened by it.
func placesInStore(want symbols.ID) []string {
	pdb := want.Name[strings.LastIndexAny(want.Name, `/\:`)+1:]
	if !strings.EqualFold(filepath.Ext(pdb), ".pdb") || !filepath.IsLocal(pdb) {
		return nil
	}
	guid := strings.ToUpper(want.GUID)
	isf := fmt.Sprintf("%s-%d.json", guid, want.Age)
	return []string{
		filepath.Join(pdb, fmt.Sprintf("%s%X", guid, want.Age), pdb),
		filepath.Join(pdb, isf+".xz"), filepath.Join(pdb, isf),
		filepath.Join("windows", pdb, isf+".xz"), filepath.Join("windows", pdb, isf),
		pdb,
	}
}

func readSymbols(name string) (*symbols.Table, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer f.Close()
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !st.Mode().IsRegular():
		return nil, errors.New("no file")
	}
	return symbols.Read(f, st.Size())
}
