package kd

import (
	"strings"
	"unicode/utf8"
)

// What is kept of a name in a sentence, in characters: names that are longer
// than longestName keep their beginning and their end.
const longestName, nameHead, nameTail = 96, 60, 30

// ShortNames cuts the middle out of the words of a sentence that are too long
// for one, such as the symbols of templates.
func ShortNames(s string) string {
	if len(s) <= longestName {
		return s
	}
	words := strings.Split(s, " ")
	for i, w := range words {
		if len(w) <= longestName || utf8.RuneCountInString(w) <= longestName {
			continue
		}
		r := []rune(w)
		words[i] = string(r[:nameHead]) + "…" + string(r[len(r)-nameTail:])
	}
	return strings.Join(words, " ")
}
