package transcript

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// ErrNotText is wrapped by errors about input that is no debugger text at all.
var ErrNotText = errors.New("not debugger text")

// Encodings by the names that reports use.
const (
	UTF8        = "utf-8"
	UTF8BOM     = "utf-8-bom"
	UTF16LE     = "utf-16le"
	UTF16BE     = "utf-16be"
	Windows1252 = "windows-1252"
)

// encoding says how the bytes of an input become lines.
type encoding struct {
	name  string
	bom   int64 // bytes of the byte order mark
	width int   // bytes of a code unit
	cr    bool  // lines end with CR alone
}

// sniff finds the encoding by the beginning of an input. It tells UTF-16
// without a byte order mark, which .logopen /u may leave, by its zero bytes.
// What turns out to be neither UTF-16 nor UTF-8 is read as Windows-1252.
func sniff(head []byte) (encoding, error) {
	if what := signature(head); what != "" {
		return encoding{}, fmt.Errorf("%w: %s", ErrNotText, what)
	}
	e := encoding{name: UTF8, width: 1}
	switch {
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		e = encoding{name: UTF8BOM, width: 1, bom: 3}
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		e = encoding{name: UTF16LE, width: 2, bom: 2}
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		e = encoding{name: UTF16BE, width: 2, bom: 2}
	default:
		if name := sniffUTF16(head[:min(len(head), 4096)]); name != "" {
			e = encoding{name: name, width: 2}
		}
	}
	text := e.decode(nil, head[e.bom:])
	e.cr = bytes.IndexByte(text, '\n') < 0 && bytes.IndexByte(text, '\r') >= 0
	if isBinary(text) {
		return encoding{}, fmt.Errorf("%w: binary data", ErrNotText)
	}
	return e, nil
}

// decode appends the text of some bytes, which begin and end with a whole code
// unit, to dst.
func (e encoding) decode(dst, raw []byte) []byte {
	n := len(dst)
	switch {
	case e.width == 1:
		dst = append(dst, raw...)
	case e.name == UTF16LE:
		dst = decodeUTF16(dst, raw, binary.LittleEndian)
	default:
		dst = decodeUTF16(dst, raw, binary.BigEndian)
	}
	if e.cr {
		for i := n; i < len(dst); i++ {
			if dst[i] == '\r' {
				dst[i] = '\n'
			}
		}
	}
	return dst
}

// rawLen returns how many bytes of the input some decoded text took.
func (e encoding) rawLen(text []byte) int64 {
	if e.width == 1 {
		return int64(len(text))
	}
	n := 0
	for i := 0; i < len(text); {
		if i+8 <= len(text) && binary.LittleEndian.Uint64(text[i:])&0x8080808080808080 == 0 {
			n, i = n+8, i+8
			continue
		}
		if text[i] < utf8.RuneSelf {
			n, i = n+1, i+1
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		n, i = n+max(1, utf16.RuneLen(r)), i+size
	}
	return int64(2 * n)
}

// decodeUTF16 appends UTF-16 as UTF-8. Debugger output is ASCII but for a few
// names, so four characters are taken at once where they are.
func decodeUTF16(dst, raw []byte, order binary.ByteOrder) []byte {
	little := order == binary.LittleEndian
	for len(raw) >= 2 {
		for len(raw) >= 8 {
			x := binary.LittleEndian.Uint64(raw)
			if !little {
				x = x>>8&0x00ff00ff00ff00ff | x<<8&0xff00ff00ff00ff00
			}
			if x&0xff80ff80ff80ff80 != 0 {
				break
			}
			x = (x | x>>8) & 0x0000ffff0000ffff
			x |= x >> 16
			dst = binary.LittleEndian.AppendUint32(dst, uint32(x))
			raw = raw[8:]
		}
		if len(raw) < 2 {
			break
		}
		u := rune(order.Uint16(raw))
		raw = raw[2:]
		if utf16.IsSurrogate(u) {
			pair := rune(utf8.RuneError)
			if len(raw) >= 2 {
				pair = utf16.DecodeRune(u, rune(order.Uint16(raw)))
			}
			if u = pair; u != utf8.RuneError {
				raw = raw[2:]
			}
		}
		dst = utf8.AppendRune(dst, u)
	}
	if len(raw) == 1 {
		dst = utf8.AppendRune(dst, utf8.RuneError)
	}
	return dst
}

// asText returns a line as text: without its end, at most longestLine bytes,
// and valid UTF-8. What is not is read as Windows-1252, which debuggers write
// where no Unicode was asked for, and old says so. cut is set for a line that
// the end of the input cut, perhaps in a character.
func asText(line []byte, cut bool) (s string, old bool) {
	if len(line) > longestLine {
		line, cut = line[:longestLine], true
	}
	line = bytes.TrimRight(line, "\r")
	if utf8.Valid(line) {
		return string(line), false
	}
	if cut && utf8.Valid(cutRune(line)) {
		return strings.ToValidUTF8(string(line), "\uFFFD"), false
	}
	b, err := charmap.Windows1252.NewDecoder().Bytes(line)
	if err != nil {
		return strings.ToValidUTF8(string(line), "\uFFFD"), true
	}
	return string(b), true
}

// signature names the kinds of file that are handed over by mistake.
func signature(data []byte) string {
	for _, s := range []struct{ magic, what string }{
		{"PAGEDU64", "a 64-bit kernel crash dump: kdlocks reads the file itself; or open it in a debugger and save the output of !locks and !thread"},
		{"PAGEDUMP", "a 32-bit kernel crash dump: open it in a debugger and save the output of !locks and !thread"},
		{"MDMP", "a user-mode minidump, which has no kernel locks"},
		{"PK\x03\x04", "a zip archive; unpack it first"},
		{"\x1f\x8b", "gzip data; unpack it first"},
		{"\x28\xb5\x2f\xfd", "zstd data; unpack it first"},
		{"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"},
		{"MZ", "an executable file"},
	} {
		if bytes.HasPrefix(data, []byte(s.magic)) && (s.magic != "MZ" || bytes.IndexByte(data[:min(len(data), 64)], 0) >= 0) {
			return s.what
		}
	}
	return ""
}

// sniffUTF16 counts zero bytes: debugger output is mostly ASCII, so in UTF-16
// nearly every second byte is zero, always on the same side.
func sniffUTF16(head []byte) string {
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	const some = 10 // one zero in so many pairs is the least
	pairs := len(head) / 2
	switch {
	case pairs == 0:
		return ""
	case zeros[1] > pairs*6/some && zeros[0] <= pairs/some:
		return UTF16LE
	case zeros[0] > pairs*6/some && zeros[1] <= pairs/some:
		return UTF16BE
	}
	return ""
}

// cutRune drops the beginning of a character that the end of the data cut.
func cutRune(data []byte) []byte {
	for i := 1; i <= utf8.UTFMax && i <= len(data); i++ {
		if utf8.RuneStart(data[len(data)-i]) {
			return data[:len(data)-i]
		}
	}
	return data
}

// isBinary reports whether control characters make up more than a twentieth
// of the beginning.
func isBinary(head []byte) bool {
	control := 0
	for _, c := range head {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b {
			control++
		}
	}
	return control*20 > len(head)
}
