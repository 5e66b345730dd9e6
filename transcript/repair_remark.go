package transcript

import (
	"strings"

	"kdlocks/kd"
	"kdlocks/locks"
)

// remarkSigns are what authors put before their notes.
// The sharp s is what pages make of the arrow of the font Wingdings.
var remarkSigns = []string{"<<", "<--", "<==", "//", "; ", "\u00df ", "\u2190"}

// remark takes an author's note off a line that is whole without it. What may
// hide lines of !locks stays, so that their reader sees it.
func (r *Repair) remark(w *row) {
	if w.class == blankLine || w.class == promptLine {
		return
	}
	at := remarkAt(w.text, func(before string) bool { return w.class != other && r.shape(before) == whole || readable(before) })
	if at < 0 {
		return
	}
	before, remark := w.text[:at], w.text[at:]
	listed := r.list != noList && w.class == address
	switch {
	case kd.SaysLeftOut(remark) && (strings.HasPrefix(before, "Threads:") || listed && r.list == ownerList):
		return // the list lacks owners, which its reader must see
	case locks.LinesIn(remark) != 0 && (listed || locks.LinesIn(before) != 0 || strings.HasPrefix(before, "Resource @")):
		return
	}
	w.text, _ = kd.TrimBlanks(before)
	w.fixes |= fixedRemark
}

// remarkAt returns where an author's note begins behind a whole line, -1 if
// none does.
func remarkAt(text string, isWhole func(string) bool) int {
	if strings.IndexByte(text, '<') < 0 && strings.IndexByte(text, '/') < 0 && strings.IndexByte(text, ';') < 0 && strings.IndexByte(text, 0x9f) < 0 && strings.IndexByte(text, 0x86) < 0 {
		return -1
	}
	for _, s := range remarkSigns {
		at := strings.Index(text, " "+s)
		if at <= 0 {
			continue
		}
		before, _ := kd.TrimBlanks(text[:at])
		if before != "" && !strings.HasSuffix(before, "operator") && isWhole(before) {
			return at
		}
	}
	return -1
}

// nextBehindRemark returns where a line begins that an author's note swallowed
// with the line break before it, -1 if none does. A note may mention lines, so
// what begins must be whole and stand behind blanks as the debugger indents it.
func (r *Repair) nextBehindRemark(text string) int {
	const most = 16 // places that are looked at
	at := remarkAt(text, r.wholeBefore)
	if at < 0 {
		return -1
	}
	r.catchUp()
	list, width, block, table := r.list, r.width, r.block, r.table
	defer func() { r.list, r.width, r.block, r.table = list, width, block, table }()
	r.observe(text, classify(text))
	for range most {
		next := indentIn(text[at:])
		if next < 0 {
			return -1
		}
		at += next
		rest, blanks := kd.TrimBlanks(text[at:])
		if at += blanks; rest == "" {
			return -1
		}
		if r.wholeFrom(rest) {
			return at
		}
	}
	return -1
}

// indentIn returns where in a text the blanks begin that the debugger puts in
// front of the lines of a block, or the tab that a page made of them, -1 if
// there are none.
func indentIn(text string) int {
	at, tab := strings.Index(text, "    "), strings.IndexByte(text, '\t')
	if at < 0 || tab >= 0 && tab < at {
		return tab
	}
	return at
}

// wholeFrom reports whether a text begins with a whole line, up to the next one
// or an author's note.
func (r *Repair) wholeFrom(text string) bool {
	if c := classify(text); c != keyword && c != address {
		return false
	}
	for _, s := range remarkSigns {
		if at := strings.Index(text, " "+s); at >= 0 {
			text = text[:at]
		}
	}
	return r.wholeBefore(text) || r.nextLine(text) > 0
}
