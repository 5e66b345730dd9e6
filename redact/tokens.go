package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind says what a token is taken for by its form.
type kind uint8

const (
	noToken  kind = iota
	aWord         // letters with digits and underscores
	aNumber       // a hexadecimal or decimal number, with 0x and backtick
	anID          // a number that names somebody or something: an IP, a GUID, a SID, a part of a path
	aVersion      // four numbers as an IP has them, which are a version
)

// token is a part of a line that can be replaced as a whole.
type token struct {
	start, end int
	kind       kind
	// function is set for a word that is the name of a function, or a part of it:
	// what stands behind module! up to a blank. module is what stands before it.
	function bool
	module   string
}

// tokens walks the tokens of a line. Whether a number is an ID may hang on the
// word before it: masked tells whether that word is replaced.
type tokens struct {
	s      string
	at     int
	last   token // the token before
	word   token // the last word
	masked func(word string) bool
	bucket int // the end of the bucket that is taken apart
}

// next returns the next token, and false if there is none.
func (t *tokens) next() (token, bool) {
	for t.at < len(t.s) {
		if t.at < t.bucket {
			if tok, ok := t.bucketPart(); ok {
				return tok, true
			}
			continue
		}
		n := wordLen(t.s[t.at:])
		if n == 0 {
			if _, n = utf8.DecodeRuneInString(t.s[t.at:]); t.s[t.at] == ':' && strings.HasPrefix(t.s[t.at:], "::") {
				if m := ipv6(t.s[t.at:]); m > 0 && !t.precededByWord(t.at) {
					return t.take(t.at, t.at+m, anID), true
				}
			}
			t.at += n
			continue
		}
		if tok, ok := t.run(t.at, t.at+n); ok {
			return tok, true
		}
	}
	return token{}, false
}

func (t *tokens) precededByWord(at int) bool { return at > 0 && isWordByte(t.s[at-1]) }

// take makes a token and goes on behind it.
func (t *tokens) take(start, end int, k kind) token {
	tok := token{start: start, end: end, kind: k}
	if k == aWord {
		t.inFunction(&tok)
		t.word = tok
	}
	t.at, t.last = end, tok
	return tok
}

// inFunction tells whether a word is the name of a function.
func (t *tokens) inFunction(tok *token) {
	if tok.start == 0 || t.last.end == 0 {
		return
	}
	gap := t.s[t.last.end:tok.start]
	switch {
	case gap == "!" && t.last.kind != noToken:
		tok.function, tok.module = true, t.s[t.last.start:t.last.end]
	case gap == ".exe!" || gap == ".sys!":
		tok.function, tok.module = true, t.s[t.last.start:t.last.end]
	case !t.last.function || len(gap) > 8:
	case strings.Trim(gap, ":<>~`'$?@") == "":
		tok.function, tok.module = true, t.last.module
	case gap == " " && t.s[t.last.start:t.last.end] == "anonymous": // `anonymous namespace'
		tok.function, tok.module = true, t.last.module
	}
}

