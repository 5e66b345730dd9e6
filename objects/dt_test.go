package objects_test

import (
	"slices"
	"strings"
	"testing"

	"kdlocks/kd"
	"kdlocks/objects"
)

const fastMutex64 = `   +0x000 Count            : 0n4
   +0x008 Owner            : 0xffffe001` + "`" + `0b004080 Void
   +0x010 Contention       : 1
   +0x018 Event            : _KEVENT
   +0x030 OldIrql          : 0
`

const eresource64 = `   +0x000 SystemResourcesList : _LIST_ENTRY [ 0xfffffa80` + "`" + `0ccf1de8 - 0xfffff800` + "`" + `023aa8c0 ]
   +0x010 OwnerTable       : (null)
   +0x018 ActiveCount      : 0n1
   +0x01a Flag             : 0x80
   +0x020 SharedWaiters    : 0xfffffa80` + "`" + `139ea3e0 _KSEMAPHORE
   +0x028 ExclusiveWaiters : (null)
   +0x030 OwnerEntry       : _OWNER_ENTRY
   +0x048 NumberOfSharedWaiters : 0x10
   +0x058 Address          : (null)
   +0x060 SpinLock         : 0
`

// TestDt: the address is that of the command, and counts only if all of the
// command is understood.
func TestDt(t *testing.T) {
	const plain = "mutex ffffe00112345660 guarded=false free=1 owner=ffffe0010b004080"
	for _, tc := range []struct{ command, fields, want string }{
		{"dt nt!_FAST_MUTEX ffffe00112345660", fastMutex64, plain},
		{"dt _FAST_MUTEX ffffe001`12345660", fastMutex64, plain},
		{"dt -r1 mydrv!_FAST_MUTEX 0xFFFFE00112345660", fastMutex64, plain},
		{"dt ffffe00112345660 nt!_fast_mutex", fastMutex64, plain},
		{"dt nt!FAST_MUTEX ffffe00112345660 Owner", "   +0x008 Owner : 0xffffe001`0b004080 _KTHREAD\n", "mutex ffffe00112345660 guarded=false free=0 owner=ffffe0010b004080"},
		{"dt nt!_KGUARDED_MUTEX ffffe00112345660", strings.Replace(fastMutex64, "Event            : _KEVENT", "Gate             : _KGATE", 1), "mutex ffffe00112345660 guarded=true free=1 owner=ffffe0010b004080"},
		{"dt nt!_FAST_MUTEX 856a4030", "   +0x000 Count            : 0n-1\n   +0x004 Owner            : 0x8171ada8 _KTHREAD\n   +0x008 Contention       : 1\n   +0x00c Event            : _KEVENT\n", "mutex 856a4030 guarded=false free=1 owner=8171ada8"},
		{"dt nt!_FAST_MUTEX ffffe00112345660", strings.NewReplacer("0n4", "0n1", "0xffffe001`0b004080 Void", "(null) ").Replace(fastMutex64), "mutex ffffe00112345660 guarded=false free=2 owner=0"},
		{"dt nt!_FAST_MUTEX ffffe00112345660 () Recursive: [ -r1 -r2 -r ] Verbose Normal dt", fastMutex64, plain},
		{"dt -r nt!_FAST_MUTEX ffffe00112345660", fastMutex64 + "      +0x000 Owner : 0xffffe001`0b005080 Void\n", plain},
		{"dt nt!_FAST_MUTEX ffffe00112345660", "   +0x000 Count : ??\n   +0x008 Owner : ????\nMemory read error ffffe00112345668\n", "mutex ffffe00112345660 guarded=false free=0"},

		{"dt nt!_FAST_MUTEX", "   +0x000 Count            : Int4B\n   +0x008 Owner            : Ptr64 Void\n", ""},
		{"dt nt!_FAST_MUTEX mydrv!g_Lock", fastMutex64, ""},
		{"dt nt!_FAST_MUTEX ffffe00112345648 + 18", fastMutex64, ""},
		{"dt nt!_FAST_MUTEX ffffe00112345648+18", fastMutex64, ""},
		{"dt nt!_FAST_MUTEX poi(ffffe00112345648)", fastMutex64, ""},
		{"dt -l Flink nt!_FAST_MUTEX ffffe00112345660", fastMutex64, ""},
		{"dt -p nt!_FAST_MUTEX ffffe00112345660", fastMutex64, ""},
		{"dt nt!_FAST_MUTEX ffffe00112345660 ffffe00112345670", fastMutex64, ""},

		{"dt nt!_ERESOURCE fffffa8011efede8", eresource64, "resource fffffa8011efede8 objects=true shared=fffffa80139ea3e0 exclusive=0"},
		{"dt nt!_ERESOURCE fffffa8011efede8 SharedWaiters ExclusiveWaiters", "   +0x020 SharedWaiters    : 0xffffd000`2101f6e8 Void\n   +0x028 ExclusiveWaiters : 0xffffd000`2102f6e8 Void\n", "resource fffffa8011efede8 objects=false shared=ffffd0002101f6e8 exclusive=ffffd0002102f6e8"},
		{"dt nt!_ERESOURCE", "   +0x020 SharedWaiters    : Ptr64 _KSEMAPHORE\n", ""},
	} {
		var want []string
		if tc.want != "" {
			want = []string{tc.want}
		}
		// Above the fields, and as typed behind a prompt.
		if got := show(objects.Read(kd.Lines(tc.command + "\n" + tc.fields))); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", tc.command, got, want)
		}
		if strings.Contains(tc.command, "()") {
			continue
		}
		if got := typed(t, tc.fields, tc.command); !slices.Equal(got, want) {
			t.Errorf("typed %s: %q, want %q", tc.command, got, want)
		}
	}
}

