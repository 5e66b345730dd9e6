package locks_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/locks"
)

// show prints what was read of each resource on one line.
func show(l locks.Listing) []string {
	var out []string
	for _, r := range l.Resources {
		s := fmt.Sprintf("%x %s", uint64(r.Addr), r.Mode)
		if r.Symbol != "" {
			s += " " + r.Symbol
		}
		for _, c := range []struct {
			name string
			p    locks.Printed
		}{{"n", r.SharedOwners}, {"cont", r.Contention}, {"sw", r.SharedWaiterCount}, {"xw", r.ExclusiveWaiterCount}} {
			if c.p.Known() {
				s += fmt.Sprintf(" %s=%d", c.name, c.p.N)
			} else if c.p.Unread {
				s += " " + c.name + "=?"
			}
		}
		for _, o := range r.Owners {
			s += fmt.Sprintf(" owner:%x-%02x", uint64(o.Raw), o.Count)
			if o.Actual != 0 {
				s += fmt.Sprintf("(actual %x)", uint64(o.Actual))
			} else if o.Remark != "" {
				s += "(" + o.Remark + ")"
			}
		}
		for _, w := range r.SharedWaiters {
			s += fmt.Sprintf(" shared:%x", uint64(w.Thread))
		}
		for _, w := range r.ExclusiveWaiters {
			s += fmt.Sprintf(" excl:%x", uint64(w.Thread))
		}
		if r.Reading != locks.Sound {
			s += fmt.Sprintf(" reading=%d", r.Reading)
		}
		out = append(out, s)
	}
	return out
}

const (
	a = "fffffa8016910b60"
	b = "fffffa8016920b60"
	c = "fffffa8016930b60"
	d = "fffffa8016940b60"
)

