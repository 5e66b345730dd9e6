package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"kdlocks/inspect"
	"kdlocks/rules"
)

// form is what a request holds: its files, and what else was said.
type form struct {
	spool  *spool
	files  []formFile
	fields map[string]string
	args   map[string]formFile // parts that are JSON
}

// formFile is a part of a request that is a file.
type formFile struct {
	field     string
	name      string
	off, size int64 // in the spool
}

// parts says what parts a route knows.
type parts struct {
	files  []string // nil for any name that is not a field
	fields []string
	args   []string
}

func (f *form) close() { f.spool.close() }

// input is a file as something to analyse.
func (f *form) input(p formFile) inspect.Input {
	return inspect.Input{Name: p.name, Data: io.NewSectionReader(f.spool, p.off, p.size), Size: p.size}
}

// inputs are the files of a field.
func (f *form) inputs(field string) []inspect.Input {
	var out []inspect.Input
	for _, p := range f.files {
		if p.field == field {
			out = append(out, f.input(p))
		}
	}
	return out
}

// bytes returns a part of at most so many bytes.
func (f *form) bytes(p formFile, most int64) ([]byte, error) {
	if p.size > most {
		return nil, trouble(http.StatusRequestEntityTooLarge, "part-too-large", "part %q has more than %s", p.field, size(most))
	}
	return io.ReadAll(io.NewSectionReader(f.spool, p.off, p.size))
}

// sources are the rule files of the request.
func (f *form) sources() ([]rules.Source, error) {
	var out []rules.Source
	left := int64(mostRules)
	for _, p := range f.files {
		if p.field != "rules" {
			continue
		}
		data, err := f.bytes(p, left)
		if err != nil {
			return nil, err
		}
		left -= p.size
		out = append(out, rules.TextSource(p.name, string(data)))
	}
	return out, nil
}

// flag reads a field that is yes or no.
func (f *form) flag(name string) (bool, error) { return flagOf(name, f.fields[name]) }

func flagOf(name, value string) (bool, error) {
	if value == "" {
		return false, nil
	}
	v, err := strconv.ParseBool(value)
	if err != nil {
		return false, trouble(http.StatusBadRequest, "bad-parameter", "%s is true or false, not %q", name, value)
	}
	return v, nil
}

// option is a yes or no of the query, else of a part.
func option(r *http.Request, f *form, name string) (bool, error) {
	if v := r.URL.Query().Get(name); v != "" {
		return flagOf(name, v)
	}
	return f.flag(name)
}

// read takes in what a request holds. A body that is no form is one file of the
// first field of those that are known.
func (s *Server) read(r *http.Request, known parts) (*form, error) {
	f := &form{spool: s.store.body(s.limits.Body), fields: make(map[string]string), args: make(map[string]formFile)}
	err := s.readInto(r, f, known)
	if err != nil {
		f.close()
		return nil, err
	}
	f.spool.whole()
	return f, nil
}

func (s *Server) readInto(r *http.Request, f *form, known parts) error {
	if r.ContentLength > s.limits.Body {
		return &http.MaxBytesError{Limit: s.limits.Body}
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	isForm := err == nil && kind == "multipart/form-data"
	coding, err := codingOf(r, isForm, known)
	switch {
	case err != nil:
		return err
	case isForm:
		return s.readParts(r, f, known, params["boundary"])
	}
	switch {
	case strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "multipart/"):
		return trouble(http.StatusUnsupportedMediaType, "content-type", "multipart/form-data with a boundary is expected")
	case known.files == nil || len(known.args) > 0:
		return trouble(http.StatusUnsupportedMediaType, "content-type", "multipart/form-data is expected")
	}
	name, err := rawName(r)
	if err != nil {
		return err
	}
	if name == "" {
		name = defaultName(known.files[0])
	}
	p := formFile{field: known.files[0], name: name}
	p.size, err = s.keep(r, f.spool, r.Body)
	f.files = append(f.files, p)
	if err == nil && coding != "" && packingOf(f.input(p)) != coding {
		return trouble(http.StatusBadRequest, "bad-encoding", "the body is no %s, which Content-Encoding says that it is", coding)
	}
	return err
}

// codingOf returns how a body is packed that is one file, as its header says; "" if that
// says nothing: packed files are known by their content.
func codingOf(r *http.Request, isForm bool, known parts) (string, error) {
	coding := strings.ToLower(r.Header.Get("Content-Encoding"))
	taken := "gzip, zstd"
	switch {
	case coding == "" || coding == "identity":
		return "", nil
	case isForm || known.files == nil || known.files[0] == "rules":
		taken = "identity"
	case coding == "gzip" || coding == "zstd":
		return coding, nil
	}
	why := "is not one of " + taken
	if isForm {
		why = "is not taken of a form: its files may be packed, not the form"
	}
	return "", trouble(http.StatusUnsupportedMediaType, "content-encoding", "Content-Encoding %q %s", clip(coding), why).with("Accept-Encoding", taken)
}

// defaultName is what a file without a name is called.
func defaultName(field string) string {
	if field == "rules" {
		return "rules.yaml"
	}
	return "input"
}

// rawName is the name of a body that is one file: that of X-Filename, else of
// Content-Disposition.
func rawName(r *http.Request) (string, error) {
	name := r.Header.Get("X-Filename")
	if name == "" {
		_, params, err := mime.ParseMediaType(r.Header.Get("Content-Disposition"))
		if err == nil {
			name = params["filename"]
		}
	}
	return fileName(name)
}

