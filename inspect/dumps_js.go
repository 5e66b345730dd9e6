package inspect

import (
	"context"

	"kdlocks/report"
	"kdlocks/transcript"
)

// Symbols are those of dumps, which the page does not read.
type Symbols struct{}

// IsDump reports whether data begins as a crash dump does that Run reads.
func IsDump([]byte) bool { return false }

// given is what was read of the inputs.
type given struct{ *transcript.Transcript }

func read(ctx context.Context, inputs []Input, opt *Options) (*given, error) {
	t, err := transcript.Read(ctx, inputs, opt.Progress)
	return &given{t}, err
}

// Texts returns the inputs: the page reads no dumps.
func Texts(_ context.Context, inputs []Input, _ Options) ([]Input, error) { return inputs, nil }

func (g *given) sources() []report.Source { return sources(g.Transcript) }
