package memory_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/memory"
)

// show prints what was read, one line for each output and for each of its parts.
func show(l memory.Listing) []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, v := range l.VMs {
		add("vm %q", v.Command)
		for _, c := range v.Counters {
			add("%s %d %d torn=%v", c.Name, n(c.Pages), n(c.Kb), c.Torn)
		}
		for _, f := range v.PageFiles {
			add("file %q %d %d %d %d", f.Name, n(f.Current), n(f.Free), n(f.Minimum), n(f.Maximum))
		}
		for _, b := range v.Banners {
			add("banner %s", b.Text)
		}
		for _, f := range v.Failures {
			add("failed %d %s", n(f.N), f.What)
		}
		for _, p := range v.Processes {
			add("process %x %s %d %d %d %d", p.PID, p.Image, n(p.Commit.Pages), n(p.Commit.Kb), n(p.Shared), n(p.Debt))
		}
		for _, s := range v.Sessions {
			add("session %d %d %d %d %d", s.ID, n(s.PagedPool), n(s.NonPaged), n(s.Commit), n(s.Failed))
		}
		if v.Percent.Known() {
			add("percent %d", v.Percent.N)
		}
	}
	for _, p := range l.Pools {
		s := fmt.Sprintf("%s %q by %s filter %q %s limit %d cut %s", p.Tool, p.Command, p.Sort, p.Filter, p.Filtered, p.Limit, p.Cut())
		if p.OfSession == memory.Yes {
			s += fmt.Sprintf(" session %d", n(p.SessionID))
		}
		add("%s", s)
		for i := range p.Rows {
			r := &p.Rows[i]
			add("%q%s%s | %s | %s", r.Tag, used(" np", &r.NonPaged), used(" p", &r.Paged), r.Comment, r.Driver)
		}
		if t := &p.Total; t.At.Known() {
			add("total%s%s", used(" np", &t.NonPaged), used(" p", &t.Paged))
		}
	}
	return out
}

func used(name string, u *memory.Usage) string {
	if *u == (memory.Usage{}) {
		return ""
	}
	s := fmt.Sprintf("%s %d/%d", name, n(u.Allocs), n(u.Bytes))
	if u.Life().Made.Known() {
		s += fmt.Sprintf(" of %d-%d", n(u.Life().Made), n(u.Life().Freed))
	}
	if u.Life().BytesSince.Known() {
		s += fmt.Sprintf(" since %d %d %d each %d", n(u.Life().MadeSince), n(u.Life().FreedSince), n(u.Life().BytesSince), n(u.Life().PerAlloc))
	}
	return s
}

const (
	oldHead   = "   Sorting by  Tag\n\n  Pool Used:\n            NonPaged            Paged\n Tag    Allocs     Used    Allocs     Used\n"
	newHead   = " Sorting by NonPaged Pool Consumed\n\n               NonPaged                  Paged\n Tag     Allocs         Used     Allocs         Used\n\n"
	plainHead = "Sorting by Tag\nTag Allocs Used Allocs Used\n"
	monHead   = " Tag  Type     Allocs            Frees            Diff   Bytes      Per Alloc\n\n"
)

