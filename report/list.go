package report

import (
	"encoding/json"
	"iter"
)

// List is items that are made when they are asked for: a report can be on more
// threads than fit into memory.
type List[T any] struct{ items iter.Seq[T] }

// ListOf returns the List of some items.
func ListOf[T any](items ...T) List[T] {
	return List[T]{func(yield func(T) bool) {
		for _, it := range items {
			if !yield(it) {
				return
			}
		}
	}}
}

// All walks the items.
func (l List[T]) All() iter.Seq[T] {
	if l.items == nil {
		return func(func(T) bool) {}
	}
	return l.items
}

// Slice returns all items.
func (l List[T]) Slice() []T {
	out := []T{}
	for it := range l.All() {
		out = append(out, it)
	}
	return out
}

// IsZero reports whether there are no items.
func (l List[T]) IsZero() bool {
	for range l.All() {
		return false
	}
	return true
}

// MarshalJSON writes the items as an array.
func (l List[T]) MarshalJSON() ([]byte, error) { return json.Marshal(l.Slice()) }

// each lets a writer take the items one by one.
func (l List[T]) each(yield func(any) bool) {
	for it := range l.All() {
		if !yield(it) {
			return
		}
	}
}

// Lines returns the List of some lines of an input, by their numbers.
func Lines(line func(int32) string, numbers iter.Seq[int32]) List[Line] {
	return List[Line]{func(yield func(Line) bool) {
		for n := range numbers {
			if !yield(Line{Line: int(n), Text: line(n)}) {
				return
			}
		}
	}}
}
