package threads_test

import (
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/threads"
)

const plainProcess = `PROCESS ffffcb234ff34200
    SessionId: 1  Cid: 0f64    Peb: 7ffd6000  ParentCid: 075c
    DirBase: 00187000  ObjectTable: ffffe001890065c0  HandleCount: 1253.
    Image: SearchIndexer.exe
    VadRoot ffffe0018a3d5010 Vads 360 Clone 0 Private 3160. Modified 49808. Locked 0.
    DeviceMap ffffc0016a00c1a0
    Token                             ffffc001700eb060
    ElapsedTime                       02:08:27.945
    UserTime                          00:00:00.015
    KernelTime                        00:00:00.031
    QuotaPoolUsage[PagedPool]         229328
    QuotaPoolUsage[NonPagedPool]      18880
    Working Set Sizes (now,min,max)  (29101, 50, 345) (116404KB, 200KB, 1380KB)
    PeakWorkingSetSize                30109
    VirtualSize                       426 Mb
    PeakVirtualSize                   458 Mb
    PageFaultCount                    141262
    MemoryPriority                    BACKGROUND
    BasePriority                      8
    CommitCharge                      11620
    Job                               ffffe0018b3e9060

`

func TestSkimProcess(t *testing.T) {
	for _, next := range []string{nextBlock, "PROCESS ffffcb234ff35200"} {
		var s threads.Skimmer
		got, ok := s.Process([]byte(plainProcess + next))
		if !ok {
			t.Fatal("the plain layout is not skimmed")
		}
		want := threads.Process{Addr: 0xffffcb234ff34200, CID: 0xf64, CIDKnown: true, Image: "SearchIndexer.exe", At: kd.Ref{Col: 9, Len: 16}}
		if *got.Head != want || got.Lines != 21 || got.Blanks != 1 || got.End != len(plainProcess) {
			t.Errorf("got %+v, %+v", got, *got.Head)
		}
	}
}

// TestSkimProcessLeaves: what is not plain to the letter is left to the Reader.
func TestSkimProcessLeaves(t *testing.T) {
	replace := func(old, new string) string { return strings.Replace(plainProcess, old, new, 1) + nextBlock }
	for name, text := range map[string]string{
		"end of the text":          plainProcess,
		"prose behind":             plainProcess + "kd> !locks\n",
		"32-bit":                   replace("ffffcb234ff34200", "86ab1030"),
		"cut address":              replace("ffffcb234ff34200", "ffffcb234ff3420"),
		"all on one line":          replace("\n    SessionId", "  SessionId"),
		"a client id that is":      replace("0f64", "0f6g"),
		"unknown line":             replace("DeviceMap", "DeviceMop"),
		"two lines as one":         replace("SearchIndexer.exe\n    VadRoot", "SearchIndexer.exe    VadRoot"),
		"a thread line inside":     replace("BACKGROUND\n", "BACKGROUND THREAD ffffac9d5e401080  Cid 13cc.0828  Teb: 000000d9a9c2a000 Win32Thread: ffffac9d5e4a1b10 WAIT: (WrResource)\n"),
		"two names":                replace("    VadRoot", "    Image: System\n    VadRoot"),
		"a session that is a name": replace("SessionId: 1", "SessionId: Cid:"),
		"an entity":                replace("SearchIndexer.exe", "a&amp;b.exe"),
		"an author's remark":       replace("SearchIndexer.exe", "SearchIndexer.exe << here"),
	} {
		var s threads.Skimmer
		if _, ok := s.Process([]byte(text)); ok {
			t.Errorf("%s: skimmed", name)
		}
	}
}

// FuzzSkimProcess: where the Skimmer reads a block, the Reader reads the same.
func FuzzSkimProcess(f *testing.F) {
	f.Add(plainProcess)
	f.Add(strings.ReplaceAll(plainProcess, "    ", ""))
	f.Add(strings.ReplaceAll(plainProcess, "\n", "\r\n"))
	f.Add(strings.Replace(plainProcess, "SessionId: 1", "SessionId: none", 1))
	f.Fuzz(func(t *testing.T, text string) {
		var s threads.Skimmer
		b, ok := s.Process([]byte(text + nextBlock))
		if !ok {
			return
		}
		var r threads.Reader
		r.Line(kd.Line{Text: "THREAD 8a169530"}) // as after a block
		lines := kd.Lines(text[:min(len(text), b.End)])
		for i, l := range lines {
			if claimed := r.Line(l); claimed != (i < int(b.Lines)) {
				t.Fatalf("line %d of %d: claimed %v: %q", i+1, b.Lines, claimed, l.Text)
			}
		}
		got := r.Done()
		if len(lines) != int(b.Lines)+b.Blanks || len(got.Threads) != 1 || len(got.Notes) != 0 || len(got.Processes) != 1 {
			t.Fatalf("%d lines of %d+%d, %d threads, %d processes, notes %v", len(lines), b.Lines, b.Blanks, len(got.Threads), len(got.Processes), got.Notes)
		}
		want := got.Processes[0]
		want.At.Input, want.At.Line = 0, 0
		if *b.Head != want {
			t.Fatalf("skimmed %+v, read %+v", *b.Head, want)
		}
	})
}
