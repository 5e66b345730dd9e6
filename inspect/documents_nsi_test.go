package inspect_test

import (
	"fmt"
	"strings"
	"testing"
)

// nsiLog is the log of a machine that KB2847346 is about, in its steps: vertarget, two
// listings of pool some time apart, and nsisvc.dll as it was before the hotfix.
type nsiLog struct{ target, earlier, later, old string }

func nsi(t *testing.T) nsiLog {
	t.Helper()
	parts := strings.Split(readText(t, "../rules/packs/memory/testdata/syn-nspc-old.log"), "lkd> ")
	return nsiLog{"lkd> " + parts[1], "lkd> " + parts[2], "lkd> " + parts[3], "lkd> " + parts[4]}
}

// image is what lmvm prints of a file.
func image(file, path, version, base, end string) string {
	name, _, _ := strings.Cut(file, ".")
	return fmt.Sprintf("lkd> lmvm %s\nstart             end                 module name\n%s %s   %s   (deferred)             \n    Image path: %s\\%s\n    Image name: %s\n    File version:     %s\n    Product version:  %s\n", name, base, end, name, path, file, file, version, version)
}

func service(version string) string {
	return image("nsisvc.dll", `C:\Windows\System32`, version, "000007fe`fb6a0000", "000007fe`fb6ab000")
}

func proxy(version string) string {
	return image("nsiproxy.sys", `\SystemRoot\system32\drivers`, version, "fffff880`02200000", "fffff880`0220c000")
}

// of32 is a file of a process of 32 bits.
func of32(file, version string) string {
	return image(file, `C:\Windows\SysWOW64`, version, "6e2a0000", "6e2a7000")
}

func kernel(version string) string {
	return image("nt.exe", "", version, "fffff800`01a00000", "fffff800`01fe6000")
}

// What the document tells, and asks for.
const (
	kb2847346   = "KB2847346"
	nsiLeak     = "ms-kb2847346-nsi-leak"
	nsiMemory   = "ms-kb2847346-nsi-service-memory"
	nsiReset    = "ms-kb2847346-nsi-adapter-reset"
	fixVersion  = "6.1.7601.22590"
	rtmVersion  = "6.1.7600.16385"
	askService  = `!for_each_process ".process /r /p @#Process; lmvm nsisvc"`
	askCounters = "kdlocks collect --counters"
)

