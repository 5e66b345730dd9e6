package inspect_test

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"kdlocks/report"
)

// capture is one publicly posted piece of debugger output and the truth about
// it, as testdata/corpus/INDEX.yaml tells it. Addresses there are lower-case
// hex without 0x; a null count means that its line is absent.
type capture struct {
	File        string `yaml:"file"`
	TruthUnsure bool   `yaml:"truth_unsure"`
	Truth       struct {
		Resources []truthResource `yaml:"resources"`
		Threads   []truthThread   `yaml:"threads"`
		Processes []truthProcess  `yaml:"processes"`
		Stacks    []truthStack    `yaml:"stacks"`

		StacksThreads  []truthRow       `yaml:"stacks_threads"`
		HeadlessStacks []truthStack     `yaml:"headless_stacks"`
		HeadlessThread *truthThread     `yaml:"headless_thread"`
		NotThread      []string         `yaml:"not_thread"`
		Running        []truthProcessor `yaml:"running"`
		Chain          []string         `yaml:"chain"`

		Totals *struct {
			Total *int `yaml:"total"`
			Held  *int `yaml:"held"`
		} `yaml:"totals"`
		Waits    []truthWait    `yaml:"waits"`
		PushLock string         `yaml:"pushlock"`
		Timeouts []truthTimeout `yaml:"timeout_reports"`
		FromKB   *struct {
			Resource string `yaml:"resource"`
			Frames   int    `yaml:"frames"`
		} `yaml:"waiting_thread_from_kb"`
	} `yaml:"truth"`
}

type truthProcess struct {
	Addr  string `yaml:"addr"`
	CID   string `yaml:"cid"`
	Image string `yaml:"image"`
}

type truthStack struct {
	Frames   int        `yaml:"frames"`
	Segments [][]string `yaml:"segments"` // first and last Child-SP of each
	Switch   []string   `yaml:"stack_switch_between"`
	WaitsIn  string     `yaml:"waits_in"`
	// Logical counts the frames of a wrapped stack that are whole, Tail those
	// before them of which the paste holds the end alone.
	Logical int `yaml:"logical_frames"`
	Tail    int `yaml:"headless_tail"`
}

// truthProcessor is one row of !running.
type truthProcessor struct {
	CPU     *int   `yaml:"cpu"`
	Prcb    string `yaml:"prcb"`
	Current string `yaml:"current"`
	Next    string `yaml:"next"`
	Owned   []int  `yaml:"lockqueue_owned"`
}

// truthWait is one thread's wait; what the truth leaves out is not compared.
type truthWait struct {
	Thread   string `yaml:"thread"`
	Reason   string `yaml:"reason"`
	Resource string `yaml:"resource"`
	Owner    string `yaml:"owner"`
	Frames   *int   `yaml:"frames"`
}

type truthTimeout struct {
	Resource         string   `yaml:"resource"`
	ActiveCount      *int     `yaml:"active_count"`
	Flags            []string `yaml:"flags"`
	ExclusiveWaiters *int     `yaml:"exclusive_waiters"`
	Threads          []struct {
		Addr  string `yaml:"addr"`
		Count int    `yaml:"count"`
	} `yaml:"threads"`
}

type truthResource struct {
	Addr             string       `yaml:"addr"`
	Name             string       `yaml:"name"`
	Mode             string       `yaml:"mode"`
	Contention       *int         `yaml:"contention"`
	SharedWaiters    *int         `yaml:"shared_waiters"`
	ExclusiveWaiters *int         `yaml:"exclusive_waiters"`
	Entries          []truthEntry `yaml:"entries"`
	Exclusive        []string     `yaml:"exclusive_waiter_threads"`
}

type truthEntry struct {
	Addr   string `yaml:"addr"`
	Count  int    `yaml:"count"`
	Marker bool   `yaml:"marker"`
	Actual string `yaml:"actual_thread"`
	Role   string `yaml:"role"`
}

