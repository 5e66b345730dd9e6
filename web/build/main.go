// Command build makes the page of kdlocks for those who do not run kdlocks serve:
//
//	go run ./web/build engine             the engine as WebAssembly, for go build -tags engine
//	go run ./web/build site -to DIR       a folder for any static host
//	go run ./web/build offline -to FILE   one HTML file that needs nothing else
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("name what to make: engine, site or offline")
	}
	dir, err := engineDir()
	if err != nil {
		return err
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	defaults := map[string]string{"engine": dir, "site": "build/site", "offline": "build/kdlocks.html"}
	to := flags.String("to", defaults[args[0]], "where the result goes")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is too much", flags.Arg(0))
	}
	switch args[0] {
	case "engine":
		return makeEngine(*to)
	case "site":
		return makeSite(*to)
	case "offline":
		return makeOffline(*to)
	}
	return fmt.Errorf("%q is not one of engine, site, offline", args[0])
}
