package stacks

import "strings"

// threadStarts are the routines in which threads begin: nothing of a stack comes
// behind them (public symbols of ntoskrnl, ntdll and kernel32; most stand on stacks in
// testdata).
var threadStarts = wordSet(`
	KiStartSystemThread KxStartSystemThread PspSystemThreadStartup KiThreadStartup KiIdleLoop
	RtlUserThreadStart BaseThreadStart BaseThreadStartThunk BaseThreadInitThunk BaseProcessStart BaseProcessStartThunk`)

// kernelEntries are those by which threads of user mode come into the kernel: nothing
// of a stack in the kernel comes behind them (public symbols of ntoskrnl).
var kernelEntries = wordSet(`
	KiStartUserThread KxStartUserThread KiStartUserThreadReturn PspUserThreadStartup
	KiSystemServiceCopyEnd KiSystemServiceExit KiSystemServiceExitPico KiSystemServicePostCall KiSystemServiceGdiTebAccess
	KiSystemService KiFastCallEntry KiFastCallEntry2 KiFastSystemCallRet KiServiceExit KiSystemCall64
	KiInitiateUserApc KiUserCallbackDispatcherContinue`)

// IsThreadStart reports whether a function, without its module, is one in which threads
// begin.
func IsThreadStart(function string) bool { return threadStarts[plainName(function)] }

// IsOutermost reports whether nothing comes behind a function on a stack, or on the
// part of it in the kernel.
func IsOutermost(function string) bool {
	return IsThreadStart(function) || kernelEntries[plainName(function)]
}

// plainName takes off what the x86 compiler puts in front of a name.
func plainName(function string) string { return strings.TrimLeft(function, "_@") }
