package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"

	"kdlocks/dump/walked"
	"kdlocks/report"
	"kdlocks/transcript"
)

// given is what was read of the inputs: their text, and for dumps what they are.
type given struct {
	*transcript.Transcript
	dumps []*dumped // one for each input, nil for a text
}

// dumped is a dump and the text that was made of it.
type dumped struct {
	walked.Dump
	text Input
	// place returns which address of the machine a line is about, and where in the file
	// that is.
	place func(line int32) (va uint64, offset int64)
}

// input is the text as an input.
func (d *dumped) input() Input {
	in := d.text
	in.Missing, in.Odd, in.Printed = d.Gaps, append([]string{experimental}, d.Notes...), true
	return in
}

const experimental = "reading crash dumps is experimental: the lines are those of -o kd, to be compared with what WinDbg prints"

// asText returns the text of an input that is a dump, nil for one that is a text already.
func asText(ctx context.Context, in Input, opt *Options, p *progress) (*dumped, error) {
	head := make([]byte, 8)
	n, _ := in.Data.ReadAt(head, 0)
	var d *dumped
	var err error
	switch {
	case walked.Is(head[:n]):
		d, err = wasWalked(in)
	case IsDump(head[:n]):
		d, err = walk(ctx, in, opt, p.dump(in.Size))
	default:
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.Name, err)
	}
	return d, nil
}

// wasWalked reads what Walked wrote.
func wasWalked(in Input) (*dumped, error) {
	w, at, err := walked.Read(in.Data, in.Size)
	if err != nil {
		return nil, err
	}
	text := Input{Name: in.Name, Data: io.NewSectionReader(in.Data, at, in.Size-at), Size: in.Size - at}
	return &dumped{*w, text, w.Places.Of}, nil
}

// read reads the inputs, each dump among them as what a debugger would print of it.
func read(ctx context.Context, inputs []Input, opt *Options) (*given, error) {
	g := &given{dumps: make([]*dumped, len(inputs))}
	texts := append([]Input(nil), inputs...)
	p := newProgress(inputs, opt.Progress)
	var errs []error
	for i, in := range inputs {
		d, err := asText(ctx, in, opt, p)
		switch {
		case ctx.Err() != nil:
			g.Transcript = &transcript.Transcript{}
			return g, ctx.Err()
		case err != nil:
			errs = append(errs, err)
			texts[i] = Bytes(in.Name, nil)
		case d != nil:
			g.dumps[i], texts[i] = d, d.input()
		}
	}
	t, err := transcript.Read(ctx, texts, p.text())
	g.Transcript = t
	if len(errs) > 0 && len(t.Snapshots) == 0 && errors.Is(err, ErrNothing) {
		err = nil // it is told what is wrong with the dumps
	}
	return g, errors.Join(append(errs, err)...)
}

// Texts returns the inputs with what List writes in the place of each dump.
func Texts(ctx context.Context, inputs []Input, opt Options) ([]Input, error) {
	out := append([]Input(nil), inputs...)
	for i, in := range inputs {
		d, err := asText(ctx, in, &opt, newProgress(nil, nil))
		if err != nil {
			return nil, err
		}
		if d != nil {
			out[i] = d.text
		}
	}
	return out, nil
}

// sources are the inputs as the report needs them.
func (g *given) sources() []report.Source {
	out := sources(g.Transcript)
	for i, d := range g.dumps {
		if d == nil || i >= len(out) {
			continue
		}
		out[i].Memory = d.place
		about := report.Dump(d.About)
		out[i].Dump = &about
	}
	return out
}
