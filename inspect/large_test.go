package inspect_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kdlocks/bench/loggen"
	"kdlocks/inspect"
	"kdlocks/report"
)

// largeLogs are logs of the layout that is skimmed, small enough for tests.
func largeLogs(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for i, plant := range []loggen.Plant{loggen.OwnerPointer, loggen.Cycle, loggen.Nothing} {
		var b bytes.Buffer
		opt := loggen.Options{Seed: uint64(40 + i), Threads: 30, Plant: plant, Args: loggen.Args(i)}
		if _, err := loggen.Write(&b, opt); err != nil {
			t.Fatal(err)
		}
		out[fmt.Sprint("plant ", plant)] = b.String()
	}
	return out
}

// TestLargeLogsKeepTheirFindings: under every mangling and in every encoding.
func TestLargeLogsKeepTheirFindings(t *testing.T) {
	t.Parallel()
	for name, text := range largeLogs(t) {
		want := runText(t, []byte(text))
		for i, m := range manglings {
			for _, e := range encodings {
				mangled, _ := m.apply(rand.New(rand.NewPCG(uint64(i), 9)), []string{text})
				_, data := e.apply(nil, []string{mangled})
				r := runText(t, data)
				if r.Verdict.Kind != want.Verdict.Kind || !slices.Equal(kindKeys(r), kindKeys(want)) {
					t.Errorf("%s, %s, %s: verdict %s instead of %s, findings\n%v\ninstead of\n%v", name, m.name, e.name, r.Verdict.Kind, want.Verdict.Kind, kindKeys(r), kindKeys(want))
				}
				if in := r.Inputs[0]; in.LinesUnderstood+len(in.NotUnderstood.Slice()) != in.Lines {
					t.Errorf("%s, %s, %s: %d lines, %d understood, %d listed", name, m.name, e.name, in.Lines, in.LinesUnderstood, len(in.NotUnderstood.Slice()))
				}
			}
		}
	}
}

// TestLargeLogsKeepTheirMeaning is the same for what keeps the meaning of every
// case.
func TestLargeLogsKeepTheirMeaning(t *testing.T) {
	t.Parallel()
	for name, text := range largeLogs(t) {
		want := gist(t, []byte(text))
		for _, tr := range transformations {
			if got := gist(t, tr.apply(text)); got != want {
				t.Errorf("%s, %s:\n%s\nwant:\n%s", name, tr.name, got, want)
			}
		}
	}
}

// TestCuttingLargeLogsAddsNoDeadlock cuts at random places: what is then called
// a deadlock was planted.
func TestCuttingLargeLogsAddsNoDeadlock(t *testing.T) {
	t.Parallel()
	for name, text := range largeLogs(t) {
		whole := fatalKeys(runText(t, []byte(text)))
		rng := rand.New(rand.NewPCG(7, 7))
		head := strings.Index(text, "!process 0 7")
		for i := range 150 {
			at := head + rng.IntN(len(text)-head)
			if i%3 == 0 {
				at = len("0: kd> !locks\n\n") + 100 + rng.IntN(head)
			}
			for _, part := range []string{text[:at], text[at:], text[:at] + text[min(len(text), at+rng.IntN(5000)):]} {
				checkNothingAdded(t, fmt.Sprintf("%s cut at %d", name, at), part, whole)
			}
		}
	}
}

func checkNothingAdded(t *testing.T, name, text string, whole []string) {
	t.Helper()
	r, err := inspectText(text)
	if err != nil {
		return
	}
	for _, k := range fatalKeys(r) {
		if strings.HasPrefix(k, "deadlock") && !slices.Contains(whole, k) {
			t.Errorf("%s: %s; the whole log has %v", name, k, whole)
		}
	}
}

func inspectText(text string) (*report.Report, error) {
	return inspect.Run(context.Background(), []inspect.Input{inspect.Bytes("in", []byte(text))}, inspect.Options{})
}
