package loggen

import (
	"io"
	"unicode/utf8"
)

// Form is one way in which text comes to a reader that is not as it was
// printed.
type Form struct {
	Name string
	// Through returns a writer that gives w the text in this form. Close
	// writes what is held back; it does not close w.
	Through func(w io.Writer) io.WriteCloser
}

// Forms are all of them, as the benchmark measures them.
var Forms = []Form{
	{"utf16", UTF16},
	{"crlf", CRLF},
	{"quote", Quote},
	{"collapse", Collapse},
	{"wrap78", func(w io.Writer) io.WriteCloser { return Wrap(w, 78) }},
	{"hard80", func(w io.Writer) io.WriteCloser { return WrapHard(w, 80) }},
	{"entities", Entities},
}

// FormNamed returns the form of a name.
func FormNamed(name string) (Form, bool) {
	for _, f := range Forms {
		if f.Name == name {
			return f, true
		}
	}
	return Form{}, false
}

// mangler passes text on in pieces that step has changed; end gives what is
// held back. Text may be written in pieces of any size.
type mangler struct {
	w    io.Writer
	b    []byte
	step func(dst, src []byte) []byte
	end  func(dst []byte) []byte
}

func (m *mangler) Write(p []byte) (int, error) {
	m.b = m.step(m.b[:0], p)
	if _, err := m.w.Write(m.b); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (m *mangler) Close() error {
	if m.end == nil {
		return nil
	}
	b := m.end(m.b[:0])
	m.end = nil
	if len(b) == 0 {
		return nil
	}
	_, err := m.w.Write(b)
	return err
}

// CRLF ends lines as Windows does.
func CRLF(w io.Writer) io.WriteCloser {
	return &mangler{w: w, step: func(dst, src []byte) []byte {
		for _, c := range src {
			if c == '\n' {
				dst = append(dst, '\r')
			}
			dst = append(dst, c)
		}
		return dst
	}}
}

// Quote puts "> " in front of each line, as an answer to a mail does.
func Quote(w io.Writer) io.WriteCloser { return Prefix(w, "> ") }

// Prefix puts a text in front of each line.
func Prefix(w io.Writer, prefix string) io.WriteCloser {
	start := true
	return &mangler{w: w, step: func(dst, src []byte) []byte {
		for _, c := range src {
			if start {
				dst = append(dst, prefix...)
			}
			dst = append(dst, c)
			start = c == '\n'
		}
		return dst
	}}
}

// Entities writes &, < and > as a web page's source has them.
func Entities(w io.Writer) io.WriteCloser {
	return &mangler{w: w, step: func(dst, src []byte) []byte {
		for _, c := range src {
			switch c {
			case '&':
				dst = append(dst, "&amp;"...)
			case '<':
				dst = append(dst, "&lt;"...)
			case '>':
				dst = append(dst, "&gt;"...)
			default:
				dst = append(dst, c)
			}
		}
		return dst
	}}
}

// Collapse makes one blank of many, and drops those at the beginning and end
// of a line, as a page does that lost its <pre>.
func Collapse(w io.Writer) io.WriteCloser {
	start, blank := true, false
	return &mangler{w: w, step: func(dst, src []byte) []byte {
		for _, c := range src {
			switch c {
			case ' ', '\t':
				blank = true
				continue
			case '\n':
				start, blank = true, false
			default:
				if blank && !start {
					dst = append(dst, ' ')
				}
				start, blank = false, false
			}
			dst = append(dst, c)
		}
		return dst
	}}
}

// Wrap begins a new line at blanks so that no line is longer than width,
// unless a word is. The blanks at the break go, and those at the end of a line.
func Wrap(w io.Writer, width int) io.WriteCloser {
	x := &wrapper{width: width}
	return &mangler{w: w, step: x.step, end: func(dst []byte) []byte { return x.endWord(dst) }}
}

// wrapper has written col characters of a line, and holds back the blanks and
// the word behind them.
type wrapper struct {
	width, col, blanks int
	word               []byte
	long               bool // the word is longer than a line and is being written
}

func (x *wrapper) step(dst, src []byte) []byte {
	for _, c := range src {
		switch {
		case c == '\n':
			dst = append(x.endWord(dst), '\n')
			x.col, x.blanks = 0, 0
		case c == ' ':
			dst = x.endWord(dst)
			x.blanks++
		case x.long:
			dst = append(dst, c)
			x.col++
		default:
			x.word = append(x.word, c)
			if len(x.word) > x.width {
				dst = x.endWord(dst)
				x.long = true
			}
		}
	}
	return dst
}

func (x *wrapper) endWord(dst []byte) []byte {
	x.long = false
	if len(x.word) == 0 {
		return dst
	}
	if x.col > 0 && x.col+x.blanks+len(x.word) > x.width {
		dst = append(dst, '\n')
		x.col, x.blanks = 0, 0
	}
	for range x.blanks {
		dst = append(dst, ' ')
	}
	dst = append(dst, x.word...)
	x.col += x.blanks + len(x.word)
	x.blanks, x.word = 0, x.word[:0]
	return dst
}

// WrapHard begins a new line after each width characters, also inside words
// and numbers, as a terminal of that width does.
func WrapHard(w io.Writer, width int) io.WriteCloser {
	col := 0
	return &mangler{w: w, step: func(dst, src []byte) []byte {
		for _, c := range src {
			switch {
			case c == '\n':
				col = 0
			case c&0xc0 == 0x80: // within a character
			case col == width:
				dst = append(dst, '\n')
				col = 1
			default:
				col++
			}
			dst = append(dst, c)
		}
		return dst
	}}
}

// UTF16 writes UTF-16LE behind a byte order mark, as Notepad's "Unicode" does.
// Bytes that are no UTF-8 become U+FFFD.
func UTF16(w io.Writer) io.WriteCloser {
	begun := false
	var part []byte // the beginning of a character
	begin := func(dst []byte) []byte {
		if !begun {
			dst = append(dst, 0xff, 0xfe)
		}
		begun = true
		return dst
	}
	step := func(dst, src []byte) []byte {
		dst = begin(dst)
		if len(part) > 0 {
			src = append(part, src...)
			part = nil
		}
		for len(src) > 0 {
			if c := src[0]; c < utf8.RuneSelf {
				dst, src = append(dst, c, 0), src[1:]
				continue
			}
			if !utf8.FullRune(src) {
				part = append([]byte(nil), src...)
				break
			}
			c, n := utf8.DecodeRune(src)
			dst, src = appendUTF16(dst, c), src[n:]
		}
		return dst
	}
	return &mangler{w: w, step: step, end: func(dst []byte) []byte {
		dst = begin(dst)
		for range part {
			dst = appendUTF16(dst, utf8.RuneError)
		}
		return dst
	}}
}

func appendUTF16(dst []byte, c rune) []byte {
	if c >= 0x10000 {
		hi, lo := 0xd800+(c-0x10000)>>10, 0xdc00+(c-0x10000)&0x3ff
		return append(dst, byte(hi), byte(hi>>8), byte(lo), byte(lo>>8))
	}
	return append(dst, byte(c), byte(c>>8))
}
