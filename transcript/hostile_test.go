package transcript_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"kdlocks/inspect"
	"kdlocks/transcript"
)

// endless is an input of any size that repeats a text.
type endless struct {
	head, text string
	size       int64
}

func (e endless) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	if off < int64(len(e.head)) {
		n = copy(p, e.head[off:])
	}
	block := strings.Repeat(e.text, 1<<12)
	for n < len(p) {
		n += copy(p[n:], block[(off+int64(n)-int64(len(e.head)))%int64(len(e.text)):])
	}
	if rest := max(e.size-off, 0); int64(n) > rest {
		return int(rest), io.EOF
	}
	return n, nil
}

// peak reads an input and returns how much the heap held at most while it was
// read, in bytes.
func peak(in transcript.Input) (*transcript.Transcript, uint64, error) {
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	most := before.HeapAlloc
	tr, err := transcript.Read(context.Background(), []transcript.Input{in}, func(done, _ int64) {
		if done%(8<<20) < 1<<19 {
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
		}
	})
	runtime.GC()
	runtime.ReadMemStats(&now)
	return tr, max(most, now.HeapAlloc) - before.HeapAlloc, err
}

// TestLongLine: of a line without an end no more than the beginning is kept,
// and that is said with its place.
func TestLongLine(t *testing.T) {
	const head = "kd> !locks\n" + lockA
	for _, e := range []endless{
		{head, "x", 80 << 20},
		{head, "\x00", 80 << 20},
		{head, "THREAD ", 40 << 20},
		{head, ">", 40 << 20},
		{strings.Repeat("all is text\n", 10000), "\x00", 80 << 20},
	} {
		tr, heap, err := peak(transcript.Input{Name: "in", Data: e, Size: e.size})
		src := &tr.Sources[0]
		if strings.HasPrefix(e.head, "kd>") != (err == nil) || err != nil && !errors.Is(err, transcript.ErrNothing) && !errors.Is(err, transcript.ErrNotText) {
			if e.text != "\x00" {
				t.Errorf("%q: %v", e.text, err)
			}
		}
		if heap > 24<<20 {
			t.Errorf("%q: %d MiB of heap", e.text, heap>>20)
		}
		if errors.Is(err, transcript.ErrNotText) {
			continue
		}
		n := int32(strings.Count(e.head, "\n")) + 1
		want := fmt.Sprintf("line %d has %d bytes: only the first MiB was read", n, e.size-int64(len(e.head)))
		if len(src.Notes) == 0 || src.Notes[0].Text != want || src.Notes[0].At.Line != n {
			t.Errorf("%q: notes %+v, want %q", e.text, src.Notes, want)
		}
		if got := len(src.Line(n)); src.Lines() != int(n) || got != transcript.LongestLine {
			t.Errorf("%q: %d lines, the last has %d bytes", e.text, src.Lines(), got)
		}
	}
}

// TestMostLines: what comes behind the last line that is read is an error beside
// what was read.
func TestMostLines(t *testing.T) {
	transcript.Cutting(t, 1<<12, false)
	transcript.MostLines(t, 1000)
	text := "kd> !locks\n" + lockA + strings.Repeat("\n", 100_000)
	tr, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("in", []byte(text))}, nil)
	if err == nil || !strings.Contains(err.Error(), "it has more than 1000 lines: the rest is not read") || len(tr.Snapshots) != 1 {
		t.Errorf("%d sessions, %v", len(tr.Snapshots), err)
	}
	if n := tr.Sources[0].Lines(); n < 1000 || n > 1000+2<<12 {
		t.Errorf("%d lines were read", n)
	}
}

// TestManyLongLines: each is kept as far as one is, in every encoding, and the
// notes are bounded.
func TestManyLongLines(t *testing.T) {
	text := "kd> !locks\n" + lockA + strings.Repeat(strings.Repeat("x", transcript.LongestLine+5)+"\n", 10) + "end\n"
	for _, data := range [][]byte{[]byte(text), wide("\ufeff"+text, false)} {
		src := &read(t, string(data)).Sources[0]
		if src.Lines() != 14 || src.Line(14) != "end" || len(src.Notes) != 8 || !strings.HasSuffix(src.Notes[7].Text, "was read; so it is with 2 lines behind it") {
			t.Errorf("%d lines, the last is %.20q, notes %v", src.Lines(), src.Line(14), src.Notes)
		}
		for n := int32(4); n < 14; n++ {
			if got := len(src.Line(n)); got != transcript.LongestLine {
				t.Errorf("%s: %d bytes of line %d", src.Encoding, got, n)
			}
		}
	}
}

// TestEmptyLines: ten million of them cost their fates.
func TestEmptyLines(t *testing.T) {
	e := endless{"kd> !locks\n" + lockA, "\n", 10_000_000}
	tr, heap, err := peak(transcript.Input{Name: "in", Data: e, Size: e.size})
	if err != nil || tr.Sources[0].Lines() != int(e.size)-len(e.head)+3 || heap > 48<<20 {
		t.Errorf("%d lines, %d MiB of heap, %v", tr.Sources[0].Lines(), heap>>20, err)
	}
}

