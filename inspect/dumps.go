//go:build !js

package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"kdlocks/dump"
	"kdlocks/dump/symbols"
	"kdlocks/report"
	"kdlocks/transcript"
)

// Symbols are the names and types of one image, for dumps.
type Symbols = symbols.Table

// given is what was read of the inputs: their text, and for dumps what they are.
type given struct {
	*transcript.Transcript
	dumps []*dumped // one for each input, nil for a text
}

// dumped is a dump and the text that was made of it.
type dumped struct {
	*dump.Dump
	listing *dump.Listing
	lock    sync.Mutex // a Dump is for one goroutine
}

// place returns which address of the machine a line is about, and where in the file that
// is.
func (d *dumped) place(line int32) (va uint64, offset int64) {
	va = d.listing.Address(line)
	d.lock.Lock()
	defer d.lock.Unlock()
	return va, d.Offset(va)
}

// read reads the inputs, each dump among them as what a debugger would print of it.
func read(ctx context.Context, inputs []Input, opt *Options) (*given, error) {
	g := &given{dumps: make([]*dumped, len(inputs))}
	texts := append([]Input(nil), inputs...)
	p := newProgress(inputs, opt.Progress)
	var errs []error
	for i, in := range inputs {
		if !isDump(in) {
			continue
		}
		d, err := readDump(ctx, in, opt, p.dump(in.Size))
		if err != nil {
			if ctx.Err() != nil {
				g.Transcript = &transcript.Transcript{}
				return g, ctx.Err()
			}
			errs = append(errs, fmt.Errorf("%s: %w", in.Name, err))
			texts[i] = Bytes(in.Name, nil)
			continue
		}
		g.dumps[i] = d
		texts[i] = Input{Name: in.Name, Data: d.listing, Size: d.listing.Size(), Missing: d.Gaps, Odd: append([]string{experimental}, d.Notes...)}
	}
	t, err := transcript.Read(ctx, texts, p.text(texts))
	g.Transcript = t
	if len(errs) > 0 && len(t.Snapshots) == 0 && errors.Is(err, ErrNothing) {
		err = nil // it is told what is wrong with the dumps
	}
	return g, errors.Join(append(errs, err)...)
}

const experimental = "reading crash dumps is experimental: the lines are those of -o kd, to be compared with what WinDbg prints"

// isDump reports whether an input is a kernel crash dump.
func isDump(in Input) bool {
	head := make([]byte, 8)
	n, _ := in.Data.ReadAt(head, 0)
	return dump.Is(head[:n])
}

// IsDump reports whether data begins as a crash dump does that Run reads.
func IsDump(head []byte) bool { return dump.Is(head) }

func readDump(ctx context.Context, in Input, opt *Options, progress dump.Progress) (*dumped, error) {
	tables, err := opt.symbols()
	if err != nil {
		return nil, err
	}
	d, err := dump.Open(in.Data, in.Size, dump.Options{Symbols: tables})
	if err != nil {
		return nil, err
	}
	facts, err := d.Read(ctx)
	if err != nil {
		return nil, err
	}
	listing, err := d.List(ctx, in.Name, facts, progress)
	if err != nil {
		return nil, err
	}
	return &dumped{Dump: d, listing: listing}, nil
}

// ErrNoDump is the error of List for an input that is no dump.
var ErrNoDump = errors.New("no crash dump: -o kd prints what is in a dump as a debugger would")

// List writes what a kernel debugger prints of the facts of a dump: what Run reads of it.
func List(ctx context.Context, in Input, opt Options, w io.Writer) error {
	if !isDump(in) {
		return fmt.Errorf("%s: %w", in.Name, ErrNoDump)
	}
	d, err := readDump(ctx, in, &opt, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", in.Name, err)
	}
	_, err = d.listing.WriteTo(w)
	return err
}

// Texts returns the inputs with what List writes in the place of each dump.
func Texts(ctx context.Context, inputs []Input, opt Options) ([]Input, error) {
	out := append([]Input(nil), inputs...)
	for i, in := range inputs {
		if !isDump(in) {
			continue
		}
		d, err := readDump(ctx, in, &opt, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", in.Name, err)
		}
		out[i] = Input{Name: in.Name, Data: d.listing, Size: d.listing.Size()}
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
		out[i].Dump = about(d.Dump)
	}
	return out
}

func about(d *dump.Dump) *report.Dump {
	a := report.Dump(d.About())
	return &a
}

// DumpInfo says what a dump is, without a walk of its lists.
func DumpInfo(in Input, opt Options) (*report.DumpInfo, error) {
	tables, err := opt.symbols()
	if err != nil {
		return nil, err
	}
	d, err := dump.Open(in.Data, in.Size, dump.Options{Symbols: tables})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.Name, err)
	}
	h := d.Header
	info := &report.DumpInfo{Name: in.Name, Bytes: in.Size, Dump: *about(d), Processors: int(h.Processors), Gaps: []report.Gap{}, Notes: d.Notes}
	info.Taken, info.Uptime = h.TakenText(), h.UptimeText()
	if h.Bugcheck != 0 {
		info.Bugcheck = &report.Bugcheck{Code: fmt.Sprintf("0x%x", h.Bugcheck)}
		for _, v := range h.Params {
			info.Bugcheck.Args = append(info.Bugcheck.Args, fmt.Sprintf("0x%x", v))
		}
	}
	for _, g := range d.Gaps {
		info.Gaps = append(info.Gaps, report.Gap{What: g.What, Why: string(g.Why), NextCommand: g.Next, Decides: g.Decides})
	}
	return info, nil
}
