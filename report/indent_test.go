package report

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestIndentIsThatOfTheLibrary(t *testing.T) {
	for _, src := range []string{
		`null`, `""`, `"a"`, `-1.5e7`, `{}`, `[]`, `[[]]`, `[{}]`, `{"a":{}}`, `{"a":[],"b":[1,2],"c":{"d":"e"}}`,
		`"\\"`, `"\\\""`, `["\"[{,:}]\\","x"]`, `{"\",:":"\\\\"}`, `[[1,[2]],"ü\u2028"]`,
	} {
		for _, prefix := range []string{"", "    "} {
			var want bytes.Buffer
			if err := json.Indent(&want, []byte(src), prefix, "  "); err != nil {
				t.Fatal(err)
			}
			if got := indent(nil, []byte(src), prefix); string(got) != want.String() {
				t.Errorf("%s: %s, want %s", src, got, want.Bytes())
			}
		}
	}
}