type truthThread struct {
	Addr         string   `yaml:"addr"`
	CID          string   `yaml:"cid"`
	State        string   `yaml:"state"`
	WaitReason   string   `yaml:"wait_reason"`
	Mode         string   `yaml:"mode"`
	Processor    *int     `yaml:"processor"`
	Image        string   `yaml:"image"`
	WaitTicks    *int64   `yaml:"wait_ticks"`
	StackInit    string   `yaml:"stack_init"`
	StackCurrent string   `yaml:"stack_current"`
	StackBase    string   `yaml:"stack_base"`
	StackLimit   string   `yaml:"stack_limit"`
	Frames       *int     `yaml:"frames"`
	FramesFromK  *int     `yaml:"frames_from_k"`
	IRPs         []string `yaml:"irps"`
	InlineFrames *int     `yaml:"inline_frames"`
	LargeStack   bool     `yaml:"large_stack"`
	Start        string   `yaml:"start"`
	WaitsIn      string   `yaml:"waits_in"` // the first word is a function on the stack
	OnOwnStack   bool     `yaml:"wait_object_in_own_stack"`
	Process      string   `yaml:"process"`
	WaitStart    *int64   `yaml:"wait_start"`
	TicksRaw     *int64   `yaml:"wait_time_ticks_raw"`
	TimeRaw      *int64   `yaml:"wait_time_raw"`
	ALPC         *struct {
		Message string `yaml:"message"`
		Port    string `yaml:"port"`
		Server  string `yaml:"server_process"`
	} `yaml:"alpc"`
	WaitObjects []struct {
		Addr  string `yaml:"addr"`
		Type  string `yaml:"type"`
		Owner string `yaml:"owner"`
		Limit *int64 `yaml:"limit"`
	} `yaml:"wait_objects"`
}

// truthRow is one thread of !stacks.
type truthRow struct {
	Addr     string `yaml:"addr"`
	CID      string `yaml:"cid"`
	State    string `yaml:"state"`
	Process  string `yaml:"process"`
	TicksHex string `yaml:"ticks_hex"`
	Frames   *int   `yaml:"frames"`
	Detail2  *int   `yaml:"frames_in_detail2"`
	Top      string `yaml:"top"`
	WaitsIn  string `yaml:"waits_in"`
}

