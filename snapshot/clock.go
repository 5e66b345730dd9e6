package snapshot

import (
	"strconv"
	"strings"

	"kdlocks/memory"
)

// JustStarted reports whether the uptime says that the machine still starts, and since how
// many minutes it runs.
func (t *Target) JustStarted() (minutes int, young bool) {
	up, ok := ParseUptime(t.Uptime)
	return int(up / 60_000), ok && up < memory.LeastUptime
}

// ParseUptime reads the span behind "System Uptime:" in milliseconds.
//
//	12 days 3:01:02.345
func ParseUptime(s string) (ms int64, ok bool) {
	f := strings.Fields(s)
	if len(f) != 3 || !strings.HasPrefix(f[1], "day") {
		return 0, false
	}
	days, err := strconv.ParseUint(f[0], 10, 20)
	clock, ok := parseClock(f[2])
	if err != nil || !ok {
		return 0, false
	}
	return int64(days)*dayMS + clock, true
}

const (
	minuteMS = 60_000
	hourMS   = 60 * minuteMS
	dayMS    = 24 * hourMS
)

// parseClock reads h:mm:ss with or without a fraction, in milliseconds.
func parseClock(s string) (int64, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	parts := strings.Split(whole, ":")
	if len(parts) != 3 || len(fraction) > 9 {
		return 0, false
	}
	var n [3]uint64
	for i, p := range parts {
		v, err := strconv.ParseUint(p, 10, 16)
		if err != nil || i > 0 && v > 60 {
			return 0, false
		}
		n[i] = v
	}
	ms := uint64(0)
	if fraction != "" {
		v, err := strconv.ParseUint((fraction + "000")[:3], 10, 16)
		if err != nil {
			return 0, false
		}
		ms = v
	}
	return int64(n[0])*hourMS + int64(n[1])*minuteMS + int64(n[2])*1000 + int64(ms), true
}

// ParseSessionTime reads what stands behind "Debug session time:" as
// milliseconds of UTC; zoned is false where no zone was printed.
//
//	Mon Nov  2 10:00:00.000 2026 (UTC + 1:00)
//	Mon Nov  2 10:00:00.000 2009 (GMT+1)
func ParseSessionTime(s string) (ms int64, zoned, ok bool) {
	s, zone, zoned := strings.Cut(s, "(")
	utc, isUTC := strings.CutPrefix(zone, "UTC")
	gmt, isGMT := strings.CutPrefix(zone, "GMT") // of older debuggers
	if zone = utc; isGMT {
		zone = gmt
	}
	f := strings.Fields(s)
	if len(f) != 5 {
		return 0, false, false
	}
	month := strings.Index("JanFebMarAprMayJunJulAugSepOctNovDec", f[1])
	day, err1 := strconv.ParseUint(f[2], 10, 8)
	year, err2 := strconv.ParseUint(f[4], 10, 16)
	clock, ok := parseClock(f[3])
	if len(f[1]) != 3 || month < 0 || month%3 != 0 || err1 != nil || err2 != nil || !ok || day < 1 || day > 31 {
		return 0, false, false
	}
	ms = DaysTo(int64(year), int64(month/3)+1, int64(day))*dayMS + clock
	if !zoned {
		return ms, false, true
	}
	if !isUTC && !isGMT {
		return 0, false, false
	}
	off, ok := parseZone(strings.TrimSuffix(strings.TrimSpace(zone), ")"))
	return ms - off, true, ok
}

// parseZone reads "+ 1:00", "- 7:00" and "-7", in milliseconds.
func parseZone(s string) (int64, bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, true
	}
	clock := strings.TrimSpace(s[1:])
	if !strings.Contains(clock, ":") {
		clock += ":00"
	}
	off, ok := parseClock(clock + ":00")
	switch s[0] {
	case '+':
		return off, ok
	case '-':
		return -off, ok
	}
	return 0, false
}

// DaysTo counts the days from the first of March of the year 0 to a date of
// the Gregorian calendar.
func DaysTo(year, month, day int64) int64 {
	if month < 3 {
		year, month = year-1, month+12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1
}
