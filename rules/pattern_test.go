package rules

import (
	"regexp"
	"strings"
	"testing"
)

// forms are what patterns read by hand must agree with.
var forms = []struct {
	expression string
	is         func(string) bool
}{
	{`^[a-z0-9]+(-[a-z0-9]+)*$`, isRuleID},
	{`^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$`, isPackName},
	{`^[0-9a-f]{4,}\.[0-9a-f]{4,}$`, isCID},
	{`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`, likeDate},
	{`^[0-9]{5,8}$`, isKB},
	{`^[A-Z][A-Za-z0-9_]*$`, isBinding},
	{`^[A-Z][A-Za-z0-9_]*\.[a-z][a-z0-9_]*$`, isReference},
}

var (
	inText   = regexp.MustCompile(`[A-Z][A-Za-z0-9_]*\.[a-z][a-z0-9_]*`)
	inBraces = regexp.MustCompile(`\{[A-Z][A-Za-z0-9_]*\.[a-z][a-z0-9_]*\}`)
	nearly   = regexp.MustCompile(`\{\s*([A-Za-z][A-Za-z0-9_]*)(\.[A-Za-z0-9_]+)?\s*(\}|$|[^}\w\s])`)
)

func agree(t *testing.T, s string) {
	for _, f := range forms {
		if got, want := f.is(s), regexp.MustCompile(f.expression).MatchString(s); got != want {
			t.Errorf("%q is of the form %s: %v", s, f.expression, got)
		}
	}
	by := func(ref string) string { return "<" + ref + ">" }
	if got, want := replaceReferences(s, by), inText.ReplaceAllStringFunc(s, by); got != want {
		t.Errorf("references of %q: %q, want %q", s, got, want)
	}
	want := inBraces.FindStringIndex(s)
	if want == nil {
		want = []int{-1, -1}
	}
	if from, end := referenceInBraces(s); from != want[0] || end != want[1] {
		t.Errorf("reference of %q at %d to %d, want %v", s, from, end, want)
	}
	near := nearReferences(s)
	for _, m := range nearly.FindAllStringSubmatch(s, -1) {
		if len(near) == 0 || near[0] != (nearReference{m[0], m[1], m[2]}) {
			t.Fatalf("%q has %q, and not %q", s, near, m[:3])
		}
		near = near[1:]
	}
	if len(near) > 0 {
		t.Errorf("%q is in %q", near, s)
	}
}

var patternTexts = []string{
	"", "a", "A", "a-b", "a--b", "-a", "a-", "a.b_c-d", "a..b", "Ab", "ab1-2", "é-a", "0004.0b44", "004.0b44", "0004.0B44", "0004.0b44.0000", "0004", ".",
	"2026-11-21", "2026-13-21", "2026-00-10", "2026-02-30", "2026-02-32", "2026-1-1", "2026-11-2a", "é026-11-21", "12345", "1234", "123456789", "12345x",
	"L.address", "L.Address", "L_1.a_b", "L.", ".a", "L.address.b", "x L.a, AB.c AB.C DL.d.e_9Z", "LL M.n",
	"{L.address}", "{{L.address}}", "{L.address", "{ L.address }", "{l.address}", "{L}", "{L", "{L ", "{L.", "{L.a b}", "{L.a.b}", "{Lx y}", "{L,", "{Lé}", "{\tL.9}\n{M\v}",
	".foreach (x {!process}) {!thread x}", "{", "{{{", "{}", "{1}", "{L}{M}", "{L{M.n}", "{L.{M.n}", "{L.a{M}", "{L.a\xff", "{L \xff", "{ {L.a} }",
}

// Patterns read by hand are the regular expressions of their forms.
func TestPatterns(t *testing.T) {
	for _, s := range patternTexts {
		agree(t, s)
	}
	agree(t, strings.Repeat("{A", 1000)+strings.Repeat(".b", 1000))
}

func FuzzPatterns(f *testing.F) {
	for _, s := range patternTexts {
		f.Add(s)
	}
	f.Fuzz(agree)
}
