package inspect_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kdlocks/report"
)

// expertCases are captures of which the source, or an expert, told the diagnosis
// (testdata/corpus/INDEX.yaml): the verdict, and what the report must say of
// what was concluded, or of the fact that is missing for it.
var expertCases = map[string]struct {
	verdict string
	says    []string
}{
	"020": {"deadlock", []string{"2 threads wait for each other", "thread ffffaa3e193fc080 for ERESOURCE ffffaa3e1c7b46c0"}},
	"022": {"undecided", []string{"thread ffff8b08a1756040, which the input does not show", "!thread ffff8b08a1756040"}},
	"024": {"no-deadlock", []string{"it is the debugger itself"}},
	"025": {"deadlock", []string{"2 threads wait for each other", "Suspect: TestDriver"}},
	"027": {"undecided", []string{"4 threads wait for a pushlock, all from TestDriver", "waits for itself: a pushlock cannot be taken twice"}},
	"030": {"blocked-chain", []string{"3 threads wait behind thread ffffb42747fa5080", "OpenZFS!rw_enter"}},
	"040": {"no-deadlock", []string{"waits for the disk: its page must be read or written"}},
	"045": {"undecided", []string{"waits for an ERESOURCE", "its ticks are not its age"}},
	"049": {"undecided", []string{"!locks"}},
	"052": {"contention", []string{"19648535 times", "win32k!_FindWindowEx", "takes the lock again and again in a loop"}},
	"056": {"undecided", []string{"mutant fffffa965d75daf0", "thread fffffa965ea2ab60, which the input does not show"}},
	"057": {"undecided", []string{"waits for the reply of an LPC or ALPC server", "process fffffaa2109c8c10"}},
	"061": {"undecided", []string{"run on a processor"}},
	"063": {"undecided", []string{"Nothing in the kernel names who ends such a wait", "!cs"}},
	"066": {"no-deadlock", []string{"PNP_DETECTED_FATAL_ERROR", "That is no lock problem"}},
	"068": {"no-deadlock", []string{"PAGE_FAULT_IN_NONPAGED_AREA", "no lock problem is visible"}},
	"069": {"undecided", []string{"runs on a processor"}},
	"073": {"undecided", []string{"inside nt!MmFreePoolMemory and nt!ExAllocatePoolWithTag"}},
	"076": {"blocked-chain", []string{"until everybody has left the minifilter", "a reference that was never given back", "no lock that !locks could show"}},
}

func TestExpertCases(t *testing.T) {
	for number, want := range expertCases {
		t.Run(number, func(t *testing.T) {
			files, err := filepath.Glob("../testdata/corpus/" + number + "-*.log")
			if err != nil || len(files) != 1 {
				t.Fatalf("%v, %v", files, err)
			}
			data, err := os.ReadFile(files[0])
			if err != nil {
				t.Fatal(err)
			}
			r := analyze(t, data)
			if r.Verdict.Kind != want.verdict {
				t.Errorf("verdict %s, want %s: %s", r.Verdict.Kind, want.verdict, r.Verdict.Summary)
			}
			var b bytes.Buffer
			if err := report.WriteText(&b, r, report.Style{}); err != nil {
				t.Fatal(err)
			}
			text := strings.Join(strings.Fields(b.String()), " ")
			for _, s := range want.says {
				if !strings.Contains(text, s) {
					t.Errorf("does not say %q:\n%s", s, b.String())
				}
			}
		})
	}
}
