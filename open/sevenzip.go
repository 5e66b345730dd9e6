//go:build !js

package open

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/bodgit/sevenzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stangelandcl/ppmd"
	"github.com/ulikunitz/xz/lzma"
)

// limitSevenzip puts our limits in place of the library's own methods, which
// take whatever memory an archive asks for. The numbers are those of 7-Zip's
// Methods.txt.
var limitSevenzip = sync.OnceFunc(func() {
	for id, open := range map[string]sevenzip.Decompressor{
		"\x03\x01\x01":     unlzma,
		"\x21":             unlzma2,
		"\x03\x04\x01":     unppmd,
		"\x04\xf7\x11\x01": unzstd,
		methodAES:          func([]byte, uint64, []io.ReadCloser) (io.ReadCloser, error) { return nil, errEncrypted },
	} {
		sevenzip.RegisterDecompressor([]byte(id), open)
	}
})

const methodAES = "\x06\xf1\x07\x01"

var errCoder = errors.New("a method's properties are wrong")

// both reads from one and closes the other.
type both struct {
	io.Reader
	io.Closer
}

func unlzma(props []byte, n uint64, in []io.ReadCloser) (io.ReadCloser, error) {
	if len(in) != 1 || len(props) != 5 {
		return nil, errCoder
	}
	if binary.LittleEndian.Uint32(props[1:]) > maxWindow {
		return nil, errWindow
	}
	head := binary.LittleEndian.AppendUint64(append([]byte(nil), props...), n)
	r, err := lzma.ReaderConfig{DictCap: maxWindow}.NewReader(io.MultiReader(bytes.NewReader(head), in[0]))
	return both{r, in[0]}, err
}

func unlzma2(props []byte, n uint64, in []io.ReadCloser) (io.ReadCloser, error) {
	if len(in) != 1 || len(props) != 1 || props[0] > 40 {
		return nil, errCoder
	}
	dict := int64(2|props[0]&1) << (props[0]/2 + 11)
	if dict > maxWindow {
		return nil, errWindow
	}
	if n < uint64(dict) { // no match reaches farther back
		dict = max(int64(n), lzma.MinDictCap)
	}
	r, err := lzma.Reader2Config{DictCap: int(dict)}.NewReader2(in[0])
	return both{r, in[0]}, err
}

func unppmd(props []byte, n uint64, in []io.ReadCloser) (io.ReadCloser, error) {
	if len(in) != 1 || len(props) != 5 || n > 1<<62 {
		return nil, errCoder
	}
	memory := binary.LittleEndian.Uint32(props[1:])
	if memory > maxWindow {
		return nil, errWindow
	}
	r, err := ppmd.NewH7zReader(in[0], int(props[0]), int(memory), int(n))
	return both{&r, in[0]}, err
}

func unzstd(_ []byte, _ uint64, in []io.ReadCloser) (io.ReadCloser, error) {
	if len(in) != 1 {
		return nil, errCoder
	}
	r, err := zstd.NewReader(in[0], zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return r.IOReadCloser(), nil
}

func (o *opener) sevenzip(a *archive) error {
	limitSevenzip()
	d := &directory{r: a.data, left: maxDirectory}
	var z *sevenzip.Reader
	err := guard(func() (err error) {
		if err = checkSevenzip(d); err == nil {
			z, err = sevenzip.NewReader(d, a.in.Size)
		}
		return err
	})
	switch {
	case errors.Is(err, errEncrypted):
		return errEncrypted
	case err != nil:
		return notListed(err)
	}
	d.open = true
	broken := map[int]error{} // streams that cannot be read on
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		if err := o.sevenzipMember(a, f, broken); err != nil {
			return errors.Join(err, o.done(a))
		}
	}
	return o.done(a)
}

// sevenzipMember takes one member. Members share streams: what is not read of
// one is unpacked on the way to the next, and nothing can be had behind damage.
func (o *opener) sevenzipMember(a *archive, f *sevenzip.File, broken map[int]error) error {
	name := a.in.Name + "!" + f.Name
	if err := broken[f.Stream]; err != nil {
		o.trouble(a, fmt.Errorf("%s: %w", name, err))
		return nil
	}
	var r io.ReadCloser
	err := guard(func() (err error) {
		r, err = f.Open()
		return err
	})
	if err != nil {
		broken[f.Stream] = damaged(err)
		o.trouble(a, fmt.Errorf("%s: %w", name, damaged(err)))
		return nil
	}
	s := &guarded{r: r}
	var sum io.Reader = s
	if f.CRC32 != 0 { // the archive has one; the library does not check it
		sum = &summed{r: s, want: f.CRC32}
	}
	before := a.out
	err = o.member(a, f.Name, sum)
	if cerr := guard(r.Close); s.failed || cerr != nil {
		broken[f.Stream] = errors.New("it stands behind something that cannot be read")
	}
	if rest := f.UncompressedSize - uint64(a.out-before); err == nil && f.UncompressedSize > uint64(a.out-before) && rest > smallRatio && rest/maxRatio > uint64(a.in.Size) {
		return fmt.Errorf("%w of %d times the size of the archive: %s says it has %s; the members behind are not read", ErrLimit, maxRatio, f.Name, size(int64(min(f.UncompressedSize, 1<<62))))
	}
	return err
}

// guard turns a panic of the library, which damage may cause, into an error.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged: %v", p)
		}
	}()
	return f()
}

// guarded is a reader behind guard that remembers whether it failed.
type guarded struct {
	r      io.Reader
	failed bool
}

func (g *guarded) Read(p []byte) (n int, err error) {
	err = guard(func() (err error) {
		n, err = g.r.Read(p)
		return err
	})
	g.failed = g.failed || err != nil && err != io.EOF
	return n, err
}
