package open

import (
	"archive/zip"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Methods of zip by their numbers in APPNOTE.TXT, 4.4.5.
const (
	methodBzip2 = 12
	methodZstd  = 93
)

func (o *opener) zip(a *archive) error {
	d := &directory{r: a.data, left: maxDirectory}
	z, err := zip.NewReader(d, a.in.Size)
	d.open = true
	if errors.Is(err, errDirectory) {
		return err
	} else if err != nil {
		return o.zipFromStart(a, notListed(err))
	}
	if overlap(z.File, a.in.Size) {
		return errors.New("its members overlap, which is no honest archive; nothing in it is read")
	}
	z.RegisterDecompressor(methodBzip2, func(r io.Reader) io.ReadCloser { return io.NopCloser(bzip2.NewReader(r)) })
	z.RegisterDecompressor(methodZstd, zstd.ZipDecompressor(zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow)))
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") || f.FileInfo().IsDir() {
			continue
		}
		if err := o.zipMember(a, f); err != nil {
			return errors.Join(err, o.done(a))
		}
	}
	return o.done(a)
}

// overlap reports whether members claim more packed bytes than there are.
func overlap(files []*zip.File, size int64) bool {
	left := uint64(size)
	for _, f := range files {
		if f.CompressedSize64 > left {
			return true
		}
		left -= f.CompressedSize64
	}
	return false
}

func (o *opener) zipMember(a *archive, f *zip.File) error {
	if f.Flags&flagEncrypted != 0 {
		o.trouble(a, fmt.Errorf("%s!%s: %w", a.in.Name, f.Name, errEncrypted))
		return nil
	}
	r, err := f.Open()
	if errors.Is(err, zip.ErrAlgorithm) {
		err = fmt.Errorf("it is packed with method %d, which is not known here; unpack it first", f.Method)
	} else if err != nil {
		err = damaged(err)
	}
	if err != nil {
		o.trouble(a, fmt.Errorf("%s!%s: %w", a.in.Name, f.Name, err))
		return nil
	}
	defer r.Close()
	return o.member(a, f.Name, r)
}

// notListed says why the members of an archive are not known.
func notListed(err error) error {
	if errors.Is(err, errDirectory) {
		return err
	}
	return fmt.Errorf("its list of members cannot be read, it is cut short or damaged: %w", err)
}

var errDirectory = fmt.Errorf("%w of %s for the list of members of an archive", ErrLimit, size(maxDirectory))

// directory is an archive while its list of members is read: libraries keep
// all of that in memory.
type directory struct {
	r    io.ReaderAt
	left int // bytes that may be read before open is set
	open bool
}

func (d *directory) ReadAt(p []byte, off int64) (int, error) {
	if !d.open {
		if d.left -= len(p); d.left < 0 {
			return 0, errDirectory
		}
	}
	return d.r.ReadAt(p, off)
}
