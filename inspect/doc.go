// Package inspect is the engine: bytes in, report out. It opens no file and
// asks no clock, network or environment, so that every face of kdlocks shows
// the same report for the same bytes.
package inspect
