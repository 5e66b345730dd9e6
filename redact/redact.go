package redact

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"

	"kdlocks/transcript"
)

// Options say how to redact. The zero value is good.
type Options struct {
	// Key, when not empty, is what pseudonyms are made with: logs that are redacted
	// with one key have the same names for the same things, as a rule. It is a
	// secret. Without one, the key is made of all that the inputs hold.
	Key string
	// Keep are words that stay, in either case: names of modules, say, that the reader
	// must know.
	Keep []string
	// Progress, when not nil, is called while Learn and Write read: bytes of what this call
	// has to read, and so many of them so far. Learn may read an input three times.
	Progress func(done, total int64)
}

// Redactor replaces what tells whose log it is. Learn must see all inputs before
// anything is written. It is for one goroutine at a time.
type Redactor struct {
	opt     Options
	vocab   *vocabulary
	keep    map[string]bool
	key     []byte
	words   map[string]*word // by how they stand in a log
	ids     map[string]*word
	loose   map[string]*word  // numbers in lines that nobody understands
	folded  map[string]string // words in lower case to their pseudonyms
	taken   map[string]bool   // pseudonyms of words and IDs
	bare    map[string]bool   // numbers that are addresses or counts, by whether there is a letter in them
	named   map[string]bool   // names in lower case that look like numbers, and are none wherever they stand
	digits  map[string]string // what consists of decimal digits where it was moved to, and is no count of the log
	space   space
	learned bool
	most    int  // words and IDs that are remembered
	full    bool // there were more
	narrow  bool // 32-bit addresses were seen where nothing else stands
	count   Summary
}

// word is a word or ID that was seen.
type word struct {
	to       string // what it is replaced by; "" if it stays
	keep     bool
	function bool
}

// mostWords bounds how many different words and IDs are remembered. Further ones
// are replaced all the same, two of them perhaps by one, and functions of Windows
// among them, too.
const mostWords = 1 << 20

// Summary counts what was replaced.
type Summary struct {
	Lines     int64 `json:"lines"`
	Addresses int64 `json:"addresses"` // places, not different ones
	Words     int64 `json:"words"`
	IDs       int64 `json:"ids"`
	// Names and Numbers are how many different words and IDs have a pseudonym.
	Names   int `json:"names"`
	Numbers int `json:"numbers"`
	// NotUnderstood counts the lines that no reader of debugger output knows. Their
	// words are replaced like all others.
	NotUnderstood int64 `json:"not_understood"`
	// Unmoved counts places of addresses that are where they were: the address
	// space they lie in is full.
	Unmoved int64 `json:"unmoved"`
	// Merged counts words whose pseudonym another word may have, too.
	Merged int `json:"merged"`
}

// New returns a Redactor that has learned nothing.
func New(opt Options) *Redactor {
	r := &Redactor{
		opt: opt, most: mostWords, vocab: known(), keep: map[string]bool{}, words: map[string]*word{}, ids: map[string]*word{},
		loose: map[string]*word{}, folded: map[string]string{}, taken: map[string]bool{},
		bare: map[string]bool{}, named: map[string]bool{}, digits: map[string]string{},
	}
	for _, w := range opt.Keep {
		for _, part := range strings.FieldsFunc(w, func(c rune) bool { return c < 0x80 && !isWordByte(byte(c)) }) {
			r.keep[lower(part)] = true
		}
	}
	return r
}

// Write writes an input with all that Learn decided put into place, as UTF-8. The
// output has the lines of the input, each of the same length.
func (r *Redactor) Write(ctx context.Context, w io.Writer, in transcript.Input) error {
	return r.write(ctx, w, in, func(s string, _ int32, put func(int, string)) { r.replace(s, put) })
}

// write writes an input with what each puts in place.
func (r *Redactor) write(ctx context.Context, w io.Writer, in transcript.Input, each visit) error {
	out := bufio.NewWriterSize(w, 1<<16)
	p := newPage(each, r.progress(0, in.Size))
	err := p.read(ctx, in, func(l *line) {
		r.count.Lines++
		if l.out != nil {
			out.Write(l.out)
		} else {
			out.WriteString(l.Text)
		}
		out.WriteString(l.End)
	})
	return errors.Join(err, out.Flush())
}

// Text puts pseudonyms into a text that was made of the inputs, such as a report on
// them in Markdown, or a string of one in JSON: not JSON itself, where escapes stand
// before words. What Learn did not see stays as it is.
func (r *Redactor) Text(s string) string {
	kept := r.count
	defer func() { r.count = kept }()
	var out []byte
	r.eachLine(s, func(i int, to string) {
		if out == nil {
			out = []byte(s)
		}
		copy(out[i:], to)
	})
	if out == nil {
		return s
	}
	return string(out)
}

// eachLine replaces what stands in the lines of a text.
func (r *Redactor) eachLine(s string, put func(at int, to string)) {
	at := 0
	for line := range strings.Lines(s) {
		r.replace(strings.TrimSuffix(line, "\n"), func(i int, to string) { put(at+i, to) })
		at += len(line)
	}
}

// progress tells of the reading of one input, when so many bytes were read before.
func (r *Redactor) progress(before, total int64) func(done int64) {
	if r.opt.Progress == nil {
		return nil
	}
	return func(done int64) { r.opt.Progress(before+done, total) }
}

// Kept returns Options.Keep.
func (r *Redactor) Kept() []string { return r.opt.Keep }

// Summary counts what Write replaced so far.
func (r *Redactor) Summary() Summary { return r.count }