// fileName checks the name of a file, which is a name and never a path to anything.
func fileName(name string) (string, error) {
	if len(name) > mostName {
		return "", trouble(http.StatusBadRequest, "bad-name", "the name of a file has more than %s", size(mostName))
	}
	return strings.ToValidUTF8(name, "\uFFFD"), nil
}

// readParts reads the parts of a form.
func (s *Server) readParts(r *http.Request, f *form, known parts, boundary string) error {
	if boundary == "" || len(boundary) > 70 { // RFC 2046
		return trouble(http.StatusBadRequest, "bad-form", "the form has no good boundary")
	}
	head := &headed{r: r.Body}
	m := multipart.NewReader(head, boundary)
	for n := 0; ; n++ {
		head.begin()
		part, err := m.NextRawPart()
		head.end()
		switch {
		case err == io.EOF:
			if _, err := io.Copy(io.Discard, r.Body); err != nil { // what stands behind the last part
				return badBody(err)
			}
			return nil
		case err != nil:
			return badForm(err)
		case n >= s.limits.Parts:
			return trouble(http.StatusRequestEntityTooLarge, "too-many-parts", "the form has more than %d parts", s.limits.Parts)
		}
		if err := s.readPart(r, f, known, part); err != nil {
			return badForm(err)
		}
	}
}

func (s *Server) readPart(r *http.Request, f *form, known parts, part *multipart.Part) error {
	field := part.FormName()
	name, err := partName(part)
	if err != nil {
		return err
	}
	isField, isArg := slices.Contains(known.fields, field), slices.Contains(known.args, field)
	switch {
	case isField:
		value, err := io.ReadAll(io.LimitReader(part, mostField+1))
		if err != nil {
			return err
		}
		if len(value) > mostField {
			return trouble(http.StatusRequestEntityTooLarge, "part-too-large", "part %q has more than %s", field, size(mostField))
		}
		if _, twice := f.fields[field]; twice {
			return trouble(http.StatusBadRequest, "bad-form", "part %q comes twice", field)
		}
		f.fields[field] = string(value)
		return nil
	case field == "", !isArg && known.files != nil && !slices.Contains(known.files, field), len(field) > mostField:
		return trouble(http.StatusBadRequest, "unknown-part", "part %q is not one of %s", clip(field), strings.Join(slices.Concat(known.files, known.args, known.fields), ", "))
	}
	if name == "" {
		name = defaultName(field)
	}
	p := formFile{field: field, name: name, off: f.spool.size}
	p.size, err = s.keep(r, f.spool, part)
	if isArg {
		f.args[field] = p
	} else {
		f.files = append(f.files, p)
	}
	return err
}

// partName is the name of a part as it was given: Part.FileName would make a path of
// it and cut that.
func partName(part *multipart.Part) (string, error) {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil {
		return "", trouble(http.StatusBadRequest, "bad-form", "a part has no good Content-Disposition")
	}
	return fileName(params["filename"])
}

func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "..."
	}
	return s
}

// badForm keeps errors with a meaning and makes one of a form that is damaged.
func badForm(err error) error {
	if hasMeaning(err) {
		return err
	}
	return trouble(http.StatusBadRequest, "bad-form", "the form cannot be read: %s", plain(err))
}

// keep copies what comes into the spool.
func (s *Server) keep(r *http.Request, to *spool, from io.Reader) (int64, error) {
	buf := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buf)
	begin := to.size
	for {
		n, err := from.Read(*buf)
		if n > 0 {
			if werr := s.append(r, to, (*buf)[:n]); werr != nil {
				return 0, werr
			}
		}
		switch {
		case err == io.EOF:
			return to.size - begin, nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return 0, trouble(http.StatusBadRequest, "cut", "the request ends before it is complete")
		case err != nil:
			return 0, badBody(err)
		}
	}
}

// badBody keeps errors with a meaning and makes one of a body that is damaged.
func badBody(err error) error {
	if hasMeaning(err) {
		return err
	}
	return trouble(http.StatusBadRequest, "cut", "the request cannot be read: %s", plain(err))
}

func hasMeaning(err error) bool {
	var p *problem
	var big *http.MaxBytesError
	return errors.As(err, &p) || errors.As(err, &big) || isStalled(err) || errors.Is(err, errNoRoom) || errors.Is(err, errTooBig) || errors.Is(err, context.Canceled)
}

// append waits for room if there is none.
func (s *Server) append(r *http.Request, to *spool, p []byte) error {
	ctx, stop := context.WithTimeout(r.Context(), s.limits.Wait)
	defer stop()
	disk := to.disk
	err := to.write(ctx, p)
	if body, ok := r.Body.(*steady); ok && to.disk != disk {
		body.paused()
	}
	if errors.Is(err, errTooBig) {
		return &http.MaxBytesError{Limit: s.limits.Body}
	}
	return err
}

// headed bounds what is read for the header of one part.
type headed struct {
	r    io.Reader
	head bool
	left int
}

func (h *headed) begin() { h.head, h.left = true, mostPartHead }
func (h *headed) end()   { h.head = false }

func (h *headed) Read(p []byte) (int, error) {
	if !h.head {
		return h.r.Read(p)
	}
	if h.left <= 0 {
		return 0, fmt.Errorf("the header of a part has more than %s", size(mostPartHead))
	}
	n, err := h.r.Read(p[:min(len(p), h.left)])
	h.left -= n
	return n, err
}
