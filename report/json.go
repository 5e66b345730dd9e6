package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"reflect"
	"strings"
)

// WriteJSON prints the report as JSON of the schema kdlocks.report/v1. It
// writes list items one by one, so that a report on very many threads needs no
// more memory than the largest of them.
func WriteJSON(w io.Writer, r *Report, _ Style) error { return writeStruct(w, r) }

// writeStruct prints a struct, of its lists item by item.
func writeStruct[T any](w io.Writer, v *T) error {
	j := jsonStream{w: bufio.NewWriterSize(w, 1<<16)}
	j.object(reflect.ValueOf(v).Elem())
	if j.err != nil {
		return j.err
	}
	return j.w.Flush()
}

// JSON prints any value of this package as indented JSON.
func JSON(w io.Writer, v any) error {
	if l, ok := v.(interface{ each(func(any) bool) }); ok {
		j := jsonStream{w: bufio.NewWriterSize(w, 1<<16)}
		j.list(l.each, "")
		j.text("\n")
		return errors.Join(j.err, j.w.Flush())
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// jsonStream writes what encoding/json would, piece by piece.
type jsonStream struct {
	w   *bufio.Writer
	buf bytes.Buffer // one value without blanks
	out []byte       // what is indented of it
	err error
}

func (j *jsonStream) text(s string) {
	if j.err == nil {
		_, j.err = j.w.WriteString(s)
	}
}

// value writes a value whose further lines are indented by prefix.
func (j *jsonStream) value(v any, prefix string) {
	if j.err != nil {
		return
	}
	j.buf.Reset()
	e := json.NewEncoder(&j.buf)
	e.SetEscapeHTML(false)
	if j.err = e.Encode(v); j.err == nil {
		j.out, j.err = indent(j.w, j.out, bytes.TrimRight(j.buf.Bytes(), "\n"), prefix)
	}
}

// indent writes JSON without blanks as json.Indent would with two blanks for each level, in a
// fraction of the time: it does not look whether that is JSON. What it keeps in dst is returned
// to be used again.
func indent(w io.Writer, dst, src []byte, prefix string) ([]byte, error) {
	dst = dst[:0]
	newLine := "\n" + prefix
	for i := 0; i < len(src); i++ {
		switch c := src[i]; c {
		case '"':
			end := i + 1
			for src[end] != '"' {
				if src[end] == '\\' {
					end++
				}
				end++
			}
			dst = append(dst, src[i:end+1]...)
			i = end
		case '{', '[':
			dst = append(dst, c)
			if next := src[i+1]; next == '}' || next == ']' {
				dst = append(dst, next)
				i++
				continue
			}
			newLine += "  "
			dst = append(dst, newLine...)
		case '}', ']':
			newLine = newLine[:len(newLine)-2]
			dst = append(append(dst, newLine...), c)
		case ',':
			dst = append(append(dst, c), newLine...)
			if len(dst) > 1<<15 {
				if _, err := w.Write(dst); err != nil {
					return dst, err
				}
				dst = dst[:0]
			}
		case ':':
			dst = append(dst, ": "...)
		default:
			dst = append(dst, c)
		}
	}
	_, err := w.Write(dst)
	return dst, err
}

// object writes the fields of a struct, lists among them item by item.
func (j *jsonStream) object(v reflect.Value) {
	sep := "{\n  "
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || strings.HasPrefix(opts, "omit") && isEmpty(v.Field(i)) {
			continue
		}
		j.text(sep)
		j.value(name, "")
		j.text(": ")
		j.field(v.Field(i))
		sep = ",\n  "
	}
	j.text("\n}\n")
}

func isEmpty(v reflect.Value) bool {
	if l, ok := v.Interface().(interface{ IsZero() bool }); ok {
		return l.IsZero()
	}
	return v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0
}

func (j *jsonStream) field(v reflect.Value) {
	switch l, isList := v.Interface().(interface{ each(func(any) bool) }); {
	case isList:
		j.list(l.each, "  ")
	case v.Kind() == reflect.Slice && !v.IsNil():
		j.list(func(yield func(any) bool) {
			for i := range v.Len() {
				if !yield(v.Index(i).Interface()) {
					return
				}
			}
		}, "  ")
	default:
		j.value(v.Interface(), "  ")
	}
}

func (j *jsonStream) list(items iter.Seq[any], prefix string) {
	sep, end := "[\n  "+prefix, "[]"
	for item := range items {
		j.text(sep)
		j.value(item, "  "+prefix)
		sep, end = ",\n  "+prefix, "\n"+prefix+"]"
		if j.err != nil {
			return
		}
	}
	j.text(end)
}
