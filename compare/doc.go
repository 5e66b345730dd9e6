// Package compare holds captures of one machine, minutes apart, against each
// other: which locks and waits are frozen, which move, what was freed. Objects
// are matched by address, and only between captures of one boot.
package compare
