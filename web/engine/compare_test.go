package engine_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"kdlocks/inspect"
	"kdlocks/report"
	"kdlocks/rules"
	"kdlocks/web/engine"
)

// capture is one of a machine at a time of the hour.
func capture(name, time string) inspect.Input {
	return inspect.Bytes(name, []byte("Windows 10 Kernel Version 19041 MP (8 procs) Free x64\n"+
		"Kernel base = 0xfffff800`5b200000 PsLoadedModuleList = 0xfffff800`5be2a310\n"+
		"Debug session time: Mon Jan  4 10:"+time+" 2021 (UTC + 1:00)\nSystem Uptime: 0 days 3:"+time+"\n2: kd> !locks\n"+
		"Resource @ 0xffffe0010a4016c0    Exclusively owned\n     Threads: ffffe0010b002080-01<*>\n"))
}

func gzipped(t testing.TB, name string, data []byte) inspect.Input {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return inspect.Bytes(name, b.Bytes())
}

const twoCaptures = `"captures":[{"name":"a","inputs":1},{"name":"b","inputs":1}]`

func TestCompareTwoCaptures(t *testing.T) {
	first, second := capture("1", "01:12.345"), capture("2", "06:12.345")
	e := engine.New(engine.Options{})
	got := ask[engine.Compared](t, e, "compare", json.RawMessage("{"+twoCaptures+"}"), first, second)
	var c struct{ Captures []struct{ Name string } }
	if err := json.Unmarshal(got.Comparison, &c); err != nil || len(c.Captures) != 2 || got.Trouble != "" || got.Mistakes != nil || got.Left != nil {
		t.Errorf("%d captures (%v), %+v", len(c.Captures), err, got)
	}
	for _, bad := range []string{`{"captures":[{"name":"a","inputs":3}]}`, `{"captures":[{"name":"a","inputs":-1}]}`, `{"format":"html"}`} {
		if err := e.Call(context.Background(), "compare", []byte(bad), nil, io.Discard); !errors.Is(err, engine.ErrArgs) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, format := range []string{"json", "markdown"} {
		if err := e.Call(context.Background(), "compare", []byte(`{"format":"`+format+`"}`), nil, io.Discard); !errors.Is(err, inspect.ErrNothing) {
			t.Errorf("nothing as %s: %v", format, err)
		}
	}
}

func TestComparisonsTakenAlongAreThoseOfTheReport(t *testing.T) {
	first, second := capture("1", "01:12.345"), capture("2", "06:12.345")
	set, err := rules.Load([]rules.Source{rules.Builtin()}, "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := inspect.Compare(context.Background(), []inspect.Case{{Name: "a", Inputs: []inspect.Input{first}}, {Name: "b", Inputs: []inspect.Input{second}}}, inspect.Options{Rules: inspect.These(set)})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"json", "markdown"} {
		var want, got bytes.Buffer
		if err := report.ComparisonWriterFor(format)(&want, c, report.Style{Version: "7"}); err != nil {
			t.Fatal(err)
		}
		e := engine.New(engine.Options{Version: "7"})
		if err := e.Call(context.Background(), "compare", []byte("{"+twoCaptures+`,"format":"`+format+`"}`), []inspect.Input{first, second}, &got); err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() || !strings.HasSuffix(got.String(), "\n") {
			t.Errorf("%s differs from that of the report", format)
		}
	}
}

func TestCompareTellsWhatItDidNotTake(t *testing.T) {
	var stages []string
	e := engine.New(engine.Options{Progress: func(stage string, done, total int64) {
		if len(stages) == 0 || stages[len(stages)-1] != stage {
			stages = append(stages, stage)
		}
		if stage == "reading" && (done > total || total == 0) {
			t.Errorf("%d of %d bytes are read", done, total)
		}
	}})
	data, err := io.ReadAll(io.NewSectionReader(capture("", "06:12.345").Data, 0, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	got := ask[engine.Compared](t, e, "compare", json.RawMessage("{"+twoCaptures+`,"rules":[{"name":"my.yaml","text":"rules: 7"}]}`), capture("1", "01:12.345"), gzipped(t, "2.gz", data))
	if !strings.Contains(string(got.Mistakes), "my.yaml") || got.Comparison == nil {
		t.Errorf("mistakes %s, %d bytes of a comparison", got.Mistakes, len(got.Comparison))
	}
	if strings.Join(stages, " ") != "unpacking reading" {
		t.Errorf("progress of %q", stages)
	}
	got = ask[engine.Compared](t, e, "compare", json.RawMessage("{"+twoCaptures+"}"), capture("1", "01:12.345"), zipped(t, map[string][]byte{"2.log": data, "x.png": []byte("\x89PNG\r\n\x1a\n\x00\x00")}))
	if len(got.Left) != 1 || !strings.Contains(got.Left[0], "x.png") || got.Comparison == nil {
		t.Errorf("left out: %q, %d bytes of a comparison", got.Left, len(got.Comparison))
	}
}

func TestCompareUnpacksNoMoreThanAnalyze(t *testing.T) {
	data := bytes.Repeat([]byte("our server hangs\n"), 1000)
	e := engine.New(engine.Options{MaxSize: int64(len(data)) + 10})
	one := ask[analysis](t, e, "analyze", nil, gzipped(t, "1", data), gzipped(t, "2", data))
	two := ask[engine.Compared](t, e, "compare", json.RawMessage("{"+twoCaptures+"}"), gzipped(t, "1", data), gzipped(t, "2", data))
	for name, trouble := range map[string]string{"analyze": one.Trouble, "compare": two.Trouble} {
		if !strings.Contains(trouble, "over the limit") {
			t.Errorf("%s: trouble %q", name, trouble)
		}
	}
}

func TestCapturesOfOneNameAreToldApart(t *testing.T) {
	e := engine.New(engine.Options{})
	args := json.RawMessage(`{"captures":[{"name":"log.txt","inputs":1},{"name":"log.txt","inputs":1}]}`)
	got := ask[engine.Compared](t, e, "compare", args, capture("log.txt", "01:12.345"), capture("log.txt", "06:12.345"))
	var c struct {
		Captures []struct {
			Name string
			At   struct{ Input string }
		}
	}
	if err := json.Unmarshal(got.Comparison, &c); err != nil || len(c.Captures) != 2 || c.Captures[1].Name != "log.txt (2)" || c.Captures[1].At.Input != "log.txt (2)" {
		t.Errorf("%+v (%v), trouble %q", c, err, got.Trouble)
	}
}

func zipped(t testing.TB, members map[string][]byte) inspect.Input {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, data := range members {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return inspect.Bytes("2.zip", b.Bytes())
}
