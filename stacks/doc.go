// Package stacks is the model of kernel call stacks as the k commands print
// them, the reader of those lines, and the arithmetic that finds the stack
// segment and the frame that an address lies in.
package stacks
