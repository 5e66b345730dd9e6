// Package browser holds the tests of the page in a real Chromium; it has nothing else.
// They are skipped where no Chromium is found, unless KDLOCKS_BROWSER=required makes
// that a failure; KDLOCKS_BROWSER=off skips them anywhere. benchmarks measure what
// docs/performance.md states, and KDLOCKS_SHOTS=DIR makes a picture of every state of
// the page.
package browser
