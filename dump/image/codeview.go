package image

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDebugEntries is far more than linkers write, about ten.
const maxDebugEntries = 64

// CodeView tells which symbol file belongs to an image.
type CodeView struct {
	PDB  string // the name without the folders of the machine it was built on
	GUID string // 32 upper-case hexadecimal digits, as symbol servers write it
	Age  uint32
}

// Debug reads the CodeView record of the debug directory. Errors wrap ErrAbsent
// when there is none or it is not of the kind RSDS.
func (i *Image) Debug() (CodeView, error) {
	d, err := i.directory(dirDebug, 28, "debug directory")
	if err != nil {
		return CodeView{}, err
	}
	var entry [28]byte
	for k := range min(d.size/28, maxDebugEntries) {
		if err := i.Read(entry[:], d.rva+28*k, "debug directory"); err != nil {
			return CodeView{}, err
		}
		const codeView = 2 // IMAGE_DEBUG_TYPE_CODEVIEW
		if binary.LittleEndian.Uint32(entry[12:]) == codeView {
			return i.codeView(binary.LittleEndian.Uint32(entry[20:]))
		}
	}
	return CodeView{}, fmt.Errorf("%w: CodeView record", ErrAbsent)
}

func (i *Image) codeView(rva uint32) (CodeView, error) {
	var head [24]byte
	if rva == 0 {
		return CodeView{}, fmt.Errorf("%w: CodeView record (it is in the file only)", ErrAbsent)
	}
	if err := i.Read(head[:], rva, "CodeView record"); err != nil {
		return CodeView{}, err
	}
	if string(head[:4]) != "RSDS" {
		return CodeView{}, fmt.Errorf("%w: CodeView record of kind RSDS", ErrAbsent)
	}
	path, err := i.text(rva+24, "name of the PDB")
	if err != nil {
		return CodeView{}, err
	}
	name := path[strings.LastIndexAny(path, `\/`)+1:]
	if name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return CodeView{}, fmt.Errorf("%w: name of the PDB %q", ErrMalformed, name)
	}
	guid := head[4:20]
	return CodeView{
		PDB: name,
		GUID: fmt.Sprintf("%08X%04X%04X%X", binary.LittleEndian.Uint32(guid),
			binary.LittleEndian.Uint16(guid[4:]), binary.LittleEndian.Uint16(guid[6:]), guid[8:]),
		Age: binary.LittleEndian.Uint32(head[20:]),
	}, nil
}
