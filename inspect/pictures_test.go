package inspect_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kdlocks/picture"
	"kdlocks/report"
)

// drawn are the cases whose pictures are kept in testdata/pictures, and in what
// formats.
var drawn = map[string][]string{
	"abba":                         {"svg", "dot", "html", "txt"},
	"owner-pointer-self-deadlock":  {"svg", "dot", "txt"},
	"convoy":                       {"svg", "dot", "txt"},
	"chain":                        {"txt"},
	"queued-behind-itself":         {"txt"},
	"upgrade-two-owners":           {"txt"},
	"owner-pointer-returned-frame": {"txt"},
	"owner-pointer-locks-only":     {"txt"},
	"mutant-cycle":                 {"txt"},
	"alpc-cycle-server-guessed":    {"dot", "txt"},
}

func TestPictures(t *testing.T) {
	for _, k := range loadCases(t) {
		for _, format := range drawn[k.name] {
			path := filepath.Join("..", "testdata", "pictures", k.name+"."+format)
			got := written(t, analyze(t, k.input), format)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("%s (-want +got):\n%s", path, d)
			}
		}
	}
}

// written returns a report in one of the formats; txt is the text twin of the
// picture.
func written(t testing.TB, r *report.Report, format string) string {
	t.Helper()
	if format == "txt" {
		return picture.Text(r.Picture())
	}
	var b bytes.Buffer
	if err := report.WriterFor(format)(&b, r, report.Style{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestPicturesOfAllCases: whatever is drawn is well-formed, needs nothing else,
// is the same twice, and counts every blocked thread once.
func TestPicturesOfAllCases(t *testing.T) {
	for _, k := range loadCases(t) {
		r := analyze(t, k.input)
		for _, format := range []string{"svg", "html", "dot"} {
			text := written(t, r, format)
			if text != written(t, r, format) {
				t.Errorf("%s: %s differs the second time", k.name, format)
			}
			if format == "dot" {
				continue
			}
			if err := wellFormed(text); err != nil {
				t.Errorf("%s: %s: %v", k.name, format, err)
			}
			for _, bad := range []string{"<script", "javascript:", "src=", "url(", "@import", "http-equiv=\"refresh\"", "<link", "<iframe"} {
				if strings.Contains(text, bad) {
					t.Errorf("%s: the %s has %q", k.name, format, bad)
				}
			}
		}
		for i, p := range r.Picture().Panels {
			if err := countsAll(r, &p); err != nil {
				t.Errorf("%s: panel %d: %v", k.name, i+1, err)
			}
		}
	}
}

// wellFormed reads text as XML.
func wellFormed(text string) error {
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// countsAll checks that each thread that a panel's findings call blocked is
// drawn or counted, once.
func countsAll(r *report.Report, p *picture.Panel) error {
	bystander := make(map[string]bool)
	got, want := 0, 0
	for _, h := range p.Heads {
		f := r.Findings[h.Number-1]
		want = max(want, f.BlockedThreads)
		for _, b := range f.Bystanders {
			bystander[strings.TrimLeft(b, "0x")] = true
		}
	}
	on := make(map[int]bool)
	for i, n := range p.Path {
		node := p.Nodes[n]
		root := !p.Closed && i == len(p.Path)-1
		switch {
		case on[n] || node.Address == "" && node.Shape == picture.Nobody && root:
		case node.Shape == picture.Elided && !p.Closed:
			got += node.Count
		case node.Shape == picture.Thread && (!p.Closed && !root || bystander[strings.TrimLeft(node.Address, "0")]):
			got++
		case node.Shape == picture.Nobody && !p.Closed && !root:
			got++
		}
		on[n] = true
	}
	for i, n := range p.Nodes {
		if !on[i] {
			got += n.Count
		}
	}
	if got != want {
		return fmt.Errorf("%d threads are drawn or counted, %d are blocked", got, want)
	}
	return nil
}

// TestHugeReportsStaySmall: 800 threads wait for one of 5,000 locks, on a
// machine of 20,000 threads. What is drawn and written of it stays small, and
// the first screen tells the story.
func TestHugeReportsStaySmall(t *testing.T) {
	r := analyze(t, []byte(busyServer(800, 5000, 20000)))
	for format, most := range map[string]int{"svg": 16 << 10, "dot": 8 << 10, "html": 400 << 10} {
		text := written(t, r, format)
		if len(text) > most {
			t.Errorf("%s: %d bytes", format, len(text))
		}
		if !strings.Contains(text, "+ 799 threads") || !strings.Contains(text, "ffffaa3e10000080") {
			t.Errorf("%s does not tell of the waiters and the root", format)
		}
	}
	var text bytes.Buffer
	if err := report.WriteText(&text, r, report.Style{Width: 80}); err != nil {
		t.Fatal(err)
	}
	screen := strings.Join(strings.Fields(strings.Join(strings.SplitN(text.String(), "\n", 25)[:24], "\n")), " ")
	for _, want := range []string{"800 threads wait behind thread ffffaa3e10000080", "runs on a processor", "ffffaa3e50000000"} {
		if !strings.Contains(screen, want) {
			t.Errorf("the first screen does not say %q:\n%s", want, screen)
		}
	}
	html := written(t, r, "html")
	for _, want := range []string{"5000 read", "20000 read", "… and 4700 more", "… and 19700 more"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// busyServer is a log of waiters that wait for the first of some locks, whose
// owner runs, and of some threads.
func busyServer(waiters, locks, all int) string {
	var b strings.Builder
	thread := func(i int) uint64 { return 0xffffaa3e10000080 + uint64(i)<<12 }
	b.WriteString("0: kd> !locks\n**** DUMP OF ALL RESOURCE OBJECTS ****\n")
	for i := range locks {
		fmt.Fprintf(&b, "\nResource @ 0x%x    Exclusively owned\n", 0xffffaa3e50000000+uint64(i)<<8)
		if i > 0 {
			fmt.Fprintf(&b, "     Threads: %x-01<*>\n", thread(waiters+i))
			continue
		}
		fmt.Fprintf(&b, "    Contention Count = 123456\n    NumberOfExclusiveWaiters = %d\n     Threads: %x-01<*>\n     Threads Waiting On Exclusive Access:\n", waiters, thread(0))
		for w := 1; w <= waiters; w += 4 {
			b.WriteString("              ")
			for n := w; n < w+4 && n <= waiters; n++ {
				fmt.Fprintf(&b, "%x       ", thread(n))
			}
			b.WriteString("\n")
		}
	}
	fmt.Fprintf(&b, "\n%d total locks, %d locks currently held\n\n0: kd> !process 0 7\n", locks, locks)
	b.WriteString("PROCESS ffffaa3e90000080\n    SessionId: none  Cid: 0004    Peb: 00000000  ParentCid: 0000\n    DirBase: 001aa000  ObjectTable: ffffaa3e90000000  HandleCount: 100.\n    Image: System\n\n")
	for i := range all {
		state := "WAIT: (WrQueue) KernelMode Non-Alertable\n            ffffaa3e80000000  QueueObject"
		switch {
		case i == 0:
			state = "RUNNING on processor 0"
		case i <= waiters:
			state = "WAIT: (WrResource) KernelMode Non-Alertable\n            ffffaa3ea0000000  SynchronizationEvent"
		}
		fmt.Fprintf(&b, "        THREAD %x  Cid 0004.%04x  Teb: 0000000000000000 Win32Thread: 0000000000000000 %s\n        Not impersonating\n", thread(i), i+8, state)
		base := 0xffffbbb900000000 + uint64(i)<<15
		fmt.Fprintf(&b, "        Stack Init %x Current %x\n        Base %x Limit %x Call 0\n        Child-SP          RetAddr           Call Site\n", base+0x6db0, base+0x63a0, base+0x7000, base+0x1000)
		frames := []string{"KiSwapContext+0x7a", "KiCommitThreadWait+0x1d2", "KeRemoveQueueEx+0x848"}
		if i > 0 && i <= waiters {
			frames[2] = "ExpWaitForResource+0xae"
		}
		for n, f := range frames {
			fmt.Fprintf(&b, "        %016x fffff8000228da52 nt!%s\n", base+0x63e0+uint64(n)<<7, f)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// drawnLock writes a block of !locks; owners share it if there are several.
func drawnLock(b *strings.Builder, address uint64, owners, exclusive, shared []int) {
	thread := func(i int) uint64 { return 0xffffaa3e10000080 + uint64(i)<<12 }
	mode := "Exclusively owned"
	if len(owners) > 1 {
		mode = fmt.Sprintf("Shared %d owning threads", len(owners))
	}
	fmt.Fprintf(b, "\nResource @ 0x%x    %s\n    Contention Count = 3\n", address, mode)
	if len(shared) > 0 {
		fmt.Fprintf(b, "    NumberOfSharedWaiters = %d\n", len(shared))
	}
	if len(exclusive) > 0 {
		fmt.Fprintf(b, "    NumberOfExclusiveWaiters = %d\n", len(exclusive))
	}
	b.WriteString("     Threads:")
	for _, t := range owners {
		fmt.Fprintf(b, " %x-01<*>", thread(t))
	}
	for _, t := range shared {
		fmt.Fprintf(b, " %x-01", thread(t))
	}
	b.WriteString("\n")
	if len(exclusive) > 0 {
		b.WriteString("     Threads Waiting On Exclusive Access:\n              ")
	}
	for _, t := range exclusive {
		fmt.Fprintf(b, "%x       ", thread(t))
	}
	b.WriteString("\n")
}

// TestPicturesOfAnySize: of rings, chains, one lock with many owners and one
// owner of many locks.
func TestPicturesOfAnySize(t *testing.T) {
	lockAt := func(i int) uint64 { return 0xffffaa3e50000000 + uint64(i)<<8 }
	shapes := map[string]struct {
		log  func(b *strings.Builder, n int)
		path func(n int) int // nodes on the path when nothing is left out
	}{
		"ring": {func(b *strings.Builder, n int) {
			for i := range n {
				drawnLock(b, lockAt(i), []int{(i + 1) % n}, []int{i}, []int{1000 + i, 2000 + i})
			}
		}, func(n int) int { return 2 * n }},
		"chain": {func(b *strings.Builder, n int) {
			for i := range n {
				drawnLock(b, lockAt(i), []int{i + 1}, []int{i, 1000 + i}, nil)
			}
		}, func(n int) int { return 2*n + 1 }},
		"owners of one lock": {func(b *strings.Builder, n int) {
			var all []int
			for i := range n {
				all = append(all, i)
			}
			drawnLock(b, lockAt(0), all, append(all, 1000), nil)
		}, func(n int) int { return 2 * n }},
		"locks of one owner": {func(b *strings.Builder, n int) {
			for i := range n {
				drawnLock(b, lockAt(i), []int{0}, []int{100 + i, 200 + i}, nil)
			}
		}, func(int) int { return 3 }},
	}
	for name, shape := range shapes {
		for _, n := range []int{2, 3, 5, 12, 13, 30, 200} {
			var b strings.Builder
			b.WriteString("0: kd> !locks\n**** DUMP OF ALL RESOURCE OBJECTS ****\n")
			shape.log(&b, n)
			r := analyze(t, []byte(b.String()))
			pic := r.Picture()
			if len(pic.Panels) != 1 {
				t.Errorf("%s of %d: %d panels", name, n, len(pic.Panels))
				continue
			}
			p := &pic.Panels[0]
			if err := countsAll(r, p); err != nil {
				t.Errorf("%s of %d: %v", name, n, err)
			}
			if got, want := len(p.Path), shape.path(n); n <= 12 && got != want || n > 12 && got > 26 {
				t.Errorf("%s of %d: %d nodes on the path, whole it has %d", name, n, got, want)
			}
			text := written(t, r, "svg")
			if err := wellFormed(text); err != nil || len(text) > 64<<10 {
				t.Errorf("%s of %d: %d bytes, %v", name, n, len(text), err)
			}
			if n > 12 && !strings.Contains(text, fmt.Sprintf("… %d more", map[bool]int{true: n - 5, false: n - 11}[name == "locks of one owner"])) {
				t.Errorf("%s of %d: what was left out is not said", name, n)
			}
		}
	}
}
