package web

import (
	"context"
	"errors"
	"io"
	"net/http"

	"kdlocks/inspect"
	"kdlocks/open"
	"kdlocks/report"
)

// analyze answers with the report on the files of a request, which are one case.
func (s *Server) analyze(w http.ResponseWriter, r *http.Request) error {
	f, err := s.read(r, parts{files: []string{"file", "rules"}, fields: []string{"output", "coverage", "no_builtin_rules"}})
	if err != nil {
		return err
	}
	defer f.close()
	var x work
	if x.format, err = formatOf(r, f.fields["output"], report.Formats()); err != nil {
		return err
	}
	coverage, err := option(r, f, "coverage")
	if err != nil {
		return err
	}
	set, err := s.rulesFor(r, f)
	if err != nil {
		return err
	}
	given := f.inputs("file")
	if len(given) == 0 {
		return trouble(http.StatusBadRequest, "no-file", "the form has no part named file")
	}
	x.weigh(given)
	x.run = func(ctx context.Context, j *job, to io.Writer) (told, error) {
		files, openErr := s.unpack(ctx, j, given)
		t := told{trouble: openErr, notes: files.Notes}
		defer files.Close()
		if openErr != nil && len(files.Inputs) == 0 || errors.Is(openErr, open.ErrLimit) {
			return told{}, unreadable(openErr)
		}
		set, err := set()
		if err != nil {
			return told{}, err
		}
		rep, runErr := inspect.Run(ctx, files.Inputs, inspect.Options{Rules: inspect.These(set)})
		t.trouble = errors.Join(openErr, runErr)
		if rep == nil {
			return t, unreadable(t.trouble)
		}
		style := report.Style{Coverage: coverage, Version: s.opt.Version}
		if t.trouble != nil {
			style.Trouble = t.trouble.Error()
		}
		return t, report.WriterFor(x.format.name)(to, rep, style)
	}
	return s.do(w, r, x, f.close)
}

// unpack opens what is packed.
func (s *Server) unpack(ctx context.Context, j *job, given []inspect.Input) (*open.Set, error) {
	files, err := open.Given(ctx, given, s.unpacking())
	s.guard.weighs(j, sizeOf(files))
	return files, err
}

// unpacking bounds what comes out of packed inputs.
func (s *Server) unpacking() open.Options {
	return open.Options{MaxSize: s.limits.Unpacked, Memory: unpackMemory, TempDir: s.opt.TempDir}
}

// sizeOf is how many bytes were opened.
func sizeOf(files *open.Set) int64 {
	n := int64(0)
	for _, in := range files.Inputs {
		n += in.Size
	}
	return n
}
