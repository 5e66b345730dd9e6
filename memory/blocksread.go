package memory

import (
	"cmp"
	"strconv"
	"strings"

	"kdlocks/kd"
)

// blocksHead opens the output of !pool or !poolfind (Microsoft Learn: !pool,
// !poolfind; newer debuggers print the tag as a number, too):
//
//	Pool page e1d01050 region is Paged pool
//	Scanning large pool allocation table for Tag: SeSd (817d1000 : 817e9000)
//	Searching nonpaged pool (ffff830000000000 : ffff930000000000) for tag 0x636f7250 (Proc)
func (r *Reader) blocksHead(l kd.Line) bool {
	if region, ok := poolPage(l.Text); ok {
		r.newBlocks("!pool", "", l)
		r.blocks.region = region
		return true
	}
	if !strings.HasPrefix(l.Text, "Scanning large pool") && !strings.HasPrefix(l.Text, "Searching ") {
		return false
	}
	tag, ok := searchedTag(l.Text)
	if !ok {
		return false
	}
	if r.open != blocksBlock || r.blocks.Tool != "!poolfind" || r.blocks.Tag != tag || strings.HasPrefix(l.Text, "Scanning") {
		r.newBlocks("!poolfind", tag, l)
	}
	r.blocks.region = ""
	if rest, ok := strings.CutPrefix(l.Text, "Searching "); ok {
		if i := strings.Index(rest, " pool"); i > 0 {
			r.blocks.region = strings.Clone(rest[:i+len(" pool")])
		}
	}
	r.blocks.EndLine = l.Last()
	return true
}

// poolPage reads "Pool page e1d01050 region is Paged pool" and returns the type of
// pool.
func poolPage(text string) (region string, ok bool) {
	c := kd.Cursor{Text: text}
	if !c.Take("Pool page") {
		return "", false
	}
	w, _ := c.Word()
	if _, ok = kd.ParseAddr(w); !ok || !c.Take("region is") {
		return "", false
	}
	rest, _ := c.Rest()
	return strings.Clone(rest), true
}

// searchedTag returns the tag that !poolfind looks for. IRPs are another command's.
func searchedTag(text string) (string, bool) {
	i := strings.Index(text, " for ")
	if i < 0 {
		return "", false
	}
	c := kd.Cursor{Text: text, Pos: i + len(" for ")}
	if !c.Take("Tag:") && !c.Take("tag") {
		return "", false
	}
	rest, _ := c.Rest()
	if strings.HasPrefix(rest, "0x") {
		if j := strings.IndexByte(rest, '('); j > 0 {
			rest = rest[j+1:]
		}
	}
	if strings.HasPrefix(rest, "Irp?") || strings.HasPrefix(rest, "'") || rest == "" {
		return "", false
	}
	return Tag(strings.Clone(firstChars(rest, tagChars, ") "))), true
}

// firstChars returns the first characters of a text, without what stands from one
// of the bytes of end on behind the first of them.
func firstChars(s string, most int, end string) string {
	n := 0
	for i := range s {
		if n == most || n > 0 && strings.IndexByte(end, s[i]) >= 0 {
			return s[:i]
		}
		n++
	}
	return s
}

func (r *Reader) newBlocks(tool, tag string, l kd.Line) {
	r.close()
	r.open = blocksBlock
	r.blocks = &Blocks{Tool: tool, Tag: tag, At: l.All(), EndLine: l.Last()}
	if t := r.typedBlocks; strings.HasPrefix(t, tool) {
		r.blocks.Command, r.typedBlocks = t, ""
	}
	if len(r.listing().Blocks) < mostListings {
		r.listing().Blocks = append(r.listing().Blocks, r.blocks)
	} else {
		r.left(l.All(), "outputs of !pool and !poolfind")
	}
}

// headlessBlock reads the first line of an output of which nothing but the command
// stands above it, or nothing at all: no other line looks so.
func (r *Reader) headlessBlock(l kd.Line) bool {
	if r.open != noBlock {
		return false
	}
	b, ok := readBlock(l)
	if !ok {
		return false
	}
	tool, _, _ := strings.Cut(strings.ToLower(r.typedBlocks), " ")
	switch {
	case tool != "":
	case strings.Contains(l.Text, " : tag "):
		tool = "!poolfind"
	default:
		tool = "!pool"
	}
	if tag := b.Tag; tool == "!poolfind" {
		r.newBlocks(tool, tag, l)
	} else {
		r.newBlocks(tool, "", l)
	}
	return r.blocksLine(l)
}

