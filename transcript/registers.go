package transcript

import (
	"strings"

	"kdlocks/kd"
)

// isRegisters reports whether a line is of the registers that r, .trap, .cxr
// and !analyze print, on x86, x64 or ARM64:
//
//	rax=0000000000000000 rbx=ffffcb0fff0a4480 rcx=0000000000000000
//	iopl=0         nv up ei pl zr na po nc
//	 x0=0000000000000000   x1=ffffe3813f2c7040   x2=0000000000000000
//	 pc=fffff80012345678  psr=60000044 -ZC- EL1
func isRegisters(text string) bool {
	c := kd.Cursor{Text: text}
	for n := 0; ; n++ {
		w, _ := c.Word()
		if w == "" {
			return n > 0
		}
		name, value, ok := strings.Cut(w, "=")
		switch {
		case ok && len(name) >= 2 && len(name) <= 4 && name == strings.ToLower(name) && (kd.AddrDigits(value) >= 4 || name == "iopl"):
		case n == 0 || ok || len(w) > 4:
			return false
		}
	}
}
