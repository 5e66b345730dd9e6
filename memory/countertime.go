package memory

// counterTime is a date and time of day as it is printed: the three parts of the
// date in their order, and milliseconds of the day.
type counterTime struct {
	parts [3]int
	sep   byte // between the parts: '/', '.' or '-'
	ms    int64
}

// dateOrder is the order of day, month and year.
type dateOrder uint8

// The orders. Logs of logman, typeperf and relog have month, day, year in every
// country; what was opened in a spreadsheet and saved again has that of its user.
const (
	monthFirst dateOrder = iota
	dayFirst
	yearFirst
)

const dayMS = 24 * 60 * 60 * 1000

// parseCounterTime reads "09/22/2026 21:42:32.824" and its kin: other separators,
// no seconds, a decimal comma, and AM or PM behind; or, as ISO 8601 has it, a zone, which
// is taken off: "2026-09-22T21:42:32+02:00". Such a time is one of UTC.
func parseCounterTime(s string) (counterTime, bool) {
	var t counterTime
	p := timeParser{s: s}
	p.blanks()
	for i := range 3 {
		n, ok := p.number(4)
		if !ok {
			return t, false
		}
		t.parts[i] = n
		if i == 2 {
			break
		}
		c := p.next()
		if c != '/' && c != '.' && c != '-' || i == 1 && c != t.sep {
			return t, false
		}
		t.sep = c
	}
	if c := p.next(); c != ' ' && c != 'T' {
		return t, false
	}
	p.blanks()
	h, ok1 := p.number(2)
	colon := p.next()
	m, ok2 := p.number(2)
	if !ok1 || !ok2 || colon != ':' && colon != '.' || h > 23 || m > 59 {
		return t, false
	}
	sec, frac := 0, 0
	if p.peek() == colon {
		p.next()
		var ok bool
		if sec, ok = p.number(2); !ok || sec > 59 {
			return t, false
		}
		if c := p.peek(); c == '.' || c == ',' {
			p.next()
			frac = p.thousandths()
		}
	}
	p.blanks()
	east, zoned := p.zone()
	if !zoned && !p.half(&h) {
		return t, false
	}
	t.ms = int64(((h*60+m-east)*60+sec)*1000 + frac)
	return t, true
}

// timeParser walks the text of a time.
type timeParser struct {
	s  string
	at int
}

func (p *timeParser) peek() byte {
	if p.at < len(p.s) {
		return p.s[p.at]
	}
	return 0
}

func (p *timeParser) next() byte {
	c := p.peek()
	p.at = min(p.at+1, len(p.s))
	return c
}

func (p *timeParser) blanks() {
	for p.peek() == ' ' {
		p.at++
	}
}

// number reads up to most digits.
func (p *timeParser) number(most int) (int, bool) {
	n, from := 0, p.at
	for p.at-from < most && '0' <= p.peek() && p.peek() <= '9' {
		n = n*10 + int(p.next()-'0')
	}
	return n, p.at > from
}

// thousandths reads the digits behind the seconds.
func (p *timeParser) thousandths() int {
	n, unit := 0, 100
	for '0' <= p.peek() && p.peek() <= '9' {
		n, unit = n+int(p.next()-'0')*unit, unit/10
	}
	return n
}

// zone reads what ISO 8601 has behind a time, up to the end: Z, or how many hours and minutes
// the zone is east of Greenwich. It does not move if there is none.
func (p *timeParser) zone() (minutes int, ok bool) {
	from := p.at
	sign := p.next()
	switch sign {
	case 'Z', 'z':
		ok = p.at == len(p.s)
	case '+', '-':
		h, some := p.number(2)
		if p.peek() == ':' {
			p.next()
		}
		m, more := 0, p.at < len(p.s)
		if more {
			m, more = p.number(2)
			some = some && more
		}
		if ok = some && p.at == len(p.s) && h <= 14 && m < 60; sign == '-' {
			h, m = -h, -m
		}
		minutes = h*60 + m
	}
	if !ok {
		p.at, minutes = from, 0
	}
	return minutes, ok
}

// half reads AM or PM, or nothing, up to the end.
func (p *timeParser) half(h *int) bool {
	switch p.s[p.at:] {
	case "":
		return true
	case "AM", "am", "PM", "pm", "a.m.", "p.m.", "A.M.", "P.M.":
	default:
		return false
	}
	if *h < 1 || *h > 12 {
		return false
	}
	*h %= 12
	if p.s[p.at] == 'P' || p.s[p.at] == 'p' {
		*h += 12
	}
	return true
}

// at returns the milliseconds of a time in an order, false if there is no such day.
func (t *counterTime) at(o dateOrder) (int64, bool) {
	m, d, y := t.parts[0], t.parts[1], t.parts[2]
	switch o {
	case dayFirst:
		m, d = d, m
	case yearFirst:
		y, m, d = t.parts[0], t.parts[1], t.parts[2]
	}
	if y < 100 {
		y += 2000
	}
	if m < 1 || m > 12 || d < 1 || d > daysOf(y, m) || y < 1990 || y > 2200 {
		return 0, false
	}
	return int64(dayNumber(y, m, d))*dayMS + t.ms, true
}

func daysOf(y, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// dayNumber counts days of the Gregorian calendar, with March as the first month of
// a year, so that the day that some years have more is the last of one.
func dayNumber(y, m, d int) int {
	if m < 3 {
		y, m = y-1, m+12
	}
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d
}

// orderOf decides in what order the dates of a log are. Of the orders that all dates
// can be read in, the one counts in which time goes back least and, of those that do
// not differ in that, spans least; then what the separator is used for, dots in
// countries with the day first.
func orderOf(times []counterTime) dateOrder {
	if len(times) == 0 || times[0].parts[0] > 31 {
		return yearFirst
	}
	orders := []dateOrder{monthFirst, dayFirst}
	if times[0].sep == '.' {
		orders = []dateOrder{dayFirst, monthFirst}
	}
	best, bestBack, bestSpan := orders[0], -1, int64(0)
	for _, o := range orders {
		back, span, ok := ordered(times, o)
		if ok && (bestBack < 0 || back < bestBack || back == bestBack && span < bestSpan) {
			best, bestBack, bestSpan = o, back, span
		}
	}
	return best
}

// ordered counts how often time goes back and tells how much it spans, false if a
// date cannot be read so.
func ordered(times []counterTime, o dateOrder) (back int, span int64, ok bool) {
	var first, last int64
	for i := range times {
		ms, ok := times[i].at(o)
		if !ok {
			return 0, 0, false
		}
		if i == 0 {
			first, last = ms, ms
		}
		if ms < last {
			back++
		}
		last = ms
	}
	return back, last - first, true
}
