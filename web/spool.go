package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"
)

// store is the room that all bodies and answers share: a little memory, and then
// temporary files.
type store struct {
	dir     string
	reserve int64 // of disk

	mu     sync.Mutex
	born   uint64 // spools so far
	memory int64  // free bytes
	disk   int64
	line   []*spool             // who waits for disk, the oldest first
	first  *spool               // who may take the reserve
	large  map[*spool]time.Time // who took a second step, and when the last; no time once all is there
	most   int                  // of those who are not slow
}

func newStore(dir string, l *Limits) *store {
	return &store{dir: dir, reserve: min(l.Body, l.Temp/2), memory: allInMemory, disk: l.Temp, large: make(map[*spool]time.Time), most: 4 * l.Jobs}
}

// spool is one body or one answer: written from the beginning to the end, then read at
// random. It takes room as it grows, so that who sends slowly holds little.
type spool struct {
	st     *store
	answer bool
	age    uint64
	wake   chan struct{}

	mem  []byte
	file *os.File
	path string // to remove at the end, where an open file cannot be removed
	size int64
	most int64
	disk int64 // bytes of room that are taken
}

var (
	errNoRoom = errors.New("no room")
	errTooBig = errors.New("too big")
)

// diskStep is how many bytes of room a spool takes at a time, slowStep how long one may
// take to fill it before it no longer counts.
const (
	diskStep = 8 << 20
	slowStep = 2 * time.Second
)

// body returns a spool for a request, of which at most so many bytes are written.
func (st *store) body(most int64) *spool { return st.spool(most, false) }

// answer returns a spool for an answer. It does not wait for room: bodies that wait
// for their turn hold theirs.
func (st *store) answer(most int64) *spool { return st.spool(most, true) }

func (st *store) spool(most int64, answer bool) *spool {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.born++
	return &spool{st: st, age: st.born, answer: answer, most: most, wake: make(chan struct{}, 1)}
}

// write appends; it waits for room until ctx is done.
func (s *spool) write(ctx context.Context, p []byte) error {
	if s.size+int64(len(p)) > s.most {
		return errTooBig
	}
	if s.file == nil && s.grow(len(p)) {
		s.mem = append(s.mem, p...)
		s.size += int64(len(p))
		return nil
	}
	if err := s.room(ctx, s.size+int64(len(p))); err != nil {
		return err
	}
	if s.file == nil {
		if err := s.spill(); err != nil {
			return err
		}
	}
	n, err := s.file.WriteAt(p, s.size)
	s.size += int64(n)
	return temporary(err)
}

// grow makes room for n more bytes in memory, if there is some.
func (s *spool) grow(n int) bool {
	need := len(s.mem) + n
	if need > keptInMemory {
		return false
	}
	if need <= cap(s.mem) {
		return true
	}
	want := min(keptInMemory, max(2*cap(s.mem), need, 4<<10))
	more := int64(want - cap(s.mem))
	s.st.mu.Lock()
	ok := s.st.memory >= more
	if ok {
		s.st.memory -= more
	}
	s.st.mu.Unlock()
	if ok {
		s.mem = append(make([]byte, 0, want), s.mem...)
	}
	return ok
}

// spill moves what is in memory to a file.
func (s *spool) spill() error {
	f, err := os.CreateTemp(s.st.dir, "kdlocks-*.tmp") // for this user alone
	if err != nil {
		return temporary(err)
	}
	s.file = f
	if os.Remove(f.Name()) != nil { // Windows keeps the names of open files
		s.path = f.Name()
	}
	_, err = f.WriteAt(s.mem, 0)
	s.forget()
	return temporary(err)
}

// forget gives the memory back.
func (s *spool) forget() {
	s.st.mu.Lock()
	s.st.memory += int64(cap(s.mem))
	s.st.mu.Unlock()
	s.mem = nil
}

func temporary(err error) error {
	if err != nil {
		return fmt.Errorf("%w: temporary file: %w", errNoRoom, err)
	}
	return nil
}

// room takes room on the disk for so many bytes in all.
func (s *spool) room(ctx context.Context, total int64) error {
	if total <= s.disk {
		return nil
	}
	step := min((total+diskStep-1)/diskStep*diskStep, max(s.most, total)) - s.disk
	st := s.st
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.take(s, step) {
		return nil
	}
	if s.answer {
		return errNoRoom
	}
	at, _ := slices.BinarySearchFunc(st.line, s.age, func(w *spool, age uint64) int { return cmp.Compare(w.age, age) })
	st.line = slices.Insert(st.line, at, s)
	defer func() {
		st.line = slices.DeleteFunc(st.line, func(w *spool) bool { return w == s })
		st.wakeAll()
	}()
	for !st.take(s, step) {
		st.mu.Unlock()
		select {
		case <-s.wake:
		case <-time.After(slowStep / 8):
		case <-ctx.Done():
		}
		st.mu.Lock()
		if ctx.Err() != nil {
			return errNoRoom
		}
	}
	return nil
}

// take takes room if there is enough. The last of it is for answers, and for one of
// those who wait at a time, so that one after the other comes to its end. Few large
// bodies come in at a time, that they are analysed before the next fill the disk; those
// that come slowly take nobody's place, and those of one step none at all.
func (st *store) take(s *spool, n int64) bool {
	_, turn := st.large[s] // who waits for a place waits for this one
	turn = turn || len(st.line) == 0 || st.line[0] == s
	switch {
	case st.disk < n:
		return false
	case s.answer:
	case s.disk > 0 && st.others(s) >= st.most:
		return false
	case st.first == s, (turn || s.disk == 0) && st.disk-n >= st.reserve:
	case turn && st.first == nil:
		st.first = s
	default:
		return false
	}
	if s.disk > 0 && !s.answer {
		st.large[s] = time.Now()
	}
	st.disk -= n
	s.disk += n
	return true
}

// others counts the large bodies beside s that are there or come fast.
func (st *store) others(s *spool) int {
	n := 0
	for other, last := range st.large {
		if other != s && (last.IsZero() || time.Since(last) < slowStep) {
			n++
		}
	}
	return n
}

// whole says that all of a body is there.
func (s *spool) whole() {
	s.st.mu.Lock()
	defer s.st.mu.Unlock()
	if _, ok := s.st.large[s]; ok {
		s.st.large[s] = time.Time{}
	}
}

func (st *store) wakeAll() {
	for _, w := range st.line {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// ReadAt reads what was written.
func (s *spool) ReadAt(p []byte, off int64) (int, error) {
	switch {
	case off < 0 || off >= s.size:
		return 0, io.EOF
	case s.file != nil:
		return s.file.ReadAt(p, off)
	}
	n := copy(p, s.mem[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// close lets all of it go.
func (s *spool) close() {
	if s == nil {
		return
	}
	s.forget()
	if s.file != nil {
		s.file.Close()
		if s.path != "" {
			os.Remove(s.path)
		}
		s.file = nil
	}
	s.st.mu.Lock()
	s.st.disk += s.disk
	delete(s.st.large, s)
	if s.st.first == s {
		s.st.first = nil
	}
	s.st.wakeAll()
	s.st.mu.Unlock()
	s.disk, s.size = 0, 0
}
