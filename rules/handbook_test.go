package rules

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"kdlocks/rules/tree"
)

// TestHandbookNumbers holds what docs/rules.md says of bounds and of the frames that
// top passes over against the code.
func TestHandbookNumbers(t *testing.T) {
	data, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	book := strings.Join(strings.Fields(string(data)), " ")
	_, top, ok := strings.Cut(book, "`top` passes over frames of nt whose functions begin so: ")
	if !ok {
		t.Fatal("the handbook does not say what top passes over")
	}
	top, _, _ = strings.Cut(top, ". ")
	var want []string
	for _, w := range waitMachinery {
		want = append(want, "`"+w+"*`")
	}
	if top != strings.Join(want, ", ") {
		t.Errorf("top passes over\n%s\nand the handbook says\n%s", strings.Join(want, ", "), top)
	}
	for _, s := range []string{
		fmt.Sprintf("a pattern at most %d `*`", mostStars),
		fmt.Sprintf("a file has at most %d MiB", tree.MostBytes>>20),
		fmt.Sprintf("comparing stops after %d,000 facts for each rule", mostSteps/1000),
	} {
		if !strings.Contains(book, s) {
			t.Errorf("the handbook does not say: %s", s)
		}
	}
}
