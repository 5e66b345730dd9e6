package image

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// RuntimeFunction is a RUNTIME_FUNCTION of x64: the code from Begin up to End,
// and where its unwind info is, all as RVAs.
type RuntimeFunction struct {
	Begin, End, UnwindInfo uint32
}

const runtimeFunctionSize = 12

// Function returns the entry of the exception directory whose code holds rva.
// Without one the code there is of a leaf function; that is no error. It fails
// with a *ReadError when a page of the directory that the search needs is not
// there. The directory is sorted by Begin (Microsoft Learn, "x64 exception
// handling"), so few pages are read.
func (i *Image) Function(rva uint32) (RuntimeFunction, bool, error) {
	if i.Machine != MachineAMD64 {
		return RuntimeFunction{}, false, fmt.Errorf("%w: function table of machine %#x", ErrMalformed, i.Machine)
	}
	d, err := i.directory(dirException, runtimeFunctionSize, "exception directory")
	if errors.Is(err, ErrAbsent) {
		return RuntimeFunction{}, false, nil
	} else if err != nil {
		return RuntimeFunction{}, false, err
	}
	var found RuntimeFunction
	for low, high := uint32(0), d.size/runtimeFunctionSize; low < high; {
		mid := low + (high-low)/2
		f, err := i.RuntimeFunction(d.rva + mid*runtimeFunctionSize)
		if err != nil {
			return RuntimeFunction{}, false, err
		}
		if f.Begin <= rva {
			found, low = f, mid+1
		} else {
			high = mid
		}
	}
	if rva >= found.End {
		return RuntimeFunction{}, false, nil
	}
	return found, true, nil
}

// RuntimeFunction reads the RUNTIME_FUNCTION at rva.
func (i *Image) RuntimeFunction(rva uint32) (RuntimeFunction, error) {
	var b [runtimeFunctionSize]byte
	if err := i.Read(b[:], rva, "function table"); err != nil {
		return RuntimeFunction{}, err
	}
	return RuntimeFunction{
		Begin:      binary.LittleEndian.Uint32(b[0:]),
		End:        binary.LittleEndian.Uint32(b[4:]),
		UnwindInfo: binary.LittleEndian.Uint32(b[8:]),
	}, nil
}
