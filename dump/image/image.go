// Package image reads a PE32+ image as it is mapped in the memory of a dump: an
// RVA is an address less the base, nothing is where the file has it. Headers,
// exports, the CodeView record, the file version and the function table are
// read from the pages that are there; each answer says what is missing.
//
// The shapes are those of Microsoft Learn, "PE Format".
package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// MachineAMD64 is IMAGE_FILE_MACHINE_AMD64.
const MachineAMD64 = 0x8664

// The data directories that are read, by their index in the optional header.
const (
	dirExport    = 0
	dirResource  = 2
	dirException = 3
	dirDebug     = 6
	dirCount     = 16
)

// maxSections is what the loader of Windows allows ("PE Format", COFF file
// header, NumberOfSections).
const maxSections = 96

// ErrMalformed is wrapped by errors about headers and tables that contradict
// themselves or the size of the image.
var ErrMalformed = errors.New("malformed image")

// ErrAbsent is wrapped by errors about what the image was built without.
var ErrAbsent = errors.New("not in the image")

// Memory reads virtual memory of the target. It fills p or fails; which part
// failed is in the error. It does not keep p.
type Memory interface {
	ReadVirtual(p []byte, va uint64) error
}

// ReadError says which memory is not there.
type ReadError struct {
	What string // what was wanted, as "unwind info"
	VA   uint64
	Err  error // of Memory
}

func (e *ReadError) Error() string {
	return fmt.Sprintf("%s at %#x: %v", e.What, e.VA, e.Err)
}

// Unwrap returns the error of Memory.
func (e *ReadError) Unwrap() error { return e.Err }

// Section is an entry of the section table. Size is the size in memory; a Name
// that is not graphic ASCII is left out.
type Section struct {
	Name       string
	RVA, Size  uint32
	Executable bool
}

type directory struct{ rva, size uint32 }

// Image is an image in memory. Its methods keep the pages and tables they read,
// so it is not safe for concurrent use.
type Image struct {
	Base          uint64
	Size          uint32 // of the loader's entry, not of the headers
	Machine       uint16
	TimeDateStamp uint32
	CheckSum      uint32
	Sections      []Section

	mem       Memory
	pages     map[uint32]page
	dirs      [dirCount]directory
	exports   []export
	exportsIn bool
}

// Open reads the headers of the image at base, which the loader's entry says is
// size bytes long. It fails with a *ReadError when they are not in memory, and
// with ErrMalformed when they are no headers of a PE32+ image.
func Open(mem Memory, base uint64, size uint32) (*Image, error) {
	if base%pageSize != 0 || size == 0 || base+uint64(size) < base {
		return nil, fmt.Errorf("%w: base %#x, size %#x", ErrMalformed, base, size)
	}
	i := &Image{Base: base, Size: size, mem: mem, pages: map[uint32]page{}}
	sections, count, err := i.headers()
	if err != nil {
		return nil, err
	}
	if err := i.sections(sections, count); err != nil {
		return nil, err
	}
	return i, nil
}

