package pack

import (
	"encoding/binary"
	"slices"
)

// segment is a piece of the memory that a module begins with.
type segment struct {
	at   int
	data []byte
}

func readData(body []byte) ([]segment, error) {
	r := reader{b: body}
	var out []segment
	for n := r.uint(); n > 0 && r.err == nil; n-- {
		mode, op := r.uint(), r.byte()
		at, end := r.int(), r.byte()
		if mode != 0 || op != opI32Const || end != opEnd || at < 0 {
			r.fail("a data segment that is not at a fixed place")
		}
		out = append(out, segment{int(at), r.bytes(r.uint())})
	}
	return out, r.err
}

func writeData(segments []segment) []byte {
	out := binary.AppendUvarint(nil, uint64(len(segments)))
	for _, s := range segments {
		out = appendInt(append(out, 0, opI32Const), int64(s.at))
		out = binary.AppendUvarint(append(out, opEnd), uint64(len(s.data)))
		out = append(out, s.data...)
	}
	return out
}

// widestGap is the number of zeros from which on they are not written out.
const widestGap = 1 << 12

// joinSegments joins neighbours: the linker leaves out each short run of zeros,
// for which a compressor needs less than for where the next segment is.
func joinSegments(segments []segment) []segment {
	slices.SortFunc(segments, func(a, b segment) int { return a.at - b.at })
	var out []segment
	for _, s := range segments {
		if len(out) > 0 {
			last := &out[len(out)-1]
			if gap := s.at - last.at - len(last.data); gap >= 0 && gap < widestGap {
				last.data = append(append(last.data, make([]byte, gap)...), s.data...)
				continue
			}
		}
		out = append(out, segment{s.at, slices.Clone(s.data)})
	}
	return out
}
