//go:build js && wasm

// Command wasm is the engine in the browser: it runs in a worker of the page and
// answers its calls.
package main

import (
	"context"
	"errors"
	"io"
	"os"

	"kdlocks/inspect"
	"kdlocks/web/engine"
	"kdlocks/web/wasm/bridge"
)

// sample is analysed once before anybody asks: what is loaded and compiled for it
// need not be while somebody waits.
const sample = `0: kd> !locks
Resource @ 0xfffffa8011ef1de8    Exclusively owned
    NumberOfExclusiveWaiters = 1
     Threads: fffffa8016910b60-01<*>
     Threads Waiting On Exclusive Access:
              fffffa8016930b60
1 total locks, 1 locks currently held
`

func main() {
	var progress func(stage string, done, total int64)
	opt := engine.Options{Version: inspect.Version(), Progress: func(stage string, done, total int64) {
		if progress != nil {
			progress(stage, done, total)
		}
	}}
	if len(os.Args) > 1 {
		opt.Today = os.Args[1]
	}
	e := engine.New(opt)
	if err := e.Call(context.Background(), "analyze", nil, []inspect.Input{inspect.Bytes("sample", []byte(sample))}, io.Discard); err != nil {
		panic(err)
	}
	e.Close()
	answer := func(c bridge.Call, w io.Writer) error {
		progress = c.Progress
		inputs := make([]inspect.Input, len(c.Inputs))
		for i, b := range c.Inputs {
			inputs[i] = inspect.Input{Name: b.Name, Data: b, Size: b.Size}
		}
		return e.Call(context.Background(), c.Name, c.Args, inputs, w)
	}
	bridge.Serve(answer, kindOf, func() { e = engine.New(opt) })
}

func kindOf(err error) string {
	switch {
	case errors.Is(err, engine.ErrNoCase):
		return "no-case"
	case errors.Is(err, inspect.ErrNothing):
		return "nothing"
	case errors.Is(err, inspect.ErrNotText):
		return "not-text"
	}
	return "error"
}
