package memory

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// lettersSearched returns the letters that a search for text looks for, "" if it is none or
// looks for more than a tag has. The rest of the command stands behind c.
func lettersSearched(word string, c kd.Cursor, command string) string {
	next, _ := c.Word()
	if flag := strings.ToLower(next); word != "s-a" && (!strings.HasPrefix(flag, "-") || !strings.HasSuffix(flag, "a")) {
		return ""
	}
	quoted := strings.Split(strings.ReplaceAll(command, `\"`, `"`), `"`)
	for i := len(quoted) - 1; i > 0; i-- {
		if text := quoted[i]; strings.TrimSpace(text) != "" && !strings.ContainsAny(text, "@;") {
			if len(text) <= tagChars {
				return text
			}
			return ""
		}
	}
	return ""
}

// hitLine reads a line of a search for letters, which begins with them. They are not
// compared: somebody may have taken the bytes of the dump away.
//
//	fffff880`044b63bb  4c 65 61 6b 3b c2 0f 85-a5 00 00 00 44 3b e2 0f  Leak;.......D;..
func (r *Reader) hitLine(addr kd.Addr, at kd.Ref, c kd.Cursor) bool {
	const pairs = 8
	m := r.memory()
	if len(m.Searches) == 0 {
		return false
	}
	for range pairs - 1 {
		if w, _ := c.Word(); !bytePair(w) {
			return false
		}
	}
	if w, _, _ := strings.Cut(c.Peek(), "-"); !bytePair(w) {
		return false
	}
	if len(m.Hits) >= mostWords {
		r.left(at, "places that a search found")
		r.searchLost()
		return true
	}
	m.Hits = append(m.Hits, Hit{m.Searches[len(m.Searches)-1].Letters, addr, at})
	return true
}

func bytePair(w string) bool {
	_, err := strconv.ParseUint(w, 16, 8)
	return err == nil && len(w) == 2
}