// run makes a token of what begins at a run of letters and digits. It reports
// false if that can tell nobody anything.
func (t *tokens) run(i, j int) (token, bool) {
	s := t.s
	if n := t.grouped(i, j); n > 0 {
		return t.take(i, i+n, anID), true
	}
	if j-i == 2 && hexLen(s[i:j]) == 2 {
		if n := bytesLen(s[i:]); n > 0 {
			return t.take(i, i+n, anID), true
		}
	}
	if j-i == 1 && j < len(s) && s[j] == '.' && !isDigit(s[i]) {
		if n := spacedLen(s[i:]); n > 0 {
			return t.take(i, i+n, anID), true
		}
	}
	if c := s[i]; hexValue(c) >= 0 || c == 'S' || c == 's' {
		if n := identifier(s[i:], j-i); n > 0 {
			return t.take(i, i+n, anID), true
		}
	}
	if n := quad(s[i:]); n > 0 && (i == 0 || s[i-1] != '.') {
		if t.saysVersion(i) || plainQuad(s[i:i+n]) {
			return t.take(i, i+n, aVersion), true
		}
		return t.take(i, i+n, anID), true
	}
	digits, first := i, s[i]
	if first == '0' && j-i > 2 && (s[i+1] == 'x' || s[i+1] == 'X') {
		digits = i + 2
	}
	hex := hexLen(s[digits:j])
	if hex == j-digits {
		end := j
		if n := tickLen(s[j:]); hex <= 8 && n > 0 && hexLen(s[j+n:]) == 8 && wordLen(s[j+n:]) == 8 {
			end = j + n + 8
		}
		return t.number(i, digits, end)
	}
	if digits == i && isDigit(first) && isMeasure(s[i:j]) {
		t.at = j
		t.last = token{start: i, end: j, kind: aNumber}
		return token{}, false
	}
	if digits == i {
		i += digitLen(s[i:j]) // columns may stand side by side without a blank
	}
	return t.name(i, j)
}

// partsBefore stand before the names of modules.
var partsBefore = [...]string{"Unloaded_", "dump_", "hiber_"}

// name makes a token of a word; some begin or end with a part that is none.
func (t *tokens) name(i, j int) (token, bool) {
	if t.isBucket(i, j) {
		t.at, t.bucket = i, j
		return t.bucketPart()
	}
	w := t.s[i:j]
	if isBackTrace(w) {
		t.at, t.last = j, token{start: i, end: j, kind: aNumber}
		return token{}, false
	}
	for _, prefix := range partsBefore {
		if w[0] != prefix[0] {
			continue
		}
		if rest, ok := strings.CutPrefix(w, prefix); ok && rest != "" && hexLen(rest) < len(rest) {
			return t.take(i+len(prefix), j, aWord), true
		}
	}
	if k := strings.LastIndexByte(w, '_'); k > 0 {
		if n := len(w) - k - 1; (n == 8 || n == 16) && hexLen(w[k+1:]) == n {
			tok := t.take(i, i+k, aWord)
			t.at = i + k + 1
			return tok, true
		}
	}
	return t.take(i, j, aWord), true
}

// number makes a token of a number, or of a word that looks like one.
func (t *tokens) number(i, digits, end int) (token, bool) {
	s := t.s
	if digits == i && digitLen(s[i:end]) < end-i && (allLetters(s[i:end]) && end-i < 8 && mixedCase(s[i:end]) || t.likeName(i, end)) {
		if isDigit(s[i]) {
			return t.take(i, end, anID), true // so that it stays one token
		}
		return t.take(i, end, aWord), true
	}
	if digits == i && t.ofName(i, end) || isHash(s[digits:end]) || saysText(s[digits:end]) {
		return t.take(i, end, anID), true
	}
	return t.take(i, end, aNumber), true
}

// likeName reports whether what stands around a part is what stands around names.
func (t *tokens) likeName(i, end int) bool {
	s := t.s
	if t.named(i) || i > 0 && (s[i-1] == '\\' || s[i-1] == '@' && i > 1 && isWordByte(s[i-2])) {
		return true
	}
	if ofHost(s, i, end) || ofModule(s, i, end) || inSlashes(s, i, end) {
		return true
	}
	if end+1 >= len(s) {
		return false
	}
	switch s[end] {
	case '\\':
		return true
	case '@', '!':
		return isLetter(s[end+1]) || s[end+1] == '_' || s[end] == '!' && s[end+1] == '*'
	case '.':
		if n := end + 1 + wordLen(s[end+1:]); n == end+4 {
			return fileEndings[lower(s[end+1:n])]
		}
	}
	return false
}

// inSlashes reports whether a part is a folder or file of a path with slashes: letters
// behind a part that is no number.
func inSlashes(s string, i, end int) bool {
	if i < 2 || s[i-1] != '/' || end-i < 3 || !allLetters(s[i:end]) {
		return false
	}
	before := s[max(0, i-mostAround) : i-1]
	before = before[strings.LastIndexAny(before, "/\\ \t\"'")+1:]
	return before != "" && hexLen(before) < len(before)
}

