package heuristics

import "testing"

func TestRoleOfSymbol(t *testing.T) {
	for symbol, want := range map[string]string{
		"nt!PiEngineLock":          "the engine lock of the Plug and Play manager",
		"nt!CmpRegistryLock":       "the registry lock",
		"ntkrnlpa!CmpRegistryLock": "the registry lock",
		"win32k!gpresUser":         "the win32k user lock",
		"nt!IopDatabaseResource":   "the I/O manager's lock of file systems and their volumes",
		"evilav!PiEngineLock":      "", // another driver's lock of that name
		"nt!PiEngineLockList":      "",
		"PiEngineLock":             "",
		"":                         "",
	} {
		got := ""
		if r := roleOfSymbol(symbol); r != nil {
			got = r.name
		}
		if got != want {
			t.Errorf("%q: %q, want %q", symbol, got, want)
		}
	}
}

// TestRoleOfStack: the routine that asks for a lock tells what it is, and only
// there.
func TestRoleOfStack(t *testing.T) {
	const x, s = "nt!ExAcquireResourceExclusiveLite", "nt!ExAcquireResourceSharedLite"
	for _, tc := range []struct {
		name  string
		sites []string
		want  string
	}{
		{"win32k", []string{x, "nt!ExEnterCriticalRegionAndAcquireResourceExclusive", "win32kbase!PrivateAPI::`anonymous namespace'::EnterCritInternal", "win32kbase!EnterCrit"}, "the win32k user lock"},
		{"a driver below win32k", []string{x, "mydrv!Lock", "nt!IofCallDriver", "nt!IopXxxControlFile", "nt!NtDeviceIoControlFile", "win32kbase!EnterCrit"}, ""},
		{"EnterCrit of a driver", []string{x, "mydrv!EnterCrit"}, ""},
		{"graphics", []string{s, "dxgkrnl!DXGADAPTER::AcquireCoreResourceShared"}, "a lock of the graphics kernel"},
		{"a driver called by graphics", []string{x, "vendor!Lock", "dxgkrnl!DxgkPresent"}, ""},
		{"registry", []string{s, "nt!CmpLockRegistry", "nt!NtQueryValueKey"}, "the registry lock"},
		{"device tree", []string{x, "nt!PpDevNodeLockTree", "nt!PipProcessDevNodeTree"}, "the device tree lock of the Plug and Play manager"},
		{"volume", []string{x, "Ntfs!NtfsAcquireExclusiveVcb", "Ntfs!NtfsMountVolume"}, "a file system's lock of a volume (its VCB)"},
		{"file", []string{x, "fastfat!FatAcquireExclusiveFcb", "fastfat!FatCommonWrite"}, "a file's main lock"},
		{"paging", []string{x, "Ntfs!NtfsAcquirePagingResourceExclusive", "Ntfs!NtfsCommonWrite"}, "a file's paging I/O lock"},
		{"both of a file", []string{x, "Ntfs!NtfsAcquireFcbWithPaging", "Ntfs!NtfsCommonCreate"}, "a lock of a file"},
		{"flush", []string{s, "nt!FsRtlAcquireFileForCcFlushEx", "nt!MmFlushSection"}, "a lock of a file"},
		{"section", []string{x, "ZFSin!ZFSCallbackAcquireForCreateSection", "nt!FsFilterPerformCallbacks", "nt!FsRtlAcquireFileExclusiveCommon"}, "a lock of a file"},
		{"lazy writer", []string{x, "OpenZFS!zfs_AcquireForLazyWrite", "nt!CcWriteBehindInternal"}, "a lock of a file"},
		{"a driver's own", []string{x, "mydrv!Main", "nt!IofCallDriver"}, ""},
		{"no request", []string{"nt!KeWaitForSingleObject", "Ntfs!NtfsAcquireExclusiveVcb"}, ""},
	} {
		sites := tc.sites
		if sites[0] == x || sites[0] == s {
			sites = append([]string{"nt!KiSwapContext", "nt!ExpWaitForResource"}, sites...)
		}
		got := ""
		if r, i := roleOfStack(withStack(sites...)); r != nil {
			if got = r.name; i < 3 {
				t.Errorf("%s: told by frame %d", tc.name, i)
			}
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// TestRolesSayWhence: every role is known by something, and says where that was
// seen.
func TestRolesSayWhence(t *testing.T) {
	for _, r := range lockRoles {
		if r.name == "" || r.usual == "" || r.source == "" || len(r.symbols)+len(r.callers) == 0 {
			t.Errorf("%+v", r)
		}
		for _, c := range r.callers {
			if c == "" && len(r.modules) == 0 {
				t.Errorf("%s: any function of any module", r.name)
			}
		}
	}
}

func TestStorageFrame(t *testing.T) {
	for _, tc := range []struct {
		name  string
		sites []string
		want  bool
	}{
		{"class driver", []string{"nt!KiSwapContext", "nt!KeWaitForSingleObject", "CLASSPNP!ClassSendSrbSynchronous", "disk!DiskIoctl", "nt!IofCallDriver"}, true},
		{"called by a file system", []string{"nt!KeWaitForSingleObject", "volsnap!VspWrite", "Ntfs!NtfsCommonWrite"}, true},
		{"a worker", []string{"nt!KeWaitForSingleObject", "volsnap!VspWorkerThread", "nt!PspSystemThreadStartup"}, false},
		{"the file system waits", []string{"nt!KeWaitForSingleObject", "Ntfs!NtfsNonCachedIo", "volsnap!X", "nt!IofCallDriver"}, false},
		{"a filter waits", []string{"nt!KeWaitForSingleObject", "diskcrypt!Wait", "volsnap!X", "nt!IofCallDriver"}, false},
		{"a lock of storage", []string{"nt!KeWaitForSingleObject", "nt!ExpWaitForResource", "nt!ExAcquireResourceExclusiveLite", "volsnap!X", "nt!IofCallDriver"}, false},
		{"runs", []string{"storport!RaidStartIo", "nt!IofCallDriver"}, false},
	} {
		if _, i := storageWait(withStack(tc.sites...)); (i >= 0) != tc.want {
			t.Errorf("%s: frame %d", tc.name, i)
		}
	}
}
