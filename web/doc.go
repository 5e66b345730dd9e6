// Package web is kdlocks as a server: the page, and the API that analyses what is sent
// to it. Whatever a client sends, or does not send, has a limit. Nothing of it outlives
// the answer: bodies lie in memory or in temporary files without a name, and no log tells
// of them.
package web
