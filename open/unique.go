package open

import "fmt"

// tellApart gives things of one name names of their own, for they are told by name:
// the first keeps it, the others become NAME (2), NAME (3) and so on, but for names
// that another one has.
func tellApart[T any](list []T, name func(*T) *string) {
	last := make(map[string]int, len(list)) // the number that was given last to a name
	for i := range list {
		last[*name(&list[i])] = 0
	}
	for i := range list {
		own := name(&list[i])
		base := *own
		for last[base]++; last[base] > 1; last[base]++ {
			*own = fmt.Sprintf("%s (%d)", base, last[base])
			if _, taken := last[*own]; !taken {
				last[*own] = 1
				break
			}
		}
	}
}
