package transcript

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"kdlocks/collect"
	"kdlocks/kd"
	"kdlocks/modules"
	"kdlocks/objects"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

// Input is one log or paste and the name to call it by. Its bytes are read more
// than once and must stay as they are meanwhile.
type Input struct {
	Name string
	Data io.ReaderAt
	Size int64 // bytes
	// Missing and Odd are what is known of the input beside its text, by who made it
	// out of a dump: facts that it lacks, and what is odd.
	Missing []kd.Gap
	Odd     []string
	// Printed says that no line is mangled: they were printed for this reader.
	Printed bool
}

// Bytes returns an input that is in memory.
func Bytes(name string, data []byte) Input {
	return Input{Name: name, Data: bytes.NewReader(data), Size: int64(len(data))}
}

// Status says what became of a line. It is a byte, so that those of many lines
// are counted as bytes are.
type Status = byte

// The fates of a line.
const (
	NotUnderstood Status = iota
	Claimed
	Noise
)

// Source is one input as it was read. Its lines are read again where they are
// asked for.
type Source struct {
	Name     string
	Bytes    int64
	Encoding string
	Status   []Status // one for each line
	Sections []kd.Section
	Notes    []kd.Note // what had to be repaired

	text *text
}

// Line returns a line, counted from 1, decoded, with its blanks and without its
// end; "" if there is none. Of a line of more than a MiB it returns the
// beginning.
func (s *Source) Line(n int32) string { return s.text.Line(n) }

// Plain reports whether a line that facts were read on is all ASCII.
func (s *Source) Plain(n int32) bool { return s.text.Plain(n) }

// Lines returns the number of lines.
func (s *Source) Lines() int { return len(s.Status) }

// Understood counts the lines that are claimed or known noise.
func (s *Source) Understood() int {
	n := 0
	for _, st := range s.Status {
		if st != NotUnderstood {
			n++
		}
	}
	return n
}

// Transcript is what the inputs hold: their lines, and one snapshot for each
// session.
type Transcript struct {
	Sources   []Source
	Snapshots []*snapshot.Snapshot
	// Aside are sessions that tell of modules and memory only, where others tell more: beside
	// those they would only look undecided. Their listings of pool may show growth
	// from or to a session of the same Target.Attached.
	Aside []*snapshot.Snapshot
	// asideAt are how many Snapshots came before each of them.
	asideAt []int
}

// TakeIn moves those of Aside that say holds for to their places among the Snapshots.
func (t *Transcript) TakeIn(say func(*snapshot.Snapshot) bool) {
	var aside []*snapshot.Snapshot
	taken := 0
	for i, s := range t.Aside {
		if i >= len(t.asideAt) || !say(s) {
			aside = append(aside, s)
			continue
		}
		t.Snapshots = slices.Insert(t.Snapshots, t.asideAt[i]+taken, s)
		taken++
	}
	t.Aside, t.asideAt = aside, nil
}

// ErrNothing is wrapped by the error of an input in which no command's output
// was recognised.
var ErrNothing = errors.New("nothing recognised")

// ErrUserMode wraps ErrNothing, where the prompts are those of a user-mode debugger.
var ErrUserMode = fmt.Errorf("%w: this is user-mode debugger output; its !locks lists critical sections, not ERESOURCEs: with the stacks of ~*kv kdlocks judges those, or run !locks in a kernel debugger", ErrNothing)

// ErrWrongSymbols wraps ErrNothing, where extensions refused to work because the symbols
// of the kernel are not its own.
var ErrWrongSymbols = fmt.Errorf("%w: the debugger says that its symbols of the kernel are wrong, so its extensions print nothing: load them with .symfix; .reload /f nt and run the commands again", ErrNothing)

