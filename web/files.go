package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// pages are the files of the page. Each is read when somebody asks for it, and kept.
type pages struct {
	files fs.FS

	mu   sync.Mutex
	kept map[string]*pageFile
}

// pageFile is one file in the forms that there are of it.
type pageFile struct {
	kind  string
	forms []packedForm // the smallest first, the last one plain
}

// packedForm is a file as it is, or packed.
type packedForm struct {
	encoding string // "" for none
	data     []byte
	etag     string
}

// codings are the endings of packed files and what HTTP calls them, the smallest first.
var codings = []struct{ ending, name string }{{".br", "br"}, {".gz", "gzip"}}

func pagesOf(files fs.FS) *pages { return &pages{files: files, kept: make(map[string]*pageFile)} }

// file returns a file of the page, nil if there is none.
func (p *pages) file(name string) *pageFile {
	if p.files == nil || !fs.ValidPath(name) {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.kept[name]
	if f == nil {
		if f = p.read(name); f != nil {
			p.kept[name] = f
		}
	}
	return f
}

// read looks for the forms of a file. One that is there as gzip alone is unpacked for
// those who do not take it.
func (p *pages) read(name string) *pageFile {
	f := &pageFile{kind: kindOfFile(name)}
	for _, c := range codings {
		if data, err := fs.ReadFile(p.files, name+c.ending); err == nil {
			f.add(c.name, data)
		}
	}
	data, err := fs.ReadFile(p.files, name)
	if err != nil {
		data, err = f.unpacked()
	}
	if err != nil {
		return nil
	}
	if len(f.forms) == 0 && len(data) > worthPacking && isText(f.kind) {
		f.add("gzip", pack(data))
	}
	f.add("", data)
	return f
}

// worthPacking is the size in bytes from which packing a text saves a packet.
const worthPacking = 1400

func isText(kind string) bool {
	return strings.HasPrefix(kind, "text/") || kind == "application/json" || kind == "image/svg+xml"
}

func pack(data []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // there is such a level, and a
	z.Write(data)                                         // Buffer takes all
	z.Close()
	return b.Bytes()
}

func (f *pageFile) add(encoding string, data []byte) {
	sum := sha256.Sum256(data)
	f.forms = append(f.forms, packedForm{encoding, data, `"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`})
}

// unpacked is the plain form of what there is as gzip.
func (f *pageFile) unpacked() ([]byte, error) {
	for _, form := range f.forms {
		if form.encoding == "gzip" {
			z, err := gzip.NewReader(bytes.NewReader(form.data))
			if err != nil {
				return nil, err
			}
			return io.ReadAll(z)
		}
	}
	return nil, fs.ErrNotExist
}

// kindOfFile is the type of a file of the page; that of the system may be another.
func kindOfFile(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".wasm":
		return "application/wasm"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/x-icon"
	case ".json", ".map":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".txt", ".log", ".md", ".yaml":
		return "text/plain; charset=utf-8"
	case ".gz":
		return "application/gzip"
	case ".woff2":
		return "font/woff2"
	}
	return "application/octet-stream"
}

// page serves the files of the page.
func (s *Server) page(w http.ResponseWriter, r *http.Request) error {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = "index.html"
	}
	f := s.pages.file(name)
	if f == nil {
		return trouble(http.StatusNotFound, "no-such-path", "there is nothing here")
	}
	form := f.formFor(r.Header.Values("Accept-Encoding"))
	h := w.Header()
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", form.etag)
	if len(f.forms) > 1 {
		h.Set("Vary", "Accept-Encoding")
	}
	if form.encoding != "" {
		h.Set("Content-Encoding", form.encoding)
	}
	h.Set("Content-Length", strconv.Itoa(len(form.data)))
	r = r.Clone(r.Context())
	r.Header.Del("Range") // of what changes its form, parts do not fit together
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(form.data))
	return nil
}

// formFor chooses the smallest form that a browser takes.
func (f *pageFile) formFor(accept []string) *packedForm {
	for i := range f.forms {
		if form := &f.forms[i]; form.encoding == "" || takes(accept, form.encoding) {
			return form
		}
	}
	return &f.forms[len(f.forms)-1] // which is plain
}

// takes reports whether Accept-Encoding names a coding, and not to refuse it.
func takes(accept []string, coding string) bool {
	yes := false
	for item := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		name, params, err := mime.ParseMediaType("x/" + strings.TrimSpace(item))
		if err != nil {
			continue
		}
		q, qErr := strconv.ParseFloat(params["q"], 64)
		switch name = strings.TrimPrefix(name, "x/"); {
		case name == coding:
			return qErr != nil || q > 0
		case name == "*":
			yes = qErr != nil || q > 0
		}
	}
	return yes
}
