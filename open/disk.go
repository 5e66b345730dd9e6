package open

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// disk is where names are looked up.
type disk interface {
	stat(name string) (fs.FileInfo, error)
	open(name string) (*os.File, error)
	walk(dir string, each fs.WalkDirFunc) error
	glob(pattern string) ([]string, error)
}

// anywhere is all that the program may read.
type anywhere struct{}

func (anywhere) stat(name string) (fs.FileInfo, error)      { return os.Stat(name) }
func (anywhere) open(name string) (*os.File, error)         { return os.Open(name) }
func (anywhere) walk(dir string, each fs.WalkDirFunc) error { return filepath.WalkDir(dir, each) }
func (anywhere) glob(pattern string) ([]string, error)      { return filepath.Glob(pattern) }

// below is what lies below a folder; no link leads out.
type below struct{ root *os.Root }

func (b below) stat(name string) (fs.FileInfo, error) { return b.root.Stat(name) }
func (b below) open(name string) (*os.File, error)    { return b.root.Open(name) }

func (b below) walk(dir string, each fs.WalkDirFunc) error {
	return fs.WalkDir(b.root.FS(), filepath.ToSlash(filepath.Clean(dir)), func(path string, d fs.DirEntry, err error) error {
		return each(filepath.FromSlash(path), d, err)
	})
}

func (b below) glob(pattern string) ([]string, error) {
	names, err := fs.Glob(b.root.FS(), filepath.ToSlash(filepath.Clean(pattern)))
	for i, name := range names {
		names[i] = filepath.FromSlash(name)
	}
	return names, err
}

// local returns the name of a file below the folder, also of one that is named by
// its whole path.
func (b below) local(name string) (string, error) {
	rel := name
	if filepath.IsAbs(name) {
		var err error
		if rel, err = filepath.Rel(b.root.Name(), name); err != nil {
			return "", fmt.Errorf("%s: %w: %s", name, errOutside, b.root.Name())
		}
	}
	if !filepath.IsLocal(rel) {
		return "", fmt.Errorf("%s: %w: %s", name, errOutside, b.root.Name())
	}
	return filepath.Clean(rel), nil
}

var errOutside = errors.New("only what lies below this folder is read")
