package kd

import "testing"

func TestCells(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want int
	}{
		{"", 0},
		{"fffffa8011efede8", 16},
		{"café …", 6},
		{"cafe\u0301", 4},
		{"锁 lock", 7},
		{"ｗ", 2},
	} {
		if got := Cells(tc.in); got != tc.want {
			t.Errorf("Cells(%q) = %d, want %d", tc.in, got, tc.want)
		}
	}
}
