package inspect

// progress counts bytes of the inputs. Of a dump most are counted while its threads are
// listed, and the rest while that text is read.
type progress struct {
	tell        func(done, total int64)
	done, total int64
}

func newProgress(inputs []Input, tell func(done, total int64)) *progress {
	p := &progress{tell: tell}
	for _, in := range inputs {
		p.total += in.Size
	}
	return p
}

// ofDump is how much of a dump's bytes its walk counts for.
func ofDump(size int64) int64 { return size / 10 * 9 }

// dump returns what counts the walk of a dump of so many bytes.
func (p *progress) dump(size int64) func(done, total int) {
	if p.tell == nil {
		return nil
	}
	before, share := p.done, ofDump(size)
	p.done += share
	return func(done, total int) {
		p.tell(before+int64(float64(share)*float64(done)/float64(max(total, 1))), p.total)
	}
}

// text returns what counts the reading of all texts.
func (p *progress) text() func(done, total int64) {
	if p.tell == nil {
		return nil
	}
	before := p.done
	return func(done, total int64) {
		p.tell(before+int64(float64(p.total-before)*float64(done)/float64(max(total, 1))), p.total)
	}
}
