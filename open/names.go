package open

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"kdlocks/inspect"
)

// name opens what one argument stands for.
func (o *opener) name(name string) error {
	if b, ok := o.disk.(below); ok {
		var err error
		if name, err = b.local(name); err != nil {
			return err
		}
	} else if name == "-" {
		return o.standardInput()
	}
	info, err := o.disk.stat(name)
	switch {
	case err == nil && info.IsDir():
		return o.folder(name)
	case err == nil:
		return o.file(name, info, nil)
	case strings.ContainsAny(name, "*?["):
		return o.pattern(name)
	}
	return unreadable(name, err)
}

// pattern opens what matches; the shells of Windows leave that to us.
func (o *opener) pattern(name string) error {
	matches, err := o.disk.glob(name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(matches) == 0 {
		return fmt.Errorf("%s: no such file, and none matches", name)
	}
	for _, m := range matches {
		info, err := o.disk.stat(m)
		switch {
		case err != nil:
			err = unreadable(m, err)
		case info.IsDir():
			err = o.folder(m)
		default:
			err = o.file(m, info, nil)
		}
		if err := o.tell(err); err != nil {
			return err
		}
	}
	return nil
}

// tell keeps an error and goes on, but for those that end everything.
func (o *opener) tell(err error) error {
	if errors.Is(err, errStop) || o.ctx.Err() != nil {
		return errStop
	}
	if err != nil {
		o.errs = append(o.errs, err)
	}
	return nil
}

// folder opens the files in and below a folder, sorted.
func (o *opener) folder(dir string) error {
	place := &found{in: dir}
	err := o.disk.walk(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return o.tell(unreadable(path, err))
		case path != dir && hidden(d):
			place.hidden++
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return o.tell(nil)
		}
		return o.tell(o.inFolder(path, place))
	})
	if err == nil && o.ctx.Err() == nil {
		o.noteSkipped(place)
		if place.inputs == 0 {
			return fmt.Errorf("%s: no text files in this folder", dir)
		}
	}
	return err
}

// inFolder opens a file of a folder. Links are followed to files, never to
// folders, and nothing is opened that could block.
func (o *opener) inFolder(path string, place *found) error {
	info, err := o.disk.stat(path)
	switch {
	case err != nil:
		place.inputs++
		return unreadable(path, err)
	case !info.Mode().IsRegular():
		place.special++
		return nil
	}
	return o.file(path, info, place)
}

// file opens a file; what is none, a pipe or a device, is spooled.
func (o *opener) file(name string, info fs.FileInfo, place *found) error {
	if o.before(info) {
		if place != nil {
			place.inputs++
		}
		return nil
	}
	if b, ok := o.disk.(below); ok && !info.Mode().IsRegular() {
		return fmt.Errorf("%s: only files and folders are read below %s", name, b.root.Name())
	}
	f, err := openFile(o.ctx, o.disk, name)
	if err != nil {
		return unreadable(name, err)
	}
	if info.Mode().IsRegular() {
		info, err = f.Stat()
		if err != nil {
			f.Close()
			return unreadable(name, err)
		}
		if info.Size() > 0 {
			return o.addFile(&file{f: f, name: name, size: info.Size()}, place)
		}
	}
	defer f.Close() // also files of size 0: those below /proc hold something
	return o.pipe(name, f, place)
}

func (o *opener) addFile(f *file, place *found) error {
	o.set.files = append(o.set.files, f)
	return o.add(inspect.Input{Name: f.name, Data: f, Size: f.size}, 0, place)
}

// standardInput opens what is piped in, or the file that stands there.
func (o *opener) standardInput() error {
	const name = "stdin"
	if o.stdin {
		o.again++
		return nil
	}
	o.stdin = true
	if f, ok := o.opt.Stdin.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			base, err := f.Seek(0, io.SeekCurrent)
			if err == nil && base < info.Size() {
				return o.addFile(&file{f: f, name: name, base: base, size: info.Size() - base, borrowed: true}, nil)
			}
		}
	}
	return o.pipe(name, o.opt.Stdin, nil)
}

// pipe spools what can only be read once.
func (o *opener) pipe(name string, r io.Reader, place *found) error {
	if r == nil {
		r = strings.NewReader("")
	}
	pr := interruptible(o.ctx, r)
	defer pr.Close()
	in, err := o.fill(name, pr, nil)
	if cerr := o.ctx.Err(); cerr != nil {
		return cerr
	}
	if err != nil {
		o.errs = append(o.errs, fmt.Errorf("%s: %w", name, firstPart(err, in.Size)))
		if in.Size == 0 {
			return nil
		}
	}
	return o.add(in, 0, place)
}

// before reports whether a file was opened under another name, and remembers it.
func (o *opener) before(info fs.FileInfo) bool {
	if !info.Mode().IsRegular() {
		return false
	}
	for _, old := range o.seen[info.Size()] {
		if os.SameFile(old, info) {
			o.again++
			return true
		}
	}
	o.seen[info.Size()] = append(o.seen[info.Size()], info)
	return false
}

// openFile opens a file. To open a pipe waits for its writer, so that is left
// behind when ctx is done.
func openFile(ctx context.Context, d disk, name string) (*os.File, error) {
	type opened struct {
		f   *os.File
		err error
	}
	c := make(chan opened, 1)
	go func() {
		f, err := d.open(name)
		c <- opened{f, err}
	}()
	select {
	case got := <-c:
		return got.f, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func unreadable(name string, err error) error {
	var p *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: no such file", name)
	case errors.As(err, &p):
		return fmt.Errorf("%s: %w", name, p.Err)
	}
	return fmt.Errorf("%s: %w", name, err)
}
