package redact_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"kdlocks/redact"
	"kdlocks/transcript"
)

func Example() {
	ctx := context.Background()
	inputs := []transcript.Input{transcript.Bytes("hang.log", []byte("0: kd> lmvm acmeflt\nfffff880`01122000 fffff880`01133000   acmeflt\n"))}

	r := redact.New(redact.Options{})
	if err := r.Learn(ctx, inputs); err != nil { // all inputs of one case, once
		fmt.Println(err)
		return
	}
	var shared strings.Builder
	if err := r.Write(ctx, &shared, inputs[0]); err != nil { // the redacted log
		fmt.Println(err)
		return
	}
	fmt.Println("names in the log:", r.Summary().Names) // what Write replaced so far
	fmt.Println("the driver is still named:", strings.Contains(shared.String(), "acmeflt"))

	// The same pseudonyms in a text that was made of the inputs, and the way back.
	answer := r.Text("look at fffff880`01122334 in acmeflt")
	back, err := redact.NewRestorer(r.Table())
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := back.Write(ctx, os.Stdout, transcript.Bytes("answer", []byte(answer))); err != nil {
		fmt.Println(err)
	}
	// Output:
	// names in the log: 1
	// the driver is still named: false
	// look at fffff880`01122334 in acmeflt
}
