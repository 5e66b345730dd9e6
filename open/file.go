package open

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// file is a file read at random, up to the size that it had when it was opened.
type file struct {
	f    *os.File
	name string
	base int64 // where it begins in f
	size int64

	borrowed bool // somebody else closes f
}

// ReadAt reads as io.ReaderAt says. A file that has become shorter is an error.
func (f *file) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("read at %d", off)
	}
	if off >= f.size {
		return 0, io.EOF
	}
	short := off+int64(len(p)) > f.size
	if short {
		p = p[:f.size-off]
	}
	n, err := f.f.ReadAt(p, f.base+off)
	switch {
	case n < len(p) && err == io.EOF:
		return n, fmt.Errorf("%w: it became shorter while it was read: %s of %s are there", io.ErrUnexpectedEOF, size(off+int64(n)), size(f.size))
	case n == len(p) && short:
		return n, io.EOF
	case n == len(p):
		return n, nil
	}
	return n, err
}

// grown returns the size of now when it is larger.
func (f *file) grown() (int64, bool) {
	info, err := f.f.Stat()
	if err != nil {
		return 0, false
	}
	now := info.Size() - f.base
	return now, now > f.size
}

func (f *file) close() error {
	if f.borrowed {
		return nil
	}
	if err := f.f.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}