func TestRead(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
		notes      int
		strange    int // lines that are not understood
	}{
		{
			name: "the layout of Windows 10",
			text: "kd> !vm\nPage File: \\??\\C:\\pagefile.sys\n  Current:   2490368 Kb  Free Space:   2490360 Kb\n  Minimum:   2490368 Kb  Maximum:     25093696 Kb\nNo Name for Paging File\n  Current:  33508592 Kb  Free Space:  32800664 Kb\n\n" +
				"Physical Memory:          2091141 (    8364564 Kb)\nFree System PTEs:      4295096374 (17180385496 Kb)\n\n******* 3 kernel stack PTE allocations have failed ******\n\nNonPagedPool Usage:           421 (       1684 Kb)\nNonPagedPoolNx Usage:       53098 (     212392 Kb)\nNonPagedPool Max:      4294967296 (17179869184 Kb)\nPagedPool  0:               60462 (     241848 Kb)\nMisc/Transient Commit:          1 (          4 Kb)\n\n" +
				"  Pid ImageName                          Commit   SharedCommit  Debt\n\n  ddc svchost.exe                     1296 Kb        1996 Kb        0 Kb\n",
			want: []string{`vm "!vm"`, "Physical Memory 2091141 8364564 torn=false", "Free System PTEs 4295096374 17180385496 torn=false", "NonPagedPool Usage 421 1684 torn=false", "NonPagedPoolNx Usage 53098 212392 torn=false", "NonPagedPool Max 4294967296 17179869184 torn=false", "PagedPool 0 60462 241848 torn=false", "Misc/Transient Commit 1 4 torn=false",
				`file "\\??\\C:\\pagefile.sys" 2490368 2490360 2490368 25093696`, `file "" 33508592 32800664 -1 -1`, "banner 3 kernel stack PTE allocations have failed", "failed 3 kernel stack PTE allocations", "process ddc svchost.exe -1 1296 1996 0"},
		},
		{
			name: "rows of processes on Windows XP", text: "*** Virtual Memory Usage ***\n   Total Private:      82455 (    329820 Kb)\n         0be8 outlook.exe      14526 (     58104 Kb)\n         0d38 two words.exe      1 (     4 Kb)\n",
			want: []string{`vm ""`, "Total Private 82455 329820 torn=false", "process be8 outlook.exe 14526 58104 -1 -1", "process d38 two words.exe 1 4 -1 -1"},
		},
		{
			name: "marks between digits", text: "Physical Memory:     655,219   ( 2,620,876 Kb)\nNonPagedPool Usage: 59.613   (  238.452 Kb)\n",
			want: []string{`vm ""`, "Physical Memory 655219 2620876 torn=false", "NonPagedPool Usage 59613 238452 torn=false"},
		},
		{
			name: "numbers that contradict each other", text: "NonPagedPool Usage: 877 ( 3509 Kb)\nNonPagedPool Max: 6252 ( 25008 Kb)\n",
			want: []string{`vm ""`, "NonPagedPool Usage 877 3509 torn=true", "NonPagedPool Max 6252 25008 torn=false"}, notes: 1,
		},
		{
			name: "other letters, blanks and names", text: "Physical Memory: 851 420 ( 3 405 680 Kb)\nNonPagedPool Usage: 31369 ( 125476 KB)\nNon Paged Pool Max: 31986 ( 127944 kb)\nPaged Pool Usage: 22\u00a0019 ( 88\u00a0076 Kb)\nSpecial Thing: 1 ( 4 KB)\n",
			want: []string{`vm ""`, "Physical Memory 851420 3405680 torn=false", "NonPagedPool Usage 31369 125476 torn=false", "NonPagedPool Max 31986 127944 torn=false", "PagedPool Usage 22019 88076 torn=false", "Special Thing 1 4 torn=false"},
		},
		{
			name: "other letters and blanks that may be something else", text: "Physical Memory: 851 420 ( 3 405 681 Kb)\nNonPagedPool Usage: 31369 ( 125476 MB)\nNonPagedPool Max: 31986 ( 127944 Kb)\nSpecial Thing: 1 ( 4 kb)\nOther Thing: 12 34 ( 49 36 Kb)\n",
			want: []string{`vm ""`, "NonPagedPool Max 31986 127944 torn=false"}, strange: 4,
		},
		{
			name: "a 32-bit debugger and much memory", text: "Free System PTEs: 1073741825 ( 4 Kb)\n",
			want: []string{`vm ""`, "Free System PTEs 1073741825 4 torn=false"},
		},
		{
			name: "numbers that cannot be read", text: "NonPagedPool Usage: 3l369 ( 125476 Kb)\nNonPagedPool Max: 99999999999999999999 ( 8 Kb)\nModified Pages: 2 ( 0x8 Kb)\nCommit limit: 007 ( 28 Kb)\n",
			want: []string{`vm ""`, "NonPagedPool Usage -1 125476 torn=false", "NonPagedPool Max -1 8 torn=false", "Commit limit -1 28 torn=false"}, strange: 1,
		},
		{
			name: "numbers below zero as such of 64 bits", // public captures of Windows 10
			text: "Driver Commit: 13223 ( 52892 Kb)\nCommitted pages: 2355436 ( 9421744 Kb)\nPagedPool Commit:  18446735282293205272 (18446708908044166240 Kb)\nSum System Commit: 1844673528229473893 (x Kb)\n\n********** Sum of individual system commit + Process commit exceeds overall commit by 18446708908043898408 Kb ? ********\n",
			want: []string{`vm ""`, "Committed pages 2355436 9421744 torn=false", "PagedPool Commit -1 -1 torn=false", "banner Sum of individual system commit + Process commit exceeds overall commit by 18446708908043898408 Kb ?"}, notes: 1, strange: 2,
		},
		{
			name: "paging files without a backslash, and a counter without pages",
			text: "Page File: ??\\C:\\pagefile.sys\n  Current:   4193784 Kb  Free Space:   4193780 Kb\n  Minimum:   4193784 Kb  Maximum:     12581352 Kb\nSession Commit: 7651 ( 30604 Kb)\nSyspart SharedCommit 0\nPage File: C:\\pagefile.sys\n",
			want: []string{`vm ""`, "Session Commit 7651 30604 torn=false", `file "??\\C:\\pagefile.sys" 4193784 4193780 4193784 12581352`}, strange: 1,
		},
		{
			name: "sessions alone", // Windows Internals, 6th edition
			text: "Terminal Server Memory Usage By Session:\n\nSession ID 0 @ fffff88002dfa000:\nPaged Pool Usage:     3060 Kb\nNonPaged Usage:        316 Kb\nCommit Usage:         6484 Kb\n\nSession ID 1 @ fffff88004536000:\nPaged Pool Usage:        0 Kb\nNonPaged Usage:        324 K\n",
			want: []string{`vm ""`, "session 0 3060 316 6484 -1", "session 1 0 324 -1 -1"},
		},
		{
			name: "remarks behind counters", text: "NonPagedPool Usage: 877 ( 3508 Kb) <-- this much\nSpecial Thing: 1 ( 4 Kb) <-- what\n",
			want: []string{`vm ""`, "NonPagedPool Usage 877 3508 torn=false", "Special Thing 1 4 torn=false"},
		},
		{
			name: "lines run together", text: "Physical Memory: 851420 ( 3405680 Kb) Available Pages: 573277 ( 2293108 Kb) Special Thing: 1 ( 4 Kb)\nCommit limit: 5 ( 20 Kb) Page File: \\a Current: 3584000 Kb\n" + plainHead + "None 246479 50827424 0 0 call to ExAllocatePool MmCm 1198 18462512 0 0 Calls\n",
			want: []string{`vm ""`, "Physical Memory 851420 3405680 torn=false", "Available Pages 573277 2293108 torn=false", "Special Thing 1 4 torn=false", "Commit limit 5 20 torn=false", `!poolused "" by tag filter "" unknown limit 0 cut yes`, `"None" np 246479/50827424 p 0/0 | call to ExAllocatePool MmCm 1198 18462512 0 0 Calls | `}, notes: 2,
		},
		{
			name: "two outputs without prompts", text: "Physical Memory: 10 ( 40 Kb)\nAvailable Pages: 5 ( 20 Kb)\nPhysical Memory: 10 ( 40 Kb)\nAvailable Pages: 4 ( 16 Kb)\nPage File: \\??\\C:\\p\nAvailable Pages: 3 ( 12 Kb)\n",
			want: []string{`vm ""`, "Physical Memory 10 40 torn=false", "Available Pages 5 20 torn=false", `vm ""`, "Physical Memory 10 40 torn=false", "Available Pages 4 16 torn=false", `vm ""`, "Available Pages 3 12 torn=false", `file "\\??\\C:\\p" -1 -1 -1 -1`},
		},
		{
			name: "what is no output of !vm", text: "Available Pages are few\nPhysical Memory: much\nPage File: none\nTOTAL:   503644 ( 2014576 kb)\n  Zeroed:      218 (     872 kb)\n****** Virtual trouble *****\nModified:    55101 (  220404 kb)\n",
			strange: 5,
		},
		{
			name: "counters of !memusage behind !vm", text: "Physical Memory: 10 ( 40 Kb)\n             Zeroed:      218 (     872 kb)\n",
			want: []string{`vm ""`, "Physical Memory 10 40 torn=false"}, strange: 1,
		},
		{
			name: "comments glued to numbers", text: oldHead + " ohci        1      136         0        01394 OHCI host\n ohcj        1      136         5    123451394 OHCI host\n 1394        1      520         0        0UNKNOWN pooltag '1394', please update pooltag.txt\n",
			want: []string{`!poolused "" by tag filter "" unknown limit 0 cut unknown`, `"ohci" np 1/136 p 0/0 | 1394 OHCI host | `, `"ohcj" np 1/136 p 5/12345 | 1394 OHCI host | `, `"1394" np 1/520 p 0/0 | UNKNOWN pooltag '1394', please update pooltag.txt | `},
		},
		{
			name: "the same where the columns are lost", text: plainHead + "ohcj 1 136 5 123451394 OHCI host\nIrp  2 392 0 0IRPs , Binary: nt!io\n",
			want: []string{`!poolused "" by tag filter "" unknown limit 0 cut unknown`, `"ohcj" np 1/136 p 5/-1 | OHCI host | `, `"Irp " np 2/392 p 0/0 | IRPs | nt!io`}, notes: 1,
		},
		{
			name: "columns that are too narrow", text: oldHead + " MmSt        0        0    123456 123456789Mm section object prototype ptes , Binary: nt!mm\n",
			want: []string{`!poolused "" by tag filter "" unknown limit 0 cut unknown`, `"MmSt" np 0/0 p 123456/123456789 | Mm section object prototype ptes | nt!mm`},
		},
		{
			name: "a row with a blank too many", text: oldHead + " CM31        0        0     10000  90000000\tInternal , Binary: nt!cm\n CM25        0        0      1000  80000000\n CM26        0        0      1000  80000001\tmore\n CM27        0        0      1000  80000002 more\n",
			want: []string{`!poolused "" by tag filter "" unknown limit 0 cut unknown`, `"CM31" np 0/0 p 10000/90000000 | Internal | nt!cm`, `"CM25" np 0/0 p 1000/80000000 |  | `, `"CM26" np 0/0 p 1000/80000001 | more | `, `"CM27" np 0/0 p 1000/-1 | 2 more | `}, notes: 1,
		},
		{
			name: "bytes that lack digits", text: newHead + " MmSt         0            0      10000    200000000\tMm section\n CM31         0            0      10000     9000\n CM32      9000        72000       9001    72000\tx\n",
			want: []string{`!poolused "" by nonpaged filter "" unknown limit 0 cut unknown`, `"MmSt" np 0/0 p 10000/200000000 | Mm section | `, `"CM31" np 0/0 p 10000/-1 |  | `, `"CM32" np 9000/72000 p 9001/-1 | x | `}, notes: 2,
		},
		{
			name: "blanks in tags", text: newHead + " Irp         10         3920          0            0\tIo, IRP packets \n Pp           2          100          1           64\tPnP , Binary: nt!pnp\n Dh 1        24          720          0            0\tUNKNOWN pooltag 'Dh 1', please update pooltag.txt\n",
			want: []string{`!poolused "" by nonpaged filter "" unknown limit 0 cut unknown`, `"Irp " np 10/3920 p 0/0 | Io, IRP packets | `, `"Pp  " np 2/100 p 1/64 | PnP | nt!pnp`, `"Dh 1" np 24/720 p 0/0 | UNKNOWN pooltag 'Dh 1', please update pooltag.txt | `},
		},
		{
			name: "blanks in tags where the columns are lost", text: plainHead + "Pp 2 100 1 64 PnP\nDh 1 24 720 0 0 GDI\nPp 1 34 0 0 5 things\nPp 1 34 34 400 400 things\n",
			want: []string{`!poolused "" by tag filter "" unknown limit 0 cut yes`, `"Pp  " np 2/100 p 1/64 | PnP | `, `"Dh 1" np 24/720 p 0/0 | GDI | `, `"Pp  " np 1/34 p 0/0 | 5 things | `}, notes: 1,
		},
		{
			name: "a total that fits", text: plainHead + "AAAA 1 16 0 0\nBBBB 2 32 3 48\nTOTAL 3 48 3 48\n",
			want: []string{`!poolused "" by tag filter "" unknown limit 0 cut no`, `"AAAA" np 1/16 p 0/0 |  | `, `"BBBB" np 2/32 p 3/48 |  | `, "total np 3/48 p 3/48"},
		},
		{
			name: "a total that does not", text: plainHead + "AAAA 1 16 0 0\nBBBB 2 32 3 48\nTOTAL 4 64 3 48\n",
			want: []string{`!poolused "" by tag filter "" unknown limit 0 cut unknown`, `"AAAA" np 1/16 p 0/0 |  | `, `"BBBB" np 2/32 p 3/48 |  | `, "total np 4/64 p 3/48"}, notes: 1,
		},
		{
			name: "a filter and the total of it", text: "kd> !poolused 2 A*\n" + plainHead + "AAAA 1 16 0 0\nTOTAL 1 16 0 0\n",
			want: []string{`!poolused "!poolused 2 A*" by tag filter "A*" yes limit 0 cut yes`, `"AAAA" np 1/16 p 0/0 |  | `, "total np 1/16 p 0/0"},
		},
		{
			name: "what may be a filter", text: plainHead + "AAAA 1 16 0 0\nAAAB 1 16 0 0\nTOTAL 2 32 0 0\n",
			want: []string{`!poolused "" by tag filter "" unknown limit 0 cut unknown`, `"AAAA" np 1/16 p 0/0 |  | `, `"AAAB" np 1/16 p 0/0 |  | `, "total np 2/32 p 0/0"},
		},
		{
			name: "rows below the command alone", text: "kd> !kdexts.poolused /t5 0xc\n Thre      1725      4416000          0            0\tThread objects , Binary: nt!ps\nwhat 1 2\n",
			want: []string{`!poolused "!kdexts.poolused /t5 0xc" by paged filter "" no limit 5 cut yes session -1`, `"Thre" np 1725/4416000 p 0/0 | Thread objects | nt!ps`}, notes: 1,
		},
		{
			name: "with frees, of one type of pool", // dumpanalysis.org, Crash Dump Analysis Patterns (Part 13c)
			text: "lkd> !poolused 3\n   Sorting by  NonPaged Pool Consumed\n\n  Pool Used:\n            NonPaged\n Tag    Allocs    Frees     Diff     Used\n EtwB      304      134      170  6550080  Etw Buffer , Binary: nt!etw\n File 32630649 32618671    11978  3752928  File objects\n AmlH        1        0        1  1048576  ACPI AMLI Pooltags\n",
			want: []string{`!poolused "!poolused 3" by nonpaged filter "" no limit 0 cut unknown`, `"EtwB" np 170/6550080 of 304-134 | Etw Buffer | nt!etw`, `"File" np 11978/3752928 of 32630649-32618671 | File objects | `, `"AmlH" np 1/1048576 of 1-0 | ACPI AMLI Pooltags | `},
		},
		{
			name: "with frees, of one type that only the command tells", text: "kd> !poolused 5\nTag Allocs Frees Diff Used\nAAAA 10 4 6 600 some\n",
			want: []string{`!poolused "!poolused 5" by paged filter "" no limit 0 cut unknown`, `"AAAA" p 6/600 of 10-4 | some | `},
		},
		{
			name: "with frees, of a type that nothing tells", text: "kd> !poolused 1\nTag Allocs Frees Diff Used\nAAAA 10 4 6 600 some\nkd> !poolused 3\n Sorting by NonPaged Pool Consumed\nNonPaged\nPaged\nTag Allocs Frees Diff Used\nAllocs Frees Diff Used\nAAAA 10 4 6 600\n0 0 0 0 some\n",
			notes: 2, strange: 6,
		},
		{
			name: "heads that are not known", text: "kd> !poolused\nSorting by  Tag\n\n  Tag   Size      Allocs   Size      Allocs\n File 1023480      3956  11d9200     12847  File objects\n CM25 3956 1023480 0 0\nkd> !poolused 2\nTag    Allocs   Frees   Diff   Bytes   ...\nFMCx   100      50      50     2400    some\n",
			notes: 2, strange: 5,
		},
		{
			name: "no heads, but a row that says so", text: "kd> !poolused 2\nTag 1 16 0 0 the tag\nAAAA 1 16 0 0\n",
			want: []string{`!poolused "!poolused 2" by nonpaged filter "" no limit 0 cut unknown`, `"Tag " np 1/16 p 0/0 | the tag | `, `"AAAA" np 1/16 p 0/0 |  | `},
		},
		{
			name: "rows run together behind a driver", text: plainHead + "CM31 0 0 19797 91705344\tone , Binary: nt!cm CM25 0 0 2764 12546048\ttwo , Binary: nt!cm\n",
			want: []string{`!poolused "" by tag filter "" unknown limit 0 cut yes`, `"CM31" np 0/0 p 19797/91705344 | one | nt!cm`}, notes: 1,
		},
		{
			name: "with frees", text: "kd> !poolused 1\n   Sorting by  Tag\n Tag    Allocs    Frees     Diff     Used   Allocs    Frees     Diff     Used\n AAAA       10        4        6      600        0        0        0        0some , Binary: a.sys\n",
			want: []string{`!poolused "!poolused 1" by tag filter "" no limit 0 cut unknown`, `"AAAA" np 6/600 of 10-4 p 0/0 of 0-0 | some | a.sys`},
		},
		{
			name: "with frees, broken by a window", text: "kd> !poolused 1\n   Sorting by  Tag\n\n   NonPaged\nPaged\n Tag    Allocs    Frees     Diff     Used   Allocs\nFrees     Diff     Used\n AAAA       10        4        6      600        0        0\n0        0some , Binary: a.sys\n BBBB       10        4        6      600        0        0\n CCCC       10        4        6      600        0        0\n5 6 7 8 9\n",
			want: []string{`!poolused "!poolused 1" by tag filter "" no limit 0 cut yes`, `"AAAA" np 6/600 of 10-4 p 0/0 of 0-0 | some | a.sys`}, notes: 3,
		},
		{
			name: "with frees, broken within words", text: "kd> !poolused 1\n Sorting by Tag\n\n                            NonPaged                                         Pag\ned\n Tag     Allocs     Frees      Diff     Used   Allocs     Frees      Diff     Us\ned\n\n AAAA       10        4        6      600        0        0        0    \n   0\tsome , Binary: a.sys\n Dh 1      240      216       24     4096       30       27        3    \n2048\tmore\n CM31        0        0        0        0       90       60       30        8000\n00\tx\n",
			want: []string{`!poolused "!poolused 1" by tag filter "" no limit 0 cut yes`, `"AAAA" np 6/600 of 10-4 p 0/0 of 0-0 | some | a.sys`, `"CM31" np 0/0 of 0-0 p 30/-1 of 90-60 |  | `}, notes: 2, strange: 3,
		},
		{
			name: "with frees, heads lost", text: "kd> !poolused 1\n AAAA       10        4        6      600        0        0        0        0 some\nkd> !poolused 3\n BBBB       10        4        6      600        0        0        0\n 0\nkd> !poolused 1\n CCCC       10        4        6      600        0        0        0\nkd> !poolused 5\n DDDD 10 4 6 600 some\n",
			want: []string{`!poolused "!poolused 1" by tag filter "" no limit 0 cut unknown`, `"AAAA" np 6/600 of 10-4 p 0/0 of 0-0 | some | `, `!poolused "!poolused 3" by nonpaged filter "" no limit 0 cut yes`, `!poolused "!poolused 1" by tag filter "" no limit 0 cut yes`, `!poolused "!poolused 5" by paged filter "" no limit 0 cut unknown`, `"DDDD" p 6/600 of 10-4 | some | `}, notes: 2, strange: 1,
		},
		{
			name: "one number is mangled, two are", text: plainHead + "NxRx 131587 80e19584 0 0 x\nNxRy 131a87 80e19584 0 0 x\nNxRz 131587 8080584 0 0x5 x\nNxRq 131587 80 0 x 0\n",
			want: []string{`!poolused "" by tag filter "" unknown limit 0 cut unknown`, `"NxRx" np 131587/-1 p 0/0 | x | `, `"NxRz" np 131587/8080584 p 0/0 | x5 x | `}, notes: 1, strange: 2,
		},
		{
			name: "what is no listing", text: "Sorting by name\nTag Allocs\nTag Allocs Frees Used\nPool Used: much\nThre 1 2 3 4\nSession 0 is mine\nMemory: 5K\nCommit: 1K of it\nSystem pool information is here\n",
			notes: 2, strange: 9,
		},
		{
			name: "elision", text: plainHead + "...\nAAAA 1 16 0 0\n...\nBBBB 1 8 0 0\n",
			want: []string{`!poolused "" by tag filter "" unknown limit 0 cut yes`, `"AAAA" np 1/16 p 0/0 |  | `, `"BBBB" np 1/8 p 0/0 |  | `}, strange: 2,
		},
		{
			name: "poolmon with changes and one row of each type", text: monHead + " Irp  Nonp       9112 (  -3)      9100 (   0)    12    4704 (  -392)    392 [nt!io - Io, IRP packets]\n Irp  Paged  1 ( 1) 0 ( 0) 1 64 ( 64) 64\n -------\n Q 12 Nonp 5( 0) 4( 0) 1 8( 0) 8\n",
			want: []string{`poolmon "" by unknown filter "" unknown limit 0 cut unknown`, `"Irp " np 12/4704 of 9112-9100 since -3 0 -392 each 392 | Io, IRP packets | nt!io`, `"Irp " p 1/64 of 1-0 since 1 0 64 each 64 |  | `, `"Q 12" np 1/8 of 5-4 since 0 0 0 each 8 |  | `},
		},
		{
			name: "poolmon: numbers that contradict each other", text: monHead + " Drsd Paged       560 ( 177)       539 ( 171)       22   17472 (  4992)    794\n Drse Paged       560 ( 177)       539 ( 171)       21   17472 (  4992)    83\n",
			want: []string{`poolmon "" by unknown filter "" unknown limit 0 cut unknown`, `"Drsd" p 22/17472 of 560-539 since 177 171 4992 each 794 |  | `, `"Drse" p 21/17472 of 560-539 since 177 171 4992 each -1 |  | `}, notes: 2,
		},
		{
			name: "poolmon typed in a console", text: "C:\\tools>poolmon /iNtF? -b\n" + monHead + " NtFA Nonp 1 ( 0) 0 ( 0) 1 8 ( 0) 8\nC:\\tools>dir\nC:\\a b>\n",
			want: []string{`poolmon "poolmon /iNtF? -b" by bytes filter "/iNtF?" yes limit 0 cut yes`, `"NtFA" np 1/8 of 1-0 since 0 0 0 each 8 |  | `}, strange: 2,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, strange := read(tt.text)
			if got := show(l); !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			if len(l.Notes) != tt.notes || len(strange) != tt.strange {
				t.Errorf("notes %v\nnot understood %q", l.Notes, strange)
			}
			checkPlaces(t, tt.text, l)
		})
	}
}

