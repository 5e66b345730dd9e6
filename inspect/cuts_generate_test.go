package inspect_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kdlocks/inspect"
)

// TestCuttingAddsNoDeadlock cuts texts with the THREAD blocks before the
// lists: cut the other way round, what acquits a thread would be gone.
func TestCuttingAddsNoDeadlock(t *testing.T) {
	t.Parallel()
	eachScene(t, innocents, 1, []int{20, 40}, func(t *testing.T, s scene) {
		if s.verbose {
			s.style = styles[0]
			s.sections = s.world.sections(s.style)
		}
		text := strings.Join(append(slices.Clone(s.sections[1:]), s.sections[0]), "")
		for _, at := range cuts(text, s.rng) {
			checkCut(t, text[:at])
		}
	})
}

// TestEveryCutOfALockList cuts small worlds at every place of every resource
// block, the THREAD blocks standing before.
func TestEveryCutOfALockList(t *testing.T) {
	t.Parallel()
	for i, p := range innocents {
		d := dialects[5*(i%2)]
		t.Run(p.name+"/"+d.name, func(t *testing.T) {
			s := newScene(uint64(i), d, styles[0], 1, p)
			list := s.sections[0]
			before := strings.Join(s.sections[1:], "")
			for at := range list {
				line := list[strings.LastIndexByte(list[:at], '\n')+1 : at]
				if len(s.threads) < 20 && !thinned(at) && !strings.HasPrefix(line, "KD:") {
					checkCut(t, before+list[:at])
				}
			}
		})
	}
}

// cuts chooses ends of lines and places inside of lines, half of them in the
// last section.
func cuts(text string, rng *rand.Rand) []int {
	var ends []int
	for i := range len(text) {
		if text[i] == '\n' {
			ends = append(ends, i+1)
		}
	}
	var out []int
	last := strings.LastIndex(text, "DUMP OF ALL")
	for range 6 {
		out = append(out, ends[rng.IntN(len(ends))], rng.IntN(len(text)))
		out = append(out, last+rng.IntN(len(text)-last), last+rng.IntN(len(text)-last))
	}
	return out
}

func checkCut(t *testing.T, text string) {
	t.Helper()
	r, _ := inspect.Run(context.Background(), []inspect.Input{inspect.Bytes("cut.log", []byte(text))}, inspect.Options{})
	if r == nil {
		return
	}
	if slices.ContainsFunc(fatalKeys(r), func(s string) bool { return strings.HasPrefix(s, "deadlock") }) || r.Verdict.Kind == "deadlock" {
		t.Errorf("cut behind byte %d: %s\nthe text ends with:\n%s", len(text), describeAll(r), text[max(0, len(text)-800):])
	}
}

// TestCuttingPlantedDeadlocks asks only that no cut makes the reader panic,
// and that a thread which is in no planted deadlock is never accused.
func TestCuttingPlantedDeadlocks(t *testing.T) {
	t.Parallel()
	eachScene(t, deadlocks, 1, []int{20, 40}, func(t *testing.T, s scene) {
		guilty := make(map[string]bool)
		for _, p := range s.want {
			for _, a := range threadList(p.threads) {
				guilty[a] = true
			}
		}
		text := s.text()
		for _, at := range cuts(text, s.rng)[:16] {
			r, _ := inspect.Run(context.Background(), []inspect.Input{inspect.Bytes("cut.log", []byte(text[:at]))}, inspect.Options{})
			if r == nil {
				continue
			}
			for _, f := range r.Findings {
				if f.Kind == "deadlock" && slices.ContainsFunc(f.Threads, func(a string) bool { return !guilty[a] }) {
					t.Errorf("cut behind byte %d: %s accuses %v, planted are %v", at, f.ID, f.Threads, guilty)
				}
			}
		}
	})
}
