package snapshot

import (
	"maps"
	"slices"

	"kdlocks/kd"
	"kdlocks/locks"
	"kdlocks/threads"
)

// Without returns a copy of the snapshot that knows nothing of what a self-check
// found, so that one can ask what the facts would be worth without it. It
// returns nil for a check whose doubts cannot be lifted.
func (s *Snapshot) Without(id kd.SelfCheck) *Snapshot {
	liftResource, liftThread := lifts(id)
	if liftResource == nil && liftThread == nil && id != kd.OneRole {
		return nil
	}
	c := *s
	c.Resources, c.Threads, c.Named = slices.Clone(s.Resources), slices.Clone(s.Threads), slices.Clip(s.Named)
	c.byResource, c.byAddr = maps.Clone(s.byResource), maps.Clone(s.byAddr)
	c.Notes = slices.Clip(s.Notes)
	switch id {
	case kd.OneRole:
		c.twoRoles = nil
	case kd.OneMoment:
		c.Target.LiveAt = kd.Ref{}
	}
	if liftResource != nil {
		for i, r := range c.Resources {
			c.Resources[i] = copyResource(r)
			liftResource(c.Resources[i])
			c.byResource[r.Addr] = c.Resources[i]
		}
	}
	if liftThread != nil {
		for i, t := range c.Threads {
			if t.Conflict == "" && !t.StateUnread && doubtful(threadPlaces(t)).Doubt == kd.Sure {
				continue
			}
			lifted := *t
			lifted.WaitObjects = slices.Clone(t.WaitObjects)
			liftThread(&lifted)
			c.Threads[i] = &lifted
			if c.byAddr[t.Addr] == t {
				c.byAddr[t.Addr] = &lifted
			}
		}
	}
	return &c
}

// lifts returns what takes the doubts of a self-check off a resource and off a
// thread, nil for what it does not touch.
func lifts(id kd.SelfCheck) (func(*Resource), func(*threads.Thread)) {
	sound := func(extension bool) func(*Resource) {
		return func(r *Resource) {
			if r.Reading != locks.Irreconcilable && (r.Extension != "") == extension {
				r.Reading = locks.Sound
			}
		}
	}
	switch id {
	case kd.MarksFit:
		return sound(false), nil
	case kd.ToolsAgree:
		return sound(true), nil
	case kd.OneMoment:
		return func(r *Resource) { r.Conflict = "" }, func(t *threads.Thread) { t.Conflict = "" }
	case kd.ThreadsRead:
		return bounded, func(t *threads.Thread) { t.StateUnread = false }
	case kd.TextWhole:
		return func(r *Resource) { whole(resourcePlaces(r.Resource)) }, func(t *threads.Thread) { whole(threadPlaces(t)) }
	}
	return nil, nil
}

// bounded takes the bounds of the stacks that owner pointers lie on for printed
// ones.
func bounded(r *Resource) {
	for i := range r.Resolved {
		r.Resolved[i].Inferred = false
	}
}

func whole(places []*kd.Ref) {
	for _, at := range places {
		at.Doubt = kd.Sure
	}
}

// copyResource copies all that a lift changes.
func copyResource(r *Resource) *Resource {
	block := *r.Resource
	block.Owners = slices.Clone(r.Owners)
	block.SharedWaiters, block.ExclusiveWaiters = slices.Clone(r.SharedWaiters), slices.Clone(r.ExclusiveWaiters)
	out := &Resource{Resource: &block, Resolved: slices.Clone(r.Resolved)}
	for i := range out.Resolved {
		if i < len(block.Owners) {
			out.Resolved[i].OwnerEntry = &block.Owners[i]
		}
	}
	return out
}
