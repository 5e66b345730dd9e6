package transcript_test

import "testing"

// TestStartAddress: a start address that was wrapped is put together again, and
// of one that was cut off no number is kept.
func TestStartAddress(t *testing.T) {
	const whole = "hung!WinMainCRTStartup (0x000000013f2d5b08)"
	const typed = "ucrtbase!thread_start<unsigned int (__cdecl*)(void *),1> (0x00007ff8f0b61b20)"
	for _, tc := range []struct{ name, text, want string }{
		{"whole", "Win32 Start Address " + whole, whole},
		{"x86", "Start Address nt!ExpWorkerThread (0x8083f671)", "nt!ExpWorkerThread (0x8083f671)"},
		{"no name", "Win32 Start Address 0x77e617f8", "0x77e617f8"},
		{"inside the number", "Win32 Start Address hung!WinMainCRTStartup (0x000000013f2d5b0\n8)", whole},
		{"behind eight digits", "Win32 Start Address hung!WinMainCRTStartup (0x00000001\n3f2d5b08)", whole},
		{"before the number", "Win32 Start Address hung!WinMainCRTStartup\n(0x000000013f2d5b08)", whole},
		{"inside the arguments of a template", "Win32 Start Address ucrtbase!thread_start<unsigned int (__cdecl*)(void\n*),1> (0x00007ff8f0b61b20)", typed},
		{"template whole", "Win32 Start Address " + typed, typed},
		{"cut off", "Win32 Start Address hung!WinMainCRTStartup (0x000000013f2d5b0", "hung!WinMainCRTStartup"},
		{"cut off before words", "Win32 Start Address hung!WinMainCRTStartup (0x000000013f2d5b0\nis where it started", "hung!WinMainCRTStartup"},
		{"whole before words", "Win32 Start Address " + whole + "\n8)", whole},
		{"a remark behind it", "Start Address nt!ExpWorkerThread (0x8083f671) << a worker", "nt!ExpWorkerThread (0x8083f671)"},
	} {
		tr := read(t, "THREAD fffffa800e17a7b0  Cid 0a3c.0a64  Teb: 000007fffffd9000 Win32Thread: 0000000000000000 WAIT: (Suspended) KernelMode Non-Alertable\n"+
			"    fffffa800e17aa80  Semaphore Limit 0x2\nNot impersonating\n"+tc.text+"\nStack Init fffff88006d7adb0 Current fffff88006d7a600\nBase fffff88006d7b000 Limit fffff88006d73000 Call 0\n")
		th := tr.Snapshots[0].Thread(0xfffffa800e17a7b0)
		if th == nil || th.StartAddress != tc.want || th.Stack.Init == 0 || th.Stack.Base == 0 {
			t.Errorf("%s: %+v", tc.name, th)
		}
	}
}
