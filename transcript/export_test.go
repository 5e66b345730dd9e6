package transcript

import "testing"

// Cutting makes inputs be read in chunks of a size until the test ends, in
// bytes, with the other sizes in proportion; noSkim leaves all THREAD blocks to
// the readers. Tests that use it do not run in parallel.
func Cutting(t testing.TB, size int64, noSkim bool) {
	old := cutting
	t.Cleanup(func() { cutting = old })
	cutting = chunking{chunk: size, window: size / 4, ahead: size / 16, noSkim: noSkim, mostLines: old.mostLines}
}

// MostLines bounds the lines of an input until the test ends.
func MostLines(t testing.TB, n int32) {
	old := cutting
	t.Cleanup(func() { cutting = old })
	cutting.mostLines = n
}

// ChunkSize is the size that programs use.
const ChunkSize = 1 << 19

// LongestLine is what is kept of a line.
const LongestLine = longestLine
