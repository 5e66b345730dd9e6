package modules

import (
	"strings"

	"kdlocks/kd"
)

// detailKind is what a line of details tells.
type detailKind uint8

const (
	passed detailKind = iota + 1 // known, and not kept
	symbolImage
	mappedFile
	imagePath
	imageName
	timestamp
	reproFlag
	checkSum
	imageSize
	fixedFileVersion
	fixedProductVersion
	fileVersionText
	productVersionText
	companyName
	productName
	fileDescription
	internalName
	originalFilename
	links // of DML
)

type detailWord struct {
	word string
	kind detailKind
}

// detailWords are the words in front of details by their first byte, in lower
// case. Words that begin another stand behind it.
var detailWords = func() (t [256][]detailWord) {
	for _, d := range []detailWord{
		{"Loaded symbol image file:", symbolImage},
		{"Mapped memory image file:", mappedFile},
		{"Image path:", imagePath},
		{"Image name:", imageName},
		{"Image was built with /Brepro flag", reproFlag},
		{"Timestamp:", timestamp},
		{"CheckSum:", checkSum},
		{"ImageSize:", imageSize},
		{"File version:", fixedFileVersion},
		{"Product version:", fixedProductVersion},
		{"FileVersion:", fileVersionText},
		{"ProductVersion:", productVersionText},
		{"CompanyName:", companyName},
		{"ProductName:", productName},
		{"FileDescription:", fileDescription},
		{"InternalName:", internalName},
		{"OriginalFilename:", originalFilename},
		{"Browse all global symbols", links},
		{"File flags:", passed}, {"File OS:", passed}, {"File type:", passed}, {"File date:", passed},
		{"Translations:", passed}, {"Information from resource tables:", passed}, {"LegalCopyright:", passed},
		{"LegalTrademarks:", passed}, {"PrivateBuild:", passed}, {"SpecialBuild:", passed}, {"Comments:", passed},
		{"Has CLR image header", passed}, {"Has image header", passed}, {"CLR ", passed}, {"Using CLR debugging support", passed},
		{"Mapping Form:", passed}, {"Symbol Reload", passed}, {"ModLoad:", passed}, {"Managed code", passed},
	} {
		c := d.word[0] | 0x20
		t[c] = append(t[c], d)
	}
	return t
}()

// detailOf returns what a line of details tells, 0 if it is none, and the byte
// where its value begins.
func detailOf(text string) (kind detailKind, value int) {
	for _, d := range detailWords[text[0]|0x20] {
		if kd.HasPrefixFold(text, d.word) && (d.kind != fileVersionText && d.kind != productVersionText || text[:len(d.word)] == d.word) {
			_, blanks := kd.TrimBlanks(text[len(d.word):])
			return d.kind, len(d.word) + blanks
		}
	}
	return 0, 0
}

// detail reads a line below that of a module. Of several that were run together the first is
// read.
func (r *Reader) detail(l kd.Line) bool {
	kind, at := detailOf(l.Text)
	if kind == 0 {
		return false
	}
	for i := at + 1; i < len(l.Text) && kind != checkSum; i++ { // which may have the time behind it
		if next, _ := detailOf(l.Text[i:]); next > passed && l.Text[i-1] == ' ' {
			l.Text, l.Cut = l.Text[:i-1], false
		}
	}
	r.command = "lm"
	r.module.Detailed = true
	r.version = versionLine{kind, l.Text[at:], l.All()}
	if l.Cut && kind != timestamp && kind != reproFlag {
		return true // the value may be cut, too
	}
	r.module.set(kind, l, at)
	return true
}

// versionLine is the line of details that was read last.
type versionLine struct {
	kind  detailKind
	value string
	at    kd.Ref
}

