package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"
)

// pack is a command of the scripts: pack gzip FROM TO, pack zstd FROM TO, or
// pack zip TO FROM... . A member named picture.png gets bytes of no text.
func pack(ts *testscript.TestScript, _ bool, args []string) {
	var b bytes.Buffer
	to := args[len(args)-1]
	switch args[0] {
	case "gzip":
		w := gzip.NewWriter(&b)
		io.WriteString(w, ts.ReadFile(args[1]))
		ts.Check(w.Close())
	case "zstd":
		w, err := zstd.NewWriter(&b)
		ts.Check(err)
		io.WriteString(w, ts.ReadFile(args[1]))
		ts.Check(w.Close())
	case "zip":
		to = args[1]
		packZip(ts, &b, args[2:])
	}
	ts.Check(os.WriteFile(ts.MkAbs(to), b.Bytes(), 0o666))
}

func packZip(ts *testscript.TestScript, b *bytes.Buffer, names []string) {
	z := zip.NewWriter(b)
	for _, name := range names {
		w, err := z.Create(name)
		ts.Check(err)
		if name == "picture.png" {
			w.Write([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01"))
			continue
		}
		io.WriteString(w, ts.ReadFile(name))
	}
	ts.Check(z.Close())
}

// truncate is a command of the scripts: truncate FROM TO writes the first half.
func truncate(ts *testscript.TestScript, _ bool, args []string) {
	data := ts.ReadFile(args[0])
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(data[:len(data)/2]), 0o666))
}
