package memory_test

import (
	"testing"

	"kdlocks/memory"
)

func checkBlocks(t *testing.T, s sample, l memory.Listing) {
	want := s.Blocks
	if want == nil {
		return
	}
	b := l.Blocks[0]
	same(t, "tool", b.Tool, want.Tool)
	same(t, "blocks", len(b.Rows), want.Rows)
	used, _ := b.Used()
	same(t, "free blocks", len(b.Rows)-used, want.Free)
	if want.Tool == "!poolfind" {
		same(t, "tag", b.Tag, want.Tag)
		return
	}
	a := b.Asked()
	if a == nil {
		t.Fatal("no block was asked about")
	}
	same(t, "asked", a.Addr, want.Asked)
	same(t, "tag", a.Tag, want.Tag)
	same(t, "bytes", a.Bytes.N, want.Bytes)
}

func checkCounts(t *testing.T, s sample, l memory.Listing) {
	want := s.Counts
	if want == nil {
		return
	}
	c := l.Counts[0]
	same(t, "tool", c.Tool, want.Tool)
	same(t, "throttled", c.Throttled, want.Throttled)
	for name, kb := range want.Kb {
		same(t, name, n(c.Counter(name).Kb), kb)
	}
	for name, pages := range want.Pages {
		same(t, name, n(c.Counter(name).Pages), pages)
	}
}

// TestBlocks: the forms of newer debuggers, and what is none of them.
func TestBlocks(t *testing.T) {
	type block struct {
		addr, tag, region string
		bytes             int64
		free, asked       bool
	}
	for name, tc := range map[string]struct {
		text  string
		want  []block
		left  int
		owner string
	}{
		"!pool of Windows 10": {
			text: "0: kd> !pool ffffcb0e11386cb0\nPool page ffffcb0e11386cb0 region is Nonpaged pool\n" +
				" ffffcb0e11386000 size:  640 previous size:    0  (Allocated)  KDNF\n" +
				"*ffffcb0e11386ca0 size:  2b0 previous size:    0  (Allocated) *FMis (Protected)\n" +
				"\t\tPooltag FMis : FLT_INSTANCE structure, Binary : fltmgr.sys\n" +
				" ffffcb0e11386f50 size:   90 previous size:    0  (Free)       .t[|\n",
			want: []block{
				{"0xffffcb0e11386000", "KDNF", "Nonpaged pool", 0x640, false, false},
				{"0xffffcb0e11386ca0", "FMis", "Nonpaged pool", 0x2b0, false, true},
				{"0xffffcb0e11386f50", ".t[|", "Nonpaged pool", 0x90, true, false},
			},
			owner: "fltmgr.sys",
		},
		"a large page": {
			text: "4: kd> !pool rdx\nPool page ffffc986cb6f2000 region is Nonpaged pool\n*ffffc986cb6f2000 : large page allocation, tag is V2lg, size is 0x4000 bytes\n        Pooltag V2lg : VHD2 core large allocation, Binary : vhdmp.sys\n",
			want: []block{{"0xffffc986cb6f2000", "V2lg", "Nonpaged pool", 0x4000, false, true}}, owner: "vhdmp.sys",
		},
		"nobody owns the tag": {
			text: "Pool page ffffac883ca17920 region is Nonpaged pool\n*ffffac883ca17910 size:  600 previous size:    0  (Allocated) *tvEm\n\t\tOwning component : Unknown (update pooltag.txt)\n",
			want: []block{{"0xffffac883ca17910", "tvEm", "Nonpaged pool", 0x600, false, true}},
		},
		"special pool": {
			text: "Pool page 82a1b000 region is Special pool\n*82a1b000 size: 1f8 data: 82a1be08 (NonPaged) *Proc\n 82a1b000 size: 1f8 data: x (NonPaged) *Proc\n 82a1b000 size: 1f8 data: 82a1be08 (Other) *Proc\n 82a1b000 size: 1f8 data: 82a1be08 (Paged)\n", left: 3,
			want: []block{{"0x82a1b000", "Proc", "Special pool", 0x1f8, false, true}},
		},
		"with a process": {
			text: "Pool page 85246430 region is Nonpaged pool\n 85246160 size:   68 previous size:   48  (Allocated)  NpFn Process: 8507a030\n 85246118 size:   48 previous size:   20  (Allocated)  Vad \n",
			want: []block{{"0x85246160", "NpFn", "Nonpaged pool", 0x68, false, false}, {"0x85246118", "Vad ", "Nonpaged pool", 0x48, false, false}},
		},
		"!poolfind of newer debuggers": {
			text: "0: kd> !poolfind -tag Proc -nonpaged\n\nScanning large pool allocation table for tag 0x636f7250 (Proc) (ffff830da1e60000 : ffff830da1f20000)\n\n\nSearching nonpaged pool (ffff830000000000 : ffff930000000000) for tag 0x636f7250 (Proc)\n\nffff830da0ce8010 : tag Proc, size     0xb70, Nonpaged pool\n",
			want: []block{{"0xffff830da0ce8010", "Proc", "Nonpaged pool", 0xb70, false, false}},
		},
		"IRPs are another command's": {
			text: "Scanning large pool allocation table for Tag 'Irp?' (fffffa801a333000 : fffffa801a3f3000)\nScanning large pool allocation table for tag 0x3f707249 (Irp?) (a5000000 : a5200000)\n", left: 2,
		},
		"a tag that is broken off": {
			text: "Pool page ffffe2809abee000 region is Paged pool\n ffffe2809abee880 size:  760 previous size:    0  (Free)\n",
			want: []block{{"0xffffe2809abee880", "", "Paged pool", 0x760, true, false}},
		},
		"a row that is none": {
			text: "Pool page 85246430 region is Nonpaged pool\n 85246160 size:   xx previous size:   48  (Allocated)  NpFn\n 85246160 size:   68 previous size:   48  (Strange)  NpFn\n 852461 size:   68 previous size:   48  (Free)  NpFn\n", left: 3,
		},
	} {
		l, strange := read(tc.text)
		var got []block
		owner := ""
		for _, b := range l.Blocks {
			for i := range b.Rows {
				r := &b.Rows[i]
				got = append(got, block{r.Addr.String(), r.Tag, r.Region, r.Bytes.N, r.Free, r.Asked})
				owner += r.Driver
			}
		}
		same(t, name, got, tc.want)
		same(t, name+": left over", len(strange), tc.left)
		same(t, name+": driver", owner, tc.owner)
	}
}