// headers reads up to the section table and returns its RVA and length.
func (i *Image) headers() (table uint32, count uint16, err error) {
	var dos [64]byte
	if err := i.Read(dos[:], 0, "DOS header"); err != nil {
		return 0, 0, err
	}
	if string(dos[:2]) != "MZ" {
		return 0, 0, fmt.Errorf("%w: no MZ at %#x", ErrMalformed, i.Base)
	}
	nt := binary.LittleEndian.Uint32(dos[0x3c:])
	var head [24 + 112]byte // signature, file header, optional header up to the directories
	if err := i.Read(head[:], nt, "PE header"); err != nil {
		return 0, 0, err
	}
	if string(head[:4]) != "PE\x00\x00" {
		return 0, 0, fmt.Errorf("%w: no PE signature at RVA %#x", ErrMalformed, nt)
	}
	optional := head[24:]
	if magic := binary.LittleEndian.Uint16(optional); magic != 0x20b {
		return 0, 0, fmt.Errorf("%w: optional header %#x is not of PE32+", ErrMalformed, magic)
	}
	i.Machine = binary.LittleEndian.Uint16(head[4:])
	i.TimeDateStamp = binary.LittleEndian.Uint32(head[8:])
	i.CheckSum = binary.LittleEndian.Uint32(optional[64:])

	count = binary.LittleEndian.Uint16(head[6:])
	if count > maxSections {
		return 0, 0, fmt.Errorf("%w: %d sections", ErrMalformed, count)
	}
	optionalSize := binary.LittleEndian.Uint16(head[20:])
	dirs := binary.LittleEndian.Uint32(optional[108:])
	if err := i.directories(nt+24+112, min(dirs, dirCount), optionalSize); err != nil {
		return 0, 0, err
	}
	at := uint64(nt) + 24 + uint64(optionalSize)
	if at > uint64(i.Size) {
		return 0, 0, fmt.Errorf("%w: section table at RVA %#x", ErrMalformed, at)
	}
	return uint32(at), count, nil
}

// directories reads n data directories at rva, which must be inside of an
// optional header of the size given.
func (i *Image) directories(rva, n uint32, optionalSize uint16) error {
	if 112+8*n > uint32(optionalSize) {
		return fmt.Errorf("%w: %d directories in an optional header of %d bytes", ErrMalformed, n, optionalSize)
	}
	var raw [8 * dirCount]byte
	if err := i.Read(raw[:8*n], rva, "data directories"); err != nil {
		return err
	}
	for k := range n {
		d := raw[8*k:]
		i.dirs[k] = directory{binary.LittleEndian.Uint32(d), binary.LittleEndian.Uint32(d[4:])}
	}
	return nil
}

func (i *Image) sections(table uint32, count uint16) error {
	var raw [40 * maxSections]byte
	all := raw[:40*int(count)]
	if err := i.Read(all, table, "section table"); err != nil {
		return err
	}
	i.Sections = make([]Section, count)
	for k := range i.Sections {
		h := all[40*k:]
		name, _, _ := strings.Cut(string(h[:8]), "\x00")
		if !printable(name) {
			name = ""
		}
		size := binary.LittleEndian.Uint32(h[8:])
		if size == 0 {
			size = binary.LittleEndian.Uint32(h[16:]) // as the loader does
		}
		const execute = 0x20000000 // IMAGE_SCN_MEM_EXECUTE
		i.Sections[k] = Section{
			Name:       name,
			RVA:        binary.LittleEndian.Uint32(h[12:]),
			Size:       size,
			Executable: binary.LittleEndian.Uint32(h[36:])&execute != 0,
		}
	}
	return nil
}

// Section returns the section that holds rva.
func (i *Image) Section(rva uint32) (Section, bool) {
	for _, s := range i.Sections {
		if rva >= s.RVA && rva-s.RVA < s.Size {
			return s, true
		}
	}
	return Section{}, false
}

// Contains reports whether va is in the image, and its RVA.
func (i *Image) Contains(va uint64) (rva uint32, ok bool) {
	if va < i.Base || va-i.Base >= uint64(i.Size) {
		return 0, false
	}
	return uint32(va - i.Base), true
}

// directory returns a data directory that is in the image as a whole and has
// at least one entry of the size given.
func (i *Image) directory(index int, entry uint32, what string) (directory, error) {
	d := i.dirs[index]
	if d.rva == 0 || d.size == 0 {
		return d, fmt.Errorf("%w: %s", ErrAbsent, what)
	}
	if d.size < entry || uint64(d.rva)+uint64(d.size) > uint64(i.Size) {
		return d, fmt.Errorf("%w: %s of %#x bytes at RVA %#x", ErrMalformed, what, d.size, d.rva)
	}
	return d, nil
}
