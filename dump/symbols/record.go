package symbols

import (
	"bufio"
	"io"
)

// maxRecord is the largest record of symbols or types: its length has 16 bits.
const maxRecord = 1<<16 + 2

// recordReader reads a stream record by record, so that the stream is not held
// in memory.
type recordReader struct{ *bufio.Reader }

func newRecords(r io.Reader) recordReader {
	return recordReader{bufio.NewReaderSize(r, maxRecord)}
}

// next reads a record: its length, which does not count itself, and its kind, 16
// bits both, and its body, which is good until the next one is read. At the end,
// and at a record that is cut off, the body is nil.
func (r recordReader) next() (kind uint16, body []byte, err error) {
	head, err := r.Peek(4)
	if err != nil {
		return 0, nil, notEOF(err)
	}
	kind = le.Uint16(head[2:])
	size := int(le.Uint16(head)) + 2
	if size < 4 {
		return 0, nil, nil
	}
	record, err := r.Peek(size)
	if err != nil {
		return 0, nil, notEOF(err)
	}
	_, err = r.Discard(size)
	return kind, record[4:], err
}

// notEOF makes the end of a stream no error.
func notEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
