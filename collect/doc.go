// Package collect knows the debugger script that gathers what the detectors
// use: its commands in their order, the text of the script, and the marks that
// it leaves in a log.
package collect
