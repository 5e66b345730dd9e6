//go:build !engine

package page

import "io/fs"

// engine is nil in a program that was built without the tag engine.
var engine fs.FS