var forms = []struct {
	name, text string
	want       []string
	notes      int
}{
	{
		"plain, shared, several owners",
		"Resource @ 0x80197620    Shared 4 owning threads\n     Threads: fe988da0-01<*> fe987da0-01<*> fe986da0-01<*> fe985da0-01<*> \n",
		[]string{"80197620 shared n=4 owner:fe988da0-01 owner:fe987da0-01 owner:fe986da0-01 owner:fe985da0-01"}, 0,
	},
	{
		"actual thread",
		"Resource @ 0x80123f38    Shared 1 owning threads\n     Threads: 801d0023-01<*> *** Actual Thread 801d0020\n",
		[]string{"80123f38 shared n=1 owner:801d0023-01(actual 801d0020)"}, 0,
	},
	{
		"a remark ends its line, entries follow on the next",
		"Resource @ 0x" + a + "    Exclusively owned\n    NumberOfSharedWaiters = 2\n     Threads: fffff88007fab7f3-02<*> *** Unknown owner, possibly FileSystem\n              " + b + "-01    " + c + "-01    \n",
		[]string{a + " exclusive sw=2 owner:fffff88007fab7f3-02(Unknown owner, possibly FileSystem) shared:" + b + " shared:" + c}, 0,
	},
	{
		"invalid thread",
		"Resource @ 0x" + a + "    Exclusively owned\n     Threads: " + b + "-01<*> *** Invalid thread\n",
		[]string{a + " exclusive owner:" + b + "-01(Invalid thread)"}, 0,
	},
	{
		"owner last",
		"Resource @ 0x" + a + "    Exclusively owned\n    NumberOfSharedWaiters = 2\n     Threads: " + b + "-01    " + c + "-01    " + d + "-03<*> \n",
		[]string{a + " exclusive sw=2 owner:" + d + "-03 shared:" + b + " shared:" + c}, 0,
	},
	{
		"mark apart from its entry",
		"Resource @ 0x" + a + " Exclusively owned\nThreads: " + b + "-01 <*>\n",
		[]string{a + " exclusive owner:" + b + "-01"}, 0,
	},
	{
		"available and named",
		"Resource @ nt!PiEngineLock (0x8246c6e0)    Available\nResource @ 0x9655d4a8    Available\n",
		[]string{"8246c6e0 unowned nt!PiEngineLock", "9655d4a8 unowned"}, 0,
	},
	{
		"exclusive waiters, four a line",
		"Resource @ 0x" + a + "    Shared 1 owning threads\n    Contention Count = 15292\n    NumberOfExclusiveWaiters = 5\n     Threads: " + b + "-01<*> \n     Threads Waiting On Exclusive Access:\n              " + c + "       " + d + "       " + c[:15] + "1       " + c[:15] + "2       \n              " + c[:15] + "4\n",
		[]string{a + " shared n=1 cont=15292 xw=5 owner:" + b + "-01 excl:" + c + " excl:" + d + " excl:" + c[:15] + "1 excl:" + c[:15] + "2 excl:" + c[:15] + "4"}, 0,
	},
	{
		"empty waiter list with a count",
		"Resource @ 0x" + a + "    Exclusively owned\n    NumberOfExclusiveWaiters = 1\n     Threads: " + b + "-01<*> \n     Threads Waiting On Exclusive Access:\n\n1 total locks\n",
		[]string{a + " exclusive xw=1 owner:" + b + "-01"}, 0,
	},
	{
		"all marked, counts fit: only the first owns",
		"Resource @ 0x" + a + "    Exclusively owned\n    NumberOfSharedWaiters = 2\n     Threads: " + b + "-01<*> " + c + "-01<*> " + d + "-01<*> \n1 total locks\n",
		[]string{a + " exclusive sw=2 owner:" + b + "-01 shared:" + c + " shared:" + d + " reading=1"}, 1,
	},
	{
		"all marked, counts do not fit",
		"Resource @ 0x" + a + "    Exclusively owned\n    NumberOfSharedWaiters = 1\n     Threads: " + b + "-01<*> " + c + "-01<*> " + d + "-01<*> \n1 total locks\n",
		[]string{a + " exclusive sw=1 owner:" + b + "-01 shared:" + c + " shared:" + d + " reading=2"}, 1,
	},
	{
		"shared, more marks than owners, counts fit",
		"Resource @ 0x" + a + "    Shared 1 owning threads\n    NumberOfSharedWaiters = 2\n     Threads: " + b + "-01<*> " + c + "-01<*> " + d + "-01<*> \n1 total locks\n",
		[]string{a + " shared n=1 sw=2 owner:" + b + "-01 shared:" + c + " shared:" + d + " reading=1"}, 1,
	},
	{
		"shared, more marks than owners and waiters",
		"Resource @ 0x" + a + "    Shared 1 owning threads\n     Threads: " + b + "-01<*> " + c + "-01<*> \n1 total locks\n",
		[]string{a + " shared n=1 owner:" + b + "-01 shared:" + c + " reading=2"}, 1,
	},
	{
		"more waiters listed than announced",
		"Resource @ 0x" + a + "    Exclusively owned\n    NumberOfExclusiveWaiters = 1\n     Threads: " + b + "-01<*> \n     Threads Waiting On Exclusive Access:\n              " + c + "       " + d + "\n",
		[]string{a + " exclusive xw=1 owner:" + b + "-01 excl:" + c + " excl:" + d + " reading=2"}, 1,
	},
	{
		"waiters without any count: doubtful",
		"Resource @ 0x" + a + "    Exclusively owned\n     Threads: " + b + "-01<*> " + c + "-01\n1 total locks\n",
		[]string{a + " exclusive owner:" + b + "-01 shared:" + c + " reading=1"}, 1,
	},
	{
		"NT 4, no mark, remark of an author",
		"Resource @ nwrdr!_NwScavengerSpinLock (0xfc764ee0)    Exclusively owned\n    Contention Count = 45\n    NumberOfExclusiveWaiters = 1\n     Threads: ffbf5410-01                  // Owning thread again\n1 total locks, 1 locks currently held\n",
		[]string{"fc764ee0 exclusive nwrdr!_NwScavengerSpinLock cont=45 xw=1 owner:ffbf5410-01"}, 0,
	},
	{
		"NT 4 resource time-out",
		"Resource @ 801e99c0\n ActiveCount = 0001  Flags = IsOwnedExclusive sharedWaiter\n NumberOfExclusiveWaiters = 0000\n  Thread = 80acd2f0, Count = 01\n  Thread = 80aebc50, Count = 01\n  Thread = 00000000, Count = 00\n",
		[]string{"801e99c0 exclusive xw=0 owner:80acd2f0-01 shared:80aebc50"}, 0,
	},
	{
		"marker of newer kernels in the wait list",
		"Resource @ 0x" + a + "    Exclusively owned\n    NumberOfExclusiveWaiters = 2\n     Threads: " + b + "-01<*> \n     Threads Waiting On Exclusive Access:\n              " + c + "       0000000000060001\n",
		[]string{a + " exclusive xw=2 owner:" + b + "-01 excl:" + c + " excl:60001"}, 1,
	},
	{
		"bad digits and a cut address",
		"Resource @ 0x" + a + "    Exclusively owned\n     Threads: fffffa80169zz-01<*> " + b + "-01<*> fffffa80-01\n",
		[]string{a + " exclusive owner:" + b + "-01 reading=2"}, 3,
	},
	{
		"an unreadable entry makes no other the owner",
		"Resource @ 0x" + a + "    Exclusively owned\n    NumberOfSharedWaiters = 1\n     Threads: fffffa8016zz0b60-01<*> " + b + "-01    \n1 total locks\n",
		[]string{a + " exclusive sw=1 owner:" + b + "-01 reading=2"}, 2,
	},
	{
		"count wrapped off its address",
		"Resource @ 0x" + a + "    Exclusively owned\n    NumberOfSharedWaiters = 2\n     Threads: " + b + "\n-01<*> " + c + "-01    " + d + "\n-02\n1 total locks\n",
		[]string{a + " exclusive sw=2 owner:" + b + "-01 shared:" + c + " shared:" + d}, 0,
	},
	{
		"address without a count",
		"Resource @ 0x" + a + "    Exclusively owned\n    NumberOfSharedWaiters = 1\n     Threads: " + b + "\n" + c + "-01    \n1 total locks\n",
		[]string{a + " exclusive sw=1 owner:" + c + "-01 reading=2"}, 2,
	},
	{
		"prefix in upper case",
		"Resource @ 0X" + strings.ToUpper(a) + "    Exclusively owned\n     Threads: " + strings.ToUpper(b) + "-01<*> \n",
		[]string{a + " exclusive owner:" + b + "-01"}, 0,
	},
	{
		"marks lost of shared owners",
		"Resource @ 0x" + a + "    Shared 3 owning threads\n     Threads: " + b + "-01<*> " + c + "-01    " + d + "-01    \n1 total locks\n",
		[]string{a + " shared n=3 owner:" + b + "-01 shared:" + c + " shared:" + d + " reading=2"}, 1,
	},
	{
		"memory behind the waiters",
		"Resource @ 0x" + a + "    Exclusively owned\n    NumberOfExclusiveWaiters = 1\n     Threads: " + b + "-01<*> \n     Threads Waiting On Exclusive Access:\n              " + c + "\n" + d + " " + d + "\n",
		[]string{a + " exclusive xw=1 owner:" + b + "-01 excl:" + c}, 0,
	},
	{
		"source of a web page",
		"Resource @ 0x" + a + "    Exclusively owned\n    NumberOfSharedWaiters = 1\n     Threads: " + b + "-01&lt;*&gt; " + c + "-01    \n1 total locks\n",
		[]string{a + " exclusive sw=1 owner:" + b + "-01 shared:" + c}, 0,
	},
	{
		"head line cut in its address",
		"Resource @ nwrdr!_NwScavengerSpinLock (0xffff64ee\nResource @ 0xfffff\n",
		nil, 2,
	},
	{
		"head line cut behind its address",
		"Resource @ nwrdr!_NwScavengerSpinLock (0xfc764ee0\n",
		[]string{"fc764ee0 unknown nwrdr!_NwScavengerSpinLock"}, 0,
	},
	{
		"head line without a mode",
		"Resource @ 0x" + a + "\n     Threads: " + b + "-01<*> \n",
		[]string{a + " unknown owner:" + b + "-01 reading=2"}, 1,
	},
}

