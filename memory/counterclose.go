package memory

import "kdlocks/kd"

// closeCounters settles what only the whole log tells.
func (r *Reader) closeCounters() {
	c := r.counters
	if c == nil {
		return
	}
	r.counters = nil
	r.cells += max(len(c.Rows), leastCounterRows) * len(c.Columns)
	order := orderOf(c.times)
	bad := c.keep(func(i int) (ok bool) {
		c.Rows[i].Time, ok = c.times[i].at(order)
		return ok
	})
	if c.Unread += bad; c.Unread > 0 {
		c.note(c.At, "counter log: %s could not be read: they do not have the %d fields of the head, or no date", kd.Plural(c.Unread, "row"), c.least)
	}
	if c.Untimed > 0 {
		c.note(c.untimedAt, "counter log: the times of %s are not read, the first of them %q: such rows are not used", kd.Plural(c.Untimed, "row"), c.FirstUntimed)
	}
	if wrong, at := c.ahead(); len(wrong) > 0 {
		c.keep(func(i int) bool { return !wrong[i] })
		c.Unread += len(wrong)
		c.note(at, "counter log: %s left out, with a time more than a day ahead of the rows behind", kd.Plural(len(wrong), "row"))
	}
	if c.unknown > 0 {
		c.note(c.unknownAt, "counter log: %s could not be read as a number and no gap, the first of them %q", kd.Plural(c.unknown, "value"), c.firstUnknown)
	}
	if c.Stride > 1 {
		c.note(c.At, "counter log: of its %d rows every %d. is kept", c.Read, c.Stride)
	}
}

// keep drops the rows that are not to be kept and returns how many.
func (c *counterReader) keep(is func(row int) bool) (dropped int) {
	n := 0
	for i := range c.Rows {
		if !is(i) {
			dropped++
			continue
		}
		c.Rows[n], c.times[n] = c.Rows[i], c.times[i]
		for _, col := range c.Columns {
			col.cells[n] = col.cells[i]
		}
		n++
	}
	c.cut(n)
	return dropped
}

// ahead returns the rows, up to three at once, whose time is more than a day ahead of
// the row behind them while that goes on from the row before: a date that was mistyped
// or torn, and would make all later rows too old.
func (c *counterReader) ahead() (wrong map[int]bool, at kd.Ref) {
	const most = 3
	for i := 1; i < len(c.Rows)-1; i++ {
		for k := i + 1; k <= i+most && k < len(c.Rows); k++ {
			if t := c.Rows[k].Time; t < c.Rows[i-1].Time || c.Rows[i].Time-t <= dayMS {
				continue
			}
			if wrong == nil {
				wrong, at = make(map[int]bool), c.Rows[i].At
			}
			for ; i < k; i++ {
				wrong[i] = true
			}
			break
		}
	}
	return wrong, at
}
