package pack

import (
	"bytes"
	"slices"
	"testing"
)

// assemble reads instructions; those of a function end with its end.
func assemble(t *testing.T, b ...byte) []instruction {
	t.Helper()
	r := reader{b: append([]byte{0}, b...)}
	f := r.function()
	if r.err != nil {
		t.Fatal(r.err)
	}
	return f.code
}

func bytesOf(code []instruction) (out []byte) {
	for i := range code {
		out = code[i].append(out)
	}
	return out
}

// framed is a function of three blocks, of which the table leads to the second by 2
// and to the third by 3, with code in the first and in the second.
func framed(first, second []byte) []byte {
	b := []byte{0x03, 0x40, 0x02, 0x40, 0x02, 0x40, 0x02, 0x40, 0x20, 0, 0x0e, 3, 0, 0, 1, 2, 0x0b}
	b = append(append(b, first...), 0x0b)
	b = append(append(b, second...), 0x0b)
	return append(b, 0x0b, 0x0b)
}

func TestShortenJumps(t *testing.T) {
	jump := func(to, loop byte) []byte { return []byte{0x41, to, 0x21, 0, 0x0c, loop} }
	in := func(b ...[]byte) []byte { return slices.Concat(b...) }
	condition, end := []byte{0x41, 1, 0x04, 0x40}, []byte{0x0b}
	for name, tc := range map[string]struct{ first, second, wantFirst, wantSecond []byte }{
		"to the next block":           {jump(2, 2), nil, []byte{0x0c, 0}, nil},
		"over a block":                {jump(3, 2), nil, []byte{0x0c, 1}, nil},
		"from the second block":       {nil, jump(3, 1), nil, []byte{0x0c, 0}},
		"back":                        {nil, jump(2, 1), nil, jump(2, 1)},
		"to the beginning":            {nil, jump(0, 1), nil, jump(0, 1)},
		"on a condition":              {in(condition, jump(3, 3), end), nil, []byte{0x41, 1, 0x0d, 1}, nil},
		"back on a condition":         {nil, in(condition, jump(2, 2), end), nil, in(condition, jump(2, 2), end)},
		"a number beyond the table":   {jump(9, 2), nil, jump(9, 2), nil},
		"a branch not to the loop":    {jump(2, 1), nil, jump(2, 1), nil},
		"another local":               {[]byte{0x41, 2, 0x21, 3, 0x0c, 2}, nil, []byte{0x41, 2, 0x21, 3, 0x0c, 2}, nil},
		"on a condition with an else": {in(condition, jump(3, 3), []byte{0x05}, end), nil, in(condition, []byte{0x0c, 2, 0x05}, end), nil},
	} {
		got := bytesOf(branchIf(shortenJumps(assemble(t, framed(tc.first, tc.second)...))))
		if want := framed(tc.wantFirst, tc.wantSecond); !bytes.Equal(got, want) {
			t.Errorf("%s:\ngot  %x\nwant %x", name, got, want)
		}
	}
}

func TestSimplify(t *testing.T) {
	for name, tc := range map[string]struct{ in, want []byte }{
		"nothing to do":                {[]byte{0x20, 2, 0x28, 2, 8}, []byte{0x20, 2, 0x28, 2, 8}},
		"there and back":               {[]byte{0x20, 1, 0xad, 0xa7}, []byte{0x20, 1}},
		"back and there stays":         {[]byte{0x20, 1, 0xa7, 0xad}, []byte{0x20, 1, 0xa7, 0xad}},
		"a signed number stays":        {[]byte{0x20, 1, 0xac, 0xa7}, []byte{0x20, 1, 0xac, 0xa7}},
		"a sum on 64 bits":             {[]byte{0x20, 2, 0x42, 8, 0x7c, 0xa7}, []byte{0x20, 2, 0xa7, 0x41, 8, 0x6a}},
		"a slot of the stack":          {[]byte{0x20, 1, 0xad, 0x42, 8, 0x7c, 0xa7, 0x20, 2, 0x37, 3, 16}, []byte{0x20, 1, 0x20, 2, 0x37, 3, 24}},
		"a load":                       {[]byte{0x20, 2, 0xa7, 0x41, 8, 0x6a, 0x29, 3, 16}, []byte{0x20, 2, 0xa7, 0x29, 3, 24}},
		"a negative number":            {[]byte{0x20, 1, 0x41, 0x78, 0x6a, 0x28, 2, 16}, []byte{0x20, 1, 0x41, 0x78, 0x6a, 0x28, 2, 16}},
		"a table":                      {[]byte{0x20, 2, 0xa7, 0x41, 0x80, 0x80, 4, 0x6a, 0x28, 2, 16}, []byte{0x20, 2, 0xa7, 0x41, 0x80, 0x80, 4, 0x6a, 0x28, 2, 16}},
		"the value that is stored":     {[]byte{0x20, 1, 0x20, 2, 0x41, 8, 0x6a, 0x36, 2, 0}, []byte{0x20, 1, 0x20, 2, 0x41, 8, 0x6a, 0x36, 2, 0}},
		"a value of several steps":     {[]byte{0x20, 1, 0x41, 8, 0x6a, 0x20, 2, 0x20, 3, 0x6a, 0x36, 2, 0}, []byte{0x20, 1, 0x20, 2, 0x20, 3, 0x6a, 0x36, 2, 8}},
		"a call between":               {[]byte{0x20, 1, 0x41, 8, 0x6a, 0x10, 5, 0x36, 2, 0}, []byte{0x20, 1, 0x41, 8, 0x6a, 0x10, 5, 0x36, 2, 0}},
		"a frame and a return address": {[]byte{0x20, 1, 0x41, 16, 0x6a, 0x22, 1, 0x24, 0, 0x20, 1, 0x41, 8, 0x6a, 0x22, 1, 0x24, 0, 0x41, 0, 0x0f}, []byte{0x20, 1, 0x41, 24, 0x6a, 0x22, 1, 0x24, 0, 0x41, 0, 0x0f}},
		"nops":                         {[]byte{1, 0x20, 1, 1, 1}, []byte{0x20, 1}},
	} {
		if got := bytesOf(simplify(assemble(t, tc.in...))); !bytes.Equal(got, tc.want) {
			t.Errorf("%s:\ngot  %x\nwant %x", name, got, tc.want)
		}
	}
}

func TestJoinSegments(t *testing.T) {
	got := joinSegments([]segment{{100, []byte{3}}, {10, []byte{1, 2}}, {14, []byte{9}}, {1 << 20, []byte{7}}})
	if len(got) != 2 || got[0].at != 10 || len(got[0].data) != 91 || got[1].at != 1<<20 {
		t.Fatalf("%v", got)
	}
	if want := []byte{1, 2, 0, 0, 9, 0}; !bytes.Equal(got[0].data[:6], want) || got[0].data[90] != 3 {
		t.Errorf("%v", got[0].data)
	}
}

// FuzzModule: what the linker never wrote is refused.
func FuzzModule(f *testing.F) {
	code := append([]byte{0}, framed([]byte{0x41, 2, 0x21, 0, 0x0c, 2}, nil)...)
	f.Add(writeModule([]section{{1, []byte{0}}, {codeSection, append([]byte{1, byte(len(code))}, code...)}, {dataSection, []byte{1, 0, 0x41, 8, 0x0b, 1, 5}}}))
	f.Fuzz(func(t *testing.T, wasm []byte) {
		if m, err := Module(wasm); err == nil {
			_, _ = Compress(m)
		}
	})
}
