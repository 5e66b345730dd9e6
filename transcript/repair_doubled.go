package transcript

import (
	"strings"

	"kdlocks/kd"
)

// A mail program may end each line twice, so that every second line is blank.
// Those are taken out where a run of lines proves it: more than once, what
// debuggers never print a blank line between stands apart in it.

// leastApart is how many lines must stand apart from the one before.
const leastApart = 2

// extraBlank marks the line that is given out in the place of one that was
// taken out: it says nothing.
var extraBlank = kd.Origin{Pieces: make([]kd.Piece, 1)}

func isExtraBlank(l kd.Line) bool { return l.Origin == &extraBlank }

func (r *Repair) extraLine(num int32) kd.Line {
	return kd.Line{Input: r.input, Num: num, Origin: &extraBlank}
}

// undouble takes the extra blank lines out of the rows that came new and
// returns the rows that are left.
func (r *Repair) undouble(rows []row, emit func(kd.Line)) []row {
	out := rows[:r.ready]
	for i := r.ready; i < len(rows); {
		if r.blankDue == 0 && len(out) == i && rows[i].text != "" && (i+1 == len(rows) || rows[i+1].text != "") {
			out = rows[:i+1]
			i++
			continue
		}
		n, doubled := r.doubledRun(rows[i:])
		for _, w := range rows[i : i+n] {
			switch {
			case doubled && w.num == r.blankDue:
				r.takeOut(out, &w, emit)
				r.blankDue = w.num + 2
				continue
			case doubled:
				r.blankDue = w.num + 1
			case w.hollow && len(out) > 0 && out[len(out)-1].extra == 0:
				out[len(out)-1].extra = int32(len(w.raw)) + 1
				continue
			}
			out = append(out, w)
		}
		i += n
	}
	return out
}

// takeOut leaves a row out of those before it.
func (r *Repair) takeOut(before []row, w *row, emit func(kd.Line)) {
	if len(before) == 0 {
		emit(r.extraLine(w.num)) // the line before it is out already
		return
	}
	last := &before[len(before)-1]
	last.extra = int32(len(w.raw)) + 1
	last.fixes |= fixedDoubled
}

// doubledRun returns how many rows, of which there is one at least, belong
// together, and whether every second of them is an extra blank line.
func (r *Repair) doubledRun(rows []row) (n int, doubled bool) {
	first := &rows[0]
	due := r.blankDue
	doubled = due != 0 && (first.num == due && first.text == "" || first.num == due-1)
	if !doubled {
		r.blankDue = 0
		if first.text == "" || len(rows) == 1 || rows[1].text != "" || rows[1].hollow {
			return 1, false
		}
		due = first.num + 1
	}
	apart, last := 0, ""
	for n < len(rows) {
		w := &rows[n]
		isDue := (w.num-due)&1 == 0
		if isDue && w.text != "" {
			break
		}
		if !isDue {
			if !doubled && apart < leastApart && neverApart(last, w.text) {
				apart++
			}
			last = w.text
		}
		n++
	}
	return n, doubled || apart >= leastApart
}

// neverApart reports whether debuggers print b right below a, as far as their
// beginnings tell.
func neverApart(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	switch lower(b[0]) {
	case 'c', 'n', 't':
		if kd.HasPrefixFold(b, "Contention Count") || kd.HasPrefixFold(b, "NumberOf") || kd.HasPrefixFold(b, "Threads:") {
			return kd.HasPrefixFold(a, "Resource @") || kd.HasPrefixFold(a, "Contention Count") || kd.HasPrefixFold(a, "NumberOf")
		}
	}
	switch classify(a) {
	case frameLine:
		return classify(b) == frameLine || strings.IndexByte(a, '!') < 0 && strings.IndexByte(b, '!') >= 0
	case symbol:
		return classify(b) == symbol
	case keyword:
		if strings.HasPrefix(a, "THREAD ") {
			return inBlock(b) || classify(b) == address && fitForms(b) == whole || fitForms(a) == cut && (fitForms(a+b) == whole || fitForms(a+" "+b) == whole)
		}
		return inBlock(a) && inBlock(b)
	}
	return false
}

// blockLines begin the lines of a THREAD block that stand below its wait list.
var blockLines = []string{"Not impersonating", "Impersonation token", "DeviceMap ", "Owning Process ", "Attached Process ", "Wait Start TickCount ",
	"Context Switch Count ", "UserTime", "KernelTime", "Win32 Start Address ", "Start Address ", "Stack Init ", "Base ", "Priority "}

func inBlock(text string) bool {
	for _, b := range blockLines {
		if kd.HasPrefixFold(text, b) {
			return true
		}
	}
	return false
}
