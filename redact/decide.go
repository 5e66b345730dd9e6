package redact

import (
	"slices"
	"strings"
)

// decide makes the pseudonyms of all that was learned.
func (r *Redactor) decide() {
	r.space.move(r.key, r.narrow)
	r.decideDigits()
	texts := make([]string, 0, len(r.words))
	for text := range r.words {
		texts = append(texts, text)
	}
	slices.Sort(texts)
	for _, text := range texts {
		if w := r.words[text]; w.keep || r.keep[lower(text)] {
			w.keep = true
			r.taken[lower(text)] = true
		}
	}
	for _, text := range texts {
		if w := r.words[text]; !w.keep {
			low := lower(text)
			if r.folded[low] == "" {
				r.folded[low] = r.name(low)
			}
		}
	}
	for _, text := range texts {
		w := r.words[text]
		if w.keep {
			continue
		}
		w.to = withCase(r.folded[lower(text)], text)
		if w.function {
			w.to = r.functionName(text)
		}
		if w.to == text { // all of its parts are known
			w.to, w.keep = "", true
		}
	}
	r.decideIDs()
	r.count.Names = len(r.folded)
}

// functionName returns the pseudonym of a function: that of the word but for the parts
// that stay. One that makes a word of the vocabulary, as another letter in lockx may, would be
// taken for that word.
func (r *Redactor) functionName(text string) string {
	low := lower(text)
	to := r.vocab.keepParts(withCase(r.folded[low], text), text)
	for attempt := 0; attempt < mostAttempts && to != text && r.vocab.has(lower(to)); attempt++ {
		to = r.vocab.keepParts(withCase(pseudonym(r.key, low, attempt), text), text)
	}
	return to
}

// name returns a pseudonym for a word in lower case that no other has.
func (r *Redactor) name(low string) string {
	p := ""
	for attempt := range mostAttempts {
		p = pseudonym(r.key, low, attempt)
		if !r.taken[p] && r.words[p] == nil && r.vocab.usable(p) {
			r.taken[p] = true
			return p
		}
	}
	r.count.Merged++
	return p
}

// decideIDs replaces the digits of IDs.
func (r *Redactor) decideIDs() {
	var texts []string
	for text, w := range r.ids {
		if w.keep {
			r.taken[lower(text)] = true
		} else {
			texts = append(texts, text)
		}
	}
	for text, w := range r.loose {
		if r.ids[text] == nil {
			r.ids[text] = w
			texts = append(texts, text)
		} else {
			r.loose[text] = r.ids[text]
		}
	}
	r.count.Numbers = len(texts)
	slices.Sort(texts)
	byLow := map[string]string{}
	for _, text := range texts {
		low := lower(text)
		if byLow[low] == "" {
			byLow[low] = r.id(low)
		}
		r.ids[text].to = withCase(byLow[low], text)
	}
}

func (r *Redactor) id(low string) string {
	p := ""
	for attempt := range mostAttempts {
		p = regroup(low, digitsFor(low, newStream(r.key, "id", low, string(rune(' '+attempt)))))
		if !r.taken[p] && p != low && !saysText(p) {
			r.taken[p] = true
			return p
		}
	}
	r.count.Merged++
	return p
}

// digitsFor replaces each digit and letter of an ID by another: of an IPv4 address, within its
// range.
func digitsFor(low string, random *stream) string {
	out := []byte(low)
	start := 0
	switch {
	case strings.HasPrefix(low, "s-1-"):
		start = len("s-1-5-21-")
	case strings.HasPrefix(low, "0x"):
		start = 2
	}
	inQuad := quad(low) == len(low)
	for i := start; i < len(out); i++ {
		c := out[i]
		first := i == 0 || !isDigit(low[i-1])
		switch {
		case isDigit(c) && inQuad && first && digitLen(low[i:]) == 3:
			out[i] = '1'
		case isDigit(c) && first && i+1 < len(low) && isDigit(low[i+1]) && c != '0':
			out[i] = '1' + byte(random.below(9))
		case isDigit(c):
			out[i] = '0' + byte(random.below(10))
		case hexValue(c) >= 0:
			out[i] = 'a' + byte(random.below(6))
		case isLetter(c):
			out[i] = consonants[random.below(uint64(len(consonants)))]
		}
	}
	return string(out)
}

// isBare reports whether a number is one that is an address with a letter in it, and a count
// without.
func isBare(text string) bool {
	return len(text) > 8 && len(text) < 16 && hexLen(text) == len(text)
}

// decideDigits finds the addresses that consist of decimal digits where they are moved to, and
// look like counts there.
func (r *Redactor) decideDigits() {
	if len(r.bare) >= r.most {
		return // which counts the log has is not known
	}
	for text := range r.bare {
		v, digits := value(text)
		i := regionOf(v)
		if digits == 0 || i < 0 {
			continue
		}
		moved, _ := place(r.space.runs[i], i, v)
		to := like(text, moved)
		if digitLen(to) == len(to) && !r.bare[to] {
			r.digits[to] = text
			r.taken[to] = true
		}
	}
}
