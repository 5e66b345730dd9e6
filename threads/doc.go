// Package threads is the model of kernel threads (ETHREAD) and processes as
// !thread, !process and !locks -v print them, and the reader of those blocks
// with the stacks that belong to them.
package threads