// TestMissingEntries reads lists that lack an entry: the marks of those that
// are left tell an owner only where the missing one could not be it.
func TestMissingEntries(t *testing.T) {
	const head = "Resource @ 0x" + a + "    Exclusively owned\n    NumberOfSharedWaiters = 1\n     Threads: "
	for _, tc := range []struct {
		name, list string
		want       locks.Reading
	}{
		{"whole", b + "-01<*> " + c + "-01", locks.Sound},
		{"whole, both marked", b + "-01<*> " + c + "-01<*>", locks.Doubtful},
		{"bad one behind the only mark", b + "-01<*> fffffa80xxxxxxxx-01", locks.Doubtful},
		{"bad one before the mark", "fffffa80...50b60-01<*> " + c + "-01<*>", locks.Irreconcilable},
		{"bad one behind two marks", b + "-01<*> " + c + "-01<*> fffffa80xxxxxxxx-01<*>", locks.Irreconcilable},
		{"cut one behind two marks", b + "-01<*> " + c + "-01<*> fffffa80169", locks.Irreconcilable},
		{"cut one on its own line", b + "-01<*> " + c + "-01<*>\n     fffffa80169", locks.Irreconcilable},
		{"dots behind two marks", b + "-01<*> " + c + "-01<*> ...", locks.Irreconcilable},
		{"elision on its own line", b + "-01<*> " + c + "-01<*>\n[snip]", locks.Irreconcilable},
		{"elision behind the only mark", b + "-01<*>\n...\n" + c + "-01", locks.Doubtful},
		{"elision and blank line inside the list", b + "-01<*>\n\n...\n" + c + "-01<*>", locks.Irreconcilable},
		{"remark of more", b + "-01<*> " + c + "-01<*> << more", locks.Irreconcilable},
		{"remark of more on its own line", b + "-01<*> " + c + "-01<*>\n<< 3 more", locks.Irreconcilable},
		{"another remark", b + "-01<*> " + c + "-01<*> << look here", locks.Doubtful},
		{"elision behind other output", b + "-01<*> " + c + "-01<*>\n\n1 total locks\n...", locks.Doubtful},
	} {
		got := locks.Read(kd.Lines(head + tc.list + "\n2 total locks\n"))
		if len(got.Resources) != 1 || got.Resources[0].Reading != tc.want {
			t.Errorf("%s: %q, want reading %d", tc.name, show(got), tc.want)
		}
	}
}