// TestWords: what x, searches and dps print, and what looks like it.
func TestWords(t *testing.T) {
	for name, tc := range map[string]struct {
		text                     string
		symbols, words, searches int
		left                     int
	}{
		"all of it":                   {"kd> x nt!ExAllocatePool\ne0894d1f nt!ExAllocatePool\nkd> !for_each_module s-d @#Base @#End e0894d1f\nf50b8058 e0894d1f e0828e04 e089b708 e084011b .M..............\nkd> dps f50b8058\nf50b8058  e0894d1f nt!ExAllocatePool\nf50b805c  e0828e04 nt!_wcsnicmp\nf50b8060  00000000\n", 1, 4, 1, 0},
		"64 bits":                     {"kd> x nt!ExAllocatePool*\nfffff800`02a4d1f0 nt!ExAllocatePool (<no parameter info>)\nfffff800`02a4d2f0 nt!ExAllocatePoolWithTag = <no type information>\nkd> !for_each_module s -q @#Base @#End fffff800`02a4d1f0\nfffff880`05f4a018  fffff800`02a4d1f0 fffff800`029c1230\n", 2, 1, 1, 0},
		"no prompts":                  {"e0894d1f nt!ExAllocatePool\nf50b8058 e0894d1f e0828e04 e089b708 e084011b .M..............\nf50b8058  e0894d1f nt!ExAllocatePool\nf50b805c  e0828e04 nt!_wcsnicmp\n", 1, 3, 0, 0},
		"other symbols, no prompt":    {"e0894d1f nt!KeInitializeEvent\nf50b8058  e0894d1f nt!KeInitializeEvent\n", 0, 0, 0, 2},
		"memory that is not searched": {"kd> dc f50b8058\nf50b8058  004f0043 0054004e 0053004f 0000004f  C.O.N.T.O.S.O...\n", 0, 0, 0, 1},
		"a search for a text":         {"kd> s -d 80000000 L?1000000 004f0043\nf50b8058  004f0043 0054004e 0053004f 0000004f  C.O.N.T.O.S.O...\n", 0, 0, 0, 1},
		"another value":               {"kd> s -d 80000000 L?1000000 e0894d1f\nf50b8058  e0894d2f e0828e04 e089b708 e084011b .M..............\n", 0, 0, 1, 1},
	} {
		l, strange := read(tc.text)
		m := l.Memory
		if m == nil {
			m = &memory.Memory{}
		}
		same(t, name, []int{len(m.Symbols), len(m.Words), len(m.Searches), len(strange)}, []int{tc.symbols, tc.words, tc.searches, tc.left})
	}
}

// TestSearchesRead: a search was read whole where nothing but memory, or a sentence of an
// author, stands between it and the next prompt.
func TestSearchesRead(t *testing.T) {
	const typed, hit = "kd> !for_each_module s-d @#Base @#End e0894d1f\n", "f50b8058 e0894d1f e0828e04 e089b708 e084011b .M..............\n"
	for between, whole := range map[string]bool{
		"": true,
		"That is what I expected of an import table, let's see:":                                  true,
		"Hmm, looks suspiciously like an import table, let\u2019s see:":                           true,
		"The rows above are worth a second look, let\u2019s see what is \u201cbehind\u201d them:": true,
		"The hit is in one of the drivers, which we look at next.":                                false,
		"The search took ages in the dump, so I hit Ctrl-Break to get on with it.":                false,
		"The output of the search is long, here is a hit that looks like an import table:":        false,
		"I killed it at this point, let's see what the driver is that looks suspicious:":          false,
		"After a while of waiting we see that this is the driver, which looks suspicious to me.":  false,
		"This is in the driver that we have to blame, is it?":                                     false,
		"...":    false,
		"<SNIP>": false,
		"There are many more of these in the log that I leave out here.": false,
		"The rest of the hits is like this one, see the log.":            false,
		"Memory access error at 'f7000000'":                              false,
		"Unable to read memory at the end of the module that is there.":  false,
		"The operation was interrupted by the user in the debugger.":     false,
		"f7000000 ???????? ???????? ???????? ????????":                   false,
		"win32k.sys": false,
	} {
		l, _ := read(typed + hit + between + "\nkd> .echo\n")
		if s := l.Memory.Searches; len(s) != 1 || s[0].Whole != whole {
			t.Errorf("%q: %+v", between, s)
		}
	}
}
