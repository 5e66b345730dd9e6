package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"kdlocks/kd"
)

// column is one column of a table. Only prose may be shortened: an address
// that is cut or folded can be neither copied nor searched for.
type column struct {
	head  string
	prose bool
	// spare columns are left out, the last one first, before prose is
	// shortened.
	spare bool
}

// table is rows of cells. It never prints wider than the width it is given,
// never cuts or folds a cell that is not prose, and lets no control character
// of the input through.
type table struct {
	columns []column
	rows    [][]string
	// more is set when rows were left out that nobody counted.
	more bool
}

// proseLeast is the least width that prose is shortened to.
const proseLeast = 12

// mostRows bounds a table; what is left out is said below it.
const mostRows = 1000

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// full reports whether no more rows will be shown, and that there are more.
func (t *table) full() bool {
	t.more = t.more || len(t.rows) == mostRows
	return t.more
}

// moreRows ends a list whose rest was left out.
const moreRows = "... and more (use -o json for all)\n"

// write prints the table, or a block of lines for each row where the width is
// too small for the columns side by side. Width 0 is without limit.
func (t *table) write(w io.Writer, width int) error {
	rest := len(t.rows) - mostRows
	if rest > 0 {
		t.rows = t.rows[:mostRows]
	}
	for _, row := range t.rows {
		for i := range row {
			row[i] = strings.TrimSpace(Plain(row[i]))
		}
	}
	err := error(nil)
	if t.fit(width) {
		err = t.grid(w)
	} else {
		err = t.blocks(w, width)
	}
	if err == nil && rest > 0 {
		_, err = fmt.Fprintf(w, "... and %d more (use -o json for all)\n", rest)
	}
	if err == nil && t.more {
		_, err = io.WriteString(w, moreRows)
	}
	return err
}

// fit leaves out spare columns and then shortens prose until the grid fits
// into the width, and reports whether it does.
func (t *table) fit(width int) bool {
	if width <= 0 {
		return true
	}
	widths, over := t.measure(width)
	for i := len(t.columns) - 1; i >= 0 && over > 0; i-- {
		if t.columns[i].spare {
			over -= widths[i] + 3
			t.drop(i)
		}
	}
	widths, over = t.measure(width)
	for i := len(t.columns) - 1; i >= 0 && over > 0; i-- {
		if !t.columns[i].prose || widths[i] <= proseLeast {
			continue
		}
		to := max(proseLeast, kd.Cells(t.columns[i].head), widths[i]-over)
		over -= widths[i] - to
		for _, row := range t.rows {
			row[i] = shorten(row[i], to)
		}
	}
	return over <= 0
}

// measure returns the width of each column, and how many columns of the
// terminal the grid is too wide.
func (t *table) measure(width int) (widths []int, over int) {
	widths = make([]int, len(t.columns))
	over = 1 - width
	for i, c := range t.columns {
		widths[i] = kd.Cells(c.head)
		for _, row := range t.rows {
			widths[i] = max(widths[i], kd.Cells(row[i]))
		}
		over += widths[i] + 3
	}
	return widths, over
}

func (t *table) drop(i int) {
	t.columns = slices.Delete(t.columns, i, i+1)
	for n, row := range t.rows {
		t.rows[n] = slices.Delete(row, i, i+1)
	}
}

// shorten cuts the end of a text that is wider than width columns.
func shorten(s string, width int) string {
	if kd.Cells(s) <= width {
		return s
	}
	r := []rune(s)
	r = r[:min(len(r), max(width-1, 0))] // a rune takes a cell at least, or joins the one before it
	for len(r) > 0 && kd.Cells(string(r))+1 > width {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}

// blocks prints each row as lines of "head: cell".
func (t *table) blocks(w io.Writer, width int) error {
	for n, row := range t.rows {
		if n > 0 {
			if _, err := io.WriteString(w, "\n"); err != nil {
				return err
			}
		}
		for i, c := range t.columns {
			if row[i] == "" {
				continue
			}
			if _, err := io.WriteString(w, wrap(row[i], c.head+": ", "  ", width)); err != nil {
				return err
			}
		}
	}
	return nil
}
