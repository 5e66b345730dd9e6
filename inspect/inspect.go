package inspect

import (
	"context"
	"errors"
	"slices"

	"kdlocks/compare"
	"kdlocks/heuristics"
	"kdlocks/kd"
	"kdlocks/report"
	"kdlocks/rules"
	"kdlocks/snapshot"
	"kdlocks/transcript"
)

// Input is one log or paste and the name to call it by.
type Input = transcript.Input

// Bytes returns an input that is in memory.
func Bytes(name string, data []byte) Input { return transcript.Bytes(name, data) }

// Options say how to analyse.
type Options struct {
	// Progress, when not nil, is called about once for each MiB that was read:
	// bytes read so far and bytes in all. Calls never overlap, done never
	// falls, and Run waits while it runs.
	Progress func(done, total int64)
	// Rules, when not nil, gives the rules that are asked about each session. It is
	// called once all is read, so that they can be loaded meanwhile.
	Rules func() (*rules.Set, error)
	// Symbols, when not nil, gives the symbol files for dumps. It is called when there is
	// one.
	Symbols func() ([]*Symbols, error)
	// FindSymbols, when not nil, looks for those of an image in a dump; it returns nil if
	// there are none.
	FindSymbols func(SymbolID) *Symbols
}

// These makes Options.Rules of a set.
func These(set *rules.Set) func() (*rules.Set, error) {
	return func() (*rules.Set, error) { return set, nil }
}

func (o *Options) rules() (*rules.Set, error) {
	if o.Rules == nil {
		return nil, nil
	}
	return o.Rules()
}

func (o *Options) symbols() ([]*Symbols, error) {
	if o.Symbols == nil {
		return nil, nil
	}
	return o.Symbols()
}

// ErrNothing is wrapped by the error of inputs in which no command's output
// was recognised.
var ErrNothing = transcript.ErrNothing

// Advice is what to type where the error of Run came without a report.
func Advice(err error) report.Advice {
	switch {
	case errors.Is(err, transcript.ErrUserMode):
		return report.UserModeRead
	case errors.Is(err, transcript.ErrWrongSymbols):
		return report.WrongSymbols
	}
	return report.NothingRead
}

// ErrNotText is wrapped by the error of an input that is no text.
var ErrNotText = transcript.ErrNotText

// Run analyses the inputs as one case. The report is nil when nothing was
// recognised, or rules have mistakes; a report and an error come together when some
// inputs could be read and others not. It returns ctx's error when that is done
// first.
func Run(ctx context.Context, inputs []Input, opt Options) (*report.Report, error) {
	t, err := read(ctx, inputs, &opt)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if len(t.Snapshots) == 0 {
		return nil, err
	}
	judged, judgeErr := judge(ctx, t.Transcript)
	if judgeErr != nil {
		return nil, judgeErr
	}
	set, rulesErr := opt.rules()
	if rulesErr != nil {
		return nil, rulesErr
	}
	told, askErr := askRules(ctx, judged, t.Aside, set)
	if askErr != nil {
		return nil, askErr
	}
	return report.Build(t.sources(), judged, t.Aside, told), err
}

// judge runs the detectors over all sessions, also over those aside in which memory was
// used up. Its error is that of ctx.
func judge(ctx context.Context, t *transcript.Transcript) ([]heuristics.Judgement, error) {
	var judged []heuristics.Judgement
	aside := make(map[*snapshot.Snapshot]heuristics.Judgement)
	t.TakeIn(func(s *snapshot.Snapshot) bool {
		if saysMore(t, s) {
			return false
		}
		aside[s] = heuristics.Judge(s)
		kind := aside[s].Verdict.Kind
		return kind == heuristics.MemoryExhausted || kind == heuristics.MemoryLeak
	})
	for _, s := range t.Snapshots {
		j, ok := aside[s]
		if !ok {
			j = heuristics.Judge(s)
		}
		judged = append(judged, j)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return judged, compare.Settle(ctx, judged)
}

// saysMore reports whether a session aside need not be judged: it has nothing of memory, or
// a later one of its machine says how that went on.
func saysMore(t *transcript.Transcript, s *snapshot.Snapshot) bool {
	told := func(s *snapshot.Snapshot) bool { return len(s.Memory.VMs)+len(s.Memory.Pools) > 0 }
	return !told(s) || slices.ContainsFunc(slices.Concat(t.Snapshots, t.Aside), func(o *snapshot.Snapshot) bool {
		return o != s && o.Target.Attached == s.Target.Attached && o.Target.Moment > s.Target.Moment && told(o)
	})
}

// askRules returns what the rules say of each judgement, and of sessions that are
// not judged. Its error is that of ctx.
func askRules(ctx context.Context, judged []heuristics.Judgement, aside []*snapshot.Snapshot, set *rules.Set) (report.Answers, error) {
	out := report.Answers{Set: set}
	if set == nil {
		return out, nil
	}
	for i := range judged {
		out.Judged = append(out.Judged, set.Judge(&judged[i]))
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
	}
	for _, s := range aside {
		out.Aside = append(out.Aside, set.Judge(&heuristics.Judgement{Snap: s}))
	}
	return out, ctx.Err()
}

// Judge reads a text as Run does and returns what is said of each session: what
// the tests of rules run on.
func Judge(ctx context.Context, in Input) ([]*heuristics.Judgement, error) {
	t, err := read(ctx, []Input{in}, &Options{})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	judged, judgeErr := judge(ctx, t.Transcript)
	if judgeErr != nil {
		return nil, judgeErr
	}
	var out []*heuristics.Judgement
	for i := range judged {
		out = append(out, &judged[i])
	}
	for _, s := range t.Aside {
		out = append(out, &heuristics.Judgement{Snap: s})
	}
	return out, err
}

// Reader returns what reads the logs of the tests of rules, by Judge, until ctx is done.
func Reader(ctx context.Context) rules.Reader {
	return func(name string, data []byte) ([]*heuristics.Judgement, error) { return Judge(ctx, Bytes(name, data)) }
}

func sources(t *transcript.Transcript) []report.Source {
	out := make([]report.Source, len(t.Sources))
	for i := range t.Sources {
		s := &t.Sources[i]
		sections, outside := s.Coverage()
		out[i] = report.Source{
			Name: s.Name, Bytes: s.Bytes, Encoding: s.Encoding, Lines: s.Lines(), Line: s.Line, Plain: s.Plain,
			Sections: s.Sections, Coverage: sections, Outside: outside, NotUnderstood: s.NotUnderstood, Notes: s.Notes,
		}
	}
	return out
}

// Resolve says what addresses are in the inputs: thread, stack and frame,
// resource, owner entry. Errors are those of Run.
func Resolve(ctx context.Context, inputs []Input, addrs []kd.Addr, opt Options) ([]report.Answer, error) {
	t, err := read(ctx, inputs, &opt)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if len(t.Snapshots) == 0 {
		return nil, err
	}
	return report.Resolve(t.sources(), t.Snapshots, addrs), err
}
