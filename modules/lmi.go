package modules

import (
	"strings"

	"kdlocks/kd"
)

// lmiHead opens the output of !lmi:
//
//	Loaded Module Info: [00400000]
//	         Module: Prymes
//	   Base Address: 00400000
//	     Image Name: Prymes.exe
//	   Machine Type: 332 (I386)
//	     Time Stamp: 3c76c346 Fri Feb 22 14:16:38 2002
//	           Size: 2d000
func (r *Reader) lmiHead(l kd.Line) bool {
	r.end(false)
	r.open, r.command = lmiBlock, "!lmi"
	r.module = &Module{User: r.user}
	if i := strings.IndexByte(l.Text, '['); i >= 0 {
		if a, ok := kd.ParseFullAddr(strings.TrimRight(l.Text[i+1:], "] ")); ok {
			r.module.Asked = []kd.Addr{a}
		}
	}
	return true
}

// lmiWords are the words in front of a value of !lmi that say nothing we use.
var lmiWords = []string{"Machine Type:", "Characteristics:", "Debug Data Dirs:", "Image Type:", "Load Report:", "Compiler:", "Age:", "Pdb:", "Symbol File:", "Source:", "Linker:"}

// lmiLine reads a line of the block.
func (r *Reader) lmiLine(l kd.Line) bool {
	m := r.module
	c := kd.Cursor{Text: l.Text}
	switch {
	case c.Take("Module:"):
		v, _ := c.Rest()
		if m.Name = keep(v); Key(v) == "nt" {
			m.Name = "nt" // !lmi prints the name of the file
		}
	case c.Take("Base Address:"):
		w, at := c.Word()
		a, ok := kd.ParseAddr(w)
		if !ok || m.At.Known() {
			return ok
		}
		m.Base, m.At = a, l.Ref(at, len(w))
		r.out.Modules = append(r.out.Modules, m)
	case c.Take("Image Name:"):
		v, _ := c.Rest()
		m.file(v)
	case c.Take("Time Stamp:"):
		v, at := c.Rest()
		m.stamp(l, v, at)
	case c.Take("Size:"):
		v, at := c.Rest()
		if m.ImageSize = hexNumber(l, v, at); m.ImageSize.Known() && m.At.Known() && m.End == 0 && m.ImageSize.N <= 1<<32 {
			m.End = m.Base + kd.Addr(m.ImageSize.N)
		}
	case c.Take("CheckSum:"):
		v, at := c.Rest()
		m.CheckSum = hexNumber(l, v, at)
	case c.Take("Symbol Type:"):
		v, _ := c.Rest()
		m.SymbolStatus = keep(strings.ToLower(firstWord(v)) + " symbols")
		if firstWord(v) == "DEFERRED" || firstWord(v) == "NONE" {
			m.SymbolStatus = map[string]string{"DEFERRED": "deferred", "NONE": "no symbols"}[firstWord(v)]
		}
	default:
		return r.lmiOther(l)
	}
	return true
}

func firstWord(s string) string {
	c := kd.Cursor{Text: s}
	w, _ := c.Word()
	return w
}

// lmiOther reads what is not kept of the block: the debug directories, of which
// one tells that the build is reproducible, and files of symbols.
//
//	CODEVIEW    25, 11e03c,  11d83c RSDS - GUID: {684DA42A-30CC-450F-81C5-35B4D18944B1}
//	Age: 2, Pdb: ntkrpamp.pdb
//	C:\sym\ntkrpamp.pdb\684DA42A30CC450F81C535B4D18944B12\ntkrpamp.pdb
func (r *Reader) lmiOther(l kd.Line) bool {
	for _, w := range lmiWords {
		if strings.HasPrefix(l.Text, w) {
			return true
		}
	}
	c := kd.Cursor{Text: l.Text}
	w, _ := c.Word()
	size, _ := c.Word()
	if n, ok := strings.CutSuffix(size, ","); ok && kd.AddrDigits(n) > 0 && w == strings.ToUpper(w) {
		r.module.Repro = r.module.Repro || w == "REPRO"
		return true
	}
	switch {
	case len(l.Text) > 3 && l.Text[1] == ':' && l.Text[2] == '\\', strings.HasPrefix(l.Text, `\\`):
		return true
	case size == "not" && strings.HasSuffix(l.Text, " not found"):
		return true
	}
	return false
}