// TestCutInput: the last number of a text that ends without a line end may lack
// digits.
func TestCutInput(t *testing.T) {
	lines := kd.Lines(plainHead + "AAAA 1 16 0 12")
	lines[len(lines)-1].Cut = true
	l := memory.Read(lines)
	if got := l.Pools[0].Rows[0].Paged.Bytes; got.Known() {
		t.Errorf("%d is believed", got.N)
	}
}

func TestBelief(t *testing.T) {
	for _, tt := range []struct {
		text    string
		percent float64 // of nonpaged pool, -1 if it cannot be told
		over    memory.Flag
	}{
		{"NonPagedPool Usage: 90 ( 360 Kb)\nNonPagedPool Max: 100 ( 400 Kb)\n", 90, memory.Unknown},
		{"Physical Memory: 1000 ( 4000 Kb)\nNonPagedPool Usage: 90 ( 360 Kb)\nNonPagedPool Max: 100 ( 400 Kb)\n", 90, memory.No},
		{"Physical Memory: 80 ( 320 Kb)\nNonPagedPool Usage: 90 ( 360 Kb)\nNonPagedPool Max: 100 ( 400 Kb)\n", -1, memory.Yes},
		{"Physical Memory: 1000 ( 4000 Kb)\nNonPagedPool Usage: 101 ( 404 Kb)\nNonPagedPool Max: 100 ( 400 Kb)\n", -1, memory.No},
		{"Physical Memory: 1000 ( 4000 Kb)\nNonPagedPool Usage: 0 ( 0 Kb)\nNonPagedPool Max: 0 ( 0 Kb)\n", -1, memory.No},
		{"Physical Memory: 1000 ( 4000 Kb)\nNonPagedPool Usage: 0 ( 0 Kb)\nNonPagedPool Max: 100 ( 400 Kb)\n", 0, memory.No},
		{"Physical Memory: 1000 ( 4000 Kb)\nNonPagedPool Usage: 90 ( 361 Kb)\nNonPagedPool Max: 100 ( 400 Kb)\n", -1, memory.Unknown},
		{"Physical Memory: 1000 ( 4000 Kb)\nNonPagedPool Usage: 90 ( 360 Kb)\n", -1, memory.No},
		{"Physical Memory: 1000 ( 4000 Kb)\nNonPagedPool Usage: 10 ( 40 Kb)\nNonPagedPoolNx Usage: 80 ( 320 Kb)\nNonPagedPool Max: 100 ( 400 Kb)\n", 90, memory.No},
		{"Physical Memory: 1000 ( 4000 Kb)\nNonPagedPool Usage: 10 ( 40 Kb)\nNonPagedPoolNx Usage: 1080 ( 4320 Kb)\nNonPagedPool Max: 10000 ( 40000 Kb)\n", -1, memory.Yes},
		{"Physical Memory: 1000 ( 4000 Kb)\nNonPagedPool Usage: 600 ( 2400 Kb)\nNonPagedPoolNx Usage: 600 ( 2400 Kb)\nNonPagedPool Max: 10000 ( 40000 Kb)\n", -1, memory.No},
		{"Physical Memory: 1000 ( 4000 Kb)\nNonPagedPool Usage: 10 ( 40 Kb)\nNonPagedPoolNx Usage: 8l ( 320 Kb)\nNonPagedPool Max: 100 ( 400 Kb)\n", -1, memory.No},
	} {
		l, _ := read(tt.text)
		v := l.VMs[0]
		got, ok := v.NonPagedPercent()
		if !ok {
			got = -1
		}
		if got != tt.percent || v.NonPagedOverRAM() != tt.over {
			t.Errorf("%s%v, %s", tt.text, got, v.NonPagedOverRAM())
		}
	}
}

