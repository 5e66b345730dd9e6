package rules

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/threads"
)

type targetFact = *snapshot.Target

// stopFact is a stop code.
type stopFact = *snapshot.Bugcheck

// single makes a sequence of one fact, or of none for nil.
func single[T any](v *T) iter.Seq[fact] {
	return func(yield func(fact) bool) {
		if v != nil {
			yield(v)
		}
	}
}

func init() {
	registerKind(&kind{
		name: "target", doc: "the machine of the session, as vertarget and banners tell of it",
		ask:  "vertarget",
		seen: func(w *world) bool { return true },
		all:  func(w *world) iter.Seq[fact] { return single(&w.snap.Target) },
		at:   placed(func(t targetFact) kd.Ref { return t.ArchAt }),
		fields: []*field{
			{name: "arch", typ: Enum, common: true, words: []string{"x64", "x86", "arm64"}, doc: "the processor", get: getter(func(_ *world, t targetFact) Values {
				if t.Arch == kd.ArchUnknown {
					return unknown
				}
				return text(Enum, t.Arch.String(), t.ArchAt)
			})},
			{name: "build", typ: Number, common: true, doc: "the build of Windows: 7601, 19041; of the version line, else of Built by, of !analyze, or of the kernel's file", get: getter(targetBuild)},
			{name: "os_name", typ: Name, common: true, doc: "OSNAME of !analyze, where nothing else tells the build: Windows 8", ask: "!analyze -v", get: getter(func(_ *world, t targetFact) Values { return text(Name, t.OSName, t.OSNameAt) })},
			{name: "version", typ: Name, common: true, doc: "the version line as printed: *Server*", get: getter(func(_ *world, t targetFact) Values { return text(Name, t.Version, t.ArchAt) })},
			{name: "service_pack", typ: Number, common: true, doc: "the service pack of the version line; 0 where that is there and names none", get: getter(servicePack)},
			{name: "built_by", typ: Name, common: true, doc: "19041.1.amd64fre.vb_release.191206-1406", get: getter(func(_ *world, t targetFact) Values { return text(Name, t.BuiltBy, t.ArchAt) })},
			{name: "processors", typ: Number, common: true, doc: "how many processors it has", get: getter(func(_ *world, t targetFact) Values {
				if t.Processors == 0 {
					return unknown
				}
				return number(Number, float64(t.Processors), t.ArchAt)
			})},
			{name: "uptime", typ: Duration, common: true, doc: "System Uptime", get: getter(func(_ *world, t targetFact) Values {
				ms, ok := snapshot.ParseUptime(t.Uptime)
				if !ok {
					return unknown
				}
				return number(Duration, float64(ms), t.ArchAt)
			})},
			{name: "process", typ: Name, common: true, doc: "PROCESS_NAME of !analyze", ask: "!analyze -v", get: getter(func(_ *world, t targetFact) Values { return text(Name, t.Process, t.ArchAt) })},
			{name: "failure_bucket", typ: Name, doc: "FAILURE_BUCKET_ID of !analyze", ask: "!analyze -v", get: getter(func(_ *world, t targetFact) Values { return text(Name, t.FailureBucket, t.ArchAt) })},
		},
	})
	registerKind(&kind{
		name: "bugcheck", doc: "the stop code of the crash or live dump",
		ask:  "!analyze -v",
		seen: func(w *world) bool { return w.snap.Target.Bugcheck != nil },
		all:  func(w *world) iter.Seq[fact] { return single(w.snap.Target.Bugcheck) },
		at:   placed(func(b stopFact) kd.Ref { return b.At }),
		fields: []*field{
			{name: "code", typ: Address, doc: "the stop code in hexadecimal, without 0x or with it: 1cc, 0x9f", get: getter(func(_ *world, b stopFact) Values {
				return one(Value{Type: Address, A: kd.Addr(b.Code), At: b.At})
			})},
			{name: "name", typ: Name, doc: "SYSTEM_SERVICE_EXCEPTION", get: getter(func(_ *world, b stopFact) Values { return text(Name, b.Name, b.At) })},
			stopArg(1), stopArg(2), stopArg(3), stopArg(4),
		},
	})
	registerKind(&kind{
		name: "process", doc: "a process of !process, or one that a thread names",
		ask: "!process 0 0", one: "!process %s 7", key: "address",
		seen:   func(w *world) bool { return len(w.snap.Processes) > 0 || w.snap.ListsProcesses() },
		listed: allProcesses,
		all:    func(w *world) iter.Seq[fact] { return eachOf(w.snap.Processes) },
		find: func(w *world, v Value) fact {
			for i := range w.snap.Processes {
				if w.snap.Processes[i].Addr == v.A {
					return &w.snap.Processes[i]
				}
			}
			return nil
		},
		at:   placed(func(p *threads.Process) kd.Ref { return p.At }),
		addr: addressed(func(p *threads.Process) kd.Addr { return p.Addr }),
		fields: []*field{
			{name: "address", typ: Address, doc: "its EPROCESS", get: getter(func(_ *world, p *threads.Process) Values { return address(p.Addr, p.At) })},
			{name: "image", typ: Name, common: true, doc: "its program: services.exe", get: getter(func(_ *world, p *threads.Process) Values { return imageName(p.Image, p.At) })},
			{name: "cid", typ: Number, common: true, doc: "its number, hexadecimal behind 0x", get: getter(func(_ *world, p *threads.Process) Values {
				if !p.CIDKnown {
					return unknown
				}
				return inHex(number(Number, float64(p.CID), p.At))
			})},
		},
	})
	registerKind(&kind{
		name: "timeout", doc: "the kernel's own complaint that a thread has waited too long for an ERESOURCE",
		ask:  "!analyze -v",
		seen: func(w *world) bool { return len(w.snap.Timeouts) > 0 },
		all:  func(w *world) iter.Seq[fact] { return eachOf(w.snap.Timeouts) },
		at:   placed(func(t *locks.Timeout) kd.Ref { return t.At }),
		addr: addressed(func(t *locks.Timeout) kd.Addr { return t.Addr }),
		fields: []*field{
			{name: "lock", typ: Address, doc: "the ERESOURCE", get: getter(func(_ *world, t *locks.Timeout) Values { return address(t.Addr, t.At) })},
			{name: "flag", typ: Name, list: true, doc: "what it says of how it is held: IsOwnedExclusive", get: getter(func(_ *world, t *locks.Timeout) Values {
				out := Values{All: true}
				for _, f := range t.Flags {
					out.List = append(out.List, Value{Type: Name, S: f, At: t.At})
				}
				return out
			})},
			{name: "active", typ: Number, doc: "its active count", get: getter(func(_ *world, t *locks.Timeout) Values {
				if !t.ActiveCount.Known() {
					return unknown
				}
				return number(Number, float64(t.ActiveCount.N), t.ActiveCount.At)
			})},
		},
	})
}

