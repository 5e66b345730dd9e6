package stacks

import "strings"

// windowsModules are parts of Windows that hold and wait for locks on behalf of
// others: they are no suspects by standing on a stack.
var windowsModules = wordSet(`nt ntoskrnl ntkrnlmp ntkrnlpa ntkrpamp hal fltmgr ntfs fastfat exfat refs cdfs udfs
	rdbss mup npfs msfs ksecdd win32k win32kbase win32kfull dxgkrnl dxgmms1 dxgmms2 watchdog tcpip ndis afd http srv srv2 srvnet
	mrxsmb mrxsmb10 mrxsmb20 volsnap volmgr volmgrx partmgr mountmgr disk classpnp storport storahci stornvme ataport scsiport
	pci acpi pshed kdcom bootvid wof fileinfo netio tdx cng ci clfs tm vmbus vdrvroot ntdll kernel32 kernelbase wow64 wow64cpu user32 verifier
	luafv rdyboost fvevol cdd fwpkclnt tunnel dfsc mrxdav nfsrdr wdf01000 wcifs cldflt bindflt msrpc
	csc csvfs csvflt csvnsflt storvsc mpio msdsm usbhub usbhub3 usbport usbxhci dedup clusdisk netft refsv1 nsiproxy vhdmp vmswitch storqosflt`)

// onBehalf are those whose routines other drivers call to wait.
var onBehalf = wordSet(`nt ntoskrnl ntkrnlmp ntkrnlpa ntkrpamp hal fltmgr wdf01000`)

func wordSet(words string) map[string]bool {
	set := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// OfWindows reports whether a module is a part of Windows; "" counts as one.
// Some tools print the name of the file, as in ntkrnlpa.exe.
func OfWindows(module string) bool {
	name := strings.ToLower(module)
	return name == "" || windowsModules[name] || windowsModules[imageName(name)]
}

// OnBehalf reports whether a module waits where other drivers ask it to: the kernel
// and its frameworks. "" counts as one.
func OnBehalf(module string) bool {
	name := strings.ToLower(module)
	return name == "" || onBehalf[name] || onBehalf[imageName(name)]
}

// imageName takes the ending off the name of a module's file.
func imageName(file string) string {
	for _, end := range [...]string{".sys", ".exe", ".dll"} {
		if name, ok := strings.CutSuffix(file, end); ok {
			return name
		}
	}
	return file
}
