// Package mcp offers the inspector to assistants, by the Model Context Protocol
// over two streams: tools that analyse what a debugger printed, resolve addresses,
// explain detectors and rules, compare captures, and try rules. What they answer
// is a report of package inspect, made short.
package mcp
