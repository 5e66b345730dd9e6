package rules

// operator is one way to compare a field.
type operator struct {
	name, doc string
	// fits reports whether fields can be compared so.
	fits func(*field) bool
	list bool // it has a list of operands
}

func isOrdered(f *field) bool { return f.typ.ordered() }
func isValue(f *field) bool   { return f.typ != Range && f.typ != Stack }

// operators are all there are, in the order of their documentation.
var operators = []operator{
	{name: "eq", doc: "equals the value or the reference; a value alone means the same", fits: isValue},
	{name: "ne", doc: "differs from the value or the reference; of a list, all values do", fits: isValue},
	{name: "in", doc: "is one of a list, or one of the values that a reference stands for; a list alone means the same", fits: isValue, list: true},
	{name: "has", doc: "one of the field's values equals the value or the reference", fits: func(f *field) bool { return isValue(f) && f.list }},
	{name: "gt", doc: "is greater", fits: isOrdered},
	{name: "gte", doc: "is greater or equal", fits: isOrdered},
	{name: "lt", doc: "is less", fits: isOrdered},
	{name: "lte", doc: "is less or equal", fits: isOrdered},
	{name: "glob", doc: "fits a pattern, names in either case: * stands for any run of letters, ? for one", fits: func(f *field) bool { return f.typ == Name || f.typ == Text }},
	{name: "holds", doc: "the range holds the address of the reference or value, its low bits left out", fits: func(f *field) bool { return f.typ == Range }},
	{name: "near", doc: "{ref: NAME.field, pct: N}: differs by at most N percent", fits: func(f *field) bool { return f.typ.numeric() }},
}

func operatorNamed(name string) *operator {
	for i := range operators {
		if operators[i].name == name {
			return &operators[i]
		}
	}
	return nil
}

// operatorNames lists all operators.
var operatorNames = func() []string {
	var out []string
	for _, o := range operators {
		out = append(out, o.name)
	}
	return out
}()

// operatorsFor lists the operators that a field can be compared with.
func operatorsFor(f *field) []string {
	var out []string
	for _, o := range operators {
		if o.fits(f) {
			out = append(out, o.name)
		}
	}
	return out
}
