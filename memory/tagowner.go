package memory

import (
	_ "embed"
	"strings"
)

// TagOwner is what is known of who allocates under a tag.
type TagOwner struct {
	Tag    string // four characters
	Driver string // the file, "nt" for the kernel, "" where several drivers use it
	What   string // what it is for
	Source string // where that is said in public
}

//go:embed tagowners.tsv
var tagOwners string

// OwnerOfTag returns who allocates under a tag, as far as it is known without a
// pooltag.txt. Case counts.
func OwnerOfTag(tag string) (TagOwner, bool) {
	tag = Tag(tag)
	for line := range strings.Lines(tagOwners) {
		if !strings.HasPrefix(line, tag) || line[0] == '#' {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) == 4 && f[0] == tag {
			return TagOwner{f[0], f[1], f[2], f[3]}, true
		}
	}
	return TagOwner{}, false
}
