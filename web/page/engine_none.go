//go:build !engine

package page

import "io/fs"

// packed has no engine in a program that was built without the tag engine.
var packed fs.FS
