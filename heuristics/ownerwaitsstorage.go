package heuristics

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/threads"
)

var rootStorage = rootSort{
	may: func(b *threads.Brief) bool {
		return b.State == threads.Waiting && !b.Has(threads.UserWait|threads.NoStack)
	},
	why: storageWait,
	check: &Check{
		ID:       "owner-waits-storage",
		Title:    "Owner of a lock with waiters waits inside the storage stack",
		Severity: High,
		Means: `The thread at the end of the wait chain waits in a driver of the storage stack (volsnap, partmgr, classpnp, disk, storport and their kin), for a request that the stack below does not complete. The locks are victims; when more threads wait there, too, the disk, its path or its host does not answer.
Seen must be: a driver of the storage stack on the stack, directly behind the kernel's wait routines, and behind it who sent the request. A wait of less than a second is not counted.`,
		WhenWrong:  `A single read of a slow disk is normal. A driver of the storage stack can wait for its own lock or thread. If the thread that must complete the request waits for one of these locks, it is a deadlock after all.`,
		Disproof:   "!irp shows the request completed, or a second capture shows other requests.",
		Remedy:     "See what the class and port drivers have outstanding, and since when; look for events of the disk and the port driver (129, 153, 11, 15), at the path and, in a virtual machine, at the host.",
		Next:       "!storagekd.storclass",
		References: []string{"Microsoft Learn: !storagekd.storclass", "Microsoft Learn: !irp"},
	},
}

// storageModules are drivers of the storage stack, from the volume down.
var storageModules = map[string]bool{
	"volsnap": true, "volmgr": true, "volmgrx": true, "volume": true, "partmgr": true, "mountmgr": true, "fvevol": true,
	"rdyboost": true, "iorate": true, "spaceport": true, "mpio": true, "msdsm": true, "disk": true, "cdrom": true, "classpnp": true,
	"ehstorclass": true, "storport": true, "storahci": true, "stornvme": true, "storvsc": true, "storufs": true, "vhdmp": true,
	"ataport": true, "atapi": true, "scsiport": true, "usbstor": true, "uaspstor": true, "msiscsi": true, "sbp2port": true,
	"vmbus": true, "vmstorfl": true,
}

// storageFrame returns the frame of a driver of the storage stack that asked the
// kernel for a wait, -1 if something else did.
func storageFrame(t *threads.Thread) int {
	for i := range t.Stack.Frames {
		m := strings.ToLower(t.Stack.Frames[i].Module)
		switch {
		case storageModules[m]:
			return i
		case m == "" || slices.Contains(kernelModules, m):
			// A lock of the kernel's, or another known wait, is none of storage.
			if w := threads.WaitFunctionOf(t.Stack.Frames[i].Function); w != nil && w.For != threads.ForIO {
				return -1
			}
		default:
			return -1
		}
	}
	return -1
}

// wasAsked reports whether somebody sent a request into the storage stack behind
// frame i. A thread of a driver's own that waits for work was not.
func wasAsked(t *threads.Thread, i int) bool {
	for _, f := range t.Stack.Frames[i:] {
		m := strings.ToLower(f.Module)
		switch {
		case f.Function == "" || storageModules[m]:
		case !slices.Contains(kernelModules, m), strings.Contains(f.Function, "CallDriver"), strings.HasPrefix(f.Function, "Io"), strings.HasPrefix(f.Function, "Nt"):
			return true
		}
	}
	return false
}

// storageWait reports a wait that the storage stack asked for. One of less than
// a second is a single read or write.
func storageWait(t *threads.Thread) (string, int) {
	if !couldWait(t) || t.WaitMode == "UserMode" || t.WaitMS >= 0 && t.WaitMS < youngMS {
		return "", -1
	}
	i := storageFrame(t)
	if i < 1 || !wasAsked(t, i) {
		return "", -1
	}
	return "it waits inside the storage stack for a request to complete (" + t.Stack.Frames[i].Name() + ")", i
}

// tellStorage counts the threads that wait in the storage stack likewise.
func (d *diagnosis) tellStorage(f *Finding, t *threads.Thread) {
	const most = 4
	others := 0
	for _, o := range d.inStorage() {
		if o.Addr == t.Addr {
			continue
		}
		if others++; others <= most {
			d.seenFrame(f, o, storageFrame(o), "another thread waits in the storage stack")
		}
	}
	switch {
	case others == 0 && t.WaitMS < 0:
		f.Confidence = Possible
		f.Explanation += " For how long is not in the input: a short wait is normal."
		f.Next = append(f.Next, d.lookAgain(f)...)
	case others > 0:
		f.Summary = strings.TrimSuffix(f.Summary, ".") + fmt.Sprintf("; so %s.", doLikewise(others))
		f.Explanation += fmt.Sprintf(" %s likewise: the stack below does not complete requests.", capital(waits(others, "more thread")))
	}
	f.Next = append(f.Next, "!storagekd.storclass")
}

// inStorage returns the threads that wait in the storage stack; of those that
// were skimmed no more than a few dozen are read for that.
func (d *diagnosis) inStorage() []*threads.Thread {
	mostRead := d.most(64)
	if d.storage != nil {
		return d.storage
	}
	d.storage = []*threads.Thread{}
	see := func(t *threads.Thread) {
		if _, i := storageWait(t); i >= 0 && (len(t.IRPs) > 0 || t.FindFrame(threads.IOWaits...) >= 0) {
			d.storage = append(d.storage, t)
		}
	}
	for _, t := range d.snap.Threads {
		see(t)
	}
	rest := d.snap.Skimmed()
	read := 0
	for i := range rest {
		if b := &rest[i]; read < mostRead && b.State == threads.Waiting && b.Has(threads.HasIRP|threads.IOWait) {
			read++
			if t := d.snap.Thread(b.Addr); t != nil {
				see(t)
			}
		}
	}
	return d.storage
}

func doLikewise(n int) string {
	if n == 1 {
		return "does 1 more thread"
	}
	return "do " + kd.Plural(n, "more thread")
}