// TestCounts: a count whose number cannot be read is unknown, not zero.
func TestCounts(t *testing.T) {
	for _, tc := range []struct{ line, want string }{
		{"", ""},
		{"NumberOfExclusiveWaiters = 3", " xw=3"},
		{"NumberOfExclusiveWaiters=3", " xw=3"},
		{"numberofexclusivewaiters =3", " xw=3"},
		{"NumberOfExclusiveWaiters = 3  << look", " xw=3"},
		{"NumberOfExclusiveWaiters = 3</b>", " xw=?"},
		{"NumberOfExclusiveWaiters = O", " xw=?"},
		{"NumberOfExclusiveWaiters = -1", " xw=?"},
		{"NumberOfExclusiveWaiters = 99999999999999999999", " xw=?"},
		{"NumberOfExclusiveWaiters =", " xw=?"},
		{"NumberOfExclusiveWaiters: 3", " xw=?"},
		{"NumberOfSharedWaiters = ?", " sw=?"},
		{"NumberOfSharedWaiters", " sw=?"},
		{"Contention Count = 1 5", " cont=1"},
		{"Contention Count = 4x", " cont=?"},
	} {
		got := show(locks.Read(kd.Lines("Resource @ 0x" + a + "    Exclusively owned\n    " + tc.line + "\n     Threads: " + b + "-01<*> \n")))
		if want := a + " exclusive" + tc.want + " owner:" + b + "-01"; len(got) != 1 || got[0] != want {
			t.Errorf("%q: %q, want %q", tc.line, got, want)
		}
	}
	if got := show(locks.Read(kd.Lines("Resource @ 0x" + a + "    Shared x owning threads\n"))); got[0] != a+" unknown n=?" {
		t.Errorf("owning threads: %q", got)
	}
	if total, held := locks.Read(kd.Lines("16O88 total locks, 2 locks currently held")).Totals(); total.Known() || !total.Unread || held.N != 2 {
		t.Errorf("total: %+v held: %+v", total, held)
	}
	if seen := locks.Read(kd.Lines("all total locks, they say")).Seen(); seen {
		t.Error("prose is taken for a closing line")
	}
	if _, held := locks.Read(kd.Lines("16088 total locks, x locks currently held")).Totals(); held.Known() || !held.Unread {
		t.Errorf("held: %+v", held)
	}
}

