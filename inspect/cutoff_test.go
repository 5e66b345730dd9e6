package inspect_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"kdlocks/inspect"
	"kdlocks/report"
)

// cutAdvice is what a text gets told of its being cut within a THREAD block.
func cutAdvice(t *testing.T, data []byte) report.Advice {
	t.Helper()
	r, err := inspect.Run(t.Context(), []inspect.Input{inspect.Bytes("cut.log", data)}, inspect.Options{})
	if r == nil {
		t.Fatal(err)
	}
	for _, a := range r.Advice() {
		if a.ID == "cut" && strings.Contains(a.Text, "THREAD block") {
			return a
		}
	}
	return report.Advice{}
}

// TestCutThreadBlockIsTold cuts logs at each byte of their last THREAD block: from the
// digits of its address up to the first frame.
func TestCutThreadBlockIsTold(t *testing.T) {
	heads := regexp.MustCompile(`(?m)^ *THREAD [0-9a-f]`)
	columns := regexp.MustCompile(`(?m)^ *(Child-SP|ChildEBP) .*\n`)
	for _, c := range []struct{ name, command string }{
		{"owner-pointer-self-deadlock", "!thread fffff88007fab7f3 e"},
		{"owner-pointer-x86", ""},
		{"alpc-cycle", ""},
	} {
		a, err := txtar.ParseFile("../testdata/cases/" + c.name + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		data := a.Files[slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == "input.txt" })].Data
		at := heads.FindAllIndex(data, -1)
		if len(at) == 0 {
			t.Fatalf("%s has no THREAD block", c.name)
		}
		from := at[len(at)-1][1]
		stack := columns.FindIndex(data[from:])
		if stack == nil {
			t.Fatalf("%s has no stack", c.name)
		}
		var silent []string
		for n := from; n <= from+stack[1]; n++ {
			got, line := cutAdvice(t, data[:n]), bytes.Count(data[:n-1], []byte("\n"))+1
			switch {
			case got.ID == "" || !strings.Contains(got.Text, fmt.Sprintf("end within line %d", line)):
				silent = append(silent, string(data[bytes.LastIndexByte(data[:n-1], '\n')+1:n]))
			case c.command != "" && (!slices.Contains(got.Commands, c.command) || !strings.Contains(got.Text, "in the output of "+c.command)):
				t.Errorf("%s cut at %d: %+v", c.name, n, got)
			}
		}
		if len(silent) > 0 {
			t.Errorf("%s: nothing tells that the text is cut at %q", c.name, silent)
		}
	}
}

func TestWholeLogsAreNotCut(t *testing.T) {
	const (
		head  = "THREAD fffffa80169538a0  Cid 0004.0638  Teb: 0000000000000000 Win32Thread: 0000000000000000 "
		wait  = head + "WAIT: (Executive) KernelMode Non-Alertable\n    fffffa80139ea3e0  SynchronizationEvent\n"
		props = "Not impersonating\nOwning Process fffffa800cd6a5f0       Image:         System\nWait Start TickCount      27606952       Ticks: 141 (0:00:00:02.199)\nPriority 14 BasePriority 13 UnusualBoost 1 ForegroundBoost 0 IoPriority 2 PagePriority 5\n"
	)
	for _, text := range []string{
		"0: kd> !thread fffffa80169538a0 0\n" + wait,
		"0: kd> !thread fffffa80169538a0 2\n" + wait,
		"0: kd> !process 0 2\n" + wait,
		"0: kd> !process 0 0\nPROCESS fffffa800cd6a5f0\n    SessionId: none  Cid: 0004    Peb: 00000000  ParentCid: 0000\n    Image: System\n",
		wait,
		head + "READY\n",
		wait + props,
		"0: kd> !thread fffffa80169538a0\n" + wait + props + "\n",
		"0: kd> !thread fffffa80169538a0\n" + wait + props + "0: kd> ",
		"0: kd> !thread fffffa80169538a0\n" + wait + props + "Kernel stack not resident.\n",
		"0: kd> !thread fffffa80169538a0\n" + head + "TERMINATED\n" + props,
		"0: kd> !thread fffffa80169538a0\n" + wait + props + "Unable to get context for thread running on processor 1, Win32 error 0n30\n",
		wait + "So much for this thread.\n",
	} {
		if a := cutAdvice(t, []byte(text)); a.ID != "" {
			t.Errorf("%q is whole: %s", text, a.Text)
		}
	}
	cases, _ := filepath.Glob("../testdata/cases/*.txtar")
	for _, p := range cases {
		a, err := txtar.ParseFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if f.Name == "input.txt" && !endsInThread[filepath.Base(p)] {
				if a := cutAdvice(t, f.Data); a.ID != "" {
					t.Errorf("%s is whole: %s", p, a.Text)
				}
			}
		}
	}
	captures, _ := filepath.Glob("../testdata/corpus/*.log")
	for _, p := range captures {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		if a := cutAdvice(t, data); a.ID != "" && !endsInThread[filepath.Base(p)] {
			t.Errorf("%s is whole: %s", p, a.Text)
		}
	}
}

// endsInThread are the logs whose authors left out the rest of the last block.
var endsInThread = map[string]bool{
	"chain-root-state-unread.txtar": true, "count-unread-listed.txtar": true, "marker-in-waiter-lists.txtar": true, "run-together-remarks.txtar": true,
	"thread-state-unread.txtar": true, "thread-state-wrapped.txtar": true,
	"040-winspd-10-shared2-pagein.log": true, "045-nkuo-eresource-wait-inline-frames.log": true,
	"054-vostokov-42d-thread-object-wait-collapsed.log": true, "061-vostokov-p53-running-worker.log": true,
}

func TestHeaderAloneIsTold(t *testing.T) {
	const header = "Loading Dump File [C:\\MEMORY.DMP]\nWindows 10 Kernel Version 19041 MP (8 procs) Free x64\nKernel base = 0xfffff804`22600000 PsLoadedModuleList = 0xfffff804`2322a290\nDebug session t"
	for text, want := range map[string]bool{
		header: true,
		header + "ime: Tue Mar  3 10:11:12.345 2020\nSystem Uptime: 0 days 1:00:00.000\n0: kd> ": true,
		header + "\n0: kd> !locks\nKD: Scanning for held locks.":                                 false,
		header + "\n0: kd> !thread\nTHREAD fffffa80169538a0  Cid 0004.0638\n":                    false,
		header + "\n0: kd> !process 0 0\nPROCESS fffffa800cd6a5f0\n    Image: System\n":          false,
	} {
		r, err := inspect.Run(t.Context(), []inspect.Input{inspect.Bytes("header.log", []byte(text))}, inspect.Options{})
		if r == nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(r.Advice(), func(a report.Advice) bool { return a.ID == "header-only" })
		if (i >= 0) != want || want && len(r.Advice()[i].Commands) == 0 {
			t.Errorf("%q: %+v", text, r.Advice())
		}
	}
}