// Read reads the inputs as one case, in their order. The Transcript is never
// nil: with an error it still tells the lines. The error wraps ErrNothing when
// no session holds a fact, or ErrNotText when an input is no text; the others
// are then read all the same. When ctx is done first, its error is returned.
// progress may be nil; it is called with the bytes read so far, and all.
func Read(ctx context.Context, inputs []Input, progress func(done, total int64)) (*Transcript, error) {
	r := router{out: &Transcript{Sources: make([]Source, len(inputs))}, cur: &session{}, process: -1}
	r.attach()
	var errs []error
	done, total := int64(0), int64(0)
	for _, in := range inputs {
		total += in.Size
	}
	for i, in := range inputs {
		t, err := openText(in)
		r.out.Sources[i] = Source{Name: in.Name, Bytes: in.Size, Encoding: t.enc.name, text: t}
		r.loader.texts = append(r.loader.texts, t)
		if err == nil {
			err = r.input(ctx, int32(i), func(n int64) {
				if progress != nil {
					progress(done+n, total)
				}
			})
		}
		if ctx.Err() != nil {
			return r.out, ctx.Err()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", in.Name, err))
		}
		r.beside(int32(i), in)
		done += in.Size
	}
	r.endSession(r.cur)
	r.build()
	if len(r.out.Snapshots) == 0 && len(errs) == 0 {
		errs = append(errs, r.nothing(inputs))
	}
	return r.out, errors.Join(errs...)
}

// beside keeps what is known of an input that was read beside its text.
func (r *router) beside(i int32, in Input) {
	r.cur.gaps = append(r.cur.gaps, in.Missing...)
	for _, text := range in.Odd {
		r.out.Sources[i].Notes = append(r.out.Sources[i].Notes, kd.Note{At: kd.Ref{Input: i, Line: 1, Col: 1}, Text: text})
	}
}

// doubt is a reason to believe that another moment begins.
type doubt uint8

const (
	noDoubt   doubt = iota
	otherTime       // another time of day was printed
	resumed         // a command was typed that lets the machine run
)

// attach says that what follows is of another target than what came before, as
// far as is known.
func (r *router) attach() {
	r.attached++
	r.cur.target.Attached, r.cur.target.LetGoAt = r.attached, kd.Ref{}
}

// router gives each line to the reader that knows it.
type router struct {
	out *Transcript
	cur *session

	src      *Source
	section  int // index into src.Sections, -1 if none is open
	typed    bool
	echo     string // the command whose echo the next line may be
	system   string // the debugger's system number in the last prompt
	sawUser  bool   // user-mode output was seen
	lastHead int32  // the last line of a session header
	header   headerBlock
	// pending is why the session ends with the next line, unless that takes it
	// back.
	pending doubt
	// otherTime is the line that tells another time, while it is not known which
	// session it belongs to.
	otherTime kd.Line
	// letGo is the command after which the machine ran on, unknown if another was
	// looked at; attached counts the targets.
	letGo    kd.Ref
	attached int
	// title is the stop code that !analyze has begun to explain; reference is
	// set when it explains one that was asked for by its number.
	title     stopTitle
	reference bool
	raw       []*rawSession

	lines  physical
	repair Repair
	fated  int32 // the last line of the input whose status is set
	// cutLine says which line was the first that was not read whole.
	cutLine string
	loader  loader
	// functions are those of all frames that were skimmed.
	functions threads.FunctionNames
	// process is the number of the process that was registered last, from what
	// was read at processAt; -1 before the first.
	process   int32
	reserved  bool // room for skimmed threads
	processAt kd.Ref
	// run is the run of the script of kdlocks collect that the lines are of, nil
	// outside of one; factsBefore counts the facts of the session before it.
	run         *collect.Run
	factsBefore int
	// typedMark is set when a mark was typed alone: the prompts tell the rest.
	typedMark bool
}

// take gives a repaired line to its reader. All lines of the input that it
// stands on share its fate; one that holds several is claimed if any of them
// is.
func (r *router) take(l kd.Line) {
	st := r.line(l)
	r.fate(l.Last())
	for n := l.Num; n <= l.Last(); n++ {
		old := &r.src.Status[n-1]
		if n > r.fated || st == Claimed || st == NotUnderstood && *old == Noise {
			*old = st
		}
	}
	r.fated = max(r.fated, l.Last())
}

