//go:build race

package pack

// underRace is set under the race detector.
const underRace = true
