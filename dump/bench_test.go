package dump

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"kdlocks/dump/dumptest"
)

// bigDump writes a machine of 8 GiB with 20,000 threads and 30,000 resources.
func bigDump(tb testing.TB) (*os.File, int64) {
	tb.Helper()
	s, err := dumptest.Big(dumptest.Options{PhysicalMemory: 8 << 30, Processors: 4}, 20_000, 30_000)
	if err != nil {
		tb.Fatal(err)
	}
	f, err := os.Create(filepath.Join(tb.TempDir(), "MEMORY.DMP"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { f.Close() })
	size, err := s.Machine.Write(f, dumptest.Full)
	if err != nil {
		tb.Fatal(err)
	}
	return f, size
}

// BenchmarkBig reads and lists a large dump, and tells how much longer that takes than to
// read the pages that it needs.
func BenchmarkBig(b *testing.B) {
	f, size := bigDump(b)
	c := &dumptest.Counted{ReaderAt: f}
	var out int64
	for b.Loop() {
		c.Reads = c.Reads[:0]
		d, err := Open(c, size, Options{})
		if err != nil {
			b.Fatal(err)
		}
		facts, err := d.Read(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		l, err := d.List(b.Context(), "MEMORY.DMP", facts, nil)
		if err != nil {
			b.Fatal(err)
		}
		out = l.Size()
	}
	took := b.Elapsed() / time.Duration(b.N)
	begin := time.Now()
	c.Again()
	reading := time.Since(begin)
	b.ReportMetric(float64(len(c.Reads)), "reads")
	b.ReportMetric(float64(reading.Milliseconds()), "ms-of-reads")
	b.ReportMetric(float64(took)/float64(reading), "x-reads")
	b.ReportMetric(float64(out)/(1<<20), "MiB-of-text")
}