// typed reads fields that came after commands of one prompt. All of them are
// taken.
func typed(t *testing.T, fields string, commands ...string) []string {
	var r objects.Reader
	r.Prompt(objects.Printed{})
	for _, c := range commands {
		r.PrintsFields(c, kd.Ref{Line: 1})
	}
	for _, l := range kd.Lines(fields) {
		if !r.Line(l) && strings.HasPrefix(commands[len(commands)-1], "dt") {
			t.Errorf("%s: not taken: %s", commands, l.Text)
		}
	}
	if l := r.Done(); l != nil {
		return show(*l)
	}
	return nil
}

// TestDtOfSeveral: where several commands of one line print fields, nobody knows
// whose they are; nor behind the output of something else.
func TestDtOfSeveral(t *testing.T) {
	const command = "dt nt!_FAST_MUTEX ffffe00112345660"
	for _, others := range [][]string{
		{command, "dt nt!_FAST_MUTEX ffffe00112345760"}, {"dt nt!_KTHREAD ffffe0010b004080", command}, {command, "?? @$thread"},
	} {
		if got := typed(t, fastMutex64, others...); len(got) > 0 {
			t.Errorf("%s: %q", others, got)
		}
	}
	const owner = "   +0x008 Owner : 0xffffe001`0b004080 Void\n"
	for between, want := range map[string]string{
		"Something else\n":                                          "mutex ffffe00112345660 guarded=false free=1 owner=ffffe0010b004080",
		"dt nt!_KTHREAD ffffe0010b004080\n":                         "mutex ffffe00112345660 guarded=false free=1",
		"Irp is active with 1 stacks 1 is current (= 0xac598e38)\n": "mutex ffffe00112345660 guarded=false free=1",
	} {
		if got := show(objects.Read(kd.Lines(command + "\n   +0x000 Count : 0n4\n" + between + owner))); !slices.Contains(got, want) {
			t.Errorf("behind %q: %q, want %q", between, got, want)
		}
	}
	if got := show(objects.Read(kd.Lines(fastMutex64))); len(got) > 0 {
		t.Errorf("without a command: %q", got)
	}
}
