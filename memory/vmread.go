package memory

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kdlocks/kd"
)

// Bounds on what is kept of one session and of one output.
const (
	mostListings  = 1000
	mostCounters  = 200
	mostProcesses = 2000
	mostPageFiles = 32
	mostBanners   = 64
)

// vmHead opens the output of !vm, whose first lines are, by the version of the
// debugger:
//
//	*** Virtual Memory Usage ***
//	Page File: \??\C:\pagefile.sys
//	Physical Memory:      851420 (   3405680 Kb)
func (r *Reader) vmHead(l kd.Line) bool {
	switch {
	case !slices.ContainsFunc(vmBeginnings, func(p string) bool { return strings.HasPrefix(l.Text, p) }):
		return false
	case strings.Trim(l.Text, "* ") == "Virtual Memory Usage":
		r.newVM(l)
		return true
	case l.Text[0] == 'T':
		if r.vm == nil {
			r.newVM(l)
		}
		return r.sessionLine(l)
	}
	if name, ok := pageFile(l.Text); ok {
		if r.vm == nil || r.afterPageFiles() {
			r.newVM(l)
		}
		r.pageFile(name, l)
		return true
	}
	name, at := counterName(l.Text, 0)
	if opensVM[squeezed(name)] == "" {
		return false
	}
	c, end, ok := readCounter(name, at, "Kb", l)
	if !ok || !c.Pages.Known() && end < len(l.Text) {
		return false
	}
	if r.vm == nil || r.vm.Counter(c.Name) != nil {
		r.newVM(l)
	}
	r.counter(c, l)
	r.behindCounter(end, l)
	return true
}

// behindCounter reads the counters behind the first of a line in which several
// were run together. Other than those, a remark may stand there.
func (r *Reader) behindCounter(at int, l kd.Line) {
	for at < len(l.Text) {
		name, begin := counterName(l.Text, at)
		c, end, ok := readCounter(name, begin, "Kb", l)
		if name == "" || !ok {
			if hasKb(l.Text[at:]) {
				r.note(l.Ref(at, len(l.Text)-at), "!vm: several lines were run together: %q is not read", kd.Clip(l.Text[at:]))
			}
			return
		}
		r.counter(c, l)
		at = end
	}
}

// afterPageFiles reports whether the output that is open has come to counters
// that are printed behind those of the paging files.
func (r *Reader) afterPageFiles() bool {
	n := len(r.vm.Counters)
	return n > 1 || n == 1 && r.vm.Counters[0].Name != PhysicalMemory
}

// vmBeginnings are how the lines begin by which the output is known.
var vmBeginnings = []string{
	"*** Virtual", "Virtual Memory Usage", "Terminal Server Memory Usage By Session:", "Page File:", "No Name for Paging File", "Physical Memory:", "Available Pages:", "ResAvail Pages:",
	"Locked IO Pages:", "Free System PTEs:", "Modified Pages:", "NonPagedPool", "NonPaged Pool", "Non Paged", "PagedPool ", "Paged Pool", "Committed pages:", "Commit limit:",
}

// opensVM are the counters by which the output is known where its beginning was
// left out, under their names squeezed.
var opensVM = func() map[string]string {
	m := make(map[string]string)
	for _, name := range []string{PhysicalMemory, AvailablePages, "ResAvail Pages", "Locked IO Pages", FreeSystemPTEs, "Modified Pages", NonPagedPoolUsage, NonPagedPoolNxUsage,
		NonPagedPoolMax, PagedPoolUsage, PagedPoolMaximum, CommittedPages, CommitLimit} {
		m[squeezed(name)] = name
	}
	return m
}()

// squeezed returns a name in lower case, without blanks: somebody may have put some in.
func squeezed(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "")) }

func (r *Reader) newVM(l kd.Line) {
	r.close()
	r.open, r.vm = vmBlock, &VM{Command: r.typedVM, At: l.All()}
	r.typedVM = ""
	list := r.listing()
	if i := len(list.VMs) / 2; len(list.VMs) >= mostListings { // the last one is judged
		list.VMs = slices.Delete(list.VMs, i, i+1)
		r.leftOut(l.All(), "outputs of !vm")
	}
	list.VMs = append(list.VMs, r.vm)
}

