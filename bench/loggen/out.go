package loggen

import (
	"bytes"
	"io"
)

// out collects text and writes it in large pieces.
type out struct {
	w                      io.Writer
	b                      []byte
	written, lines, blanks int64
	err                    error
}

// flushAt is far above the size of any block.
const flushAt = 256 << 10

func (o *out) size() int64 { return o.written + int64(len(o.b)) }

// full writes when enough has come together.
func (o *out) full() {
	if len(o.b) >= flushAt {
		o.flush()
	}
}

func (o *out) flush() {
	o.lines += int64(bytes.Count(o.b, newline))
	if o.err == nil {
		var n int
		n, o.err = o.w.Write(o.b)
		o.written += int64(n)
	}
	o.b = o.b[:0]
}

var newline = []byte{'\n'}

func (o *out) s(text string) { o.b = append(o.b, text...) }

func (o *out) blank() {
	o.b = append(o.b, '\n')
	o.blanks++
}

// pairs are the two hexadecimal digits of every byte.
var pairs = func() (p [256][2]byte) {
	const digits = "0123456789abcdef"
	for i := range p {
		p[i] = [2]byte{digits[i>>4], digits[i&15]}
	}
	return p
}()

func appendHex8(b []byte, v uint32) []byte {
	p0, p1, p2, p3 := pairs[v>>24], pairs[v>>16&0xff], pairs[v>>8&0xff], pairs[v&0xff]
	return append(b, p0[0], p0[1], p1[0], p1[1], p2[0], p2[1], p3[0], p3[1])
}

// addr appends an address as block lines have it.
func (o *out) addr(v uint64) {
	o.b = appendHex8(appendHex8(o.b, uint32(v>>32)), uint32(v))
}

// appendTicked appends an address as stack lines have it.
func appendTicked(b []byte, v uint64) []byte {
	b = append(appendHex8(b, uint32(v>>32)), '`')
	return appendHex8(b, uint32(v))
}

// hex appends at least width hexadecimal digits.
func (o *out) hex(v uint64, width int) {
	for d := 16; d > 0; d-- {
		nibble := v >> (4 * (d - 1))
		if d <= width || nibble != 0 {
			o.b = append(o.b, pairs[nibble&15][1])
		}
	}
}

// dec appends a decimal number padded with zeros to width.
func (o *out) dec(v int64, width int) {
	var d [20]byte
	i := len(d)
	for v > 0 || i > len(d)-width || i == len(d) {
		i--
		d[i] = byte('0' + v%10)
		v /= 10
	}
	o.b = append(o.b, d[i:]...)
}

// decPadded appends a decimal number and blanks up to width.
func (o *out) decPadded(v int64, width int) {
	from := len(o.b)
	o.dec(v, 1)
	for len(o.b) < from+width {
		o.b = append(o.b, ' ')
	}
}

// clock appends hh:mm:ss.mmm.
func (o *out) clock(ms int64) {
	o.dec(ms/3_600_000, 2)
	o.b = append(o.b, ':')
	o.dec(ms/60_000%60, 2)
	o.b = append(o.b, ':')
	o.dec(ms/1000%60, 2)
	o.b = append(o.b, '.')
	o.dec(ms%1000, 3)
}
