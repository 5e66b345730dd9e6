//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// peakMemory returns the most resident memory that a process had, in bytes: the
// maximum resident set size of getrusage(2), in KiB everywhere but on Apple's
// systems. On Linux it is never below what the harness itself had when it
// started the process, about 20 MB.
func peakMemory(p *os.ProcessState) int64 {
	u, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) << 10
}
