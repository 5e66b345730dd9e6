package loggen

// group is how many threads two processes share out among them.
const group = 128

// processOf returns the number of the process that a thread belongs to; 0 is
// System.
func (g *generator) processOf(thread int) int {
	if thread < g.system {
		return 0
	}
	pair := (thread - g.system) / group
	r := newRNG(g.opt.Seed, ofProcess, pair)
	cut := 4 + r.n(group-8)
	if (thread-g.system)%group < cut {
		return 1 + 2*pair
	}
	return 2 + 2*pair
}

// processes prints !process 0 7, with n threads, or more until the size that
// is asked for is reached.
func (g *generator) processes(n int) {
	o := &g.out
	o.blank()
	o.s("0: kd> !process 0 7\n**** NT ACTIVE PROCESS DUMP ****\n")
	roles := g.inOrder()
	open := -1
	for i := 0; o.err == nil && (i < n || g.opt.Threads == 0 && o.size() < g.opt.Bytes); i++ {
		p := g.processOf(i)
		if p != open {
			g.process(p)
			open = p
			g.stats.Processes++
		}
		var ro *role
		if len(roles) > 0 && roles[0].thread == i {
			ro, roles = &roles[0], roles[1:]
		}
		g.layOut(i, ro)
		g.thread(p)
		g.stats.Threads++
		o.full()
	}
}

var images = [...]string{"svchost.exe", "sqlservr.exe", "explorer.exe", "w3wp.exe", "MsMpEng.exe", "backup_agent.exe", "store.exe", "lsass.exe", "services.exe", "RuntimeBroker.exe", "dllhost.exe", "WmiPrvSE.exe"}

func image(p int) string {
	if p == 0 {
		return "System"
	}
	return images[p%len(images)]
}

func cid(p int) uint64 { return 4 + uint64(p)*8 }

// process prints the head of a PROCESS block.
func (g *generator) process(p int) {
	o := &g.out
	r := newRNG(g.opt.Seed, ofProcess, -1-p)
	o.s("PROCESS ")
	o.addr(processAddr(p))
	if p == 0 {
		o.s("\n    SessionId: none  Cid: ")
	} else {
		o.s("\n    SessionId: 1  Cid: ")
	}
	o.hex(cid(p), 4)
	o.s("    Peb: ")
	if p == 0 {
		o.s("00000000  ParentCid: 0000")
	} else {
		o.hex(0x3c05d000+uint64(p)*0x1000, 8)
		o.s("  ParentCid: 02ac")
	}
	o.s("\n    DirBase: ")
	o.hex(r.next()>>31&^0xfff, 8)
	o.s("  ObjectTable: ")
	o.addr(pool(&r))
	o.s("  HandleCount: ")
	o.dec(int64(r.n(4000)), 1)
	o.s(".\n    Image: ")
	o.s(image(p))
	o.s("\n    VadRoot ")
	o.addr(pool(&r))
	o.s(" Vads 360 Clone 0 Private ")
	o.dec(int64(r.n(90_000)), 1)
	o.s(". Modified 49808. Locked 0.\n    DeviceMap ")
	o.addr(deviceMap(p))
	o.s("\n    Token                             ")
	o.addr(pool(&r))
	o.s("\n    ElapsedTime                       02:08:27.945\n    UserTime                          ")
	o.clock(int64(r.n(9_000_000)))
	o.s("\n    KernelTime                        ")
	o.clock(int64(r.n(9_000_000)))
	for _, name := range [...]string{
		"\n    QuotaPoolUsage[PagedPool]         ",
		"\n    QuotaPoolUsage[NonPagedPool]      ",
	} {
		o.s(name)
		o.dec(int64(r.n(900_000)), 1)
	}
	o.s("\n    Working Set Sizes (now,min,max)  (29101, 50, 345) (116404KB, 200KB, 1380KB)\n    PeakWorkingSetSize                ")
	o.dec(int64(r.n(60_000)), 1)
	o.s("\n    VirtualSize                       426 Mb\n    PeakVirtualSize                   458 Mb\n    PageFaultCount                    ")
	o.dec(int64(r.n(900_000)), 1)
	o.s("\n    MemoryPriority                    BACKGROUND\n    BasePriority                      8\n    CommitCharge                      ")
	o.dec(int64(r.n(60_000)), 1)
	o.s("\n")
	o.blank()
}