func (r *router) line(l kd.Line) Status {
	if isExtraBlank(l) {
		return Noise
	}
	if l.Text == "" {
		r.cur.locks.Line(l)
		r.cur.threads.Line(l)
		r.cur.modules.Line(l)
		return Noise
	}
	if m, ok := collect.ParseMark(l.Text); ok {
		r.settle()
		r.echo = ""
		r.mark(m, l)
		return Claimed
	}
	if p, ok := parsePrompt(l.Text); ok {
		r.settle()
		// The prompt of a single target has no number: it is 0 once there are several.
		if p.system != r.system && (r.system != "" || p.system != "0") {
			r.otherTarget()
		}
		r.system = p.system
		r.prompt(p, l)
		return Claimed
	}
	echo := r.echo
	r.echo = ""
	if echo != "" && strings.EqualFold(l.Text, echo) {
		return Claimed
	}
	st := r.content(l)
	if r.section >= 0 && (st == Claimed || r.typed) {
		r.src.Sections[r.section].EndLine = l.Last()
	}
	return st
}

// otherTarget ends the session: what was typed before lets nothing run on of what
// follows.
func (r *router) otherTarget() {
	if r.letGo = (kd.Ref{}); r.cur.facts == 0 {
		r.attach()
		return
	}
	r.split()
}

// content routes a line that is neither blank nor a prompt.
func (r *router) content(l kd.Line) Status {
	if r.pending == resumed && isRefusal(l.Text) {
		r.pending = noDoubt
		return Noise
	}
	if opensTarget(l.Text) {
		if r.letGo = (kd.Ref{}); r.cur.facts == 0 {
			r.attach()
		}
	}
	known, change := r.cur.headerLine(l)
	if known && r.pending == resumed { // it is of the session that begins
		r.settle()
		_, change = r.cur.headerLine(l)
	}
	if known {
		r.cur.objects.Break()
		r.takeHeader(l, change)
		return Claimed
	}
	if strings.HasPrefix(l.Text, "Invalid thread @") {
		r.cur.threads.ContextRefused()
		return Noise
	}
	r.settle()
	if !r.checkWidth(l) {
		return NotUnderstood
	}
	if r.cur.modules.Line(l) {
		r.foreign()
		r.claim(r.cur.modules.Command(), l)
		return Claimed
	}
	if r.cur.threads.InStack() && !r.cur.locks.InWaiters() && beginsWithAddress(l.Text) && r.cur.threads.Line(l) {
		r.cur.modules.Break()
		r.claim("", l)
		return Claimed
	}
	if r.memory(l) || r.object(l) {
		r.cur.modules.Break()
		return Claimed
	}
	if r.cur.locks.Line(l) {
		r.cur.objects.Break()
		r.cur.modules.Break()
		if strings.Contains(l.Text, "!t ") {
			r.cur.threads.WinDERow(l)
		}
		r.claim("!locks", l)
		return Claimed
	}
	if r.cur.threads.Line(l) {
		r.cur.modules.Break()
		r.claim(r.threadCommand(l.Text), l)
		return Claimed
	}
	if r.analysis(l) {
		return Claimed
	}
	if refusesSymbols(l.Text) {
		if !r.cur.target.WrongSymbols.Known() {
			r.cur.target.WrongSymbols = l.All()
		}
		return Noise
	}
	if isNoise(l.Text) || isRegisters(l.Text) || r.describing(l) {
		return Noise
	}
	r.cur.objects.Break()
	r.cur.objects.Lost()
	r.cur.modules.Lost(l)
	return NotUnderstood
}

// foreign parts the output of the other readers by a line that is of none of
// them.
func (r *router) foreign() {
	r.cur.objects.Break()
	r.cur.locks.Line(kd.Line{})
	r.cur.threads.Line(kd.Line{})
}

