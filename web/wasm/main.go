//go:build js && wasm

// Command wasm is the engine in the browser: it runs in a worker of the page and
// answers calls of JavaScript. See web/page/app/worker.js for the other side.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"syscall/js"

	"kdlocks/inspect"
	"kdlocks/kd"
	"kdlocks/web/engine"
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
	var progress js.Value
	opt := engine.Options{Version: inspect.Version(), Progress: func(stage string, done, total int64) {
		if progress.Type() == js.TypeFunction {
			progress.Invoke(stage, float64(done), float64(total))
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
	// kdlocksCall(name, args, inputs, progress) returns {bytes} or {error, kind}.
	js.Global().Set("kdlocksCall", js.FuncOf(func(_ js.Value, args []js.Value) (out any) {
		defer func() {
			if p := recover(); p != nil {
				e = engine.New(opt)
				out = failed(fmt.Errorf("internal error: %v\n%s", p, debug.Stack()), "panic")
			}
		}()
		progress = args[3]
		var b bytes.Buffer
		err := e.Call(context.Background(), args[0].String(), json.RawMessage(args[1].String()), inputs(args[2]), &b)
		if err != nil {
			return failed(err, kindOf(err))
		}
		data := js.Global().Get("Uint8Array").New(b.Len())
		js.CopyBytesToJS(data, b.Bytes())
		return map[string]any{"bytes": data}
	}))
	js.Global().Get("kdlocksReady").Invoke()
	select {}
}

func failed(err error, kind string) any {
	return map[string]any{"error": kd.PlainLines(err.Error()), "kind": kind}
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

// inputs makes inputs of JavaScript objects with name, size and read(offset, length).
func inputs(list js.Value) []inspect.Input {
	out := make([]inspect.Input, list.Length())
	for i := range out {
		v := list.Index(i)
		size := int64(v.Get("size").Float())
		out[i] = inspect.Input{Name: v.Get("name").String(), Data: blob{v, size}, Size: size}
	}
	return out
}

// blob reads a Blob piece by piece, so that no more of it is in memory than is
// looked at.
type blob struct {
	v    js.Value
	size int64
}

func (b blob) ReadAt(p []byte, off int64) (int, error) {
	if off >= b.size {
		return 0, io.EOF
	}
	want := min(int64(len(p)), b.size-off)
	data := b.v.Call("read", float64(off), float64(want))
	if data.Type() != js.TypeObject {
		return 0, errors.New("the browser cannot read the file any more; it may have changed")
	}
	n := js.CopyBytesToGo(p, data)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
