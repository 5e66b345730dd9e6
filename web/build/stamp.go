package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// sources returns a hash over all that the engine and the page are built from: the files
// of their packages and of those that pack them, the versions of others' modules, and the
// Go that compiles it. An engine that was built from other sources would disagree with the
// program that serves it.
func sources() (string, error) {
	list := exec.Command("go", "list", "-deps", "-json=Dir,ImportPath,Module,GoFiles,EmbedFiles", engineProgram, extrasProgram, "kdlocks/web/build")
	list.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=")
	out, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	version, err := exec.Command("go", "env", "GOVERSION").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOVERSION: %w", err)
	}
	sum := sha256.New()
	sum.Write(version)
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Dir, ImportPath     string
			Module              *struct{ Path, Version string }
			GoFiles, EmbedFiles []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return hex.EncodeToString(sum.Sum(nil)), nil
		} else if err != nil {
			return "", err
		}
		switch {
		case p.Module == nil: // the standard library comes with the version of Go
		case p.Module.Path != "kdlocks":
			fmt.Fprintln(sum, p.ImportPath, p.Module.Version)
		default:
			for _, f := range append(p.GoFiles, p.EmbedFiles...) {
				data, err := os.ReadFile(filepath.Join(p.Dir, f))
				if err != nil {
					return "", err
				}
				fmt.Fprintln(sum, p.ImportPath, filepath.ToSlash(f), len(data))
				sum.Write(data)
			}
		}
	}
}
