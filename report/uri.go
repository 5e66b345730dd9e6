package report

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// fileURI returns the URI of a file by its name, percent-encoded: relative for
// a relative name, else of the scheme file. A member of an archive keeps the
// name that kdlocks gives it.
func fileURI(name string) string {
	switch drive := len(name) > 2 && name[1] == ':' && (name[2] == '\\' || name[2] == '/') && isLetter(name[0]); {
	case drive:
		return "file://" + percentEncoded(path.Clean("/"+strings.ReplaceAll(name, `\`, "/")))
	case strings.HasPrefix(name, `\\`):
		host, share, _ := strings.Cut(strings.ReplaceAll(name[2:], `\`, "/"), "/")
		return "file://" + percentEncoded(host) + percentEncoded(path.Clean("/"+share))
	}
	name = path.Clean(filepath.ToSlash(name))
	if path.IsAbs(name) {
		return "file://" + percentEncoded(name)
	}
	if first, _, _ := strings.Cut(name, "/"); strings.Contains(first, ":") {
		name = "./" + name // what stands before the colon would be a scheme
	}
	return percentEncoded(name)
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// percentEncoded writes what a path of a URI cannot hold as it is (RFC 3986, section 3.3).
// Package net/url would do, but with what it imports it is 5 kB more for a page to load.
func percentEncoded(name string) string {
	var b strings.Builder
	for i := range len(name) {
		if c := name[i]; isLetter(c) || '0' <= c && c <= '9' || strings.IndexByte("-_.~$&+,/:;=@", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
