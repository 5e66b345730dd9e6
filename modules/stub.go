// Package modules is a stub.
package modules

import (
	"fmt"
	"strconv"
	"strings"
)

// Version is four numbers.
type Version struct {
	N     [4]uint32
	Known bool
}

// ParseVersion parses.
func ParseVersion(s string) (Version, bool) {
	var v Version
	s, _, _ = strings.Cut(s, " ")
	parts := strings.Split(s, ".")
	if len(parts) > 4 || len(parts) < 2 {
		return v, false
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			return v, false
		}
		v.N[i] = uint32(n)
	}
	v.Known = true
	return v, true
}

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d.%d", v.N[0], v.N[1], v.N[2], v.N[3]) }

// Compare compares.
func (v Version) Compare(o Version) int {
	for i := range v.N {
		if v.N[i] != o.N[i] {
			if v.N[i] < o.N[i] {
				return -1
			}
			return 1
		}
	}
	return 0
}
