package rules

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"kdlocks/kd"
)

// A fact is what a kind's functions give: a pointer into the model.
type fact any

// kind is one kind of fact that clauses can ask for: the schema of rules is the
// list of all kinds.
type kind struct {
	name string
	doc  string
	// ask is the command whose output facts of the kind are read from, one the
	// command for a single fact, with %s where its key stands; "" if there is none.
	ask, one string
	// key is the field that a fact is known by, "" if there is none: a fact that
	// is asked for by it and is not in the input is missing, and not absent.
	key string
	// seen reports whether the input holds any output of the kind: where it does
	// not, whether a fact exists is unknown.
	seen func(*world) bool
	// listed reports whether the facts of the kind in the input are all there are;
	// nil if they are as soon as any were seen.
	listed func(*world, *clause) bool
	// rest, when not nil, says what is missing of a kind that is not listed.
	rest func(*world, *clause) Missing
	// listedFor, when not nil, reports whether they are all that a clause may hold for
	// with what is bound.
	listedFor func(*world, *clause, bindings) bool
	all       func(*world) iter.Seq[fact]
	// find returns the fact of a key, nil if the input does not hold it; nil
	// without a key.
	find func(*world, Value) fact
	// hidden, when not nil, reports whether a fact is none of those that a clause asks
	// for unless it says so; for no fact, whether the kind hides any from the clause.
	hidden func(*clause, fact) bool
	// absent, when not nil, reports whether a fact of a key is known not to exist.
	absent func(*world, Value) bool
	at     func(fact) kd.Ref
	// addr is the address of a fact for evidence, nil if its facts have none.
	addr   func(fact) kd.Addr
	fields []*field
	names  []string // of fields
}

// field is one field of a kind.
type field struct {
	name string
	typ  Type
	// list is set where a fact can have several values: one that fits is enough.
	list  bool
	words []string // of an Enum
	// common is set where most machines have such values: they tell of no issue.
	common bool
	// usual are the values of an Enum that most inputs with a hang have: they tell of
	// none in particular.
	usual []string
	doc   string
	// lack says what it takes to know the field, where that is not plain.
	lack string
	ask  string // the command that supplies it, with %s for the key; "" takes that of the kind
	get  func(*world, fact) Values
	// command, when not nil, names the command for what of a fact is missing; "" takes
	// ask.
	command func(*world, fact) string
}

// kinds are all kinds by name, in the order of their documentation.
var kinds []*kind

// kindWords are their names.
var kindWords []string

// registerKind adds a kind. A second one of a name is a programming error and
// panics at start.
func registerKind(k *kind) {
	if kindNamed(k.name) != nil {
		panic(fmt.Sprintf("rules: kind %s is registered twice", k.name))
	}
	for _, f := range k.fields {
		k.names = append(k.names, f.name)
	}
	kinds = append(kinds, k)
	kd.SortStable(kinds, func(a, b *kind) int { return strings.Compare(a.name, b.name) })
	kindWords = append(kindWords, k.name)
	slices.Sort(kindWords)
}

func kindNamed(name string) *kind {
	for _, k := range kinds {
		if k.name == name {
			return k
		}
	}
	return nil
}

func (k *kind) field(name string) *field {
	for _, f := range k.fields {
		if f.name == name {
			return f
		}
	}
	return nil
}

func (k *kind) fieldNames() []string { return k.names }

func kindNames() []string { return kindWords }

// each makes a sequence of facts of a slice.
func each[T any](list []*T) iter.Seq[fact] {
	return func(yield func(fact) bool) {
		for _, v := range list {
			if !yield(v) {
				return
			}
		}
	}
}

// eachOf is each for a slice of values.
func eachOf[T any](list []T) iter.Seq[fact] {
	return func(yield func(fact) bool) {
		for i := range list {
			if !yield(&list[i]) {
				return
			}
		}
	}
}

// getter turns the getter of a field of T into one of facts.
func getter[T any](get func(*world, T) Values) func(*world, fact) Values {
	return func(w *world, f fact) Values { return get(w, f.(T)) }
}

// placed is at and addr of kinds whose facts are of type T.
func placed[T any](at func(T) kd.Ref) func(fact) kd.Ref {
	return func(f fact) kd.Ref { return at(f.(T)) }
}

func addressed[T any](addr func(T) kd.Addr) func(fact) kd.Addr {
	return func(f fact) kd.Addr { return addr(f.(T)) }
}
