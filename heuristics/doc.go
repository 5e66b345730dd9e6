// Package heuristics judges a snapshot: what a blocked system is suffering
// from, by what evidence, how sure that is, what would disprove it and what to
// type next. A detector and its documentation are one value, a Check.
package heuristics
