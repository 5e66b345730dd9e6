package transcript

import (
	"bytes"
	"iter"

	"kdlocks/kd"
)

// Coverage counts the lines of each section, and those outside of all. A line
// that holds the end of one section and the beginning of the next counts for
// the first, so that each line counts once.
func (s *Source) Coverage() (sections []kd.Coverage, outside kd.Coverage) {
	sections = make([]kd.Coverage, len(s.Sections))
	at := int32(1) // the first line that was not counted
	for i, sec := range s.Sections {
		count(&outside, s.part(at, sec.Line-1))
		at = max(at, sec.Line)
		count(&sections[i], s.part(at, sec.EndLine))
		at = max(at, sec.EndLine+1)
	}
	count(&outside, s.part(at, int32(len(s.Status))))
	return sections, outside
}

// part returns the fates of the lines first to last, none if last is less.
func (s *Source) part(first, last int32) []Status {
	last = min(last, int32(len(s.Status)))
	if first < 1 || last < first {
		return nil
	}
	return s.Status[first-1 : last]
}

func count(c *kd.Coverage, fates []Status) {
	claimed, noise := bytes.Count(fates, []byte{Claimed}), bytes.Count(fates, []byte{Noise})
	c.Claimed += claimed
	c.Noise += noise
	c.NotUnderstood += len(fates) - claimed - noise
}

// NotUnderstood walks the numbers of the lines from first to last that no
// reader knew.
func (s *Source) NotUnderstood(first, last int32) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for i, st := range s.part(first, last) {
			if st == NotUnderstood && !yield(first+int32(i)) {
				return
			}
		}
	}
}