// TestRank: a rank is told only where no row that uses more may be missing.
func TestRank(t *testing.T) {
	rows := "AAAA 1 100 0 0\nBBBB 1 50 8 70\nCCCC 1 20 8 90\n"
	sorted := "Sorting by NonPaged Pool Consumed\nTag Allocs Used Allocs Used\n"
	for _, tt := range []struct {
		name, text string
		typ        memory.Type
		want       string // ranks of the rows
	}{
		{"sorted", sorted + rows, memory.NonPaged, "1 2 3"},
		{"sorted by the other", sorted + rows, memory.Paged, "- - -"},
		{"all are there", plainHead + rows + "TOTAL 3 170 16 160\n", memory.Paged, "3 2 1"},
		{"rows are missing", plainHead + rows + "TOTAL 3 171 16 160\n", memory.Paged, "- - -"},
		{"by tag", plainHead + rows, memory.NonPaged, "- - -"},
		{"left out in the middle", sorted + "AAAA 1 100 0 0\n...\nBBBB 1 50 8 70\nCCCC 1 20 8 90\n", memory.NonPaged, "1 - -"},
		{"not in that order", sorted + "AAAA 1 10 0 0\nBBBB 1 50 8 70\nCCCC 1 20 8 90\n", memory.NonPaged, "1 - -"},
		{"a row that is not read", sorted + "AAAA 1 100 0 0\nABAB 1a 9e 0 8\nBBBB 1 50 8 70\nCCCC 1 20 8 90\n", memory.NonPaged, "1 - -"},
		{"rows run together", sorted + "AAAA 1 100 0 0 a BABA 1 99 0 0 b\nBBBB 1 50 8 70\nCCCC 1 20 8 90\n", memory.NonPaged, "1 - -"},
		{"a filter", "kd> !poolused 2 *\n" + sorted + rows, memory.NonPaged, "1 2 3"},
		{"a filter that hides", "kd> !poolused 2 ?B*\n" + sorted + rows, memory.NonPaged, "- - -"},
		{"one number is unknown", sorted + "AAAA 1 100 0 0\nBBBB 1 5e0 8 70\nCCCC 1 20 8 90\n", memory.NonPaged, "1 - 3"},
	} {
		l, _ := read(tt.text)
		var got []string
		for i := range l.Pools[0].Rows {
			rank, ok := l.Pools[0].Rank(&l.Pools[0].Rows[i], tt.typ)
			if !ok {
				got = append(got, "-")
				continue
			}
			got = append(got, fmt.Sprint(rank))
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, s, tt.want)
		}
	}
}

