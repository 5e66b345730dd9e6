package memory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kdlocks/memory"
)

// TestPoolmonLayouts: lines that a narrow window broke, and what stands behind rows.
func TestPoolmonLayouts(t *testing.T) {
	const wide = " Tag  Type     Allocs            Frees            Diff   Bytes      Per Alloc  Mapped_Driver\n\n"
	const unsorted = `poolmon "" by unknown filter "" unknown limit 0 cut unknown`
	for _, tt := range []struct {
		name, text     string
		want           []string
		notes, strange int
		gauges         map[string]int64
	}{
		{
			name: "heads broken at 78", text: " Memory:  260620K Avail:   65152K  PageFlts:    85   InRam Krnl: 2116K\nP:19560K\n Commit: 237688K Limit: 640916K Peak: 260632K            Pool N: 8500K\nP:33024K\n System pool information\n" + monHead + " CM   Paged 1283 ( 0) 1002 ( 0) 281 1377312 ( 0) 4901\n",
			want:   []string{unsorted, `"CM  " p 281/1377312 of 1283-1002 since 0 0 0 each 4901 |  | `},
			gauges: map[string]int64{"InRam Krnl": 2116, "InRam P": 19560, "Pool N": 8500, "Pool P": 33024},
		},
		{
			name: "heads and rows broken at 66", text: "Memory: 16224K Avail: 4564K PageFlts: 31 InRam Krnl: 684K P:\n680K\nCommit: 24140K Limit: 24952K Peak: 24932K  Pool N: 744K P:\n2180K\n\nTag  Type    Allocs          Frees         Diff   Bytes\nPer Alloc\n-----------------------\n CM   Paged    1283 (   0)    1002 (   0)    281 1377312 (\n0) 4901\nStrg  Paged   10385 (  10)    6658 (   4)   3727  317952\n(   512)   85\n Fat  Paged    6662 (   8)    4971\n(   6)   1691  174560 (   128)  103 [fastfat.sys - Fat]\n",
			want: []string{
				unsorted, `"CM  " p 281/1377312 of 1283-1002 since 0 0 0 each 4901 |  | `, `"Strg" p 3727/317952 of 10385-6658 since 10 4 512 each 85 |  | `,
				`"Fat " p 1691/174560 of 6662-4971 since 8 6 128 each 103 | Fat | fastfat.sys`,
			},
			gauges: map[string]int64{"InRam P": 680, "Pool P": 2180},
		},
		{
			name: "drivers broken off", text: wide + " NtFA Nonp 9112 ( 0) 9110 ( 0) 2 80 ( 0) 40\n[ntfs.sys  -  AttrSup.c]\n NtFB Nonp 9112 ( 0) 9110 ( 0) 2 80 ( 0) 40 [ntf\ns.sys  -  BitmpSup.c]\n NtFC Nonp 9112 ( 0) 9110 ( 0) 2 80 ( 0) 40 [ntfs.sys  -\nCreate.c]\n",
			want: []string{unsorted, `"NtFA" np 2/80 of 9112-9110 since 0 0 0 each 40 | AttrSup.c | ntfs.sys`, `"NtFB" np 2/80 of 9112-9110 since 0 0 0 each 40 | BitmpSup.c | ntfs.sys`, `"NtFC" np 2/80 of 9112-9110 since 0 0 0 each 40 | Create.c | ntfs.sys`},
		},
		{
			name: "what /g and /c tell", text: wide + " Bmfd Paged 421 ( 0) 396 ( 0) 25 57825 ( 0) 2313 [Font related stuff]\n Even Nonp 2 ( 0) 1 ( 0) 1 48 ( 0) 48 [<unknown>  -  Event objects]\n MmCm Nonp 2 ( 0) 1 ( 0) 1 48 ( 0) 48 [nt!mm      -  Calls made to MmAllocateContiguousMemory]\n Abcd Nonp 2 ( 0) 1 ( 0) 1 48 ( 0) 48 [one.sys two.sys]\n DDfb Paged 34 ( 0) 22 ( 0) 12 720 ( 0) 60 Unknown Driver\n HidC Nonp 2 ( 0) 1 ( 0) 1 48 ( 0) 48 [hidclass.sys - HID Class d\n Efgh Nonp 2 ( 0) 1 ( 0) 1 48 ( 0) 48 [ntf\n Tabs Nonp\t2 ( 0)\t1 ( 0)\t1\t48 ( 0)\t48 [a.sys\t-\tb c]\n",
			want: []string{
				unsorted, `"Bmfd" p 25/57825 of 421-396 since 0 0 0 each 2313 | Font related stuff | `, `"Even" np 1/48 of 2-1 since 0 0 0 each 48 | Event objects | `,
				`"MmCm" np 1/48 of 2-1 since 0 0 0 each 48 | Calls made to MmAllocateContiguousMemory | nt!mm`, `"Abcd" np 1/48 of 2-1 since 0 0 0 each 48 |  | one.sys two.sys`,
				`"DDfb" p 12/720 of 34-22 since 0 0 0 each 60 | Unknown Driver | `, `"HidC" np 1/48 of 2-1 since 0 0 0 each 48 | HID Class d | hidclass.sys`,
				`"Efgh" np 1/48 of 2-1 since 0 0 0 each 48 |  | `, `"Tabs" np 1/48 of 2-1 since 0 0 0 each 48 | b c | a.sys`,
			},
		},
		{
			name: "all sessions, typed without a prompt", text: "poolmon /s /g\n All sessions pool information\n" + monHead + " Bmfd Paged 2 ( 0) 1 ( 0) 1 48 ( 0) 48\n",
			want: []string{`poolmon "poolmon /s /g" by unknown filter "" no limit 0 cut unknown session -1`, `"Bmfd" p 1/48 of 2-1 since 0 0 0 each 48 |  | `},
		},
		{
			name: "no brackets, as -n writes it", // serverfault.com/questions/52125 and other public captures
			text: "Memory:16468560K Avail:12072536K  PageFlts:468600648   InRam Krnl:56708K P:950888K\nCommit:4100436K Limit:17517136K Peak:11685564K            Pool N:710920K P:983564K\n\nTag  Type     Allocs         Frees    Diff   Bytes    Per Alloc\n\nEtwB Nonp       6394      4056      2338 163418368      69896\nMmSt Paged   2269405   2095404    174001 156097152        897 [File objects]\nNone Nonp 5 5 0 0 0\n" +
				"NtFs Nonp 2385330 2291634 93697 3749056 40\nNtFx Nonp 2385330 2291634 93696 3749056 41\nNtFy Nonp 2385330 2291634\nThre Nonp              180351             176602              3749\n13179648              3515        [nt!ps - Thread objects]\n",
			want: []string{
				unsorted, `"EtwB" np 2338/163418368 of 6394-4056 |  | `, `"MmSt" p 174001/156097152 of 2269405-2095404 | File objects | `, `"None" np 0/0 of 5-5 |  | `,
				`"NtFx" np 93696/3749056 of 2385330-2291634 |  | `, `"Thre" np 3749/13179648 of 180351-176602 | Thread objects | nt!ps`,
			},
			notes: 1, strange: 2, gauges: map[string]int64{"Memory": 16468560, "Pool P": 983564},
		},
		{
			name: "a row without its end", text: monHead + " CM   Paged    1283 (   0)    1002 (\n Fat  Paged 2 ( 0) 1 ( 0) 1 48 ( 0) 48\n Fatx Paged 2 ( 0) 1\n",
			want:  []string{strings.Replace(unsorted, "cut unknown", "cut yes", 1), `"Fat " p 1/48 of 2-1 since 0 0 0 each 48 |  | `},
			notes: 2,
		},
		{
			name: "prose with such words", text: monHead + " Fat  Paged 2 ( 0) 1 ( 0) 1 48 ( 0) 48\nThe  Paged pool is 5 times\nThe  Paged 5\npoolmon is a tool\n[note to myself\n",
			want: []string{unsorted, `"Fat " p 1/48 of 2-1 since 0 0 0 each 48 |  | `}, strange: 4,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, strange := read(tt.text)
			if got := show(l); !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			if len(l.Notes) != tt.notes || len(strange) != tt.strange {
				t.Errorf("notes %v\nnot understood %q", l.Notes, strange)
			}
			for name, want := range tt.gauges {
				same(t, name, n(l.Pools[0].Gauge(name)), want)
			}
			checkPlaces(t, tt.text, l)
		})
	}
}

