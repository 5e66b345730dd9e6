package mcp

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"kdlocks/kd"
)

// Bounds of the answers, in characters.
const (
	leastAnswer, usualAnswer, mostAnswer = 10_000, 40_000, 16 << 20
)

// steps are how much of lists and texts is kept, one after the other until an
// answer fits.
var steps = []struct{ items, text int }{{1000, 8000}, {200, 4000}, {60, 2000}, {25, 1000}, {10, 500}, {4, 250}, {2, 200}, {1, 150}}

// fit cuts lists and texts of the struct that v points to until it has no more than
// most bytes as JSON. It returns what was cut, for the assistant to know.
func fit(v any, most int) (cut []string, err error) {
	for n := 0; ; n++ {
		data, err := marshal(v)
		switch {
		case err != nil || len(data) <= most:
			return cut, err
		case n == len(steps):
			return nil, fmt.Errorf("the answer cannot be cut to fewer than %d characters: pass a higher max_chars", len(data))
		}
		c := cutter{items: steps[n].items, text: steps[n].text}
		c.value(reflect.ValueOf(v).Elem(), "")
		cut = c.merge(cut)
	}
}

// plain makes all texts that v points to harmless, as kd.Plain does. Their line
// ends stay.
func plain(v any) {
	c := cutter{plain: true}
	c.value(reflect.ValueOf(v).Elem(), "")
}

// cutter walks a value and changes it in place.
type cutter struct {
	plain       bool
	items, text int // 0 keeps all

	lists []string       // paths, in the order of the walk
	left  map[string]int // how many items of lists at a path were left out
	texts int            // cut
}

func (c *cutter) value(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.Kind() == reflect.Pointer && !v.IsNil() {
			c.value(v.Elem(), path)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			below := path
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); !f.Anonymous {
				below = strings.TrimPrefix(path+"."+name, ".")
			}
			c.value(v.Field(i), below)
		}
	case reflect.Slice:
		c.slice(v, path)
	case reflect.String:
		c.string(v, path)
	}
}

func (c *cutter) slice(v reflect.Value, path string) {
	if v.Type().Elem().Kind() == reflect.Uint8 { // a document
		return
	}
	if n := v.Len(); c.items > 0 && n > c.items {
		if c.left == nil {
			c.left = make(map[string]int)
		}
		if c.left[path] == 0 {
			c.lists = append(c.lists, path)
		}
		c.left[path] += n - c.items
		v.Set(v.Slice(0, c.items))
	}
	if v.Len() == 0 {
		return
	}
	own := reflect.MakeSlice(v.Type(), v.Len(), v.Len()) // the list may be one that all calls share
	reflect.Copy(own, v)
	v.Set(own)
	for i := range v.Len() {
		c.value(v.Index(i), path)
	}
}

func (c *cutter) string(v reflect.Value, path string) {
	s := v.String()
	if c.plain {
		v.SetString(kd.PlainLines(s))
		return
	}
	if path == "verdict.summary" {
		return // a sentence: what all the rest is for
	}
	if short := clip(s, c.text); short != s {
		c.texts++
		v.SetString(short)
	}
}

// merge says what was cut, beside what earlier steps cut: a later step cuts more of
// the same lists.
func (c *cutter) merge(before []string) []string {
	out := before
	for _, path := range c.lists {
		out = append(out, fmt.Sprintf("%s: %d left out", path, c.left[path]))
	}
	if c.texts > 0 {
		out = append(out, fmt.Sprintf("%d texts were clipped to %d characters", c.texts, c.text))
	}
	return out
}

// clip cuts a text to so many bytes and says so.
func clip(s string, most int) string {
	if most <= 0 || len(s) <= most {
		return s
	}
	const more = " [...]"
	at := max(0, most-len(more))
	for at > 0 && !utf8.RuneStart(s[at]) {
		at--
	}
	return s[:at] + more
}
