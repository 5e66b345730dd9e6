package transcript_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"kdlocks/transcript"
)

// TestBinaryCounterLog holds that a log that relog makes text of is told so.
func TestBinaryCounterLog(t *testing.T) {
	data := []byte(strings.Repeat("\x01\x02\x00\x03", 400))
	for name, want := range map[string]bool{"PerfLog.BLG": true, "PerfLog.bin": false} {
		_, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes(name, data)}, nil)
		if !errors.Is(err, transcript.ErrNotText) || strings.Contains(err.Error(), "relog") != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCounterRowsAreNotRepaired holds that lines of counter logs come through as they
// stand, whatever lines of that form are elsewhere, and that what is behind them is
// repaired as ever.
func TestCounterRowsAreNotRepaired(t *testing.T) {
	var b strings.Builder
	b.WriteString("\n\"(PDH-CSV 4.0)\",\"\\\\S\\Memory\\Pool Paged Bytes\",\"\\\\S\\Process(a**b** &amp; c)\\Private Bytes\"\n")
	for _, s := range []string{"00", "01", "02", "03", "04", "05"} {
		b.WriteString("\"09/22/2026 10:00:" + s + ".000\",\"12345678.000000\",\"4096.000000\"\n")
	}
	b.WriteString("Exiting, please wait...\nThe command completed successfully.\n> 0: kd> !locks\n")
	tr, err := transcript.Read(context.Background(), []transcript.Input{transcript.Bytes("a", []byte(b.String()))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := tr.Snapshots[0].Memory.Counters[0]
	if l.Read != 6 || l.Unread != 0 || len(l.Columns) != 2 || l.Columns[1].Instance != "a**b** &amp; c" {
		t.Errorf("%d rows read, %d not, columns %v", l.Read, l.Unread, l.Columns)
	}
	if s := &tr.Sources[0]; s.Understood() != s.Lines() {
		t.Errorf("%d of %d lines understood", s.Understood(), s.Lines())
	}
	if n := tr.Sources[0].Notes; len(n) != 1 || !strings.Contains(n[0].Text, "quoting") {
		t.Errorf("notes %v", n)
	}
}
