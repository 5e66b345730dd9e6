package memory

import "kdlocks/kd"

// Blocks is one output of !pool or !poolfind: blocks of pool.
type Blocks struct {
	Tool    string // "!pool" or "!poolfind"
	Command string // as typed, "" if nothing tells
	// Tag is what !poolfind looks for, "" for !pool.
	Tag  string
	Rows []Block
	// Dropped counts blocks beyond the limit on what is kept.
	Dropped int
	// Stopped is where a search ended before it was through, 0 if it was not ended.
	Stopped kd.Addr
	At      kd.Ref
	EndLine int32

	region string // the type of pool that was named last, while it is read
}

// Block is a block of pool.
type Block struct {
	Addr  kd.Addr
	Bytes Number // of the whole block
	Tag   string // four characters, "" if it was not printed
	Free  bool
	// Asked marks the block that holds the address that !pool was asked about.
	Asked bool
	// Region is the type of pool as printed: "Nonpaged pool", "Paged pool".
	Region string
	// Comment is what pooltag.txt says of the tag, Driver the file that it names.
	Comment string
	Driver  string
	At      kd.Ref
}

// Used returns how many blocks are allocated, and their bytes as far as known.
func (b *Blocks) Used() (blocks int, bytes int64) {
	for i := range b.Rows {
		if r := &b.Rows[i]; !r.Free {
			blocks, bytes = blocks+1, bytes+r.Bytes.N
		}
	}
	return blocks, bytes
}

// Asked returns the block that was asked about, nil if none is marked.
func (b *Blocks) Asked() *Block {
	for i := range b.Rows {
		if b.Rows[i].Asked {
			return &b.Rows[i]
		}
	}
	return nil
}
