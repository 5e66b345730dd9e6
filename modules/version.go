package modules

import (
	"cmp"
	"strconv"
	"strings"
)

// Version is up to four numbers, the first the weightiest. The zero Version is
// unknown.
type Version struct {
	numbers [4]uint32
	parts   uint8 // as many as were printed
}

// VersionOf returns the Version of one to four numbers, unknown for none or
// more.
func VersionOf(numbers ...uint32) Version {
	var v Version
	if len(numbers) > len(v.numbers) {
		return v
	}
	v.parts = uint8(copy(v.numbers[:], numbers))
	return v
}

// ParseVersion reads the version that a text begins with, and reports whether
// there is one:
//
//	6.1.7601.17514 (win7sp1_rtm.101119-1850)
//	6, 1, 7600, 16385
//	v1.76
//
// A text with more than four numbers, with letters inside them or with one
// number alone is none, since it cannot be compared.
func ParseVersion(s string) (Version, bool) {
	var v Version
	s = strings.TrimSpace(s)
	if len(s) > 1 && (s[0] == 'v' || s[0] == 'V') {
		s = s[1:]
	}
	for {
		n := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		number, err := strconv.ParseUint(s[:n], 10, 32)
		if err != nil || int(v.parts) == len(v.numbers) {
			return Version{}, false
		}
		v.numbers[v.parts] = uint32(number)
		v.parts++
		s = s[n:]
		rest := s
		if strings.HasPrefix(s, ".") || strings.HasPrefix(s, ",") {
			rest = strings.TrimLeft(s[1:], " ")
		}
		if len(rest) == len(s) || rest == "" || rest[0] < '0' || rest[0] > '9' {
			break
		}
		s = rest
	}
	if v.parts < 2 || s != "" && isWordByte(s[0]) {
		return Version{}, false
	}
	return v, true
}

// isWordByte reports whether a byte goes on with a number in front of it, so
// that it is none: 1.2b3, 1.2.x.
func isWordByte(c byte) bool {
	return c == '.' || c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// Part returns one of the numbers, counted from 0, and whether it was printed.
func (v Version) Part(i int) (int, bool) {
	if i < 0 || i >= int(v.parts) {
		return 0, false
	}
	return int(v.numbers[i]), true
}

// Known reports whether there is a version.
func (v Version) Known() bool { return v.parts > 0 }

// Compare returns -1, 0 or 1 as v is older than, the same as or newer than o;
// false if one of them is unknown. Numbers that were not printed count as 0.
func (v Version) Compare(o Version) (int, bool) {
	if !v.Known() || !o.Known() {
		return 0, false
	}
	for i := range v.numbers {
		if c := cmp.Compare(v.numbers[i], o.numbers[i]); c != 0 {
			return c, true
		}
	}
	return 0, true
}

// String returns the numbers with dots between, "" if unknown.
func (v Version) String() string {
	var b []byte
	for i := range v.parts {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendUint(b, uint64(v.numbers[i]), 10)
	}
	return string(b)
}
