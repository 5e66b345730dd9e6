package walked

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"

	"kdlocks/kd"
)

func TestWrittenAndRead(t *testing.T) {
	for _, d := range []*Dump{
		{},
		{
			About: About{Type: "kernel dump", Machine: "x64", Build: 7601, Pages: 12, Modules: 3, SymbolsRead: true},
			Gaps:  []kd.Gap{{What: "frames of fffffa8000000010", Why: kd.NotInDump, Next: "!thread fffffa8000000010", Decides: true}},
			Notes: []string{"odd"},
			Places: Places{
				{1, 0, 0}, {2, 0xfffffa8000000010, 8192}, {2, 0xfffffa8000000020, 0}, {900, 0x1000, math.MaxInt64}, {math.MaxInt32, math.MaxUint64, 1},
			},
		},
	} {
		var b bytes.Buffer
		if err := Write(&b, d, strings.NewReader("0: kd> !locks\n")); err != nil {
			t.Fatal(err)
		}
		got, at, err := Read(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil || !Is(b.Bytes()) || !reflect.DeepEqual(got, d) {
			t.Errorf("%v: %+v, want %+v", err, got, d)
		} else if rest := b.String()[at:]; rest != "0: kd> !locks\n" {
			t.Errorf("the text is %q", rest)
		}
		for n := range int(at) {
			if _, _, err := Read(bytes.NewReader(b.Bytes()[:n]), int64(n)); err == nil {
				t.Fatalf("cut behind %d of %d bytes it is taken", n, at)
			}
		}
	}
}

func TestPlaces(t *testing.T) {
	p := Places{{3, 0x30, 1}, {5, 0, 0}, {6, 0x60, 2}}
	for line, want := range map[int32][2]uint64{1: {}, 3: {0x30, 1}, 4: {0x30, 1}, 5: {}, 6: {0x60, 2}, 100: {0x60, 2}} {
		if va, off := p.Of(line); va != want[0] || off != int64(want[1]) {
			t.Errorf("line %d: %x at %d", line, va, off)
		}
	}
}

func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	if err := Write(&b, &Dump{Places: Places{{1, 2, 3}, {4, 5, 6}}}, strings.NewReader("text")); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		d, at, err := Read(bytes.NewReader(data), int64(len(data)))
		if err == nil && (at > int64(len(data)) || d == nil) {
			t.Errorf("%d of %d bytes", at, len(data))
		}
	})
}
