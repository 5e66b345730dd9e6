package heuristics

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/snapshot"
	"kdlocks/stacks"
	"kdlocks/threads"
)

// lockFamily is the part of Windows that a lock belongs to.
type lockFamily uint8

const (
	kernelLock lockFamily = iota
	win32kLock
	graphicsLock
	registryLock
	pnpLock
	fileSystemLock
)

// rank of a file system's locks: one of lower rank is taken first.
type fileRank uint8

const (
	noFileRank fileRank = iota
	ofVolume
	ofFile   // main resource of a file
	ofPaging // paging I/O resource of a file
)

// lockRole is what a lock is for: how to tell it, and what is usual about it.
type lockRole struct {
	family lockFamily
	// name is the lock in words, usual what an engineer should know of it.
	name, usual string
	// symbols are the names that the debugger prints behind the module.
	symbols []string
	// callers are contained in the name of a function that asks for the lock,
	// in either case; modules are those that it must belong to, none for any.
	callers []string
	modules []string
	order   fileRank
	// source is where the name or the function was seen in public.
	source string
}

const fileSystemUsual = "its address does not tell of which file or volume; the usual order is volume, a file's main lock, its paging I/O lock, as in Microsoft's fastfat sample"

// lockRoles is the table, the more special functions before those that are
// contained in them.
var lockRoles = []lockRole{
	{
		family: win32kLock, name: "the win32k user lock",
		usual:   "nearly every GUI thread piles up there, so it is a victim; follow its owner",
		symbols: []string{"gpresUser"},
		callers: []string{"EnterCrit", "EnterSharedCrit", "EnterUserCritSec"},
		modules: []string{"win32k", "win32kbase", "win32kfull"},
		source:  "testdata/corpus 045: csrss waits in win32kbase!EnterCrit, Windows 11",
	},
	{
		family: graphicsLock, name: "a lock of the graphics kernel",
		usual:   "whoever waits for the graphics processor holds it; follow its owner",
		callers: []string{""},
		modules: []string{"dxgkrnl", "dxgmms1", "dxgmms2"},
		source:  "Microsoft Learn: Timeout detection and recovery (TDR)",
	},
	{
		family: registryLock, name: "the registry lock",
		usual:   "where it is stuck, its owner most often waits in the callback of a driver or for the file of a hive",
		symbols: []string{"CmpRegistryLock"},
		callers: []string{"CmpLockRegistry"},
		modules: kernelModules,
		source:  "public symbols of nt; Microsoft Learn: Filtering registry calls",
	},
	{
		family: pnpLock, name: "the engine lock of the Plug and Play manager",
		usual:   "who owns it is most often the victim of the driver that it called into",
		symbols: []string{"PiEngineLock"},
		source:  "testdata/corpus 066 and 068: !analyze prints it with stop 0xCA",
	},
	{
		family: pnpLock, name: "the device tree lock of the Plug and Play manager",
		usual:   "who owns it is most often the victim of the driver that it called into",
		symbols: []string{"IopDeviceTreeLock"},
		callers: []string{"PpDevNodeLockTree"},
		modules: kernelModules,
		source:  "Microsoft Learn: bug check 0x9F, parameter 1 is 4; public symbols of nt",
	},
	{
		family: fileSystemLock, name: "a file system's lock of a volume (its VCB)", usual: fileSystemUsual, order: ofVolume,
		callers: []string{"AcquireSharedVcb", "AcquireExclusiveVcb", "AcquireVcb"},
		source:  "Microsoft's fastfat sample: FatAcquireExclusiveVcb",
	},
	{
		family: fileSystemLock, name: "a file's paging I/O lock", usual: fileSystemUsual, order: ofPaging,
		callers: []string{"AcquirePagingIo", "AcquirePagingResource"},
		source:  "Microsoft Learn: FSRTL_ADVANCED_FCB_HEADER",
	},
	{
		family: fileSystemLock, name: "a lock of a file", usual: fileSystemUsual,
		callers: []string{
			"AcquireFileForCcFlush", "AcquireForCcFlush", "AcquireForModWrite", "AcquireForCreateSection", "AcquireToCreateMappedSection",
			"AcquireFileExclusive", "AcquireFileForModWrite", "AcquireForLazyWrite", "AcquireForReadAhead", "AcquireFcbWithPaging",
		},
		source: "testdata/corpus 020 and 034; Microsoft Learn: FLT_CALLBACK_DATA for ACQUIRE_FOR_SECTION_SYNCHRONIZATION",
	},
	{
		family: fileSystemLock, name: "a file's main lock", usual: fileSystemUsual, order: ofFile,
		callers: []string{"AcquireExclusiveFcb", "AcquireSharedFcb", "AcquireFcb"},
		source:  "Microsoft's fastfat sample: FatAcquireExclusiveFcb",
	},
	{
		family: kernelLock, name: "the kernel's lock of the list of loaded drivers",
		usual:   "whoever loads or unloads a driver owns it; follow its owner",
		symbols: []string{"PsLoadedModuleResource"}, source: "public symbols of nt",
	},
	{
		family: kernelLock, name: "the kernel's lock of the list of processes",
		usual:   "it is held briefly; follow its owner",
		symbols: []string{"PspActiveProcessLock"}, source: "public symbols of nt",
	},
	{
		family: kernelLock, name: "the I/O manager's lock of file systems and their volumes",
		usual:   "whoever mounts or registers a file system owns it; follow its owner",
		symbols: []string{"IopDatabaseResource"}, source: "public symbols of nt",
	},
	{
		family: kernelLock, name: "the I/O manager's lock of loading drivers",
		usual:   "it is held while a driver starts or unloads; follow its owner into that driver",
		symbols: []string{"IopDriverLoadResource"}, source: "public symbols of nt",
	},
}

