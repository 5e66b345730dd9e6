// Package pack makes the WebAssembly engine that the Go linker wrote small to
// load, without a change to what it does.
package pack

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Sections of a module that are changed.
const (
	codeSection = 10
	dataSection = 11
)

// section is a section of a module.
type section struct {
	id   byte
	body []byte
}

var header = []byte("\x00asm\x01\x00\x00\x00")

var errCut = errors.New("the module is cut off")

// readModule cuts a module into its sections.
func readModule(wasm []byte) ([]section, error) {
	if len(wasm) < len(header) || string(wasm[:len(header)]) != string(header) {
		return nil, errors.New("no WebAssembly module")
	}
	var out []section
	r := reader{b: wasm[len(header):]}
	for len(r.b) > 0 && r.err == nil {
		id := r.byte()
		out = append(out, section{id, r.bytes(r.uint())})
	}
	return out, r.err
}

func writeModule(sections []section) []byte {
	out := append([]byte(nil), header...)
	for _, s := range sections {
		out = append(out, s.id)
		out = binary.AppendUvarint(out, uint64(len(s.body)))
		out = append(out, s.body...)
	}
	return out
}

// reader reads what modules consist of; err is set once something is missing.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
	r.b = nil
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail("%w", errCut)
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail("%w", errCut)
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

// uint reads an unsigned LEB128 number.
func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail("%w", errCut)
		return 0
	}
	r.b = r.b[n:]
	return v
}

// int reads a signed LEB128 number.
func (r *reader) int() int64 {
	var v int64
	for shift := 0; shift < 70; shift += 7 {
		c := r.byte()
		v |= int64(c&0x7f) << shift
		if c&0x80 == 0 {
			if c&0x40 != 0 && shift+7 < 64 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
	r.fail("a number is too long")
	return 0
}

func appendInt(out []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(out, c)
		}
		out = append(out, c|0x80)
	}
}
