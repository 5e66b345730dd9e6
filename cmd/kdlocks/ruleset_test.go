package main

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lintOf runs kdlocks rules lint and returns its exit code and what it complains
// of.
func lintOf(t *testing.T, path string) (int, string) {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	var out, complaints bytes.Buffer
	code := run(context.Background(), []string{"rules", "lint", path}, strings.NewReader(""), &out, &complaints)
	return code, complaints.String()
}

// TestHostileArchivesOfRules holds that archives of rules are refused in bounded
// memory, whatever they say of themselves.
func TestHostileArchivesOfRules(t *testing.T) {
	for name, member := range map[string]func(*zip.Writer) error{
		"a rule file of 64 MiB": func(z *zip.Writer) error {
			w, err := z.Create("bomb.yaml")
			if err != nil {
				return err
			}
			_, err = io.CopyN(w, blanks{}, 64<<20)
			return err
		},
		"a size that nothing has": func(z *zip.Writer) error {
			w, err := z.CreateRaw(&zip.FileHeader{Name: "huge.yaml", Method: zip.Store, UncompressedSize64: 1 << 60, CompressedSize64: 4})
			if err != nil {
				return err
			}
			_, err = io.WriteString(w, "a: b")
			return err
		},
		"names above the archive": func(z *zip.Writer) error {
			_, err := z.Create("../../up.yaml")
			return err
		},
		"no rule file": func(z *zip.Writer) error {
			_, err := z.Create("readme.txt")
			return err
		},
	} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		if err := member(z); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "rules.zip")
		if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		if code, text := lintOf(t, path); code != exitTrouble || !strings.Contains(text, "rules.zip") {
			t.Errorf("%s: exit code %d: %s", name, code, text)
		} else {
			t.Logf("%s: %s", name, text)
		}
	}
}

type blanks struct{}

func (blanks) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

func TestNoArchive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.zip")
	if err := os.WriteFile(path, []byte("no zip at all"), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, text := lintOf(t, path); code != exitTrouble || !strings.Contains(text, "no zip") {
		t.Errorf("exit code %d: %s", code, text)
	}
}

// TestUserRules holds where the user's folder is looked for.
func TestUserRules(t *testing.T) {
	home, config := t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", "")
	if got := userRules(); got != "" {
		t.Errorf("a folder that is not there: %s", got)
	}
	dir := filepath.Join(home, ".config", "kdlocks", "rules")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if got := userRules(); got != "" {
		t.Errorf("a folder without rules: %s", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ xdg, want string }{{"", dir}, {"relative", dir}, {config, ""}} {
		t.Setenv("XDG_CONFIG_HOME", c.xdg)
		if got := userRules(); got != c.want {
			t.Errorf("XDG_CONFIG_HOME=%s: %q, want %q", c.xdg, got, c.want)
		}
	}
}
