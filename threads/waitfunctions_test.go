package threads_test

import (
	"strings"
	"testing"

	"kdlocks/stacks"
	"kdlocks/threads"
)

func TestWaitFunctionOf(t *testing.T) {
	for function, want := range map[string]string{
		"ExfAcquirePushLockExclusiveEx":               "AcquirePushLock",
		"FltAcquirePushLockShared":                    "AcquirePushLockShared",
		"ExfTryAcquirePushLockShared":                 "",
		"ExTryToAcquireFastMutex":                     "",
		"KeTryToAcquireGuardedMutex":                  "",
		"RtlTryAcquireSRWLockExclusive":               "",
		"ExfReleasePushLockExclusive":                 "",
		"@ExAcquireFastMutex@4":                       "AcquireFastMutex",
		"KeRemoveQueueEx":                             "KeRemoveQueue",
		"KeRemoveQueueDpcEx":                          "",
		"KeRemoveQueueApc":                            "",
		"_RtlpWaitForCriticalSection":                 "RtlpWaitForCriticalSection",
		"NtAlpcSendWaitReceivePort":                   "",
		"ExWaitForRundownProtectionReleaseEx":         "WaitForRundownProtectionRelease",
		"ExWaitForRundownProtectionReleaseCacheAware": "WaitForRundownProtectionRelease",
		"": "",
	} {
		got := ""
		if f := threads.WaitFunctionOf(function); f != nil {
			got = f.Name
		}
		if got != want {
			t.Errorf("%q: %q, want %q", function, got, want)
		}
	}
}

func TestWaits(t *testing.T) {
	for _, c := range []struct {
		name   string
		frames []string // from the inside
		frame  int
		what   threads.WaitFor
		driver string
	}{
		{"a gate is asked for by the mutex around it", []string{"nt!KiSwapContext", "nt!KeWaitForGate", "nt!KeAcquireGuardedMutex"}, 2, threads.ForGuardedMutex, ""},
		{"a routine of many waits gives way", []string{"nt!KeWaitForSingleObject", "nt!ExBlockOnAddressPushLock", "nt!CmUnRegisterCallback", "drv!Unload"}, 2, threads.ForCallers, ""},
		{"and tells what it can", []string{"nt!KeWaitForSingleObject", "nt!ExBlockOnAddressPushLock", "drv!Unload"}, 1, threads.ForWake, ""},
		{"but only to the next frame", []string{"nt!ExBlockOnAddressPushLock", "nt!MiSomething", "nt!ExAcquireFastMutex"}, 0, threads.ForWake, ""},
		{"an IRP that the I/O manager waits for", []string{"nt!KeWaitForSingleObject", "nt!IopSynchronousServiceTail", "nt!NtReadFile"}, 1, threads.ForIO, ""},
		{"what a driver waits for below the I/O manager", []string{"nt!KeWaitForSingleObject", "drv!Read", "nt!IofCallDriver", "nt!IopSynchronousServiceTail"}, 1, threads.ForUnknown, "drv"},
		{"what Windows waits for below it", []string{"nt!KeWaitForSingleObject", "Ntfs!NtfsX", "nt!IofCallDriver", "nt!IopSynchronousServiceTail"}, -1, threads.ForUnknown, ""},
		{"a thread that ends", []string{"nt!KeTerminateThread", "nt!PspExitThread", "nt!KiSchedulerApcTerminate", "nt!KiDeliverApc"}, -1, threads.ForUnknown, ""},
		{"a program is no driver", []string{"nt!KeWaitForSingleObject", "nt!NtWaitForSingleObject", "nt!KiSystemServiceCopyEnd", "ntdll!NtWaitForSingleObject", "app!main"}, -1, threads.ForUnknown, ""},
		{"a name of the table in a driver", []string{"nt!KeWaitForSingleObject", "drv!AcquirePushLockShared"}, 1, threads.ForUnknown, "drv"},
	} {
		t.Run(c.name, func(t *testing.T) {
			th := &threads.Thread{}
			for _, f := range c.frames {
				module, function, _ := strings.Cut(f, "!")
				th.Stack.Frames = append(th.Stack.Frames, stacks.Frame{Module: module, Function: function})
			}
			if w := th.Waits(); w.Frame != c.frame || w.For != c.what || w.Driver != c.driver {
				t.Errorf("frame %d, %s, driver %q; want %d, %s, %q", w.Frame, w.For, w.Driver, c.frame, c.what, c.driver)
			}
		})
	}
}
