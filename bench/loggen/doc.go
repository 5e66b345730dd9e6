// Package loggen writes what the kernel debugger prints on Windows 10 and 11
// x64 for !locks and !process 0 7, as large as wanted and with one planted
// deadlock, so that a benchmark knows the verdict that must come out. It
// shares no layout with the readers.
package loggen
