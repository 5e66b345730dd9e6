package inspect_test

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// manglings are what mail programs, consoles and web pages do to a text. They
// keep the meaning.
var manglings = []form{
	{name: "blanks collapsed", text: func(s string) string { return eachLine(s, collapse) }},
	{name: "indentation lost", text: func(s string) string {
		return eachLine(s, func(l string) string { return strings.TrimLeft(l, " ") })
	}},
	{name: "quoted", text: prefixed("> ")},
	{name: "quoted tight", text: prefixed(">> ")},
	{name: "comment", text: prefixed("// ")},
	{name: "comment, indented", text: prefixed("    //  ")},
	{name: "entities", text: strings.NewReplacer("<", "&lt;", ">", "&gt;", "&", "&amp;", "`", "&#96;", "  ", "&nbsp; ").Replace},
	{name: "line numbers with colon", text: numbered("%d: %s")},
	{name: "line numbers with bar", text: numbered("%5d| %s")},
	{name: "line numbers padded", text: numbered("%05d %s")},
	{name: "times in brackets", text: timed("[12:%02d:%02d.%03d] %s")},
	{name: "times with date", text: timed("2024-01-02 12:%02d:%02d,%03d %s")},
	{name: "wrapped at 78", text: wrapAtBlanks(78)},
	{name: "wrapped at 66", text: wrapAtBlanks(66)},
	{name: "hard wrap at 80", text: wrapHard(80)},
	{name: "hard wrap at 100", text: wrapHard(100)},
	{name: "hard wrap at 80, trailing blanks lost", text: func(s string) string {
		return eachLine(wrapHard(80)(s), func(l string) string { return strings.TrimRight(l, " ") })
	}},
	{name: "fence", text: func(s string) string { return "The output:\n\n```text\n" + s + "```\nThanks.\n" }},
	{name: "nbsp", text: func(s string) string { return strings.ReplaceAll(s, "  ", "\u00a0 ") }},
	{name: "typographic", text: strings.NewReplacer("`", "\u2018", "-01", "\u201301", "...", "\u2026").Replace},
	{name: "apostrophes", text: func(s string) string { return tickedAddress.ReplaceAllString(s, "$1'$2") }},
	{name: "page", text: func(s string) string {
		return "<html><body><pre>\n" + eachLine(s, func(l string) string { return l + "<br>" }) + "</pre></body></html>\n"
	}},
	{name: "page as entities", text: then(func(s string) string {
		return "<pre>\n" + eachLine(s, func(l string) string { return l + "<br>" }) + "</pre>\n"
	}, strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace)},
	{name: "board code", text: func(s string) string { return "[code]\n" + s + "[/code]\n" }},
	{name: "wrapped at 78, quoted", text: then(wrapAtBlanks(78), prefixed("> "))},
	{name: "quoted, wrapped at 78", text: then(prefixed("> "), wrapAtBlanks(78))},
	{name: "hard wrap at 80, comment", text: then(wrapHard(80), prefixed("// "))},
	{name: "hard wrap at 80, entities", text: then(wrapHard(80), strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace)},
	{name: "line ends doubled", text: doubled},
	{name: "hard wrap at 80, line ends doubled", text: then(wrapHard(80), doubled)},
	{name: "wrapped at 78, line ends doubled, quoted", text: then(then(wrapAtBlanks(78), doubled), prefixed("> "))},
	{name: "list", text: prefixed("- ")},
	{name: "list of asterisks", text: prefixed(" *  ")},
	{name: "list of dots, quoted", text: then(prefixed("\u2022 "), prefixed("> "))},
	{name: "list, counted", text: numbered("%d. %s")},
	{name: "wrapped at 78, list", text: then(wrapAtBlanks(78), prefixed("- "))},
	{name: "list, hard wrap at 80", text: then(prefixed("- "), wrapHard(80))},
	{name: "bold", text: marked("**", "**", nil)},
	{name: "bold, then wrapped at 78", text: then(marked("**", "**", nil), wrapAtBlanks(78))},
	{name: "hard wrap at 80, bold", text: marked("**", "**", wrapHard(80))},
	{name: "hard wrap at 80, italic, quoted", text: then(marked("*", "*", wrapHard(80)), prefixed("> "))},
	{name: "wrapped at 66, bold and italic", text: marked("***", "***", wrapAtBlanks(66))},
	{name: "wrapped at 78, bold elements", text: marked("<b>", "</b>", wrapAtBlanks(78))},
	{name: "board codes", text: marked("[b]", "[/b]", nil)},
	{name: "hard wrap at 100, board codes", text: marked("[color=red]", "[/color]", wrapHard(100))},
	{name: "board codes at the ends", text: marked("", "[/quote]", nil)},
	{name: "quoted, times", text: then(prefixed("> "), timed("[12:%02d:%02d.%03d] %s"))},
}

