package memory

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"kdlocks/kd"
)

// Bounds of what is kept of the counter logs of an input: columns of one log, and
// values of all of them. A log takes at most half of the values that are left; one
// with more keeps every second row, then every fourth, and so on.
const (
	mostCounterColumns = 4096
	mostCounterCells   = 1 << 21
	leastCounterRows   = 64
)

// counterReader is a counter log that is being read.
type counterReader struct {
	*CounterLog
	csv    *csv.Reader
	source strings.Reader
	fields []int     // of the columns, in a row
	scales []float64 // what values of the columns are multiplied by
	least  int       // fields that a row has at least, and most, where the head is whole
	most   int
	times  []counterTime
	cells  int  // values that may be kept
	loose  bool // the last row is kept only until the next one
	comma  bool // a comma stands before decimals
	// unknown counts the values that are neither numbers nor gaps; the first of them.
	unknown      int
	firstUnknown string
	unknownAt    kd.Ref
	untimedAt    kd.Ref // of the first row whose time cannot be read
}

// IsCounterHead reports whether a line is the head of a counter log, as the tools write it
// or with the first column named anew:
//
//	"(PDH-CSV 4.0) (Pacific Standard Time)(480)","\\SRV1\Memory\Available Bytes"
//	Time,\\SRV1\Memory\Available Bytes
//
// Of the latter, one column must be a counter of an object that is known: other tables have
// a time in front, too.
func IsCounterHead(text string) bool {
	bare := strings.TrimPrefix(text, `"`)
	switch {
	case bare == "":
		return false
	case bare[0] == '(':
		return strings.HasPrefix(bare, "(PDH-CSV ") || strings.HasPrefix(bare, "(PDH-TSV ")
	case bare[0]|0x20 != 't' && bare[0]|0x20 != 'd':
		return false
	}
	end, sep := firstField(text)
	if end < 0 || !slices.Contains(timeColumns, strings.ToLower(strings.Trim(text[:end], `"`))) {
		return false
	}
	for path := range strings.SplitSeq(text[end+1:], string(sep)) {
		if _, object, _, counter, ok := counterPath(strings.Trim(path, `" `)); ok && isCounter(object, counter) {
			return true
		}
	}
	return false
}

// timeColumns are names that people and scripts give the column of times, in lower case.
var timeColumns = []string{"time", "timestamp", "date", "date/time", "date time", "datetime"}

// IsCounterRow reports whether a line begins as a row of a counter log does: with a
// date and time, and something behind it.
func IsCounterRow(text string) bool {
	_, ok := rowTime(text)
	return ok
}

// rowTime reads the date and time that a row begins with, in one field or in two.
func rowTime(text string) (counterTime, bool) {
	const longest = 40
	end, _ := firstField(text)
	if end < 0 {
		return counterTime{}, false
	}
	first := strings.Trim(text[:end], `" `)
	t, ok := parseCounterTime(first)
	if rest := text[end+1:]; !ok && first != "" && '0' <= first[0] && first[0] <= '9' && len(first) < longest {
		if end, _ := firstField(rest); end > 0 && end < longest {
			return parseCounterTime(first + " " + strings.Trim(rest[:end], `" `))
		}
	}
	return t, ok
}

// firstField returns where the first field of a line ends, and what stands there.
func firstField(text string) (end int, sep byte) {
	if strings.HasPrefix(text, `"`) {
		if end = strings.IndexByte(text[1:], '"') + 2; end < 2 || end >= len(text) {
			return -1, 0
		}
	} else if end = strings.IndexAny(text, ",;\t"); end < 0 {
		return -1, 0
	}
	switch text[end] {
	case ',', ';', '\t':
		return end, text[end]
	case ' ': // a tab that a paste made a blank
		if text[0] == '"' && strings.HasPrefix(text[end:], ` "`) {
			return end, ' '
		}
	}
	return -1, 0
}

// counterHead opens a log.
func (r *Reader) counterHead(l kd.Line) bool {
	if !IsCounterHead(l.Text) {
		return false
	}
	end, sep := firstField(l.Text)
	if end < 0 {
		return false
	}
	r.close()
	c := &counterReader{CounterLog: &CounterLog{Stride: 1, At: l.All(), EndLine: l.Last(), Zone: zoneOf(l.Text[:end])}}
	c.csv = csv.NewReader(&c.source)
	c.csv.Comma, c.csv.FieldsPerRecord, c.csv.LazyQuotes, c.csv.ReuseRecord = rune(sep), -1, true, true
	c.comma = sep != ','
	c.csv.TrimLeadingSpace = sep == ',' || sep == ';' // a tab is a blank, too
	r.open, r.counters = counterBlock, c
	heads := c.record(l)
	c.most = len(heads)
	if l.Cut || len(l.Text) >= mostHead && !strings.HasSuffix(l.Text, `"`) {
		heads, c.most = heads[:max(len(heads)-1, 1)], 1<<30
		c.note(l.All(), "counter log: its head is cut: columns behind its %d. are not known", len(heads))
	}
	r.counterColumns(l, heads)
	if c.cells = (mostCounterCells - r.cells) / 2; c.cells < leastCounterRows*len(c.Columns) {
		c.note(l.All(), "counter log: its values are left out, after %d of others", r.cells)
		c.LeftOut += len(c.Columns)
		c.Others, c.Columns, c.fields = c.Others+len(c.Columns), nil, nil
	}
	if len(r.listing().Counters) >= mostListings {
		r.left(l.All(), "counter logs")
		return true
	}
	r.listing().Counters = append(r.listing().Counters, c.CounterLog)
	return true
}

