package rules

import (
	"strings"
	"unicode/utf8"
)

// The forms of names. They are read by hand: regular expressions are a large part of a
// program that a browser has to load.

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isSmall(c byte) bool  { return 'a' <= c && c <= 'z' }
func isLetter(c byte) bool { return isSmall(c | 0x20) }

// run is how many letters of a class a text begins with.
func run(s string, in func(byte) bool) int {
	for i := range len(s) {
		if !in(s[i]) {
			return i
		}
	}
	return len(s)
}

// linked reports whether a text is words of a class, with one of some separators between.
func linked(s string, in func(byte) bool, separators string) bool {
	for {
		n := run(s, in)
		switch {
		case n == 0:
			return false
		case n == len(s):
			return true
		case strings.IndexByte(separators, s[n]) < 0:
			return false
		}
		s = s[n+1:]
	}
}

// isRuleID reports whether a text is small letters and digits with single - between.
func isRuleID(s string) bool {
	return linked(s, func(c byte) bool { return isSmall(c) || isDigit(c) }, "-")
}

// isPackName reports whether a text is letters and digits with single . _ or - between.
func isPackName(s string) bool {
	return linked(s, func(c byte) bool { return isLetter(c) || isDigit(c) }, "._-")
}

// isCID reports whether a text is a client ID as in 0004.0b44.
func isCID(s string) bool {
	hex := func(s string) bool {
		return len(s) >= 4 && run(s, func(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'f' }) == len(s)
	}
	pid, tid, _ := strings.Cut(s, ".")
	return hex(pid) && hex(tid)
}

// likeDate reports whether a text is written like a date as 2026-11-21.
func likeDate(s string) bool {
	if len(s) != len("2026-11-21") || s[4] != '-' || s[7] != '-' || run(s[:4]+s[5:7]+s[8:], isDigit) != 8 {
		return false
	}
	month, day := s[5:7], s[8:]
	return "01" <= month && month <= "12" && "01" <= day && day <= "31"
}

// isKB reports whether a text is the number of an article.
func isKB(s string) bool { return 5 <= len(s) && len(s) <= 8 && run(s, isDigit) == len(s) }

func inName(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' }

// bindingAt is the length of the name of a binding that a text begins with, 0 for none.
func bindingAt(s string) int {
	if s == "" || s[0] < 'A' || s[0] > 'Z' {
		return 0
	}
	return run(s, inName)
}

func isBinding(s string) bool { return s != "" && bindingAt(s) == len(s) }

// referenceAt splits the reference NAME.field that a text begins with; "" for none.
func referenceAt(s string) (name, field string) {
	n := bindingAt(s)
	if n == 0 || n == len(s) || s[n] != '.' {
		return "", ""
	}
	rest := s[n+1:]
	if rest == "" || !isSmall(rest[0]) {
		return "", ""
	}
	return s[:n], rest[:run(rest, func(c byte) bool { return isSmall(c) || isDigit(c) || c == '_' })]
}

// isReference reports whether a text has the form of NAME.field.
func isReference(s string) bool {
	name, field := referenceAt(s)
	return name != "" && len(name)+1+len(field) == len(s)
}

// replaceReferences puts other texts in the place of the references in one.
func replaceReferences(s string, by func(ref string) string) string {
	var b strings.Builder
	done := 0
	for i := 0; i < len(s); {
		name, field := referenceAt(s[i:])
		if name == "" {
			i += max(1, bindingAt(s[i:]))
			continue
		}
		end := i + len(name) + 1 + len(field)
		b.WriteString(s[done:i])
		b.WriteString(by(s[i:end]))
		done, i = end, end
	}
	return b.String() + s[done:]
}

// referenceInBraces finds the first {NAME.field} of a text: where it begins and ends, both
// -1 for none.
func referenceInBraces(s string) (from, end int) {
	for at := 0; ; at++ {
		i := strings.IndexByte(s[at:], '{')
		if i < 0 {
			return -1, -1
		}
		at += i
		if name, field := referenceAt(s[at+1:]); name != "" {
			if end := at + 1 + len(name) + 1 + len(field); end < len(s) && s[end] == '}' {
				return at, end + 1
			}
		}
	}
}

// nearReference is what was meant as a reference in braces: the text with its first brace,
// the name, and the field with its dot, "" if it has none.
type nearReference struct{ text, name, field string }

// nearReferences finds what was meant as references of a text: what has blanks, another
// case, no field, or no end. Other braces belong to debugger commands.
func nearReferences(s string) []nearReference {
	var out []nearReference
	for {
		i := strings.IndexByte(s, '{')
		if i < 0 {
			return out
		}
		s = s[i:]
		n := 1
		if near, ok := nearReferenceAt(s); ok {
			out = append(out, near)
			n = len(near.text)
		}
		s = s[n:]
	}
}

func nearReferenceAt(s string) (nearReference, bool) {
	at := 1 + run(s[1:], isBlank)
	if at == len(s) || !isLetter(s[at]) {
		return nearReference{}, false
	}
	n := run(s[at:], inName)
	near, rest := nearReference{name: s[at : at+n]}, s[at+n:]
	if strings.HasPrefix(rest, ".") {
		field := rest[:1+run(rest[1:], inName)]
		if end := ending(rest[len(field):]); len(field) > 1 && end >= 0 {
			near.field, near.text = field, s[:at+n+len(field)+end]
			return near, true
		}
	}
	end := ending(rest)
	near.text = s[:at+n+max(end, 0)]
	return near, end >= 0
}

// ending is how long the end of what was meant as a reference is: blanks, and a brace or
// what is of no name. It is -1 where a name goes on.
func ending(s string) int {
	n := run(s, isBlank)
	switch {
	case n == len(s) || s[n] == '}':
		return min(n+1, len(s))
	case inName(s[n]):
		return -1
	}
	_, size := utf8.DecodeRuneInString(s[n:])
	return n + size
}

func isBlank(c byte) bool { return strings.IndexByte(" \t\n\f\r", c) >= 0 }
