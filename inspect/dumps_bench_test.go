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
	c := &dumptest.Counted{ReaderAt: f}
	for b.Loop() {
		c.Reads = c.Reads[:0]
		r, err := inspect.Run(b.Context(), []inspect.Input{{Name: "MEMORY.DMP", Data: c, Size: size}}, inspect.Options{})
		if err != nil || r.Verdict.Kind != "deadlock" {
			b.Fatal(r.Verdict, err)
		}
	}
	begin := time.Now()
	c.Again()
	reading := time.Since(begin)
	b.ReportMetric(float64(len(c.Reads)), "reads")
	b.ReportMetric(float64(reading.Milliseconds()), "ms-of-reads")
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(reading), "x-reads")
}
