// Package objects is the model of single kernel objects that close wait chains
// and that the debugger prints one by one: IRPs, ALPC and LPC messages and
// ports, the work queues of the executive, critical sections, and what dt shows
// of fast and guarded mutexes and of ERESOURCEs; and the reader of that output. What was not printed stays unknown: a zero address
// that was printed is told from one that was not.
package objects
