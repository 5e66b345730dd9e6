package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"kdlocks": func() {
			main()
		},
	})
}

// TestScripts runs the command line as a user does. $LOGS is testdata.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"pack": pack, "truncate": truncate},
		Setup: func(e *testscript.Env) error {
			dir, err := os.Getwd()
			e.Setenv("LOGS", dir+"/../../testdata")
			return err
		},
	})
}
