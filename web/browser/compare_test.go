package browser

import (
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// comparison compares a capture with a later one.
func comparison(p *tab) {
	p.Helper()
	p.click("#view-compare")
	early, late := twoCaptures(p)
	p.run(`(() => {
		const [a, b] = document.querySelectorAll("#compare textarea");
		a.value = $1;
		a.dispatchEvent(new InputEvent("input"));
		b.value = $2;
		b.dispatchEvent(new InputEvent("input"));
	})()`, early, late)
	p.wait("comparison", `document.querySelector("#compare .verdict .sentence")?.textContent`)
}

func twoCaptures(t testing.TB) (early, late string) {
	t.Helper()
	ar, err := txtar.ParseFile("../../cmd/kdlocks/testdata/script/compare.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range ar.Files {
		switch f.Name {
		case "first.txt":
			early = string(f.Data)
		case "second.txt":
			late = string(f.Data)
		}
	}
	if early == "" || late == "" {
		t.Fatal("compare.txtar holds no first.txt and second.txt")
	}
	return early, late
}

func TestCompare(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	comparison(p)
	if got := p.text("#compare .verdict .kind"); got != "DEADLOCK (certain)" {
		t.Errorf("verdict %q", got)
	}
	if got := p.text("#compare .verdict .sentence"); !strings.HasPrefix(got, "Frozen in 2 captures") {
		t.Errorf("sentence %q", got)
	}
	p.quiet()
}