// versionGoesOn takes what a narrow window broke off a version on the line before:
//
//	File version:     10.0.14
//	393.0
func (r *Reader) versionGoesOn(l kd.Line) bool {
	v := r.version
	if !v.kind.isVersion() || l.Input != v.at.Input || l.Num != v.at.EndLine()+1 || !isVersionByte(l.Text[0]) {
		return false
	}
	numbers, text, _ := strings.Cut(l.Text, " ")
	switch {
	case strings.TrimFunc(numbers, func(c rune) bool { return c == '.' || '0' <= c && c <= '9' }) != "":
		return false
	case v.value == "" || !isVersionByte(v.value[len(v.value)-1]):
		return false
	case text != "" && (v.kind == fixedFileVersion || v.kind == fixedProductVersion || text[0] != '('):
		return false
	}
	r.version = versionLine{v.kind, v.value + l.Text, l.All()}
	whole := v.value + l.Text
	if l.Cut && text == "" {
		whole = "" // more of it may be missing
	}
	r.module.setVersion(v.kind, whole, v.at)
	return true
}

func isVersionByte(c byte) bool { return c == '.' || '0' <= c && c <= '9' }

func (k detailKind) isVersion() bool {
	return k == fixedFileVersion || k == fixedProductVersion || k == fileVersionText || k == productVersionText
}

// lone reads the details of a module whose own line is missing.
func (r *Reader) lone(l kd.Line) bool {
	switch l.Text[0] | 0x20 {
	case 'l', 'i', 'm':
	default:
		return false
	}
	kind, at := detailOf(l.Text)
	switch kind {
	case symbolImage, mappedFile, imagePath, imageName:
	default:
		return false
	}
	if at == len(l.Text) {
		return false
	}
	r.end(false)
	r.open, r.command = loneBlock, "lm"
	r.add(&Module{At: l.All(), User: r.user})
	r.module.set(kind, l, at)
	return true
}

// set keeps what a line of details tells; its value begins at byte at.
func (m *Module) set(kind detailKind, l kd.Line, at int) {
	value := l.Text[at:]
	switch kind {
	case symbolImage:
		if m.Image == "" {
			m.file(value)
		}
	case mappedFile:
		m.MappedFile = keep(value)
	case imagePath:
		m.Path = keep(value)
	case imageName:
		m.Image = keep(value)
	case timestamp:
		m.stamp(l, value, at)
	case reproFlag:
		m.Repro = true
	case checkSum:
		m.CheckSum = hexNumber(l, value, at)
		if s := strings.Index(value, "Timestamp:"); s > 0 { // older debuggers print both on one line
			m.stamp(l, value[s:], at+s)
		}
	case imageSize:
		m.ImageSize = hexNumber(l, value, at)
	case fixedFileVersion, fixedProductVersion, fileVersionText, productVersionText:
		m.setVersion(kind, value, l.Ref(at, len(value)))
	case companyName:
		m.CompanyName = keep(value)
	case productName:
		m.ProductName = keep(value)
	case fileDescription:
		m.FileDescription = keep(value)
	case internalName:
		m.InternalName = keep(value)
	case originalFilename:
		m.OriginalFilename = keep(value)
	}
}

// setVersion keeps a version as printed at a place. The fixed ones always have four
// numbers: one with fewer is cut. The text of a version counts where the fixed one
// is not known.
func (m *Module) setVersion(kind detailKind, value string, at kd.Ref) {
	v, _ := ParseVersion(value)
	to, place, fixed := &m.FileVersion, &m.FileVersionAt, &m.fixedFile
	if kind == fixedProductVersion || kind == productVersionText {
		to, place, fixed = &m.ProductVersion, &m.ProductVersionAt, &m.fixedProduct
	}
	switch kind {
	case fixedFileVersion, fixedProductVersion:
		switch whole := int(v.parts) == len(v.numbers); {
		case whole:
			*to, *place, *fixed = v, at, true
		case *fixed: // what goes on here is no version
			*to, *place, *fixed = Version{}, kd.Ref{}, false
		}
		return
	case fileVersionText:
		m.FileVersionText = keep(value)
	default:
		m.ProductVersionText = keep(value)
	}
	if !*fixed {
		*to, *place = v, at
	}
}

// hexNumber reads a hexadecimal number, unknown for a word such as missing.
func hexNumber(l kd.Line, value string, at int) Number {
	word, _, _ := strings.Cut(value, " ")
	n, ok := kd.ParseAddr(word)
	if !ok {
		return Number{}
	}
	return Number{uint64(n), l.Ref(at, len(word))}
}
