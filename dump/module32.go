package dump

import (
	"fmt"

	"kdlocks/kd"
)

// Offsets of the loader's entry on 32-bit Windows (volatility3's symbols of x86 kernels).
const (
	kl32DllBase     = 0x18
	kl32SizeOfImage = 0x20
	kl32FullName    = 0x24
	kl32BaseName    = 0x2c
	kl32Extent      = 0x40
)

// readModules32 walks the list of loaded modules of 32-bit Windows.
func (d *Dump) readModules32(list uint64) {
	met := make(map[uint64]bool)
	at, err := d.mem.u32(list)
	for err == nil && uint64(at) != list && !met[uint64(at)] && len(met) < mostModules {
		met[uint64(at)] = true
		var b [kl32Extent]byte
		if err = d.mem.ReadVirtual(b[:], uint64(at)); err != nil {
			break
		}
		m := &Module{at: uint64(at), Base: uint64(le.Uint32(b[kl32DllBase:])), Size: le.Uint32(b[kl32SizeOfImage:])}
		m.File, m.Path = d.mem.unicode32(b[kl32BaseName:]), d.mem.unicode32(b[kl32FullName:])
		m.Name = debuggerName(m.File)
		if len(d.modules) == 0 {
			m.Name, d.nt = "nt", m
		}
		if m.Size > 0 {
			d.modules = append(d.modules, m)
		}
		at = le.Uint32(b[:])
	}
	if err != nil || uint64(at) != list {
		d.gap(fmt.Sprintf("a part of the list of modules (PsLoadedModuleList, 0x%x), of which %d were read: %v", list, len(met), err), kd.NotInDump, "lm", false)
	}
	d.sortModules()
}

// unicode32 reads the text of a UNICODE_STRING of 32-bit Windows.
func (m *memory) unicode32(b []byte) string {
	s := make([]byte, min(int(le.Uint16(b)), 2*mostName)&^1)
	if m.ReadVirtual(s, uint64(le.Uint32(b[4:]))) != nil {
		return ""
	}
	return utf16Text(s)
}