// note keeps what is to be said of the log.
func (c *counterReader) note(at kd.Ref, format string, args ...any) {
	c.Notes = append(c.Notes, kd.Note{At: at, Text: fmt.Sprintf(format, args...)})
}

// mostHead is less than what is kept of a line: a head of that length may be cut.
const mostHead = 1<<20 - 4

// zoneOf returns the zone out of `(PDH-CSV 4.0) (Pacific Standard Time)(480)`.
func zoneOf(field string) string {
	_, zone, _ := strings.Cut(strings.Trim(field, `"`), ") (")
	zone, _, _ = strings.Cut(zone, ")(")
	return strings.Clone(strings.TrimSuffix(zone, ")"))
}

// record splits a line into its fields, which are of no use once the next line is
// split.
func (c *counterReader) record(l kd.Line) []string {
	c.source.Reset(l.Text)
	fields, err := c.csv.Read()
	if err != nil {
		return nil
	}
	return fields
}

// place returns where a field of the record stands, without its quotes.
func (c *counterReader) place(l kd.Line, i int, field string) kd.Ref {
	_, col := c.csv.FieldPos(i)
	if col > len(l.Text) || col < 1 {
		return l.All()
	}
	if l.Text[col-1] == '"' {
		col++
	}
	return l.Ref(col-1, min(len(field), len(l.Text)-col+1))
}

// counterColumns finds the columns of a head that are kept.
func (r *Reader) counterColumns(l kd.Line, heads []string) {
	c := r.counters
	ofMachine, left := 0, 0
	for i, head := range heads {
		if _, object, instance, counter, ok := counterPath(strings.TrimSpace(head)); ok && i > 0 {
			if what, _ := measureOf(object, instance, counter); what != NoMeasure && !what.OfProcess() {
				ofMachine++
			}
		}
	}
	machines, processes := 0, max(mostCounterColumns-ofMachine, 0)
	for i, head := range heads {
		path := strings.TrimSpace(head)
		_, object, instance, counter, ok := counterPath(path)
		if i == 0 || !ok {
			continue
		}
		c.least = i + 1
		what, scale := measureOf(object, instance, counter)
		if what == NoMeasure {
			c.Others++
			c.Foreign = c.Foreign || utf8.RuneCountInString(counter) < len(counter)
			continue
		}
		if len(c.Columns) == mostCounterColumns || what.OfProcess() && processes == 0 {
			c.Others++
			left++
			continue
		}
		if what.OfProcess() {
			processes--
		}
		path = strings.Clone(path)
		machine, object, instance, counter, _ := counterPath(path)
		if !strings.EqualFold(c.Machine, machine) || machines == 0 {
			c.Machine = machine
			machines++
		}
		c.Columns = append(c.Columns, &CounterColumn{Path: path, Machine: machine, Object: object, Instance: instance, Counter: counter, What: what, At: c.place(l, i, head)})
		c.fields, c.scales = append(c.fields, i), append(c.scales, scale)
	}
	if machines > 1 {
		c.Machine = ""
	}
	if c.LeftOut = left; left > 0 {
		c.note(l.All(), "counter log: %d columns of processes are left out beyond %d that are kept", left, mostCounterColumns)
	}
}

// counterRow reads a row.
func (r *Reader) counterRow(l kd.Line) bool {
	c := r.counters
	end, _ := firstField(l.Text)
	if end < 0 {
		return false
	}
	when, ok := rowTime(l.Text)
	if !ok {
		return c.untimed(l, end)
	}
	c.EndLine = l.Last()
	fields := c.record(l)
	if l.Cut && !strings.HasSuffix(l.Text, `"`) && len(fields) > 1 {
		fields = fields[:len(fields)-1] // its last value may lack digits
	}
	if !c.fits(len(fields)) && !(l.Cut && len(fields) > 1) {
		c.Unread++
		return true
	}
	c.add(l, when, fields)
	return true
}

// untimed takes a row of numbers whose time cannot be read: it is of the log, and not used.
func (c *counterReader) untimed(l kd.Line, end int) bool {
	first := strings.Trim(l.Text[:end], `" `)
	fields := c.record(l)
	if plainDigits(first) == 0 || len(fields) < 2 || !c.fits(len(fields)) {
		return false
	}
	for _, f := range fields[1:] {
		if _, ok := parseCounterValue(f, c.comma); !ok && !isGap(f) {
			return false
		}
	}
	if c.EndLine = l.Last(); c.Untimed == 0 {
		c.FirstUntimed, c.untimedAt = strings.Clone(kd.Clip(first)), l.All()
	}
	c.Untimed++
	return true
}

