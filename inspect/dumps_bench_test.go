//go:build !js

package inspect_test

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"kdlocks/dump/dumptest"
	"kdlocks/inspect"
)

// counted is a file that counts what is read of it.
type counted struct {
	io.ReaderAt
	reads atomic.Int64
}

func (c *counted) ReadAt(p []byte, off int64) (int, error) {
	c.reads.Add(1)
	return c.ReaderAt.ReadAt(p, off)
}

// BenchmarkBigDump judges a complete dump of 8 GiB with 20,000 threads and 30,000
// resources. Set KDLOCKS_DUMP to the name of a file to keep it.
func BenchmarkBigDump(b *testing.B) {
	s, err := dumptest.Big(dumptest.Options{PhysicalMemory: 8 << 30, Processors: 4}, 20_000, 30_000)
	if err != nil {
		b.Fatal(err)
	}
	name := os.Getenv("KDLOCKS_DUMP")
	if name == "" {
		name = filepath.Join(b.TempDir(), "MEMORY.DMP")
	}
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	size, err := s.Machine.Write(f, dumptest.Full)
	if err != nil {
		b.Fatal(err)
	}
	s = nil
	runtime.GC()
	c := &counted{ReaderAt: f}
	for b.Loop() {
		r, err := inspect.Run(b.Context(), []inspect.Input{{Name: "MEMORY.DMP", Data: c, Size: size}}, inspect.Options{})
		if err != nil || r.Verdict.Kind != "deadlock" {
			b.Fatal(r.Verdict, err)
		}
	}
	var page [4096]byte
	n := c.reads.Load() / int64(b.N)
	begin := time.Now()
	for i := range n {
		f.ReadAt(page[:], i*104729*4096%(size-4096)&^4095)
	}
	b.ReportMetric(float64(n), "reads")
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(time.Since(begin)), "x-reads")
}
