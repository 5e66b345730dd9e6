package unwind

import (
	"fmt"
	"math"

	"kdlocks/dump/image"
)

// maxChain is how many entries of the function table one function may be
// spread over. Compilers chain two or three.
const maxChain = 32

// allDone is where a function has done all of its prolog.
const allDone = math.MaxInt

// direct returns the entry that has the unwind info of f. Bit 0 of UnwindInfo
// says that it is the RVA of another entry, whose unwind info it is.
func direct(im *image.Image, f image.RuntimeFunction) (image.RuntimeFunction, error) {
	for range maxChain {
		if f.UnwindInfo&1 == 0 {
			return f, nil
		}
		var err error
		if f, err = im.RuntimeFunction(f.UnwindInfo &^ 1); err != nil {
			return f, err
		}
	}
	return f, fmt.Errorf("%w: function table leads through more than %d entries", ErrMalformed, maxChain)
}

// next loads the unwind info that u is chained to.
func (u *info) next(im *image.Image) (image.RuntimeFunction, error) {
	f, err := direct(im, u.chain)
	if err != nil {
		return f, err
	}
	return f, u.load(im, f.UnwindInfo)
}

// undo undoes what the function had done when it was at bytes into the part
// whose info is loaded. Whoever is in a chained part has done all of the others.
func (s *stepper) undo(at int) error {
	for range maxChain {
		if err := s.undoCodes(at); err != nil {
			return err
		}
		if s.info.flags&flagChain == 0 {
			return nil
		}
		if _, err := s.info.next(s.im); err != nil {
			return err
		}
		at = allDone
	}
	return fmt.Errorf("%w: more than %d are chained", ErrMalformed, maxChain)
}

func (s *stepper) undoCodes(at int) error {
	if err := s.establish(at); err != nil {
		return err
	}
	for n := 0; n < int(s.info.count); {
		c, err := s.info.code(n)
		if err != nil {
			return err
		}
		n += int(c.slots)
		if c.op == opEpilog || int(c.offset) > at {
			continue
		}
		if s.f.MachineFrame {
			return fmt.Errorf("%w: codes before a machine frame", ErrMalformed)
		}
		if err := s.undoCode(c); err != nil {
			return err
		}
	}
	return nil
}

// establish sets the base of the frame from the frame register when the prolog
// has set that.
func (s *stepper) establish(at int) error {
	if s.info.frame == 0 {
		return nil
	}
	set := at == allDone
	for n := 0; n < int(s.info.count) && !set; {
		c, err := s.info.code(n)
		if err != nil {
			return err
		}
		n += int(c.slots)
		set = c.op == opSetFPReg && int(c.offset) <= at
	}
	if !set {
		return nil
	}
	if err := s.need(s.info.frame); err != nil {
		return err
	}
	s.f.Establisher = s.r.R[s.info.frame] - s.info.frameOffset
	s.plan.framed(s.info.frame)
	return nil
}

func (s *stepper) undoCode(c code) error {
	rsp := &s.r.R[RSP]
	switch c.op {
	case opPushNonvol:
		*rsp += 8
		return s.saved(c.arg, *rsp-8)
	case opAllocSmall:
		*rsp += uint64(c.arg)*8 + 8
	case opAllocLarge:
		switch c.arg {
		case 0:
			*rsp += c.value * 8
		case 1:
			*rsp += c.value
		default:
			return fmt.Errorf("%w: allocation of kind %d", ErrMalformed, c.arg)
		}
	case opSetFPReg:
		if s.info.frame == 0 {
			return fmt.Errorf("%w: no frame register to set", ErrMalformed)
		}
		s.move(s.f.Establisher)
	case opSaveNonvol:
		return s.saved(c.arg, s.f.Establisher+c.value*8)
	case opSaveNonvolFar:
		return s.saved(c.arg, s.f.Establisher+c.value)
	case opPushMachframe:
		return s.machineFrame(c.arg)
	}
	return nil // the XMM registers are not followed
}

// saved restores a register a code has saved.
func (s *stepper) saved(register uint8, va uint64) error {
	if register == RSP {
		return fmt.Errorf("%w: RSP is saved", ErrMalformed)
	}
	return s.restore(register, va)
}

// machineFrame takes RIP and RSP from what the processor pushed at an interrupt:
// an error code or none, RIP, CS, EFLAGS, RSP, SS.
func (s *stepper) machineFrame(errorCodes uint8) error {
	at := s.r.R[RSP]
	if at < s.floor {
		return fmt.Errorf("%w: %#x from %#x", ErrStack, at, s.floor)
	}
	if errorCodes > 1 {
		return fmt.Errorf("%w: machine frame of kind %d", ErrMalformed, errorCodes)
	}
	at += 8 * uint64(errorCodes)
	rip, err := s.read(at, "RIP")
	if err != nil {
		return err
	}
	rsp, err := s.read(at+24, "RSP")
	if err != nil {
		return err
	}
	s.r.RIP = rip
	s.move(rsp)
	s.f.MachineFrame = true
	return nil
}
