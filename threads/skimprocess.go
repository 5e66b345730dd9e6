package threads

import (
	"bytes"
	"strconv"

	"kdlocks/kd"
)

// ProcessWord begins the first line of a PROCESS block.
const ProcessWord = "PROCESS "

// Process reads the PROCESS block that begins text, up to the head line of a
// thread or process that must follow. It reports false if any line of it is
// not of the plain layout:
//
//	PROCESS ffffcb234ff34200
//	    SessionId: 1  Cid: 0f64    Peb: 7ffd6000  ParentCid: 075c
//	    DirBase: 00187000  ObjectTable: ffffe001890065c0  HandleCount: 1253.
//	    Image: lsass.exe
//
// and lines that nothing is read from.
func (s *Skimmer) Process(text []byte) (Skimmed, bool) {
	p := skim{b: text, k: s}
	if !p.processHead() || !p.processLines() {
		return Skimmed{}, false
	}
	p.out.Lines = int32(p.lines)
	if !p.end() {
		return Skimmed{}, false
	}
	return p.out, true
}

// processHead reads the first two lines.
func (p *skim) processHead() bool {
	if !p.take(ProcessWord) {
		return false
	}
	p.blanks()
	at := p.i
	a, ok := p.addr()
	if !ok || a.SignExtended() || !p.nextLineIsBlank() {
		return false
	}
	p.indent()
	if !p.take("SessionId: ") || !p.session() || !p.take("Cid: ") {
		return false
	}
	start := p.i
	if !p.hexWord() {
		return false
	}
	cid, err := strconv.ParseUint(string(bytes.TrimRight(p.b[start:p.i], " ")), 16, 32)
	if err != nil || !p.take("Peb: ") || !p.hexWord() || !p.take("ParentCid: ") || !p.hexWord() || !p.nextLineIsBlank() {
		return false
	}
	p.out.Head = &Process{Addr: a, CID: uint32(cid), CIDKnown: true, At: kd.Ref{Col: int32(at) + 1, Len: 16}}
	p.indent()
	return true
}

// nextLineIsBlank moves to the next line if nothing more stands on this one.
func (p *skim) nextLineIsBlank() bool {
	end, next, ok := p.lineEnd(p.i)
	if !ok || end > p.i {
		return false
	}
	p.i = next
	p.lines++
	return true
}

// session moves over the number of a session, or none.
func (p *skim) session() bool {
	if p.take("none ") {
		p.blanks()
		return true
	}
	return p.hexWord()
}

// word moves over a word and the blanks behind it.
func (p *skim) word() bool {
	start := p.i
	for p.i < len(p.b) && !isBlank(p.b[p.i]) {
		p.i++
	}
	n := p.i - start
	p.blanks()
	return n > 0
}

// hexWord is word for up to 16 hexadecimal digits, lower case.
func (p *skim) hexWord() bool {
	start := p.i
	for p.i < len(p.b) && ('0' <= p.b[p.i] && p.b[p.i] <= '9' || 'a' <= p.b[p.i] && p.b[p.i] <= 'f') {
		p.i++
	}
	n := p.i - start
	if n < 1 || n > 16 || p.i == len(p.b) || !isBlank(p.b[p.i]) {
		return false
	}
	p.blanks()
	return true
}

// longestProperty is more than a line of named values has, and less than such a
// line has when it is run together with a head line.
const longestProperty = 128

// processLines reads the named lines up to a blank one.
func (p *skim) processLines() bool {
	expect := 0
	for p.i < len(p.b) && p.b[p.i] != '\n' && p.b[p.i] != '\r' {
		start := p.i
		if p.take("Image: ") {
			if !p.image() {
				return false
			}
		} else if !p.oneOf(processNoise, &expect) {
			return false
		}
		if !p.nextLine() || p.i-start > longestProperty {
			return false
		}
		p.indent()
	}
	// The blanks of an empty line belong to it.
	for p.i > 0 && p.b[p.i-1] == ' ' {
		p.i--
	}
	return true
}

// image reads the name of a program.
func (p *skim) image() bool {
	p.blanks()
	end, _, ok := p.lineEnd(p.i)
	if !ok || p.out.Head.Image != "" {
		return false
	}
	name := p.b[p.i:end]
	for i, c := range name {
		if c < ' ' || c > '~' || bytes.IndexByte([]byte("&*<>:\"#`"), c) >= 0 || c == ' ' && name[i-1] == ' ' {
			return false // perhaps mangled, or run together
		}
	}
	p.out.Head.Image = p.k.intern(name)
	return len(name) > 0
}

// oneOf moves over one of the words, the expected one or one behind it first.
func (p *skim) oneOf(words []string, expect *int) bool {
	for range words {
		if p.take(words[*expect]) {
			return true
		}
		if *expect++; *expect == len(words) {
			*expect = 0
		}
	}
	return false
}

// SkimProcess takes a PROCESS block that was skimmed, in the place of its
// lines. It reports false if the lines must be read themselves.
func (r *Reader) SkimProcess(p Process) bool {
	if !r.skims() {
		return false
	}
	r.closeBlock()
	r.gap, r.blank = true, true // as behind the blank line
	r.out.Processes = append(r.out.Processes, p)
	r.proc = &r.out.Processes[len(r.out.Processes)-1]
	return true
}
