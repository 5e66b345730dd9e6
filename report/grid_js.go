package report

import "io"

// grid prints no lines where the program must be small to load; a page has tables of
// its own.
func (t *table) grid(w io.Writer) error { return t.blocks(w, 0) }
