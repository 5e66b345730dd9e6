package rules

import "testing"

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
		if got := trendOf(c.bytes...); got != c.want {
			t.Errorf("%v: %s, want %s", c.bytes, got, c.want)
		}
	}
}
