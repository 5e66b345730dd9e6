package open_test

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"kdlocks/open"
)

// FuzzInputs opens anything: no panic, within the limits, in a second.
func FuzzInputs(f *testing.F) {
	small := []byte(text)
	two := []member{{"x.log", small}, {"d/y.bin", []byte("\x00\x01\x02\x03")}}
	for _, seed := range [][]byte{
		small, gz(f, small), zst(f, small), zipped(f, two...), encryptedZip(f, two...),
		cut(sized(f, two...), -30), cut(zipped(f, two...), -30),
		zipped(f, member{"x.gz", gz(f, small)}), gz(f, zipped(f, two...)),
		sevenzip(f, lzma1, two...), sevenzip(f, lzma2, two...), sevenzip(f, stored, two...), packedHeader(f, sevenzip(f, lzma2, two...)),
	} {
		f.Add(seed)
	}
	opt := open.Options{MaxSize: 1 << 20, MaxInputs: 10, Memory: 1 << 10}
	f.Fuzz(func(t *testing.T, data []byte) {
		opt := opt
		opt.Stdin, opt.TempDir = bytes.NewReader(data), t.TempDir()
		begin := time.Now()
		set, err := open.Inputs(context.Background(), []string{"-"}, opt)
		var total int64
		for _, in := range set.Inputs {
			n, rerr := io.Copy(io.Discard, io.NewSectionReader(in.Data, 0, in.Size))
			if rerr != nil || n != in.Size {
				t.Errorf("%s: %d of %d bytes: %v", in.Name, n, in.Size, rerr)
			}
			total += in.Size
		}
		if total > opt.MaxSize || len(set.Inputs) > opt.MaxInputs || len(set.Inputs) == 0 && err == nil {
			t.Errorf("%d inputs of %d bytes, error %v", len(set.Inputs), total, err)
		}
		if d := time.Since(begin); d > time.Minute {
			t.Errorf("took %s", d)
		}
		must(t, set.Close())
	})
}
