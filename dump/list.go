package dump

import "fmt"

// walkList calls visit with the address of each entry of a doubly linked list that begins
// at head, in its order. Visit returns false for an entry that it has met before, and when
// it takes no more; then, and where memory is missing, the list is followed from its
// other end. It returns what is wrong with the list, nil if it is whole.
func (m *memory) walkList(head uint64, visit func(entry uint64) bool) error {
	forward := m.follow(head, 0, visit)
	if forward == nil {
		return nil
	}
	if backward := m.follow(head, 8, visit); backward != nil {
		return fmt.Errorf("%w; from its end: %w", forward, backward)
	}
	return forward
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
func (m *memory) follow(head uint64, link uint64, visit func(uint64) bool) error {
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
		if !visit(next) {
			return errMet{next, at}
		}
		at = next
	}
}
