// Package redact puts pseudonyms into debugger text so that it can be shared, and
// keeps all that a report on it rests on: which names and addresses are equal, the
// order, distances and low bits of addresses, and every word that readers,
// detectors and rules look for. The report of the redacted text is the redacted
// report of the text. It replaces all words but those of a vocabulary, so that no line
// must be understood for a secret in it to be found. docs/redact.md says what stays.
package redact
