package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"kdlocks/kd"
	"kdlocks/modules"
	"kdlocks/snapshot"
)

// Module is one loaded or unloaded image. End is exclusive.
type Module struct {
	Name     string `json:"name,omitempty"` // absent for an unloaded one, of which only the file is known
	Session  int    `json:"session,omitempty"`
	Base     string `json:"base,omitempty"`
	End      string `json:"end,omitempty"`
	Unloaded bool   `json:"unloaded,omitempty"`
	UserMode bool   `json:"user_mode,omitempty"` // listed by a user-mode debugger
	Image    string `json:"image,omitempty"`
	Path     string `json:"path,omitempty"`

	SymbolStatus string `json:"symbol_status,omitempty"`
	SymbolMarks  string `json:"symbol_marks,omitempty"`
	SymbolFile   string `json:"symbol_file,omitempty"`
	MappedFile   string `json:"mapped_file,omitempty"`

	// Timestamp is as printed, TimeWord the number in the image's header: with
	// Reproducible it is a hash and no time.
	Timestamp    string `json:"timestamp,omitempty"`
	TimeWord     string `json:"time_word,omitempty"`
	Reproducible bool   `json:"reproducible,omitempty"`
	CheckSum     string `json:"checksum,omitempty"`
	ImageSize    string `json:"image_size,omitempty"`

	FileVersion        string `json:"file_version,omitempty"`
	ProductVersion     string `json:"product_version,omitempty"`
	FileVersionText    string `json:"file_version_text,omitempty"`
	ProductVersionText string `json:"product_version_text,omitempty"`
	CompanyName        string `json:"company,omitempty"`
	ProductName        string `json:"product,omitempty"`
	FileDescription    string `json:"description,omitempty"`
	InternalName       string `json:"internal_name,omitempty"`
	OriginalFilename   string `json:"original_filename,omitempty"`
	Conflict           string `json:"conflict,omitempty"` // what prints of it disagree on
	At                 At     `json:"at"`
}

// ModuleList is one list of loaded modules. A module that a Whole list lacks,
// and that it would have, is not loaded.
type ModuleList struct {
	Command  string `json:"command,omitempty"` // absent if it is not known
	Session  int    `json:"session,omitempty"`
	Kernel   bool   `json:"kernel"`
	User     bool   `json:"user"`
	Pattern  string `json:"pattern,omitempty"`
	Filtered bool   `json:"filtered,omitempty"`
	Whole    bool   `json:"whole"`
	At       At     `json:"at"`
}

// moduleLists adds the modules of a session and the lists that they stood in.
func (b *builder) moduleLists(r *Report, s *snapshot.Snapshot) {
	for _, m := range s.Modules {
		r.Modules = append(r.Modules, Module{
			Name: m.Name, Session: b.session, Base: hex(m.Base), End: hex(m.End), Unloaded: m.Unloaded, UserMode: m.User, Image: m.Image, Path: m.Path,
			SymbolStatus: m.SymbolStatus, SymbolMarks: m.SymbolMarks, SymbolFile: m.SymbolFile, MappedFile: m.MappedFile,
			Timestamp: m.Timestamp, TimeWord: hexOf(m.TimeWord), Reproducible: m.Repro, CheckSum: hexOf(m.CheckSum), ImageSize: hexOf(m.ImageSize),
			FileVersion: m.FileVersion.String(), ProductVersion: m.ProductVersion.String(), FileVersionText: m.FileVersionText, ProductVersionText: m.ProductVersionText,
			CompanyName: m.CompanyName, ProductName: m.ProductName, FileDescription: m.FileDescription,
			InternalName: m.InternalName, OriginalFilename: m.OriginalFilename, Conflict: m.Conflict, At: b.at(m.At, 0),
		})
	}
	for i := range s.ModuleLists {
		l := &s.ModuleLists[i]
		r.ModuleLists = append(r.ModuleLists, ModuleList{
			Command: l.Command, Session: b.session, Kernel: l.Kernel, User: l.User, Pattern: l.Pattern, Filtered: l.Filtered, Whole: l.Whole, At: b.at(l.At, 0),
		})
	}
}

// hexOf returns a printed number, also zero; "" if it was not printed.
func hexOf(n modules.Number) string {
	if !n.Known() {
		return ""
	}
	return fmt.Sprintf("0x%x", n.N)
}

// ModuleFilter chooses modules; a zero field lets everything pass.
type ModuleFilter struct {
	Name     string // of the module or its file, in either case, with or without the ending
	Unloaded bool   // only unloaded ones
}

// ModulesBy returns the modules that pass.
func (r *Report) ModulesBy(f ModuleFilter) []Module {
	out := []Module{}
	for _, m := range r.Modules {
		if f.Unloaded && !m.Unloaded || f.Name != "" && !(&modules.Module{Name: m.Name, Image: m.Image}).Is(f.Name) {
			continue
		}
		out = append(out, m)
	}
	return out
}

// WriteModules prints modules as a table, JSON or Markdown.
func WriteModules(w io.Writer, r *Report, ms []Module, format string, s Style) error {
	t := &table{columns: []column{{head: "Module"}, {head: "Start"}, {head: "End", spare: true}, {head: "File version"}, {head: "Timestamp", prose: true}, {head: "Image", prose: true}, {head: "Company", prose: true, spare: true}, {head: "Symbols", prose: true, spare: true}, {head: "Line", spare: true}}}
	for i := range ms {
		if t.full() {
			break
		}
		m := &ms[i]
		name := orDash(m.Name)
		if m.Unloaded {
			name = "(unloaded)"
		}
		t.add(name, r.bare(m.Base), r.bare(m.End), m.FileVersion, m.time(), m.Image, m.CompanyName, strings.TrimSpace(m.SymbolMarks+" "+m.SymbolStatus), strconv.Itoa(m.At.Line))
	}
	return writeTable(w, t, ms, format, s)
}

// time shows the timestamp, and that it is none where it is a hash.
func (m *Module) time() string {
	if m.Reproducible {
		return strings.TrimSpace(m.Timestamp + " (hash)")
	}
	return m.Timestamp
}

// explainModule says what of a module an address is.
func explainModule(s *snapshot.Snapshot, a kd.Addr, m *modules.Module) string {
	text := fmt.Sprintf("%s+0x%x", m.Label(), uint64(a-m.Base))
	switch {
	case m.Unloaded:
		text += ", in a module that was unloaded"
	case m.FileVersion.Known():
		text += ", file version " + m.FileVersion.String()
	}
	if m.User || !m.Base.IsKernel(s.Target.Arch) {
		text += ", in a process"
	}
	return text
}
