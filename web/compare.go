package web

import (
	"context"
	"errors"
	"io"
	"net/http"

	"kdlocks/inspect"
	"kdlocks/open"
	"kdlocks/report"
	"kdlocks/rules"
)

// compare answers with what captures say together. Parts of one name are one capture.
func (s *Server) compare(w http.ResponseWriter, r *http.Request) error {
	f, err := s.read(r, parts{fields: []string{"output", "no_builtin_rules"}})
	if err != nil {
		return err
	}
	defer f.close()
	var x work
	if x.format, err = formatOf(r, f.fields["output"], report.ComparisonFormats()); err != nil {
		return err
	}
	x.format.attach = ""
	set, err := s.rulesFor(r, f)
	if err != nil {
		return err
	}
	given := f.captures()
	if len(given) == 0 {
		return trouble(http.StatusBadRequest, "no-file", "the form has no file: captures are parts named a, b and so on; parts of one name are one capture")
	}
	for _, c := range given {
		x.weigh(c.Inputs)
	}
	x.run = func(ctx context.Context, j *job, to io.Writer) (told, error) {
		return s.runCompare(ctx, j, given, set, x.format.name, to)
	}
	return s.do(w, r, x, f.close)
}

// captures are the files of a form by the names of their parts. A capture of one file
// is called by the name of that, as the command line does.
func (f *form) captures() []inspect.Case {
	var out []inspect.Case
	at := make(map[string]int)
	for _, p := range f.files {
		if p.field == "rules" {
			continue
		}
		i, known := at[p.field]
		if !known {
			i = len(out)
			at[p.field] = i
			out = append(out, inspect.Case{Name: p.name})
		} else {
			out[i].Name = p.field
		}
		out[i].Inputs = append(out[i].Inputs, f.input(p))
	}
	return out
}

func (s *Server) runCompare(ctx context.Context, j *job, given []inspect.Case, set func() (*rules.Set, error), output string, to io.Writer) (told, error) {
	cases, files, err := open.Cases(ctx, given, s.unpacking())
	defer files.Close()
	t := told{trouble: err, notes: files.Notes}
	if len(cases) == 0 || errors.Is(err, open.ErrLimit) {
		return t, unreadable(err)
	}
	s.guard.weighs(j, sizeOf(files))
	loaded, err := set()
	if err != nil {
		return t, err
	}
	c, err := inspect.Compare(ctx, cases, inspect.Options{Rules: inspect.These(loaded)})
	t.trouble = errors.Join(t.trouble, err)
	if c == nil {
		return t, unreadable(t.trouble)
	}
	if len(c.Captures) < 2 {
		t.trouble = errors.Join(t.trouble, inspect.ErrNoPair)
	}
	return t, report.ComparisonWriterFor(output)(to, c, report.Style{Version: s.opt.Version})
}
