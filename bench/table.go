package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// row is one line of the table.
type row struct {
	letter, figure, measured, promised string
	held                               held
}

type held uint8

const (
	isHeld held = iota
	notHeld
	unknown
)

var heldWords = [...]string{"yes", "NO", "not measured"}

func holds(yes bool) held {
	if yes {
		return isHeld
	}
	return notHeld
}

func notMeasured(figure, why string) row {
	return row{figure: figure, measured: why, held: unknown}
}

// writeTable prints the figures as Markdown, in columns that can be read as
// they stand.
func writeTable(w io.Writer, header []string, rows []row) {
	for _, line := range header {
		fmt.Fprintf(w, "%s\n", line)
	}
	cells := [][]string{{"", "figure", "measured", "promised", "held"}}
	for _, r := range rows {
		cells = append(cells, []string{r.letter, r.figure, r.measured, r.promised, heldWords[r.held]})
	}
	var widths [5]int
	for _, line := range cells {
		for i, c := range line {
			line[i] = strings.ReplaceAll(c, "|", `\|`)
			widths[i] = max(widths[i], len(line[i]))
		}
	}
	fmt.Fprintln(w)
	for n, line := range cells {
		for i, c := range line {
			fmt.Fprintf(w, "| %-*s ", widths[i], c)
		}
		fmt.Fprintln(w, "|")
		if n == 0 {
			for _, width := range widths {
				fmt.Fprintf(w, "|%s", strings.Repeat("-", width+2))
			}
			fmt.Fprintln(w, "|")
		}
	}
}

// The marks around the section of a document that the harness writes.
const (
	beginMark = "<!-- make bench writes from here -->\n"
	endMark   = "<!-- to here -->"
)

// replaceSection writes the table between the marks of a document.
func replaceSection(name string, header []string, rows []row) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	head, rest, ok1 := bytes.Cut(text, []byte(beginMark))
	_, foot, ok2 := bytes.Cut(rest, []byte(endMark))
	if !ok1 || !ok2 {
		return fmt.Errorf("%s: it lacks the marks %q and %q", name, strings.TrimSpace(beginMark), endMark)
	}
	var b bytes.Buffer
	b.Write(head)
	b.WriteString(beginMark + "\n")
	var table bytes.Buffer
	writeTable(&table, list(header), rows)
	b.Write(table.Bytes())
	b.WriteString("\n" + endMark)
	b.Write(foot)
	return os.WriteFile(name, b.Bytes(), 0o644)
}

func list(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = "- " + line
	}
	return out
}

func percent(ratio float64) string { return fmt.Sprintf("%.1f %%", 100*ratio) }

// size names a number of bytes the way disks are sold: 500 MB is 500,000,000.
func size(n int64) string {
	if n >= 1e9 {
		return fmt.Sprintf("%.3g GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.3g MB", float64(n)/1e6)
}

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

func rate(bytes int64, d time.Duration) string {
	return fmt.Sprintf("%.0f MB/s", float64(bytes)/1e6/d.Seconds())
}

func round(d time.Duration) string {
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d >= 100*time.Millisecond:
		return fmt.Sprintf("%.0f ms", 1000*d.Seconds())
	}
	return fmt.Sprintf("%.1f ms", 1000*d.Seconds())
}