// TestNSIRegistrations replays KB2847346 by its pool tag, as each registration of a
// client leaves it (scenario 3).
func TestNSIRegistrations(t *testing.T) {
	t.Parallel()
	n := nsi(t)
	x86 := strings.NewReplacer("Free x64", "Free x86 compatible", "amd64fre", "x86fre", "fffff800`01", "81").Replace(n.target)
	grows := []string{"Tag NSpc", "grew from 34.4 MB to 52.2 MB of nonpaged pool over 2 listings"}
	rows := []string{"NSpc    112640     36044800", "NSpc    171008     54722560"}
	both := n.earlier + n.later
	next := []string{"lmvm nsiproxy"}
	confirmed, likely := nsiLeak+" confirmed", nsiLeak+" likely"
	leak := func(name string, log []string, known string, asks ...string) replay {
		return replay{name: name, log: log, kind: "memory-leak", says: grows, seen: rows, article: kb2847346, known: known, asks: asks}
	}
	replayAll(t, documentRules(t), []replay{
		leak("all", []string{n.target + both + n.old}, confirmed, next...),
		leak("the file of RTM on a machine with later ones of the GDR branch", []string{n.target + both + service("6.1.7601.18409")}, confirmed, next...),
		leak("one build before the hotfix", []string{n.target + both + service("6.1.7601.22589")}, confirmed, next...),
		leak("the LDR branch of RTM", []string{n.target + both + service("6.1.7600.21999")}, confirmed, next...),
		leak("no vertarget", []string{both + n.old}, confirmed, next...),
		{name: "one listing", log: []string{n.target + n.earlier + n.old}, kind: "undecided", never: "leak", seen: rows[:1], article: kb2847346, known: likely, asks: []string{"!vm", "!poolused 2 NSpc"}},
		leak("no nsisvc.dll", []string{n.target + both}, likely, "lmvm nsiproxy", askService),
		{name: "one listing and no nsisvc.dll", log: []string{n.target + n.earlier}, kind: "undecided", seen: rows[:1], article: kb2847346, known: likely, asks: []string{"!vm", askService, "!poolused 2 NSpc"}},
		leak("x64, the kernel half of before the hotfix", []string{n.target + both + proxy(rtmVersion)}, confirmed, "!poolused 2"),
		leak("x86, nsiproxy.sys as the hotfix leaves it", []string{x86 + both + strings.ReplaceAll(strings.ReplaceAll(proxy(rtmVersion), "fffff880`0220c000", "8a20c000"), "fffff880`02200000", "8a200000")}, likely, "!poolused 2", askService),
		leak("x86, nsisvc.dll", []string{x86 + both + of32("nsisvc.dll", rtmVersion)}, confirmed, next...),
		leak("x64, the native nsi.dll as the hotfix leaves it", []string{n.target + both + image("nsi.dll", `C:\Windows\System32`, rtmVersion, "000007fe`fb6a0000", "000007fe`fb6ab000")}, likely, "lmvm nsiproxy", askService),
		leak("x64, the native winnsi.dll as the hotfix leaves it", []string{n.target + both + image("winnsi.dll", `C:\Windows\System32`, rtmVersion, "000007fe`fb6a0000", "000007fe`fb6ab000")}, likely, "lmvm nsiproxy", askService),
		{name: "tag and file, no growth to see", log: []string{n.target + n.old}, kind: "undecided", asks: []string{"!locks"}, open: []string{askCounters}},
	})
}

