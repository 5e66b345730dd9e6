package memory_test

import (
	"strings"
	"testing"

	"kdlocks/memory"
)

// TestHits: what a search for the letters of a tag finds; other searches find none.
func TestHits(t *testing.T) {
	const line = "f50b63bb  51 7a 78 37 3b c2 0f 85-a5 00 00 00 44 3b e2 0f  Qzx7;.......D;..\n"
	const prompt = "0: kd> .echo\n"
	for _, c := range []struct {
		name, text string
		searches   int
		hits, left int
		whole      bool
	}{
		{"all modules", `0: kd> !for_each_module s -a @#Base @#End "Qzx7"` + "\n" + line + "f50b7410  51 7a 78 37 8b f8 85 ff-74 10 8b 45 08 89 07 8b  Qzx7....t..E....\n" + prompt, 1, 2, 0, true},
		{"a command in quotes", `0: kd> !for_each_module "s-a @#Base @#End \"Qzx7\""` + "\n" + line + prompt, 1, 1, 0, true},
		{"one range, 64 bits", `0: kd> s -a fffff880044b6000 L?8000 "Qzx7"` + "\n" + "fffff880`044b63bb  51 7a 78 37 3b c2 0f 85-a5 00 00 00 44 3b e2 0f  Qzx7;.......D;..\n" + prompt, 1, 1, 0, true},
		{"nothing behind it", `0: kd> s -a f50b3000 L?8000 "Qzx7"` + "\n" + line, 1, 1, 0, false},
		{"something else is printed", `0: kd> s -a f50b3000 L?8000 "Qzx8"` + "\n" + "f50b63bb  377a7851 850fc23b 000000a5 0fe23b44  Qzx7;.......D;..\n", 1, 0, 1, false},
		{"an error", `0: kd> s -a f50b3000 L?8000 "Qzx7"` + "\n" + line + "Memory access error at f50b8000\n", 1, 1, 1, false},
		{"longer than a tag", `0: kd> s -a f50b3000 L?8000 "Password"` + "\n" + line, 0, 0, 1, false},
		{"no letters", `0: kd> s -a f50b3000 L?8000` + "\n" + line, 0, 0, 1, false},
		{"no command", line, 0, 0, 1, false},
	} {
		l, strange := read(c.text)
		m := l.Memory
		if m == nil {
			m = &memory.Memory{}
		}
		same(t, c.name, []int{len(m.Searches), len(m.Hits), len(strange)}, []int{c.searches, c.hits, c.left})
		if len(m.Searches) > 0 {
			same(t, c.name, m.Searches[0].Whole, c.whole)
		}
	}
}

// TestSearchBeyondBound: of a search that found more than is kept it is not said that all
// of it was read.
func TestSearchBeyondBound(t *testing.T) {
	for typed, hit := range map[string]string{
		`!for_each_module s -a @#Base @#End "Qzx7"`:  "f50b63bb  51 7a 78 37 3b c2 0f 85-a5 00 00 00 44 3b e2 0f  Qzx7;.......D;..\n",
		`!for_each_module s-d @#Base @#End e0894d1f`: "f50b8058 e0894d1f e0828e04 e089b708 e084011b .M..............\n",
	} {
		for n, whole := range map[int]bool{5000: true, 5001: false} {
			l, _ := read("kd> " + typed + "\n" + strings.Repeat(hit, n) + "kd> .echo\n")
			m := l.Memory
			if len(m.Hits)+len(m.Words) != 5000 || m.Searches[0].Whole != whole {
				t.Errorf("%s: %d of %d are kept, whole %t", typed, len(m.Hits)+len(m.Words), n, m.Searches[0].Whole)
			}
		}
	}
}
