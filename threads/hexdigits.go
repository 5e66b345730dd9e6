package threads

import (
	"kdlocks/kd"
)

// digits is an address as its 16 digits: the first 8 and the last 8, the first
// of each in the high byte. In lower case such numbers are in the order of the
// addresses.
type digits struct{ hi, lo uint64 }

func (d digits) less(o digits) bool { return d.hi < o.hi || d.hi == o.hi && d.lo < o.lo }

// digitsOf returns the digits of an address.
func digitsOf(a kd.Addr) digits {
	return digits{digits8(uint64(a) >> 32), digits8(uint64(a) & 0xffffffff)}
}

func digits8(v uint64) uint64 {
	v = (v | v<<16) & 0x0000ffff0000ffff
	v = (v | v<<8) & 0x00ff00ff00ff00ff
	v = (v | v<<4) & (0x0f * ones)
	letters := (v + 6*ones) >> 4 & ones
	return v + '0'*ones + letters*('a'-'0'-10)
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// areHex has the high bit of each byte set that is a hexadecimal digit, lower
// case; only for bytes below 0x80.
func areHex(x uint64) uint64 {
	return (x+0x50*ones)&^(x+0x46*ones) | (x+0x1f*ones)&^(x+0x19*ones)
}

// hex16 reads 16 hexadecimal digits, lower case.
func hex16(hi, lo uint64) (kd.Addr, bool) {
	if areHex(hi)&areHex(lo)&highs != highs || (hi|lo)&highs != 0 {
		return 0, false
	}
	return kd.Addr(hex8(hi)<<32 | hex8(lo)), true
}

// hex8 is the value of 8 digits, the first in the low byte.
func hex8(x uint64) uint64 {
	x = x&(0x0f*ones) + x>>6&ones*9
	x = (x<<4 | x>>8) & 0x00ff00ff00ff00ff
	x = (x<<8 | x>>16) & 0x0000ffff0000ffff
	return x<<16&0xffffffff | x>>32
}
