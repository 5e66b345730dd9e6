package rules

import (
	"slices"
	"strings"

	"kdlocks/modules"
	"kdlocks/stacks"
)

// stackPattern asks for frames in their order, innermost first.
type stackPattern struct {
	seq [][]framePattern // each one of several
	// within is how many frames in a row may hold all of seq, 0 for any number.
	within int
	// top is set where seq begins at the innermost frame, routines that wait
	// themselves not counted.
	top  bool
	none []framePattern
}

// framePattern is a pattern of module!function. The module is a modules.Key,
// so that nt stands for all names of the kernel's image.
type framePattern struct {
	module, function string
	// third is set where any module fits that is none of Windows.
	third bool
	// ref names the module in place of module, until it is bound.
	ref *reference
	// bound is set where the module is that of a reference.
	bound bool
	// unsure is set where it is not known what module is meant.
	unsure bool
}

// thirdParty stands for any module that is none of Windows.
const thirdParty = "third-party"

// brackets are part of one function's name.
var brackets = strings.NewReplacer("operator[]", "")

// parseFrame reads module!function, and says what is wrong with it.
func parseFrame(s string) (framePattern, string) {
	module, function, ok := strings.Cut(s, "!")
	switch {
	case !ok:
		return framePattern{}, "a frame is module!function; for a function of any module write *!" + s
	case module == "":
		return framePattern{}, "there is no module before the !; for any module write *" + s
	case function == "":
		return framePattern{}, "there is no function behind the !; for any function write " + s + "*"
	case strings.Contains(function, "!"):
		return framePattern{}, "a frame has one !"
	case strings.Contains(function, "+0x"):
		return framePattern{}, "offsets differ from build to build: leave +0x... out"
	case strings.Contains(s, ".*") || strings.ContainsAny(s, "\\^"):
		return framePattern{}, "a frame is no regular expression: * alone stands for any run of letters"
	case strings.ContainsAny(s, " \t"):
		return framePattern{}, "a frame holds no blanks"
	}
	if why := badGlob(brackets.Replace(s)); why != "" {
		return framePattern{}, why
	}
	if module == thirdParty {
		return framePattern{function: function, third: true}, ""
	}
	return framePattern{module: modules.Key(module), function: function}, ""
}

// fits compares a frame with the pattern. Without symbols the function of a frame
// is unknown: then it may be any of its module.
func (p framePattern) fits(module, function string) Truth {
	switch {
	case module == noModule:
		if p.module == "*" && p.function == "*" {
			return True
		}
		return Unknown
	case p.third:
		if stacks.OfWindows(module) {
			return False
		}
	case p.unsure:
		if function == "" || matchGlob(p.function, function) {
			return Unknown
		}
		return False
	case !matchGlob(p.module, module):
		return False
	}
	if function == "" {
		if p.function == "*" {
			return True
		}
		return Unknown
	}
	return truth(matchGlob(p.function, function))
}

// farOffset is how far behind a function's beginning an address is taken for one
// of another function that has no public symbol.
const farOffset = 0x10000

// call is the module and function of a frame as patterns know them.
type call struct {
	module, function string
	// named are the modules of the stack's other frames, where the module is
	// noModule: had it been one of them, the debugger would have named it.
	named []string
}

// noModule is the module of code of the kernel's half that no module is known for:
// it may be any. Code of user mode without a module fits no pattern.
const noModule = "?"

func (p framePattern) fitsCall(c call) Truth {
	if slices.Contains(c.named, p.module) {
		return False
	}
	return p.fits(c.module, c.function)
}

func callOf(f *stacks.Frame) call {
	if f.Unnamed() != 0 {
		return call{module: noModule}
	}
	if f.Offset >= farOffset {
		return call{module: modules.Key(f.Module)}
	}
	return call{module: modules.Key(f.Module), function: f.Function}
}

func callsOf(frames []stacks.Frame) []call {
	out := make([]call, len(frames))
	for i := range frames {
		if i > 0 && frames[i].Module != "" && frames[i].Module == frames[i-1].Module && frames[i].Offset < farOffset {
			out[i] = call{module: out[i-1].module, function: frames[i].Function}
			continue
		}
		out[i] = callOf(&frames[i])
	}
	if slices.ContainsFunc(out, func(c call) bool { return c.module == noModule }) {
		nameOthers(out)
	}
	return out
}

func nameOthers(calls []call) {
	var named []string
	for _, c := range calls {
		if c.module != noModule && !slices.Contains(named, c.module) {
			named = append(named, c.module)
		}
	}
	for i := range calls {
		if calls[i].module == noModule {
			calls[i].named = named
		}
	}
}

func fitsAny(ps []framePattern, c call) Truth {
	out := False
	for _, p := range ps {
		if out = out.or(p.fitsCall(c)); out == True {
			break
		}
	}
	return out
}

// hasRefs reports whether modules of the pattern are those of references.
func (p *stackPattern) hasRefs() bool {
	for _, one := range append(slices.Clip(p.seq), p.none) {
		for _, f := range one {
			if f.ref != nil {
				return true
			}
		}
	}
	return false
}

