package report

import (
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestMarkupEscapes(t *testing.T) {
	var m markup
	m.add(`<p class="{}">{}</p>`, `"><script>alert('x')</script>`, "a & {} + b\x00")
	m.add("<br/>{}", "<")
	want := `<p class="&#34;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;">a &amp; {} &#43; b` + "\ufffd</p><br/>&lt;"
	if got := m.b.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestHostileTextChangesNoMarkup: a report of which every text is an attack makes
// a page of the same elements and attributes as one of harmless text.
func TestHostileTextChangesNoMarkup(t *testing.T) {
	const attack = `"'></title></style></td><script>alert(1)</script><img src=x onerror=alert(1)> {} &lt;`
	pages := make(map[string][]string)
	for _, text := range []string{"harmless", attack} {
		r := &Report{threadCount: 2}
		fill(reflect.ValueOf(r).Elem(), text, 0)
		for i := range r.Inputs {
			r.Inputs[i].unclear = func(int, int) List[Line] { return ListOf(Line{Line: 1, Text: text}) }
		}
		th := Thread{Address: text, CID: text, Process: &Process{Image: text}, Frames: []Frame{{Symbol: text}}}
		r.lookup = func(int, string) *Thread { t := th; return &t }
		r.Threads = ListOf(th)
		r.Resources = ListOf(Resource{Address: text, Symbol: text, Mode: text})
		page := htmlOf(t, r)
		pages[text] = skeleton(t, page)
		if text == attack && (strings.Contains(page, "<script") || strings.Contains(page, "<img") || strings.Count(page, "&lt;script&gt;") < 30) {
			t.Error("the attack came through, or is not on the page")
		}
	}
	if a, b := pages["harmless"], pages[attack]; len(a) < 100 || !slices.Equal(a, b) {
		t.Errorf("other elements: %d and %d", len(a), len(b))
	}
}

// skeleton lists the elements and the names of their attributes.
func skeleton(t *testing.T, page string) []string {
	t.Helper()
	var out []string
	for d := xml.NewDecoder(strings.NewReader(page)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			s := e.Name.Local
			for _, a := range e.Attr {
				s += " " + a.Name.Local
			}
			out = append(out, s)
		}
	}
}

// fill sets all that a value has of texts, numbers and lists.
func fill(v reflect.Value, text string, depth int) {
	if !v.CanSet() || depth > 8 {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text, depth+1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), text, depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), text, depth+1)
		}
	}
}
