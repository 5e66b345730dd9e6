package symbols

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// maxISF is how many bytes of JSON are read. Those of the kernel have 4 to 7 MB.
const maxISF = 64 << 20

// maxNesting is how deep values stand inside of each other at most where they are
// not kept.
const maxNesting = 1000

var errISFSize = fmt.Errorf("ISF: more than %d bytes of JSON", maxISF)

// isfReader reads an ISF value by value: as a whole it would take ten times its
// size in memory.
type isfReader struct {
	*Table
	*json.Decoder
	names   map[string]uint32 // nodes that tell a type by its name
	windows bool              // whether there was an identity of a PDB
}

// readISF reads an ISF (Volatility's intermediate symbol format, schemas 4.0.0
// to 6.2.0) of a Windows image.
func (t *Table) readISF(r io.Reader) error {
	t.nodes = append(t.nodes, node{})
	in := isfReader{t, json.NewDecoder(&limited{r, maxISF}), map[string]uint32{}, false}
	err := in.object(func(key string) error {
		switch key {
		case "base_types", "enums":
			return in.object(in.number)
		case "metadata":
			return in.metadata()
		case "symbols":
			return in.object(in.symbol)
		case "user_types":
			return in.object(in.record)
		}
		return in.skip()
	})
	if err == nil {
		// The end of the file is read too: in xz the check is there.
		if _, err = in.Token(); err == nil {
			err = errors.New("more than one value")
		} else if err == io.EOF {
			err = nil
		}
	}
	switch {
	case errors.Is(err, errISFSize), errors.Is(err, errText):
		return err
	case err != nil:
		return fmt.Errorf("ISF: %w", err)
	case !in.windows:
		return errors.New("ISF: no metadata.windows.pdb: not of a Windows image")
	}
	return nil
}

// limited reads n bytes at most. More is an error.
type limited struct {
	r io.Reader
	n int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.n -= int64(n); l.n < 0 {
		return 0, errISFSize
	}
	return n, err
}

// object reads an object, and calls value for each key in front of its value.
func (in *isfReader) object(value func(key string) error) error {
	open, err := in.Token()
	if err != nil {
		return err
	}
	if open != json.Delim('{') {
		return fmt.Errorf("no object in front of byte %d", in.InputOffset())
	}
	for in.More() {
		key, err := in.Token()
		if err != nil {
			return err
		}
		name, ok := key.(string)
		if !ok {
			return fmt.Errorf("no name in front of byte %d", in.InputOffset())
		}
		if err := value(name); err != nil {
			return err
		}
	}
	_, err = in.Token()
	return err
}

// skip reads over a value without keeping it.
func (in *isfReader) skip() error {
	for depth := 0; ; {
		token, err := in.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxNesting {
				return errors.New("values too deep inside of each other")
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

func (in *isfReader) metadata() error {
	var m struct {
		Windows struct {
			PDB *struct {
				GUID, Database string
				Age            uint32
			}
		}
	}
	if err := in.Decode(&m); err != nil {
		return err
	}
	if pdb := m.Windows.PDB; pdb != nil {
		in.id = ID{Name: pdb.Database, GUID: strings.ToUpper(pdb.GUID), Age: pdb.Age}
		in.windows = true
	}
	return nil
}

// symbol reads an entry of symbols. Volatility strips decorations off the names
// it writes as keys: linkage_name is the one of the PDB.
func (in *isfReader) symbol(name string) error {
	var s struct {
		Address uint64
		Linkage string `json:"linkage_name"`
	}
	if err := in.Decode(&s); err != nil {
		return fmt.Errorf("symbol %.100q: %w", name, err)
	}
	// Volatility writes 0 for code that was taken out of the image. Nothing but
	// the header is at 0.
	if s.Address == 0 || s.Address > math.MaxUint32 {
		return nil
	}
	if err := in.addSymbol([]byte(name), uint32(s.Address), false); err != nil {
		return err
	}
	return in.addSymbol([]byte(s.Linkage), uint32(s.Address), false)
}

// number reads an entry of base_types or enums, which are numbers too.
func (in *isfReader) number(name string) error {
	var n struct{ Size uint32 }
	if err := in.Decode(&n); err != nil {
		return fmt.Errorf("type %.100q: %w", name, err)
	}
	s, err := in.intern([]byte(name))
	in.add(node{kind: kindBase, name: s, size: n.Size})
	return err
}

// record reads an entry of user_types.
func (in *isfReader) record(name string) error {
	s, err := in.intern([]byte(name))
	if err != nil {
		return err
	}
	n := node{kind: kindRecord, name: s}
	err = in.object(func(key string) error {
		switch key {
		case "size":
			return in.Decode(&n.size)
		case "fields":
			n.first = uint32(len(in.fields))
			err := in.object(in.field)
			n.n = uint32(len(in.fields)) - n.first
			return err
		}
		return in.skip()
	})
	if err != nil {
		return fmt.Errorf("type %.100q: %w", name, err)
	}
	in.add(n)
	return nil
}

// field reads an entry of the fields of a record.
func (in *isfReader) field(name string) error {
	var f struct {
		Offset    uint32
		Anonymous bool
		Type      isfType
	}
	if err := in.Decode(&f); err != nil {
		return fmt.Errorf("field %.100q: %w", name, err)
	}
	if f.Anonymous { // the name is made up
		name = ""
	}
	s, err := in.intern([]byte(name))
	if err != nil {
		return err
	}
	typ, err := in.typ(&f.Type)
	in.fields = append(in.fields, field{s, f.Offset, typ})
	return err
}

// isfType is the type of a field, as ISF describes it.
type isfType struct {
	Kind, Name, Base string
	Subtype, Type    *isfType
	Count            uint32
	Position         uint8 `json:"bit_position"`
	Length           uint8 `json:"bit_length"`
}

// typ adds a type. encoding/json bounds how deep one may be.
func (in *isfReader) typ(x *isfType) (id uint32, err error) {
	if x == nil {
		return 0, nil
	}
	n := node{}
	switch x.Kind {
	case "base", "enum", "struct", "union", "class":
		return in.named(x.Name)
	case "pointer":
		base := x.Base
		if base == "" {
			base = "pointer"
		}
		if n.first, err = in.named(base); err != nil {
			return 0, err
		}
		n.kind = kindPointer
	case "array":
		n.kind, n.n = kindArray, x.Count
	case "bitfield":
		n = bitField(0, x.Position, x.Length)
		x.Subtype = x.Type
	case "function":
		return in.add(node{kind: kindFunction}), nil
	default:
		return 0, nil
	}
	if n.sub, err = in.typ(x.Subtype); err != nil {
		return 0, err
	}
	return in.add(n), nil
}

// named is the type with this name, which may stand behind its use.
func (in *isfReader) named(name string) (uint32, error) {
	if id, ok := in.names[name]; ok {
		return id, nil
	}
	s, err := in.intern([]byte(name))
	if err != nil {
		return 0, err
	}
	id := in.add(node{kind: kindForward, name: s})
	in.names[name] = id
	return id, nil
}

func (in *isfReader) add(n node) uint32 {
	in.nodes = append(in.nodes, n)
	return uint32(len(in.nodes) - 1)
}
