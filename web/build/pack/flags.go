package pack

import "strings"

// inlined are the packages in which functions are inlined: where most of the time of
// an analysis is spent. Elsewhere it would cost
// 100 kB to load.
const inlined = `kdlocks/kd kdlocks/transcript kdlocks/threads kdlocks/stacks
	bytes strings unicode/utf8 internal/bytealg runtime internal/runtime/... math/bits`

// Flags are those of "go build" for an engine that is small.
func Flags() []string {
	flags := []string{"-trimpath", "-ldflags=-s -w", "-gcflags=all=-l"}
	for _, p := range strings.Fields(inlined) {
		flags = append(flags, "-gcflags="+p+"=")
	}
	return flags
}