// encodings are how a mangled text may come.
var encodings = []form{
	{name: "UTF-8"},
	{name: "UTF-16LE", text: crlf, encode: utf16Bytes(binary.LittleEndian, true)},
	{name: "UTF-16BE", encode: utf16Bytes(binary.BigEndian, true)},
	{name: "UTF-8 with BOM", encode: func(s string) []byte { return []byte("\ufeff" + s) }},
	{name: "Windows-1252", encode: windows1252},
	{name: "CRLF", text: crlf},
}

func prefixed(p string) func(string) string {
	return func(s string) string { return eachLine(s, func(l string) string { return p + l }) }
}

func then(first, second func(string) string) func(string) string {
	return func(s string) string { return second(first(s)) }
}

func numbered(format string) func(string) string {
	return func(s string) string {
		n := 0
		return eachLine(s, func(l string) string { n++; return fmt.Sprintf(format, n, l) })
	}
}

// marked puts marks around what stands on each line, which wrap then breaks, but
// where they would meet asterisks or quoting of the line.
func marked(begin, end string, wrap func(string) string) func(string) string {
	return func(s string) string {
		return eachLine(s, func(l string) string {
			if wrap != nil {
				l = strings.TrimSuffix(wrap(l+"\n"), "\n")
			}
			text := strings.TrimLeft(l, " ")
			if text == "" || strings.IndexByte("*>", text[0]) >= 0 || strings.HasSuffix(text, "*") || strings.HasSuffix(text, " ") && strings.HasPrefix(begin, "*") {
				return l
			}
			return l[:len(l)-len(text)] + begin + text + end
		})
	}
}

// doubled ends each line twice.
func doubled(s string) string { return strings.ReplaceAll(s, "\n", "\n\n") }

func timed(format string) func(string) string {
	return func(s string) string {
		n := 0
		return eachLine(s, func(l string) string { n += 7; return fmt.Sprintf(format, n/60000%60, n/1000%60, n%1000, l) })
	}
}

// wrapAtBlanks breaks lines at the last blank before a width.
func wrapAtBlanks(width int) func(string) string {
	return func(s string) string {
		return eachLine(s, func(l string) string {
			var out []string
			for len(l) > width {
				at := strings.LastIndexByte(l[:width+1], ' ')
				if at <= 0 || strings.TrimLeft(l[:at], " >") == "" {
					break
				}
				out = append(out, strings.TrimRight(l[:at], " "))
				l = strings.TrimLeft(l[at:], " ")
			}
			return strings.Join(append(out, l), "\n")
		})
	}
}

// wrapHard breaks lines at a width, wherever that is.
func wrapHard(width int) func(string) string {
	return func(s string) string {
		return eachLine(s, func(l string) string {
			var out []string
			for len(l) > width {
				out = append(out, l[:width])
				l = l[width:]
			}
			return strings.Join(append(out, l), "\n")
		})
	}
}

func windows1252(s string) []byte {
	signs := map[rune]byte{0x2018: 0x91, 0x2019: 0x92, 0x2013: 0x96, 0x2026: 0x85, 0x2022: 0x95, 0xa0: 0xa0}
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if b, ok := signs[r]; ok {
			out = append(out, b)
		} else {
			out = append(out, byte(r))
		}
	}
	return out
}
