package main

import (
	"os/exec"
	"runtime"
)

// openBrowser shows a page in the user's browser. It does not wait; failed is told if
// there is none.
func openBrowser(url string, failed func(error)) {
	args := []string{"xdg-open", url}
	switch runtime.GOOS {
	case "windows":
		args = []string{"rundll32", "url.dll,FileProtocolHandler", url}
	case "darwin":
		args = []string{"open", url}
	}
	cmd := exec.Command(args[0], args[1:]...)
	if err := cmd.Start(); err != nil {
		failed(err)
		return
	}
	go func() {
		if err := cmd.Wait(); err != nil {
			failed(err)
		}
	}()
}