// blocksLine reads the lines below the head:
//
//	e1d01000 size:   40 previous size:    0  (Allocated)  MmDT
//	*ffffc986cb6f2000 : large page allocation, tag is V2lg, size is 0x4000 bytes
//	ffffd48ca040f340 : tag Proc, size     0xb70, Nonpaged pool
//	Pooltag V2lg : VHD2 core large allocation, Binary : vhdmp.sys
//	*82a1b000 size: 1f8 data: 82a1be08 (NonPaged) *Proc
//	...terminating - searched pool to e0224000
func (r *Reader) blocksLine(l kd.Line) bool {
	if rest, ok := strings.CutPrefix(l.Text, "...terminating - searched pool to "); ok {
		a, ok := kd.ParseAddr(rest)
		if r.blocks.Stopped = a; ok {
			r.blocks.EndLine = l.Last()
		}
		return ok
	}
	if r.tagLine(l.Text) {
		r.blocks.EndLine = l.Last()
		return true
	}
	b, ok := readBlock(l)
	if !ok {
		return false
	}
	b.Region = cmp.Or(b.Region, r.blocks.region)
	if r.blocks.EndLine = l.Last(); r.rows >= mostRows {
		r.blocks.Dropped++
		r.left(b.At, "blocks of pool")
		return true
	}
	r.rows++
	r.blocks.Rows = append(r.blocks.Rows, b)
	return true
}

// tagLine reads what stands below the block that was asked about.
func (r *Reader) tagLine(text string) bool {
	if strings.HasPrefix(text, "Owning component") {
		return true
	}
	rest, ok := strings.CutPrefix(text, "Pooltag ")
	if !ok {
		return false
	}
	_, comment, ok := strings.Cut(rest, " : ")
	if b := r.blocks.Asked(); ok && b != nil {
		comment, driver, _ := strings.Cut(comment, "Binary :")
		b.Comment = strings.Clone(strings.TrimRight(comment, " ,"))
		b.Driver, _ = kd.TrimBlanks(strings.Clone(driver))
	}
	return ok
}

// readBlock reads the line of a block.
func readBlock(l kd.Line) (Block, bool) {
	b := Block{}
	c := kd.Cursor{Text: l.Text}
	if b.Asked = strings.HasPrefix(l.Text, "*"); b.Asked {
		c.Pos = 1
	}
	w, at := c.Word()
	var ok bool
	if b.Addr, ok = kd.ParseFullAddr(w); !ok {
		return b, false
	}
	b.At = l.Ref(at, len(w))
	switch {
	case c.Take("size:"):
		b.Bytes = hexadecimal(l, &c)
		return b, b.Bytes.Known() && (b.header(l, &c) || b.special(&c))
	case c.Take(": large page allocation, tag is"):
		return b, b.large(l, &c, "size is")
	case c.Take(": tag"):
		return b, b.large(l, &c, "size")
	}
	return b, false
}

// special reads what is behind the size of an allocation of special pool, which has a page of
// its own (Microsoft Learn: !pool):
//
//	*82a1b000 size: 1f8 data: 82a1be08 (NonPaged) *Proc
func (b *Block) special(c *kd.Cursor) bool {
	if !c.Take("data:") {
		return false
	}
	data, _ := c.Word()
	_, ok := kd.ParseFullAddr(data)
	typ, _ := c.Word()
	tag, _ := c.Rest()
	tag = strings.TrimPrefix(tag, "*")
	if !ok || typ != "(NonPaged)" && typ != "(Paged)" || tag == "" {
		return false
	}
	b.Tag = Tag(strings.Clone(firstChars(tag, tagChars, "")))
	return true
}

// header reads what is behind the size of a block.
func (b *Block) header(l kd.Line, c *kd.Cursor) bool {
	if !c.Take("previous size:") || !hexadecimal(l, c).Known() {
		return false
	}
	state, _ := c.Word()
	switch {
	case strings.HasPrefix(state, "(Alloc"):
	case strings.HasPrefix(state, "(Free"):
		if b.Free = true; !strings.HasSuffix(state, ")") {
			c.Take(")")
		}
	default:
		return false
	}
	rest, _ := c.Rest()
	rest = strings.TrimPrefix(rest, "*")
	for _, end := range []string{" (Protected)", " Process:"} {
		rest, _, _ = strings.Cut(rest, end)
	}
	if rest != "" { // it may be broken off
		b.Tag = Tag(strings.Clone(firstChars(rest, tagChars, "")))
	}
	return true
}

// large reads the tag and the size of a block that has pages of its own.
func (b *Block) large(l kd.Line, c *kd.Cursor, size string) bool {
	rest, at := c.Rest()
	i := strings.Index(rest, ", ")
	if i < 1 {
		return false
	}
	b.Tag = Tag(strings.Clone(rest[:i]))
	if c.Pos = at + i + 1; !c.Take(size) {
		return false
	}
	if b.Bytes = hexadecimal(l, c); !b.Bytes.Known() {
		return false
	}
	rest, _ = c.Rest()
	b.Region = strings.Clone(strings.TrimPrefix(strings.TrimSuffix(rest, " (Protected)"), "bytes"))
	return len([]rune(b.Tag)) == tagChars
}

// hexadecimal reads a number, with or without 0x and a comma behind it.
func hexadecimal(l kd.Line, c *kd.Cursor) Number {
	w, at := c.Word()
	digits := strings.TrimPrefix(strings.TrimSuffix(w, ","), "0x")
	n, err := strconv.ParseInt(digits, 16, 63)
	if err != nil || n < 0 {
		return Number{}
	}
	return Number{n, l.Ref(at, len(w))}
}