func TestGrown(t *testing.T) {
	session := "Session 1 pool information\n"
	for _, tt := range []struct {
		name, before, after string
		want                int64
		known               bool
	}{
		{"grows", plainHead + "AAAA 1 100 0 0\n", plainHead + "AAAA 3 300 0 0\n", 200, true},
		{"shrinks", plainHead + "AAAA 1 100 0 0\n", plainHead + "AAAA 0 0 0 0\n", -100, true},
		{"case counts", plainHead + "AAAa 1 100 0 0\n", plainHead + "AAAA 3 300 0 0\n", 0, false},
		{"not listed before", plainHead + "BBBB 1 100 0 0\n", plainHead + "AAAA 3 300 0 0\n", 0, false},
		{"not there before", plainHead + "BBBB 1 100 0 0\nCCCC 1 8 0 0\nTOTAL 2 108 0 0\n", plainHead + "AAAA 3 300 0 0\n", 300, true},
		{"unknown before", plainHead + "AAAA 1 1e0 0 0\n", plainHead + "AAAA 3 300 0 0\n", 0, false},
		{"of two tools", plainHead + "AAAA 1 100 0 0\n", monHead + "AAAA Nonp 4 ( 0) 1 ( 0) 3 300 ( 0) 100\n", 200, true},
		{"the other type", plainHead + "AAAA 1 100 5 50\n", monHead + "AAAA Paged 4 ( 0) 1 ( 0) 3 300 ( 0) 100\n", 0, false},
		{"the pool of a session", plainHead + "AAAA 1 100 0 0\n", session + monHead + "AAAA Nonp 4 ( 0) 1 ( 0) 3 300 ( 0) 100\n", 0, false},
	} {
		before, _ := read(tt.before)
		after, _ := read(tt.after)
		got, ok := memory.Grown(before.Pools[0], after.Pools[0], "AAAA", memory.NonPaged)
		if got != tt.want || ok != tt.known {
			t.Errorf("%s: %d, %v", tt.name, got, ok)
		}
	}
	l := memory.Listing{}
	for _, f := range []string{"007-doc-poolmon-drsd-before.log", "008-doc-poolmon-drsd-after.log"} {
		text, err := os.ReadFile("../testdata/samples/" + f)
		if err != nil {
			t.Fatal(err)
		}
		one, _ := read(string(text))
		l.Add(&one)
	}
	if got, ok := memory.Grown(l.Pools[0], l.Pools[1], "Drsd", memory.Paged); !ok || got != 22464-17472 {
		t.Errorf("Drsd: %d, %v", got, ok)
	}
}