func deviceMap(p int) uint64 { return 0xffff87b197000000 + uint64(p%40)*0x1d0 }

const (
	indent     = "        "
	wideIndent = indent + "    "
)

// thread prints the block of g.t, a thread of process p.
func (g *generator) thread(p int) {
	o, t := &g.out, &g.t
	r := &t.r
	o.s(indent + "THREAD ")
	o.addr(threadAddr(t.index))
	o.s("  Cid ")
	o.hex(cid(p), 4)
	o.s(".")
	o.hex(0x200+uint64(t.index)*4, 4)
	o.s("  Teb: ")
	if t.system {
		o.s("0000000000000000 Win32Thread: 0000000000000000 ")
	} else {
		o.addr(0xe0d7000000 + uint64(t.index%group)*0x2000)
		o.s(" Win32Thread: ")
		if t.index%4 == 0 {
			o.addr(pool(r))
		} else {
			o.s("0000000000000000")
		}
		o.s(" ")
	}
	g.state()
	if t.does == waitIO || t.does == waitShared && t.index%3 == 0 {
		o.s(indent + "IRP List:\n")
		for range 1 + r.n(2) {
			o.s(wideIndent)
			o.addr(pool(r))
			o.s(": (0006,0478) Flags: 00060000  Mdl: 00000000\n")
		}
	}
	if t.does == waitReply {
		g.reply(p)
	}
	g.properties(p)
	g.frames(p)
	o.blank()
}

// reasons are the ends of THREAD lines.
var reasons = [waitKinds]string{
	waitObject: "WAIT: (UserRequest) UserMode Non-Alertable\n", waitObjects: "WAIT: (UserRequest) UserMode Alertable\n",
	waitQueue: "WAIT: (WrQueue) UserMode Alertable\n", waitDelay: "WAIT: (DelayExecution) UserMode Non-Alertable\n",
	waitReply: "WAIT: (WrLpcReply) UserMode Non-Alertable\n", waitIO: "WAIT: (Executive) KernelMode Non-Alertable\n",
	waitWorker: "WAIT: (WrQueue) KernelMode Non-Alertable\n", waitDriver: "WAIT: (Executive) KernelMode Non-Alertable\n",
	waitShared: "WAIT: (WrResource) KernelMode Non-Alertable\n", waitExclusive: "WAIT: (WrResource) KernelMode Non-Alertable\n",
}

// state prints the end of the THREAD line and the wait objects.
func (g *generator) state() {
	o, t := &g.out, &g.t
	r := &t.r
	if t.does == running {
		o.s("RUNNING on processor ")
		o.hex(uint64(r.n(16)), 1)
		o.s("\n")
		return
	}
	o.s(reasons[t.does])
	object := func(addr uint64, kind string) {
		o.s(wideIndent)
		o.addr(addr)
		o.s(kind)
	}
	switch t.does {
	case waitObject:
		object(pool(r), [...]string{"  NotificationEvent\n", "  SynchronizationEvent\n", "  ProcessObject\n", "  Semaphore Limit 0x7fffffff\n"}[r.n(4)])
	case waitObjects:
		for range 2 + r.n(3) {
			object(pool(r), "  NotificationEvent\n")
		}
	case waitQueue, waitWorker:
		object(pool(r), "  QueueObject\n")
	case waitDelay:
		object(0xffffffffffffffff, "  NotificationEvent\n")
	case waitReply:
		object(threadAddr(t.index)+0x3d0, "  Semaphore Limit 0x1\n")
	case waitShared, waitExclusive:
		object(t.sp[3]+0x80, "  SynchronizationEvent\n")
	default:
		object(pool(r), "  NotificationEvent\n")
	}
}

