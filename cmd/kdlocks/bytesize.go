package main

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// byteSize is a flag for a number of bytes: 4096, 100M, 1.5G, 16GiB. Units are
// powers of 1024.
type byteSize int64

// Set parses a size above zero.
func (b *byteSize) Set(s string) error {
	num := strings.TrimSpace(strings.ToUpper(s))
	num = strings.TrimSuffix(strings.TrimSuffix(num, "B"), "I")
	unit := 1.0
	if n := len(num); n > 0 {
		if i := strings.IndexByte("KMGT", num[n-1]); i >= 0 {
			unit, num = math.Pow(1024, float64(i+1)), num[:n-1]
		}
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(num), 64)
	if err != nil || !(v*unit >= 1) || v*unit > 1<<62 {
		return errors.New("not a size such as 500M or 16G")
	}
	*b = byteSize(v * unit)
	return nil
}

// String returns a form that Set reads.
func (b *byteSize) String() string {
	v, unit := int64(*b), 0
	for v >= 1024 && v%1024 == 0 && unit < 4 {
		v /= 1024
		unit++
	}
	return strconv.FormatInt(v, 10) + strings.TrimSpace(" KMGT"[unit:unit+1])
}

// Type names the kind of the flag in the help.
func (*byteSize) Type() string { return "size" }