// shrinking loses its second half after some reads.
type shrinking struct {
	data  []byte
	reads int
}

func (s *shrinking) ReadAt(p []byte, off int64) (int, error) {
	if s.reads--; s.reads < 0 {
		return bytes.NewReader(s.data[:len(s.data)/2]).ReadAt(p, off)
	}
	return bytes.NewReader(s.data).ReadAt(p, off)
}

// TestShrinkingInput: what becomes shorter while it is read is an error beside
// what could be read, and nothing is made up.
func TestShrinkingInput(t *testing.T) {
	data := generatedLogs(t)[0].data
	transcript.Cutting(t, 1<<14, false)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for reads := range 20 {
		in := inspect.Input{Name: "in", Data: &shrinking{data, reads}, Size: int64(len(data))}
		r, err := inspect.Run(context.Background(), []inspect.Input{in}, inspect.Options{})
		if r == nil && err == nil {
			t.Fatal("neither a report nor an error")
		}
		if r == nil {
			continue
		}
		if err == nil && reads < 8 {
			t.Errorf("%d reads: no error", reads)
		}
		for th := range r.Threads.All() {
			if th.Address == "" {
				t.Errorf("%d reads: a thread without an address", reads)
			}
		}
	}
}

// hostile are pieces of text that are repeated.
var hostile = []struct{ name, head, piece, tail string }{
	{"quotes", "", ">", "\n"},
	{"quotes and blanks", "", "> ", "\n"},
	{"heads in one line", "", "THREAD ", "\n"},
	{"heads", "", "THREAD \n", ""},
	{"heads with addresses", "", "THREAD fffffa8016910b60\n", ""},
	{"heads of blocks", "", "        THREAD ffffcb0000000080  Cid 0004.0200  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT: (WrResource) KernelMode Non-Alertable\n", ""},
	{"resources", "", "Resource @ 0xfffffa8011ef1de8    Exclusively owned\n", ""},
	{"half resources", "", "Resource @ ", "\n"},
	{"half resources on lines", "", "Resource @\n", ""},
	{"prompts", "", "kd> \n", ""},
	{"prompts in one line", "", "kd> ", "\n"},
	{"commands", "", "0: kd> !locks\n", ""},
	{"deep quoting", "", "> > > > > > > > > > > > > > > > > > kd> !locks\n", ""},
	{"blanks", "", " ", "\n"},
	{"tabs", "", "\t", "\n"},
	{"empty lines", "", "\n", ""},
	{"entities", "", "&lt;&amp;", "\n"},
	{"open entities", "", "&", "\n"},
	{"tags", "", "<b>", "\n"},
	{"open tags", "", "<", "\n"},
	{"returns", "", "\r", "\n"},
	{"owners", "Resource @ 0xfffffa8011ef1de8    Exclusively owned\n     Threads: ", "fffffa8016910b60-01<*> ", "\n"},
	{"owners on lines", "Resource @ 0xfffffa8011ef1de8    Exclusively owned\n     Threads: ", "fffffa8016910b60-01<*> \n              ", "\n"},
	{"waiters", "Resource @ 0xfffffa8011ef1de8    Exclusively owned\n     Threads: fffffa8016910b60-01<*> \n     Threads Waiting On Exclusive Access:\n", "              fffffa8016920b60       \n", ""},
	{"wait objects", thread, "    fffffa8017000000  NotificationEvent\n", ""},
	{"frames", thread + stack, frames, ""},
	{"frames in one line", thread + stack, "fffff880`07fab3e0 fffff800`0228da52 nt!KiSwapContext+0x7a ", "\n"},
	{"column heads", thread, stack, ""},
	{"digits", "", "f", "\n"},
	{"digits on lines", thread + stack, "fffff880\n", ""},
	{"backticks", "", "`", "\n"},
	{"processes", "", "PROCESS ffffcb8a00000080\n", ""},
	{"blocks", "", thread + stack + "\n", ""},
	{"banners", "", "Microsoft (R) Windows Debugger Version 10.0.19041.1 AMD64\n" + lockA, ""},
	{"dumps", "", "Loading Dump File [C:\\a.dmp]\nBugcheck code 000000D1\n", ""},
	{"stops", "", "*** Fatal System Error: 0x0000009f (0x3,0x4,0x5,0x6)\n" + lockA, ""},
	{"fences", "", "```\n", ""},
	{"numbered", "", "12: ", "\n"},
	{"wrapped", "", "THREAD fffffa801691\n0b60  Cid 0004.0100  Teb: 0 Win32Th\nread: 0\n", ""},
	{"packets", "", "Irp is active with 2 stacks 2 is current (= 0xffffab0cfced9458)\n", ""},
	{"functions", "0: kd> !irp ffffab0cfced9340\nIrp is active with 2 stacks 2 is current (= 0xffffab0cfced9458)\n", "[3, 0]\n", ""},
	{"drivers", "0: kd> !irp ffffab0cfced9340\nIrp is active with 2 stacks 2 is current (= 0xffffab0cfced9458)\n>[3, 0]\n", "\\Driver\\a\n", ""},
	{"rows of packets", "0: kd> !irpfind\n", "8a1 [8a2] irpStack: ( 3, 0)  8a3\n", ""},
	{"messages", "", "Message @ fffff8800f4cc950\n", ""},
	{"half messages", "0: kd> !alpc /m 8a1\n", "Message 8a1\n", ""},
	{"ports", "", "Port @ fffff8800f4cc950\n", ""},
	{"critical sections", "", "CritSec +1 at 1\n", ""},
	{"queues", "0: kd> !exqueue\n", "**** Critical WorkQueue ( Threads: 2/512, Concurrency: 0/1 )\n", ""},
	{"queues and threads", "0: kd> !exqueue f\n**** Critical WorkQueue ( Threads: 2/512, Concurrency: 0/1 )\n", "THREAD fffffa8018db6040  Cid 0004.0018  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT\n", ""},
	{"work items", "0: kd> !exqueue\n**** Critical WorkQueue ( Threads: 2/512, Concurrency: 0/1 )\n", "PENDING: a (1) a!b\n", ""},
	{"modules", "", "8a100000 8a200000 a (deferred)\n", ""},
	{"modules in a list", "start end module name\n", "8a100000 8a200000 a\n", ""},
	{"lists of modules", "", "start end module name\n", ""},
	{"unloaded modules", "Unloaded modules:\n", "8a100000 8a200000 a\n", ""},
	{"details of modules", "", "Image name: a\n", ""},
	{"module infos", "", "Loaded Module Info: [a]\nBase Address: 8\n", ""},
	{"outputs of !vm", "", "Physical Memory: 1 ( 4 Kb)\n", ""},
	{"counters of memory", "*** Virtual Memory Usage ***\n", "x: 1 ( 4 Kb)\n", ""},
	{"processes of !vm", "*** Virtual Memory Usage ***\n", "4 a 1 ( 4 Kb)\n", ""},
	{"rows of pool", "Tag Allocs Used Allocs Used\n", "a 1 2 3 4\n", ""},
	{"listings of pool", "", "Tag Allocs Used Allocs Used\na 1 2 3 4\n", ""},
	{"rows of poolmon", "Tag Type Allocs Frees Diff Bytes Per Alloc\n", "a Nonp 1(0) 0(0) 1 8(0) 8\n", ""},
	{"nothing", "", "some words that no debugger printed\n", ""},
}

