// Package rules is the knowledge base: rule packs in YAML that recognise known
// issues in a judged snapshot and name their article and fix. A rule is data: it
// compares facts of a closed schema, in bounded time, and runs no code.
//
// What the input does not hold is neither true nor false: a rule that lacks a
// fact could not be checked, and says which debugger command would supply it.
package rules