// mostAround bounds what is looked at around a part: a host's name has at most 253 bytes.
const mostAround = 256

// ofHost reports whether a part is a label of a name as hosts have it: behind //, or in a
// row with dots of which another part is no number and the last one is of letters.
func ofHost(s string, i, end int) bool {
	if strings.HasSuffix(s[:i], "//") {
		return true
	}
	first, last := i, end
	for first > max(0, i-mostAround) && (isWordByte(s[first-1]) || s[first-1] == '.' || s[first-1] == '-') {
		first--
	}
	for last < min(len(s), end+mostAround) && (isWordByte(s[last]) || s[last] == '.' || s[last] == '-') {
		last++
	}
	labels := strings.Split(strings.TrimRight(s[first:last], ".-"), ".")
	if top := labels[len(labels)-1]; len(labels) < 2 || len(top) < 2 || !allLetters(top) {
		return false
	}
	for _, l := range labels {
		if hexLen(l) < len(l) {
			return true
		}
	}
	return false
}

// ofModule reports whether a part stands where lists, frames and headers have the name of
// a module or a process.
func ofModule(s string, i, end int) bool {
	if strings.HasPrefix(s[end:], "+0x") && allLetters(s[i:end]) {
		return true // with digits it may be an address
	}
	before, rest := s[max(0, i-mostAround):i], strings.TrimLeft(s[end:min(len(s), end+mostAround)], " ")
	if strings.HasPrefix(rest, "]") { // !stacks
		return areAddresses(strings.Fields(before[strings.LastIndexByte(before, '[')+1:]), 1)
	}
	if len(rest) > 2 && rest[1] == ' ' {
		rest = strings.TrimLeft(rest[1:], " ") // a letter of lm says how the symbols fit
	}
	return strings.HasPrefix(rest, "(") && areAddresses(strings.Fields(before), 2) // lm
}

// areAddresses reports whether there are so many fields, all of them addresses.
func areAddresses(fields []string, n int) bool {
	for _, f := range fields {
		if f = strings.ReplaceAll(f, "`", ""); len(f) != 8 && len(f) != 16 || hexLen(f) < len(f) {
			return false
		}
	}
	return len(fields) == n
}

// namedBy are words that names stand behind: of variables and parameters with =, and
// of machines.
var namedBy = map[string]bool{"username": true, "computername": true, "userdomain": true, "logonserver": true, "key": true, "token": true, "sig": true}

// headOf are words that the name of a module or a process stands behind, with a colon, and
// commandOn are commands on one.
var (
	headOf    = map[string]bool{"module": true, "default_bucket_id": true, "failure_bucket_id": true, "image": true, "image_name": true, "process_name": true, "module_name": true, "followup_name": true, "symbol_name": true}
	commandOn = map[string]bool{"lmvm": true, "lmdvm": true, "lmi": true, "drvobj": true, "findstack": true}
)

// named reports whether the word before says that a name follows.
func (t *tokens) named(i int) bool {
	if t.word.end == 0 || t.word != t.last || i-t.word.end > 16 {
		return false
	}
	word, gap := lower(t.s[t.word.start:t.word.end]), t.s[t.word.end:i]
	switch {
	case strings.TrimRight(gap, " ") == ":" && headOf[word], gap == ": [" && word == "info", gap == " " && commandOn[word]:
		return !t.fullAddr(i)
	case len(gap) > 4:
		return false
	case gap == "=" && namedBy[word]:
		first := t.word.start - 1
		return word != "key" && word != "token" && word != "sig" || first >= 0 && (t.s[first] == '?' || t.s[first] == '&')
	case strings.Trim(gap, " \"") == ":" && word == "name":
		return strings.HasSuffix(lower(t.s[max(0, t.word.start-len("machine ")):t.word.start]), "machine ")
	}
	return false
}