// TestSlots: the NT 4 form prints no count of shared waiters, and none is made
// up from its slots.
func TestSlots(t *testing.T) {
	const own, second, third = "  Thread = 809cd2f0, Count = 01\n", "  Thread = 809ebc50, Count = 02\n", "  Thread = 809ecc50, Count = 01\n"
	const empty = "  Thread = 00000000, Count = 00\n"
	for _, tc := range []struct{ name, text, want string }{
		{"owned exclusively", " ActiveCount = 0001  Flags = IsOwnedExclusive\n NumberOfExclusiveWaiters = 0000\n" + own + empty, "exclusive xw=0 owner:809cd2f0-01"},
		{"with a shared waiter", " ActiveCount = 0001  Flags = IsOwnedExclusive sharedWaiter\n NumberOfExclusiveWaiters = 0000\n" + own + second + empty, "exclusive xw=0 owner:809cd2f0-01 shared:809ebc50"},
		{"a slot too many", " ActiveCount = 0001  Flags = IsOwnedExclusive\n NumberOfExclusiveWaiters = 0000\n" + own + second, "exclusive xw=0 owner:809cd2f0-01 shared:809ebc50 reading=2"},
		{"the waiter is not listed", " ActiveCount = 0001  Flags = IsOwnedExclusive sharedWaiter\n NumberOfExclusiveWaiters = 0000\n" + own + empty, "exclusive sw=? xw=0 owner:809cd2f0-01"},
		{"owned shared", " ActiveCount = 0002  Flags = sharedWaiter ExclusiveWaiter\n NumberOfExclusiveWaiters = 0001\n" + own + second + empty, "shared n=2 sw=? xw=1 owner:809cd2f0-01 owner:809ebc50-02"},
		{"owned shared, no flag", " ActiveCount = 0002  Flags =\n NumberOfExclusiveWaiters = 0000\n" + own + second + empty, "shared n=2 xw=0 owner:809cd2f0-01 owner:809ebc50-02"},
		{"owned shared, a waiter", " ActiveCount = 0002  Flags = sharedWaiter ExclusiveWaiter\n NumberOfExclusiveWaiters = 0001\n" + own + second + third, "shared n=2 xw=1 owner:809cd2f0-01 owner:809ebc50-02 shared:809ecc50 reading=1"},
		{"exclusive waiters without a count", " ActiveCount = 0001  Flags = IsOwnedExclusive ExclusiveWaiter\n" + own, "exclusive xw=? owner:809cd2f0-01"},
		{"the owner's slot is broken", " ActiveCount = 0001  Flags = IsOwnedExclusive sharedWaiter\n NumberOfExclusiveWaiters = 0000\n  Thread = 809cd2, Count = 01\n" + second, "exclusive sw=? xw=0 owner:809ebc50-02 reading=2"},
		{"another slot is broken", " ActiveCount = 0001  Flags = IsOwnedExclusive sharedWaiter\n NumberOfExclusiveWaiters = 0000\n" + own + "  Thread = 809ebc50, Count = \n", "exclusive sw=? xw=0 owner:809cd2f0-01 reading=1"},
		{"owned by nobody", " ActiveCount = 0000  Flags = ExclusiveWaiter\n NumberOfExclusiveWaiters = 0001\n" + own, "unowned xw=1 shared:809cd2f0 reading=2"},
	} {
		got := show(locks.Read(kd.Lines("Resource @ 800e99c0\n\n" + tc.text)))
		if want := "800e99c0 " + tc.want; len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", tc.name, got, want)
		}
	}
}

// TestMarkers: a marker in a waiter list is listed as printed and may be
// counted or not; it is no thread that waits.
func TestMarkers(t *testing.T) {
	const m = "0000000000060001"
	for _, tc := range []struct {
		name, head, counts, threads, exclusive string
		waiting                                int
		missing                                [2]int
		reading                                locks.Reading
	}{
		{"counted in both lists", "Exclusively owned", "    NumberOfSharedWaiters = 2\n    NumberOfExclusiveWaiters = 3\n", b + "-01<*> " + c + "-01    " + m + "-01", d + "       " + m + "       " + a, 3, [2]int{0, 0}, locks.Sound},
		{"not counted", "Exclusively owned", "    NumberOfSharedWaiters = 1\n    NumberOfExclusiveWaiters = 2\n", b + "-01<*> " + c + "-01    " + m + "-01", d + "       " + m + "       " + a, 3, [2]int{0, 0}, locks.Sound},
		{"owned shared", "Shared 1 owning threads", "    NumberOfSharedWaiters = 1\n", b + "-01<*> " + c + "-01    " + m + "-01", "", 1, [2]int{0, 0}, locks.Sound},
		{"one more is announced", "Exclusively owned", "    NumberOfExclusiveWaiters = 3\n", b + "-01<*>", d + "       " + m, 2, [2]int{0, 1}, locks.Sound},
		{"one thread too many", "Exclusively owned", "    NumberOfExclusiveWaiters = 1\n    NumberOfSharedWaiters = 1\n", b + "-01<*> " + c + "-01 " + d + "-01    " + m + "-01", a, 3, [2]int{0, 0}, locks.Irreconcilable},
	} {
		text := "Resource @ 0x" + a + "    " + tc.head + "\n" + tc.counts + "     Threads: " + tc.threads + "\n"
		if tc.exclusive != "" {
			text += "     Threads Waiting On Exclusive Access:\n              " + tc.exclusive + "\n"
		}
		r := locks.Read(kd.Lines(text)).Resources[0]
		shared, exclusive := r.Unlisted()
		if r.Waiting() != tc.waiting || [2]int{shared, exclusive} != tc.missing || r.Reading != tc.reading {
			t.Errorf("%s: %d wait, %d and %d missing, reading %d (%s)", tc.name, r.Waiting(), shared, exclusive, r.Reading, r.Why)
		}
	}
}

