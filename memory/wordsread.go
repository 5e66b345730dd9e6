package memory

import (
	"slices"
	"strings"

	"kdlocks/kd"
)

// mostWords bounds the lines of memory, and the symbols, that are kept of one
// session.
const mostWords = 5000

// wordsCommand is a command that prints memory or symbols.
type wordsCommand uint8

const (
	noWords wordsCommand = iota
	examines
	searches
	searchesLetters
	displays
)

// readWordsCommand tells what a command prints (Microsoft Learn: x (Examine
// Symbols); s (Search Memory); dds, dps, dqs (Display Words and Symbols);
// !for_each_module), and what a search looks for: an address, or the letters of a tag.
// Searches for anything else, and what dd, dc and db print, are not read.
//
//	!for_each_module s-d @#Base @#End e0894d1f
//	s -q fffff880`05f4a000 L?1000 fffff800`01a2b3c0
//	!for_each_module s -a @#Base @#End "Leak"
func readWordsCommand(command string) (wordsCommand, Search) {
	c := kd.Cursor{Text: strings.NewReplacer(`"`, " ", ";", " ").Replace(command)}
	word, _ := c.Word()
	word = strings.ToLower(word)
	if word == "!for_each_module" {
		word, _ = c.Word()
		word = strings.ToLower(word)
	}
	switch word {
	case "x":
		return examines, Search{}
	case "dps", "dqs", "dds":
		return displays, Search{}
	case "s", "s-d", "s-q", "s-a":
		if letters := lettersSearched(word, c, command); letters != "" {
			return searchesLetters, Search{Letters: letters}
		}
		if v := searched(word, &c); v >= leastKernel {
			return searches, Search{Value: v}
		}
	}
	return noWords, Search{}
}

// leastKernel is the lowest address that the kernel of a machine can have.
const leastKernel = 0x8000_0000

// searched returns what a search for words of four or eight bytes looks for: the
// last of its arguments.
func searched(word string, c *kd.Cursor) kd.Addr {
	wide := word == "s-d" || word == "s-q"
	var last kd.Addr
	n := 0
	for {
		w, _ := c.Word()
		switch {
		case w == "":
			if !wide || n < 3 {
				return 0
			}
			return last
		case w[0] == '-':
			wide = wide || strings.HasSuffix(w, "d") || strings.HasSuffix(w, "q")
			continue
		}
		n++
		var ok bool
		if last, ok = kd.ParseAddr(w); !ok {
			last = 0
		}
	}
}

// commandOfWords keeps what a command that prints memory says of its output.
func (r *Reader) commandOfWords(command string, at kd.Ref) {
	kind, search := readWordsCommand(command)
	r.typedWords = kind
	if kind != searches && kind != searchesLetters {
		return
	}
	m := r.memory()
	if len(m.Searches) >= mostWords {
		r.typedWords = noWords
		r.left(at, "searches of memory")
		return
	}
	search.Letters, search.Command, search.Whole, search.At = strings.Clone(search.Letters), strings.Clone(command), true, at
	m.Searches = append(m.Searches, search)
}

// searching reports whether what comes next may be found by the search that was typed last.
func (r *Reader) searching() bool { return r.typedWords == searches || r.typedWords == searchesLetters }

// searchLost takes back that the search which was typed last was read whole.
func (r *Reader) searchLost() {
	if r.searching() && r.out != nil && !r.out.Memory.empty() {
		if s := r.out.Memory.Searches; len(s) > 0 {
			s[len(s)-1].Whole = false
		}
	}
}

// saysAuthor reports whether a line is a remark that somebody wrote on what is shown above or
// below it, and says nothing of the search: it has the small words of a sentence, one that
// points at what is shown, and none that may tell of a failure, of a search that was ended or
// of lines that were left out. Of a remark that may do so nothing is believed.
func saysAuthor(text string) bool {
	const least, most = 6, 400 // words, bytes
	if len(text) > most || kd.SaysLeftOut(text) || !letter(text[0]) || !strings.ContainsRune(".:?!", rune(text[len(text)-1])) {
		return false
	}
	words, small, points := 0, 0, false
	for w := range strings.FieldsFuncSeq(strings.ToLower(text), func(c rune) bool { return strings.ContainsRune(" ,.:;?!()/-", c) }) {
		if tellsOfSearch(w) {
			return false
		}
		words++
		w = " " + w + " "
		if strings.Contains(smallWords, w) {
			small++
		}
		points = points || strings.Contains(pointingWords, w)
	}
	return words >= least && small >= 2 && points
}

// tellsOfSearch reports whether a word, in lower case, may tell how a search went or how
// much of it is shown.
func tellsOfSearch(word string) bool {
	if strings.ContainsAny(word, "0123456789") {
		return true
	}
	for sign := range strings.FieldsSeq(signsOfSearch) {
		if strings.HasPrefix(word, sign) {
			return true
		}
	}
	return false
}

