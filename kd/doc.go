// Package kd holds the leaf words that every other package speaks in: kernel
// addresses, the place where a fact was read, lines and sections of a
// debugger transcript, notes on what was not understood and gaps in what is
// known. It imports nothing of kdlocks.
package kd
