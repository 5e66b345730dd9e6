package snapshot

import "testing"

func known(ms int64, ok bool) int64 {
	if !ok {
		return -1
	}
	return ms
}

func TestClocks(t *testing.T) {
	for text, want := range map[string]int64{
		"0 days 0:00:00.000": 0, "0 days 3:01:02.345": 10_862_345, "12 days 23:59:59.9": 12*dayMS + dayMS - 100,
		"1 day 0:00:01": dayMS + 1000,
		"not available": -1, "": -1, "x days 1:00:00": -1, "0 days 1:99:00": -1, "0 days 1:00": -1, "99999999999 days 1:00:00": -1, "0 days -1:00:00": -1,
	} {
		if got := known(ParseUptime(text)); got != want {
			t.Errorf("uptime %q: %d, want %d", text, got, want)
		}
	}
	at := func(s string) int64 {
		ms, _, ok := ParseSessionTime(s)
		return known(ms, ok)
	}
	base := at("Sat Feb 28 23:59:59.000 2026 (UTC + 0:00)")
	for text, after := range map[string]int64{
		"Sun Mar  1 00:00:00.500 2026 (UTC + 0:00)":  1500,
		"Sun Mar  1 01:00:00.500 2026 (UTC + 1:00)":  1500,
		"Sat Feb 28 16:00:00.500 2026 (UTC - 8:00)":  1500,
		"Mon Mar  1 05:30:00.500 2027 (UTC + 5:30)":  365*dayMS + 1500,
		"Wed Mar  1 00:00:00.500 2028 (UTC)":         (365+366)*dayMS + 1500,
		"Sat Feb 28 23:59:59.000 2026 (UTC + 0:00)":  0,
		"Sun Mar  1 00:00:00.500 2026 (UTC + 0:00) ": 1500,
		"Sun Mar  1 01:00:00.500 2026 (GMT+1)":       1500,
		"Sat Feb 28 16:00:00.500 2026 (GMT-8)":       1500,
		"Sun Mar  1 05:30:00.500 2026 (GMT+5:30)":    1500,
		"Sun Mar  1 00:00:00.500 2026 (GMT)":         1500,
	} {
		if got := at(text) - base; got != after {
			t.Errorf("time %q: %d ms after, want %d", text, got, after)
		}
	}
	for _, text := range []string{"", "yesterday", "Mon Foo  1 00:00:00 2026", "Mon Mar 99 00:00:00 2026", "Mon anF  1 00:00:00 2026", "Mon Mar  1 00:00:00 2026 (UTC * 1:00)", "Mon Mar  1 00:00:00 2026 (GMT+x)", "Mon Mar  1 00:00:00 2026 (GMT+)", "Mon Mar  1 00:00:00 2026 (EST)"} {
		if got := at(text); got != -1 {
			t.Errorf("time %q: %d", text, got)
		}
	}
}
