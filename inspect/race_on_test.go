//go:build race

package inspect_test

// underRace is set under the race detector, where all takes some eight times as
// long.
const underRace = true
