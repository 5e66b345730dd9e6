package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestIndentIsThatOfTheLibrary(t *testing.T) {
	for _, src := range []string{
		`null`, `""`, `"a"`, `-1.5e7`, `{}`, `[]`, `[[]]`, `[{}]`, `{"a":{}}`, `{"a":[],"b":[1,2],"c":{"d":"e"}}`,
		`"\\"`, `"\\\""`, `["\"[{,:}]\\","x"]`, `{"\",:":"\\\\"}`, `[[1,[2]],"ü\u2028"]`,
		"[" + strings.Repeat(`{"a":[1,2]},`, 20_000) + "0]",
	} {
		for _, prefix := range []string{"", "    "} {
			var want bytes.Buffer
			if err := json.Indent(&want, []byte(src), prefix, "  "); err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if _, err := indent(&got, nil, []byte(src), prefix); err != nil || got.String() != want.String() {
				t.Errorf("%.99s: %.99s, want %.99s (%v)", src, got.Bytes(), want.Bytes(), err)
			}
		}
	}
}
