package snapshot_test

import (
	"strings"
	"testing"

	"kdlocks/memory"
	"kdlocks/snapshot"
)

// TestAllocatorOf: the module that a back trace is put down to. The first two are of
// Microsoft Learn, Using UMDH to Find a User-Mode Memory Leak, and Q268343.
func TestAllocatorOf(t *testing.T) {
	log := &memory.HeapLog{Modules: []memory.HeapModule{{Name: "app", Base: 0x400000, Size: 0x11d000}, {Name: "ntdll", Base: 0x77650000, Size: 0x180000}}}
	const heap = "ntdll!RtlAllocateHeap+0x808;MyApp!_heap_alloc_base+0x69;MyApp!_heap_alloc_dbg+0x1A2;MyApp!_nh_malloc_dbg+0x23;MyApp!_nh_malloc+0x16;MyApp!operator new+0xE;"
	for _, c := range []struct {
		frames, module, function string
		windows                  bool
		nameless                 int
	}{
		{heap + "MyApp!DisplayMyGraphics+0x1E;MyApp!main+0x2C", "MyApp", "DisplayMyGraphics", false, 0},
		{heap + "MyApp!LeakyFunc+0x1E;MyApp!main+0x2C", "MyApp", "LeakyFunc", false, 0},
		{"ntdll!RtlAllocateHeap+E64;kernel32!FindNextFileW+77;MSVCR80D!findnext64i32+178;Test!readdir+75 (c:\\util.cpp, 674)", "Test", "readdir", false, 0},
		{"ntdll!RtlAllocateHeap+A64;KERNELBASE!LocalAlloc+6D;SHELL32!SHGetItemFromDataObject+612", "SHELL32", "SHGetItemFromDataObject", true, 0},
		{"ntdll!RtlAllocateHeap+1;ole32!CoTaskMemAlloc+1;Third!std::allocator<int>::allocate+1;Third!Make+1", "Third", "Make", false, 0},
		{"7768EC66;60AC5247;40C8EE;449DB8", "app", "", false, 1},
		{"ntdll!RtlAllocateHeap+1;tcmalloc!tc_malloc+1;App!CPool::operator new+1;App!??2@YAPAXI@Z+1;App!xmalloc+1;App!Keep+1", "App", "Keep", false, 0},
		{"ntdll!RtlAllocateHeap+1;libstdc++-6!operator new+1;asp!CSession::Init+1;msado15!Open+1;ShopCart!Fill+1;inetinfo!main+1", "ShopCart", "Fill", false, 0},
		{"ntdll!RtlAllocateHeap+1;sqloledb!Alloc+1;sqlservr!main+1", "sqloledb", "Alloc", true, 0},
		{"ntdll!RtlAllocateHeap+1", "", "", false, 0},
		{"60AC5247", "", "", false, 0},
		{"", "", "", false, 0},
	} {
		var frames []memory.HeapFrame
		for f := range strings.SplitSeq(c.frames, ";") {
			if f != "" {
				frames = append(frames, memory.HeapFrame{Text: f})
			}
		}
		a, ok := snapshot.AllocatorOf(frames, log)
		if ok != (c.module != "") || a.Module != c.module || a.Function != c.function || ok && (a.Windows != c.windows || a.Nameless != c.nameless) {
			t.Errorf("%s: %+v, %t", c.frames, a, ok)
		}
	}
}
