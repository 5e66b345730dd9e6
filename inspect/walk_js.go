package inspect

import (
	"bytes"
	"context"
	"errors"

	"kdlocks/dump/walked"
)

// Symbols are those of dumps, which another program reads for the page: web/wasm/extras.
type Symbols struct{}

// SymbolID tells which symbols belong to an image.
type SymbolID struct{}

// IsDump reports whether data begins as a crash dump does, or as one that was read, which
// Run judges.
func IsDump(head []byte) bool {
	return walked.Is(head) || bytes.HasPrefix(head, []byte("PAGEDU64")) || bytes.HasPrefix(head, []byte("PAGEDUMP"))
}

// walk is for dumps that came in an archive.
func walk(context.Context, Input, *Options, func(done, total int)) (*dumped, error) {
	return nil, errors.New("a crash dump, which the page reads when it is not packed: unpack it and drop the file itself here")
}
