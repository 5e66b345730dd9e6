package threads

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"

	"kdlocks/kd"
)

// Skimmer reads THREAD blocks in the layout that 64-bit debuggers print, at
// the speed of memory, without building a Thread of each. What it does not
// know to the letter it leaves to Reader: where it reads a block, Reader reads
// the same.
type Skimmer struct {
	sites  sites
	images map[string]string
	waits  [64]waitState
}

// Learned returns the functions of call sites that were met for the first time
// since it was last called, also in blocks that were then left to Reader: lines
// of module!function.
func (s *Skimmer) Learned() string {
	out := string(s.sites.learned)
	s.sites.learned = s.sites.learned[:0]
	return out
}

// intern returns the name of a program, one string for all of the same.
func (s *Skimmer) intern(name []byte) string {
	if known, ok := s.images[string(name)]; ok {
		return known
	}
	if s.images == nil || len(s.images) > mostImages {
		s.images = make(map[string]string)
	}
	n := string(name)
	s.images[n] = n
	return n
}

// mostImages bounds the names that are remembered.
const mostImages = 1 << 12

// Skimmed is a block that was read: what it says, and how long it is.
type Skimmed struct {
	Brief
	Lines  int32 // without blank ones at the end
	End    int   // bytes up to the line of the next head
	Next   int   // bytes up to the word that begins it
	Blanks int   // blank lines at the end
	// Head is set where it is a PROCESS block. Of its place the column alone is
	// known, and of the Brief nothing.
	Head *Process
}

// HeadWord begins the first line of a block.
const HeadWord = "THREAD "

// Block reads the block that begins text, which must be followed by the next
// head line of a thread or process. It reports false if any line of it is not
// of the plain layout.
func (s *Skimmer) Block(text []byte) (Skimmed, bool) {
	p := skim{b: text, k: s}
	if !p.head() || !p.waits() || !p.properties() || !p.frames() {
		return Skimmed{}, false
	}
	p.out.Lines = int32(p.lines)
	if !p.end() {
		return Skimmed{}, false
	}
	return p.out, true
}

// skim is the state of reading one block.
type skim struct {
	b     []byte
	i     int // the next byte
	lines int
	k     *Skimmer
	out   Skimmed
}

const spaces8 = 0x2020202020202020

// word8 returns the next 8 bytes, the first in the low bits; zeros behind the
// end.
func (p *skim) word8(i int) uint64 {
	if i+8 <= len(p.b) {
		return binary.LittleEndian.Uint64(p.b[i:])
	}
	return 0
}

// indent moves over the blanks at the beginning of a line. Most lines have
// eight.
func (p *skim) indent() {
	if i := p.i; i+8 < len(p.b) && binary.LittleEndian.Uint64(p.b[i:]) == spaces8 {
		if p.i = i + 8; p.b[i+8] != ' ' {
			return
		}
	}
	p.blanks()
}

func (p *skim) blanks() {
	for p.i < len(p.b) && p.b[p.i] == ' ' {
		p.i++
	}
}

// lineEnd returns where the line ends that position i is in, and where the
// next one begins.
func (p *skim) lineEnd(i int) (end, next int, ok bool) {
	n := bytes.IndexByte(p.b[i:], '\n')
	if n < 0 {
		return 0, 0, false
	}
	end, next = i+n, i+n+1
	for end > i && (p.b[end-1] == ' ' || p.b[end-1] == '\r') {
		end--
	}
	return end, next, true
}

// nextLine moves to the beginning of the next line.
func (p *skim) nextLine() bool {
	n := bytes.IndexByte(p.b[p.i:], '\n')
	if n < 0 {
		return false
	}
	p.i += n + 1
	p.lines++
	return true
}

// take moves over a word that comes next.
func (p *skim) take(word string) bool {
	if len(p.b)-p.i < len(word) || string(p.b[p.i:p.i+len(word)]) != word {
		return false
	}
	p.i += len(word)
	return true
}