// object gives a line to the reader of single objects. What it takes parts the
// output of the others.
func (r *router) object(l kd.Line) bool {
	if !r.cur.objects.Line(l) {
		return false
	}
	r.cur.locks.Line(kd.Line{})
	r.cur.threads.Line(kd.Line{})
	command := r.cur.objects.Command()
	r.sawUser = r.sawUser || sectionCommands[command] && !r.cur.target.KernelPrompt()
	r.claim(command, l)
	return true
}

// memory gives a line to the reader of what is printed of memory. What it takes
// parts the output of the others.
func (r *router) memory(l kd.Line) bool {
	if !r.cur.memory.Line(l) {
		return false
	}
	r.cur.objects.Break()
	r.cur.locks.Line(kd.Line{})
	r.cur.threads.Line(kd.Line{})
	r.claim(r.cur.memory.Command(), l)
	return true
}

// looksElsewhere reports whether a command changes the process whose user mode the
// debugger looks at: it says which, unless it fails.
func looksElsewhere(word, command string) bool {
	return resumes[word] || word == ".process" || word == ".context" || word == ".thread" && strings.Contains(command, "/p")
}

// sectionCommands print critical sections: what is seen of them is of user mode.
var sectionCommands = map[string]bool{"!cs": true, "!locks": true, "!critsec": true, "!ntsdexts.locks": true}

// beginsWithAddress reports whether a line may be a frame as well as an item of
// a waiter list.
func beginsWithAddress(text string) bool {
	c := kd.Cursor{Text: text}
	_, ok := kd.ParseFullAddr(c.Peek())
	return ok
}

// claim counts a fact and, where no prompt tells, opens a section named by its
// content.
func (r *router) claim(command string, l kd.Line) {
	if !strings.HasPrefix(l.Text, "Possible deadlock.") { // it comes before its break-in
		r.cur.facts++
	}
	if command != r.cur.memory.Command() {
		r.cur.memory.Break()
	}
	if r.typed {
		return
	}
	if command == "" && r.section >= 0 {
		return
	}
	if r.section < 0 || command != r.src.Sections[r.section].Command {
		if command == "" {
			command = "k"
		}
		r.open(command, l)
	}
}

// threadCommand names the command that a line begins the output of, "" if it
// goes on with what came before.
func (r *router) threadCommand(text string) string {
	switch {
	case r.cur.objects.Listing():
		return ""
	case strings.HasPrefix(text, "THREAD"):
		return "!thread"
	case strings.HasPrefix(text, "PROCESS"):
		return "!process"
	case strings.HasPrefix(text, "Proc.Thread"):
		return "!stacks"
	case strings.HasPrefix(text, "System Processors"), strings.HasPrefix(text, "Prcb"):
		return "!running"
	case strings.HasPrefix(text, "Processor "), strings.HasPrefix(text, "KSHARED_READY_QUEUE"):
		return "!ready"
	case strings.HasPrefix(text, "issue: "), strings.HasPrefix(text, "Deadlock "):
		return "!deadlock"
	case strings.HasPrefix(text, "Thread ") && strings.HasSuffix(text, "match"):
		return "!findstack"
	}
	return ""
}

func (r *router) open(command string, l kd.Line) {
	r.src.Sections = append(r.src.Sections, kd.Section{Command: command, Input: l.Input, Line: l.Num, EndLine: l.Last()})
	r.section = len(r.src.Sections) - 1
}