// vmLine reads the lines below the head.
func (r *Reader) vmLine(l kd.Line) bool {
	if strings.IndexByte("*CNPST", l.Text[0]) >= 0 && r.sessionLine(l) {
		return true
	}
	if l.Text[0] == '*' {
		return r.banner(l)
	}
	if strings.HasPrefix(l.Text, "Current:") || strings.HasPrefix(l.Text, "Minimum:") {
		return r.pageFileSizes(l)
	}
	if name, at := counterName(l.Text, 0); name != "" {
		if c, end, ok := readCounter(name, at, "Kb", l); ok {
			r.counter(c, l)
			r.behindCounter(end, l)
			return true
		}
		return r.printedPercent(name, at, l)
	}
	return r.processRow(l) || strings.HasPrefix(l.Text, "Unimplemented error for ") || strings.HasPrefix(l.Text, "Syspart SharedCommit ") || isProcessHead(l.Text)
}

func (r *Reader) counter(c Counter, l kd.Line) {
	if r.vm.EndLine = max(r.vm.EndLine, l.Last()); len(r.vm.Counters) >= mostCounters {
		r.left(c.At, "counters of !vm")
		return
	}
	if r.vm.Counter(c.Name) != nil {
		r.note(c.At, "!vm prints %s twice: the first is used", c.Name)
	}
	c.Name = strings.Clone(c.Name)
	if !c.Pages.Known() && !c.Kb.Known() {
		r.note(c.At, "!vm: %s has more pages than can be: they are unknown", c.Name)
	}
	if c.Torn {
		r.note(c.At, "!vm: %s has %d pages and %d Kb, which are not of one size: it is not used", c.Name, c.Pages.N, c.Kb.N)
	}
	r.vm.Counters = append(r.vm.Counters, c)
}

// counterName returns what stands from a byte on before the colon, with one blank
// between its words, and where the rest begins; "" if that is no name.
func counterName(line string, from int) (string, int) {
	const longest = 48
	text, front := kd.TrimBlanks(line[from:])
	i := strings.IndexByte(text[:min(len(text), longest)], ':')
	if i <= 0 || !letter(text[0]) {
		return "", 0
	}
	name := text[:i]
	for j := range i {
		if c := name[j]; !letter(c) && (c < '0' || c > '9') && !strings.ContainsRune(" \t/-_.&", rune(c)) {
			return "", 0
		}
	}
	if strings.Contains(name, "  ") || strings.IndexByte(name, '\t') >= 0 || name[i-1] == ' ' {
		name = strings.Join(strings.Fields(name), " ")
	}
	return name, from + front + i + 1
}

// mostDigits is how many digits a number below zero has as a debugger prints it, which
// takes all 64 bits for digits.
const mostDigits = 20

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// readCounter reads what stands behind the name of a counter, and returns where
// that ends:
//
//	NonPagedPool Usage:    877   (    3508 Kb)
func readCounter(name string, at int, unit string, l kd.Line) (c Counter, end int, ok bool) {
	w := words{l, at}
	c = Counter{Name: name, At: l.All()}
	known := opensVM[squeezed(name)]
	if known != "" && unit == "Kb" && !strings.EqualFold(known, name) {
		c.Name = known
	}
	if c.Pages, c.Kb, ok = w.grouped(unit, known != ""); ok {
		return c, w.pos, true
	}
	first, readable := w.number(false)
	below := false
	if !readable || !w.take("(") {
		// One of the numbers may be unreadable, the form may not; or both are beyond 63 bits.
		w.pos = at
		bad, _ := w.word()
		below = len(bad) == mostDigits && plainDigits(bad) == mostDigits
		if bad == "" || plainDigits(bad) == 0 || !w.take("(") {
			return c, 0, false
		}
		first = Number{}
	}
	c.Pages = first
	c.Kb, readable = w.number(false)
	if !readable {
		if bad, _ := w.word(); plainDigits(bad) == 0 {
			return c, 0, false
		}
	}
	if !w.unit(unit, known != "") || !w.take(")") || !c.Pages.Known() && !c.Kb.Known() && !below {
		return c, 0, false
	}
	c.Torn = c.Pages.Known() && c.Kb.Known() && !sameSize(c.Pages.N, c.Kb.N)
	return c, w.pos, true
}

// unit moves over Kb in the letters of a command, or in other letters where those are not of
// another command, or the counter is one that only this one prints.
func (w *words) unit(unit string, known bool) bool {
	was := w.pos
	w.blanks()
	if rest := w.Text[w.pos:]; kd.HasPrefixFold(rest, unit) {
		if has := rest[:len(unit)]; has == unit || unit == "Kb" && known || has != "Kb" && has != "kb" {
			w.pos += len(unit)
			return true
		}
	}
	w.pos = was
	return false
}

// hasKb reports whether a unit of a counter stands in a text.
func hasKb(text string) bool { return strings.Contains(text, "Kb") || strings.Contains(text, "KB") }