func (h *hostileText) of(size int) []byte {
	n := (size - len(h.head) - len(h.tail)) / len(h.piece)
	return []byte(h.head + strings.Repeat(h.piece, n) + h.tail)
}

type hostileText struct{ name, head, piece, tail string }

// TestMemoryIsBounded: what is read of a text of 64 KiB holds at most 64 times
// its size, and not much more is allocated on the way.
func TestMemoryIsBounded(t *testing.T) {
	texts := map[string][]byte{}
	for _, h := range hostile {
		texts[h.name] = (*hostileText)(&h).of(1 << 16)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	random, printable := make([]byte, 1<<16), make([]byte, 1<<16)
	for i := range random {
		random[i], printable[i] = byte(rng.IntN(256)), " \n0f`>THREADkd!@<&;"[rng.IntN(18)]
	}
	texts["random"], texts["printable"] = random, printable
	for name, data := range texts {
		held, total := heapOf(func() any {
			tr, _ := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("in", data)}, nil)
			return tr
		})
		if held > 64*len(data) || total > 128*len(data) {
			t.Errorf("%s: for one byte of the input %d are held, %d allocated", name, held/len(data), total/len(data))
		}
	}
}

// heapOf returns how much of the heap is held by what f returns, and how much
// was allocated while it ran, garbage included, in bytes.
func heapOf(f func() any) (held, total int) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	keep := f()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(keep)
	return int(after.HeapAlloc) - int(before.HeapAlloc), int(after.TotalAlloc - before.TotalAlloc)
}

// TestCostIsLinear reads a MiB of each text. What takes long for its size must
// not take more than linearly longer than a quarter of it, each time: a machine
// may be busy with other work once.
func TestCostIsLinear(t *testing.T) {
	for _, h := range hostile {
		took := func(size int) time.Duration {
			data := (*hostileText)(&h).of(size)
			from := time.Now()
			reported(t, data)
			return time.Since(from)
		}
		const size = 1 << 20 // bytes
		for again := 4; ; again-- {
			whole := took(size)
			if whole < 2*time.Second {
				break
			}
			quarter := took(size / 4)
			if whole <= 10*quarter {
				break
			}
			if again == 0 {
				t.Errorf("%s: %v for a MiB, %v for a quarter of it", h.name, whole, quarter)
				break
			}
		}
	}
}
