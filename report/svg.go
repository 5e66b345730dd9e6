package report

import (
	"io"

	"kdlocks/picture"
)

// WriteSVG draws the findings as one SVG picture.
func WriteSVG(w io.Writer, r *Report, _ Style) error { return picture.WriteSVG(w, r.Picture()) }
