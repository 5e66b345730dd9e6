package open_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kdlocks/open"
)

// belowRoot opens names in a root and returns what came and the error.
func belowRoot(t *testing.T, dir string, names ...string) (inputs []string, err error) {
	t.Helper()
	root, rootErr := os.OpenRoot(dir)
	must(t, rootErr)
	defer root.Close()
	set, err := open.Below(context.Background(), root, names, open.Options{Stdin: strings.NewReader(text), TempDir: t.TempDir()})
	t.Cleanup(func() { set.Close() })
	for _, in := range set.Inputs {
		data, readErr := io.ReadAll(io.NewSectionReader(in.Data, 0, in.Size))
		must(t, readErr)
		inputs = append(inputs, filepath.ToSlash(in.Name)+" "+string(data[:min(len(data), 5)]))
	}
	return inputs, err
}

func TestRootReadsWhatIsBelow(t *testing.T) {
	dir := write(t, map[string][]byte{"a.log": []byte("1: kd> !locks\n"), "in/b.log": []byte("2: kd> !locks\n"), "in/c.txt": []byte("3: kd> !locks\n")})
	for _, c := range []struct {
		names []string
		want  []string
	}{
		{[]string{"a.log"}, []string{"a.log 1: kd"}},
		{[]string{"in"}, []string{"in/b.log 2: kd", "in/c.txt 3: kd"}},
		{[]string{"."}, []string{"a.log 1: kd", "in/b.log 2: kd", "in/c.txt 3: kd"}},
		{[]string{"*/*.log"}, []string{"in/b.log 2: kd"}},
		{[]string{"in/../a.log"}, []string{"a.log 1: kd"}},
		{[]string{filepath.Join(dir, "in", "b.log")}, []string{"in/b.log 2: kd"}},
	} {
		got, err := belowRoot(t, dir, c.names...)
		if err != nil {
			t.Errorf("%q: %v", c.names, err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%q: %s", c.names, d)
		}
	}
}

func TestRootReadsNothingElse(t *testing.T) {
	outside := write(t, map[string][]byte{"secret.log": []byte(text)})
	dir := write(t, map[string][]byte{"a.log": []byte(text)})
	if runtime.GOOS != "windows" { // links need a privilege there
		must(t, os.Symlink(filepath.Join(outside, "secret.log"), filepath.Join(dir, "link.log")))
		must(t, os.Symlink(outside, filepath.Join(dir, "folder")))
		must(t, os.Symlink(filepath.Join("..", filepath.Base(outside), "secret.log"), filepath.Join(dir, "upwards.log")))
	}
	for _, name := range []string{
		"-", "..", "../" + filepath.Base(outside) + "/secret.log", filepath.Join(outside, "secret.log"), outside, "/dev/null", "/",
		"link.log", "folder", "folder/secret.log", "folder/*", "upwards.log", "*/secret.log", "",
	} {
		got, err := belowRoot(t, dir, name)
		if err == nil || len(got) > 0 {
			t.Errorf("%q: read %q, error %v", name, got, err)
		}
	}
	got, err := belowRoot(t, dir, ".") // what is told of links is no reason to leave the rest
	if d := cmp.Diff([]string{"a.log 0: kd"}, got); d != "" {
		t.Errorf("folder with links: %s, error %v", d, err)
	}
}
