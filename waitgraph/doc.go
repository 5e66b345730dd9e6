// Package waitgraph draws who waits for whom in a snapshot. Threads are
// joined through gates: one for exclusive and one for shared access to each
// ERESOURCE, one for each mutant. So the graph stays linear in the input, and
// every edge has a grade and the place that it rests on.
package waitgraph
