package rules

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"kdlocks/kd"
	"kdlocks/modules"
	"kdlocks/stacks"
)

// Type is the type of a field: it decides what a rule may compare it with.
type Type uint8

// The types of fields.
const (
	Name     Type = iota // compared in either case; a literal may hold * and ?
	Text                 // compared letter by letter
	Enum                 // one of the words that the field lists
	Number               // a count, or a number of hexadecimal digits behind 0x
	Size                 // bytes: 4096, 64KB, 16MB, 2GB
	Duration             // 500ms, 30s, 2m, 1h, 497d; a number alone counts milliseconds
	Percent              // 0 to 100 and above, with or without %
	Date                 // 2000-08-10, as seconds since 1970 (UTC)
	Version              // up to four numbers with dots, compared in order
	Address              // hexadecimal, with or without 0x and backtick
	Bool                 // true or false
	Range                // a range of addresses; the low bits of what is asked for do not count
	Stack                // frames in their order
)

var typeNames = [...]string{"name", "text", "word", "number", "size", "duration", "percent", "date", "version", "address", "true or false", "address range", "stack"}

// String returns the word used in messages and documentation.
func (t Type) String() string { return typeNames[t] }

// numeric reports whether values of the type are compared as numbers.
func (t Type) numeric() bool { return t >= Number && t <= Date }

// ordered reports whether values of the type can be less than each other.
func (t Type) ordered() bool { return t.numeric() || t == Version }

// Value is one value of a field and where it was read.
type Value struct {
	Type   Type
	S      string  // of Name, Text, Enum; a Version as printed
	N      float64 // of numeric types; a Bool is 0 or 1
	A      kd.Addr
	V      modules.Version
	Spans  []Span
	Frames []stacks.Frame
	At     kd.Ref
	since  kd.Ref // where an earlier state was read that it is compared with
	// hex is set where N is printed in hexadecimal.
	hex bool
	// atLeast is set where N was counted in a list that may go on.
	atLeast bool
	// partial is set where S is the module of a symbol whose function is not known; ""
	// for one of any module.
	partial bool
	// cut is set where S may be only the beginning of a name, or where Frames are not
	// all.
	cut bool
}

// Span is a range of addresses; End does not belong to it.
type Span struct{ From, End kd.Addr }

func (s Span) holds(a kd.Addr) bool { return s.From <= a && a < s.End }

// Values are what a fact says of one field. Several values are a list. All is
// set when there are no others: an empty list is then known to be empty.
type Values struct {
	List []Value
	All  bool
}

// one makes the Values of a field that has exactly one value.
func one(v Value) Values { return Values{List: []Value{v}, All: true} }

// unknown are the Values of a field that was not printed.
var unknown = Values{}

// none are the Values of a list that is known to be empty.
var none = Values{All: true}

func number(t Type, n float64, at kd.Ref) Values { return one(Value{Type: t, N: n, At: at}) }

// atLeast makes the value of a count of what was listed, which may not be all.
func atLeast(n int, all bool, at kd.Ref) Values {
	return one(Value{Type: Number, N: float64(n), At: at, atLeast: !all})
}

func text(t Type, s string, at kd.Ref) Values {
	if s == "" {
		return unknown
	}
	return one(Value{Type: t, S: s, At: at})
}

// symbol makes the value of a symbol without its offset: module!function. Where the
// debugger had no symbols, the module is known at most.
func symbol(s string, at kd.Ref) Values {
	s = startSymbol(s)
	switch {
	case s == "":
		return unknown
	case strings.Contains(s, "!"):
		return text(Name, s, at)
	}
	v := Value{Type: Name, S: s, At: at, partial: true}
	if _, bare := kd.ParseAddr(s); bare {
		v.S = ""
	}
	return one(v)
}

// imageName makes the value of a program's name. Its first 14 letters may be all that
// the debugger had: _EPROCESS has room for 15 bytes (ImageFileName in the public
// symbols).
func imageName(s string, at kd.Ref) Values {
	out := text(Name, s, at)
	if n := len(s); (n == 14 || n == 15) && !strings.HasSuffix(strings.ToLower(s), ".exe") {
		out.List[0].cut = true
	}
	return out
}

func boolean(b bool, at kd.Ref) Values {
	n := 0.0
	if b {
		n = 1
	}
	return one(Value{Type: Bool, N: n, At: at})
}

func address(a kd.Addr, at kd.Ref) Values {
	if a == 0 {
		return unknown
	}
	return one(Value{Type: Address, A: a, At: at})
}

// String prints the value as people write it.
func (v Value) String() string {
	switch v.Type {
	case Name, Text, Enum:
		if v.partial {
			return strings.TrimSpace(v.S + " without symbols")
		}
		return v.S
	case Version:
		if v.S != "" {
			return v.S
		}
		return v.V.String()
	case Address:
		return bare(v.A)
	case Bool:
		return strconv.FormatBool(v.N != 0)
	case Range:
		var parts []string
		for _, s := range v.Spans {
			parts = append(parts, bare(s.From)+"-"+bare(s.End))
		}
		return strings.Join(parts, ", ")
	case Stack:
		return kd.Plural(len(v.Frames), "frame")
	case Duration:
		return inWords(v.N)
	case Date:
		return dateOf(v.N)
	case Percent:
		return strconv.FormatFloat(math.Round(v.N*10)/10, 'f', -1, 64)
	}
	s := strconv.FormatFloat(v.N, 'f', -1, 64)
	if v.hex {
		s = "0x" + strconv.FormatUint(uint64(v.N), 16)
	}
	if v.atLeast {
		return "at least " + s
	}
	return s
}

// bare prints an address with as many digits as its target has, without 0x.
func bare(a kd.Addr) string {
	if a <= 0xffffffff {
		return a.Bare(kd.X86)
	}
	return a.Bare(kd.X64)
}

// units are those of durations in milliseconds, the largest first.
var units = []struct {
	name string
	ms   float64
}{{"d", 24 * 60 * 60 * 1000}, {"h", 60 * 60 * 1000}, {"m", 60 * 1000}, {"s", 1000}, {"ms", 1}}

// inWords prints milliseconds in the two largest units: "2m 30s".
func inWords(ms float64) string {
	var parts []string
	for _, u := range units {
		if n := int64(ms / u.ms); n > 0 && len(parts) < 2 {
			parts = append(parts, strconv.FormatInt(n, 10)+u.name)
			ms -= float64(n) * u.ms
		}
	}
	if parts == nil {
		return "0ms"
	}
	return strings.Join(parts, " ")
}

// key is the value as an index knows it, "" if it cannot be one.
func (v Value) key() string {
	switch v.Type {
	case Name:
		return strings.ToLower(v.S)
	case Text, Enum:
		return v.S
	case Address:
		return v.A.String()
	}
	return ""
}

const daySeconds = 24 * 60 * 60

// dateOf prints the day of a time in seconds since 1970.
func dateOf(seconds float64) string {
	// The days of the Gregorian calendar repeat every 400 years; those of its
	// years are counted from the first of March.
	days := int64(seconds)/daySeconds + 719468
	era, day := days/146097, days%146097
	year := (day - day/1460 + day/36524 - day/146096) / 365
	day -= 365*year + year/4 - year/100
	month := (5*day + 2) / 153
	d, m, y := day-(153*month+2)/5+1, month+3, year+era*400
	if m > 12 {
		m, y = m-12, y+1
	}
	return fmt.Sprintf("%04d-%02d-%02d", y, m, d)
}
