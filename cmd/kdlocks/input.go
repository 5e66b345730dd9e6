package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"kdlocks/inspect"
)

// readInputs reads the named files; - is standard input. Files that cannot be
// read are told in the error, and the others are returned all the same.
func (a *app) readInputs(names []string) ([]inspect.Input, error) {
	var inputs []inspect.Input
	var errs []error
	stdin := false
	for _, name := range names {
		if name == "-" && stdin {
			errs = append(errs, errors.New("-: standard input is named twice"))
			continue
		}
		stdin = stdin || name == "-"
		in, err := a.readInput(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		inputs = append(inputs, in)
	}
	return inputs, errors.Join(errs...)
}

func (a *app) readInput(name string) (inspect.Input, error) {
	if name == "-" {
		data, err := io.ReadAll(a.stdin)
		if err != nil {
			return inspect.Input{}, fmt.Errorf("standard input: %w", err)
		}
		return inspect.Bytes("stdin", data), nil
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return inspect.Input{}, fmt.Errorf("%s: no such file", name)
	case err != nil:
		return inspect.Input{}, err
	case info.IsDir():
		return inspect.Input{}, fmt.Errorf("%s: is a directory; name the log files in it", name)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return inspect.Input{}, err
	}
	return inspect.Bytes(name, data), nil
}