func loadCorpus(t testing.TB) []capture {
	t.Helper()
	text, err := os.ReadFile("../testdata/corpus/INDEX.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out []capture
	if err := yaml.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCorpusFacts(t *testing.T) {
	for _, c := range loadCorpus(t) {
		t.Run(c.File, func(t *testing.T) {
			data, err := os.ReadFile("../testdata/corpus/" + c.File)
			if err != nil {
				t.Fatal(err)
			}
			r := analyze(t, data)
			compareTruth(t, c, r)
		})
	}
}

// compareTruth compares all that is known of a capture.
func compareTruth(t *testing.T, c capture, r *report.Report) {
	t.Helper()
	compareResources(t, c, r)
	compareRows(t, c, r)
	compareProcesses(t, c, r)
	compareProcessors(t, c, r)
	compareHeadless(t, c, r)
	compareTotals(t, c, r)
	compareWaits(t, c, r)
	compareTimeouts(t, c, r)
	compareThreads(t, c, r)
	compareStacks(t, c, r)
}

// TestCorpusVerdicts: of these captures two show a deadlock.
func TestCorpusVerdicts(t *testing.T) {
	for _, c := range loadCorpus(t) {
		data, err := os.ReadFile("../testdata/corpus/" + c.File)
		if err != nil {
			t.Fatal(err)
		}
		got, want := analyze(t, data).Verdict.Kind == "deadlock", strings.HasPrefix(c.File, "020-") || strings.HasPrefix(c.File, "025-")
		if got != want {
			t.Errorf("%s: deadlock %v", c.File, got)
		}
	}
}

func compareResources(t *testing.T, c capture, r *report.Report) {
	t.Helper()
	last := map[string]truthResource{} // a later print of one resource replaces an earlier one
	for _, want := range c.Truth.Resources {
		last["0x"+want.Addr] = want
	}
	for addr, want := range last {
		found := false
		for got := range r.Resources.All() {
			if got.Address == addr {
				found = true
				if strings.HasPrefix(want.Mode, "unknown") { // cut off in its head line
					compare(t, "resource "+addr, []string{got.Symbol}, []string{want.Name})
					continue
				}
				compare(t, "resource "+addr, showResource(got), showTruth(want))
			}
		}
		if !found {
			t.Errorf("resource %s is missing", addr)
		}
	}
}

func compare(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

func showResource(r report.Resource) []string {
	out := []string{r.Mode, r.Symbol, count("contention", r.Contention), count("shared", r.SharedWaiterCount), count("exclusive", r.ExclusiveWaiterCount)}
	for _, o := range r.Owners {
		actual := ""
		if o.How == "tagged-thread" {
			actual = o.Thread
		}
		n := 0 // not printed
		if o.Count != nil {
			n = *o.Count
		}
		out = append(out, fmt.Sprintf("owner %s-%d %s", o.Raw, n, actual))
	}
	for _, w := range r.SharedWaiters {
		out = append(out, "waits "+w.Thread)
	}
	for _, w := range r.ExclusiveWaiters {
		out = append(out, "exclusive "+w.Thread)
	}
	return out
}

// count shows a count; a line that is absent stands for zero.
func count(name string, n *int) string {
	if n == nil || *n == 0 {
		return name + " none"
	}
	return fmt.Sprint(name, " ", *n)
}

func showTruth(r truthResource) []string {
	mode := map[string]string{"available": "unowned"}[r.Mode]
	if mode == "" {
		mode = r.Mode
	}
	out := []string{mode, r.Name, count("contention", r.Contention), count("shared", r.SharedWaiters), count("exclusive", r.ExclusiveWaiters)}
	var waits []string
	for _, e := range r.Entries {
		if strings.HasPrefix(e.Role, "shared waiter") {
			waits = append(waits, "waits 0x"+e.Addr)
			continue
		}
		actual := ""
		if e.Actual != "" {
			actual = "0x" + e.Actual
		}
		out = append(out, fmt.Sprintf("owner 0x%s-%d %s", e.Addr, e.Count, actual))
	}
	out = append(out, waits...)
	for _, w := range r.Exclusive {
		out = append(out, "exclusive 0x"+w)
	}
	return out
}

func compareThreads(t *testing.T, c capture, r *report.Report) {
	t.Helper()
	for _, want := range c.Truth.Threads {
		var got *report.Thread
		for _, th := range r.Threads.Slice() {
			if th.Address == "0x"+want.Addr {
				got = &th
			}
		}
		if got == nil {
			t.Errorf("thread %s is missing", want.Addr)
			continue
		}
		compareThread(t, want, got)
	}
}

func compareThread(t *testing.T, want truthThread, got *report.Thread) {
	t.Helper()
	check := func(what string, got, want any) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	if want.CID != "" {
		check("cid", got.CID, padCID(want.CID))
	}
	if want.State != "" {
		check("state", got.State, map[string]string{"WAIT": "waiting", "RUNNING": "running"}[want.State])
		check("wait reason", got.WaitReason, want.WaitReason)
	}
	if want.Mode != "" {
		check("mode", got.WaitMode, want.Mode)
	}
	if want.Processor != nil && got.Processor != nil {
		check("processor", *got.Processor, *want.Processor)
	}
	if want.Image != "" && got.Process != nil {
		check("image", got.Process.Image, want.Image)
	}
	if want.WaitTicks != nil && got.WaitTicks != nil {
		check("ticks", *got.WaitTicks, *want.WaitTicks)
	}
	var objects, wanted []string
	for _, w := range got.WaitObjects {
		objects = append(objects, w.Address+" "+w.Kind+" "+w.Owner+limitOf(w.Limit))
	}
	for _, w := range want.WaitObjects {
		owner := ""
		if w.Owner != "" {
			owner = "0x" + w.Owner
		}
		wanted = append(wanted, "0x"+w.Addr+" "+w.Type+" "+owner+limitOf(w.Limit))
	}
	check("wait objects", objects, wanted)
	if got.Stack != nil {
		for _, s := range []struct{ what, got, want string }{
			{"init", got.Stack.Init, want.StackInit}, {"current", got.Stack.Current, want.StackCurrent},
			{"base", got.Stack.Base, want.StackBase}, {"limit", got.Stack.Limit, want.StackLimit},
		} {
			if s.want != "" {
				check(s.what, s.got, "0x"+s.want)
			}
		}
	}
	compareRest(t, want, got)
	var irps []string
	for _, irp := range want.IRPs {
		irps = append(irps, "0x"+irp)
	}
	check("irps", got.IRPs, irps)
	switch {
	case want.FramesFromK != nil:
		check("frames", len(got.Frames), *want.FramesFromK)
	case want.Frames != nil:
		check("frames", len(got.Frames), *want.Frames)
	}
}

func limitOf(n *int64) string {
	if n == nil {
		return ""
	}
	return fmt.Sprint(" limit ", *n)
}

// compareRest compares what few captures tell of a thread.
func compareRest(t *testing.T, want truthThread, got *report.Thread) {
	t.Helper()
	if want.LargeStack && !got.LargeStack {
		t.Error("no large stack")
	}
	if want.Start != "" && !strings.HasPrefix(got.StartAddress, want.Start) {
		t.Errorf("start is %q, want %q", got.StartAddress, want.Start)
	}
	hasFunction(t, want.WaitsIn, got)
	if want.OnOwnStack && (got.Stack == nil || got.WaitObjects[0].Address < got.Stack.Limit || got.WaitObjects[0].Address >= got.Stack.Base) {
		t.Error("the object waited for is not on the thread's own stack")
	}
	if want.Process != "" && (got.Process == nil || got.Process.Address != "0x"+want.Process) {
		t.Errorf("process is %v, want %s", got.Process, want.Process)
	}
	for _, n := range []*int64{want.WaitStart, want.TicksRaw, want.TimeRaw} {
		if n != nil && (got.WaitStartTick == nil || *got.WaitStartTick != *n) {
			t.Errorf("wait start is %v, want %d", got.WaitStartTick, *n)
		}
	}
	if a := want.ALPC; a != nil {
		want := report.Reply{Kind: "alpc", Message: "0x" + a.Message, Port: "0x" + a.Port, Server: "0x" + a.Server}
		if got.Reply == nil || *got.Reply != want {
			t.Errorf("reply is %+v, want %+v", got.Reply, want)
		}
	}
	if want.InlineFrames != nil {
		n := 0
		for _, f := range got.Frames {
			if f.Inline {
				n++
			}
		}
		if n != *want.InlineFrames {
			t.Errorf("%d inline frames, want %d", n, *want.InlineFrames)
		}
	}
}

func compareProcesses(t *testing.T, c capture, r *report.Report) {
	t.Helper()
	for _, want := range c.Truth.Processes {
		found := false
		for _, got := range r.Processes {
			found = found || got.Address == "0x"+want.Addr && got.CID == want.CID && got.Image == want.Image
		}
		if !found {
			t.Errorf("process %+v is not in %+v", want, r.Processes)
		}
	}
}

func compareProcessors(t *testing.T, c capture, r *report.Report) {
	t.Helper()
	if len(c.Truth.Running) > 0 && len(c.Truth.Running) != len(r.Processors) {
		t.Errorf("%d processors, want %d", len(r.Processors), len(c.Truth.Running))
		return
	}
	for i, want := range c.Truth.Running {
		got := r.Processors[i]
		line := []string{fmt.Sprint(*want.CPU), "0x" + want.Current, "", fmt.Sprint(want.Owned)}
		if want.Next != "" {
			line[2] = "0x" + want.Next
		}
		if want.Prcb != "" {
			line = append(line, "0x"+want.Prcb)
		}
		compare(t, "processor", []string{fmt.Sprint(*got.CPU), got.Current, got.Next, fmt.Sprint(got.LockQueueOwned), got.Prcb}[:len(line)], line)
	}
}

// compareHeadless compares what was cut off from its head: threads and stacks
// without an address, and values that are no threads.
func compareHeadless(t *testing.T, c capture, r *report.Report) {
	t.Helper()
	for _, want := range c.Truth.NotThread {
		if !slices.Contains(r.NotThread, "0x"+want) {
			t.Errorf("%s is not among the values that are no thread: %q", want, r.NotThread)
		}
	}
	for i, want := range c.Truth.Chain[:max(0, len(c.Truth.Chain)-1)] {
		waits := false
		for _, th := range r.Threads.Slice() {
			for _, w := range th.WaitObjects {
				waits = waits || th.Address == "0x"+want && w.Kind == "Thread" && w.Address == "0x"+c.Truth.Chain[i+1]
			}
		}
		if !waits {
			t.Errorf("thread %s does not wait for thread %s", want, c.Truth.Chain[i+1])
		}
	}
	var headless []*report.Thread
	for _, th := range r.Threads.Slice() {
		if th.Address == "" {
			headless = append(headless, &th)
		}
	}
	for _, want := range c.Truth.HeadlessStacks {
		if !slices.ContainsFunc(headless, func(th *report.Thread) bool { return len(th.Frames) == want.Frames }) {
			t.Errorf("no headless stack of %d frames", want.Frames)
		}
	}
	if want := c.Truth.HeadlessThread; want != nil {
		if len(headless) != 1 {
			t.Fatalf("%d threads without an address", len(headless))
		}
		compareThread(t, *want, headless[0])
		if p := headless[0].Process; p == nil || p.Image != want.Image {
			t.Errorf("image of the headless thread: %+v", p)
		}
	}
}

func compareRows(t *testing.T, c capture, r *report.Report) {
	t.Helper()
	for _, want := range c.Truth.StacksThreads {
		p, th, _ := strings.Cut(want.CID, ".")
		line := []string{fmt.Sprintf("%04s.%04s", p, strings.TrimPrefix(th, "00")), map[string]string{"Blocked": "waiting", "RUNNING": "running"}[want.State]}
		var got []string
		for _, th := range r.Threads.Slice() {
			if th.Address != "0x"+want.Addr {
				continue
			}
			got = []string{th.CID, th.State}
			if want.Process != "" {
				got, line = append(got, th.Process.Image), append(line, want.Process)
			}
			if want.TicksHex != "" {
				got, line = append(got, fmt.Sprintf("%x", *th.WaitTicks)), append(line, want.TicksHex)
			}
			if want.Frames != nil {
				got, line = append(got, fmt.Sprint(len(th.Frames))), append(line, fmt.Sprint(*want.Frames))
			}
			if want.Detail2 != nil {
				got, line = append(got, fmt.Sprint(len(th.Frames))), append(line, fmt.Sprint(*want.Detail2))
			}
			hasFunction(t, want.WaitsIn, &th)
			switch want.Top {
			case "":
			case "Stack paged out":
				got, line = append(got, fmt.Sprint(th.NotResident)), append(line, "true")
			default:
				got, line = append(got, th.Frames[0].Symbol), append(line, want.Top)
			}
		}
		compare(t, "row of thread "+want.Addr, got, line)
	}
}

func compareTotals(t *testing.T, c capture, r *report.Report) {
	t.Helper()
	want := c.Truth.Totals
	if want == nil {
		return
	}
	if len(r.Totals) == 0 {
		t.Error("no totals")
		return
	}
	got := r.Totals[len(r.Totals)-1]
	if !reflect.DeepEqual(&got.Total, want.Total) || !reflect.DeepEqual(got.Held, want.Held) {
		t.Errorf("totals are %+v, want %d and %v", got, *want.Total, want.Held)
	}
}

func compareWaits(t *testing.T, c capture, r *report.Report) {
	t.Helper()
	wanted := c.Truth.Waits
	if kb := c.Truth.FromKB; kb != nil {
		wanted = append(wanted, truthWait{Resource: kb.Resource, Frames: &kb.Frames})
	}
	for _, want := range wanted {
		found := false
		for _, got := range r.Waits.Slice() {
			found = found || got.Thread == hexOf(want.Thread) &&
				(want.Reason == "" || got.Reason == want.Reason) &&
				got.Resource == hexOf(want.Resource) &&
				(want.Owner == "" || got.Owner == hexOf(want.Owner)) &&
				(want.Frames == nil || got.Frames == *want.Frames)
		}
		if !found {
			t.Errorf("no wait %+v among %+v", want, r.Waits)
		}
	}
	if want := c.Truth.PushLock; want != "" {
		if len(r.PushLocks) == 0 || r.PushLocks[0].Address != hexOf(want) || !r.PushLocks[0].Bits["Locked"] {
			t.Errorf("push locks are %+v, want %s", r.PushLocks, want)
		}
	}
}

// hexOf turns an address of the truth into one of a report.
func hexOf(s string) string {
	if s == "" {
		return ""
	}
	return "0x" + s
}

func compareTimeouts(t *testing.T, c capture, r *report.Report) {
	t.Helper()
	if len(c.Truth.Timeouts) != 0 && len(r.Timeouts) != len(c.Truth.Timeouts) {
		t.Errorf("%d reports of time-outs, want %d", len(r.Timeouts), len(c.Truth.Timeouts))
		return
	}
	for i, want := range c.Truth.Timeouts {
		got := r.Timeouts[i]
		w := report.TimeoutReport{Resource: hexOf(want.Resource), ActiveCount: want.ActiveCount, Flags: want.Flags, ExclusiveWaiters: want.ExclusiveWaiters, At: got.At}
		if want.ActiveCount == nil {
			w.ActiveCount = got.ActiveCount
		}
		if want.Flags == nil {
			w.Flags = got.Flags
		}
		for _, th := range want.Threads {
			w.Threads = append(w.Threads, report.Slot{Address: hexOf(th.Addr), Count: th.Count})
		}
		if !reflect.DeepEqual(got, w) {
			t.Errorf("report of a time-out:\ngot  %+v\nwant %+v", got, w)
		}
	}
}

func padCID(s string) string {
	p, th, _ := strings.Cut(s, ".")
	return fmt.Sprintf("%04s.%04s", p, th)
}

func compareStacks(t *testing.T, c capture, r *report.Report) {
	t.Helper()
	for _, want := range c.Truth.Stacks {
		want.Frames += want.Logical + want.Tail
		if want.Frames == 0 {
			continue
		}
		all := r.Threads.Slice()
		at := slices.IndexFunc(all, func(th report.Thread) bool { return len(th.Frames) == want.Frames })
		if at < 0 {
			t.Errorf("no stack of %d frames", want.Frames)
			continue
		}
		for i, f := range all[at].Frames[:want.Logical+want.Tail] {
			if tail := i < want.Tail; tail != (f.ChildSP == "") {
				t.Errorf("stack address of frame %d: %q", i, f.ChildSP)
			}
		}
		compareSegments(t, want, all[at])
		hasFunction(t, want.WaitsIn, &all[at])
	}
}

// hasFunction asks for a frame of the function that a text begins with.
func hasFunction(t *testing.T, text string, th *report.Thread) {
	t.Helper()
	name, _, _ := strings.Cut(text, " ")
	if name != "" && !slices.ContainsFunc(th.Frames, func(f report.Frame) bool { return f.Module+"!"+f.Function == name }) {
		t.Errorf("no frame of %s", name)
	}
}

// compareSegments compares the stacks that the frames run over.
func compareSegments(t *testing.T, want truthStack, th report.Thread) {
	t.Helper()
	if len(want.Segments) == 0 {
		return
	}
	var got, wanted []string
	for i, g := range th.Stack.Segments {
		got = append(got, th.Frames[*g.FirstFrame].ChildSP+".."+th.Frames[*g.LastFrame].ChildSP)
		if i > 0 {
			inner, outer := th.Frames[*g.FirstFrame-1], th.Frames[*g.FirstFrame]
			compare(t, "stack switch", []string{inner.Module + "!" + inner.Function, outer.Module + "!" + outer.Function}, want.Switch)
		}
	}
	for _, s := range want.Segments {
		wanted = append(wanted, "0x"+s[0]+"..0x"+s[1])
	}
	compare(t, "segments", got, wanted)
}