// TestWaiterRows: what a cut or an author did to a row of exclusive waiters
// takes no whole address with it, and nothing else is taken for such a row.
func TestWaiterRows(t *testing.T) {
	const head = "Resource @ 0x8a3c2f38    Exclusively owned\n    NumberOfExclusiveWaiters = 9\n     Threads: 8a2f1020-01<*> \n     Threads Waiting On Exclusive Access:\n"
	for _, tc := range []struct {
		row           string
		listed, notes int
	}{
		{"8a1cb020       89e4f7a0       8a33d2b8       8a5512d8", 4, 0},
		{"8a1cb020       89e4f7a0       8a33d2b8       8a55", 3, 1},
		{"8a1cb020       8", 1, 1},
		{"8a1cb020       89e4f7a0       8a33d2b", 2, 1},
		{"8a1cb020       89e4x7a0       8a33d2b8", 2, 1},
		{"8a1cb020       [...]", 1, 1},
		{"8a1cb020       ...", 1, 1},
		{"8a1cb020       8a33...", 1, 1},
		{"8a1cb020       8a33d2b8       \u2026", 2, 1},
		{"8a1cb020       8a33d2b8       (and so on)", 2, 1},
		{"8a1cb020       8a33d2b8       etc.", 2, 1},
		{"8a1cb020       8a33d2b8       <snip>", 2, 1},
		{"8a1cb020       8a33d2b8       << this one", 2, 0},
		{"8a1cb020 is the thread of the service", 0, 0},
		{"8a1cb020 was left in a wait", 0, 0},
		{"8a1cb020       89e4       8a33", 0, 0},
		{"8a1cb020       ffff8858e9d81080       ffff8858e9d82080", 0, 0},
		{"b9f2c710 804dc0f7 8a2f1090 8a2f1020 804dc143 nt!KiSwapContext+0x2e", 0, 0},
		{"b9f2c710 804dc0f7 8a2f1090 8a2f1020 804dc143 nt!KiSwapContext+0x2e (FPO: [0,0,4])", 0, 0},
		{"b9f2c710 804dc0f7 8a2f1090 8a2f1020 804dc143 0x7c90e4f4", 0, 0},
		{"b9f2c710 804dc0f7 8a2f1090 8a2f1020 804dc143 afd+0x1c2", 0, 0},
		{"8a55", 0, 0},
		{"00000000", 0, 0},
		{"8a1cb020       00000000", 0, 0},
	} {
		got := locks.Read(kd.Lines(head + "              " + tc.row + "\n"))
		if n := len(got.Resources[0].ExclusiveWaiters); n != tc.listed || len(got.Notes) != tc.notes || got.Resources[0].Reading != locks.Sound {
			t.Errorf("%q: %d listed, %v, want %d and %d notes", tc.row, n, got.Notes, tc.listed, tc.notes)
		}
	}
	for _, tc := range []struct {
		row  string
		want int
	}{{"8a1cb020", 1}, {"00060001", 1}, {"7ffde000", 0}} {
		if n := len(locks.Read(kd.Lines(head + "THREAD 8a1cb020  Cid 0004.0ab4  Teb:\n" + tc.row + "\n")).Resources[0].ExclusiveWaiters); n != tc.want {
			t.Errorf("%q behind other output: %d listed, want %d", tc.row, n, tc.want)
		}
	}
	got := locks.Read(kd.Lines(strings.TrimSuffix(head, "\n") + " 8a1c 89e4f7a0\n"))
	if r := got.Resources[0]; len(r.ExclusiveWaiters) != 1 || r.Reading != locks.Doubtful {
		t.Errorf("the first is broken: %+v", r)
	}
}

func TestRead(t *testing.T) {
	for _, tc := range forms {
		t.Run(tc.name, func(t *testing.T) {
			got := locks.Read(kd.Lines(tc.text))
			if s := show(got); !reflect.DeepEqual(s, tc.want) {
				t.Errorf("got  %q\nwant %q", s, tc.want)
			}
			if len(got.Notes) != tc.notes {
				t.Errorf("%d notes, want %d: %v", len(got.Notes), tc.notes, got.Notes)
			}
		})
	}
}

