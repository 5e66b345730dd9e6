package kd

import (
	"fmt"
	"runtime/debug"
)

// Panicked is a panic of one goroutine that is taken to the one that waits for it,
// where somebody may recover: a panic that nobody recovers ends the program.
type Panicked struct {
	Value any
	Stack []byte // of the goroutine that panicked
}

// Catch is deferred at the beginning of a goroutine: it hands a panic to told, which
// makes it known to the goroutine that waits.
func Catch(told func(*Panicked)) {
	if v := recover(); v != nil {
		told(&Panicked{v, debug.Stack()})
	}
}

// Error says what it was, and where.
func (p *Panicked) Error() string { return fmt.Sprintf("%v\n\n%s", p.Value, p.Stack) }

// Again panics in the goroutine that waited, if another one did.
func (p *Panicked) Again() {
	if p != nil {
		panic(p)
	}
}
