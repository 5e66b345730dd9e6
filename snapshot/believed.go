package snapshot

import "kdlocks/locks"

// Believed reports whether the lists of the resource can be held against another
// moment: they are whole and without contradiction.
func (r *Resource) Believed() bool {
	if r.Mode != locks.Unowned && len(r.Owners) == 0 {
		return false
	}
	return (r.Reading == locks.Sound || r.Reading == locks.Doubtful) && !r.Open && !r.HeadUntrusted && r.Conflict == ""
}

// Free reports whether the resource is shown as one that nobody owns.
func (r *Resource) Free() bool {
	return r.Believed() && r.Mode == locks.Unowned && len(r.Owners) == 0
}
