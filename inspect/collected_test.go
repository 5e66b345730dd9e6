package inspect_test

import (
	"slices"
	"testing"
)

// TestCollectedTextKeepsTheFindings plants deadlocks and innocents in text in
// which marks stand for prompts, in all its forms and mangled: the findings are
// those of the clean text, and the planted facts are read.
func TestCollectedTextKeepsTheFindings(t *testing.T) {
	t.Parallel()
	for i, p := range append(slices.Clone(deadlocks), innocents...) {
		d := dialects[i%len(dialects)]
		if p.on64 && d.x86 {
			d = dialects[2+i%5]
		}
		st := collected[i%len(collected)]
		s := newScene(uint64(500+i), d, st, 20, p)
		t.Run(p.name+"/"+d.name+"/"+st.name, func(t *testing.T) {
			checkForms(t, s, forms)
			if i%4 == 0 {
				checkManglings(t, s, i)
			}
		})
	}
}
