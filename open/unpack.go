package open

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"kdlocks/inspect"
)

// maxWindow bounds the memory that a packed stream may ask for: the largest
// that zstd makes without --ultra --long=28 and more, and 7-Zip without a
// dictionary set by hand.
const maxWindow = 256 << 20

// maxDirectory bounds what is read of the list of members, in bytes.
const maxDirectory = 8 << 20

// archive is something packed, while it is unpacked.
type archive struct {
	in    inspect.Input
	data  io.ReaderAt // of in, ends with the context
	depth int
	place *found // where the archive was found, nil when it was named
	found found  // what was found in it
	out   int64  // bytes that came out
}

// count adds bytes that came out and reports whether it is too much to be true.
func (a *archive) count(n int) bool {
	if a == nil {
		return false
	}
	a.out += int64(n)
	return a.out > smallRatio && a.out/maxRatio > a.in.Size
}

// unpack opens what is packed in an input.
func (o *opener) unpack(in inspect.Input, p *pack, depth int, place *found) error {
	a := &archive{in: in, data: waiting{o.ctx, in.Data}, depth: depth, place: place, found: found{in: in.Name}}
	if p.many && place != nil {
		place.inputs++ // what it holds is told under its own name
	}
	err := p.open(o, a)
	if o.ctx.Err() != nil {
		return o.ctx.Err()
	}
	if err != nil && !errors.Is(err, errStop) {
		err = fmt.Errorf("%s: %w", in.Name, err)
	}
	return err
}

func (a *archive) reader() io.Reader {
	return bufio.NewReaderSize(io.NewSectionReader(a.data, 0, a.in.Size), headSize)
}

func (o *opener) gzip(a *archive) error {
	z, err := gzip.NewReader(a.reader())
	if err != nil {
		return damaged(err)
	}
	return o.stream(a, z)
}

func (o *opener) zstd(a *archive) error {
	z, err := zstd.NewReader(a.reader(), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return damaged(err)
	}
	defer z.Close()
	return o.stream(a, z)
}

// stream takes what is packed alone, under the name of the file.
func (o *opener) stream(a *archive, r io.Reader) error {
	in, err := o.fill(a.in.Name, r, a)
	if in.Size > 0 || err == nil {
		if aerr := o.add(in, a.depth, a.place); errors.Is(aerr, errStop) {
			return errStop
		} else if aerr != nil {
			o.errs = append(o.errs, aerr)
		}
	}
	return partly(err, in.Size)
}

// member takes one member of an archive. What is wrong with it is told, and
// the next one may be taken; an error ends the archive.
func (o *opener) member(a *archive, name string, r io.Reader) error {
	name = a.in.Name + "!" + strings.ToValidUTF8(name, "\uFFFD")
	in, err := o.fill(name, r, a)
	if cerr := o.ctx.Err(); cerr != nil {
		return cerr
	}
	if in.Size > 0 || err == nil {
		if aerr := o.add(in, a.depth, &a.found); errors.Is(aerr, errStop) {
			return errStop
		} else if aerr != nil {
			o.trouble(a, aerr)
		}
	}
	if err = partly(err, in.Size); err != nil {
		o.trouble(a, fmt.Errorf("%s: %w", name, err))
	}
	if errors.Is(err, ErrLimit) {
		return errors.New("the members behind are not read")
	}
	return nil
}

// someTrouble is how many members of an archive are complained of by name.
const someTrouble = 5

// trouble tells what is wrong with a member, unless much was told already.
func (o *opener) trouble(a *archive, err error) {
	if a.found.trouble++; a.found.trouble <= someTrouble {
		o.errs = append(o.errs, err)
	}
}

// noteTrouble counts the members that trouble did not name.
func (o *opener) noteTrouble(a *archive) {
	if n := a.found.trouble - someTrouble; n > 0 {
		o.errs = append(o.errs, fmt.Errorf("%s: %d more members cannot be read wholly", a.in.Name, n))
	}
}

// done tells what was left out of an archive.
func (o *opener) done(a *archive) error {
	o.noteSkipped(&a.found)
	o.noteTrouble(a)
	if a.found.inputs == 0 && a.found.trouble == 0 {
		return errors.New("no text in it")
	}
	return nil
}

// partly says how much of something damaged is analysed all the same.
func partly(err error, n int64) error {
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, ErrLimit):
		err = damaged(err)
	}
	return firstPart(err, n)
}

// firstPart says how much of something cut is analysed all the same.
func firstPart(err error, n int64) error {
	if n == 0 {
		return err
	}
	return fmt.Errorf("%w; the first %s are analysed", err, size(n))
}

// damaged puts the errors of the libraries into words.
func damaged(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("it is cut short or damaged: %w", err)
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, errWindow):
		return fmt.Errorf("it asks for more than %s of memory; unpack it first", size(maxWindow))
	case errors.Is(err, errEncrypted):
		return errEncrypted
	}
	return fmt.Errorf("it is damaged: %w", err)
}

var (
	errEncrypted = errors.New("it is encrypted; unpack it first")
	errWindow    = errors.New("dictionary too large")
)
