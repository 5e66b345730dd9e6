package web

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"kdlocks/inspect"
	"kdlocks/report"
	"kdlocks/rules"
)

// ruleBook has the rules of the server, loaded once for each day.
type ruleBook struct {
	sources []rules.Source
	today   func() string

	mu     sync.Mutex
	loaded *rules.Set
	day    string
}

// date is the date that suppressions end by.
func (b *ruleBook) date() string {
	if b.today == nil {
		return ""
	}
	return b.today()
}

// set returns the rules that are asked when a request brings none of its own. It does
// not change, so that all may ask it at once.
func (b *ruleBook) set() (*rules.Set, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if day := b.date(); b.loaded == nil || b.day != day {
		set, err := rules.Load(b.sources, day)
		if err != nil {
			return nil, err
		}
		b.loaded, b.day = set, day
	}
	return b.loaded, nil
}

// with returns the rules for a request that brings some, or leaves those out that
// kdlocks ships with.
func (b *ruleBook) with(own []rules.Source, noBuiltin bool) (*rules.Set, error) {
	if len(own) == 0 && !noBuiltin {
		return b.set()
	}
	set, err := rules.Load(append(rules.Sources(b.sources, noBuiltin), own...), b.date())
	if err != nil && rules.ProblemsOf(err) == nil {
		err = trouble(http.StatusUnprocessableEntity, "rules", "%s", plain(err))
	}
	return set, err
}

// rulesFor returns what loads the rules of a request, when its turn has come.
func (s *Server) rulesFor(r *http.Request, f *form) (func() (*rules.Set, error), error) {
	noBuiltin, err := option(r, f, "no_builtin_rules")
	if err != nil {
		return nil, err
	}
	return func() (*rules.Set, error) {
		own, err := f.sources()
		if err != nil {
			return nil, err
		}
		return s.rules.with(own, noBuiltin)
	}, nil
}

// listRules answers with the rules, disabled ones, too.
func (s *Server) listRules(w http.ResponseWriter, r *http.Request) error {
	set, err := s.rules.set()
	if err != nil {
		return err
	}
	q := r.URL.Query()
	var list []*rules.Rule
	for _, one := range set.All() {
		if (!q.Has("class") || one.Class == q.Get("class")) && (!q.Has("pack") || one.Pack.Name == q.Get("pack")) && (!q.Has("status") || one.Status == q.Get("status")) {
			list = append(list, one)
		}
	}
	return sendRules(w, r, func(w io.Writer, output string) error { return report.WriteRules(w, list, output, report.Style{}) })
}

// showRule answers with one rule.
func (s *Server) showRule(w http.ResponseWriter, r *http.Request) error {
	set, err := s.rules.set()
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	if one := set.Named(id); one != nil {
		return sendRules(w, r, func(w io.Writer, output string) error { return report.WriteRule(w, one, output, report.Style{}) })
	}
	hint := set.Nearest(id, nil)
	if hint == "" {
		hint = "/api/v1/rules has them"
	}
	return trouble(http.StatusNotFound, "no-such-rule", "%q is no rule; %s", clip(id), hint)
}

// sendRules sends what is said of rules.
func sendRules(w http.ResponseWriter, r *http.Request, write func(w io.Writer, output string) error) error {
	f, err := formatOf(r, "", report.TableFormats())
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := write(&b, f.name); err != nil {
		return err
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	_, err = b.WriteTo(w)
	return err
}

// lint answers with the mistakes in rule files, an empty list if there are none.
func (s *Server) lint(w http.ResponseWriter, r *http.Request) error {
	f, err := s.read(r, parts{files: []string{"rules"}})
	if err != nil {
		return err
	}
	defer f.close()
	if len(f.files) == 0 {
		return trouble(http.StatusBadRequest, "no-file", "the form has no part named rules")
	}
	x := work{format: formats[0], run: func(ctx context.Context, _ *job, to io.Writer) (told, error) {
		own, err := f.sources()
		if err != nil {
			return told{}, err
		}
		found, err := s.rules.lint(ctx, own)
		if err != nil {
			return told{}, err
		}
		return told{}, report.WriteProblems(to, found)
	}}
	return s.do(w, r, x, f.close)
}

// lint checks rule files beside the rules of the server, and runs their tests.
func (b *ruleBook) lint(ctx context.Context, own []rules.Source) (rules.Problems, error) {
	set, err := b.with(own, false)
	if found := rules.ProblemsOf(err); found != nil {
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	found := slices.Clone(set.NotLoaded)
	for _, p := range set.Packs {
		if p.Builtin || !slices.ContainsFunc(own, func(src rules.Source) bool { return src.Name == p.Path }) {
			continue
		}
		found = append(found, report.TestMistakes(set.Of(p).RunTests(inspect.Reader(ctx)), report.Style{})...)
	}
	return found, ctx.Err()
}
