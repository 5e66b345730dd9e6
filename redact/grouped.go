package redact

import "strings"

// grouped returns the length of a telephone number, the number of a card or an IBAN that is
// written in groups and begins at a byte; 0 if none does. A number in groups is one only if
// something beside its groups says so: a debugger prints columns of numbers.
func (t *tokens) grouped(i, j int) int {
	s := t.s
	switch {
	case isDigit(s[i]) && i > 0 && s[i-1] == '+':
		if j-i <= 3 && (i == 1 || strings.IndexByte(" \t\"'(:;,=<[", s[i-2]) >= 0) {
			return phone(s[i:], 1, 8)
		}
	case isDigit(s[i]) && i > 0 && s[i-1] == '(':
		if j-i >= 3 && j-i <= 5 && strings.HasPrefix(s[j:], ")") && !t.behindNumber(i-1) {
			return phone(s[i:], 2, 10)
		}
	case s[i] == '0':
		if n := j - i; n >= 3 && n <= 5 && s[i+1] == '0' && s[i+2] != '0' && !t.behindNumber(i) {
			if n := phone(s[i:], 3, 11); n > 0 && !sameGroups(s[i:i+n]) && !strings.HasPrefix(s[i:i+n], "000") {
				return n
			}
		}
	case isDigit(s[i]):
		if j-i == 4 && !t.behindNumber(i) {
			return card(s[i:])
		}
	default:
		return iban(s[i:])
	}
	return 0
}

// behindNumber reports whether a number stands right before a byte, as in a row of them.
func (t *tokens) behindNumber(i int) bool {
	return t.last.kind == aNumber && strings.Trim(t.s[t.last.end:i], " ") == ""
}

// mostPhone is how many digits a telephone number has at most.
const mostPhone = 15

// phone returns the length of decimal groups with a sign or two between; 0 if s does not begin with
// one and so many further ones, and so many digits.
func phone(s string, further, least int) int {
	end, digits, groups := 0, 0, -1
	for at := 0; at < len(s); {
		n := digitLen(s[at:])
		if n == 0 || n != wordLen(s[at:]) || digits+n > mostPhone {
			break
		}
		at, digits, groups = at+n, digits+n, groups+1
		end = at
		signs := len(s[at:]) - len(strings.TrimLeft(s[at:], " -.()/"))
		if signs == 0 || signs > 2 || strings.HasPrefix(s[at:], "  ") {
			break
		}
		at += signs
	}
	if groups < further || digits < least {
		return 0
	}
	return end
}

// sameGroups reports whether all groups have as many digits: so do the words of a dump of memory.
func sameGroups(s string) bool {
	all := strings.FieldsFunc(s, func(c rune) bool { return c < '0' || c > '9' })
	for _, g := range all {
		if len(g) != len(all[0]) {
			return false
		}
	}
	return true
}

// card returns the length of four groups of four digits that are the number of a card, as
// its last digit says; 0 if s does not begin with them.
func card(s string) int {
	const n = 19
	if len(s) < n || s[0] < '3' || s[0] > '6' || len(s) > n && isWordByte(s[n]) || len(s) > n+1 && s[n] == s[4] && hexValue(s[n+1]) >= 0 && isNumberAt(s[n+1:]) {
		return 0
	}
	for i := range n {
		if i%5 == 4 && (s[i] != s[4] || s[i] != ' ' && s[i] != '-') || i%5 < 4 && !isDigit(s[i]) {
			return 0
		}
	}
	if luhn(s[:n]) != 0 {
		return 0
	}
	return n
}

// isNumberAt reports whether s begins with four hexadecimal digits alone, as a dump goes on.
func isNumberAt(s string) bool { return wordLen(s) == 4 && hexLen(s) >= 4 }

// luhn returns the sum of the digits of a card modulo 10.
func luhn(s string) int {
	sum, double := 0, false
	for i := len(s) - 1; i >= 0; i-- {
		if !isDigit(s[i]) {
			continue
		}
		d := int(s[i] - '0')
		if double {
			d = d*2/10 + d*2%10
		}
		sum, double = sum+d, !double
	}
	return sum % 10
}

// iban returns the length of an IBAN in groups of four or in one; 0 if s does not begin
// with one.
func iban(s string) int {
	if len(s) < 15 || !isUpper(s[0]) || !isUpper(s[1]) || !isDigit(s[2]) || !isDigit(s[3]) {
		return 0
	}
	end, n, best := 0, 0, 0
	for end < len(s) && n < 34 {
		switch {
		case isUpper(s[end]) || isDigit(s[end]):
			n++
		case s[end] != ' ' || n%4 != 0 || s[end-1] == ' ':
			return best
		}
		if end++; n >= 15 && s[end-1] != ' ' && (end == len(s) || !isWordByte(s[end])) && ibanRest(s[:end]) == 1 {
			best = end
		}
	}
	return best
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// ibanRest returns the remainder by which an IBAN is checked, which is 1. Letters may be in
// either case.
func ibanRest(s string) int {
	rest := 0
	for _, c := range []byte(s[4:] + s[:4]) {
		switch {
		case isDigit(c):
			rest = (rest*10 + int(c-'0')) % 97
		case isLetter(c):
			rest = (rest*100 + int(c|0x20-'a') + 10) % 97
		}
	}
	return rest
}

// regroup gives the pseudonym of a number in groups what makes it one: the 00 of a telephone number,
// the first and the last digit of a card, the country and the check digits of an IBAN.
func regroup(low, p string) string {
	b := []byte(p)
	switch {
	case len(low) > 2 && strings.HasPrefix(low, "00") && phone(low, 3, 11) == len(low):
		b[0], b[1], b[2] = '0', '0', max(b[2], '1')
	case card(low) == len(low):
		b[0], b[len(b)-1] = low[0], '0'
		b[len(b)-1] += byte((10 - luhn(string(b))) % 10)
	case iban(strings.ToUpper(low)) == len(low):
		copy(b, low[:2]+"00")
		check := 98 - ibanRest(string(b))
		b[2], b[3] = byte('0'+check/10), byte('0'+check%10)
	}
	return string(b)
}
