package locks

import (
	"strings"

	"kdlocks/kd"
)

// Lines is a set of lines of the block of a resource.
type Lines uint8

// The lines that say who owns and who waits.
const (
	ContentionLine Lines = 1 << iota
	SharedWaitersLine
	ExclusiveWaitersLine
	OwnersLine
	WaitersLine
)

// lineWords begin these lines.
var lineWords = [...]string{"Contention Count =", "NumberOfSharedWaiters =", "NumberOfExclusiveWaiters =", "Threads:", "Threads Waiting On"}

// LinesIn returns the lines whose words a text holds.
func LinesIn(text string) Lines {
	var found Lines
	for i, w := range lineWords {
		if strings.Contains(text, w) {
			found |= 1 << i
		}
	}
	return found
}

// swallowed notes the lines that an author's remark may hide because the line
// breaks before them were lost. A remark may as well mention what was read.
func (r *Reader) swallowed(remark string, at kd.Ref) {
	if r.cur == nil {
		return
	}
	if found := LinesIn(remark); found != 0 {
		r.cur.Swallowed |= found
		r.swallowedAt = at
	}
}

// checkSwallowed keeps those of which no other line was read.
func (r *Reader) checkSwallowed() {
	res := r.cur
	for _, line := range [...]struct {
		line Lines
		read bool
	}{
		{ContentionLine, res.Contention.Known()},
		{SharedWaitersLine, res.SharedWaiterCount.Known()},
		{ExclusiveWaitersLine, res.ExclusiveWaiterCount.Known()},
		{OwnersLine, len(res.Entries) > 0},
		{WaitersLine, len(res.ExclusiveWaiters) > 0},
	} {
		if line.read {
			res.Swallowed &^= line.line
		}
	}
	if res.Swallowed != 0 {
		r.note(r.swallowedAt, "a remark on resource %x may hide lines of its block", uint64(res.Addr))
	}
}
