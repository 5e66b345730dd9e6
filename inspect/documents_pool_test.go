package inspect_test

import (
	"slices"
	"strings"
	"testing"
)

// depletion is the log of "NonPagedPool Depletion" as its page has it, and its steps in
// their order.
func depletion(t *testing.T) (map[string]string, []string) {
	t.Helper()
	return steps(readText(t, "../testdata/documents/nonpagedpool-depletion.log"), "2: kd> "), []string{"!vm", "!poolused", "x", "!for_each_module", "dps", "!lmi"}
}

// What the document tells, and asks for.
const (
	guidDriver   = "{XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX}.sys"
	oneImporter  = guidDriver + " is the one module that imports ExAllocatePool"
	blogPool     = "NonPagedPool Depletion"
	searchModule = "!for_each_module s-d @#Base @#End e0894d1f"
	exhausted98  = "Nonpaged pool is exhausted (98 %, 3 failed allocations)"
)

// TestPoolDepletion replays the document: with all of it the driver is named, with a step
// missing that step is asked for, with its addresses.
func TestPoolDepletion(t *testing.T) {
	t.Parallel()
	step, order := depletion(t)
	without := func(names ...string) []string {
		return []string{join(step, "", slices.DeleteFunc(slices.Clone(order), func(n string) bool { return slices.Contains(names, n) })...)}
	}
	first := func(n int) []string { return []string{join(step, "", order[:n]...)} }
	backwards := slices.Clone(order)
	slices.Reverse(backwards)
	all := join(step, "", order...)
	words := "\nThe rows above are worth a second look, let\u2019s see what is \u201cbehind\u201d them:\n\n"
	full := []string{"NonPagedPool Usage: 31369", "********** 3 pool", "None 246479 50827424", "e0894d1f nt!ExAllocatePool", "f50b8058 e0894d1f e0828e04", "f50b805c e0828e04 nt!_wcsnicmp", "Base Address: f50b3000"}
	none := []string{"None 246479 50827424"}
	details := []string{"lmv a f50b3000"}
	replayAll(t, documentRules(t), []replay{
		{name: "all", log: []string{all}, kind: "memory-exhausted", says: []string{exhausted98, "tag None", "48.5 MB in 246,479 allocations", oneImporter}, seen: full, article: blogPool, known: "pool-tag-none-exallocatepool likely", asks: details},
		{name: "with words of the author between", log: []string{join(step, words, order...)}, kind: "memory-exhausted", says: []string{exhausted98, oneImporter}, seen: full, article: blogPool, asks: details},
		{name: "with one line for each", log: []string{strings.ReplaceAll(all, "\n\n", "\n")}, kind: "memory-exhausted", says: []string{exhausted98, oneImporter}, seen: full, asks: details},
		{name: "backwards", log: []string{join(step, "", backwards...)}, kind: "memory-exhausted", says: []string{exhausted98, oneImporter}, seen: append(slices.Clone(full[:4]), full[5:]...), asks: details},
		{name: "in two files", log: []string{join(step, "", order[:2]...), join(step, "", order[2:]...)}, kind: "memory-exhausted", says: []string{exhausted98, oneImporter}, seen: full, asks: details},
		{name: "no !vm", log: without("!vm"), kind: "undecided", says: []string{"how full the pools are is missing", "run !vm", oneImporter}, seen: full[2:], article: blogPool, asks: append([]string{"!vm"}, details...)},
		{name: "no !poolused", log: without("!poolused"), kind: "memory-exhausted", says: []string{exhausted98}, never: "imports", seen: full[:2], article: blogPool, asks: []string{"!poolused 2"}},
		// dps names the routine: its address is known.
		{name: "no x", log: without("x"), kind: "memory-exhausted", says: []string{oneImporter}, seen: append(slices.Clone(full[:3]), full[4:]...), asks: append(slices.Clone(details), "x nt!ExAllocatePool")},
		{name: "no x and no dps", log: without("x", "dps"), kind: "memory-exhausted", never: "imports", seen: none, asks: []string{"x nt!ExAllocatePool"}},
		{name: "no search", log: without("!for_each_module"), kind: "memory-exhausted", says: []string{guidDriver + " imports"}, never: "the one module", seen: full[5:], asks: []string{searchModule}},
		{name: "no dps", log: without("dps"), kind: "memory-exhausted", never: "imports", seen: full[2:5], asks: []string{"dps f50b8058"}},
		{name: "no !lmi", log: without("!lmi"), kind: "memory-exhausted", never: "imports", seen: full[2:6], asks: []string{"!lmi f50b8058"}},
		{name: "the first step", log: first(1), kind: "memory-exhausted", says: []string{exhausted98}, seen: full[:2], article: blogPool, asks: []string{"!poolused 2"}},
		{name: "the first two", log: first(2), kind: "memory-exhausted", says: []string{"tag None"}, seen: full[:3], asks: []string{"x nt!ExAllocatePool"}},
		{name: "the first three", log: first(3), kind: "memory-exhausted", seen: full[:4], asks: []string{searchModule}},
		{name: "the first four", log: first(4), kind: "memory-exhausted", seen: full[:5], asks: []string{"dps f50b8058"}},
		{name: "only !poolused", log: []string{step["!poolused"]}, kind: "undecided", says: []string{"run !vm", "48.5 MB of nonpaged pool were allocated without a tag"}, seen: none, article: blogPool, asks: []string{"!vm", "x nt!ExAllocatePool"}},
		{name: "only the way to the driver", log: []string{join(step, "", order[2:]...)}, kind: "undecided", says: []string{"how much pool was allocated without a tag"}, never: guidDriver, asks: []string{"!poolused 2"}},
	})
}

