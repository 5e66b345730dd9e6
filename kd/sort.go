package kd

import "sort"

// SortStable sorts as slices.SortStableFunc does, with one body of code for lists of all
// types: of that, each type has some nine kilobytes of its own in the browser's engine.
func SortStable[T any](list []T, compare func(a, b T) int) {
	sort.Stable(&sorter[T]{list, compare})
}

type sorter[T any] struct {
	list    []T
	compare func(a, b T) int
}

func (s *sorter[T]) Len() int           { return len(s.list) }
func (s *sorter[T]) Less(i, j int) bool { return s.compare(s.list[i], s.list[j]) < 0 }
func (s *sorter[T]) Swap(i, j int)      { s.list[i], s.list[j] = s.list[j], s.list[i] }
