package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"kdlocks/inspect"
	"kdlocks/web/engine"
)

// searched returns an engine with a log that something is recognised in and other
// inputs behind it.
func searched(t testing.TB, texts ...string) *engine.Engine {
	t.Helper()
	e := engine.New(engine.Options{})
	t.Cleanup(func() { e.Close() })
	given := []inspect.Input{example(t, "self-deadlock.log")}
	for i, text := range texts {
		given = append(given, inspect.Bytes(fmt.Sprint(i+1), []byte(text)))
	}
	ask[analysis](t, e, "analyze", nil, given...)
	return e
}

type place struct {
	Input  int    `json:"input"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Back   bool   `json:"back"`
	Text   string `json:"text"`
}

func TestFindGoesOnFromAPlace(t *testing.T) {
	long := strings.Repeat("x", 5000)
	e := searched(t, "ax ax ax\n\n äöX ax\n", "", "AX "+long+"zebra "+long+"zebra\nfffffa80`169538a0 fffffa80169538a0\n\xff\xffax")
	for _, c := range []struct {
		from place
		want engine.Found
	}{
		{place{0, 1, 0, false, "SIS!sipopencsfile"}, engine.Found{Input: 0, Line: 61, Column: 37, Length: 17}},
		{place{0, 62, 37, false, "SIS!sipopencsfile"}, engine.Found{Input: 0, Line: 61, Column: 37, Length: 17}},
		{place{1, 0, 0, false, "ax"}, engine.Found{Input: 1, Line: 1, Column: 1, Length: 2}},
		{place{1, 1, 0, false, "ax"}, engine.Found{Input: 1, Line: 1, Column: 1, Length: 2}},
		{place{1, 1, 1, false, "ax"}, engine.Found{Input: 1, Line: 1, Column: 4, Length: 2}},
		{place{1, 1, 4, false, "ax"}, engine.Found{Input: 1, Line: 1, Column: 7, Length: 2}},
		{place{1, 1, 7, false, "ax"}, engine.Found{Input: 1, Line: 3, Column: 6, Length: 2}},
		{place{1, 3, 6, false, "ax"}, engine.Found{Input: 3, Line: 1, Column: 1, Length: 2}},
		{place{1, 1, 7, true, "ax"}, engine.Found{Input: 1, Line: 1, Column: 4, Length: 2}},
		{place{3, 1, 1, true, "ax"}, engine.Found{Input: 1, Line: 3, Column: 6, Length: 2}},
		{place{1, 3, 4, true, "ax"}, engine.Found{Input: 1, Line: 1, Column: 7, Length: 2}},
		{place{1, 1, 0, false, "ÖX"}, engine.Found{Input: 1, Line: 3, Column: 3, Length: 2}},
		{place{3, 1, 0, false, "zebra"}, engine.Found{Input: 3, Line: 1, Column: 5004, Length: 5}},
		{place{3, 1, 5004, false, "zebra"}, engine.Found{Input: 3, Line: 1, Column: 10010, Length: 5}},
		{place{3, 1, 10010, false, "zebra"}, engine.Found{Input: 3, Line: 1, Column: 5004, Length: 5}},
		{place{3, 1, 5004, true, "zebra"}, engine.Found{Input: 3, Line: 1, Column: 10010, Length: 5}},
		{place{3, 3, 1, false, "ax"}, engine.Found{Input: 3, Line: 3, Column: 3, Length: 2}},
		{place{3, 1, 0, false, "FFFFFA80169538A0"}, engine.Found{Input: 3, Line: 2, Column: 1, Length: 17}},
		{place{3, 2, 1, false, "fffffa80169538a0"}, engine.Found{Input: 3, Line: 2, Column: 19, Length: 16}},
		{place{3, 2, 1, false, "fffffa80`169538a0"}, engine.Found{Input: 3, Line: 2, Column: 19, Length: 16}},
		{place{3, 2, 2, true, "fffffa80`1"}, engine.Found{Input: 3, Line: 2, Column: 1, Length: 10}},
		{place{3, 1, 0, false, "fffffa80`"}, engine.Found{Input: 3, Line: 2, Column: 1, Length: 8}},
		{place{3, 2, 1, false, "169538a0"}, engine.Found{Input: 3, Line: 2, Column: 10, Length: 8}},
		{place{3, 1, 0, false, "`"}, engine.Found{Input: 3, Line: 2, Column: 9, Length: 1}},
		{place{3, 99, 99, false, "ax"}, engine.Found{Input: 1, Line: 1, Column: 1, Length: 2}},
		{place{3, 99, 99, true, "ax"}, engine.Found{Input: 3, Line: 3, Column: 3, Length: 2}},
		{place{3, -1, -1, false, "ax"}, engine.Found{Input: 3, Line: 1, Column: 1, Length: 2}},
		{place{2, 0, 0, true, "ax"}, engine.Found{Input: 1, Line: 3, Column: 6, Length: 2}},
		{place{0, 1, 1, false, "no such text"}, engine.Found{}},
		{place{0, 1, 1, true, "no such text"}, engine.Found{}},
		{place{0, 1, 1, false, ""}, engine.Found{}},
	} {
		if got := ask[engine.Found](t, e, "find", c.from); got != c.want {
			t.Errorf("from %+v: %+v, want %+v", c.from, got, c.want)
		}
	}
	if err := e.Call(context.Background(), "find", []byte(`{"input":4,"text":"a"}`), nil, io.Discard); !errors.Is(err, engine.ErrArgs) {
		t.Errorf("find in input 4: %v", err)
	}
}

// TestFindMeetsEveryPlaceOnce walks all places of a text, there and back.
func TestFindMeetsEveryPlaceOnce(t *testing.T) {
	e := searched(t, "ntnt nt`nt\nnt", "NT", "", "n\nt\n")
	var walks [2][]engine.Found
	for i, back := range []bool{false, true} {
		at := place{Text: "nt", Back: back}
		for {
			got := ask[engine.Found](t, e, "find", at)
			if len(walks[i]) > 0 && got == walks[i][0] {
				break
			}
			walks[i] = append(walks[i], got)
			at.Input, at.Line, at.Column = got.Input, got.Line, got.Column
			if len(walks[i]) > 10_000 {
				t.Fatal("it goes round without coming back")
			}
		}
	}
	slices.Reverse(walks[1])
	if !slices.Equal(walks[0], walks[1]) {
		t.Errorf("there are %d places, back %d", len(walks[0]), len(walks[1]))
	}
	log := example(t, "self-deadlock.log")
	data := make([]byte, log.Size)
	if _, err := log.Data.ReadAt(data, 0); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	if want := strings.Count(strings.ToLower(string(data)), "nt") + 6; len(walks[0]) != want {
		t.Errorf("%d places, want %d", len(walks[0]), want)
	}
}

func TestFindEndsWhenItIsCancelled(t *testing.T) {
	e := searched(t, strings.Repeat("nothing is here\n", 50_000))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.Call(ctx, "find", []byte(`{"text":"zebra"}`), nil, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkFind(b *testing.B) {
	log := example(b, "self-deadlock.log")
	data := make([]byte, log.Size)
	if _, err := log.Data.ReadAt(data, 0); err != nil && err != io.EOF {
		b.Fatal(err)
	}
	e := searched(b, strings.Repeat(string(data), 5<<20/len(data)))
	b.SetBytes(5 << 20)
	for b.Loop() {
		if err := e.Call(context.Background(), "find", []byte(`{"text":"fffffa80zebra"}`), nil, io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
