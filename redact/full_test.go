package redact

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"kdlocks/transcript"
)

// TestMoreNamesThanAreRemembered are replaced all the same.
func TestMoreNamesThanAreRemembered(t *testing.T) {
	var text strings.Builder
	for i := range 500 {
		fmt.Fprintf(&text, "acme%cdrv%03d.sys 10.1.%d.%d\n", 'a'+i%26, i, i/250, i%250)
	}
	in := transcript.Bytes("many", []byte(text.String()))
	r := New(Options{})
	r.most = 100
	if err := r.Learn(context.Background(), []transcript.Input{in}); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := r.Write(context.Background(), &out, in); err != nil {
		t.Fatal(err)
	}
	if !r.full || strings.Contains(out.String(), "acme") || strings.Contains(out.String(), "10.1.") {
		t.Error(out.String()[:400])
	}
}

// TestFullAddressSpace: what has no room stays, and nothing collides.
func TestFullAddressSpace(t *testing.T) {
	var buckets []uint64
	for b := regions[narrow].from >> 24; b <= (regions[narrow].to-1)>>24; b++ {
		buckets = append(buckets, b)
	}
	for _, free := range []int{0, 1, 5} {
		var used []uint64
		for i, b := range buckets {
			if i%25 != 7 || i/25 >= free {
				used = append(used, b)
			}
		}
		runs := spread(regions[narrow], used, newStream([]byte("key"), "test"))
		last := regions[narrow].from
		for _, m := range runs {
			if m.moved < last || m.moved&0xfff != m.from&0xfff {
				t.Errorf("%d free: %x to %x moved to %x, behind %x", free, m.from, m.to, m.moved, last)
			}
			last = m.moved + m.to - m.from
		}
		if last > regions[narrow].to {
			t.Errorf("%d free: they end at %x", free, last)
		}
	}
}
