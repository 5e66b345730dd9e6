package memory

import (
	"strings"

	"kdlocks/kd"
)

// PageUse is a row of !memusage: what pages are used for, in Kb. A number is unknown
// where dashes stand for it.
type PageUse struct {
	// Name is as printed: "mapped_file( ntdll.dll )", "process ( System )", "Total" for
	// the row that sums up.
	Name string
	// Control is the control area of a file, 0 for other uses.
	Control                                           kd.Addr
	Valid, Standby, Dirty, Shared, Locked, PageTables Number
	At                                                kd.Ref
}

// mostUses bounds the rows that are kept of one output.
const mostUses = 5000

// pageUse reads a row below the heads of columns (Microsoft Learn: !ca; public captures):
//
//	Usage Summary (in Kb):
//	Control Valid Standby Dirty Shared Locked PageTables  name
//	ff8636e8    56    376     0     0     0     0  mapped_file( browseui.dll )
//	-------- 136024 ----- ----- ----- -----  4208  process ( System )
//	Summary    612444  340112  8122  90222  8804  12044  Total
func (r *Reader) pageUse(l kd.Line) bool {
	c := kd.Cursor{Text: l.Text}
	if c.Take("Usage Summary") || c.Take("Control Valid Standby Dirty Shared Locked PageTables name") {
		return true
	}
	first, at := c.Word()
	u := PageUse{At: l.Ref(at, len(first))}
	switch a, ok := kd.ParseAddr(first); {
	case ok && len(first) >= 8:
		u.Control = a
	case first != "Summary" && (first == "" || strings.Trim(first, "-") != ""):
		return false
	}
	w := words{l, c.Pos}
	known := 0
	for _, into := range []*Number{&u.Valid, &u.Standby, &u.Dirty, &u.Shared, &u.Locked, &u.PageTables} {
		if n, ok := w.number(false); ok {
			*into, known = n, known+1
			continue
		}
		if dashes, _ := w.word(); dashes == "" || strings.Trim(dashes, "-") != "" {
			break
		}
	}
	u.Name = w.rest()
	if known == 0 || u.Name == "" || '0' <= u.Name[0] && u.Name[0] <= '9' {
		return false
	}
	if len(r.counts.Uses) >= mostUses {
		r.counts.Dropped++
		r.left(u.At, "rows of !memusage")
		return true
	}
	u.Name = strings.Clone(u.Name)
	r.counts.Uses = append(r.counts.Uses, u)
	return true
}
