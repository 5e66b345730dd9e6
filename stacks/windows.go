package stacks

import (
	_ "embed"
	"strings"
	"sync"
)

// windowsText lists the modules of Windows, in groups behind comments.
//
//go:embed windows.txt
var windowsText string

// windowsModules are parts of Windows that hold and wait for locks on behalf of
// others: they are no suspects by standing on a stack.
var windowsModules = sync.OnceValue(func() map[string]bool { return wordSet(windowsText) })

// onBehalf are those whose routines other drivers call to wait.
var onBehalf = wordSet(`nt ntoskrnl ntkrnlmp ntkrnlpa ntkrpamp hal fltmgr wdf01000`)

// wordSet returns the words of a text whose comments begin with #.
func wordSet(text string) map[string]bool {
	set := make(map[string]bool)
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, w := range strings.Fields(line) {
			set[w] = true
		}
	}
	return set
}

// copied are the beginnings of names under which the kernel loads a second copy of
// a storage driver, to write a dump or to hibernate: dump_stornvme.
var copied = [...]string{"dump_", "hiber_"}

// OfWindows reports whether a module is a part of Windows; "" counts as one.
// Some tools print the name of the file, as in ntkrnlpa.exe, and WinDbg tells
// modules of one name apart by their base: ntdll_77c80000.
func OfWindows(module string) bool {
	name := strings.ToLower(module)
	if name == "" || windowsModules()[name] {
		return true
	}
	name = imageName(name)
	if windowsModules()[name] {
		return true
	}
	for _, prefix := range copied {
		if of, ok := strings.CutPrefix(name, prefix); ok {
			return windowsModules()[of]
		}
	}
	if of, base, _ := cutLast(name, '_'); isBase(base) {
		return windowsModules()[of]
	}
	// Transports of the kernel debugger have the numbers of their network card: kd_02_8086.
	if strings.HasPrefix(name, "kd_0") {
		return true
	}
	// Defender's mpksl driver has a number of its own on each machine: MpKsl5f0c1d3a.
	number, ok := strings.CutPrefix(name, "mpksl")
	return ok && isBase(number)
}

// isBase reports whether a text is an address of 8 to 16 digits.
func isBase(s string) bool {
	return len(s) >= 8 && len(s) <= 16 && strings.Trim(s, "0123456789abcdef") == ""
}

// OnBehalf reports whether a module waits where other drivers ask it to: the kernel
// and its frameworks. "" counts as one.
func OnBehalf(module string) bool {
	name := strings.ToLower(module)
	return name == "" || onBehalf[name] || onBehalf[imageName(name)]
}

// imageName takes the ending off the name of a module's file.
func imageName(file string) string {
	for _, end := range [...]string{".sys", ".exe", ".dll", ".drv"} {
		if name, ok := strings.CutSuffix(file, end); ok {
			return name
		}
	}
	return file
}