func targetBuild(_ *world, t targetFact) Values {
	n, err := strconv.ParseUint(t.Build, 10, 32)
	if err != nil {
		return unknown
	}
	if t.BuildAt.Known() {
		return number(Number, float64(n), t.BuildAt)
	}
	return number(Number, float64(n), t.ArchAt)
}

// servicePack reads "Service Pack 2" in a version line, which names none only where
// the words behind it came:
//
//	Windows 7 Kernel Version 7601 (Service Pack 1) MP (8 procs) Free x64
func servicePack(_ *world, t targetFact) Values {
	if t.Version == "" {
		return unknown
	}
	_, rest, ok := strings.Cut(t.Version, "Service Pack ")
	switch behind := strings.Contains(t.Version, " MP") || strings.Contains(t.Version, " UP"); {
	case !ok && behind:
		return number(Number, 0, t.ArchAt)
	case !ok:
		return unknown
	}
	digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return unknown
	}
	return number(Number, float64(n), t.ArchAt)
}

// stopArg is the field of an argument of a stop code, counted from 1.
func stopArg(n int) *field {
	return &field{
		name: "arg" + strconv.Itoa(n), typ: Address, doc: fmt.Sprintf("argument %d", n),
		get: getter(func(_ *world, b stopFact) Values {
			a, at, ok := b.Arg(n - 1)
			if !ok {
				return unknown
			}
			return one(Value{Type: Address, A: a, At: at})
		}),
	}
}

// driverName takes the object directory off a driver: \Driver\disk.
func driverName(s string) string { return s[strings.LastIndexByte(s, '\\')+1:] }

// allProcesses reports whether the processes that a clause asks for were all listed:
// those of the machine, or of the programs that it names.
func allProcesses(w *world, c *clause) bool {
	if w.snap.ListsAllProcesses("") {
		return true
	}
	images, ok := c.literals("image")
	return ok && !slices.ContainsFunc(images, func(image string) bool { return !w.snap.ListsAllProcesses(image) })
}