// prompt begins the section of a command.
func (r *router) prompt(p prompt, l kd.Line) {
	r.sawUser = r.sawUser || p.user
	r.endOutput()
	r.cur.modules.Prompt(p.user)
	if q, ok := modules.ParseCommand(p.command, true); ok && p.user {
		r.cur.modules.Typed(q)
	}
	_, r.typedMark = collect.Typed(p.command)
	r.typedMark = r.typedMark && strings.IndexByte(p.command, ';') < 0
	if p.local && p.command != "" && !r.cur.target.LiveAt.Known() {
		r.cur.target.LiveAt = l.All()
	}
	if !p.local && !p.user && p.command != "" && !r.cur.target.StoppedAt.Known() {
		r.cur.target.StoppedAt = l.All()
	}
	if m, ok := collect.ParseMark(p.command); ok { // input that was not typed is not echoed
		r.mark(m, l)
		return
	}
	if p.command == "" || p.user {
		r.cur.threads.Prompt(false)
		if p.user {
			r.cur.threads.UserPrompt(p.thread, p.command, l.All())
			if resumes[commandWord(p.command)] {
				r.pending = resumed
			}
			r.cur.objects.Typed(p.command, true, l.All())
		}
		r.section, r.typed = -1, true
		if sectionCommands[commandWord(p.command)] {
			r.open(p.command, l)
		}
		return
	}
	r.typed, r.echo = true, p.command
	loose, announced := false, ""
	for _, part := range strings.Split(p.command, ";") {
		if isComment(part) {
			break
		}
		part, _ = kd.TrimBlanks(part)
		if part != "" && part == announced { // its mark will tell where its output begins
			continue
		}
		loose = r.command(part, l) || loose
		announced = ""
		if m, ok := collect.Typed(part); ok && m.Known {
			announced = m.Command
		}
	}
	r.cur.threads.Prompt(loose)
	r.cur.threads.Typed(p.command, l.All())
	r.open(p.command, l)
}

// command takes note of what one command changes, and reports whether its
// output may have frames without column heads.
func (r *router) command(command string, l kd.Line) bool {
	word := commandWord(command)
	switch {
	case resumes[word]:
		r.pending, r.letGo = resumed, kd.Ref{}
		if !strings.HasPrefix(word, ".") {
			r.letGo = l.All()
		}
	case word == "!locks":
		r.cur.locks.Begin(l.All(), asksForAll(command))
	case word == "!irp":
		if addr, ok := addressOf(command); ok {
			r.cur.objects.Prompt(objects.Printed{Addr: addr, At: l.All()})
		}
	case word == "!analyze":
		r.reference = strings.Contains(command, "-show")
	case word == "dt" && strings.Contains(command, "_EX_PUSH_LOCK"):
		if addr, ok := addressOf(command); ok {
			r.cur.locks.PushLock(addr, l.All())
		}
	}
	if q, ok := modules.ParseCommand(command, false); ok {
		r.cur.modules.Typed(q)
	}
	r.cur.memory.Typed(command, l.All())
	r.cur.objects.Typed(command, false, l.All())
	if looksElsewhere(word, command) {
		r.cur.objects.ContextLost()
	}
	if printsFields(word) {
		r.cur.objects.PrintsFields(command, l.All())
	}
	switch word {
	case ".thread":
		if addr, ok := addressOf(command); ok {
			r.cur.threads.Context(addr, l.All(), true)
		}
	case ".cxr", ".tss":
		r.cur.threads.Context(0, kd.Ref{}, false)
	default:
		if strings.HasPrefix(word, "~") {
			r.cur.threads.Context(0, kd.Ref{}, false)
		}
	}
	return isStackCommand(word)
}

// takeHeader takes a line that a debugger prints about its target.
func (r *router) takeHeader(l kd.Line, change change) {
	r.header.add(r.cur, l, r.lastHead)
	switch change {
	case sameMoment:
		if r.pending == otherTime {
			r.pending = noDoubt
			r.cur.learn(r.otherTime)
		}
	case perhapsAnother:
		r.pending, r.otherTime, r.lastHead = otherTime, l, l.Last()
		return
	case another:
		r.another(l)
	}
	r.lastHead = l.Last()
	r.cur.learn(l)
}

// another begins the session that a header line tells of. What stood above it in
// the same header is of that, too.
func (r *router) another(l kd.Line) {
	old, header := r.cur.target, r.header
	sameBlock := r.lastHead > 0 && l.Num-r.lastHead <= 3 && !opensDump(l.Text)
	told := r.pending == otherTime
	r.pending = noDoubt
	if sameBlock || told {
		header.untell(r.cur)
	}
	switch {
	case r.cur.facts == 0:
		r.nextTarget()
	case isBreak(l.Text):
		r.splitRan(l.All())
	default:
		r.split()
	}
	if sameBlock {
		r.cur.target.Version, r.cur.target.Build, r.cur.target.Arch = old.Version, old.Build, old.Arch
		r.cur.target.BuildAt = old.BuildAt
	}
	if sameBlock || told {
		header.tell(r.cur)
	}
}