var kernelModules = []string{"nt", "ntoskrnl", "ntkrnlmp", "ntkrnlpa", "ntkrpamp"}

// toldRole is the role of a lock and what tells it: its symbol, or the stack of
// a thread that waits for it.
type toldRole struct {
	*lockRole
	thread *threads.Thread // nil where the symbol tells
	frame  int
}

// by says what tells the role.
func (d *diagnosis) by(r *toldRole) string {
	if r.thread == nil {
		return "by its name"
	}
	return fmt.Sprintf("its waiter, %s, asks for it in %s", d.thread(r.thread.Addr), r.thread.Stack.Frames[r.frame].Name())
}

// mostRoleWaiters bounds the waiters whose stacks are asked for the role of a lock.
const mostRoleWaiters = 8

// roleOf tells what a resource is, nil if nothing does. Waiters that contradict
// each other tell nothing.
func (d *diagnosis) roleOf(a kd.Addr) *toldRole {
	if r, ok := d.roles[a]; ok {
		return r
	}
	if d.roles == nil {
		d.roles = make(map[kd.Addr]*toldRole)
	}
	r := d.findRole(d.snap.Resource(a))
	d.roles[a] = r
	return r
}

func (d *diagnosis) findRole(r *snapshot.Resource) *toldRole {
	if r == nil {
		return nil
	}
	if known := roleOfSymbol(r.Symbol); known != nil {
		return &toldRole{lockRole: known, frame: -1}
	}
	if r.Reading == locks.Irreconcilable {
		return nil
	}
	var found *toldRole
	asked := 0
	for _, a := range waiters(r) {
		if asked == mostRoleWaiters {
			break
		}
		if b := d.snap.Brief(a); b != nil && !b.Has(threads.WaitsOnStack) {
			continue
		}
		t := d.snap.Thread(a)
		if t == nil || t.FindFrame("ExpWaitForResource") < 0 || d.graph.Find(a) < 0 {
			continue
		}
		asked++
		known, at := roleOfStack(t)
		switch {
		case known == nil:
		case found == nil:
			found = &toldRole{lockRole: known, thread: t, frame: at}
		case found.family != known.family:
			return nil
		case found.order != known.order:
			found.lockRole = anyFileLock
		}
	}
	return found
}

// anyFileLock is what is left where waiters ask for one lock by functions for
// several.
var anyFileLock = &lockRoles[slices.IndexFunc(lockRoles, func(r lockRole) bool { return r.name == "a lock of a file" })]

