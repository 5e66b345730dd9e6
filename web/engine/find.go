package engine

import (
	"bytes"
	"context"
	"io"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"kdlocks/inspect"
)

type findArgs struct {
	Text string `json:"text"`
	// Input, Line and Column are the place to go on from; line 0 is the beginning of
	// the input.
	Input  int  `json:"input"`
	Line   int  `json:"line"`
	Column int  `json:"column"`
	Back   bool `json:"back"`
}

// Found is where a text stands; line 0 if nowhere.
type Found struct {
	Input  int `json:"input"`
	Line   int `json:"line"`
	Column int `json:"column"` // in characters of the whole line, counted from 1
	Length int `json:"length"` // in characters
}

// find looks for a text behind a place, or before it, through all inputs and round to
// the place again.
func (e *Engine) find(ctx context.Context, args findArgs, _ []inspect.Input, w io.Writer) error {
	if _, err := e.input(args.Input); err != nil {
		return err
	}
	f := finder{e: e, ctx: ctx, needle: needleOf(args.Text)}
	if len(f.want) == 0 {
		return answer(w, Found{})
	}
	found, err := f.around(args)
	if err != nil {
		return err
	}
	return answer(w, found)
}

// finder is a search.
type finder struct {
	e   *Engine
	ctx context.Context
	needle
	line []byte // folded
	left int    // bytes to look at until ctx is asked again
}

// askEach is how many bytes are looked at between two questions whether to stop.
const askEach = 1 << 18

// around looks at all lines in their order, or against it. Of the line to begin with
// it looks at one side first and at the other last.
func (f *finder) around(args findArgs) (Found, error) {
	inputs := f.e.report.Inputs
	input, n, step := args.Input, min(max(args.Line, 0), inputs[args.Input].Lines), 1
	if args.Back {
		step = -1
	}
	column := max(args.Column, 0)
	if n < args.Line { // behind the last line
		column = math.MaxInt
	}
	if n > 0 {
		if at := f.beside(input, n, column, args.Back); at.Line > 0 {
			return at, nil
		}
	}
	places := 0
	for i := range inputs {
		places += 1 + inputs[i].Lines // with the place before the first line
	}
	for range places {
		n += step
		if n < 0 || n > inputs[input].Lines {
			input = (input + step + len(inputs)) % len(inputs)
			n = 0
			if args.Back {
				n = inputs[input].Lines
			}
		}
		if n == 0 {
			continue
		}
		if at := f.in(input, n, args.Back); at.Line > 0 {
			return at, nil
		}
		if f.left <= 0 {
			if f.left = askEach; f.ctx.Err() != nil {
				return Found{}, f.ctx.Err()
			}
		}
	}
	return Found{}, nil
}

// in returns the first place in a line, or the last.
func (f *finder) in(input, n int, last bool) Found {
	text := f.read(input, n)
	at := bytes.Index(f.line, f.want)
	if at >= 0 && last {
		at = bytes.LastIndex(f.line, f.want)
	}
	return f.found(input, n, text, at)
}

// beside returns the first place in a line behind a column, or the last before it.
func (f *finder) beside(input, n, column int, before bool) Found {
	text := f.read(input, n)
	if before {
		head, _ := f.fold(nil, text, math.MaxInt, max(column-1, 0))
		if len(head) == 0 {
			return Found{}
		}
		end := min(len(f.line), len(head)-1+len(f.want))
		return f.found(input, n, text, bytes.LastIndex(f.line[:end], f.want))
	}
	head, _ := f.fold(nil, text, math.MaxInt, column)
	at := bytes.Index(f.line[len(head):], f.want)
	if at >= 0 {
		at += len(head)
	}
	return f.found(input, n, text, at)
}

// read folds a line.
func (f *finder) read(input, n int) string {
	text := f.e.report.LineText(input, n)
	f.line = f.whole(f.line[:0], text)
	f.left -= len(text) + 1
	return text
}

// found makes a place of one in the folded line.
func (f *finder) found(input, n int, text string, at int) Found {
	if at < 0 {
		return Found{}
	}
	_, size := utf8.DecodeLastRune(f.want)
	_, before := f.fold(f.line[:0], text, at, math.MaxInt)
	_, last := f.fold(f.line[:0], text, at+len(f.want)-size, math.MaxInt)
	return Found{input, n, before + 1, last + 1 - before}
}

// needle is a text that is looked for in either case, and an address with and without
// its backtick.
type needle struct {
	want []byte // folded
	hex  bool   // the backticks of addresses do not count
}

func needleOf(text string) needle {
	n := needle{hex: strings.ContainsFunc(text, func(c rune) bool { return c < utf8.RuneSelf && isHex(byte(c)) })}
	if n.hex { // also one that a piece of an address begins or ends with
		text = strings.Trim(text, "`")
	}
	n.want = n.whole(nil, text)
	return n
}

// lower has the bytes of ASCII in lower case.
var lower = func() (to [utf8.RuneSelf]byte) {
	for c := range to {
		to[c] = byte(unicode.ToLower(rune(c)))
	}
	return to
}()

// whole is fold without bounds, quick where there is little to fold.
func (n *needle) whole(dst []byte, text string) []byte {
	begin := len(dst)
	simple := !n.hex || strings.IndexByte(text, '`') < 0
	if simple {
		dst = append(dst, text...)
		for i, c := range dst[begin:] {
			if c >= utf8.RuneSelf {
				simple = false
				break
			}
			dst[begin+i] = lower[c]
		}
	}
	if !simple {
		dst, _ = n.fold(dst[:begin], text, math.MaxInt, math.MaxInt)
	}
	return dst
}

// fold appends a text in lower case to dst, and without the backticks of addresses. It
// stops before the character that would stand behind so many bytes of dst, or after so
// many characters of the text, and returns how many characters it passed.
func (n *needle) fold(dst []byte, text string, most, chars int) ([]byte, int) {
	passed := 0
	for i := 0; i < len(text) && passed < chars; passed++ {
		c := text[i]
		switch {
		case n.hex && c == '`' && 0 < i && i+1 < len(text) && isHex(text[i-1]) && isHex(text[i+1]):
			i++
		case len(dst) >= most:
			return dst, passed
		case c < utf8.RuneSelf:
			dst = append(dst, lower[c])
			i++
		default:
			r, size := utf8.DecodeRuneInString(text[i:])
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
			i += size
		}
	}
	return dst, passed
}

func isHex(c byte) bool { return c-'0' < 10 || c|0x20-'a' < 6 }
