package loggen

// site is a call site: the text of a frame that stands there, and the address
// that the frame inward of it returns to.
type site struct {
	text string
	addr uint64
	size uint64 // of the function's frame, in bytes
}

// siteID is an index into sites.all.
type siteID uint16

// sites are all call sites of the machine and the paths that many threads
// share.
type sites struct {
	all          []site
	pool         []siteID // kernel-mode ones that may stand anywhere
	user         []siteID
	paths        [48][]siteID
	fixed        map[string]siteID
	modules      map[string]uint64
	waits        [waitKinds][]siteID
	workerTail   []siteID
	driverTail   []siteID
	serviceTail  []siteID
	userTail     []siteID
	callout      []siteID // to an expanded stack, the last two on the earlier one
	takeShared   []siteID
	takeExcl     []siteID
	bareUser     siteID
	switchedFrom siteID
}

// wait is what a thread does.
type wait uint8

const (
	waitObject wait = iota
	waitObjects
	waitQueue
	waitDelay
	waitReply
	waitIO
	waitWorker
	waitDriver
	waitShared
	waitExclusive
	running
	waitKinds
)

// drivers are modules and what their functions begin with.
var drivers = [...]struct{ module, prefix string }{
	{"Ntfs", "Ntfs"}, {"FLTMGR", "Fltp"}, {"tcpip", "Tcp"}, {"ndis", "ndis"}, {"storport", "Raid"}, {"CLASSPNP", "Class"},
	{"volsnap", "Vsp"}, {"rdbss", "Rx"}, {"mrxsmb20", "MRxSmb2"}, {"srv2", "Srv2"}, {"afd", "Afd"}, {"dxgkrnl", "Dxgk"},
	{"WdFilter", "Mp"}, {"acmefs", "Acme"}, {"backup_flt", "Bkf"}, {"partmgr", "Pm"}, {"volmgr", "Vmp"}, {"cng", "Cng"},
	{"NETIO", "Nsi"}, {"HTTP", "Ul"}, {"dfsc", "Dfsc"}, {"luafv", "Luafv"}, {"nt", "Iop"}, {"nt", "Cm"}, {"nt", "Cc"},
	{"nt", "Mi"}, {"nt", "Obp"}, {"nt", "Sep"}, {"nt", "Psp"}, {"nt", "FsRtl"},
}

var (
	verbs = [...]string{"Open", "Close", "Query", "Set", "Flush", "Dispatch", "Complete", "Start", "Process", "Lookup", "Insert", "Validate", "Purge", "Map", "Prepare", "Teardown"}
	nouns = [...]string{"Volume", "Stream", "Request", "Context", "Buffer", "Directory", "Index", "Record", "Section", "Handle", "Device", "Packet", "Session", "Extent", "Attribute", "Descriptor"}
)

var userModules = [...]string{"KERNELBASE", "RPCRT4", "combase", "USER32", "sechost", "ws2_32", "msvcrt", "sqlservr", "store", "w3wp_core"}

func newSites(seed uint64) *sites {
	s := &sites{fixed: map[string]siteID{}, modules: map[string]uint64{}}
	s.fix()
	r := newRNG(seed, ofSites, 0)
	for i := range 5000 {
		d := drivers[r.n(len(drivers))]
		name := d.prefix + verbs[r.n(len(verbs))] + nouns[r.n(len(nouns))]
		if i%3 == 0 {
			name += nouns[r.n(len(nouns))]
		}
		s.pool = append(s.pool, s.at(d.module, name, 0x10+uint64(r.n(0x3d0))))
	}
	for range 1200 {
		name := verbs[r.n(len(verbs))] + nouns[r.n(len(nouns))]
		if r.chance(40) {
			name = nouns[r.n(len(nouns))] + "::" + name
		}
		s.user = append(s.user, s.at(userModules[r.n(len(userModules))], name, 0x10+uint64(r.n(0x3d0))))
	}
	for i := range s.paths {
		for range 30 {
			s.paths[i] = append(s.paths[i], s.pool[r.n(len(s.pool))])
		}
	}
	return s
}