// grouped reads both numbers of a counter where blanks stand between each three digits. They
// are believed only if they are of one size. It does not move if they are no such numbers.
//
//	NonPagedPool Usage:  31 369 ( 125 476 Kb)
func (w *words) grouped(unit string, known bool) (pages, kb Number, ok bool) {
	was := w.pos
	pages, some := w.groups()
	if !w.take("(") {
		some = false
	}
	if some {
		kb, ok = w.groups()
	}
	if ok = ok && w.unit(unit, known) && w.take(")") && sameSize(pages.N, kb.N); !ok {
		w.pos = was
		return Number{}, Number{}, false
	}
	return pages, kb, true
}

// groups moves over a number that may have one blank between each three digits.
func (w *words) groups() (Number, bool) {
	w.blanks()
	start, end := w.pos, w.pos+plainDigits(w.Text[w.pos:])
	for first := end - start; first >= 1 && first <= 3; {
		rest := w.Text[end:]
		blank := 0
		for _, b := range []string{" ", "\u00a0", "\u202f"} {
			if strings.HasPrefix(rest, b) {
				blank = len(b)
			}
		}
		if blank == 0 || plainDigits(rest[blank:]) != 3 {
			break
		}
		end += blank + 3
	}
	v, ok := count(w.Text[start:end])
	if w.pos = end; !ok {
		return Number{}, false
	}
	return Number{v, w.Ref(start, end-start)}, true
}

// sameSize reports whether a number of pages is a number of Kb. Pages have 4 Kb,
// or 8 on Itanium; a 32-bit debugger loses what is beyond 32 bits of the product.
func sameSize(pages, kb int64) bool {
	for _, size := range []int64{4, 8} {
		if pages <= 1<<59 && (pages*size == kb || kb < 1<<32 && pages*size&(1<<32-1) == kb) {
			return true
		}
	}
	return false
}

