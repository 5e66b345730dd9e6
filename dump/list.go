package dump

import (
	"errors"
	"fmt"
)

// walkList calls visit with the address of each entry of a doubly linked list that begins
// at head, in its order. Visit returns an error for an entry that it does not take; then,
// and where memory is missing, the list is followed from its other end, unless no more is
// taken at all. It returns what is wrong with the list, nil if it is whole.
func (m *memory) walkList(head uint64, visit func(entry uint64) error) error {
	forward := m.follow(head, 0, visit)
	if forward == nil || errors.As(forward, new(errLimit)) {
		return forward
	}
	if backward := m.follow(head, 8, visit); backward != nil {
		return fmt.Errorf("%w; from its end: %w", forward, backward)
	}
	return forward
}

// errBefore is returned for an entry that was met before.
var errBefore = errors.New("it was met before")

// errLimit says that no machine has so many of something.
type errLimit int

func (n errLimit) Error() string { return fmt.Sprintf("no more than %d are read", int(n)) }

// taken are the structures of a list that were met. Two that begin within one cell overlap:
// a cell, of so many bits of the address, is no larger than the structure.
type taken struct {
	cell uint
	most int
	by   map[uint64]uint64 // address by cell
}

func newTaken(cell uint, most int) *taken { return &taken{cell, most, make(map[uint64]uint64)} }

// take returns an error for a structure that was met before, that overlaps another, or that
// is one too many.
func (t *taken) take(va uint64) error {
	switch other, met := t.by[va>>t.cell]; {
	case met && other == va:
		return errBefore
	case met:
		return fmt.Errorf("it overlaps what is at 0x%x", other)
	case len(t.by) >= t.most:
		return errLimit(t.most)
	}
	t.by[va>>t.cell] = va
	return nil
}

// errMet says that a list leads back into itself, and not to its head.
type errMet struct{ entry, from uint64 }

func (e errMet) Error() string {
	return fmt.Sprintf("0x%x leads to 0x%x, which was met before", e.from, e.entry)
}

// errLink says that two entries of a list disagree.
type errLink struct{ entry, from, back uint64 }

func (e errLink) Error() string {
	return fmt.Sprintf("0x%x leads to 0x%x, which leads back to 0x%x", e.from, e.entry, e.back)
}

// follow goes along one of the two links: 0 for Flink, 8 for Blink. An entry whose other
// link does not lead back is taken all the same, and told.
func (m *memory) follow(head uint64, link uint64, visit func(uint64) error) error {
	var wrong error
	at := head
	for {
		next, err := m.u64(at + link)
		if err != nil {
			return fmt.Errorf("behind 0x%x: %w", at, err)
		}
		back, err := m.u64(next + 8 - link)
		switch {
		case err != nil:
			return fmt.Errorf("0x%x leads to 0x%x: %w", at, next, err)
		case back != at && wrong == nil:
			wrong = errLink{next, at, back}
		}
		if next == head {
			return wrong
		}
		if err := visit(next); errors.Is(err, errBefore) {
			return errMet{next, at}
		} else if err != nil {
			return fmt.Errorf("0x%x leads to 0x%x: %w", at, next, err)
		}
		at = next
	}
}
