package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"
)

// TestAssistantInterrupted ends a server that waits for its client, as Ctrl-C does.
func TestAssistantInterrupted(t *testing.T) {
	fromTest, toServer := io.Pipe()
	toTest, fromServer := io.Pipe()
	var stderr bytes.Buffer
	ctx, interrupt := context.WithCancel(t.Context())
	code := make(chan int, 1)
	go func() { code <- run(ctx, []string{"mcp"}, fromTest, fromServer, &stderr) }()
	if _, err := io.WriteString(toServer, `{"jsonrpc":"2.0","id":1,"method":"ping"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(toTest).ReadString('\n')
	if err != nil || !strings.Contains(line, `"id":1,"result":{}`) {
		t.Fatalf("%q, %v", line, err)
	}
	interrupt()
	select {
	case got := <-code:
		if got != exitInterrupted || stderr.String() != "kdlocks: interrupted\n" {
			t.Errorf("exit code %d, standard error %q", got, stderr.String())
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end")
	}
}
