package modules

import (
	"strings"

	"kdlocks/kd"
)

// Join adds to m what another print of the same module knows more. Where the
// two disagree the fact becomes unknown, and Conflict and the result say which
// it is; "" if they agree.
func (m *Module) Join(later *Module) string {
	var against []string
	conflict := func(what string, differs bool) bool {
		if differs {
			against = append(against, what)
		}
		return differs
	}
	if conflict("range", m.End != 0 && later.End != 0 && m.End != later.End) {
		m.End = 0
	} else if m.End == 0 && !strings.Contains(m.Conflict, "range") {
		m.End = later.End
	}
	joinNumber(&m.TimeWord, later.TimeWord, "timestamp", m.Conflict, conflict)
	joinNumber(&m.CheckSum, later.CheckSum, "checksum", m.Conflict, conflict)
	joinNumber(&m.ImageSize, later.ImageSize, "size", m.Conflict, conflict)
	joinVersion(&m.FileVersion, later.FileVersion, &m.FileVersionAt, later.FileVersionAt, &m.fixedFile, later.fixedFile, "file version", m.Conflict, conflict)
	joinVersion(&m.ProductVersion, later.ProductVersion, &m.ProductVersionAt, later.ProductVersionAt, &m.fixedProduct, later.fixedProduct, "product version", m.Conflict, conflict)
	if m.Timestamp == "" || !m.TimeWord.Known() && strings.Contains(strings.Join(against, ","), "timestamp") {
		m.Timestamp = later.Timestamp
	}
	m.Repro = m.Repro || later.Repro
	m.Detailed = m.Detailed || later.Detailed
	m.Asked = append(m.Asked, later.Asked...)
	if later.SymbolStatus != "" && later.SymbolStatus != "deferred" { // symbols were loaded meanwhile
		m.SymbolStatus, m.SymbolMarks = later.SymbolStatus, later.SymbolMarks
	}
	for _, f := range []struct {
		have  *string
		later string
	}{
		{&m.Name, later.Name}, {&m.Image, later.Image}, {&m.Path, later.Path}, {&m.SymbolFile, later.SymbolFile}, {&m.MappedFile, later.MappedFile},
		{&m.FileVersionText, later.FileVersionText}, {&m.ProductVersionText, later.ProductVersionText}, {&m.CompanyName, later.CompanyName},
		{&m.ProductName, later.ProductName}, {&m.FileDescription, later.FileDescription}, {&m.InternalName, later.InternalName},
		{&m.OriginalFilename, later.OriginalFilename}, {&m.SymbolStatus, later.SymbolStatus}, {&m.SymbolMarks, later.SymbolMarks},
	} {
		if *f.have == "" {
			*f.have = f.later
		}
	}
	said := strings.Join(against, ", ")
	if said != "" {
		m.Conflict = strings.TrimPrefix(m.Conflict+", "+said, ", ")
	}
	return said
}

// joinNumber takes over what is not known yet. A number that prints disagreed on
// before stays unknown.
func joinNumber(have *Number, later Number, what, before string, conflict func(string, bool) bool) {
	switch {
	case strings.Contains(before, what):
	case conflict(what, have.Known() && later.Known() && have.N != later.N):
		*have = Number{}
	case !have.Known():
		*have = later
	}
}

// joinVersion is joinNumber for versions, of which the fixed one wins.
func joinVersion(have *Version, later Version, haveAt *kd.Ref, laterAt kd.Ref, fixed *bool, laterFixed bool, what, before string, conflict func(string, bool) bool) {
	c, both := have.Compare(later)
	switch {
	case strings.Contains(before, what):
	case both && *fixed == laterFixed && conflict(what, c != 0):
		*have, *haveAt = Version{}, kd.Ref{}
	case !have.Known() || later.Known() && laterFixed && !*fixed:
		*have, *haveAt, *fixed = later, laterAt, laterFixed
	}
}
