// Package dump reads Windows kernel crash dumps without a debugger: it finds pages,
// walks the lists of the kernel, unwinds the stacks of threads, and writes what it found as
// a kernel debugger prints it, for package transcript to read.
//
// Facts about Windows come from Microsoft's public symbols (layouts.tsv) and from open
// readers of dumps, which docs/dumps.md names.
package dump
