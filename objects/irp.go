package objects

import "kdlocks/kd"

// IRP is an I/O request packet as !irp prints it, or as a row of !irpfind does.
type IRP struct {
	// Addr is 0 if unknown: !irp does not print it. It is the one that was typed,
	// and AddrAt says where; without one it follows from the address of the
	// current stack location, and AddrAt is not known.
	Addr   kd.Addr
	AddrAt kd.Ref
	// Row is set for a row of !irpfind: of the stack locations it has the current
	// one alone.
	Row bool

	// Stacks is how many stack locations there are, -1 if not printed, Current the number of the
	// current one, counted from 1 at the driver that was asked last; -1 if not
	// printed. Location is the address of the current one.
	Stacks, Current int
	Location        Printed
	// Complete is set when the IRP is completed, PendingReturned when it was
	// pending before, Cancelled when it was cancelled.
	Complete, PendingReturned bool
	Cancelled                 Flag

	Mdl, Buffer Printed // zero: none
	Thread      Printed // that issued it; zero: none
	// CancelRoutine and Status are those of !irp with details: zero is no
	// routine, and an NTSTATUS in Status.Addr.
	CancelRoutine, Status Printed
	// MdlProcess is the process of the Mdl, in rows of !irpfind.
	MdlProcess Printed

	Locations []Location // as printed, the first is that of the lowest driver
	At        kd.Ref     // the first line
	EndLine   int32
	// Conflict says what is contradictory about it, "" if nothing.
	Conflict string
}

// Location is one stack location of an IRP: what one driver was asked.
type Location struct {
	Major, Minor         int    // function codes
	MajorName, MinorName string // "IRP_MJ_READ"; "" where only codes are printed or there is no name
	Current              bool   // marked with >
	Flags                uint32 // as printed below flg
	// Control are the bits as printed below cl; what they mean is told by the
	// words behind them, too (SL_PENDING_RETURNED and its kin in wdm.h).
	Control             uint32
	Device, File        Printed
	Completion, Context kd.Addr // of the completion routine
	Driver              string  // \Driver\disk, \FileSystem\Ntfs; "" if not printed
	Routine             string  // the completion routine's symbol, "" if not printed
	Success, Error      bool    // the completion routine is called then
	Cancel              bool
	Pending             Flag // the driver marked it pending
	Args                []kd.Addr
	At                  kd.Ref
}

// Unused reports whether nothing was asked there yet.
func (l *Location) Unused() bool {
	return l.Major == 0 && l.Minor == 0 && l.Device.Addr == 0 && l.Completion == 0 && l.Driver == ""
}

// CurrentLocation returns the stack location of the driver that has the IRP,
// nil if it is complete, was not printed, or if mark and number contradict each
// other.
func (i *IRP) CurrentLocation() *Location {
	if i.Complete || i.Conflict != "" {
		return nil
	}
	marked, marks := -1, 0
	for n := range i.Locations {
		if i.Locations[n].Current {
			marked, marks = n, marks+1
		}
	}
	switch {
	case marks == 1:
		return &i.Locations[marked]
	case len(i.Locations) == i.Stacks && 1 <= i.Current && i.Current <= i.Stacks:
		return &i.Locations[i.Current-1] // the marks were lost, or quoting looks like them
	}
	return nil
}

// Driver returns the driver that has the IRP and whether it marked it pending;
// "" if unknown.
func (i *IRP) Driver() (name string, pending Flag) {
	l := i.CurrentLocation()
	if l == nil {
		return "", Unknown
	}
	return l.Driver, l.Pending
}

// Bits of Control (wdm.h, Windows Driver Kit).
const (
	pendingReturned = 0x01
	invokeOnCancel  = 0x20
	invokeOnSuccess = 0x40
	invokeOnError   = 0x80
)

func (i *IRP) mapAddrs(f func(kd.Addr) kd.Addr) {
	i.Addr = f(i.Addr)
	mapAll(f, &i.Location, &i.Mdl, &i.Buffer, &i.Thread, &i.CancelRoutine, &i.MdlProcess)
	for n := range i.Locations {
		l := &i.Locations[n]
		mapAll(f, &l.Device, &l.File)
		l.Completion, l.Context = f(l.Completion), f(l.Context)
		for k := range l.Args {
			l.Args[k] = f(l.Args[k])
		}
	}
}

// Sizes of an IRP and of a stack location behind it, in bytes: those of the
// structures in wdm.h (Windows Driver Kit), and of all samples of !irp.
const (
	irpSize64, locationSize64 = 0xd0, 0x48
	irpSize32, locationSize32 = 0x70, 0x24
)

// fromLocation returns the address of an IRP whose stack location number n is at
// a, 0 if that cannot be. digits is the width of a as printed.
func fromLocation(a kd.Addr, n, digits int) kd.Addr {
	size, each := kd.Addr(irpSize64), kd.Addr(locationSize64)
	if digits == 8 || a.SignExtended() {
		size, each = irpSize32, locationSize32
	}
	back := size + each*kd.Addr(n-1)
	if n < 1 || n > 0xff || a <= back {
		return 0
	}
	return a - back
}
