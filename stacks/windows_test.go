package stacks

import (
	"slices"
	"strings"
	"testing"
)

func TestOfWindows(t *testing.T) {
	for _, name := range strings.Fields(`nt NTFS Ntfs.sys ntkrnlpa.exe WdFilter WdNisDrv WdBoot MpKslDrv MpKsl5f0c1d3a mssecflt MsSecCore ksecpkg
		cimfs applockerfltr bfs UnionFS iorate ahcache condrv WUDFRd WUDFPf Ndu netbt wfplwfs pacer vwififlt mslldp rspndr cdrom EhStorClass
		bam PEAUTH mmcss crashdmp dump_stornvme dump_storport dump_dumpfve dump_diskdump hiber_storahci clipsp intelppm amdppm processr SgrmAgent tdx
		basicrender basicdisplay monitor HTTP mcupdate_GenuineIntel
		rpcrt4 sechost ucrtbase ole32 lsasrv samsrv kerberos msv1_0 spoolsv localspl spoolss win32spl services svchost lsass csrss csrsrv winsrv winlogon
		smss wininit explorer shell32 windows_storage gdi32full WINSPOOL WINSPOOL.DRV ws2_32 mswsock wevtsvc wmiprvsd dnsapi bcrypt
		ntdll_77c80000 ntdll_7ffb1c2d0000`) {
		if !OfWindows(name) {
			t.Errorf("%s is no part of Windows", name)
		}
	}
	for _, name := range strings.Fields(`SysmonDrv PROCMON24 myfault dbgv sis nwrdr mfehidk mfencbdc SYMEFASI64 srtsp64 klif klflt csagent cmdguard aswSP aswMonFlt
		eamonm ehdrv bddci trufos tmcomm tmxpflt SophosED SentinelMonitor CyOptics cbk7 nvlddmkm amdkmdag atikmdag igdkmd64 rt640x64 e1d65x64 vmci vsock
		vmmemctl vmhgfs VBoxGuest pvscsi vmxnet3 xenbus viostor netkvm iaStorAC iaStorV dump_iaStorAC hiber_iaStorAC megasas lsi_sas percsas3i ql2300
		elxfc emcpbase vxio snapman fltsrv VeeamFCT winfsp_x64 dokan1 dokan2 ZFSin OpenZFS btrfs SbieDrv npcap npf SystemInformer googledrivefs
		filterdrv ntfsx dump_ mpkslxyz mpksl contoso_77c80000 ntdll_extra chrome sqlservr w3svcx`) {
		if OfWindows(name) {
			t.Errorf("%s is a part of Windows", name)
		}
	}
}

// TestWindowsTextIsInOrder keeps the list readable: each group sorted, no name twice,
// and none that OfWindows could never compare equal.
func TestWindowsTextIsInOrder(t *testing.T) {
	seen := make(map[string]bool)
	for _, group := range strings.Split(windowsText, "\n\n") {
		_, words, _ := strings.Cut(strings.TrimSpace(group), "\n")
		names := strings.Fields(words)
		if strings.Contains(words, "#") {
			continue // what the list is
		}
		if !slices.IsSorted(names) {
			t.Errorf("not sorted: %s", group)
		}
		for _, n := range names {
			if seen[n] {
				t.Errorf("%s stands twice", n)
			}
			seen[n] = true
			if n != imageName(strings.ToLower(n)) || strings.ContainsAny(n, "-!") {
				t.Errorf("%s is not the name that is compared", n)
			}
		}
	}
	if len(seen) < 900 {
		t.Errorf("only %d names are read", len(seen))
	}
}
