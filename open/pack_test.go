package open_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"hash/crc32"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz/lzma"
)

// member is a file to pack.
type member struct {
	name string
	data []byte
}

func gz(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	must(t, w.Close())
	return b.Bytes()
}

func zst(t testing.TB, data []byte, opts ...zstd.EOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, opts...)
	must(t, err)
	w.Write(data)
	must(t, w.Close())
	return b.Bytes()
}

func zipped(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		w, err := z.Create(m.name)
		must(t, err)
		w.Write(m.data)
	}
	must(t, z.Close())
	return b.Bytes()
}

// sized stores members with their sizes before them, as most programs do.
func sized(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		n := uint64(len(m.data))
		w, err := z.CreateRaw(&zip.FileHeader{Name: m.name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(m.data), CompressedSize64: n, UncompressedSize64: n})
		must(t, err)
		w.Write(m.data)
	}
	must(t, z.Close())
	return b.Bytes()
}

// twice lists the only member of a zip a second time.
func twice(b []byte) []byte {
	dir, end := bytes.Index(b, []byte("PK\x01\x02")), bytes.Index(b, []byte("PK\x05\x06"))
	entry := b[dir:end]
	out := append(append(bytes.Clone(b[:end]), entry...), b[end:]...)
	tail := out[end+len(entry):]
	binary.LittleEndian.PutUint16(tail[8:], 2)
	binary.LittleEndian.PutUint16(tail[10:], 2)
	binary.LittleEndian.PutUint32(tail[12:], uint32(2*len(entry)))
	return out
}

// cut returns the first n bytes, or all but the last -n.
func cut(b []byte, n int) []byte {
	if n < 0 {
		n += len(b)
	}
	return b[:n]
}

// encryptedZip marks the members of a zip as encrypted, bit 0 of the general
// purpose flags in both headers.
func encryptedZip(t testing.TB, members ...member) []byte {
	b := zipped(t, members...)
	for _, h := range []struct {
		sig string
		off int
	}{{"PK\x03\x04", 6}, {"PK\x01\x02", 8}} {
		for i := 0; ; {
			j := bytes.Index(b[i:], []byte(h.sig))
			if j < 0 {
				break
			}
			b[i+j+h.off] |= 1
			i += j + 4
		}
	}
	return b
}

// coder is one method of 7z: its number, properties and packed bytes.
type coder struct{ id, props, packed []byte }

func stored(_ testing.TB, data []byte) coder { return coder{[]byte{0}, nil, data} }

func lzma2(t testing.TB, data []byte) coder {
	var b bytes.Buffer
	w, err := lzma.Writer2Config{DictCap: 1 << 16}.NewWriter2(&b)
	must(t, err)
	w.Write(data)
	must(t, w.Close())
	return coder{[]byte{0x21}, []byte{8}, b.Bytes()} // 8 is 64 KiB
}

func lzma1(t testing.TB, data []byte) coder {
	var b bytes.Buffer
	w, err := lzma.WriterConfig{DictCap: 1 << 16, Size: int64(len(data))}.NewWriter(&b)
	must(t, err)
	w.Write(data)
	must(t, w.Close())
	return coder{[]byte{3, 1, 1}, b.Bytes()[:5], b.Bytes()[lzma.HeaderLen:]}
}

// sevenzip packs members as one stream, as 7zFormat.txt of 7-Zip has it.
func sevenzip(t testing.TB, pack func(testing.TB, []byte) coder, members ...member) []byte {
	t.Helper()
	var all []byte
	for _, m := range members {
		all = append(all, m.data...)
	}
	c := pack(t, all)
	h := sevenzipStream([]byte{0x01, 0x04}, 0, c, len(all))
	h = append(number(append(h, 0x08, 0x0d), len(members)), 0x09)
	for _, m := range members[:len(members)-1] {
		h = number(h, len(m.data))
	}
	h = append(h, 0x0a, 1) // checksums of all
	for _, m := range members {
		h = binary.LittleEndian.AppendUint32(h, crc32.ChecksumIEEE(m.data))
	}
	h = append(h, 0x00, 0x00)
	h = number(append(h, 0x05), len(members))
	names := []byte{0}
	for _, m := range members {
		for _, u := range append(utf16.Encode([]rune(m.name)), 0) {
			names = binary.LittleEndian.AppendUint16(names, u)
		}
	}
	h = append(number(append(h, 0x11), len(names)), names...)
	return sevenzipFile(c.packed, append(h, 0x00, 0x00))
}

// sevenzipStream appends PackInfo and UnpackInfo of one stream.
func sevenzipStream(h []byte, at int, c coder, unpacked int) []byte {
	h = number(number(append(h, 0x06), at), 1)
	h = append(number(append(h, 0x09), len(c.packed)), 0x00, 0x07, 0x0b, 1, 0, 1)
	flags := byte(len(c.id))
	if c.props != nil {
		flags |= 0x20
	}
	h = append(append(h, flags), c.id...)
	if c.props != nil {
		h = append(number(h, len(c.props)), c.props...)
	}
	return append(number(append(h, 0x0c), unpacked), 0x00)
}

// packedHeader packs the header of a 7z, as 7-Zip does.
func packedHeader(t testing.TB, archive []byte) []byte {
	at := 32 + binary.LittleEndian.Uint64(archive[12:])
	c := lzma1(t, archive[at:])
	h := sevenzipStream([]byte{0x17}, int(at)-32, c, len(archive[at:]))
	return sevenzipFile(append(archive[32:at:at], c.packed...), append(h, 0x00))
}

// sevenzipFile puts a header behind packed bytes.
func sevenzipFile(packed, header []byte) []byte {
	start := binary.LittleEndian.AppendUint64(nil, uint64(len(packed)))
	start = binary.LittleEndian.AppendUint64(start, uint64(len(header)))
	start = binary.LittleEndian.AppendUint32(start, crc32.ChecksumIEEE(header))
	out := binary.LittleEndian.AppendUint32([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), crc32.ChecksumIEEE(start))
	return append(append(append(out, start...), packed...), header...)
}

// number writes a number in the form with a length byte of ones.
func number[T int | uint64](b []byte, n T) []byte {
	return binary.LittleEndian.AppendUint64(append(b, 0xff), uint64(n))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