// at returns the site module!function+offset, a new one if there is none. An
// offset of 0 is not printed.
func (s *sites) at(module, function string, offset uint64) siteID {
	text := module + "!" + function
	if offset != 0 {
		var o out
		o.hex(offset, 1)
		text += "+0x" + string(o.b)
	}
	if id, ok := s.fixed[text]; ok {
		return id
	}
	base, ok := s.modules[module]
	if !ok {
		base = 0xfffff80300000000 + uint64(len(s.modules))<<26
		if s.isUser(module) {
			base = 0x00007ffe10000000 + uint64(len(s.modules))<<24
		}
		s.modules[module] = base
	}
	id := siteID(len(s.all))
	addr := base + 0x1000 + uint64(len(s.all))*0x400 + offset
	s.all = append(s.all, site{text, addr, 0x30 + addr>>2&0x1f<<4})
	s.fixed[text] = id
	return id
}

func (s *sites) isUser(module string) bool {
	for _, m := range userModules {
		if m == module {
			return true
		}
	}
	return module == "ntdll" || module == "KERNEL32"
}

// fix adds the sites that the kernel's own waits go through, as captures of
// Windows 10 in testdata print them.
func (s *sites) fix() {
	nt := func(name string, offset uint64) siteID { return s.at("nt", name, offset) }
	swap := []siteID{nt("KiSwapContext", 0x76), nt("KiSwapThread", 0x17c), nt("KiCommitThreadWait", 0x14f)}
	after := func(more ...siteID) []siteID { return append(swap[:3:3], more...) }
	one := nt("KeWaitForSingleObject", 0x256)
	s.waits = [waitKinds][]siteID{
		waitObject:    after(one, nt("ObWaitForSingleObject", 0x91), nt("NtWaitForSingleObject", 0x6a)),
		waitObjects:   after(nt("KeWaitForMultipleObjects", 0x217), nt("ObWaitForMultipleObjects", 0x2c1), nt("NtWaitForMultipleObjects", 0x119)),
		waitQueue:     after(nt("KeRemoveQueueEx", 0x238), nt("IoRemoveIoCompletion", 0x8d), nt("NtWaitForWorkViaWorkerFactory", 0x313)),
		waitDelay:     after(nt("KeDelayExecutionThread", 0x122), nt("NtDelayExecution", 0x5f)),
		waitReply:     after(one, nt("AlpcpSignalAndWait", 0x143), nt("AlpcpReceiveSynchronousReply", 0x56), nt("AlpcpProcessSynchronousRequest", 0x36f), nt("NtAlpcSendWaitReceivePort", 0x1ce)),
		waitIO:        after(one),
		waitWorker:    after(nt("KeRemovePriQueue", 0x259)),
		waitDriver:    after(one),
		waitShared:    after(nt("ExpWaitForResource", 0x2a8)),
		waitExclusive: after(nt("ExpWaitForResource", 0x2a8)),
	}
	s.takeShared, s.takeExcl = []siteID{nt("ExAcquireResourceSharedLite", 0x325)}, []siteID{nt("ExAcquireResourceExclusiveLite", 0x183)}
	s.driverTail = []siteID{nt("PspSystemThreadStartup", 0x55), nt("KiStartSystemThread", 0x28)}
	s.workerTail = append([]siteID{nt("ExpWorkerThread", 0x105)}, s.driverTail...)
	s.serviceTail = []siteID{nt("KiSystemServiceCopyEnd", 0x25)}
	s.userTail = []siteID{s.at("KERNEL32", "BaseThreadInitThunk", 0x14), s.at("ntdll", "RtlUserThreadStart", 0x21)}
	s.switchedFrom = nt("KiSwitchKernelStackContinue", 0)
	s.callout = []siteID{nt("KxSwitchKernelStackCallout", 0x2e), s.switchedFrom, nt("KeExpandKernelStackAndCalloutInternal", 0x20e)}
	s.bareUser = siteID(len(s.all))
	s.all = append(s.all, site{"0x00007ffe`43a0c8f4", 0x00007ffe43a0c8f4, 0x80})
}
