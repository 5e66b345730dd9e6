package open

import (
	"bytes"

	"kdlocks/inspect"
	"kdlocks/transcript"
)

// pack is a way of packing.
type pack struct {
	name  string
	magic []string
	many  bool // holds members with names
	open  func(*opener, *archive) error
}

// packs is filled by init, for its functions come back to it.
var packs []pack

func init() {
	packs = []pack{
		{"gzip", []string{"\x1f\x8b\x08"}, false, (*opener).gzip},
		{"zstd", []string{"\x28\xb5\x2f\xfd"}, false, (*opener).zstd},
		{"zip", []string{"PK\x03\x04", "PK\x05\x06"}, true, (*opener).zip},
		{"7z", []string{"7z\xbc\xaf\x27\x1c"}, true, (*opener).sevenzip},
	}
}

// packing tells by its beginning how an input is packed; nil when it is not.
func packing(head []byte) *pack {
	for i := range packs {
		for _, m := range packs[i].magic {
			if bytes.HasPrefix(head, []byte(m)) {
				return &packs[i]
			}
		}
	}
	return nil
}

// Packing says how an input that begins so is packed: gzip, zstd, zip or 7z; "" if it is
// none that is unpacked.
func Packing(head []byte) string {
	if p := packing(head); p != nil {
		return p.name
	}
	return ""
}

// notText says what the beginning of an input is when it is no text, or "".
// Crash dumps are read, too.
func notText(head []byte) string {
	if inspect.IsDump(head) {
		return ""
	}
	return transcript.NotText(head)
}
