package report

import (
	"io"
	"strconv"
	"strings"
)

// DumpInfo is what a crash dump is, without its locks and threads.
type DumpInfo struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	Dump
	Processors int       `json:"processors"`
	Taken      string    `json:"taken,omitempty"` // RFC 3339, in UTC
	Uptime     string    `json:"uptime,omitempty"`
	Bugcheck   *Bugcheck `json:"bugcheck,omitempty"`
	Gaps       []Gap     `json:"gaps"`
	Notes      []string  `json:"notes,omitempty"`
}

// WriteDumps prints what dumps are as tables, JSON or Markdown.
func WriteDumps(w io.Writer, list []DumpInfo, format string, s Style) error {
	t := &table{columns: []column{{head: "Dump"}, {head: "What", prose: true}}}
	for i := range list {
		d := &list[i]
		row := func(what, value string) {
			if value != "" {
				t.add(what, value)
			}
		}
		row("File", d.Name)
		row("Type", d.Type+" of "+d.Machine+", build "+strconv.Itoa(d.Build)+", "+strconv.Itoa(d.Processors)+" processors")
		row("Taken", d.Taken)
		row("Uptime", d.Uptime)
		if d.Bugcheck != nil {
			row("Bugcheck", d.Bugcheck.Code+" ("+strings.Join(d.Bugcheck.Args, ", ")+")")
		}
		if d.Pages > 0 {
			row("Pages", strconv.FormatInt(d.Pages, 10)+" of 4 KiB")
		}
		row("Modules", strconv.Itoa(d.Modules))
		row("Symbols of nt", d.symbols())
		row("Layout", orDash(d.Layout))
		for _, g := range d.Gaps {
			row("Missing", g.sentence())
		}
		for _, n := range d.Notes {
			row("Note", n)
		}
	}
	return writeTable(w, t, list, format, s)
}

func (d *DumpInfo) symbols() string {
	switch {
	case d.Symbols == "":
		return ""
	case d.SymbolsRead:
		return d.Symbols + ", read"
	}
	return d.Symbols + ", not given (--symbols)"
}
