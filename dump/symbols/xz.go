//go:build !js

package symbols

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"slices"

	"github.com/ulikunitz/xz/lzma"
)

const xzMagic = "\xfd7zXZ\x00"

const (
	// maxWindow is the largest dictionary read here: that of xz -9.
	maxWindow = 64 << 20
	// maxBlocks is how many blocks a file may have: a window is made for each.
	// xz makes one, or one for every 24 MiB and more if it has several threads.
	maxBlocks = 16
)

var errXZ = errors.New("xz: damaged")

// xzReader unpacks the first stream of an xz file. It is a reader of its own
// because the one of the library takes the size of the dictionary from the file
// as it is, up to 4 GiB.
type xzReader struct {
	packed counter
	blocks int
	check  hash.Hash // of the block; nil if the file has none
	block  io.Reader // the block that is being read; nil in front of one
	err    error
}

// counter counts what is read of a block.
type counter struct {
	*bufio.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

// newXZ makes a reader of what is packed in r, which starts with xzMagic.
func newXZ(r io.Reader) io.Reader {
	x := &xzReader{packed: counter{Reader: bufio.NewReader(r)}}
	x.err = x.start()
	return x
}

// start reads the header of the stream, which tells the kind of check.
func (x *xzReader) start() error {
	var h [12]byte
	if _, err := io.ReadFull(&x.packed, h[:]); err != nil {
		return errXZ
	}
	if le.Uint32(h[8:]) != crc32.ChecksumIEEE(h[6:8]) || h[6] != 0 {
		return errXZ
	}
	switch h[7] {
	case 0:
	case 1:
		x.check = crc32.NewIEEE()
	case 4:
		x.check = crc64.New(crc64.MakeTable(crc64.ECMA))
	case 10:
		x.check = sha256.New()
	default:
		return fmt.Errorf("xz: unknown check %d", h[7])
	}
	return nil
}

func (x *xzReader) Read(p []byte) (int, error) {
	for x.err == nil {
		if x.block == nil {
			x.err = x.open()
			continue
		}
		n, err := x.block.Read(p)
		if x.check != nil {
			x.check.Write(p[:n])
		}
		if err == io.EOF {
			err = x.close()
		}
		x.err = err
		if n > 0 || len(p) == 0 {
			return n, nil
		}
	}
	return 0, x.err
}

// open reads the header of a block. The index behind the last one is the end: it
// and what follows it are not read.
func (x *xzReader) open() error {
	size, err := x.packed.ReadByte()
	if err != nil {
		return errXZ
	}
	if size == 0 {
		return io.EOF
	}
	if x.blocks++; x.blocks > maxBlocks {
		return errors.New("xz: too many blocks")
	}
	h := make([]byte, (int(size)+1)*4)
	h[0] = size
	if _, err := io.ReadFull(&x.packed, h[1:]); err != nil {
		return errXZ
	}
	end := len(h) - 4
	if le.Uint32(h[end:]) != crc32.ChecksumIEEE(h[:end]) {
		return errXZ
	}
	window, err := xzWindow(h[1:end])
	if err != nil {
		return err
	}
	x.packed.n = 0
	x.block, err = lzma.Reader2Config{DictCap: window}.NewReader2(&x.packed)
	return err
}

// xzWindow reads what follows the size in the header of a block, and tells the
// size of the dictionary. LZMA2 is the only filter read here.
func xzWindow(h []byte) (int, error) {
	flags, h := h[0], h[1:]
	if flags&0x3f != 0 {
		return 0, errors.New("xz: filters other than LZMA2")
	}
	for _, present := range []byte{0x40, 0x80} { // packed and unpacked size
		if flags&present == 0 {
			continue
		}
		_, n := binary.Uvarint(h)
		if n <= 0 {
			return 0, errXZ
		}
		h = h[n:]
	}
	if len(h) < 3 || h[0] != 0x21 || h[1] != 1 {
		return 0, errors.New("xz: filters other than LZMA2")
	}
	bits := h[2]
	if bits > 40 {
		return 0, errXZ
	}
	window := int64(2|bits&1) << (bits/2 + 11)
	if window > maxWindow {
		return 0, errors.New("xz: dictionary too large")
	}
	return int(window), nil
}

// close reads what follows a block: zeros up to a multiple of four, and the
// check.
func (x *xzReader) close() error {
	x.block = nil
	var pad [3]byte
	if _, err := io.ReadFull(&x.packed, pad[:-x.packed.n&3]); err != nil || pad != [3]byte{} {
		return errXZ
	}
	if x.check == nil {
		return nil
	}
	sum := x.check.Sum(nil)
	if x.check.Size() <= 8 { // the CRCs are little-endian in the file
		slices.Reverse(sum)
	}
	x.check.Reset()
	stored := make([]byte, len(sum))
	if _, err := io.ReadFull(&x.packed, stored); err != nil || !bytes.Equal(sum, stored) {
		return errXZ
	}
	return nil
}
