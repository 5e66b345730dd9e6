// Package picture draws wait-for graphs: as SVG and DOT, and as the same in
// plain words for those who cannot see them. It knows nothing of where a graph
// comes from; package report makes one of its findings.
package picture
