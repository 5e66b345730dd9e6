package dump

import (
	"errors"
	"fmt"

	"kdlocks/kd"
)

// Fault tells why memory of the target could not be read: at which address, on which
// level of the page tables, and whether that is so on the machine, or the page is not in
// the dump.
type Fault struct {
	VA    uint64
	Level string // "PML4E", "PDPTE", "PDE", "PTE", or "page" for the memory itself
	Why   FaultKind
	PA    uint64 // of the entry or page that is not in the dump
}

// FaultKind is what is wrong with an address.
type FaultKind int

// The kinds of faults.
const (
	NotPresent   FaultKind = iota // nothing is there
	PagedOut                      // it is in a page file, or is to be filled with zeros
	Prototype                     // it is shared memory whose page table is elsewhere
	NotInDump                     // the page that is needed is not in the dump
	NotCanonical                  // no address of the processor
)

func (f *Fault) Error() string {
	switch f.Why {
	case NotInDump:
		return fmt.Sprintf("0x%x: not in the dump: the %s at physical address 0x%x", f.VA, f.Level, f.PA)
	case PagedOut:
		return fmt.Sprintf("0x%x: paged out, by its %s", f.VA, f.Level)
	case Prototype:
		return fmt.Sprintf("0x%x: shared memory that is not mapped, by its %s", f.VA, f.Level)
	case NotCanonical:
		return fmt.Sprintf("0x%x: no address of the processor", f.VA)
	}
	return fmt.Sprintf("0x%x: not present, by its %s", f.VA, f.Level)
}

// why is the reason for a gap that an error leaves: what the dump holds and cannot be so is
// unreadable, and not missing.
func why(err error) kd.Why {
	var f *Fault
	if !errors.As(err, &f) || f.Why == NotCanonical {
		return kd.Unreadable
	}
	return kd.NotInDump
}