func roleOfSymbol(symbol string) *lockRole {
	module, name, ok := strings.Cut(symbol, "!")
	if !ok || !stacks.OfWindows(module) {
		return nil
	}
	for i := range lockRoles {
		if slices.Contains(lockRoles[i].symbols, strings.TrimLeft(name, "_")) {
			return &lockRoles[i]
		}
	}
	return nil
}

// roleOfStack reads from the functions nearest to the request what lock a
// thread waits for, and the frame that tells it.
func roleOfStack(t *threads.Thread) (*lockRole, int) {
	const near = 4
	_, caller := acquire(t)
	if caller < 0 {
		return nil, -1
	}
	for i := caller; i < min(caller+near, len(t.Stack.Frames)); i++ {
		f := &t.Stack.Frames[i]
		for k := range lockRoles {
			if lockRoles[k].asks(f, i == caller) {
				return &lockRoles[k], i
			}
		}
	}
	return nil, -1
}

// asks reports whether a function is one that takes the lock. Of a family that
// any function of a module takes, it must ask itself.
func (r *lockRole) asks(f *stacks.Frame, itself bool) bool {
	if f.Function == "" || len(r.modules) > 0 && !slices.Contains(r.modules, strings.ToLower(f.Module)) {
		return false
	}
	for _, c := range r.callers {
		if c == "" && itself || c != "" && strings.Contains(strings.ToLower(f.Function), strings.ToLower(c)) {
			return true
		}
	}
	return false
}

// tellRoles says once of each lock of the findings what it is.
func (d *diagnosis) tellRoles(fs []Finding) {
	const mostFound, mostEach = 32, 3
	told, usual := make(map[kd.Addr]bool), make(map[string]bool)
	for i := range fs[:min(len(fs), mostFound)] {
		f := &fs[i]
		if f.Kind == Context {
			continue
		}
		for _, a := range f.Resources[:min(len(f.Resources), mostEach)] {
			r := d.roleOf(a)
			if r == nil || told[a] {
				continue
			}
			if strings.Contains(f.Explanation, d.whatItIs(a, r)) {
				told[a], usual[r.usual] = true, true
				continue
			}
			told[a] = true
			f.Explanation += " " + d.whatItIs(a, r)
			if owned := len(d.snap.Resource(a).Owners) > 0; owned && !usual[r.usual] {
				usual[r.usual] = true
				f.Explanation += ": " + r.usual
			}
			f.Explanation += "."
			if r.thread != nil {
				d.seenFrame(f, r.thread, r.frame, "it tells what lock this is")
			}
		}
	}
}

// whatItIs says what a lock is, and what tells it.
func (d *diagnosis) whatItIs(a kd.Addr, r *toldRole) string {
	return fmt.Sprintf("%s is %s (%s)", d.lock(a), r.name, d.by(r))
}

// roleText says, too, what is usual about it.
func (d *diagnosis) roleText(a kd.Addr, r *toldRole) string {
	return d.whatItIs(a, r) + ": " + r.usual + "."
}

// mostRoles bounds the locks without a known symbol of which a detector asks
// what they are.
const mostRoles = 64

// ofFamily returns the resources with waiters that belong to a part of Windows,
// those with most waiters first, and those with its symbols.
func (d *diagnosis) ofFamily(want lockFamily) []*snapshot.Resource {
	if d.waitedMost == nil {
		d.waitedMost = []*snapshot.Resource{}
		for _, r := range d.snap.Resources {
			if waited(r) {
				d.waitedMost = append(d.waitedMost, r)
			}
		}
		kd.SortStable(d.waitedMost, func(a, b *snapshot.Resource) int { return b.Waiting() - a.Waiting() })
		d.waitedMost = d.waitedMost[:min(len(d.waitedMost), d.most(mostRoles))]
	}
	var out []*snapshot.Resource
	for _, r := range d.waitedMost {
		if role := d.roleOf(r.Addr); role != nil && role.family == want {
			out = append(out, r)
		}
	}
	for _, r := range d.snap.Resources {
		if known := roleOfSymbol(r.Symbol); known != nil && known.family == want && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}
