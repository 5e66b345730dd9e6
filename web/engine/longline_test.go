package engine_test

import (
	"encoding/json"
	"strings"
	"testing"

	"kdlocks/inspect"
	"kdlocks/web/engine"
)

// TestLongLinesSayHowLong: of a line that is longer than what is read of it nobody
// says that it ends there.
func TestLongLinesSayHowLong(t *testing.T) {
	const log = "0: kd> !locks\n**** DUMP OF ALL RESOURCE OBJECTS ****\nKD: Scanning for held locks.\n"
	for bytes, want := range map[int]string{
		100: "xx", 5000: " … (5000 bytes in all)", 1 << 19: " … (524288 bytes in all)", 3 << 20: " … (1 MiB or more in all)",
	} {
		for _, letter := range []string{"x", "й"} {
			e := engine.New(engine.Options{})
			line := strings.Repeat(letter, bytes/len(letter))
			ask[analysis](t, e, "analyze", nil, inspect.Bytes("long.log", []byte(log+line+"\n")))
			got := ask[[]string](t, e, "lines", json.RawMessage(`{"input":0,"first":4,"count":1}`))
			if want := strings.ReplaceAll(want, "x", letter); len(got) != 1 || !strings.HasSuffix(got[0], want) {
				t.Errorf("%d bytes of %s: %.60q, want %q at its end", bytes, letter, got[0][max(0, len(got[0])-60):], want)
			}
		}
	}
}