// TestNSIFixed holds that the hotfix is recognised by each file that its tables list for
// a platform, and that another version of Windows is told by whatever tells it.
func TestNSIFixed(t *testing.T) {
	t.Parallel()
	n := nsi(t)
	both := n.earlier + n.later
	x86 := strings.NewReplacer("Free x64", "Free x86 compatible", "amd64fre", "x86fre", "fffff800`01", "81").Replace(n.target)
	ia64 := strings.NewReplacer("Free x64", "Free ia64", "amd64fre", "ia64fre").Replace(n.target)
	const has = " already has the fix"
	const along = "brings the fixed nsisvc.dll along"
	const later, earlier = "is later than Windows 7", "is earlier than Windows 7"
	set := documentRules(t)
	for _, c := range []struct{ name, log, because string }{
		{"x64, nsisvc.dll", n.target + both + service(fixVersion), "nsisvc.dll " + fixVersion + has},
		{"x64, a later nsisvc.dll", n.target + both + service("6.1.7601.23889"), "nsisvc.dll 6.1.7601.23889" + has},
		{"x86, nsisvc.dll", x86 + both + of32("nsisvc.dll", fixVersion), "nsisvc.dll " + fixVersion + has},
		{"IA-64, nsisvc.dll", ia64 + both + service(fixVersion), "nsisvc.dll " + fixVersion + has},
		{"x64, nsiproxy.sys", n.target + both + proxy(fixVersion), along},
		{"IA-64, nsiproxy.sys", ia64 + both + strings.ReplaceAll(proxy(fixVersion), "fffff880", "e0000160"), along},
		{"x64, winnsi.dll of 32 bits", n.target + both + of32("winnsi.dll", fixVersion), along},
		{"x64, nsi.dll of 32 bits", n.target + both + of32("nsi.dll", fixVersion), along},
		{"Windows 8 by vertarget", strings.NewReplacer("Windows 7", "Windows 8", "7601", "9200", "(Service Pack 1) ", "").Replace(n.target) + both + n.old, "build 9200 " + later},
		{"Windows 10 by its banner", "Windows 10 Kernel Version 19041 MP (8 procs) Free x64\n" + both, "build 19041 " + later},
		{"Windows 8.1 by Built by", "Built by: 9600.17415.amd64fre.winblue_r4.141028-1500\n" + both, "build 9600 " + later},
		{"Windows 8 by the kernel's file", both + kernel("6.2.9200.16384"), "build 9200 " + later},
		{"Windows 10 by the kernel's file", kernel("10.0.19041.1") + both, "build 19041 " + later},
		{"Windows 10 by OS_VERSION", "0: kd> !analyze -v\nOS_VERSION:  10.0.19041.1\n\nOSPLATFORM_TYPE:  x64\n\nOSNAME:  Windows 10\n\n" + both, "build 19041 " + later},
		{"Windows 8.1 by BUILD_VERSION_STRING", "0: kd> !analyze -v\nBUILD_VERSION_STRING:  9600.17415.amd64fre.winblue_r4.141028-1500\n\n" + both, "build 9600 " + later},
		{"Windows 10 by OSBUILD", "0: kd> !analyze -v\nOSBUILD:  10240\n\n" + both, "build 10240 " + later},
		{"Windows 8 by OSNAME", "0: kd> !analyze -v\nOSNAME:  Windows 8\n\n" + both, "Windows 8 " + later},
		{"Windows 10 by OSNAME", "0: kd> !analyze -v\nOSNAME:  Windows 10\n\n" + both, "Windows 10 " + later},
		{"Windows Vista by vertarget", strings.NewReplacer("Windows 7", "Windows Server 2008/Windows Vista", "7601", "6002", "Service Pack 1", "Service Pack 2").Replace(n.target) + both, "build 6002 " + earlier},
		{"Windows Server 2008 by the kernel's file", both + kernel("6.0.6002.18005"), "build 6002 " + earlier},
	} {
		r := withRules(t, set, asInput(c.log))
		said := false
		for _, x := range r.Rules.Excluded {
			said = said || x.ID == nsiLeak && strings.Contains(x.Because, c.because)
		}
		if !said {
			t.Errorf("%s: excluded %+v", c.name, r.Rules.Excluded)
		}
		for _, f := range r.Findings {
			if strings.HasPrefix(f.ID, "ms-kb2847346") {
				t.Errorf("%s: %s is %s", c.name, f.ID, f.Confidence)
			}
		}
	}
	for _, c := range []struct{ name, log string }{
		{"Windows 7 by the kernel's file", both + kernel("6.1.7601.17514")},
		{"Windows 7 by BUILD_VERSION_STRING", "0: kd> !analyze -v\nBUILD_VERSION_STRING:  6.1.7601.17514 (win7sp1_rtm.101119-1850)\n\nOSPLATFORM_TYPE:  x64\n\nOSNAME:  Windows 7\n\n" + both},
		{"words of another key", "0: kd> !analyze -v\nOSEDITION:  Windows 8 WinNt\n\n" + both},
	} {
		if r := withRules(t, set, asInput(c.log)); len(r.Rules.Excluded) > 0 {
			t.Errorf("%s: excluded %+v", c.name, r.Rules.Excluded)
		}
	}
}

