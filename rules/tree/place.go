package tree

import (
	"strings"
	"unicode/utf8"
)

// place is a place in a text.
type place struct {
	text         string
	at           int // in bytes
	line, column int // as a Node has them
}

func start(text string) place { return place{text, 0, 1, 1} }

// advance goes some bytes on.
func (p *place) advance(n int) {
	piece := p.text[p.at : p.at+n]
	p.at += n
	if lines := strings.Count(piece, "\n"); lines > 0 {
		p.line, p.column = p.line+lines, 1
		piece = piece[strings.LastIndexByte(piece, '\n')+1:]
	}
	p.column += utf8.RuneCountInString(piece)
}

// value guesses where the text of a scalar is that begins here: how many bytes the
// quote before it has, and how many it has itself.
func (p *place) value(style Style, flow bool) (quote, n int) {
	rest := p.text[p.at:]
	switch {
	case style&DoubleQuoted != 0:
		return 1, strings.IndexByte(rest[min(1, len(rest)):], '"')
	case style&SingleQuoted != 0:
		return 1, strings.IndexByte(rest[min(1, len(rest)):], '\'')
	}
	for i := range len(rest) {
		switch c := rest[i]; {
		case c == '\n', flow && strings.IndexByte(",]}", c) >= 0, c == ':' && (i+1 == len(rest) || rest[i+1] <= ' '):
			return 0, i
		}
	}
	return 0, len(rest)
}
