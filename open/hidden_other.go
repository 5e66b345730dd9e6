//go:build !windows

package open

import (
	"io/fs"
	"strings"
)

func hidden(d fs.DirEntry) bool { return strings.HasPrefix(d.Name(), ".") }