// TestNSIMemory replays KB2847346 by the memory of the service host: it grows (scenarios
// 1 and 2), and falls at once when an adapter is reset (scenario 3).
func TestNSIMemory(t *testing.T) {
	t.Parallel()
	n := nsi(t)
	counters := func(file string) string {
		text := readText(t, "../rules/packs/memory/testdata/"+file)
		return text[strings.Index(text, `"(PDH`):]
	}
	grows, reset := counters("syn-nsi-memory-old.log"), counters("syn-nsi-adapter-reset.log")
	const ping = "lkd> !process 0 0 ping.exe\nPROCESS fffffa8006f0a060\n    SessionId: 0  Cid: 0b3c    Peb: 7fffffdf000  ParentCid: 0a48\n    DirBase: 1a5c9000  ObjectTable: 00000000  HandleCount:   0.\n    Image: PING.EXE\n\n"
	leaks := []string{`Process(svchost#3)\Private Bytes of SRV1 leaks`}
	ends := `"04/22/2013 08:00:00.000"`
	who := "!process 0 1 svchost.exe"
	const ram = "!vm 1"
	replayAll(t, documentRules(t), []replay{
		{name: "the service host grows", log: []string{n.target + n.old, grows}, kind: "memory-leak", says: leaks, seen: []string{ends, "000007fe`fb6a0000"}, article: kb2847346, known: nsiMemory + " possible", asks: []string{who, "!process 0 0 ping.exe", "!poolused 2 NSpc", ram}},
		{name: "scenario 1: a ping.exe that was stopped", log: []string{n.target + n.old + ping, grows}, kind: "memory-leak", says: leaks, seen: []string{ends, "PROCESS fffffa8006f0a060"}, article: kb2847346, known: nsiMemory + " likely", asks: []string{who, ram}},
		{name: "with registrations", log: []string{n.target + n.earlier + n.later + n.old, grows}, kind: "memory-leak", says: []string{"Tag NSpc"}, seen: []string{ends, "NSpc    112640"}, article: kb2847346, known: nsiMemory + " likely", asks: []string{"lmvm nsiproxy", who, ram}},
		{name: "no nsisvc.dll", log: []string{n.target, grows}, kind: "memory-leak", says: leaks, seen: []string{ends}, asks: []string{who, ram}, open: []string{askService}},
		{name: "no counters", log: []string{n.target + n.old}, kind: "undecided", asks: []string{"!locks"}, open: []string{askCounters}},
		{name: "with the hotfix", log: []string{n.target + service(fixVersion), grows}, kind: "memory-leak", says: leaks, because: "nsisvc.dll " + fixVersion + " already has the fix", asks: []string{who, ram}},
		{name: "scenario 3: an adapter was reset", log: []string{n.target + n.old, reset}, kind: "undecided", never: "leaks:", seen: []string{ends}, article: kb2847346, known: nsiReset + " possible", asks: []string{askCounters, "!poolused 2 NSpc"}},
		{name: "scenario 3 with the tag", log: []string{n.target + n.earlier + n.old, reset}, kind: "undecided", seen: []string{ends, "NSpc    112640"}, article: kb2847346, known: nsiReset + " likely", asks: []string{"!vm", askCounters, "!poolused 2 NSpc"}},
		{name: "an adapter was reset, no nsisvc.dll", log: []string{n.target, reset}, kind: "undecided", asks: []string{askCounters}, open: []string{askService}},
		{name: "an adapter was reset, with the hotfix", log: []string{n.target + service(fixVersion), reset}, kind: "undecided", because: "nsisvc.dll " + fixVersion + " already has the fix", asks: []string{askCounters}},
	})
}

// TestNSIWorkarounds holds that each scenario has the workaround that the document gives.
func TestNSIWorkarounds(t *testing.T) {
	t.Parallel()
	set := documentRules(t)
	for file, words := range map[string][]string{
		"syn-nspc-old.log":          {"needs Service Pack 1", "disabling and enabling the network adapter frees the memory at once", "short spike of CPU", "CancelMibChangeNotify2", "IcmpCloseHandle", "stopping the monitoring tool", "Windows 8 and Windows Server 2012"},
		"syn-nsi-memory-old.log":    {"Scenario 1: let ping.exe and its like end by themselves", "Scenario 2: the program should use several ICMP handles, or raw sockets", "Windows Server 2012 has scenario 1 solved"},
		"syn-nsi-adapter-reset.log": {"disabling and enabling the network adapter frees the memory"},
	} {
		r := withRules(t, set, asInput(readText(t, "../rules/packs/memory/testdata/"+file)))
		remedy := ""
		for _, f := range r.Findings {
			if strings.HasPrefix(f.ID, "ms-kb2847346") {
				remedy += f.Remedy
			}
		}
		for _, w := range words {
			if !strings.Contains(remedy, w) {
				t.Errorf("%s: %q is not in the remedy: %s", file, w, remedy)
			}
		}
	}
}
