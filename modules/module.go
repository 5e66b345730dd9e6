package modules

import (
	"strings"

	"kdlocks/kd"
)

// Module is one loaded or unloaded image. What was not printed is empty, or a
// Number or Version that is not Known.
type Module struct {
	// Name is what the debugger calls it: "nt". Of an unloaded module only the
	// file name is known, of which Windows keeps the beginning.
	Name  string
	Image string // the file: "ntkrnlmp.exe"
	Path  string // with its folder, as printed
	// SymbolFile is the file behind SymbolStatus, MappedFile that of "Mapped memory image
	// file".
	SymbolFile, MappedFile string
	// Base and End are the range, End exclusive; both 0 if they were not printed,
	// End alone if !lmi did not tell the size.
	Base, End kd.Addr
	// Asked are the addresses in it that !lmi was asked about.
	Asked []kd.Addr
	// SymbolStatus is "pdb symbols", "deferred", ... as printed; SymbolMarks are the
	// signs in front of it: # * M C P T (Microsoft Learn: Symbol Status
	// Abbreviations).
	SymbolStatus, SymbolMarks string

	// Timestamp is as printed, without the word in brackets; TimeWord is that word,
	// TimeDateStamp of the image's header. With Repro it is a hash and no time.
	Timestamp string
	TimeWord  Number
	Repro     bool
	CheckSum  Number
	ImageSize Number // bytes

	// FileVersion is the fixed one, of the line "File version:", else that which
	// FileVersionText begins with. Likewise ProductVersion.
	FileVersion, ProductVersion         Version
	FileVersionText, ProductVersionText string // as the resource strings say it
	FileVersionAt, ProductVersionAt     kd.Ref // where the Version was read
	CompanyName, ProductName            string
	FileDescription                     string
	InternalName, OriginalFilename      string

	// Detailed is set where lmv printed its details: what is not known of it then,
	// its file does not tell.
	Detailed bool
	Unloaded bool
	// User is set for what was typed at the prompt of a user-mode debugger.
	User bool
	// Conflict says what two prints of it disagree on: that is then not known. "" if
	// nothing.
	Conflict string
	// At is the address of its beginning where it was printed first, or else the
	// first line about it.
	At kd.Ref

	fixedFile, fixedProduct bool
	statusBegun             string // the beginning of a status that a narrow window broke
}

// Number is a number as printed and where. The zero Number was not printed.
type Number struct {
	N  uint64
	At kd.Ref
}

// Known reports whether the number was printed.
func (n Number) Known() bool { return n.At.Known() }

// Contains reports whether an address lies in the range of the module.
func (m *Module) Contains(a kd.Addr) bool { return m.Base <= a && a < m.End }

// Label names the module as stacks do: <Unloaded_drv.sys> if it is gone.
func (m *Module) Label() string {
	name := m.Name
	if name == "" {
		name = m.Image
	}
	if m.Unloaded {
		return "<Unloaded_" + name + ">"
	}
	return name
}

// Is reports whether the module has a name: its own or that of its file, in
// either case, with or without the ending. The kernel has all names of its
// images.
func (m *Module) Is(name string) bool {
	k := Key(name)
	return k != "" && (Key(m.Name) == k || Key(m.Image) == k)
}

// kernelImages are the files that the kernel is loaded from, for one processor
// and several, without PAE and with it: the debugger calls each nt.
var kernelImages = map[string]bool{"ntoskrnl": true, "ntkrnlmp": true, "ntkrnlpa": true, "ntkrpamp": true}

// halImages are likewise those of the hardware abstraction layer.
var halImages = map[string]bool{"halacpi": true, "halmacpi": true, "halaacpi": true, "halapic": true, "halmps": true}

// endings are those of files that are loaded as modules.
var endings = []string{".sys", ".exe", ".dll", ".drv", ".ocx", ".cpl", ".efi"}

// Key returns the form of a module's name that is compared: lower case, without
// the folder and the ending of the file, with a low line for what the debugger
// writes one for, nt for all images of the kernel.
func Key(name string) string {
	name = strings.ToLower(FileOf(name))
	for _, e := range endings {
		if s, ok := strings.CutSuffix(name, e); ok && s != "" {
			name = s
			break
		}
	}
	switch {
	case kernelImages[name]:
		return "nt"
	case halImages[name]:
		return "hal"
	}
	return lowLines.Replace(name)
}

// lowLines is what stands in module names for signs of file names.
var lowLines = strings.NewReplacer("-", "_", " ", "_", ".", "_", "+", "_")

// FileOf returns the name of a file without its folder.
func FileOf(path string) string { return path[strings.LastIndexAny(path, `\/`)+1:] }

// MapAddrs replaces every address of the module by f of it.
func (m *Module) MapAddrs(f func(kd.Addr) kd.Addr) {
	if m.End > 0 && m.End.SignExtended() != m.Base.SignExtended() { // it ends at the top
		m.End = f(m.End-1) + 1
	} else {
		m.End = f(m.End)
	}
	m.Base = f(m.Base)
	for i := range m.Asked {
		m.Asked[i] = f(m.Asked[i])
	}
}

// List is one list of loaded modules that was printed.
type List struct {
	Request
	At kd.Ref // its column heads, else its first row
	// Whole is set when all of what was asked for was printed: the command is
	// known, its list begins and ends in the input, and no line of it was lost.
	Whole bool

	head, lost, kernel bool
}

// Listing is what was read of modules.
type Listing struct {
	Modules []*Module // in the order of the input, one for each time it was printed
	Lists   []List
}

// Empty reports whether nothing was read.
func (l *Listing) Empty() bool { return len(l.Modules)+len(l.Lists) == 0 }
