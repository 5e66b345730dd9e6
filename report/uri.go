package report

import (
	"net/url"
	"path"
	"path/filepath"
	"strings"
)

// fileURI returns the URI of a file by its name, percent-encoded: relative for
// a relative name, else of the scheme file. A member of an archive keeps the
// name that kdlocks gives it.
func fileURI(name string) string {
	u := url.URL{Path: name}
	switch drive := len(name) > 2 && name[1] == ':' && (name[2] == '\\' || name[2] == '/') && isLetter(name[0]); {
	case drive:
		u.Scheme, u.Path = "file", "/"+strings.ReplaceAll(name, `\`, "/")
	case strings.HasPrefix(name, `\\`):
		host, share, _ := strings.Cut(strings.ReplaceAll(name[2:], `\`, "/"), "/")
		u.Scheme, u.Host, u.Path = "file", host, "/"+share
	default:
		u.Path = filepath.ToSlash(name)
	}
	u.Path = path.Clean(u.Path)
	if u.Scheme == "" && path.IsAbs(u.Path) {
		u.Scheme = "file"
	}
	if u.Scheme == "file" && u.Host == "" {
		return "file://" + u.EscapedPath()
	}
	return u.String()
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
