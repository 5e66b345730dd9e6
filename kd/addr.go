package kd

import (
	"fmt"
	"strconv"
	"strings"
)

// Addr is a virtual address of the debuggee. Addresses of a 32-bit target
// are kept as 32-bit values.
type Addr uint64

// Arch is the processor architecture of a target.
type Arch uint8

// The architectures that a transcript can come from.
const (
	ArchUnknown Arch = iota
	X86
	X64
	ARM64
)

// String returns the name used in reports, or "" for ArchUnknown.
func (a Arch) String() string {
	switch a {
	case X86:
		return "x86"
	case X64:
		return "x64"
	case ARM64:
		return "arm64"
	}
	return ""
}

// Is64 reports whether kernel addresses of the target have 16 hex digits.
func (a Arch) Is64() bool { return a == X64 || a == ARM64 }

// ParseAddr reads an address in any form a debugger prints or accepts: with or
// without 0x, with or without the backtick before the low 8 digits, either
// case. The multiplication sign that blog software puts in the place of the x
// is taken for one. It reports false for anything else, and for more than 16
// digits.
func ParseAddr(s string) (Addr, bool) {
	a, digits := scanAddr(s)
	return a, digits > 0
}

// ParseFullAddr is ParseAddr for a column in which the debugger prints all
// digits: exactly 8, or exactly 16. It keeps shorter hexadecimal words, such
// as counts and English ones, from being taken for addresses.
func ParseFullAddr(s string) (Addr, bool) {
	a, digits := scanAddr(s)
	return a, digits == 8 || digits == 16
}

// AddrDigits returns the number of hexadecimal digits of an address as written,
// 0 if it is none.
func AddrDigits(s string) int {
	_, digits := scanAddr(s)
	return digits
}

// scanAddr returns the value and its number of hex digits, 0 if s is not an
// address.
func scanAddr(s string) (Addr, int) {
	s = trimHexPrefix(s)
	var v uint64
	digits := 0
	for i := 0; i < len(s); i++ {
		d, ok := hexDigit(s[i])
		if !ok {
			if s[i] == '`' && digits > 0 && len(s)-i == 9 {
				continue
			}
			return 0, 0
		}
		if digits++; digits > 16 {
			return 0, 0
		}
		v = v<<4 | uint64(d)
	}
	return Addr(v), digits
}

func trimHexPrefix(s string) string {
	if len(s) < 3 || s[0] != '0' {
		return s
	}
	if s[1] == 'x' || s[1] == 'X' {
		return s[2:]
	}
	return strings.TrimPrefix(s, "0×")
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// String returns the address as reports write it: 0x and lower-case digits.
func (a Addr) String() string {
	var buf [18]byte
	return string(strconv.AppendUint(append(buf[:0], "0x"...), uint64(a), 16))
}

// Bare returns the address as a debugger prints it in a header line: 16
// digits on a 64-bit target and for values that need more than 8, else 8.
func (a Addr) Bare(arch Arch) string {
	if arch.Is64() || a > 0xffffffff {
		return fmt.Sprintf("%016x", uint64(a))
	}
	return fmt.Sprintf("%08x", uint64(a))
}

// tagMask covers the two low bits that ExSetResourceOwnerPointer requires to
// be set in an owner pointer (Microsoft's documentation of the routine).
const tagMask Addr = 3

// Untagged returns the address without its two low bits.
func (a Addr) Untagged() Addr { return a &^ tagMask }

// Tagged reports whether any of the two low bits is set: a thread address
// never has them, an owner pointer always does.
func (a Addr) Tagged() bool { return a&tagMask != 0 }

// SignExtended reports whether the address is a 32-bit kernel address written
// with 16 digits, as 64-bit debuggers do for 32-bit targets.
func (a Addr) SignExtended() bool { return a>>31 == 0x1ffffffff }

// Fold returns the 32-bit value of a sign-extended address and any other
// address unchanged. It is for facts of 32-bit targets only.
func (a Addr) Fold() Addr {
	if a.SignExtended() {
		return a & 0xffffffff
	}
	return a
}

// IsKernel reports whether the address lies in the kernel's half of the
// address space.
func (a Addr) IsKernel(arch Arch) bool {
	if arch.Is64() || a > 0xffffffff {
		return a>>63 == 1
	}
	return a >= 0x80000000
}
