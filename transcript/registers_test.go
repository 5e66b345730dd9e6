package transcript

import "testing"

func TestRegisters(t *testing.T) {
	for _, s := range []string{
		"rax=0000000000000000 rbx=ffffcb0fff0a4480 rcx=0000000000000000",
		" r8=0000000000000000  r9=ffffcb0fff0a4480 r10=0000000000000000",
		"iopl=0         nv up ei pl zr na po nc",
		"cs=0008  ss=0010  ds=0023  es=0023  fs=0030  gs=0000             efl=00000246",
		"eip=80503a0d esp=fd681c2c ebp=fd681c60 iopl=0         nv up di pl nz na pe nc",
		"x0=0000000000000000   x1=ffffe3813f2c7040   x2=0000000000000000",
		"pc=fffff80012345678  psr=60000044 -ZC- EL1",
	} {
		if !isRegisters(s) {
			t.Errorf("%q is not known", s)
		}
	}
	for _, s := range []string{"", "flags=1234", "ret=maybe", "x0", "it is rax=0000000000000000", "rax=0000000000000000 was wrong", "Arg1=0000000000000001", "name=deadbeef and so on forever"} {
		if isRegisters(s) {
			t.Errorf("%q is taken for registers", s)
		}
	}
}
