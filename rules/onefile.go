package rules

import (
	"io/fs"
	"path"
)

// TextSource is a source of one rule file that is at hand. Name is what messages
// call it. It has no logs beside it: its tests must hold theirs.
func TextSource(name, text string) Source {
	file := path.Base(name)
	if file == "." || file == ".." || file == "/" {
		name, file = "rules.yaml", "rules.yaml"
	}
	return Source{Name: name, FS: noFiles{}, File: file, text: &text}
}

// ParsedSource is TextSource for a text that another program parsed: form is what
// tree.Append wrote of it. A program that parses rules itself does not look at it.
func ParsedSource(name, text, form string) Source {
	src := TextSource(name, text)
	src.form = form
	return src
}

// noFiles is an empty file system.
type noFiles struct{}

func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