// fullAddr reports whether an address of the kernel with all its digits begins at a byte:
// !lmi takes one, too.
func (t *tokens) fullAddr(i int) bool {
	n := hexLen(t.s[i:])
	if rest := t.s[i+n:]; n == 8 && len(rest) > 8 && rest[0] == '`' {
		return true
	}
	return (n == 8 && t.s[i]|0x20 >= '8' || n == 16) && wordLen(t.s[i:]) == n && strings.ContainsAny(t.s[i:i+n], "0123456789")
}

// ofName reports whether a number is a part of a path or of a name with hyphens.
func (t *tokens) ofName(i, end int) bool {
	s := t.s
	if end < len(s) && s[end] == '\\' || end+4 <= len(s) && s[end] == '.' && wordLen(s[end+1:]) == 3 && fileEndings[lower(s[end+1:end+4])] {
		return true
	}
	if i == 0 {
		return false
	}
	before := t.last.end == i-1 && t.last.kind != noToken
	switch s[i-1] {
	case '\\':
		return true
	case '-', '/':
		if !before || t.last.kind == anID {
			return before
		}
		name := s[t.last.start:t.last.end]
		return t.last.kind == aWord && (t.masked(name) || s[i-1] == '-' && hosts[lower(name)])
	}
	return false
}

// hosts are words that the names of machines begin with.
var hosts = map[string]bool{
	"desktop": true, "laptop": true, "win": true, "server": true, "srv": true, "pc": true, "host": true, "vm": true, "node": true, "ws": true, "sql": true, "dc": true, "file": true, "web": true, "app": true,
}

// saysVersion reports whether the word before speaks of a version.
func (t *tokens) saysVersion(i int) bool {
	if t.word.end == 0 || i-t.word.end > 24 || t.last.start != t.word.start {
		return false
	}
	w := t.s[t.word.start:t.word.end]
	return len(w) >= 7 && strings.EqualFold(w[len(w)-7:], "version") || strings.EqualFold(w, "ver") || strings.EqualFold(w, "v")
}

// wordLen returns how many bytes of letters, digits and underscores s begins with.
func wordLen(s string) int {
	for i := 0; i < len(s); {
		if isWordByte(s[i]) {
			i++
			continue
		}
		if s[i] < utf8.RuneSelf {
			return i
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if !unicode.IsLetter(r) && !unicode.IsMark(r) {
			return i
		}
		i += n
	}
	return len(s)
}

// wordBytes has the ASCII letters and digits and the underscore.
var wordBytes = func() (set [256]bool) {
	for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_" {
		set[c] = true
	}
	return set
}()

func isWordByte(c byte) bool { return wordBytes[c] }

func isDigit(c byte) bool { return c-'0' < 10 }

func isLetter(c byte) bool { return c|0x20-'a' < 26 }

// hexValues are those of hexadecimal digits, -1 for other bytes.
var hexValues = func() (of [256]int8) {
	for c := range of {
		of[c] = int8(strings.IndexByte("0123456789abcdef", byte(c)))
		if c >= 'A' && c <= 'F' {
			of[c] = int8(c - 'A' + 10)
		}
	}
	return of
}()

// hexValue returns the value of a hexadecimal digit, -1 if c is none.
func hexValue(c byte) int { return int(hexValues[c]) }

// hexLen returns how many hexadecimal digits s begins with.
func hexLen(s string) int {
	for i := 0; i < len(s); i++ {
		if hexValue(s[i]) < 0 {
			return i
		}
	}
	return len(s)
}

func digitLen(s string) int {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return i
		}
	}
	return len(s)
}

func allLetters(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isLetter(s[i]) {
			return false
		}
	}
	return true
}

func mixedCase(s string) bool {
	upper, lower := false, false
	for i := 0; i < len(s); i++ {
		upper, lower = upper || s[i] < 'a', lower || s[i] >= 'a'
	}
	return upper && lower
}
