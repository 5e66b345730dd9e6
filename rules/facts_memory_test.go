package rules

import (
	"testing"

	"kdlocks/kd"
	"kdlocks/memory"
)

// TestTrendOf: what goes up and down again has no direction.
func TestTrendOf(t *testing.T) {
	const mb = 1 << 20
	for _, c := range []struct {
		bytes []int64
		want  string
	}{
		{[]int64{10 * mb, 20 * mb}, "grows"},
		{[]int64{10 * mb, 10*mb + 1000}, "steady"},
		{[]int64{20 * mb, 10 * mb}, "shrinks"},
		{[]int64{10 * mb, 15 * mb, 20 * mb}, "grows"},
		{[]int64{10 * mb, 50 * mb, 20 * mb}, "steady"},
		{[]int64{20 * mb, 5 * mb, 10 * mb}, "steady"},
		{[]int64{10 * mb, 20*mb + mb/2, 20 * mb}, "grows"},
	} {
		var pools []*memory.Pool
		for i, n := range c.bytes {
			row := memory.Row{Tag: "Leak"}
			row.NonPaged.Bytes = memory.Number{N: n, At: kd.Ref{Line: int32(i + 1)}}
			pools = append(pools, &memory.Pool{Rows: []memory.Row{row}})
		}
		g := memory.NewHistory(pools).Of("Leak", memory.NonPaged, 0, len(pools))
		if got := trendOf(g); got != c.want {
			t.Errorf("%v: %s, want %s", c.bytes, got, c.want)
		}
	}
}
