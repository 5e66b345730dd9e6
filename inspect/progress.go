package inspect

import (
	"io"
	"sync"
)

// counted returns inputs that tell how much of them was read.
func counted(inputs []Input, progress func(done, total int64)) []Input {
	if progress == nil {
		return inputs
	}
	c := &counter{progress: progress}
	out := make([]Input, len(inputs))
	for i, in := range inputs {
		c.total += in.Size
		out[i] = Input{Name: in.Name, Data: &countedReader{in.Data, c}, Size: in.Size}
	}
	return out
}

type counter struct {
	mu                sync.Mutex
	progress          func(done, total int64)
	done, told, total int64 // bytes
}

func (c *counter) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = min(c.done+int64(n), c.total) // what is read twice counts once at the end
	if c.done-c.told >= progressStep || c.done == c.total && c.told < c.done {
		c.told = c.done
		c.progress(c.done, c.total)
	}
}

const progressStep = 1 << 20 // bytes

type countedReader struct {
	io.ReaderAt
	c *counter
}

// ReadAt reads in steps, so that one large read tells its progress too.
func (r *countedReader) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = r.ReaderAt.ReadAt(p[n:min(len(p), n+progressStep)], off+int64(n))
		n += m
		r.c.add(m)
	}
	if err == io.EOF && n == len(p) {
		err = nil
	}
	return n, err
}
