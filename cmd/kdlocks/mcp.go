package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"kdlocks/inspect"
	"kdlocks/mcp"
	"kdlocks/open"
)

// mostUnpacked bounds what the server unpacks for one call, unless --max-size says
// otherwise: nobody watches it.
const mostUnpacked = 1 << 30

func (a *app) mcpCommand() *cobra.Command {
	var files string
	var limit time.Duration
	cmd := &cobra.Command{
		Use:   "mcp",
		Short: "Serve an assistant by the Model Context Protocol, over standard input and output",
		Long: `mcp offers analyze, resolve, explain, compare and rules to an assistant, by the Model
Context Protocol over standard input and output. It reads no files but those below
the folder of --files, opens no network connection, and keeps nothing.
docs/mcp.md tells how to register it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit <= 0 {
				return errors.New("--time-limit is not above 0")
			}
			if files == "" && cmd.Flags().Changed("files") {
				return errors.New("--files names no folder")
			}
			if !cmd.Flags().Changed("max-size") {
				a.max = mostUnpacked
			}
			return a.serveAssistant(cmd.Context(), files, limit)
		},
	}
	cmd.Flags().StringVar(&files, "files", "", "let the assistant name files below this folder; no link leads out of it")
	cmd.Flags().DurationVar(&limit, "time-limit", time.Minute, "how long one call may take")
	return cmd
}

func (a *app) serveAssistant(ctx context.Context, files string, limit time.Duration) error {
	opt := mcp.Options{Version: inspect.Version(), Rules: a.ruleSet, Sources: a.allSources, Today: today, TimeLimit: limit, Log: a.stderr}
	if files != "" {
		root, err := openRoot(files)
		if err != nil {
			return err
		}
		defer root.Close()
		opt.Open = func(ctx context.Context, paths []string) (*open.Set, error) {
			return open.Below(ctx, root, paths, open.Options{MaxSize: int64(a.max)})
		}
	}
	if err := a.startRules(); err != nil { // now, where somebody sees it
		return err
	}
	return mcp.Run(ctx, a.stdin, a.stdout, opt)
}

// openRoot opens a folder by its whole path, which it is called by.
func openRoot(dir string) (*os.Root, error) {
	whole, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(whole)
	if err != nil {
		return nil, fmt.Errorf("--files: %w", err)
	}
	return root, nil
}
