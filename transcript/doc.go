// Package transcript turns the text that a debugger printed into snapshots:
// it decodes the bytes, finds prompts and sections, takes off quoting, and
// routes each line to the reader that knows it. Every line ends as claimed by
// a reader, known noise, or not understood.
package transcript
