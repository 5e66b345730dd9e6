package browser

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"kdlocks/web"
	"kdlocks/web/page"
)

// built is what go run ./web/build makes, made once.
var built struct {
	artefacts
	once sync.Once
	err  error
}

type artefacts struct{ dir string }

func (a *artefacts) remove() {
	if a.dir != "" {
		os.RemoveAll(a.dir)
	}
}

func (a artefacts) site() string    { return filepath.Join(a.dir, "site") }
func (a artefacts) offline() string { return filepath.Join(a.dir, "kdlocks.html") }

// build compiles the engine, or has it from the build cache.
func build(t testing.TB) artefacts {
	t.Helper()
	chrome.start(t) // nothing is built for tests that are skipped
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "kdlocks-page-*"); built.err != nil {
			return
		}
		tool := filepath.Join(built.dir, "build")
		for _, args := range [][]string{
			{"go", "build", "-o", tool, "kdlocks/web/build"},
			{tool, "site", "-to", built.site()},
			{tool, "offline", "-to", built.offline()},
		} {
			if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
				built.err = err
				t.Logf("%v: %s", args, out)
				return
			}
		}
	})
	if built.err != nil {
		t.Fatalf("the page is not built: %v", built.err)
	}
	return built.artefacts
}

// server serves files and counts what it is asked for.
type server struct {
	*httptest.Server
	hits atomic.Int64
	last atomic.Value
}

func serve(t testing.TB, h http.Handler) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.hits.Add(1)
		s.last.Store(r.Method + " " + r.URL.Path)
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(s.stop)
	return s
}

func (s *server) stop() {
	s.CloseClientConnections()
	s.Close()
}

// written is what kdlocks serve serves: the page as it is written, and the engine.
func written(t testing.TB) http.Handler {
	t.Helper()
	site := os.DirFS(build(t).site())
	files := fstest.MapFS{}
	add := func(from fs.FS, name string) {
		data, err := fs.ReadFile(from, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: data, Mode: 0o444}
	}
	err := fs.WalkDir(page.Source(), ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			add(page.Source(), name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{page.EngineFile, page.ExtrasFile, page.GlueFile, page.ConfigFile} {
		add(site, name)
	}
	return program(t, files)
}

// released is what kdlocks serve serves in a program with the engine.
func released(t testing.TB) http.Handler { t.Helper(); return program(t, os.DirFS(build(t).site())) }

// program is the server of the program with a page.
func program(t testing.TB, files fs.FS) http.Handler {
	t.Helper()
	return programWith(t, web.Options{Page: files})
}

func programWith(t testing.TB, opt web.Options) http.Handler {
	t.Helper()
	opt.Today = func() string { return time.Now().Format(time.DateOnly) }
	srv, err := web.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return srv
}
