package kd

import "sort"

// SortStable sorts as slices.SortStableFunc does, with one body of code for lists of all
// types: of that, each type has some nine kilobytes of its own in the browser's engine.
func SortStable[T any](list []T, compare func(a, b T) int) {
	sort.SliceStable(list, func(i, j int) bool { return compare(list[i], list[j]) < 0 })
}