// counted writes what was read of commands that print numbers by name.
func counted(l memory.Listing) []string {
	var out []string
	for _, c := range l.Counts {
		out = append(out, fmt.Sprint(c.Tool, " throttled ", c.Throttled))
		for _, k := range c.Counters {
			out = append(out, fmt.Sprintf("%s %d %d", k.Name, n(k.Pages), n(k.Kb)))
		}
		for _, u := range c.Uses {
			out = append(out, fmt.Sprintf("%s %x: %d %d %d %d %d %d", u.Name, uint64(u.Control), n(u.Valid), n(u.Standby), n(u.Dirty), n(u.Shared), n(u.Locked), n(u.PageTables)))
		}
	}
	return out
}

func TestCountLayouts(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
		strange    int
	}{
		{
			"!memusage of Windows 2000 with its uses", " loading PFN database\nloading (99% complete)\n             Zeroed:     16 (    64 kb)\n              TOTAL:  16383 ( 65532 kb)\n  Building kernel map\n\n  Usage Summary (in Kb):\nControl Valid Standby Dirty Shared Locked PageTables  name\nff8636e8    56    376     0     0     0     0  mapped_file( browseui.dll )\nff8ec848     4      0     0     0     0     0    No Name for File\n-------- 136024 ----- ----- ----- -----  4208  process ( System )\nSummary  612444  340112  8122  90222  8804  12044  Total\nff8636e8 here\n",
			[]string{"!memusage throttled unknown", "Zeroed 16 64", "TOTAL 16383 65532", "mapped_file( browseui.dll ) ff8636e8: 56 376 0 0 0 0", "No Name for File ff8ec848: 4 0 0 0 0 0", "process ( System ) 0: 136024 -1 -1 -1 -1 4208", "Total 0: 612444 340112 8122 90222 8804 12044"}, 1,
		},
		{
			"!memusage without its head", "             Zeroed:      218 (     872 kb)\n               Free:      831 (    3324 kb)\n",
			[]string{"!memusage throttled unknown", "Zeroed 218 872", "Free 831 3324"}, 0,
		},
		{
			"!defwrites, throttled", "*** Cache Write Throttle Analysis ***\n\tCcTotalDirtyPages:  131072 (  524288 Kb)\nCcTotalDirtyPages >= CcDirtyPageThreshold, writes throttled\nCheck these thread(s): CcWriteBehind(LazyWriter)\nCheck critical workqueue for the lazy writer, !exqueue 16\nCc Deferred Write list: (CcDeferredWrites)\n File: 1\n",
			[]string{"!defwrites throttled yes", "CcTotalDirtyPages 131072 524288"}, 1,
		},
		{
			"!defwrites, near the threshold, without its head", "CcTotalDirtyPages:  131072 (  524288 Kb)\nCcTotalDirtyPages within 64 (max charge) pages of the threshold, writes\n  may be throttled\nCc Deferred Write list: (CcDeferredWrites)\n Nothing queued\n",
			[]string{"!defwrites throttled unknown", "CcTotalDirtyPages 131072 524288"}, 0,
		},
		{
			"!sysptes of two kinds", "System PTE Information\n  Total System Ptes 23418\n starting PTE: c03e5000\n free blocks: 42   total free: 14533    largest free block: 9112\nKernel Stack PTE Information\nUnable to get syspte index array - skipping bins\n  free blocks: 3   total free: 1200    largest free block: 800\n",
			[]string{"!sysptes throttled unknown", "Total System Ptes 23418 -1", "free blocks 42 -1", "total free 14533 -1", "largest free block 9112 -1", "kernel stack free blocks 3 -1", "kernel stack total free 1200 -1", "kernel stack largest free block 800 -1"}, 0,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, strange := read(tt.text)
			if got := counted(l); !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			if len(strange) != tt.strange {
				t.Errorf("not understood %q", strange)
			}
			checkPlaces(t, tt.text, l)
		})
	}
	l, strange := read("0x2c47 System PTEs allocated to mapping locked pages\n\nVA       MDL     PageCount  Caller/CallersCaller\nf0e5db48 eb6ceef0        1 ntkrpamp!MmMapLockedPages+0x15/ntkrpamp!IopfCallDriver+0x35\n")
	if got := counted(l); !slices.Equal(got, []string{"!sysptes throttled unknown", "mapping locked pages 11335 -1"}) || len(strange) != 1 {
		t.Errorf("%q, not understood %q", got, strange)
	}
	l, _ = read("Physical Memory: 10 ( 40 Kb)\n  2f4 Memory Compression  1234 Kb 0 Kb 0 Kb\n  30 a b\n")
	if got := show(l); len(got) != 3 || got[2] != "process 2f4 Memory Compression -1 1234 0 0" {
		t.Errorf("%q", got)
	}
	l, strange = read("Sorting by NonPaged Pool Consumed\n\n               NonPaged                  Paged\n Tag     Allocs         Used     Allocs         Used\n EtwB       128      5041136          4       163840 Etw Buffer , Binary: nt!e\ntw\n AmlC        31      2031616          0            0 ACPI AMLI Pooltags\nnote\n")
	if rows := l.Pools[0].Rows; rows[0].Driver != "nt!etw" || rows[1].Driver != "" || len(strange) != 1 {
		t.Errorf("%q, not understood %q", show(l), strange)
	}
	// Columns in an order that no version prints: nothing is read of them.
	for _, heads := range []string{"  Tag   Size      Allocs   Size      Allocs", "   Tag    Paged   NonPaged     Used"} {
		l, strange = read("Sorting by  Tag\n\n  Pool  Used      NonPaged            Paged\n" + heads + "\n  CM25 3381880     13437       0          0  Configuration Manager\n  File 1023480      3956  1179200     12847  File objects\n")
		if got := show(l); len(got) != 0 || len(l.Notes) != 1 || len(strange) < 2 {
			t.Errorf("%q, notes %v, not understood %q", got, l.Notes, strange)
		}
	}
	l, strange = read("Physical Memory: 10 ( 40 Kb)\nPagedPool Commit:  18446735296008579352 (18446708962905662560 Kb)\nDriver Commit: 1 ( 4 Kb)\n")
	if got := show(l); len(got) != 4 || got[2] != "PagedPool Commit -1 -1 torn=false" || len(l.Notes) != 1 || len(strange) != 0 {
		t.Errorf("%q, notes %v, not understood %q", got, l.Notes, strange)
	}
	l, _ = read(" e1d01000 size:   40 previous size:    0  (Allocated)  MmDT\n")
	if len(l.Blocks) != 1 || l.Blocks[0].Tool != "!pool" || l.Blocks[0].Rows[0].Bytes.N != 64 {
		t.Errorf("%+v", l.Blocks)
	}
	l, _ = read("ffffe78b3c210000 : tag Leak, size     0xfa0, Nonpaged pool\n")
	if len(l.Blocks) != 1 || l.Blocks[0].Tool != "!poolfind" || l.Blocks[0].Tag != "Leak" {
		t.Errorf("%+v", l.Blocks)
	}
}
