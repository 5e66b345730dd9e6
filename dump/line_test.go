package dump

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// TestLine holds what is appended by hand against fmt.
func TestLine(t *testing.T) {
	for _, v := range []uint64{0, 1, 15, 16, 0xff, 0xdeadbeef, 1 << 32, 0xfffff80002a00000, math.MaxUint64} {
		for _, width := range []int{0, 1, 4, 8, 16} {
			if got, want := string(line(nil).hex(v, width)), fmt.Sprintf("%0*x", width, v); got != want {
				t.Errorf("hex %x, %d: %s, want %s", v, width, got, want)
			}
		}
		if got, want := string(line("x").tick(v)), "x"+tick(v); got != want {
			t.Errorf("tick %x: %s, want %s", v, got, want)
		}
	}
	for _, v := range []int64{0, 1, -1, 9, 10, 12345, math.MaxInt32, -127} {
		for _, width := range []int{0, 14} {
			if got, want := string(line(nil).dec(v, width)), fmt.Sprintf("%-*d", width, v); got != want {
				t.Errorf("dec %d: %q, want %q", v, got, want)
			}
		}
	}
	for d, want := range map[time.Duration]string{0: "00:00:00.000", 62 * time.Millisecond: "00:00:00.062", 59*time.Hour + 59*time.Minute + 59*time.Second + 999*time.Millisecond: "59:59:59.999", 1000 * time.Hour: "1000:00:00.000"} {
		if got := string(line(nil).time(d)); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}
