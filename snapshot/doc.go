// Package snapshot is the one model that text and dump readers fill: the
// resources, threads and processes of one session of one machine, what was
// not understood, and what is missing. It merges facts that were printed more
// than once, checks them against each other, and resolves every owner entry
// to a thread, a stack segment and a frame.
package snapshot