// TestSwallowed: a remark that holds lines of the block makes what they say
// unknown, unless it was read elsewhere.
func TestSwallowed(t *testing.T) {
	head := "Resource @ 0x" + a + "    Shared 1 owning threads"
	for _, test := range []struct {
		text string
		want locks.Lines
	}{
		{head + " << the lock\n Threads: " + b + "-01<*> << the owner\n", 0},
		{head + " << see Contention Count = 3\n Threads: " + b + "-01<*>\n", locks.ContentionLine},
		{head + " << see Contention Count = 3\n Contention Count = 3\n Threads: " + b + "-01<*>\n", 0},
		{head + "\n Contention Count = 3 // NumberOfSharedWaiters = 1 NumberOfExclusiveWaiters = 2\n Threads: " + b + "-01<*>\n", locks.SharedWaitersLine | locks.ExclusiveWaitersLine},
		{head + " <-- Threads: " + b + "-01<*>\n", locks.OwnersLine},
		{head + "\n Threads: " + b + "-01<*> << Threads Waiting On Exclusive Access: " + c + "\n", locks.WaitersLine},
		{head + "\n NumberOfExclusiveWaiters = 1\n Threads: " + b + "-01<*> << Threads Waiting On Exclusive Access: below\n Threads Waiting On Exclusive Access:\n " + c + " << NumberOfSharedWaiters = 1\n", locks.SharedWaitersLine},
	} {
		l := locks.Read(kd.Lines(test.text))
		if got := l.Resources[0].Swallowed; got != test.want || len(l.Notes) > 0 != (test.want != 0) {
			t.Errorf("%s\nswallowed %05b, want %05b; notes %v", test.text, got, test.want, l.Notes)
		}
	}
}

func TestTotals(t *testing.T) {
	for _, tc := range []struct {
		text        string
		total, held int
		heldKnown   bool
	}{
		{"16088 total locks, 2 locks currently held", 16088, 2, true},
		{"1 total locks", 1, 0, false},
		{"16088 total locks, 2 locks currently heldPNP_TRIAGE: ", 16088, 2, true},
		{"0 total locks, 0 locks currently held", 0, 0, true},
	} {
		got := locks.Read(kd.Lines(tc.text))
		if total, held := got.Totals(); total.N != tc.total || !total.Known() || held.N != tc.held || held.Known() != tc.heldKnown {
			t.Errorf("%q: total %+v held %+v", tc.text, total, held)
		}
	}
}

// TestMoments: listings of all resources that disagree are of two moments.
func TestMoments(t *testing.T) {
	held := func(n, owner string, waiters ...string) string {
		s := "Resource @ 0x" + n + "    Exclusively owned\n"
		if len(waiters) > 0 {
			s += fmt.Sprintf("    NumberOfExclusiveWaiters = %d\n     Threads: %s-01<*>\n     Threads Waiting On Exclusive Access:\n              %s\n", len(waiters), owner, strings.Join(waiters, "       "))
			return s
		}
		return s + "     Threads: " + owner + "-01<*>\n"
	}
	const banner, total, other = "**** DUMP OF ALL RESOURCE OBJECTS ****\n", "1000 total locks, 1 locks currently held\n", "1001 total locks, 1 locks currently held\n"
	r, s := a[:15]+"8", a[:15]+"9"
	for _, tc := range []struct {
		name, text string
		want       int
	}{
		{"nothing", "", 0},
		{"one", banner + held(r, b, c) + total, 1},
		{"twice the same", banner + held(r, b, c) + total + banner + held(r, b, c) + total, 1},
		{"another owner", banner + held(r, b, c) + total + banner + held(r, c, b) + total, 2},
		{"another resource", banner + held(r, b, c) + total + banner + held(s, c, b) + total, 2},
		{"freed", banner + held(r, b, c) + total + banner + total, 2},
		{"other totals", banner + held(r, b) + total + banner + held(r, b) + other, 2},
		{"without banners", held(r, b, c) + total + held(s, c, b) + total, 2},
		{"the second is cut", banner + held(r, b) + held(s, c) + total + banner + held(r, b), 1},
		{"the second is cut, but knows more", banner + held(r, b) + total + banner + held(s, c), 2},
		{"the first is cut", banner + held(r, b) + banner + held(r, b) + held(s, c) + total, 1},
		{"both are cut and differ", banner + held(r, b) + banner + held(s, c), 2},
		{"one by its address", banner + held(r, b) + total + held(s, c) + "1 total locks\n", 1},
	} {
		if got := locks.Read(kd.Lines(tc.text)).Moments(); len(got) != tc.want {
			t.Errorf("%s: moments begin at %v, want %d", tc.name, got, tc.want)
		}
	}
}

func TestTimeout(t *testing.T) {
	got := locks.Read(kd.Lines("Possible deadlock. Use !locks FFFFB42768DEB908 to determine the resource owner"))
	if len(got.Timeouts) != 1 || got.Timeouts[0].Addr != 0xffffb42768deb908 {
		t.Errorf("timeouts: %+v", got.Timeouts)
	}
}