// TestBounds: what is left out is said, and nothing grows without a limit.
func TestBounds(t *testing.T) {
	var b strings.Builder
	for i := range 30000 {
		fmt.Fprintf(&b, "%04d 1 16 0 0\n", i%10000)
	}
	l, strange := read(plainHead + b.String())
	p := l.Pools[0]
	if len(p.Rows)+p.Dropped != 30000 || p.Dropped == 0 || p.Cut() != memory.Yes || len(l.Notes) != 1 || len(strange) != 0 {
		t.Errorf("%d rows, %d dropped, notes %v", len(p.Rows), p.Dropped, l.Notes)
	}
	b.Reset()
	for i := range 5000 {
		fmt.Fprintf(&b, "Physical Memory: %d ( %d Kb)\n", i+1, 4*i+4)
	}
	l, _ = read(b.String() + strings.Repeat(plainHead+"AAAA 1 16 0 0\n", 5000))
	if len(l.VMs) > 1000 || len(l.Pools) > 1000 || len(l.Notes) != 2 {
		t.Errorf("%d outputs of !vm, %d listings, notes %v", len(l.VMs), len(l.Pools), l.Notes)
	}
	one := "*** Virtual Memory Usage ***\n"
	for i := range 9000 {
		one += fmt.Sprintf("x%d: 1 ( 4 Kb)\n%x a.exe 1 ( 4 Kb)\n***** warning %d *****\nPage File: \\%d\n", i, i, i, i)
		if i == 300 {
			break
		}
	}
	l, _ = read(one)
	if v := l.VMs[0]; len(v.Counters) > 200 || len(v.Banners) > 64 || len(v.PageFiles) > 32 {
		t.Errorf("%d counters, %d banners, %d paging files", len(v.Counters), len(v.Banners), len(v.PageFiles))
	}
}

