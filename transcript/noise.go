package transcript

import (
	"slices"
	"strings"

	"kdlocks/kd"
)

// noise are the beginnings of lines that debuggers print around the output of
// commands and that carry nothing we use.
var noise = []string{
	"*** Stack trace for last set context", "Last set context:", "Implicit process is now",
	"Invalid thread @", "*** ERROR:", "*** WARNING:", "WARNING: Process directory table base",
	"WARNING: .cache", "Loading Kernel Symbols", "Loading User Symbols", "Loading unloaded module list",
	"Symbol search path is:", "Executable search path is:", "Closing open log file",
	"Deferred", "Response ", "Symbol Loading Error", "SYMSRV:", "DBGHELP:", "Resetting default scope",
	"Unable to load image", "Press ctrl-c", "*** Fatal System Error",
	"**** NT ACTIVE PROCESS DUMP ****", "Getting offset of", "Unable to get", "No export ", "GetGlobalValue: unable to get", "Page ", "GetContextState failed",
	"GetUlongFromAddress", "Searching for Process with", "Looking for thread Cid", "Copyright (c) Microsoft", "Invalid Thread(",
	"Thread at address", "Setting context", "Kernel-Mode Debugger", "Use !analyze -v",
	"Use 'Help'", "WARNING: Whitespace", "*****",
	"*  ", "* ", "Couldn't resolve", "KD: Scanning for held",
	"Kernel Bitmap Dump File:", "Kernel Summary Dump File:", "Kernel Complete Dump File:", "Mini Kernel Dump File:",
	"Computer Name:", "SystemManufacturer =", "SystemProductName =", "KernelMode Dump Path:", "Mex External ", "Warning! Zombie process(es) detected", // mex
	"Using a machine size of", "*** CacheSize too low", "Max cache size is", "Total memory in cache", "Number of regions cached:", "** Transition PTEs are", "** Prototype PTEs are", // the cache of a live debugger
	"Exiting, please wait...", "The command completed successfully.", // typeperf
	"ReadMemory error: Cannot get nt!", "fffff78000000000: Unable to get shared data", "ffdf0000: Unable to get shared data",
}

// isNoise reports whether a line is known and without use.
func isNoise(text string) bool {
	for _, p := range noise {
		if kd.HasPrefixFold(text, p) {
			return true
		}
	}
	if c := (kd.Cursor{Text: text}); text[0] == 'K' && c.Take("KD: Scanning for held") {
		return true // with more blanks than one
	}
	switch text[0] { // the cache of a live debugger
	case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if strings.Contains(text, " full reads broken into ") {
			return true
		}
	case 'b', 'c':
		if strings.Contains(text, " cached/") && strings.HasSuffix(text, "% cached") {
			return true
		}
	}
	// Progress dots, perhaps wrapped before the last word in front of them, rulers,
	// empty comments and elisions.
	return kd.IsElision(text) || text == "//" || strings.Trim(text, ".-=*_…[] ") == "" || strings.HasPrefix(text, "locks..") && strings.TrimRight(text, ".") == "locks"
}

// refusesSymbols reports whether an extension says that it cannot work with the symbols
// of the kernel that are loaded: "NT symbols are incorrect, please fix symbols", "Kernel
// symbols are WRONG. Please fix symbols to do analysis.", "NT symbols not available", or
// that they are those of the export table alone.
func refusesSymbols(text string) bool {
	text = strings.TrimLeft(text, "* ")
	switch {
	case kd.HasPrefixFold(text, "Could not read symbol nt!"):
		return true
	case kd.HasPrefixFold(text, "ERROR: Symbol file could not be found"):
		_, of, _ := strings.Cut(strings.ToLower(text), "export symbols for ")
		return strings.HasPrefix(of, "ntkrnl") || strings.HasPrefix(of, "ntoskrnl") || strings.HasPrefix(of, "ntkrp")
	}
	for _, whose := range []string{"NT symbols ", "Kernel symbols ", "ntoskrnl symbols "} {
		if kd.HasPrefixFold(text, whose) {
			rest := strings.ToLower(text[len(whose):])
			return strings.HasPrefix(rest, "are incorrect") || strings.HasPrefix(rest, "are wrong") || strings.HasPrefix(rest, "not available")
		}
	}
	return false
}

// printDots are the lines behind which a debugger prints progress dots, and the
// commands that print them at once: "Scanning large pool allocation table for
// Tag: SeSd (e7f00000 : e8000000)".
var (
	printDots         = [...]string{"KD: Scanning", "Loading Kernel Symbols", "Loading User Symbols", "Loading unloaded module list", "Scanning large pool", "Searching NonPaged pool", "Searching Paged pool"}
	printDotsCommands = [...]string{"!poolused", "!poolfind", "!irpfind", "!memusage", "!vm"}
)

// beforeDots reports whether dots behind a line are the debugger's progress and
// no elision.
func beforeDots(w *row) bool {
	text := w.text
	if w.class == promptLine {
		p, _ := parsePrompt(text)
		text = p.command
	}
	if text == "" {
		return false
	}
	switch lower(text[0]) { // what all lines but a few fail
	case '!':
		command, _, _ := strings.Cut(text, " ")
		command, _, _ = strings.Cut(command, ";")
		return slices.ContainsFunc(printDotsCommands[:], func(c string) bool { return strings.EqualFold(command, c) })
	case 'k', 'l', 's':
		return slices.ContainsFunc(printDots[:], func(l string) bool { return kd.HasPrefixFold(text, l) })
	case '.':
		if kd.HasPrefixFold(text, ".reload") {
			return true
		}
	}
	// A full row of dots goes on in the next line.
	return w.class == blankLine && len(text) > 32 && strings.Trim(text, ".") == ""
}
