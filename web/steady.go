package web

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// steady reads a body that must keep coming: each LeastBytes of it have Limits.Stall
// to arrive. At its end nothing is expected any more.
type steady struct {
	body  io.ReadCloser
	ctl   *http.ResponseController
	stall time.Duration
	left  int64
	read  func(n int)
}

func (s *steady) Read(p []byte) (int, error) {
	if s.left <= 0 {
		s.left = LeastBytes
		s.deadline(time.Now().Add(s.stall))
	}
	n, err := s.body.Read(p)
	s.left -= int64(n)
	s.read(n)
	if err == io.EOF {
		s.deadline(time.Time{})
	}
	return n, err
}

// paused says that the server has not read for a while.
func (s *steady) paused() { s.left = 0 }

func (s *steady) Close() error { return s.body.Close() }

// deadline sets one where the connection has any; in tests without a connection none is kept.
func (s *steady) deadline(t time.Time) {
	if err := s.ctl.SetReadDeadline(t); err != nil && !errors.Is(err, http.ErrNotSupported) {
		s.left = 0
	}
}

// taker sends an answer to a client that must keep taking it, and remembers what
// was said.
type taker struct {
	http.ResponseWriter
	ctl   *http.ResponseController
	stall time.Duration
	left  int64
	code  int
}

// Unwrap is for http.ResponseController.
func (t *taker) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// WriteHeader keeps the code.
func (t *taker) WriteHeader(code int) {
	if t.code == 0 && code >= 200 {
		t.code = code
		t.more(2 * t.stall) // the HTTP server may read the rest of the body before it writes
	}
	t.ResponseWriter.WriteHeader(code)
}

func (t *taker) more(d time.Duration) {
	t.left = LeastBytes
	_ = t.ctl.SetWriteDeadline(time.Now().Add(d)) // in tests there is no connection
}

// Write sends p in pieces, each with its time.
func (t *taker) Write(p []byte) (int, error) {
	if t.code == 0 {
		t.WriteHeader(http.StatusOK)
	}
	sent := 0
	for {
		if t.left <= 0 {
			t.more(t.stall)
		}
		n, err := t.ResponseWriter.Write(p[:min(len(p), LeastBytes/4)])
		t.left -= int64(n)
		sent, p = sent+n, p[n:]
		if err != nil || len(p) == 0 {
			return sent, err
		}
	}
}

// isStalled reports whether an error is that of a deadline.
func isStalled(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
