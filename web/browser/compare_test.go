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

// TestCompareTakes gives captures in other ways: as files, by text dropped on a box, and
// one that takes long and is stopped.
func TestCompareTakes(t *testing.T) {
	p := openPage(t, serve(t, written(t)).URL)
	p.example("cycle.log")
	p.click("#view-compare")
	early, late := twoCaptures(p)
	p.wait("the case as the first capture", `document.querySelector("#compare textarea")?.value.includes("kd>")`)
	p.run(`document.querySelector("#compare .capture button").click()`) // clear
	p.run(`(() => {
		const data = new DataTransfer();
		data.setData("text/plain", "dropped on a box");
		const e = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
		document.querySelector("#compare textarea").dispatchEvent(e);
		window.kept = e.defaultPrevented;
	})()`)
	if eval[bool](p, `window.kept || document.getElementById("text").value.includes("dropped on a box")`) {
		t.Error("a text dropped on a capture went elsewhere")
	}
	p.drop("#compare", file{"early.log", []byte(early)}, file{"late.log", []byte(late)})
	p.wait("comparison", `document.querySelector("#compare .verdict .sentence")?.textContent.startsWith("Frozen in 2 captures")`)
	if got := p.text("#compare table"); !strings.Contains(got, "early.log") || !strings.Contains(got, "late.log") {
		t.Errorf("captures: %s", got)
	}
	redact := func(label string) {
		t.Helper()
		p.run(`[...document.querySelectorAll("#compare .bar button")].find((b) => b.textContent === $1).click()`, label)
	}
	holds := `[...document.querySelectorAll("#compare textarea")].map((e) => e.value).concat(document.getElementById("compare").textContent).join().includes(window.address)`
	p.run(`window.address = document.querySelector("#compare .finding p").textContent.match(/ffff[0-9a-f]{12}/)[0]`)
	redact("Redact")
	p.wait("the same of pseudonyms", `!`+holds+` && document.querySelector("#compare .verdict .sentence")?.textContent.startsWith("Frozen in 2 captures")`)
	redact("Show the original")
	p.wait("the original", holds+` && document.querySelector("#compare .verdict .sentence")?.textContent.startsWith("Frozen in 2 captures")`)
	p.largeFileOn("#compare", "0: kd> !locks\n", "Resource @ 0xfffffa8011efede8 Exclusively owned\n Contention Count = 20\n NumberOfSharedWaiters = 16\n", 4_000_000, "")
	p.wait("progress", `!document.getElementById("progress").hidden`)
	p.click("#cancel")
	p.wait("the end of it", `document.getElementById("progress").hidden && document.querySelector("#compare").textContent.includes("The comparison was stopped.")`)
	p.click("#view-one")
	p.wantVerdict("DEADLOCK (certain)")
	p.click(`[data-evidence="1.0"]`)
	p.wait("the case, which is still there", `document.querySelector("#viewer mark.m-chosen") && document.querySelector("#line h2")`)
	p.quiet()
}
