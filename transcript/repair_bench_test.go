package transcript

import (
	"fmt"
	"strings"
	"testing"

	"kdlocks/kd"
)

// benchText is the output that big logs are made of: THREAD blocks with their
// stacks.
func benchText(blocks int) []string {
	var b strings.Builder
	for i := range blocks {
		sp := 0xfffff88005000000 + uint64(i)*0x9000
		fmt.Fprintf(&b, "        THREAD %016x  Cid 01a4.%04x  Teb: 0000000000000000 Win32Thread: 0000000000000000 WAIT: (WrResource) KernelMode Non-Alertable\n", 0xffffbc8100000000+uint64(i)*0x580, i)
		fmt.Fprintf(&b, "            %016x  SynchronizationEvent\n        Not impersonating\n        DeviceMap                 ffffbc8c30000940\n", 0xffffbc8b20000000+uint64(i)*0x60)
		b.WriteString("        Owning Process            ffffbc8c30001280       Image:         explorer.exe\n        Attached Process          N/A            Image:         N/A\n")
		b.WriteString("        Wait Start TickCount      12676          Ticks: 655 (0:00:00:10.234)\n        Context Switch Count      1592           IdealProcessor: 3             \n")
		fmt.Fprintf(&b, "        UserTime                  00:00:00.000\n        KernelTime                00:00:02.496\n        Win32 Start Address nt!ExpWorkerThread (0x0000000081880356)\n        Stack Init %016x Current %016x\n        Base %016x Limit %016x Call 0\n", sp+0x6000, sp+0x5000, sp+0x6000, sp)
		b.WriteString("        Priority 15 BasePriority 13 UnusualBoost 0 ForegroundBoost 0 IoPriority 2 PagePriority 5\n        Child-SP          RetAddr           : Args to Child                                                           : Call Site\n")
		for f := range 12 {
			a := sp + 0x5000 + uint64(f)*0x60
			fmt.Fprintf(&b, "        %08x`%08x fffff800`04e2fbb3 : ffffd000`70dcbed8 ffffd000`73ef07a2 ffffd000`df5392ab ffffd000`565be518 : nt!KeWaitForSingleObject+0x%x\n", a>>32, a&0xffffffff, 0x19f+f)
		}
		b.WriteString("\n")
	}
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

func mapLines(lines []string, f func(string) []string) []string {
	var out []string
	for _, l := range lines {
		out = append(out, f(l)...)
	}
	return out
}

func hardWrap(l string) (out []string) {
	for len(l) > 80 {
		out, l = append(out, l[:80]), l[80:]
	}
	return append(out, l)
}

func blankWrap(l string) (out []string) {
	for len(l) > 78 {
		at := strings.LastIndexByte(l[:79], ' ')
		if at < 0 || strings.TrimSpace(l[:at]) == "" {
			break
		}
		out, l = append(out, l[:at]), strings.TrimLeft(l[at:], " ")
	}
	return append(out, l)
}

// BenchmarkRepair reports the cost of one line of the input.
func BenchmarkRepair(b *testing.B) {
	clean := benchText(500)
	for _, c := range []struct {
		name  string
		lines []string
	}{
		{"clean", clean},
		{"quoted", mapLines(clean, func(l string) []string { return []string{"> " + l} })},
		{"collapsed", mapLines(clean, func(l string) []string { return []string{strings.Join(strings.Fields(l), " ")} })},
		{"entities", mapLines(clean, func(l string) []string { return []string{strings.ReplaceAll(l, "  ", "&nbsp; ")} })},
		{"numbered", func() []string {
			n := 0
			return mapLines(clean, func(l string) []string { n++; return []string{fmt.Sprintf("%5d: %s", n, l)} })
		}()},
		{"wrapped at 78", mapLines(clean, blankWrap)},
		{"hard wrap at 80", mapLines(clean, hardWrap)},
	} {
		b.Run(c.name, func(b *testing.B) {
			size := 0
			for _, l := range c.lines {
				size += len(l) + 1
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				var r Repair
				emit := func(kd.Line) {}
				for i, l := range c.lines {
					r.Push(l, int32(i)+1, emit)
				}
				r.Flush(false, emit)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(c.lines)), "ns/line")
		})
	}
}
