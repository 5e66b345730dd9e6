package transcript_test

import (
	"strings"
	"testing"

	"kdlocks/snapshot"
)

// TestTimeoutBreak: the stack of the thread that complains of a resource is told
// by the place of its break alone.
func TestTimeoutBreak(t *testing.T) {
	const complaint = "Possible deadlock. Use !locks FFFFE00F4C2A8148 to determine the resource owner\n"
	const brk = "Break instruction exception - code 80000003 (first chance)\n"
	const place = "nt!ExpWaitForResource+0x1f7e3d:\nfffff800`5a3d2c4d cc              int     3\n"
	const list = "0: kd> !locks FFFFE00F4C2A8148\nResource @ 0xffffe00f4c2a8148    Exclusively owned\n     Threads: ffffe00f4e9f3040-01<*> \n1 total locks\n"
	const heads = " # Child-SP          RetAddr               Call Site\n"
	const stack = heads + "00 ffffd68c`7a0ee4f8 fffff800`5a1b2f3a     nt!ExpWaitForResource+0x1f7e3d\n" +
		"01 ffffd68c`7a0ee500 fffff800`5a1b27c1     nt!ExpAcquireResourceExclusiveLite+0x2ca\n"
	elsewhere := strings.Replace(stack, "0x1f7e3d", "0x1a2", 1)
	inner := strings.Replace(stack, heads, heads+"00 ffffd68c`7a0ee3f8 fffff800`5a1b2f3a     nt!KiSwapContext+0x76\n", 1)
	for _, tc := range []struct {
		name, text string
		linked     bool
	}{
		{"as printed", complaint + brk + place + list + "0: kd> k\n" + stack, true},
		{"directly behind", complaint + brk + place + "0: kd> k\n" + stack + list, true},
		{"another place", complaint + brk + place + list + "0: kd> k\n" + elsewhere, false},
		{"not the innermost frame", complaint + brk + place + list + "0: kd> k\n" + inner, false},
		{"the stack first", "0: kd> k\n" + stack + list + complaint + brk + place, false},
		{"no place printed", complaint + brk + list + "0: kd> k\n" + stack, false},
		{"a break of something else", complaint + "DriverEntry: loaded\nmydrv: started\nmydrv: hello\n" + brk + place + list + "0: kd> k\n" + stack, false},
		{"two complaints", complaint + brk + place + strings.Replace(complaint, "8148", "9148", 1) + brk + place + list + "0: kd> k\n" + stack, false},
		{"a thread that was asked for", complaint + brk + place + list + "0: kd> .thread ffffe00f4aaaa040\nImplicit thread is now ffffe00f`4aaaa040\n0: kd> k\n" + stack, false},
		{"another moment", complaint + brk + place + list + "0: kd> g\n" + brk + place + "0: kd> k\n" + stack, false},
	} {
		linked := false
		for _, s := range read(t, tc.text).Snapshots {
			for w := range s.Waits() {
				if w.How == snapshot.WaitTimeout {
					linked = w.Resource == 0xffffe00f4c2a8148 && w.Addr == 0 && (w.Owner == 0xffffe00f4e9f3040)
				}
			}
		}
		if linked != tc.linked {
			t.Errorf("%s: linked is %v", tc.name, linked)
		}
	}
}
