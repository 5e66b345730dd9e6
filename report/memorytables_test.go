package report

import (
	"slices"
	"testing"
)

// TestPoolTagColumns: what became of allocations has columns only where it is known.
func TestPoolTagColumns(t *testing.T) {
	n := func(v int64) *int64 { return &v }
	plain := PoolTag{Tag: "AAAA", NonPaged: &PoolUsage{Allocs: n(1), Bytes: n(16)}}
	lived := PoolTag{Tag: "BBBB", Paged: &PoolUsage{Allocs: n(2), Bytes: n(64), Made: n(5), Freed: n(3), PerAlloc: n(32)}}
	for _, c := range []struct {
		name string
		tags []PoolTag
		last []string
	}{
		{"not known", []PoolTag{plain}, []string{"AAAA", "1", "16", "", "", "", "", "0"}},
		{"known of one tag", []PoolTag{plain, lived}, []string{"BBBB", "", "", "2", "64", "", "", "0", "", "", "", "5", "3", "32"}},
	} {
		table := (&Pool{Tags: c.tags}).tags()
		if got := table.rows[len(table.rows)-1]; !slices.Equal(got, c.last) || len(table.columns) != len(c.last) {
			t.Errorf("%s: %d columns, row %q", c.name, len(table.columns), got)
		}
	}
}
