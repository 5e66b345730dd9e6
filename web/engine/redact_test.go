package engine_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"kdlocks/inspect"
	"kdlocks/web/engine"
)

// long is a log of some chunks, two megabytes.
func long(name string) inspect.Input {
	return inspect.Bytes(name, []byte(strings.Repeat("THREAD fffffa8016910b60  Cid 0004.0030  Teb: 0000000000000000 acme-server-4711\n", 24_000)))
}

func TestRedactTellsHowFarItIs(t *testing.T) {
	var done, total []int64
	e := engine.New(engine.Options{Progress: func(stage string, d, all int64) {
		if stage != "redacting" {
			t.Errorf("stage %q", stage)
		}
		done, total = append(done, d), append(total, all)
	}})
	check := func(want int64) {
		t.Helper()
		if len(done) < 3 || done[len(done)-1] < want*9/10 {
			t.Errorf("%d times, in the end %v of %d", len(done), done[max(0, len(done)-1):], want)
		}
		for i := range done {
			if total[i] != want || done[i] > want || i > 0 && done[i] < done[i-1] {
				t.Fatalf("%d of %d behind %d", done[i], total[i], done[max(0, i-1)])
			}
		}
		done, total = nil, nil
	}
	a, b := long("a"), long("b")
	ask[engine.Redacted](t, e, "redact", nil, a, b)
	check(a.Size + b.Size)
	if text := ask0(t, e, "redacted", `{"input":1}`); int64(len(text)) != b.Size {
		t.Errorf("%d bytes", len(text))
	}
	check(b.Size)
}

func TestRedactEndsWhenItIsCancelled(t *testing.T) {
	inFlight := 2 + 2*runtime.GOMAXPROCS(0) // chunks that are read side by side
	for _, share := range []int64{0, 30, 80} {
		ctx, cancel := context.WithCancel(context.Background())
		behind := 0
		e := engine.New(engine.Options{Progress: func(_ string, done, total int64) {
			if done*100 >= total*share {
				behind++
				cancel()
			}
		}})
		err := e.Call(ctx, "redact", nil, []inspect.Input{long("a"), long("b")}, io.Discard)
		if !errors.Is(err, context.Canceled) || behind > inFlight {
			t.Errorf("at %d%%: %v, %d steps behind", share, err, behind)
		}
		cancel()
		var text bytes.Buffer
		if err := e.Call(context.Background(), "redacted", []byte(`{"input":0}`), []inspect.Input{long("a")}, &text); err != nil || int64(text.Len()) != long("a").Size {
			t.Errorf("after that: %v, %d bytes", err, text.Len())
		}
	}
}

// TestRedactKeepsWords that it is given, and those that redacted is given: with others it
// learns anew, as it does where nothing is kept between calls.
func TestRedactKeepsWords(t *testing.T) {
	in := inspect.Bytes("log", []byte("nt!KiSwapContext+0x76\nAcmeFlt!AcmeLockVolumeTable+0x10 of jdoe\nacmeflt.sys\n"))
	e := engine.New(engine.Options{})
	defer e.Close()
	for _, step := range []struct {
		call, args string
		stays      bool
	}{
		{"redact", `{"keep":["acmeflt!AcmeLockVolumeTable"]}`, true},
		{"redacted", `{"input":0,"keep":["acmeflt!AcmeLockVolumeTable"]}`, true},
		{"redacted", `{"input":0}`, false},
		{"redacted", `{"input":0,"keep":["acmeflt!AcmeLockVolumeTable"]}`, true},
		{"redact", `{}`, false},
		{"redacted", `{"input":0,"keep":[]}`, false},
	} {
		var out bytes.Buffer
		if err := e.Call(context.Background(), step.call, []byte(step.args), []inspect.Input{in}, &out); err != nil {
			t.Fatal(err)
		}
		if step.call == "redact" {
			continue
		}
		text := out.String()
		if stays := strings.Contains(text, "AcmeFlt!AcmeLockVolumeTable+") && strings.Contains(text, "acmeflt.sys"); stays != step.stays || strings.Contains(text, "jdoe") {
			t.Errorf("%s %s: %q", step.call, step.args, text)
		}
	}
	if err := e.Call(context.Background(), "redact", []byte(`{"keep":"acme"}`), []inspect.Input{in}, &bytes.Buffer{}); !errors.Is(err, engine.ErrArgs) {
		t.Errorf("words that are no list: %v", err)
	}
}