// fits reports whether a row has as many fields as the head has columns. Blanks at
// the end of a line are lost where tabs part them.
func (c *counterReader) fits(n int) bool {
	return n <= c.most && (n >= c.least || c.csv.Comma == '\t' && n > 1)
}

// add keeps a row, in the place of the last one if that is not to be kept.
func (c *counterReader) add(l kd.Line, when counterTime, fields []string) {
	number := c.Read
	if c.Read++; len(c.Columns) == 0 {
		return
	}
	if c.loose {
		c.cut(len(c.Rows) - 1)
	}
	c.loose = number%c.Stride != 0
	all := l.All()
	c.Rows, c.times = append(c.Rows, CounterRow{At: all}), append(c.times, when)
	for i, col := range c.Columns {
		var v cell
		if f := c.fields[i]; f < len(fields) {
			if n, ok := parseCounterValue(fields[f], c.comma); ok {
				at := c.place(l, f, fields[f])
				v = cell{v: n * c.scales[i], col: at.Col, len: uint16(min(max(at.Len, 1), 1<<16-1))}
			} else if !isGap(fields[f]) {
				if c.unknown++; c.unknown == 1 {
					c.firstUnknown, c.unknownAt = strings.Clone(fields[f][:min(len(fields[f]), 24)]), c.place(l, f, fields[f])
				}
			}
		}
		col.cells = append(col.cells, v)
	}
	if len(c.Rows) > leastCounterRows && len(c.Rows)*len(c.Columns) > c.cells {
		c.thin()
	}
}

// thin keeps every second row, and the last one until the next comes.
func (c *counterReader) thin() {
	n := 0
	for i := range c.Rows {
		if i%2 == 0 || i == len(c.Rows)-1 {
			c.Rows[n], c.times[n] = c.Rows[i], c.times[i]
			for _, col := range c.Columns {
				col.cells[n] = col.cells[i]
			}
			n++
		}
	}
	last := len(c.Rows) - 1
	c.cut(n)
	c.Stride *= 2
	c.loose = c.loose || last%2 != 0
}

// cut keeps the first n rows.
func (c *counterReader) cut(n int) {
	c.Rows, c.times = c.Rows[:n], c.times[:n]
	for _, col := range c.Columns {
		col.cells = col.cells[:n]
	}
}

// parseCounterValue reads a value; false for a gap, which is blank or -1 where a
// counter could not be read. A comma stands before decimals or between each three
// digits, whichever the rest of the value says.
func parseCounterValue(s string, comma bool) (float64, bool) {
	s = ungrouped(strings.TrimSpace(s))
	if s == "" || s[0] < '0' || s[0] > '9' || len(s) > 64 {
		return 0, false
	}
	if strings.IndexByte(s, ',') >= 0 {
		s = plainDecimal(s, comma)
	} else if strings.Count(s, ".") > 1 {
		s = strings.ReplaceAll(s, ".", "")
	}
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9', c == '.', c == 'e', c == 'E', c == '+', c == '-':
		default:
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil && v < 1<<62
}

// isGap reports whether a value says that there is none: blank, or negative.
func isGap(s string) bool {
	s = strings.TrimSpace(s)
	if s == "" {
		return true
	}
	if s[0] != '-' || len(s) == 1 {
		return false
	}
	for i := 1; i < len(s); i++ {
		if (s[i] < '0' || s[i] > '9') && s[i] != '.' && s[i] != ',' {
			return false
		}
	}
	return true
}

// ungrouped takes the blanks and apostrophes out that some countries have between each
// three digits.
func ungrouped(s string) string {
	out := s
	for _, mark := range []string{" ", "\u00a0", "\u202f", "'", "\u2019"} {
		if parts := strings.Split(out, mark); len(parts) > 1 && len(parts) < 8 {
			for i, p := range parts {
				digits := len(p)
				if end := strings.IndexAny(p, ".,"); end >= 0 && i == len(parts)-1 {
					digits = end
				}
				if digits != 3 && (i > 0 || digits < 1 || digits > 3) {
					return s
				}
			}
			out = strings.Join(parts, "")
		}
	}
	return out
}

// plainDecimal turns a value with commas into one with a point at most.
func plainDecimal(s string, comma bool) string {
	last := strings.LastIndexByte(s, ',')
	switch dot := strings.LastIndexByte(s, '.'); {
	case dot > last, strings.Count(s, ",") > 1 && dot < 0:
		return strings.ReplaceAll(s, ",", "")
	case !comma && dot < 0 && len(s)-last == 4 && last <= 3:
		return strings.ReplaceAll(s, ",", "") // 1,234 between commas is quoted for that
	}
	return strings.ReplaceAll(s[:last], ".", "") + "." + s[last+1:]
}