// The words by which saysAuthor tells, between blanks; of signsOfSearch the beginnings.
const (
	smallWords    = " a an the this that is are we i it let's let\u2019s like which see of to in "
	pointingWords = " see look looks looking looked shows expected suspicious suspiciously interesting "
	signsOfSearch = "abbrev abort access across add again age ago all almost another any anyway bad break broke bunch can't canc cannot can\u2019t clip clos command complet connect control copie copy could couldn crash ctrl debugger den did didn disconnect doesn don't don\u2019t done dozen drop dump dur earl eleven enough error esc etc even every example exceed exit fail far few final find finish first five forever found four freez frozen gap gave get give got half halt hang happen hit hour how hundred hung impatien incomplet instance interrupt invalid keep kept kill last later leave less limit line list log long lost lot many match memor minut miss most much must neither never no non nor not nothing number omit once one only other out over part past patien paus pick piece point press print quit ran range reach read redact remain remov repeat rest result run same sampl scan search session several short similar skip slow snap some soon stat stop stuck subset such symbol take taken takes ten thousand three till time tire took top trim twice two typ unable unfinished unread until virtual wait whole with zero"
)

// memory is what was printed of the target's memory.
func (r *Reader) memory() *Memory {
	if r.listing().Memory == nil {
		r.listing().Memory = &Memory{}
	}
	return r.listing().Memory
}

// wordsLine reads a line of memory or of symbols. Where no command tells, only
// lines about ExAllocatePool are known: the name itself, what a search for its
// address found, and the import tables that hold it.
func (r *Reader) wordsLine(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	w, at := c.Word()
	addr, ok := kd.ParseFullAddr(w)
	if !ok {
		return false
	}
	ref := l.Ref(at, len(w))
	switch {
	case (r.typedWords == examines || r.typedWords == noWords) && r.symbolLine(addr, ref, c):
		r.symbols = true
	case r.typedWords == searchesLetters:
		if !r.hitLine(addr, ref, c) {
			return false
		}
		r.symbols = false
	case r.typedWords != examines && r.memoryLine(addr, ref, c):
		r.symbols = false
	default:
		return false
	}
	if r.open != wordsBlock {
		r.close()
		r.open = wordsBlock
	}
	return true
}

// symbolLine reads a line of x:
//
//	e0894d1f nt!ExAllocatePool
//	fffff800`02a4d1f0 nt!ExAllocatePool (<no parameter info>)
func (r *Reader) symbolLine(addr kd.Addr, at kd.Ref, c kd.Cursor) bool {
	name, _ := c.Word()
	if f := Function(name); f == "" || r.typedWords == noWords && f != allocatesUntagged {
		return false
	}
	if rest := c.Peek(); rest != "" && rest[0] != '(' && rest[0] != '=' {
		return false
	}
	m := r.memory()
	if len(m.Symbols) >= mostWords {
		r.left(at, "symbols of x")
		return true
	}
	m.Symbols = append(m.Symbols, Symbol{addr, strings.Clone(name), at})
	return true
}

// allocatesUntagged is the routine that allocates pool under the tag None
// (Microsoft Learn: ExAllocatePool).
const allocatesUntagged = "ExAllocatePool"

// memoryLine reads a line of memory:
//
//	f50b8058  e0894d1f e0828e04 e089b708 e084011b  .M..............
//	f50b8058  e0894d1f nt!ExAllocatePool
func (r *Reader) memoryLine(addr kd.Addr, at kd.Ref, c kd.Cursor) bool {
	w := Words{Addr: addr, At: at, Found: r.typedWords == searches}
	digits := 0
	for len(w.Values) < 4 {
		next := c.Peek()
		v, ok := kd.ParseFullAddr(next)
		if n := kd.AddrDigits(next); !ok || digits != 0 && n != digits {
			break
		} else {
			digits = n
		}
		c.Word()
		w.Values = append(w.Values, v)
	}
	if len(w.Values) == 0 {
		return false
	}
	w.Size = digits / 2
	name, _ := c.Word()
	if f := Function(name); f != "" || strings.Contains(name, "!") {
		w.Symbol = strings.Clone(name)
	}
	switch r.typedWords {
	case noWords:
		if !r.aboutUntagged(&w) {
			return false
		}
	case searches:
		if s := r.memory().Searches; len(s) == 0 || s[len(s)-1].Value != w.Values[0] {
			return false
		}
	}
	m := r.memory()
	if len(m.Words) >= mostWords {
		r.left(at, "lines of memory")
		r.searchLost()
		return true
	}
	m.Words = append(m.Words, w)
	return true
}

// aboutUntagged reports whether a line, of which no command tells, is about
// ExAllocatePool: it begins with its address, or goes on with a table that does.
func (r *Reader) aboutUntagged(w *Words) bool {
	if Function(w.Symbol) == allocatesUntagged {
		return true
	}
	if r.listing().Memory == nil {
		return false
	}
	if slices.ContainsFunc(r.listing().Memory.Symbols, func(s Symbol) bool { return s.Addr == w.Values[0] }) && w.Symbol == "" {
		w.Found = true
		return true
	}
	ws := r.listing().Memory.Words
	return w.Symbol != "" && len(ws) > 0 && ws[len(ws)-1].Symbol != "" && ws[len(ws)-1].Addr+kd.Addr(w.Size) == w.Addr
}
