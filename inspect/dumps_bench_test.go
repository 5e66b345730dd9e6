//go:build !js

package inspect_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"kdlocks/dump/dumptest"
	"kdlocks/inspect"
)

// BenchmarkBigDump judges a complete dump of 8 GiB with 20,000 threads and 30,000
// resources, once with all of it in the memory of the operating system and once from the
// disk. Set KDLOCKS_DUMP to the name of a file to keep it.
func BenchmarkBigDump(b *testing.B) {
	f, size := bigDump(b)
	for name, before := range map[string]func(){
		"InMemory": func() {},
		"FromDisk": func() { forget(b, f) },
	} {
		b.Run(name, func(b *testing.B) { judgeCounted(b, &dumptest.Counted{ReaderAt: f}, size, before) })
	}
}

// judgeCounted judges a dump, and reads it again where it was read and does nothing else.
func judgeCounted(b *testing.B, c *dumptest.Counted, size int64, before func()) {
	var judging, reading time.Duration
	for b.Loop() {
		before()
		c.Reads = c.Reads[:0]
		begin := time.Now()
		r, err := inspect.Run(b.Context(), []inspect.Input{{Name: "MEMORY.DMP", Data: c, Size: size}}, inspect.Options{})
		judging += time.Since(begin)
		if err != nil || r.Verdict.Kind != "deadlock" {
			b.Fatal(r.Verdict, err)
		}
		before()
		begin = time.Now()
		c.Again()
		reading += time.Since(begin)
	}
	b.ReportMetric(float64(len(c.Reads)), "reads")
	b.ReportMetric(float64(reading.Milliseconds())/float64(b.N), "ms-of-reads")
	b.ReportMetric(float64(judging.Milliseconds())/float64(b.N), "ms-to-verdict")
	b.ReportMetric(float64(judging)/float64(reading), "x-reads")
}

// bigDump writes the dump.
func bigDump(b *testing.B) (*os.File, int64) {
	b.Helper()
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
	b.Cleanup(func() { f.Close() })
	size, err := s.Machine.Write(f, dumptest.Full)
	if err != nil {
		b.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	s = nil
	runtime.GC()
	return f, size
}