func isBlank(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// takeWord is take for a word that ends there.
func (p *skim) takeWord(word string) bool {
	end := p.i + len(word)
	return end < len(p.b) && isBlank(p.b[end]) && p.take(word)
}

// addr reads 16 hexadecimal digits and the blanks behind them.
func (p *skim) addr() (kd.Addr, bool) {
	a, ok := hex16(p.word8(p.i), p.word8(p.i+8))
	if !ok || p.i+16 >= len(p.b) || !isBlank(p.b[p.i+16]) {
		return 0, false
	}
	p.i += 16
	p.blanks()
	return a, true
}

// isAddr is addr where the value does not matter.
func (p *skim) isAddr() bool {
	if p.i+16 >= len(p.b) {
		return false
	}
	t := p.b[p.i : p.i+17]
	hi, lo := binary.LittleEndian.Uint64(t), binary.LittleEndian.Uint64(t[8:])
	if areHex(hi)&areHex(lo)&highs != highs || (hi|lo)&highs != 0 || !isBlank(t[16]) {
		return false
	}
	p.i += 16
	p.blanks()
	return true
}

// head reads the THREAD line.
func (p *skim) head() bool {
	var ok bool
	if !p.take(HeadWord) {
		return false
	}
	p.blanks()
	if p.out.Addr, ok = p.addr(); !ok || p.out.Addr.SignExtended() || !p.take("Cid ") || !p.cid() || !p.take("Teb: ") {
		return false
	}
	if !p.isAddr() || !p.take("Win32Thread: ") || !p.isAddr() {
		return false
	}
	return p.state() && p.nextLine()
}

// cid moves over process.thread.
func (p *skim) cid() bool {
	dot, n := 0, 0
	for ; p.i+n < len(p.b) && n < 16; n++ {
		c := p.b[p.i+n]
		if c == ' ' {
			break
		}
		if c == '.' {
			dot++
			continue
		}
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	if dot != 1 || n < 3 || n > 14 || p.b[p.i] == '.' || p.b[p.i+n-1] == '.' {
		return false
	}
	p.i += n
	p.blanks()
	return true
}

// state reads what a THREAD line says behind its addresses.
func (p *skim) state() bool {
	end, _, ok := p.lineEnd(p.i)
	if !ok {
		return false
	}
	if p.take("WAIT: (") {
		return p.wait(end)
	}
	rest := p.b[p.i:end]
	switch {
	case bytes.HasPrefix(rest, []byte("RUNNING on processor ")):
		p.out.State = Running
		rest = rest[len("RUNNING on processor "):]
	case bytes.HasPrefix(rest, []byte("READY on processor ")):
		p.out.State = Ready
		rest = rest[len("READY on processor "):]
	default:
		p.out.State = states[string(rest)]
		return p.out.State != StateUnknown
	}
	return len(rest) > 0 && len(rest) < 4 && kd.AddrDigits(string(rest)) == len(rest)
}

// waitState is what the end of a THREAD line says of a wait.
type waitState struct {
	text   string
	reason uint8
	user   bool
}

// wait reads "Reason) KernelMode Non-Alertable" up to the end of the line.
func (p *skim) wait(end int) bool {
	text := p.b[p.i:end]
	if len(text) < 8 {
		return false
	}
	// A large listing has few such texts: the last one of its kind is kept.
	w := &p.k.waits[(len(text)+5*int(text[0])+3*int(text[2]))%len(p.k.waits)]
	if string(text) != w.text {
		read, ok := waitStateOf(string(text))
		if !ok {
			return false
		}
		*w = read
	}
	p.i = end
	p.out.State, p.out.Reason = Waiting, w.reason
	if w.user {
		p.out.Traits |= UserWait
	}
	return true
}

func waitStateOf(text string) (waitState, bool) {
	reason, mode, _ := strings.Cut(text, ")")
	index, ok := reasonIndex[reason]
	w := waitState{text: text, reason: index}
	switch mode {
	case " KernelMode Non-Alertable", " KernelMode Alertable":
	case " UserMode Non-Alertable", " UserMode Alertable":
		w.user = true
	default:
		return w, false
	}
	return w, ok && reason != ""
}

// waits reads the wait objects and the IRPs below the THREAD line.
func (p *skim) waits() bool {
	for {
		p.indent()
		if p.takeWord("SuspendCount") || p.takeWord("FreezeCount") {
			if !p.count() {
				return false
			}
			continue
		}
		if !p.isAddr() {
			break
		}
		if !p.waitObject() || !p.nextLine() {
			return false
		}
	}
	if p.take("Waiting for reply to ") {
		if !p.take("ALPC Message ") && !p.take("LPC MessageId ") || !p.nextLine() {
			return false
		}
		p.out.Traits |= HasReply
		p.indent()
		if p.take("Current LPC port ") {
			if !p.nextLine() {
				return false
			}
			p.indent()
		}
	}
	if !p.takeWord("IRP List:") || !p.nextLine() {
		return true
	}
	return p.irps()
}

// count reads the number that ends a line.
func (p *skim) count() bool {
	p.blanks()
	return '0' <= p.b[p.i] && p.b[p.i] <= '9' && p.word() && p.nextLineIsBlank()
}

// waitObject reads the kind of object behind its address.
func (p *skim) waitObject() bool {
	if p.i >= len(p.b) || p.b[p.i] < 'A' || p.b[p.i] > 'Z' {
		return false
	}
	end, _, ok := p.lineEnd(p.i)
	if !ok {
		return false
	}
	switch string(p.b[p.i:end]) {
	case "SynchronizationEvent", "Semaphore Limit 0x1", "Semaphore Limit 0x7fffffff", "NotificationEvent", "Unknown":
		return true
	case "Thread", "ProcessObject":
		p.out.Traits |= OtherObject | EndWait
		return true
	case "QueueObject", "NotificationTimer", "SynchronizationTimer":
		p.out.Traits |= OtherObject
		return true
	}
	switch {
	case p.take("Semaphore Limit 0x"):
		return true
	case p.take("Mutant - owning thread "):
		p.out.Traits |= HasOwner
		return end-p.i == 16
	}
	return false
}

// irps reads "ADDR: (0006,0310) Flags: 00000884  Mdl: 00000000".
func (p *skim) irps() bool {
	for {
		p.indent()
		if _, ok := hex16(p.word8(p.i), p.word8(p.i+8)); !ok {
			return true
		}
		p.i += 16
		if !p.take(": (") || !p.nextLine() {
			return false
		}
		p.out.Traits |= HasIRP
	}
}

// properties are the lines of a block that a Brief needs nothing of, in the
// order that debuggers print them.
var properties = [...]string{
	"Not impersonating", "Impersonation token", "DeviceMap", "Owning Process ", "Attached Process ",
	"Wait Start TickCount ", "Context Switch Count ", "UserTime", "KernelTime", "Win32 Start Address ",
	"Priority ", "Scheduling Group",
}

// blockWords begin the lines of a block that have a name.
var blockWords = append(properties[:], "Child-SP ", "Stack Init ", "Base ", "IRP List:", "Waiting for reply ", HeadWord)

// BeginsBlockLine reports whether a line of a THREAD block begins like this.
func BeginsBlockLine(line []byte) bool {
	if len(line) > 0 && 'A' <= line[0] && line[0] <= 'Z' {
		for _, word := range blockWords {
			if bytes.HasPrefix(line, []byte(word)) {
				return true
			}
		}
	}
	p := skim{b: line}
	_, _, ok := p.stackAddrs()
	return ok
}

// properties reads the named lines up to the column heads of the stack. A stack
// that is not resident may be missing.
func (p *skim) properties() bool {
	ranged, expect := false, 0
	for p.i < len(p.b) {
		switch c := p.b[p.i]; {
		case c == 'S' && p.take("Stack Init "):
			if ranged || !p.stackRange() {
				return false
			}
			ranged = true
		case c == 'C' && p.take("Child-SP "):
			return ranged && p.columns()
		case c == 'K' && p.takeWord("Kernel stack not resident."):
			p.out.Traits |= NotResident
		case c == '\n' || c == '\r':
			p.out.Traits |= NoStack
			return ranged && p.out.Has(NotResident)
		case !p.oneOf(properties[:], &expect):
			return false
		}
		if !p.nextLine() {
			return false
		}
		p.indent()
	}
	return false
}

// stackRange reads
//
//	Stack Init ffff99924c772fd0 Current ffff99924c7723c0
//	Base ffff99924c773000 Limit ffff99924c76d000 Call 0000000000000000
func (p *skim) stackRange() bool {
	if !p.isAddr() || !p.take("Current ") || !p.isAddr() || !p.nextLine() {
		return false
	}
	p.indent()
	if !p.take("Base ") {
		return false
	}
	base, ok := p.addr()
	if !ok || !p.take("Limit ") {
		return false
	}
	p.out.Limit, ok = p.addr()
	size := base - p.out.Limit
	p.out.StackSize = uint32(size)
	return ok && 0 < p.out.Limit && p.out.Limit < base && size <= math.MaxUint32
}

// end checks that the next head line follows, with nothing but blank lines
// before it.
func (p *skim) end() bool {
	for {
		p.out.End = p.i
		p.indent()
		if p.i >= len(p.b) {
			return false
		}
		if c := p.b[p.i]; c != '\n' && c != '\r' {
			break
		}
		if !p.nextLineIsBlank() {
			return false
		}
		p.out.Blanks++
	}
	p.out.Next = p.i
	rest := p.b[p.i:]
	return bytes.HasPrefix(rest, []byte(HeadWord)) || bytes.HasPrefix(rest, []byte(ProcessWord))
}