// TestPoolDepletionOtherwise replays the document with other output.
func TestPoolDepletionOtherwise(t *testing.T) {
	t.Parallel()
	step, order := depletion(t)
	all := join(step, "", order...)
	until := func(name string) string { return all[:strings.Index(all, "2: kd> "+name)] }
	const hit = "f50b8058 e0894d1f e0828e04 e089b708 e084011b .M..............\n"
	hits := func(second string) string {
		return strings.Replace(all, hit, hit+"\n"+strings.Replace(hit, "f50b8058", second, 1), 1)
	}
	const table = "2: kd> dps f60c8010\nf60c8010  e0894d1f nt!ExAllocatePool\nf60c8014  e0828e04 nt!_wcsnicmp\n"
	const other = "2: kd> !lmi f60c8010\nLoaded Module Info: [f60c8010]\n         Module: other\n   Base Address: f60c0000\n     Image Name: other.sys\n"
	const kernel = "2: kd> dps e0a00010\ne0a00010  e0894d1f nt!ExAllocatePool\ne0a00014  e0828e04 nt!_wcsnicmp\n2: kd> !lmi e0a00010\nLoaded Module Info: [e0a00010]\n         Module: ntkrpamp\n   Base Address: e0800000\n     Image Name: ntkrpamp.exe\n"
	notTable := until("dps") + "2: kd> dps f50b8058\nf50b8058  e0894d1f nt!ExAllocatePool\nf50b805c  00000000\nf50b8060  00000001\n" + step["!lmi"]
	const row = "start    end        module name\nf50b3000 f50c0000   {XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX}   (deferred)             \n"
	// As lmv prints a driver whose file is gone: no version could be read from it.
	const gone = "    Image path: \\??\\C:\\WINDOWS\\system32\\drivers\\{XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX}.sys\n    Image name: {XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX}.sys\n    Timestamp:        Thu Mar 20 10:11:12 2008 (47E24A10)\n    CheckSum:         00012345\n    ImageSize:        0000D000\n"
	cut := strings.Replace(all, hit, hit+"\n<SNIP>\n", 1)
	failed := strings.Replace(all, hit, hit+"\nMemory access error at 'f7000000'\n", 1)
	replayAll(t, documentRules(t), []replay{
		{name: "no import table", log: []string{notTable}, kind: "memory-exhausted", never: "imports", seen: []string{"f50b8058 e0894d1f e0828e04"}, asks: []string{"!poolfind None 0"}},
		{name: "a second hit that nobody looked at", log: []string{hits("f60c8010")}, kind: "memory-exhausted", says: []string{guidDriver + " imports"}, never: "the one module", asks: []string{"dps f60c8010"}},
		{name: "a second import table of an unknown module", log: []string{hits("f60c8010") + table}, kind: "memory-exhausted", never: "the one module", asks: []string{"!lmi f60c8010"}},
		{name: "two drivers", log: []string{hits("f60c8010") + table + other}, kind: "memory-exhausted", says: []string{guidDriver + ", other.sys import ExAllocatePool, which of them keeps the memory cannot be told"}, never: "the one module", seen: []string{"f60c8014  e0828e04", "Base Address: f60c0000"}, asks: []string{"!poolfind None 0"}},
		{name: "a second hit that is no table", log: []string{hits("f60c8010") + "2: kd> dps f60c8010\nf60c8010  e0894d1f nt!ExAllocatePool\nf60c8014  00000010\n"}, kind: "memory-exhausted", says: []string{oneImporter}, asks: []string{"lmv a f50b3000"}},
		{name: "a hit in the kernel", log: []string{hits("e0a00010") + kernel}, kind: "memory-exhausted", says: []string{oneImporter}, asks: []string{"lmv a f50b3000"}},
		{name: "no hit", log: []string{strings.Replace(until("dps"), hit, "", 1) + "2: kd> .echo\n"}, kind: "memory-exhausted", never: "imports", asks: []string{"lm n t", "!poolfind None 0"}},
		{name: "hits left out", log: []string{cut}, kind: "memory-exhausted", says: []string{guidDriver + " imports"}, never: "the one module", asks: []string{searchModule}},
		{name: "a search that failed", log: []string{failed}, kind: "memory-exhausted", never: "the one module", asks: []string{searchModule}},
		{name: "a driver that is not on the disk", log: []string{all + "2: kd> lmv a f50b3000\n" + row + gone}, kind: "memory-exhausted", says: []string{oneImporter}, asks: []string{}},
		{name: "lm in place of !lmi", log: []string{until("!lmi") + "2: kd> lm a f50b8058\n" + row}, kind: "memory-exhausted", says: []string{strings.TrimSuffix(guidDriver, ".sys") + " is the one module"}, seen: []string{"f50b3000 f50c0000"}, asks: []string{"lmv a f50b3000"}},
	})
	r := withRules(t, documentRules(t), asInput(all))
	for _, f := range r.Findings[:2] {
		if !strings.Contains(f.Explanation, "Its name is a GUID: such a driver may be made by a program") {
			t.Errorf("%s says nothing of the name: %s", f.ID, f.Explanation)
		}
	}
}

