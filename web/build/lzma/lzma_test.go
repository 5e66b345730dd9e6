package lzma

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ulikunitz/xz/lzma"
)

// TestOthersReadIt: what is written is read by another program, to the byte.
func TestOthersReadIt(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 1<<16)
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	var numbers []byte
	for i := range 1 << 14 {
		numbers = append(numbers, byte(i), byte(i>>8), 0, 0)
	}
	var words strings.Builder
	for range 1 << 14 {
		words.WriteString([]string{"lock ", "thread ", "owner\n", "waits for "}[rnd.IntN(4)])
	}
	for name, data := range map[string][]byte{
		"one byte": {7}, "three bytes": []byte("abc"), "zeros": make([]byte, 1<<20),
		"noise": noise, "numbers": numbers, "words": []byte(words.String()), "noise twice": append(noise, noise...),
	} {
		for _, p := range [][2]uint{{0, 0}, {3, 2}, {8, 0}, {1, 4}} {
			packed := Encode(data, p[0], p[1])
			r, err := lzma.NewReader(bytes.NewReader(packed))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s with %v: %d bytes of %d, %v", name, p, len(got), len(data), err)
			}
			if name != "noise" && len(data) > 1000 && len(packed) > len(data)*2/3 {
				t.Errorf("%s with %v: %d bytes of %d", name, p, len(packed), len(data))
			}
		}
	}
}
