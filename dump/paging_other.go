package dump

// walk32 follows the tables of 32-bit Windows without PAE: two levels of 4-byte entries
// (Intel SDM volume 3, 32-bit paging).
func walk32(t *paging, va uint64) (uint64, *Fault) {
	table := t.root &^ (pageSize - 1)
	for i, l := range [2]struct {
		name  string
		shift uint
	}{{"PDE", 22}, {"PTE", 12}} {
		pa := table + va>>l.shift&0x3ff*4
		e, ok := t.physical.entry32(pa)
		switch {
		case !ok:
			return 0, &Fault{VA: va, Level: l.name, Why: NotInDump, PA: pa}
		case e&entryPresent == 0:
			return 0, &Fault{VA: va, Level: l.name, Why: absent(e)}
		case i == 0 && e&entryLarge != 0:
			return (e&0xffc00000 | va&0x3fffff) >> pageShift, nil
		}
		table = e &^ (pageSize - 1)
	}
	return table >> pageShift, nil
}

// walkPAE follows those of 32-bit Windows with PAE: four pointers to tables of 8-byte
// entries.
func walkPAE(t *paging, va uint64) (uint64, *Fault) {
	table := t.root &^ 0x1f
	for i, l := range [3]struct {
		name  string
		shift uint
		mask  uint64
	}{{"PDPTE", 30, 3}, {"PDE", 21, 0x1ff}, {"PTE", 12, 0x1ff}} {
		pa := table + va>>l.shift&l.mask*8
		e, ok := t.physical.entry(pa)
		switch {
		case !ok:
			return 0, &Fault{VA: va, Level: l.name, Why: NotInDump, PA: pa}
		case e&entryPresent == 0:
			return 0, &Fault{VA: va, Level: l.name, Why: absent(e)}
		case i == 1 && e&entryLarge != 0:
			return (e&entryFrame&^0x1fffff | va&0x1fffff) >> pageShift, nil
		}
		table = e & entryFrame
	}
	return table >> pageShift, nil
}

// walkARM64 follows the tables of ARM64 with pages of 4 KiB and four levels (Arm
// Architecture Reference Manual, VMSAv8-64). That the header's table is that of the
// kernel's half is not proven; where it is not, nothing is found.
func walkARM64(t *paging, va uint64) (uint64, *Fault) {
	const valid, table, frame = 1 << 0, 1 << 1, 0x0000_ffff_ffff_f000
	at := t.root
	for i, l := range levels {
		pa := at + va>>l.shift&0x1ff*8
		e, ok := t.physical.entry(pa)
		switch {
		case !ok:
			return 0, &Fault{VA: va, Level: l.name, Why: NotInDump, PA: pa}
		case e&valid == 0:
			return 0, &Fault{VA: va, Level: l.name, Why: absent(e)}
		case e&table == 0 && (i == 1 || i == 2):
			in := uint64(1)<<l.shift - 1
			return (e&frame&^in | va&in) >> pageShift, nil
		case e&table == 0:
			return 0, &Fault{VA: va, Level: l.name, Why: NotPresent}
		}
		at = e & frame
	}
	return at >> pageShift, nil
}
