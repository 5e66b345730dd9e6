package dump

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"
)

// TestLongText: what is packed reads as it was written, from everywhere.
func TestLongText(t *testing.T) {
	var x text
	var want bytes.Buffer
	rng := rand.New(rand.NewPCG(1, 2))
	for want.Len() < (mostPlain+5)*pieceSize+12345 {
		b := bytes.Repeat([]byte{byte(rng.Uint32())}, 1+rng.IntN(100_000))
		x.add(b)
		want.Write(b)
	}
	packed := 0
	for _, p := range x.pieces {
		if p.packed != nil {
			packed++
		}
	}
	if x.size != int64(want.Len()) || packed < 5 {
		t.Fatalf("%d bytes of %d, %d pieces are packed", x.size, want.Len(), packed)
	}
	got, err := io.ReadAll(io.NewSectionReader(&x, 0, x.size+10))
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%d bytes: %v", len(got), err)
	}
	for range 300 {
		p := make([]byte, rng.IntN(2*pieceSize))
		off := rng.Int64N(x.size)
		n, err := x.ReadAt(p, off)
		if rest := want.Bytes()[off:]; n != min(len(p), len(rest)) || n < len(p) && err != io.EOF || !bytes.Equal(p[:n], rest[:n]) {
			t.Errorf("%d bytes from %d: %d, %v", len(p), off, n, err)
		}
	}
	if _, err := x.ReadAt(make([]byte, 1), -1); err == nil {
		t.Error("bytes before the first were read")
	}
}
