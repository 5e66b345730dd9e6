package rules

import (
	"fmt"
	"strings"

	"kdlocks/stacks"
)

// share is how much of a pattern that does not fit a stack has: from 0 to less than 1.
func (p *stackPattern) share(values Values) float64 {
	if len(values.List) == 0 {
		return 0
	}
	n, _ := p.anywhere().prefix(callsOf(values.List[0].Frames))
	return float64(n) / float64(len(p.seq)+1)
}

// anywhere is the pattern without top, within and none.
func (p *stackPattern) anywhere() *stackPattern { return &stackPattern{seq: p.seq} }

// prefix finds as much of the beginning of seq as there is.
func (p *stackPattern) prefix(calls []call) (n int, at []int) {
	for n = len(p.seq); n > 0; n-- {
		part := *p
		part.seq = p.seq[:n]
		if at = part.find(calls, Unknown); at != nil {
			return n, at
		}
	}
	return 0, nil
}

// unlike says what of a pattern a stack does not have.
func (p *stackPattern) unlike(values Values) string {
	if len(values.List) == 0 {
		return "stack is not known"
	}
	frames := values.List[0].Frames
	calls := callsOf(frames)
	for _, none := range p.none {
		for i := range frames {
			if fitsAny([]framePattern{none}, calls[i]) == True {
				return fmt.Sprintf("stack has %s, which none forbids", frameAt(frames, i))
			}
		}
	}
	n, at := p.anywhere().prefix(calls)
	switch {
	case n == len(p.seq) && n > 0:
		return "stack has seq, but " + p.misplaced(frames, calls)
	case n == 0 && len(p.seq) > 0:
		return "stack has no " + alternatives(p.seq[0])
	case n == 0:
		return "stack has nothing that fits"
	}
	wanted := p.seq[n]
	out := fmt.Sprintf("stack has the first %d of seq, up to %s, and no %s behind that", n, frameAt(frames, at[n-1]), alternatives(wanted))
	for i := range calls[:at[n-1]+1] {
		if fitsAny(wanted, calls[i]) == True {
			return out + ": it has that before, in " + frameAt(frames, i)
		}
	}
	return out
}

// misplaced says why a stack that has all of seq does not fit: by top, by within, or
// by both together.
func (p *stackPattern) misplaced(frames []stacks.Frame, calls []call) string {
	var parts []string
	at, span := p.anywhere().tightest(calls)
	if p.within > 0 && span > p.within {
		parts = append(parts, fmt.Sprintf("not within %d: from %s to %s it takes %d in a row", p.within, frameAt(frames, at[0]), frameAt(frames, at[len(at)-1]), span))
	}
	if !p.top {
		return strings.Join(parts, "; ")
	}
	atTop, span := (&stackPattern{seq: p.seq, top: true}).tightest(calls)
	if parts == nil || atTop == nil {
		parts = append(parts, fmt.Sprintf("not at the top: it begins in %s, and top passes over the kernel's wait routines alone, not over %s", frameAt(frames, at[0]), frameAt(frames, underWait(calls))))
	}
	if atTop != nil && p.within > 0 && span > p.within {
		parts = append(parts, fmt.Sprintf("from the top on, in %s, it takes %d in a row, and within asks for %d", frameAt(frames, atTop[0]), span, p.within))
	}
	return strings.Join(parts, "; ")
}

// underWait is the first frame that is of no routine that waits.
func underWait(calls []call) int {
	for i := range calls {
		if !mayWait(calls[i], Unknown) {
			return i
		}
	}
	return len(calls) - 1
}

// tightest finds where seq takes the fewest frames in a row, and how many those are.
func (p *stackPattern) tightest(calls []call) (at []int, span int) {
	for n := len(p.seq); n <= len(calls); n++ {
		part := *p
		part.within = n
		if at = part.find(calls, Unknown); at != nil {
			return at, at[len(at)-1] - at[0] + 1
		}
	}
	return nil, 0
}

// frameAt names a frame: "frame 4 (nt!ExWaitForRundownProtectionRelease)".
func frameAt(frames []stacks.Frame, i int) string {
	return fmt.Sprintf("frame %d (%s)", i, frames[i].Name())
}

// alternatives names patterns of which one must fit: "nt!A or nt!B".
func alternatives(list []framePattern) string {
	var words []string
	for _, p := range list {
		words = append(words, p.String())
	}
	if words == nil {
		return "frame of a module that is not known"
	}
	return strings.Join(words, " or ")
}

// String prints the pattern as rules write it.
func (p framePattern) String() string {
	switch {
	case p.third:
		return thirdParty + "!" + p.function
	case p.unsure:
		return "{...}!" + p.function
	}
	return p.module + "!" + p.function
}
