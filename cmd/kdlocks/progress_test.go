package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestBar(t *testing.T) {
	var out bytes.Buffer
	short := &bar{w: &out, start: time.Now()}
	short.reading(1, 100)
	short.end()
	if out.Len() > 0 {
		t.Errorf("short work shows %q", out.String())
	}

	long := &bar{w: &out, start: time.Now().Add(-time.Minute)}
	long.unpacking("folder/"+strings.Repeat("long", 50)+"\x1b[31m", 7<<20)
	long.drawn = long.drawn.Add(-time.Minute)
	long.reading(50<<20, 100<<20)
	if s := out.String(); !strings.Contains(s, "longlon…: 7 MiB so far") || !strings.Contains(s, "reading  50%") || strings.Contains(s, "\x1b") {
		t.Errorf("long work shows %q", s)
	}
	long.end()
	if s := out.String(); !strings.HasSuffix(s, "\r"+strings.Repeat(" ", barWidth)+"\r") {
		t.Errorf("not erased: %q", s)
	}
	for _, line := range strings.Split(out.String(), "\r") {
		if n := len([]rune(line)); n > barWidth {
			t.Errorf("%d columns: %q", n, line)
		}
	}

	none := &bar{start: time.Now().Add(-time.Minute)}
	none.reading(1, 2)
	none.end()
}

func TestByteSize(t *testing.T) {
	for s, want := range map[string]int64{"4096": 4096, "100M": 100 << 20, "1.5g": 3 << 29, "16GiB": 16 << 30, "2 KB": 2048, "1T": 1 << 40,
		"": -1, "0": -1, "-5": -1, "M": -1, "nan": -1, "inf": -1, "1e30": -1, "9X": -1} {
		var b byteSize
		switch err := b.Set(s); {
		case want < 0 && err == nil:
			t.Errorf("%q is %d", s, b)
		case want >= 0 && (err != nil || int64(b) != want):
			t.Errorf("%q is %d, %v; want %d", s, b, err, want)
		}
		var again byteSize
		if want > 0 && (again.Set(b.String()) != nil || again != b) {
			t.Errorf("%q does not read as %d", b.String(), b)
		}
	}
}