func (g *generator) reply(p int) {
	o, r := &g.out, &g.t.r
	o.s(indent + "Waiting for reply to ALPC Message ")
	o.addr(pool(r))
	o.s(" : queued at port ")
	o.addr(pool(r))
	o.s(" : owned by process ")
	o.addr(processAddr(p / 2))
	o.s("\n")
}

// properties prints the named lines.
func (g *generator) properties(p int) {
	o, t := &g.out, &g.t
	r := &t.r
	o.s(indent + "Not impersonating\n" + indent + "DeviceMap                 ")
	o.addr(deviceMap(p))
	o.s("\n" + indent + "Owning Process            ")
	o.addr(processAddr(p))
	o.s("       Image:         ")
	o.s(image(p))
	o.s("\n" + indent + "Attached Process          N/A            Image:         N/A\n" + indent + "Wait Start TickCount      ")
	ticks := int64(r.n(256))
	if r.chance(40) {
		ticks = int64(r.n(4_000_000))
	}
	o.decPadded(27_606_952-ticks, 15)
	o.s("Ticks: ")
	o.dec(ticks, 1)
	if ticks > 0 {
		ms := ticks * 15_625 / 1000
		o.s(" (")
		o.dec(ms/86_400_000, 1)
		o.s(":")
		o.clock(ms % 86_400_000)
		o.s(")")
	}
	o.s("\n" + indent + "Context Switch Count      ")
	o.decPadded(int64(r.n(400_000)), 15)
	o.s("IdealProcessor: ")
	o.dec(int64(r.n(16)), 1)
	o.s("             \n" + indent + "UserTime                  ")
	o.clock(int64(r.n(60_000)))
	o.s("\n" + indent + "KernelTime                ")
	o.clock(int64(r.n(60_000)))
	o.s("\n" + indent + "Win32 Start Address ")
	if t.system {
		o.s("nt!ExpWorkerThread (0xfffff803000042f0)")
	} else {
		o.s("0x00007ffe")
		o.hex(uint64(0x10000000+t.index%977*0x930), 8)
	}
	o.s("\n" + indent + "Stack Init ")
	o.addr(t.init)
	o.s(" Current ")
	o.addr(t.current)
	o.s("\n" + indent + "Base ")
	o.addr(t.base)
	o.s(" Limit ")
	o.addr(t.limit)
	o.s(" Call 0000000000000000\n" + indent + "Priority ")
	o.dec(int64(8+r.n(8)), 1)
	o.s(" BasePriority 8 PriorityDecrement 0 IoPriority 2 PagePriority 5\n")
}

const (
	plainHead = indent + "Child-SP          RetAddr               Call Site\n"
	argsHead  = indent + "Child-SP          RetAddr               : Args to Child                                                           : Call Site\n"
)

// frames prints the stack.
func (g *generator) frames(p int) {
	o, t := &g.out, &g.t
	args := g.opt.Args == WithArgs || g.opt.Args == MixedArgs && p%2 == 1
	if args {
		o.s(argsHead)
	} else {
		o.s(plainHead)
	}
	b := o.b
	for i, id := range t.sites {
		b = append(b, indent...)
		b = appendTicked(b, t.sp[i])
		b = append(b, ' ')
		ret := uint64(0)
		if i+1 < len(t.sites) {
			ret = g.sites.all[t.sites[i+1]].addr
		}
		b = appendTicked(b, ret)
		b = append(b, "     "...)
		if args {
			b = append(b, ": "...)
			b = t.args(b, i)
			b = append(b, ": "...)
		}
		b = append(b, g.sites.all[id].text...)
		b = append(b, '\n')
	}
	o.b = b
}

// args appends what stands in the home space of a frame: pointers, small
// numbers and zeros, most of them stale.
func (t *thread) args(b []byte, i int) []byte {
	bits := t.r.next()
	for range 4 {
		v := uint64(0)
		switch bits & 7 {
		case 0, 1:
			v = 0xffffcba000000000 + bits>>20&0x3fffffff0
		case 2:
			v = t.sp[i] + bits>>8&0xff8
		case 3, 4:
			v = bits >> 40 & 0xfff
		}
		b = append(appendTicked(b, v), ' ')
		bits = bits>>9 | bits<<55
	}
	return b
}