// pageFile reads the line that names a paging file.
//
//	Page File: \??\C:\pagefile.sys
//	No Name for Paging File
func pageFile(text string) (name string, ok bool) {
	if text == "No Name for Paging File" {
		return "", true
	}
	name, ok = strings.CutPrefix(text, "Page File:")
	name, _, _ = strings.Cut(name, " Current:") // run together
	name, _ = kd.TrimBlanks(name)
	// Markdown takes the backslash off: ??\C:\pagefile.sys
	return name, ok && (strings.HasPrefix(name, `\`) || strings.HasPrefix(name, "??"))
}

func (r *Reader) pageFile(name string, l kd.Line) {
	r.vm.EndLine = max(r.vm.EndLine, l.Last())
	if len(r.vm.PageFiles) >= mostPageFiles {
		r.left(l.All(), "paging files")
		return
	}
	r.vm.PageFiles = append(r.vm.PageFiles, PageFile{Name: strings.Clone(name), At: l.All()})
}

// pageFileSizes reads
//
//	Current:   3584000 Kb  Free Space:   3568552 Kb
//	Minimum:     98304Kb Maximum:       196608Kb
func (r *Reader) pageFileSizes(l kd.Line) bool {
	n := len(r.vm.PageFiles)
	if n == 0 {
		return false
	}
	f, w := &r.vm.PageFiles[n-1], words{l, 0}
	a, b := &f.Current, &f.Free
	name := "Free Space:"
	if w.Text[0] == 'M' {
		a, b, name = &f.Minimum, &f.Maximum, "Maximum:"
	}
	w.pos = strings.IndexByte(l.Text, ':') + 1
	x, ok := w.number(false)
	if !ok || !w.take("Kb") {
		return false
	}
	if *a, r.vm.EndLine = x, max(r.vm.EndLine, l.Last()); w.take(name) {
		if y, ok := w.number(false); ok && w.take("Kb") {
			*b = y
		}
	}
	return true
}

// banner reads a warning, and the count in it:
//
//	********** Excessive NonPaged Pool Usage *****
//	********** 3 pool allocations have failed **********
func (r *Reader) banner(l kd.Line) bool {
	text := strings.TrimRight(strings.Trim(l.Text, "* "), ".")
	stars := len(l.Text) - len(strings.TrimLeft(l.Text, "*"))
	if text == "" || strings.ContainsAny(text, "*(:") || (stars < 5 || !strings.HasSuffix(l.Text, "*")) && !saysFailed(text) {
		return false
	}
	r.vm.EndLine = max(r.vm.EndLine, l.Last())
	if len(r.vm.Banners) >= mostBanners {
		r.left(l.All(), "warnings of !vm")
		return true
	}
	r.vm.Banners = append(r.vm.Banners, Banner{strings.Clone(text), l.All()})
	w := words{l, stars}
	n, ok := w.number(false)
	if !ok {
		return true
	}
	what := strings.Trim(w.rest(), "* ")
	for _, end := range []string{" have failed", " has failed", ""} { // the end of the line may be cut
		if s, ok := strings.CutSuffix(what, end); ok && (end != "" || strings.HasSuffix(what, " allocations")) {
			r.vm.Failures = append(r.vm.Failures, Failure{strings.Clone(s), n})
			break
		}
	}
	return true
}

// saysFailed reports whether a warning counts allocations, also where its asterisks or its
// end are cut off.
func saysFailed(text string) bool {
	n := plainDigits(text)
	rest, _ := kd.TrimBlanks(text[n:])
	return n > 0 && rest != "" && (strings.Contains(rest, "allocation") || strings.HasSuffix(rest, " failed"))
}

// printedPercent reads
//
//	NonPaged Pool Usage :  85%
func (r *Reader) printedPercent(name string, at int, l kd.Line) bool {
	w := words{l, at}
	n, ok := w.number(false)
	if !ok || !w.take("%") || w.rest() != "" || !strings.EqualFold(name, "NonPaged Pool Usage") {
		return false
	}
	r.vm.Percent, r.vm.EndLine = n, max(r.vm.EndLine, l.Last())
	return true
}

// isProcessHead reports whether a line heads the rows of processes on Windows 10.
func isProcessHead(text string) bool {
	c := kd.Cursor{Text: text}
	return c.Take("Pid ImageName Commit")
}

// processRow reads the row of a process as debuggers of Windows XP and of Windows
// 10 print it:
//
//	0be8 outlook.exe      14526 (     58104 Kb)
//	ddc svchost.exe                     1296 Kb        1996 Kb        0 Kb
func (r *Reader) processRow(l kd.Line) bool {
	w := words{l, 0}
	pid, _ := w.word()
	id, err := strconv.ParseUint(pid, 16, 32)
	image, from := w.word()
	for next, end := w.word(); next != "" && plainDigits(next) == 0 && len(image) < 64; next, end = w.word() {
		image = w.Text[from : end+len(next)] // of words: "Memory Compression"
	}
	w.pos = from + len(image)
	if err != nil || image == "" || !w.blanksThenNumber() {
		return false
	}
	p := ProcessCommit{PID: id, Image: image, Commit: Counter{Name: image, At: l.All()}}
	at := w.pos
	n, _ := w.number(false)
	switch {
	case w.take("("):
		c, end, ok := readCounter(image, at, "Kb", l)
		if !ok || end < len(l.Text) {
			return false
		}
		p.Commit = c
	case w.take("Kb"):
		p.Commit.Kb = n
		for _, into := range []*Number{&p.Shared, &p.Debt} {
			if m, ok := w.number(false); ok && w.take("Kb") {
				*into = m
			}
		}
		if w.rest() != "" {
			return false
		}
	default:
		return false
	}
	p.Image = strings.Clone(image)
	p.Commit.Name = p.Image
	if r.vm.EndLine = max(r.vm.EndLine, l.Last()); len(r.vm.Processes) >= mostProcesses {
		r.vm.Dropped++
		return true
	}
	r.vm.Processes = append(r.vm.Processes, p)
	return true
}

// blanksThenNumber reports whether blanks and a digit come next.
func (w *words) blanksThenNumber() bool {
	n := w.blanks()
	return n > 0 && plainDigits(w.Text[w.pos:]) > 0
}

// closeVM notes what cannot be true.
func (r *Reader) closeVM() {
	v := r.vm
	if v == nil {
		return
	}
	for _, name := range resident {
		if v.OverRAM(name) == Yes {
			r.note(v.Counter(name).At, "!vm: %s is %d pages, more than the %d pages of physical memory: the counter cannot be true", name, v.Pages(name).N, v.Pages(PhysicalMemory).N)
		}
	}
	empty := len(v.Counters)+len(v.PageFiles)+len(v.Processes)+len(v.Sessions) == 0
	if n := len(r.listing().VMs); empty && n > 0 && r.listing().VMs[n-1] == v {
		r.listing().VMs = r.listing().VMs[:n-1]
	}
	if v.Dropped > 0 {
		r.note(v.At, "!vm: %s beyond the first %d are left out", kd.Plural(v.Dropped, "process row"), mostProcesses)
	}
	r.vm = nil
}

func (r *Reader) note(at kd.Ref, format string, args ...any) {
	if len(r.listing().Notes) < mostNotes {
		r.listing().Notes = append(r.listing().Notes, kd.Note{At: at, Text: fmt.Sprintf(format, args...)})
	}
}
