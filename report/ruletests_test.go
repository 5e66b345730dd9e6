package report

import (
	"bytes"
	"encoding/xml"
	"io"
	"testing"
)

// TestJUnitIsWellFormed holds that whatever rules and logs are called, a CI system
// can read the XML, and that its counts are those of its cases.
func TestJUnitIsWellFormed(t *testing.T) {
	tests := []RuleTest{
		{Pack: "p", Rule: "a", Test: "passes", File: "a.yaml", Line: 3, Passed: true},
		{Pack: "p", Rule: "a", Test: "]]> <&\"' \x00\x1b[31m \xff \ufffe", File: "a]]>.yaml", Diffs: []RuleDiff{{Field: "L.address", Want: "]]>", Got: "\x07 <b>"}}, Note: "]]>", Clauses: []RuleTestClause{{Role: "match", Nearest: "]]>"}}},
		{Pack: "q \x01", Rule: "b", Test: "cannot be read", Error: "no file ]]> \x02"},
	}
	var b bytes.Buffer
	if err := WriteRuleTests(&b, tests, "junit", Style{}); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(bytes.NewReader(b.Bytes())); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, b.String())
		}
	}
	var got junitSuites
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Suites) != 2 || got.Tests != 3 || got.Failures != 1 || got.Errors != 1 || len(got.Suites[0].Cases) != 2 || got.Suites[0].Failures != 1 || got.Suites[1].Errors != 1 {
		t.Errorf("%+v", got)
	}
}

func TestFirstSentence(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Install it. Then restart.", "Install it."},
		{"Update mydrv.sys to 2.1 or later. Until then stop it.", "Update mydrv.sys to 2.1 or later."},
		{"One sentence", "One sentence"},
		{"Ends here.", "Ends here."},
		{"", ""},
	} {
		if got := firstSentence(c.in); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}
