package pack

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"errors"

	"kdlocks/web/build/lzma"
)

// Unpack is an ES module: its function unpack takes what Compress returned, as a
// Uint8Array, and returns the WebAssembly module.
//
//go:embed unpack.js
var Unpack string

// Module rewrites a module that the Go linker wrote: jumps and addresses are shorter,
// lines and files of stack traces are gone, and memory is written in few pieces. It
// is a module that does the same.
func Module(wasm []byte) ([]byte, error) {
	sections, err := readModule(wasm)
	if err != nil {
		return nil, err
	}
	for i := range sections {
		s := &sections[i]
		switch s.id {
		case codeSection:
			s.body, err = shortenCode(s.body)
		case dataSection:
			s.body, err = shortenData(s.body)
		}
		if err != nil {
			return nil, err
		}
	}
	return writeModule(sections), nil
}

func shortenCode(body []byte) ([]byte, error) {
	fs, err := readCode(body)
	for i := range fs {
		fs[i].code = branchIf(shortenJumps(simplify(fs[i].code)))
	}
	return writeCode(fs), err
}

func shortenData(body []byte) ([]byte, error) {
	segments, err := readData(body)
	if err != nil {
		return nil, err
	}
	segments = joinSegments(segments)
	for _, s := range segments {
		if bytes.Contains(s.data, pclnMagic) {
			err := dropLines(segments, s)
			return writeData(segments), err
		}
	}
	return nil, errors.New("no table of functions")
}

// Compress packs what Module returned into what unpack.js makes the same bytes of:
//
//	4 bytes  size of the code section
//	4 bytes  where the table of functions is in the rest
//	4 bytes  size of the packed rest
//	.lzma    the rest: the module, of which the code section is empty
//	.lzma    the tokens of the code
//
// Numbers are little-endian. In the rest, a list of functions that follow each other has
// only the first of them, and is a listedSection.
func Compress(wasm []byte) ([]byte, error) {
	sections, err := readModule(wasm)
	if err != nil {
		return nil, err
	}
	var code, tokens []byte
	for i := range sections {
		s := &sections[i]
		switch s.id {
		case codeSection:
			code = s.body
			fs, err := readCode(code)
			if err == nil {
				tokens, err = writeTokens(fs)
			}
			if err != nil {
				return nil, err
			}
			s.body = nil
		case elementSection:
			shortenElements(s)
		}
	}
	rest := writeModule(sections)
	t, err := findPclntab(rest)
	if err == nil {
		err = t.columns()
	}
	if err != nil {
		return nil, err
	}
	packed := lzma.Encode(rest, 3, 2)
	var out []byte
	for _, n := range []int{len(code), len(rest) - len(t.b), len(packed)} {
		out = binary.LittleEndian.AppendUint32(out, uint32(n))
	}
	return append(append(out, packed...), lzma.Encode(tokens, 8, 0)...), nil
}

// Sections that list functions, as modules have them and shortened.
const (
	elementSection = 9
	listedSection  = 0x89
)

// shortenElements leaves out functions that follow each other.
func shortenElements(s *section) {
	r := reader{b: s.body}
	one, mode, op, at, end := r.uint(), r.uint(), r.byte(), r.int(), r.byte()
	n, rest := r.uint(), r.b
	first := r.uint()
	for i := uint64(1); i < n; i++ {
		if r.uint() != first+i {
			return
		}
	}
	if r.err != nil || len(r.b) > 0 || one != 1 || mode != 0 || op != opI32Const || end != opEnd || at < 0 {
		return
	}
	_, width := binary.Uvarint(rest)
	s.id, s.body = listedSection, s.body[:len(s.body)-len(rest)+width]
}
