package dump

import (
	"fmt"
	"io"
	"sync"
)

// text is a long text in memory: pieces, which are packed where there are many of them,
// but in a browser.
type text struct {
	size   int64
	pieces []piece

	lock sync.Mutex // of what follows
	packer
	last int // which piece is in open, counted from 1
	open []byte
}

// piece is a part of a text, as it is or packed.
type piece struct{ plain, packed []byte }

// pieceSize is what each piece but the last holds, in bytes, and mostPlain how many pieces
// stay as they are.
const (
	pieceSize = 1 << 20
	mostPlain = 64
)

// add appends bytes.
func (t *text) add(b []byte) {
	t.size += int64(len(b))
	for len(b) > 0 {
		last := len(t.pieces) - 1
		if last < 0 || len(t.pieces[last].plain) == pieceSize || t.pieces[last].packed != nil {
			t.packPiece(last)
			t.pieces = append(t.pieces, piece{plain: make([]byte, 0, pieceSize)})
			last++
		}
		p := &t.pieces[last]
		n := min(len(b), pieceSize-len(p.plain))
		p.plain = append(p.plain, b[:n]...)
		b = b[n:]
	}
}

// packPiece packs a piece that is full, if there are many.
func (t *text) packPiece(i int) {
	if i < mostPlain {
		return
	}
	p := &t.pieces[i]
	if p.packed = t.packer.pack(p.plain); p.packed != nil {
		p.plain = nil
	}
}

// ReadAt reads the text as a file.
func (t *text) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("offset %d", off)
	}
	for n < len(p) {
		i, at := off/pieceSize, off%pieceSize
		if i >= int64(len(t.pieces)) {
			return n, io.EOF
		}
		c, err := t.copy(p[n:], int(i), int(at))
		if err != nil {
			return n, err
		}
		if c == 0 {
			return n, io.EOF
		}
		n, off = n+c, off+int64(c)
	}
	return n, nil
}

// copy copies what a piece has from a byte on.
func (t *text) copy(p []byte, i, at int) (int, error) {
	whole := t.pieces[i].plain
	if t.pieces[i].packed != nil {
		t.lock.Lock()
		defer t.lock.Unlock()
		var err error
		if whole, err = t.unpacked(i); err != nil {
			return 0, err
		}
	}
	if at >= len(whole) {
		return 0, nil
	}
	return copy(p, whole[at:]), nil
}

// unpacked unpacks a piece, and keeps the last.
func (t *text) unpacked(i int) ([]byte, error) {
	if t.last == i+1 {
		return t.open, nil
	}
	t.last = 0
	b, err := t.unpack(t.pieces[i].packed, t.open[:0])
	if err != nil {
		return nil, err
	}
	t.open, t.last = b, i+1
	return b, nil
}
