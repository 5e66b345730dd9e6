//go:build !js

package rules

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"kdlocks/rules/tree"
)

// Bounds of an archive of rules. A pack holds rules and the logs of their tests.
const (
	mostZipBytes     = 64 << 20
	mostZipDirectory = 8 << 20
	mostUnzipped     = 512 << 20
)

// ZipFS opens an archive of rules of a size in bytes. It refuses archives that are
// beyond what packs are, or whose files lie outside of it, overlap, are encrypted,
// are links, or come twice.
func ZipFS(r io.ReaderAt, size int64) (fs.FS, error) {
	if size > mostZipBytes {
		return nil, fmt.Errorf("the archive is larger than %d MiB", mostZipBytes>>20)
	}
	d := &zipDirectory{ReaderAt: r, left: mostZipDirectory}
	z, err := zip.NewReader(d, size)
	d.open = true
	switch {
	case d.left < 0:
		return nil, errors.New("the archive lists too many files")
	case err != nil:
		return nil, fmt.Errorf("no zip archive: %w", err)
	case len(z.File) > mostEntries:
		return nil, fmt.Errorf("the archive has more than %d files", mostEntries)
	}
	packed, unpacked := uint64(0), uint64(0)
	names := make(map[string]bool)
	for _, f := range z.File {
		if why := badMember(f, names); why != "" {
			return nil, fmt.Errorf("the archive holds %q, which %s", tree.Clip(f.Name), why)
		}
		packed, unpacked = packed+f.CompressedSize64, unpacked+f.UncompressedSize64
		switch {
		case packed > uint64(size):
			return nil, errors.New("the files of the archive overlap")
		case unpacked > mostUnzipped:
			return nil, fmt.Errorf("the archive unpacks to more than %d MiB", mostUnzipped>>20)
		}
	}
	return zipFS{z}, nil
}

// zipDirectory bounds what is read of an archive before its files are known.
type zipDirectory struct {
	io.ReaderAt
	left int
	open bool
}

func (d *zipDirectory) ReadAt(p []byte, off int64) (int, error) {
	if !d.open {
		if d.left -= len(p); d.left < 0 {
			return 0, errors.New("the list of files is too long")
		}
	}
	return d.ReaderAt.ReadAt(p, off)
}

const zipEncrypted = 1 // bit 0 of the flags: APPNOTE.TXT, 4.4.4

// badMember says why a file of an archive is refused, "" if it is not.
func badMember(f *zip.File, names map[string]bool) string {
	name := strings.TrimSuffix(f.Name, "/")
	isDir := name != f.Name
	switch {
	case !fs.ValidPath(name) || strings.ContainsAny(name, `\:`):
		return "names no place within it"
	case names[name] && !isDir:
		return "comes twice"
	case f.Flags&zipEncrypted != 0:
		return "is encrypted"
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return fmt.Sprintf("is packed in a way that is not known (method %d): pack it with deflate", f.Method)
	case !f.Mode().IsRegular() && !isDir:
		return "is no regular file"
	case f.CompressedSize64 > mostZipBytes || f.UncompressedSize64 > mostUnzipped:
		return "is too large"
	}
	names[name] = true
	return ""
}

// zipFS is an archive whose files hold no more than it says.
type zipFS struct{ z *zip.Reader }

func (z zipFS) Open(name string) (fs.File, error) {
	f, err := z.z.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		return f, err
	}
	return &zipFile{f, info.Size()}, nil
}

type zipFile struct {
	fs.File
	left int64
}

func (f *zipFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	if f.left -= int64(n); f.left < 0 {
		return 0, errors.New("the file is longer than the archive says")
	}
	return n, err
}
