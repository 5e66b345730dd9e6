package engine_test

import (
	"encoding/json"
	"strings"
	"testing"

	"kdlocks/inspect"
	"kdlocks/web/engine"
)

// TestTroubleIsALineEach: what several inputs are in trouble with.
func TestTroubleIsALineEach(t *testing.T) {
	broken := func(name string) inspect.Input { return inspect.Bytes(name, []byte("\x1f\x8b\x08zzzzzzzzzz")) }
	e := engine.New(engine.Options{})
	a := ask[analysis](t, e, "analyze", nil, broken("a\x1b.gz"), example(t, "cycle.log"), broken("b.gz"))
	c := ask[engine.Compared](t, e, "compare", json.RawMessage(`{"captures":[{"name":"a","inputs":1},{"name":"b","inputs":2}]}`), broken("a\x1b.gz"), broken("b.gz"), example(t, "cycle.log"))
	for call, trouble := range map[string]string{"analyze": a.Trouble, "compare": c.Trouble} {
		lines := strings.Split(trouble, "\n")
		if len(lines) < 2 || !strings.HasPrefix(lines[0], `a\x1b.gz: `) || !strings.HasPrefix(lines[1], "b.gz: ") || strings.Contains(trouble, `\x0a`) {
			t.Errorf("%s: %q", call, trouble)
		}
	}
}
