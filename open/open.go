package open

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"kdlocks/inspect"
)

// Limits that are not worth a flag.
const (
	defaultMemory    = 16 << 20 // bytes of spooled data kept in memory
	defaultMaxSize   = 16 << 30 // bytes spooled and unpacked
	defaultMaxInputs = 10_000
	maxDepth         = 2        // an archive in an archive is opened, not one in that
	headSize         = 64 << 10 // bytes that tell text from anything else
)

// Options say how to open. The zero value is good.
type Options struct {
	Stdin     io.Reader // what the name - stands for
	MaxSize   int64     // bytes that may be spooled and unpacked, all in all; 0 is 16 GiB
	MaxInputs int       // inputs that may come of all names; 0 is 10,000
	Memory    int64     // bytes of spooled data kept in memory; 0 is 16 MiB
	TempDir   string    // where the temporary file goes; "" is that of the system

	// Progress, when not nil, is called while an input is spooled or unpacked,
	// from the goroutine that called Inputs, about once per 64 KiB: bytes of it so far.
	Progress func(name string, done int64)
}

// Set is what was opened.
type Set struct {
	Inputs []inspect.Input // no two of one name
	Notes  []string        // what was left out on purpose, for the user

	files []*file
	spool *spool
}

// Inputs opens what the names stand for, in their order: the files of a
// pattern and of a folder sorted, the members of an archive as they are stored.
// The set is never nil and must be closed. An error tells what could not be
// read, or not wholly; the rest is in the set all the same. When ctx is done
// first, the error is that of ctx.
func Inputs(ctx context.Context, names []string, opt Options) (*Set, error) {
	return each(ctx, names, opt, func(o *opener, name string) error { o.disk = anywhere{}; return o.name(name) })
}

// Below is Inputs with names that are looked up in a folder: nothing outside is read,
// no link leads out, and - is a name like others.
func Below(ctx context.Context, root *os.Root, names []string, opt Options) (*Set, error) {
	return each(ctx, names, opt, func(o *opener, name string) error { o.disk = below{root}; return o.name(name) })
}

// Given opens inputs that are at hand, unpacking what is packed, as Inputs does
// with files. With Options.Memory at MaxSize it makes no temporary file.
func Given(ctx context.Context, given []inspect.Input, opt Options) (*Set, error) {
	return each(ctx, given, opt, func(o *opener, in inspect.Input) error { return o.add(in, 0, nil) })
}

// Cases opens the inputs of several cases, as Given does, within one bound for all of
// them. A case of which nothing could be opened is left out. No two cases, and no two
// inputs, have one name.
func Cases(ctx context.Context, given []inspect.Case, opt Options) ([]inspect.Case, *Set, error) {
	type span struct {
		name     string
		from, to int
	}
	var spans []span
	set, err := each(ctx, given, opt, func(o *opener, c inspect.Case) error {
		spans = append(spans, span{name: c.Name, from: len(o.set.Inputs)})
		this := &spans[len(spans)-1]
		defer func() { this.to = len(o.set.Inputs) }()
		for _, in := range c.Inputs {
			if err := o.tell(o.add(in, 0, nil)); err != nil {
				return err
			}
		}
		return nil
	})
	var out []inspect.Case
	for _, s := range spans {
		if s.from < s.to {
			out = append(out, inspect.Case{Name: s.name, Inputs: set.Inputs[s.from:s.to:s.to]})
		}
	}
	tellApart(out, func(c *inspect.Case) *string { return &c.Name })
	return out, set, err
}

func each[T any](ctx context.Context, what []T, opt Options, open func(*opener, T) error) (*Set, error) {
	opt.fill()
	s := &spool{dir: opt.TempDir, memory: opt.Memory}
	o := &opener{ctx: ctx, opt: opt, set: &Set{spool: s}, spool: s, seen: map[int64][]fs.FileInfo{}}
	for _, w := range what {
		if err := open(o, w); err != nil {
			if errors.Is(err, errStop) || ctx.Err() != nil {
				break
			}
			o.errs = append(o.errs, err)
		}
	}
	if ctx.Err() != nil {
		return o.set, ctx.Err()
	}
	o.noteDuplicates()
	tellApart(o.set.Inputs, func(in *inspect.Input) *string { return &in.Name })
	return o.set, errors.Join(o.errs...)
}

func (opt *Options) fill() {
	if opt.MaxSize == 0 {
		opt.MaxSize = defaultMaxSize
	}
	if opt.MaxInputs == 0 {
		opt.MaxInputs = defaultMaxInputs
	}
	if opt.Memory == 0 {
		opt.Memory = defaultMemory
	}
}

// Close closes the files and removes the temporary one. It may be called twice.
func (s *Set) Close() error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.close())
	}
	return errors.Join(append(errs, s.spool.close())...)
}

// Grown says which files have become longer since they were opened. What was
// added is not in the inputs.
func (s *Set) Grown() []string {
	var out []string
	for _, f := range s.files {
		if now, ok := f.grown(); ok {
			out = append(out, fmt.Sprintf("%s: grew from %s to %s while it was read; what was added is not analysed", f.name, size(f.size), size(now)))
		}
	}
	return out
}

// errStop ends the opening: a limit on the whole was hit, and it was told.
var errStop = errors.New("stop")

// opener is the state of one call of Inputs.
type opener struct {
	ctx   context.Context
	opt   Options
	disk  disk // where names are looked up
	set   *Set
	spool *spool
	errs  []error

	total int64                   // bytes spooled and unpacked
	seen  map[int64][]fs.FileInfo // by size
	again int                     // names of files that were opened before
	stdin bool
}

// found is where something was found that nobody named: in a folder or an
// archive. What is no text there is skipped.
type found struct {
	in      string // the name of the folder or archive
	skipped []string
	hidden  int
	special int // neither file nor folder
	empty   int
	trouble int
	inputs  int
}

// add appends an input, or what is packed in it. A nil place says that the
// user named it.
func (o *opener) add(in inspect.Input, depth int, place *found) error {
	head, err := readHead(in)
	if err != nil {
		return fmt.Errorf("%s: %w", in.Name, err)
	}
	if pack := packing(head); pack != nil {
		defer o.release(in)
		if depth == maxDepth {
			return fmt.Errorf("%s: is packed more than %d deep; unpack it first", in.Name, maxDepth)
		}
		return o.unpack(in, pack, depth+1, place)
	}
	if place != nil {
		switch {
		case in.Size == 0:
			place.empty++
			o.release(in)
			return nil
		case notText(head) != "":
			place.skipped = append(place.skipped, in.Name)
			o.release(in)
			return nil
		}
		place.inputs++
	}
	return o.accept(in)
}

func (o *opener) accept(in inspect.Input) error {
	if len(o.set.Inputs) >= o.opt.MaxInputs {
		o.release(in)
		o.errs = append(o.errs, fmt.Errorf("%s: more than %d inputs; it and what follows is not read", in.Name, o.opt.MaxInputs))
		return errStop
	}
	o.set.Inputs = append(o.set.Inputs, in)
	return nil
}

// release closes the file of an input that is not needed any more.
func (o *opener) release(in inspect.Input) {
	if f, ok := in.Data.(*file); ok {
		f.close()
		o.set.files = slices.DeleteFunc(o.set.files, func(g *file) bool { return f == g })
	}
}

// readHead returns the beginning of an input.
func readHead(in inspect.Input) ([]byte, error) {
	head := make([]byte, min(in.Size, headSize))
	n, err := in.Data.ReadAt(head, 0)
	if err == io.EOF {
		err = nil
	}
	return head[:n], err
}
