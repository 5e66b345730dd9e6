package dump

import (
	"math/bits"
	"time"
)

// line is a line of the listing that is being written. Its methods append what they are
// called after, for fmt takes longer than all the rest for the hundred lines of a thread.
type line []byte

const digits = "0123456789abcdef"

func (l line) s(text string) line { return append(l, text...) }

// hex appends a number with so many hexadecimal digits at least.
func (l line) hex(v uint64, width int) line {
	n := max(width, (bits.Len64(v)+3)/4, 1)
	l = append(l, "0000000000000000"[:n]...)
	for i := len(l) - 1; v != 0; i-- {
		l[i] = digits[v&15]
		v >>= 4
	}
	return l
}

// tick appends an address as debuggers write it in stacks: fffff800`02a00000.
func (l line) tick(va uint64) line {
	return l.hex(va>>32, 8).s("`").hex(va&0xffffffff, 8)
}

// dec appends a number, and blanks up to so many characters.
func (l line) dec(v int64, width int) line {
	before := len(l)
	if v < 0 {
		l = append(l, '-')
		v = -v
	}
	var b [20]byte
	i := len(b)
	for {
		i--
		b[i] = digits[v%10]
		if v /= 10; v == 0 {
			break
		}
	}
	l = append(l, b[i:]...)
	for len(l)-before < width {
		l = append(l, ' ')
	}
	return l
}

// two appends a number of two digits, three one of three.
func (l line) two(v time.Duration) line   { return append(l, digits[v/10%10], digits[v%10]) }
func (l line) three(v time.Duration) line { return append(l, digits[v/100%10]).two(v) }

// time appends hours, minutes, seconds and milliseconds: "00:00:33.031".
func (l line) time(d time.Duration) line {
	if h := d / time.Hour; h < 100 {
		l = l.two(h)
	} else {
		l = l.dec(int64(h), 0)
	}
	return l.s(":").two(d / time.Minute % 60).s(":").two(d / time.Second % 60).s(".").three(d / time.Millisecond % 1000)
}
