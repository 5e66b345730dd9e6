package open

import (
	"errors"
	"fmt"
	"io"
	"os"

	"kdlocks/inspect"
)

// spool keeps what cannot be read at random: in memory while that lasts, then
// in one temporary file that all share.
type spool struct {
	dir    string
	memory int64 // bytes that may still be kept in memory

	file *os.File
	path string // to remove at the end, where an open file cannot be removed
	end  int64  // bytes of the file that are taken
}

// spooled is one input in the spool. Only the last one begun may be written.
type spooled struct {
	s    *spool
	name string
	buf  []byte
	disk bool
	off  int64 // of its first byte in the file
	n    int64
}

func (s *spool) begin(name string) *spooled { return &spooled{s: s, name: name, off: s.end} }

// Write appends to the input.
func (p *spooled) Write(b []byte) (int, error) {
	if !p.disk && p.n+int64(len(b)) <= p.s.memory {
		p.buf = append(p.buf, b...)
		p.n += int64(len(b))
		return len(b), nil
	}
	if !p.disk {
		p.disk = true
		if _, err := p.s.append(p.buf); err != nil {
			p.n = 0
			return 0, err
		}
		p.buf = nil
	}
	n, err := p.s.append(b)
	p.n += int64(n)
	return n, err
}

// input ends the writing.
func (p *spooled) input() inspect.Input {
	if p.disk {
		return inspect.Input{Name: p.name, Data: io.NewSectionReader(p.s.file, p.off, p.n), Size: p.n}
	}
	p.s.memory -= p.n
	return inspect.Bytes(p.name, p.buf)
}

func (s *spool) append(b []byte) (int, error) {
	if s.file == nil {
		f, err := os.CreateTemp(s.dir, "kdlocks-*.tmp")
		if err != nil {
			return 0, fmt.Errorf("temporary file: %w", err)
		}
		s.file = f
		if os.Remove(f.Name()) != nil { // Windows keeps the names of open files
			s.path = f.Name()
		}
	}
	n, err := s.file.WriteAt(b, s.end)
	s.end += int64(n)
	if err != nil {
		err = fmt.Errorf("temporary file: %w", err)
	}
	return n, err
}

func (s *spool) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if s.path != "" {
		err = errors.Join(err, os.Remove(s.path))
	}
	s.file = nil
	return err
}
