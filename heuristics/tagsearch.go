package heuristics

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/memory"
)

// whoseTag adds to a finding who allocates under the tag of a row, or how to find out. uses
// says what the tag does: "uses most of nonpaged pool".
func (d *diagnosis) whoseTag(f *Finding, row *memory.Row, uses string) {
	switch driver := driverOfRow(row); {
	case row.Driver == "" && row.Described() != memory.Yes && d.searchOf(trimTag(row.Tag)) != nil: // it tells of this machine, the table of all
		d.searchTag(f, trimTag(row.Tag))
		if driver != "" {
			f.Explanation += " That it is of " + driver + " is from a table of known tags, and not from this machine."
		}
	case driver != "":
		f.Suspect = &Suspect{Module: driverName(driver), Reason: "it allocates under the tag that " + uses}
		f.Next = append(f.Next, "lmvm "+driverName(driver))
	case ownerOfRow(row) == "":
		d.searchTag(f, trimTag(row.Tag))
	}
}

// searchTag follows the letters of a tag that nobody knows: a driver that allocates under
// it has them in its code (Microsoft Learn: Using the Kernel Debugger to Find a Kernel-Mode
// Memory Leak).
func (d *diagnosis) searchTag(f *Finding, tag string) {
	search := d.searchOf(tag)
	again := `!for_each_module s -a @#Base @#End "` + tag + `"`
	if search == nil {
		f.Explanation += " Nobody says who allocates under this tag: search the drivers for its letters."
		f.Next = append(f.Next, again)
		return
	}
	f.seen(search.At, 0, "the search for the letters of the tag")
	images, unknown := d.holdersOf(f, tag)
	switch whole := search.Whole && strings.Contains(search.Command, "for_each_module"); {
	case len(unknown) > 0:
		d.gap(kd.Gap{What: "which module " + unknown[0] + " is in, where the letters of tag " + tag + " stand", Why: kd.NotInInput, Next: "!lmi " + unknown[0]})
		f.Explanation += fmt.Sprintf(" Its letters stand at %s in no module that is listed.", kd.Plural(len(unknown), "place"))
		for _, at := range unknown[:min(len(unknown), 4)] {
			f.Next = append(f.Next, "!lmi "+at)
		}
	case len(images) == 0 && whole:
		f.Explanation += " No loaded module holds its letters, by the search that was typed: the driver was unloaded, or makes up the tag at run time."
		f.Next = append(f.Next, "lm n t", "!poolfind "+tag+" 0")
	case !whole:
		if len(images) > 0 {
			f.Explanation += " Its letters stand in " + strings.Join(images, ", ") + "; the search was not read to its end."
		}
		f.Next = append(f.Next, again)
	case len(images) == 1 && images[0] != "nt":
		f.Explanation += " Of all modules " + images[0] + " alone holds its letters."
		f.Suspect = &Suspect{Module: driverName(images[0]), Reason: "it is the only module that holds the letters of the tag"}
		f.Next = append(f.Next, "lmvm "+driverName(images[0]))
	default:
		f.Explanation += " Its letters stand in " + strings.Join(images, ", ") + ": which of them allocates cannot be told from that."
		f.Next = append(f.Next, "!poolfind "+tag+" 0")
	}
}

// mostPlaces is how many places of a search are evidence at most.
const mostPlaces = 8

// searchOf returns the last search for the letters of a tag, one of all modules if there is
// one; nil if there is none.
func (d *diagnosis) searchOf(tag string) *memory.Search {
	m := d.snap.Memory.Memory
	if m == nil {
		return nil
	}
	var out *memory.Search
	for i := range m.Searches {
		s := &m.Searches[i]
		if strings.TrimRight(s.Letters, " ") == tag && (out == nil || strings.Contains(s.Command, "for_each_module")) {
			out = s
		}
	}
	return out
}

// holdersOf returns the modules in which the letters of a tag stand, and the addresses that
// are in none that is known.
func (d *diagnosis) holdersOf(f *Finding, tag string) (images, unknown []string) {
	for _, hit := range d.snap.Memory.Memory.Hits {
		if strings.TrimRight(hit.Letters, " ") != tag {
			continue
		}
		h := d.holder(hit.Addr)
		if h.kernel {
			h.image = "nt"
		}
		if h.image == "" {
			unknown = append(unknown, d.addr(hit.Addr))
		} else if slices.Contains(images, h.image) {
			continue
		} else {
			images = append(images, h.image)
		}
		if len(images)+len(unknown) <= mostPlaces {
			f.seen(hit.At, hit.Addr, "the letters of the tag stand here")
			f.seen(h.at, h.base, "the module around it")
		}
	}
	return images, unknown
}
