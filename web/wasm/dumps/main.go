//go:build js && wasm

// Command dumps reads crash dumps in the browser, for the engine to judge: the page starts
// it when it is given one.
package main

import (
	"context"
	"errors"
	"io"

	"kdlocks/dump"
	"kdlocks/dump/walked"
	"kdlocks/web/wasm/bridge"
)

func main() {
	bridge.Serve(answer, func(error) string { return "not-dump" }, func() {})
}

// answer walks the one input of a call.
func answer(c bridge.Call, w io.Writer) error {
	if c.Name != "walk" || len(c.Inputs) != 1 {
		return errors.New("walk takes one dump")
	}
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
