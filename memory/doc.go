// Package memory holds what !vm and its kin say of virtual memory, what !poolused,
// poolmon, !pool and !poolfind say of pool, what x, searches and dps show of the target's
// memory, what dh, umdh and dhcmp say of the heaps of a process, and logs of performance
// counters, and reads them. It knows nothing of locks.
//
// What was not printed, or cannot be read, is unknown and never zero. Nothing is
// judged but whether a number can be believed.
package memory
