// Package dumptest writes synthetic x64 Windows kernel crash dumps for tests:
// real page tables, PE images with unwind information, processes, threads with
// byte-exact stacks, dispatcher objects, ERESOURCEs and their waiters, in the
// dump formats that Windows and its debuggers write. [Machine.Truth] says what
// a perfect reader must find in them.
//
// A [Machine] is made for a build ([Builds]), is filled, and is written in any
// [DumpType]. Everything is put into the machine's memory at once, so whatever
// was declared can be damaged afterwards with [Machine.Poke].
//
// A mistake in a declaration (an image with two functions of a name, more pages
// than the machine has) is remembered and returned by [Machine.Write] and
// [Machine.Err]; nothing panics.
//
// The package shares no code and no table with any reader of dumps: a wrong
// layout must not agree with itself. Its offsets are those of layouts.tsv, which
// was generated from the Volatility symbol tables that JPCERT/CC derived from
// Microsoft's PDBs (github.com/JPCERTCC/Windows-Symbol-Tables, BSD-3). The file
// formats are those of public headers and open readers (kdmp-parser-rs,
// volatility3); each is named where it is written.
package dumptest
