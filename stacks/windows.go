package stacks

import "strings"

// windowsModules are parts of Windows that hold and wait for locks on behalf of
// others: they are no suspects by standing on a stack.
var windowsModules = wordSet(`nt ntoskrnl ntkrnlmp ntkrnlpa ntkrpamp hal fltmgr ntfs fastfat exfat refs cdfs udfs
	rdbss mup npfs msfs ksecdd win32k win32kbase win32kfull dxgkrnl dxgmms1 dxgmms2 watchdog tcpip ndis afd http srv srv2 srvnet
	mrxsmb mrxsmb10 mrxsmb20 volsnap volmgr volmgrx partmgr mountmgr disk classpnp storport storahci stornvme ataport scsiport
	pci acpi wof fileinfo netio tdx cng ci clfs tm vmbus vdrvroot ntdll kernel32 kernelbase wow64 wow64cpu user32 verifier
	luafv rdyboost fvevol`)

func wordSet(words string) map[string]bool {
	set := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// OfWindows reports whether a module is a part of Windows; "" counts as one.
func OfWindows(module string) bool { return module == "" || windowsModules[strings.ToLower(module)] }
