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
	"kdlocks/dump/walked"
	"kdlocks/report"
)

// Symbols are the names and types of one image, for dumps.
type Symbols = symbols.Table

// SymbolID tells which symbols belong to an image.
type SymbolID = symbols.ID

// IsDump reports whether data begins as a crash dump does that Run reads.
func IsDump(head []byte) bool { return dump.Is(head) || walked.Is(head) }

// walk reads a crash dump.
func walk(ctx context.Context, in Input, opt *Options, progress func(done, total int)) (*dumped, error) {
	d, listing, err := listed(ctx, in, opt, progress)
	if err != nil {
		return nil, err
	}
	var lock sync.Mutex // a Dump is for one goroutine
	place := func(line int32) (va uint64, offset int64) {
		va = listing.Address(line)
		lock.Lock()
		defer lock.Unlock()
		return va, d.Offset(va)
	}
	text := Input{Name: in.Name, Data: listing, Size: listing.Size()}
	return &dumped{walked.Dump{About: d.About(), Gaps: d.Gaps, Notes: d.Notes}, text, place}, nil
}

func listed(ctx context.Context, in Input, opt *Options, progress func(done, total int)) (*dump.Dump, *dump.Listing, error) {
	tables, err := opt.symbols()
	if err != nil {
		return nil, nil, err
	}
	d, err := dump.Open(in.Data, in.Size, dump.Options{Symbols: tables, Find: opt.FindSymbols})
	if err != nil {
		return nil, nil, err
	}
	facts, err := d.Read(ctx)
	if err != nil {
		return nil, nil, err
	}
	listing, err := d.List(ctx, in.Name, facts, progress)
	return d, listing, err
}

// ErrNoDump is the error of List for an input that is no dump.
var ErrNoDump = errors.New("no crash dump: -o kd prints what is in a dump as a debugger would")

// List writes what a kernel debugger prints of the facts of a dump: what Run reads of it.
func List(ctx context.Context, in Input, opt Options, w io.Writer) error {
	d, err := asText(ctx, in, &opt, newProgress([]Input{in}, opt.Progress))
	switch {
	case err != nil:
		return err
	case d == nil:
		return fmt.Errorf("%s: %w", in.Name, ErrNoDump)
	}
	_, err = io.Copy(w, io.NewSectionReader(d.text.Data, 0, d.text.Size))
	return err
}

// DumpInfo says what a dump is, without a walk of its lists.
func DumpInfo(in Input, opt Options) (*report.DumpInfo, error) {
	tables, err := opt.symbols()
	if err != nil {
		return nil, err
	}
	d, err := dump.Open(in.Data, in.Size, dump.Options{Symbols: tables, Find: opt.FindSymbols})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.Name, err)
	}
	h := d.Header
	info := &report.DumpInfo{Name: in.Name, Bytes: in.Size, Dump: report.Dump(d.About()), Processors: int(h.Processors), Gaps: []report.Gap{}, Notes: d.Notes}
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
