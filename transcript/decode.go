package transcript

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
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

// Decode returns the text of an input and the name of its encoding. It tells
// UTF-16 without a byte order mark, which .logopen /u may leave, by its zero
// bytes. What is neither UTF-16 nor UTF-8 is read as Windows-1252.
func Decode(data []byte) (text, name string, err error) {
	if what := signature(data); what != "" {
		return "", "", fmt.Errorf("%w: %s", ErrNotText, what)
	}
	switch name = sniff(data); name {
	case UTF16LE:
		text, err = decodeWith(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), data)
	case UTF16BE:
		text, err = decodeWith(unicode.UTF16(unicode.BigEndian, unicode.UseBOM), data)
	case Windows1252:
		text, err = decodeWith(charmap.Windows1252, data)
	case UTF8BOM:
		text = string(data[3:])
	default:
		text = string(data)
	}
	if err != nil {
		return "", "", fmt.Errorf("%w: %s: %w", ErrNotText, name, err)
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	if isBinary(text) {
		return "", "", fmt.Errorf("%w: binary data", ErrNotText)
	}
	return text, name, nil
}

func decodeWith(e encoding.Encoding, data []byte) (string, error) {
	b, err := e.NewDecoder().Bytes(data)
	return string(b), err
}

// signature names the kinds of file that are handed over by mistake.
func signature(data []byte) string {
	for _, s := range []struct{ magic, what string }{
		{"PAGEDU64", "a 64-bit kernel crash dump; open it in a debugger and save the output of !locks and !thread"},
		{"PAGEDUMP", "a 32-bit kernel crash dump; open it in a debugger and save the output of !locks and !thread"},
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

func sniff(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte{0xef, 0xbb, 0xbf}):
		return UTF8BOM
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		return UTF16LE
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return UTF16BE
	}
	if name := sniffUTF16(data[:min(len(data), 4096)]); name != "" {
		return name
	}
	if utf8.Valid(data) || utf8.Valid(cutRune(data)) {
		return UTF8
	}
	return Windows1252
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
func isBinary(text string) bool {
	head := text[:min(len(text), 1<<16)]
	control := 0
	for i := 0; i < len(head); i++ {
		if c := head[i]; c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b {
			control++
		}
	}
	return control*20 > len(head)
}