// TestPoolDepletionsPasted holds that logs of several machines, pasted one behind the
// other without a banner, are told apart: each has its own conclusion and its own gaps.
func TestPoolDepletionsPasted(t *testing.T) {
	t.Parallel()
	step, order := depletion(t)
	all := join(step, "", order...)
	other := strings.NewReplacer("e0894d1f", "8086b3c1", "e0828e04", "80811204", "e089b708", "8087a508", "e083e30a", "8082e30a", "f50b80", "f72180", "f50b3000", "f7215000",
		"{XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX}", "leaky", "31369", "61369", "31986", "61986", "125476", "245476", "127944", "247944", "851420", "951420", "3405680", "3805680").Replace(all)
	sis := readText(t, "../testdata/sis-self-deadlock.log")
	set := documentRules(t)
	for _, c := range []struct {
		name string
		log  string
		kind string
		// says is of each exhausted pool, in the order of the sessions, and next what is
		// asked for.
		says, next []string
	}{
		{"two machines", all + other, "memory-exhausted", []string{oneImporter, "leaky.sys is the one module that imports ExAllocatePool"}, []string{"lmv a f50b3000", "lmvm leaky"}},
		{"the second is cut", all + other[:strings.Index(other, "2: kd> dps")], "memory-exhausted", []string{oneImporter, "tag None"}, []string{"lmv a f50b3000", "dps f7218058"}},
		{"the first is cut", all[:strings.Index(all, "2: kd> !lmi")] + other, "memory-exhausted", []string{"tag None", "leaky.sys is the one module"}, []string{"!lmi f50b8058", "lmvm leaky"}},
		{"the same twice", all + all, "memory-exhausted", []string{oneImporter}, []string{"lmv a f50b3000"}},
		{"behind a deadlock of 64 bits", sis + "\n" + all, "deadlock", []string{oneImporter}, []string{"lmv a f50b3000"}},
		{"before a deadlock of 64 bits", all + sis, "deadlock", []string{oneImporter}, []string{"lmv a f50b3000"}},
	} {
		r := withRules(t, set, asInput(c.log))
		if r.Verdict.Kind != c.kind || strings.Contains(r.Verdict.Summary, "Besides") {
			t.Errorf("%s: %s: %s", c.name, r.Verdict.Kind, r.Verdict.Summary)
		}
		n := 0
		for _, f := range r.Findings {
			if f.ID != "pool-exhausted" {
				continue
			}
			if n >= len(c.says) || !strings.Contains(f.Summary, c.says[n]) || !slices.Equal(f.NextCommands, c.next[n:n+1]) {
				t.Errorf("%s: pool %d: %s; asks for %q", c.name, n, f.Summary, f.NextCommands)
			}
			n++
		}
		if n != len(c.says) {
			t.Errorf("%s: %d exhausted pools, want %d", c.name, n, len(c.says))
		}
	}
}