// bind puts modules in the place of references.
func (p *stackPattern) bind(w *world, env bindings) *stackPattern {
	if !p.hasRefs() {
		return p
	}
	out := *p
	out.seq, out.none = nil, boundFrames(w, env, p.none)
	for _, one := range p.seq {
		out.seq = append(out.seq, boundFrames(w, env, one))
	}
	return &out
}

func boundFrames(w *world, env bindings, ps []framePattern) []framePattern {
	var out []framePattern
	for _, p := range ps {
		if p.ref == nil {
			out = append(out, p)
			continue
		}
		values := p.ref.values(w, env)
		for _, v := range values.List {
			out = append(out, framePattern{module: modules.Key(v.S), function: p.function, bound: true})
		}
		if !values.All {
			out = append(out, framePattern{function: p.function, unsure: true})
		}
	}
	return out
}

// match compares frames with the pattern and returns the frames that seq was
// found at. A result is unknown where frames without a function decide it, which
// are among the frames that are returned, or where frames are missing: then it returns
// what of seq was found, if anything tells that it began.
func (p *stackPattern) match(frames []stacks.Frame, cut bool) (Truth, []int) {
	out, unclear := True, []int(nil)
	calls := callsOf(frames)
	for i := range calls {
		if len(p.none) == 0 {
			break
		}
		switch fitsAny(p.none, calls[i]) {
		case True:
			return False, nil
		case Unknown:
			out, unclear = Unknown, append(unclear, i)
		}
	}
	if cut && len(p.none) > 0 {
		out = Unknown
	}
	if len(p.seq) == 0 {
		return out, unclear
	}
	if at := p.find(calls, True); at != nil {
		return out, append(at, unclear...)
	}
	if at := p.find(calls, Unknown); at != nil {
		return Unknown, append(at, unclear...)
	}
	if !cut {
		return False, nil
	}
	if at := p.begun(calls); at != nil {
		return falseUnless(p.within == 0 || at[0]+p.within > len(calls)), at
	}
	return falseUnless(p.mayBegin(calls)), nil
}

// mayBegin reports whether seq may stand behind the frames that were printed.
func (p *stackPattern) mayBegin(calls []call) bool {
	return !p.top || !slices.ContainsFunc(calls, func(c call) bool { return !mayWait(c, Unknown) })
}

// begun finds the beginning of seq up to a frame of a module that it names, or up to
// the last frame that was printed: frames of the kernel, or of any module, are on
// every stack.
func (p *stackPattern) begun(calls []call) []int {
	for n := len(p.seq) - 1; n > 0; n-- {
		part := stackPattern{seq: p.seq[:n], top: p.top, within: p.within}
		at := part.find(calls, True)
		if at == nil {
			continue
		}
		onAny := slices.ContainsFunc(p.seq[n-1], func(f framePattern) bool { return f.bound || f.module == "" || f.module == "nt" || isGlob(f.module) })
		if !onAny || at[n-1] == len(calls)-1 {
			return at
		}
	}
	return nil
}

// find looks for seq among frames that fit at least so well.
func (p *stackPattern) find(frames []call, least Truth) []int {
	fits := func(i, k int) bool {
		t := fitsAny(p.seq[k], frames[i])
		return t == True || t == least
	}
	for from := range frames {
		if len(p.seq) == 0 || p.top && from > 0 && !mayWait(frames[from-1], least) {
			return nil
		}
		if !fits(from, 0) {
			continue
		}
		end := len(frames)
		if p.within > 0 {
			end = min(end, from+p.within)
		}
		at := []int{from}
		for i := from + 1; i < end && len(at) < len(p.seq); i++ {
			if fits(i, len(at)) {
				at = append(at, i)
			}
		}
		if len(at) == len(p.seq) {
			return at
		}
		if end == len(frames) {
			return nil // from further out it is not found either
		}
	}
	return nil
}

// waitMachinery are the beginnings of the kernel's functions in which threads
// stand whatever they wait for, and those that ask for a lock (stacks in
// testdata/waits).
var waitMachinery = []string{"KiSwapContext", "KiSwapThread", "SwapContext", "FsRtlCancellableWait", "ExpWaitForResource", "ExAcquire", "ExpAcquire", "ExfAcquire", "KeAcquire", "KiAcquire", "KiCommitThreadWait", "KeWaitFor", "KiWaitFor", "KeDelayExecutionThread", "KeRemoveQueue", "KeRemovePriQueue", "ExWaitForRundownProtection", "ExfWaitForRundownProtection"}

// mayWait reports whether a frame is of a routine that waits; where the least is
// unknown, also whether it may be.
func mayWait(c call, least Truth) bool {
	if c.function != "" || least != Unknown {
		return isWait(c)
	}
	return c.module == "nt" || c.module == noModule && !slices.Contains(c.named, "nt")
}

func isWait(c call) bool {
	if c.module != "nt" {
		return false
	}
	for _, w := range waitMachinery {
		if strings.HasPrefix(c.function, w) {
			return true
		}
	}
	return false
}
