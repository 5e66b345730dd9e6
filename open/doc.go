// Package open turns the names of a command line into inputs: files, folders,
// patterns, standard input, pipes and devices, and what is packed in gzip,
// zstd, zip and 7z. What cannot be read at random is spooled, in memory first
// and then in one temporary file. Everything that an input could make grow has
// a limit, and a limit that is hit is an error that names it.
package open
