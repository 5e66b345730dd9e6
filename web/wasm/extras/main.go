//go:build js && wasm

// Command extras does in the browser what few pages need of the engine, which need not load
// it then: it reads crash dumps and the YAML of rule files, for the engine to judge. The page
// starts it when it is given one.
package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"kdlocks/dump"
	"kdlocks/dump/walked"
	"kdlocks/rules/parse"
	"kdlocks/rules/tree"
	"kdlocks/web/wasm/bridge"
)

func main() {
	bridge.Serve(answer, func(error) string { return "unreadable" }, func() {})
}

// answer takes the one input of a call.
func answer(c bridge.Call, w io.Writer) error {
	if len(c.Inputs) != 1 {
		return errors.New("a call takes one file")
	}
	switch c.Name {
	case "walk":
		return walk(c, w)
	case "parse":
		return parsed(c.Inputs[0], w)
	}
	return fmt.Errorf("no such call: %q", c.Name)
}

// walk writes what was read of a dump.
func walk(c bridge.Call, w io.Writer) error {
	in, ctx := c.Inputs[0], context.Background()
	c.Progress("reading the dump", 0, in.Size)
	d, err := dump.Open(in, in.Size, dump.Options{})
	if err != nil {
		return err
	}
	facts, err := d.Read(ctx)
	if err != nil {
		return err
	}
	listing, err := d.List(ctx, in.Name, facts, func(done, total int) {
		c.Progress("reading the dump", int64(float64(in.Size)*float64(done)/float64(max(total, 1))), in.Size)
	})
	if err != nil {
		return err
	}
	return walked.Write(w, d.Walked(listing), listing)
}

// parsed writes the form of a rule file in base64, as the page puts it among the arguments
// of the engine.
func parsed(in bridge.Blob, w io.Writer) error {
	data := make([]byte, min(in.Size, tree.MostBytes+1))
	if n, err := in.ReadAt(data, 0); n < len(data) {
		return err
	}
	_, err := io.WriteString(w, base64.StdEncoding.EncodeToString(parse.Form(data)))
	return err
}