// settle ends the session if nothing has taken the end back.
func (r *router) settle() {
	old, header := r.pending, r.header
	r.pending = noDoubt
	if old == otherTime {
		header.untell(r.cur)
	}
	switch {
	case old == resumed && r.letGo.Known():
		r.splitRan(r.letGo)
	case old != noDoubt && r.cur.facts == 0:
		r.attach()
	case old != noDoubt:
		r.split()
	}
	if old == otherTime {
		header.tell(r.cur)
	}
}

// checkWidth starts another session when the width of kernel addresses
// changes: one machine has one. It reports false for a head line that was cut
// in its address.
func (r *router) checkWidth(l kd.Line) bool {
	w, last := headWidth(l.Text)
	if w == 0 {
		return true
	}
	if r.cur.width == 16 && w == 8 && last {
		if strings.HasPrefix(l.Text, "THREAD") {
			r.cur.threads.HeadLost()
		}
		return false
	}
	if r.cur.width != 0 && r.cur.width != w {
		r.split()
	}
	r.cur.width = w
	return true
}

// split ends the session and begins another if anything was read in it.
func (r *router) split() {
	if r.cur.facts == 0 {
		return
	}
	ended := r.cur
	r.cur = &session{}
	r.attach()
	r.carryRun(ended)
	r.endSession(ended)
	r.cur.threads.Prompt(!r.typed)
}

// splitRan is split where the machine ran on from a place.
func (r *router) splitRan(at kd.Ref) {
	number := r.cur.target.Attached
	if r.split(); r.cur.facts == 0 {
		r.cur.target.Attached, r.cur.target.LetGoAt = number, at
	}
}

// nextTarget begins another session where only the target of the one before was
// told.
func (r *router) nextTarget() {
	s := &rawSession{target: r.cur.target, id: r.cur.id}
	s.facts.threads.Load, s.facts.threads.Functions = r.loader.load, &r.functions
	r.raw = append(r.raw, s)
	r.cur.target, r.cur.id, r.cur.width, r.cur.stopAt, r.cur.breakAt = snapshot.Target{}, identity{}, 0, kd.Ref{}, kd.Ref{}
	r.attach()
	r.tellLive()
}

func (r *router) endSession(s *session) {
	f := facts{locks: s.locks.Done(), threads: s.threads.Done(), objects: s.objects.Done(), memory: s.memory.Done(), modules: s.modules.Done(), runs: s.runs, gaps: s.gaps}
	f.threads.Load, f.threads.Functions = r.loader.load, &r.functions
	r.raw = append(r.raw, &rawSession{target: s.target, id: s.id, facts: f})
}

// nothing explains why no session holds a fact.
func (r *router) nothing(inputs []Input) error {
	name := "input"
	total := int64(0)
	if len(inputs) == 1 {
		name = inputs[0].Name
	}
	for _, in := range inputs {
		total += in.Size
	}
	switch {
	case total == 0:
		return fmt.Errorf("%s: %w: it is empty", name, ErrNothing)
	case r.sawUser:
		return fmt.Errorf("%s: %w", name, ErrUserMode)
	case slices.ContainsFunc(r.raw, func(s *rawSession) bool { return s.target.WrongSymbols.Known() }):
		return fmt.Errorf("%s: %w", name, ErrWrongSymbols)
	}
	lines := 0
	for _, s := range r.out.Sources {
		lines += s.Lines()
	}
	long := ""
	if r.cutLine != "" {
		long = "; " + r.cutLine
	}
	return fmt.Errorf("%s: %w: none of its %d lines is output of !locks, !thread, !process, !stacks or k%s", name, ErrNothing, lines, long)
}
