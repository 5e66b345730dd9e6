// Package locks is the model of the kernel's executive resources (ERESOURCE)
// as the debugger's !locks extension prints them, and the reader of that
// output. What was printed and what was listed are kept apart: counts and
// lists can disagree, and that is evidence.
package locks
