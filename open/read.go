package open

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"kdlocks/inspect"
)

// A packed stream that grows beyond so many times the archive is no log: the
// text of a debugger packs 10 to 200 times, deflate at most 1032 times. What
// stays small does no harm.
const (
	maxRatio   = 1000
	smallRatio = 64 << 20 // bytes
)

// fill spools r. The input holds what could be read, also with an error; of
// what is no text it holds the beginning alone, which is enough to say so.
func (o *opener) fill(name string, r io.Reader, from *archive) (inspect.Input, error) {
	p := o.spool.begin(name)
	buf := make([]byte, headSize)
	n, err := readFull(r, buf)
	if n > 0 && packing(buf[:n]) == nil && notText(buf[:n]) != "" {
		return inspect.Bytes(name, buf[:n]), nil
	}
	for {
		if werr := o.take(p, buf[:n], from); werr != nil {
			return p.input(), werr
		}
		if err != nil {
			break
		}
		n, err = readFull(r, buf)
	}
	if err == io.EOF {
		err = nil
	}
	return p.input(), err
}

// take spools a piece, as far as the limits allow.
func (o *opener) take(p *spooled, b []byte, from *archive) error {
	if err := o.ctx.Err(); err != nil {
		return err
	}
	room := o.opt.MaxSize - o.total
	over := int64(len(b)) > room
	if over {
		b = b[:room]
	}
	n, err := p.Write(b)
	o.total += int64(n)
	switch {
	case err != nil:
		return err
	case over:
		return fmt.Errorf("%w of %s for all that is unpacked or piped in (--max-size)", ErrLimit, size(o.opt.MaxSize))
	case from.count(n):
		return fmt.Errorf("%w of %d times the size of the archive", ErrLimit, maxRatio)
	}
	if o.opt.Progress != nil {
		o.opt.Progress(p.name, p.n)
	}
	return nil
}

// ErrLimit is wrapped by errors about a limit that was hit. What was read before is
// in the set.
var ErrLimit = errors.New("over the limit")

// readFull reads until buf is full or r ends. Unlike that of io it keeps the
// error of r, so that a stream cut short is told from a short one.
func readFull(r io.Reader, buf []byte) (n int, err error) {
	for idle := 0; n < len(buf) && err == nil; {
		var m int
		m, err = r.Read(buf[n:])
		if m < 0 || m > len(buf)-n {
			return n, errors.New("the reader counts wrong")
		}
		n += m
		if idle++; m > 0 {
			idle = 0
		}
		if idle == 100 {
			return n, io.ErrNoProgress
		}
	}
	return n, err
}

// summed checks the CRC-32 of a member at its end.
type summed struct {
	r         io.Reader
	sum, want uint32
}

func (s *summed) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.sum = crc32.Update(s.sum, crc32.IEEETable, p[:max(n, 0)])
	if err == io.EOF && s.sum != s.want {
		err = errChecksum
	}
	return n, err
}

var errChecksum = errors.New("its checksum is wrong")

// interruptible returns a reader of r that ends when ctx is done, also while r
// blocks. The read that blocks is then left behind.
func interruptible(ctx context.Context, r io.Reader) io.ReadCloser {
	pr, pw := io.Pipe()
	stop := context.AfterFunc(ctx, func() { pr.CloseWithError(ctx.Err()) })
	go func() {
		_, err := io.CopyBuffer(struct{ io.Writer }{pw}, struct{ io.Reader }{r}, make([]byte, headSize))
		stop()
		pw.CloseWithError(err)
	}()
	return pr
}

// waiting is r, which fails once ctx is done.
type waiting struct {
	ctx context.Context
	r   io.ReaderAt
}

func (w waiting) ReadAt(p []byte, off int64) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.r.ReadAt(p, off)
}

// size writes a number of bytes for people.
func size(n int64) string {
	const units = "KMGTPE"
	if n < 1<<10 {
		return fmt.Sprintf("%d bytes", n)
	}
	f, i := float64(n)/(1<<10), 0
	for f >= 1<<10 {
		f /= 1 << 10
		i++
	}
	if f == float64(int64(f)) {
		return fmt.Sprintf("%d %ciB", int64(f), units[i])
	}
	return fmt.Sprintf("%.1f %ciB", f, units[i])
}
