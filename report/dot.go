package report

import (
	"io"

	"kdlocks/picture"
)

// WriteDOT prints the wait-for graph of the findings for Graphviz.
func WriteDOT(w io.Writer, r *Report, _ Style) error { return picture.WriteDOT(w, r.Picture()) }
