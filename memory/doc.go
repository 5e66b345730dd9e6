// Package memory holds what !vm says of virtual memory, what !poolused and poolmon
// say of pool, and what dh, umdh and dhcmp say of the heaps of a process, and reads
// their output. It knows nothing of locks.
//
// What was not printed, or cannot be read, is unknown and never zero. Nothing is
// judged but whether a number can be believed.
package memory
