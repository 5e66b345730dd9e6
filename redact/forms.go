package redact

import "strings"

// ticks are what becomes of the backtick in an address on the way through mail and web pages.
var ticks = [...]string{"`", "'", "\u2018", "\u2019", "\u00b4", "&#96;", "&#x60;", "&grave;", "&lsquo;", "&#39;", "&apos;"}

// tickStarts are the bytes that ticks begin with.
var tickStarts = func() (set [256]bool) {
	for _, t := range ticks {
		set[t[0]] = true
	}
	return set
}()

// tickLen returns the length of the backtick that s begins with, 0 if there is none.
func tickLen(s string) int {
	if s == "" || !tickStarts[s[0]] {
		return 0
	}
	for _, t := range ticks {
		if strings.HasPrefix(s, t) {
			return len(t)
		}
	}
	return 0
}

// fileEndings are those of names that stand in debugger output. A CID has a point in it, too.
var fileEndings = map[string]bool{"sys": true, "exe": true, "dll": true, "drv": true, "pdb": true, "dmp": true, "log": true, "txt": true, "ocx": true, "com": true, "net": true, "org": true}

// isHash reports whether digits are too many for an address.
func isHash(digits string) bool { return len(digits) > 16 && hexLen(digits) == len(digits) }

// units stand behind numbers without a blank.
var units = map[string]bool{
	"s": true, "ms": true, "us": true, "ns": true, "m": true, "h": true, "d": true, "min": true, "k": true, "kb": true, "kib": true, "mb": true,
	"mib": true, "gb": true, "gib": true, "tb": true, "b": true, "st": true, "nd": true, "rd": true, "th": true, "x": true, "bit": true,
	"hz": true, "mhz": true, "ghz": true, "g": true, "t": true, "p": true, "l": true, "ul": true, "ull": true,
}

// isMeasure reports whether a word is a number with its unit, or one in the notation of
// the debugger: 0n10, 0y101, 0Fh.
func isMeasure(w string) bool {
	n := digitLen(w)
	unit := w[n:]
	if w[0] == '0' && n == 1 && len(w) > 2 && (unit[0] == 'n' || unit[0] == 'y') && digitLen(unit[1:]) == len(unit)-1 {
		return true
	}
	if h := hexLen(w); h == len(w)-1 && w[h]|0x20 == 'h' {
		return true
	}
	var low [4]byte
	if len(unit) > len(low) {
		return false
	}
	for i := range len(unit) {
		low[i] = unit[i] | 0x20
	}
	return units[string(low[:len(unit)])]
}

// isBackTrace reports whether a word is the name that logs of heaps give a back trace:
// BackTrace1AF06BFC.
func isBackTrace(w string) bool {
	const name = "backtrace"
	return len(w) > len(name) && w[0]|0x20 == 'b' && hexLen(w[len(name):]) == len(w)-len(name) && lower(w[:len(name)]) == name
}

// quad returns the length of four numbers up to 255 with dots between, 0 if s
// does not begin with them.
func quad(s string) int {
	at := 0
	for i := range 4 {
		n := digitLen(s[at:])
		if n < 1 || n > 3 || n == 3 && s[at:at+3] > "255" {
			return 0
		}
		if at += n; i < 3 {
			if at >= len(s) || s[at] != '.' {
				return 0
			}
			at++
		}
	}
	if at < len(s) && (isWordByte(s[at]) || s[at] == '.' && at+1 < len(s) && isDigit(s[at+1])) {
		return 0
	}
	return at
}

// plainQuad tells addresses that all machines have.
func plainQuad(s string) bool {
	return s == "127.0.0.1" || s == "0.0.0.0" || strings.HasPrefix(s, "255.")
}

// identifier returns the length of a GUID, SID, hardware address, IPv6 address or
// telephone number whose first run of letters and digits has n bytes; 0 if there is none.
func identifier(s string, n int) int {
	if len(s) == n {
		return 0
	}
	switch sign := s[n]; {
	case sign == '-' && n == 8:
		return groups(s, "-", 8, 4, 4, 4, 12)
	case sign == '-' && n == 1:
		return sid(s)
	case (sign == '-' || sign == ':') && n == 2:
		if m := groups(s, string(sign), 2, 2, 2, 2, 2, 2); m > 0 {
			return m
		}
	case sign == '-' && n == 3 && digitLen(s) == 3:
		if m := groups(s, "-", 3, 3, 4); m > 0 && digitLen(s[4:]) == 3 && digitLen(s[8:]) == 4 {
			return m
		}
		if m := groups(s, "-", 3, 4); m > 0 && digitLen(s[4:]) == 4 {
			return m
		}
	}
	if s[n] == ':' && n <= 4 {
		return ipv6(s)
	}
	return 0
}

// groups returns the length of groups of hexadecimal digits with a sign between.
func groups(s, sign string, sizes ...int) int {
	at := 0
	for i, n := range sizes {
		if i > 0 {
			if !strings.HasPrefix(s[at:], sign) {
				return 0
			}
			at += len(sign)
		}
		if wordLen(s[at:]) != n || hexLen(s[at:]) != n {
			return 0
		}
		at += n
	}
	if at < len(s) && s[at] == sign[0] {
		return 0
	}
	return at
}

// sid returns the length of the SID of an account of a machine or domain. Those
// of Windows itself are the same everywhere.
func sid(s string) int {
	if len(s) < 9 || !strings.EqualFold(s[:8], "S-1-5-21") && !strings.EqualFold(s[:8], "S-1-12-1") || s[8] != '-' {
		return 0
	}
	at := 8
	for at+1 < len(s) && s[at] == '-' && isDigit(s[at+1]) {
		at += 1 + digitLen(s[at+1:])
	}
	return at
}

// ipv6 returns the length of an IPv6 address, 0 if s does not begin with one. What
// could be a time is none.
func ipv6(s string) int {
	at, colons, double, letters, digits := 0, 0, false, false, false
	for at < len(s) {
		if n := hexLen(s[at:]); n > 0 {
			if n > 4 {
				return 0
			}
			digits = digits || digitLen(s[at:at+n]) > 0
			letters = letters || digitLen(s[at:at+n]) < n
			at += n
			continue
		}
		if s[at] != ':' || colons == 7 {
			break
		}
		double = double || strings.HasPrefix(s[at:], "::")
		colons++
		at++
	}
	for at > 0 && s[at-1] == ':' {
		at, colons = at-1, colons-1
	}
	whole := at == len(s) || !isWordByte(s[at])
	if !whole || !digits || colons < 2 || !double && (!letters || colons < 7) {
		return 0
	}
	return at
}
