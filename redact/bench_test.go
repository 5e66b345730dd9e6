package redact

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"kdlocks/transcript"
)

// BenchmarkLearn and BenchmarkWrite redact all captures of testdata again and again.
func BenchmarkLearn(b *testing.B) {
	in := benchInput(b)
	b.SetBytes(in.Size)
	for b.Loop() {
		if err := New(Options{}).Learn(context.Background(), []transcript.Input{in}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	in := benchInput(b)
	r := New(Options{})
	if err := r.Learn(context.Background(), []transcript.Input{in}); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(in.Size)
	for b.Loop() {
		if err := r.Write(context.Background(), io.Discard, in); err != nil {
			b.Fatal(err)
		}
	}
}

// benchInput is some MiB of captures.
func benchInput(b *testing.B) transcript.Input {
	b.Helper()
	paths, err := filepath.Glob("../testdata/corpus/*.log")
	if err != nil || len(paths) == 0 {
		b.Fatal(err)
	}
	var all []byte
	for len(all) < 4<<20 {
		for _, p := range paths {
			data, err := os.ReadFile(p)
			if err != nil {
				b.Fatal(err)
			}
			all = append(all, data...)
		}
	}
	return transcript.Bytes("all.log", all)
}