// TestOtherOutput: lines of other commands are left to their readers.
func TestOtherOutput(t *testing.T) {
	const text = `**** DUMP OF ALL RESOURCE OBJECTS ****
Resource @ 0xfffffa8011ef1de8    Exclusively owned
**** Critical WorkQueue( current = 0 maximum = 1 )
THREAD fffffa8016910b60  Cid 0004.0100  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT: (WrFastMutex) KernelMode Non-Alertable
PROCESS 8a1b2c3d  SessionId: 0  Cid: 0004    Peb: 00000000  ParentCid: 0000
Priority 14 BasePriority 13 UnusualBoost 1
PagePriority 5
Page 2b0 not present in the dump file.
MessageID : 0b40 (2880)
Total Commit: 12 of 13
CommitCharge                      6
fffff880` + "`" + `07fab3e0 fffff800` + "`" + `0228da52 nt!KiSwapContext+0x7a`
	for _, l := range kd.Lines(text) {
		if memory.Known(l.Text) {
			t.Errorf("%q is taken", l.Text)
		}
	}
	if l, _ := read(text); !l.Empty() {
		t.Errorf("%v", show(l))
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{oldHead + " AGP         1      344         2      384UNKNOWN pooltag 'AGP '\n TOTAL  1 344 2 384\n", newHead + " Irp  1 2 3 4\tx , Binary: y\n", plainHead + "Dh 1 24 720 0 0 GDI\n", monHead + " CM   Paged    1283 (   0)    1002 (   0)    281 1377312 (     0) 4901\n", "kd> !poolused /t2 8 x\nAAAA 1 2 3 4\n", "kd> !poolused 3\nPool Used:\nNonPaged\nTag Allocs Frees Diff Used\nAAAA 3 1 2 64 x\nTag Used\nAAAA 1 2 3 4\n", "*** Virtual Memory Usage ***\nPage File: \\a\nCurrent: 1Kb Free Space: 2Kb\n****** 3 x have failed *****\n04 a.exe 1 ( 4 Kb)\nNonPaged Pool Usage :  85%\n", "Memory:  260620K Avail:   65152K  PageFlts:    85   InRam Krnl: 2116K P:19560K\nSession 0 pool information\n", "C:\\>poolmon /b\n", "kd> !pool 8\nPool page 85246430 region is Nonpaged pool\n*85246160 size:   68 previous size:   48  (Allocated) *NpFn Process: 8507a030\n\tPooltag NpFn : a, Binary : b\n", "Searching NonPaged pool (8 : 9) for Tag: SeSd\nffff830da0ce8010 : tag Proc, size     0xb70, Nonpaged pool\n...terminating - searched pool to e0224000\n", "System PTE Information\nTotal System Ptes 5\nfree blocks: 3   total free: 5    largest free block: 7\n", "kd> x nt!*\ne0894d1f nt!ExAllocatePool\nkd> s -d 0 L1 e0894d1f\nf50b8058 e0894d1f e0828e04 e089b708 e084011b .M\nkd> dps 8\nf50b8058 e0894d1f nt!x\n", ">:\\0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, _ := read(text)
		show(l)
		checkPlaces(t, text, l)
		lines := strings.Count(text, "\n") + 1
		for _, p := range l.Pools {
			if len(p.Rows) > lines || int(p.EndLine) > lines {
				t.Fatalf("%d rows to line %d of %d lines", len(p.Rows), p.EndLine, lines)
			}
			for i := range p.Rows {
				if len([]rune(p.Rows[i].Tag)) != 4 {
					t.Fatalf("tag %q", p.Rows[i].Tag)
				}
				for _, typ := range []memory.Type{memory.NonPaged, memory.Paged} {
					if rank, ok := p.Rank(&p.Rows[i], typ); ok && (rank < 1 || rank > len(p.Rows)) {
						t.Fatalf("rank %d", rank)
					}
				}
			}
		}
		for _, v := range l.VMs {
			for _, f := range []func() (float64, bool){v.NonPagedPercent, v.PagedPercent, v.CommitPercent} {
				if p, ok := f(); ok && (p < 0 || p > 100) {
					t.Fatalf("%f percent", p)
				}
			}
			if len(v.Counters)+len(v.PageFiles)+len(v.Processes) > lines {
				t.Fatalf("%d counters of %d lines", len(v.Counters), lines)
			}
		}
	})
}
