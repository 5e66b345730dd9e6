//go:build js && wasm

// Package bridge lets the page call a program that runs in one of its workers. See
// web/page/app/worker.js for the other side.
package bridge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"syscall/js"

	"kdlocks/kd"
)

// Call is what the page asks for.
type Call struct {
	Name   string
	Args   json.RawMessage
	Inputs []Blob
	// Progress tells the page how far the call is, in bytes.
	Progress func(stage string, done, total int64)
}

// Blob is an input of a call. It is read piece by piece, so that no more of it is in memory
// than is looked at.
type Blob struct {
	Name string
	Size int64
	v    js.Value
}

// ReadAt reads the blob as a file.
func (b Blob) ReadAt(p []byte, off int64) (int, error) {
	if off >= b.Size {
		return 0, io.EOF
	}
	want := min(int64(len(p)), b.Size-off)
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

// Serve answers calls, and does not return. An error has a kind beside its text; of a call
// that panics it is "panic", and then again makes all anew.
func Serve(answer func(c Call, w io.Writer) error, kind func(error) string, again func()) {
	// kdlocksCall(name, args, inputs, progress) returns {bytes} or {error, kind}.
	js.Global().Set("kdlocksCall", js.FuncOf(func(_ js.Value, args []js.Value) (out any) {
		defer func() {
			if p := recover(); p != nil {
				again()
				out = failed(fmt.Errorf("internal error: %v\n%s", p, debug.Stack()), "panic")
			}
		}()
		c := Call{Name: args[0].String(), Args: json.RawMessage(args[1].String()), Inputs: blobs(args[2])}
		c.Progress = func(stage string, done, total int64) { args[3].Invoke(stage, float64(done), float64(total)) }
		var b bytes.Buffer
		if err := answer(c, &b); err != nil {
			return failed(err, kind(err))
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

// blobs are JavaScript objects with name, size and read(offset, length).
func blobs(list js.Value) []Blob {
	out := make([]Blob, list.Length())
	for i := range out {
		v := list.Index(i)
		out[i] = Blob{v.Get("name").String(), int64(v.Get("size").Float()), v}
	}
	return out
}
