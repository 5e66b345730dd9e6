package dump

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Sizes of the headers in bytes: a page of 32-bit Windows, two of 64-bit Windows.
const (
	headerSize64 = 0x2000
	headerSize32 = 0x1000
)

// Machine is what a dump was taken of, by the codes of PE images.
type Machine uint32

// The machines that Windows dumps are taken of.
const (
	I386  Machine = 0x014c
	AMD64 Machine = 0x8664
	ARM64 Machine = 0xaa64
)

func (m Machine) String() string {
	switch m {
	case I386:
		return "x86"
	case AMD64:
		return "x64"
	case ARM64:
		return "ARM64"
	}
	return fmt.Sprintf("machine 0x%x", uint32(m))
}

// Type is the DumpType of a header.
type Type uint32

// The types of dumps. What lies behind the header decides, not this number alone.
const (
	Full         Type = 1
	Kernel       Type = 2
	HeaderOnly   Type = 3
	Triage       Type = 4
	BitmapFull   Type = 5
	BitmapKernel Type = 6
	Automatic    Type = 7
	RangeKernel  Type = 8   // .dump /k
	RangeActive  Type = 9   // .dump /ka
	RangeFull    Type = 0xa // .dump /f
)

func (t Type) String() string {
	switch t {
	case Full, BitmapFull, RangeFull:
		return "full dump"
	case Kernel, BitmapKernel, RangeKernel:
		return "kernel dump"
	case RangeActive:
		return "active dump"
	case HeaderOnly:
		return "header alone"
	case Triage:
		return "small (triage) dump"
	case Automatic:
		return "automatic dump"
	}
	return fmt.Sprintf("dump of type 0x%x", uint32(t))
}

// Header is the DUMP_HEADER64 or DUMP_HEADER32 of a dump: offsets as kdmp-parser and
// volatility3 have them (docs/dumps.md). What the writer of the dump left out is zero.
type Header struct {
	Bits       int // 64 or 32
	Major      uint32
	Build      uint32 // of the kernel: 19041
	Directory  uint64 // physical address of the page directory
	Modules    uint64 // PsLoadedModuleList
	Processes  uint64 // PsActiveProcessHead
	Machine    Machine
	Processors uint32
	Bugcheck   uint32
	Params     [4]uint64
	Debugger   uint64 // KDDEBUGGER_DATA64
	Type       Type
	Taken      time.Time     // zero if it is not told
	Uptime     time.Duration // zero if it is not told
	PAE        bool          // of 32-bit Windows

	runs    []span // of physical memory, in pages
	context []byte // the CONTEXT record
}

// ErrNotDump is wrapped by the error of data that is no kernel crash dump.
var ErrNotDump = errors.New("no kernel crash dump")

// Is reports whether data begins as a kernel crash dump does.
func Is(head []byte) bool {
	return len(head) >= 8 && string(head[:4]) == "PAGE" && (string(head[4:8]) == "DU64" || string(head[4:8]) == "DUMP")
}

// readHeader reads the header at the beginning of a dump.
func readHeader(r io.ReaderAt, size int64) (*Header, error) {
	b := make([]byte, min(max(size, 0), headerSize64))
	if n, err := r.ReadAt(b, 0); n < len(b) && err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case !Is(b):
		return nil, ErrNotDump
	case string(b[4:8]) == "DUMP":
		if len(b) < headerSize32 {
			return nil, fmt.Errorf("%w: it ends within its header, at byte %d of %d", ErrNotDump, size, headerSize32)
		}
		return header32(b), nil
	case len(b) < headerSize64:
		return nil, fmt.Errorf("%w: it ends within its header, at byte %d of %d", ErrNotDump, size, headerSize64)
	}
	return header64(b), nil
}

// TakenText is when the dump was taken, in UTC as RFC 3339 has it; "" if it is not told.
func (h *Header) TakenText() string {
	if h.Taken.IsZero() {
		return ""
	}
	return h.Taken.Format(time.RFC3339)
}

// UptimeText is how long the machine had run: "3 days 4:05:06.789"; "" if it is not told.
func (h *Header) UptimeText() string {
	if h.Uptime == 0 {
		return ""
	}
	return uptime(h.Uptime)
}

var le = binary.LittleEndian

// Bytes of a header that were not filled hold this pattern.
const (
	unfilled32 = 0x45474150 // "PAGE"
	unfilled64 = 0x4547415045474150
)

func filled32(b []byte, at int) uint32 {
	if v := le.Uint32(b[at:]); v != unfilled32 {
		return v
	}
	return 0
}

func filled64(b []byte, at int) uint64 {
	if v := le.Uint64(b[at:]); v != unfilled64 {
		return v
	}
	return 0
}

func header64(b []byte) *Header {
	h := &Header{
		Bits: 64, Major: filled32(b, 0x8), Build: filled32(b, 0xc), Directory: filled64(b, 0x10) &^ 0xfff,
		Modules: filled64(b, 0x20), Processes: filled64(b, 0x28), Machine: Machine(filled32(b, 0x30)), Processors: filled32(b, 0x34),
		Bugcheck: filled32(b, 0x38), Debugger: filled64(b, 0x80), Type: Type(filled32(b, 0xf98)),
		Taken: filetime(filled64(b, 0xfa8)), Uptime: ticks100ns(filled64(b, 0x1030)), context: slices.Clone(b[0x348:0xf00]),
	}
	for i := range h.Params {
		h.Params[i] = filled64(b, 0x40+8*i)
	}
	const most = 42 // runs that fit in the 700 bytes of PHYSICAL_MEMORY_DESCRIPTOR
	n := filled32(b, 0x88)
	if n > most {
		return h
	}
	for i := range int(n) {
		h.runs = append(h.runs, span{pfn: le.Uint64(b[0x98+16*i:]), count: le.Uint64(b[0xa0+16*i:])})
	}
	return h
}

func header32(b []byte) *Header {
	h := &Header{
		Bits: 32, Major: filled32(b, 0x8), Build: filled32(b, 0xc), Directory: uint64(filled32(b, 0x10)) &^ 0x1f,
		Modules: uint64(filled32(b, 0x18)), Processes: uint64(filled32(b, 0x1c)), Machine: Machine(filled32(b, 0x20)), Processors: filled32(b, 0x24),
		Bugcheck: filled32(b, 0x28), Debugger: uint64(filled32(b, 0x60)), Type: Type(filled32(b, 0xf88)), PAE: b[0x5c] == 1,
	}
	for i := range h.Params {
		h.Params[i] = uint64(filled32(b, 0x2c+4*i))
	}
	const most = 86 // runs that fit in the 700 bytes of the descriptor
	if n := filled32(b, 0x64); n <= most {
		for i := range int(n) {
			h.runs = append(h.runs, span{pfn: uint64(le.Uint32(b[0x6c+8*i:])), count: uint64(le.Uint32(b[0x70+8*i:]))})
		}
	}
	return h
}

// filetime converts 100 ns since 1601; zero and what lies beyond 2200 is not told.
func filetime(v uint64) time.Time {
	const unix, last = 116444736000000000, 189032832000000000
	if v < unix || v > last {
		return time.Time{}
	}
	v -= unix
	return time.Unix(int64(v/1e7), int64(v%1e7)*100).UTC()
}

// ticks100ns converts a span of time; what is longer than a century is not told.
func ticks100ns(v uint64) time.Duration {
	const century = 100 * 366 * 24 * time.Hour
	if v > uint64(century/100) {
		return 0
	}
	return time.Duration(v) * 100
}