// TestReaderClaims: a reader says of each line whether it is its own, and
// leaves those of others alone.
func TestReaderClaims(t *testing.T) {
	for _, tc := range []struct {
		line string
		want bool
	}{
		{"**** DUMP OF ALL RESOURCE OBJECTS ****", true},
		{"KD: Scanning for held locks......", true},
		{"Cannot get _ERESOURCE type", true},
		{"Resource @ 0x" + a + "    Exclusively owned", true},
		{"Resource loading failed", false},
		{"THREAD " + a + "  Cid 0004.0100", false},
		{"fffff880`07fab3e0 fffff800`0228da52 nt!KiSwapContext+0x7a", false},
		{a + "-01    " + b + "-01", false}, // no list is open
		{"12 total errors", false},
	} {
		var r locks.Reader
		if got := r.Line(kd.Lines(tc.line)[0]); got != tc.want {
			t.Errorf("%q claimed: %v", tc.line, got)
		}
	}
}

// TestVerboseList: THREAD blocks stand between the entries of !locks -v.
func TestVerboseList(t *testing.T) {
	got := locks.Read(kd.Lines(strings.Join([]string{
		"Resource @ 0x" + a + "    Exclusively owned", "    NumberOfSharedWaiters = 1", "    NumberOfExclusiveWaiters = 1",
		"     Threads: " + b + "-01<*> ", "", "     THREAD " + b + "  Cid 0004.0100", "         fffffa80139ea3e0  Semaphore Limit 0x7fffffff",
		"fffff880`07fab3e0 fffff800`0228da52 nt!KiSwapContext+0x7a", "",
		"              " + c + "-01    ", "", "     THREAD " + c + "  Cid 0004.0104", "",
		"     Threads Waiting On Exclusive Access:", "              " + d + "       ", "", "     THREAD " + d + "  Cid 0004.0108",
	}, "\n")))
	want := []string{a + " exclusive sw=1 xw=1 owner:" + b + "-01 shared:" + c + " excl:" + d}
	if s := show(got); !reflect.DeepEqual(s, want) {
		t.Errorf("got  %q\nwant %q", s, want)
	}
}

// TestCutEntry: where the input ends right behind an unmarked entry, its mark
// may be missing.
func TestCutEntry(t *testing.T) {
	lines := kd.Lines("Resource @ 0x" + a + "    Shared 2 owning threads\n     Threads: " + b + "-01<*> " + c + "-01")
	lines[1].Cut = true
	got := locks.Read(lines)
	if r := got.Resources[0]; len(r.Owners) != 1 || len(r.SharedWaiters) > 1 {
		t.Errorf("owners %v, shared waiters %v", r.Owners, r.SharedWaiters)
	}
}

func ExampleRead() {
	l := locks.Read(kd.Lines(`
Resource @ 0x8c0c11f0    Exclusively owned
    Contention Count = 19648535
    NumberOfSharedWaiters = 1
     Threads: 8ab395f8-01<*> 8a178608-01
15464 total locks, 1 locks currently held`))
	r := l.Resources[0]
	fmt.Println(r.Addr, r.Mode, "contention", r.Contention.N)
	fmt.Println("owner", r.Owners[0].Raw, "line", r.Owners[0].At.Line)
	fmt.Println("shared waiter", r.SharedWaiters[0].Thread)
	// Output:
	// 0x8c0c11f0 exclusive contention 19648535
	// owner 0x8ab395f8 line 5
	// shared waiter 0x8a178608
}

// FuzzRead: nothing panics, every place lies inside its line, and a second
// reading gives the same.
func FuzzRead(f *testing.F) {
	for _, tc := range append(forms, extensionForms...) {
		f.Add(tc.text)
	}
	f.Add(qlocksTable)
	f.Add(pushLockFields)
	f.Add(triage)
	f.Fuzz(func(t *testing.T, s string) {
		lines := kd.Lines(s)
		got := locks.Read(lines)
		if !reflect.DeepEqual(got, locks.Read(lines)) {
			t.Fatal("two readings differ")
		}
		check := func(at kd.Ref) {
			l := lines[at.Line-1]
			if at.Col < l.Off+1 || at.Len < 0 || int(at.Col-1-l.Off+at.Len) > len(l.Text) {
				t.Fatalf("place %+v outside line %q", at, l.Text)
			}
		}
		for _, r := range got.Resources {
			check(r.At)
			for _, e := range r.Entries {
				check(e.At)
			}
			for _, w := range append(r.SharedWaiters, r.ExclusiveWaiters...) {
				check(w.At)
			}
		}
		for _, n := range got.Notes {
			check(n.At)
		}
		for _, x := range got.Timeouts {
			check(x.At)
		}
		for _, x := range got.Triage {
			check(x.At)
		}
		for _, x := range got.QueuedLocks {
			check(x.At)
		}
		for _, x := range got.PushLocks {
			check(x.At)
		}
	})
}
