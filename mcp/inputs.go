package mcp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"kdlocks/inspect"
	"kdlocks/open"
	"kdlocks/report"
)

// Input is what a tool looks at, told in one of three ways.
type Input struct {
	Text   string   `json:"text,omitempty" jsonschema:"Debugger output as it was printed, prompts and commands included. Give one of text, pieces and paths."`
	Name   string   `json:"name,omitempty" jsonschema:"What to call text in the answer; places in it are NAME:LINE:COLUMN. Default: input."`
	Pieces []Piece  `json:"pieces,omitempty" jsonschema:"Several pieces of output of the same machine and moment, which are read as one case, in their order."`
	Paths  []string `json:"paths,omitempty" jsonschema:"Files, folders, patterns or archives (gz, zst, zip, 7z) below the folder that the server was started with (kdlocks mcp --files DIR). A server that was started without one reads no files."`
}

// Piece is one of several texts.
type Piece struct {
	Name string `json:"name,omitempty" jsonschema:"What to call it in the answer. Default: piece 1, piece 2, ..."`
	Text string `json:"text" jsonschema:"Debugger output as it was printed."`
}

// opened are inputs and what is to be said of them.
type opened struct {
	inputs []inspect.Input
	// trouble says what could not be read, beside what could.
	trouble error
	set     *open.Set // nil for text
}

// notes says what was left out of files.
func (o *opened) notes() []string {
	if o.set == nil {
		return nil
	}
	return append(o.set.Notes, o.set.Grown()...)
}

func (o *opened) close() {
	if o.set != nil {
		o.set.Close()
	}
}

// open makes inputs of what a call gives.
func (s *server) open(ctx context.Context, in *Input) (*opened, error) {
	given := 0
	for _, yes := range []bool{in.Text != "", len(in.Pieces) > 0, len(in.Paths) > 0} {
		if yes {
			given++
		}
	}
	switch {
	case given == 0:
		return nil, errors.New("nothing to look at: pass the debugger's output as text, several outputs as pieces, or files as paths")
	case given > 1:
		return nil, errors.New("pass one of text, pieces and paths; several texts go into pieces")
	case in.Name != "" && in.Text == "":
		return nil, errors.New("name is that of text; pieces have names of their own")
	case len(in.Paths) > 0:
		return s.openPaths(ctx, in.Paths)
	}
	pieces := in.Pieces
	if in.Text != "" {
		pieces = []Piece{{Name: in.Name, Text: in.Text}}
		if in.Name == "" {
			pieces[0].Name = "input"
		}
	}
	return openPieces(pieces)
}

// longestName bounds the characters of a name.
const longestName = 200

// mostPieces bounds the pieces of one call.
const mostPieces = 1000

func openPieces(pieces []Piece) (*opened, error) {
	if len(pieces) > mostPieces {
		return nil, fmt.Errorf("%d pieces: at most %d are taken", len(pieces), mostPieces)
	}
	out, size, seen := &opened{}, 0, make(map[string]bool)
	for i, p := range pieces {
		name := p.Name
		if name == "" {
			name = fmt.Sprintf("piece %d", i+1)
		}
		switch {
		case p.Text == "":
			return nil, fmt.Errorf("piece %d has no text", i+1)
		case utf8.RuneCountInString(name) > longestName:
			return nil, fmt.Errorf("the name of piece %d has more than %d characters", i+1, longestName)
		case seen[name]:
			return nil, fmt.Errorf("two pieces have the name %q: places could not be told apart", name)
		}
		seen[name] = true
		size += len(p.Text)
		out.inputs = append(out.inputs, inspect.Input{Name: name, Data: strings.NewReader(p.Text), Size: int64(len(p.Text))})
	}
	if size > mostText {
		return nil, fmt.Errorf("%d MiB of text: at most %d MiB are taken; have kdlocks mcp started with --files DIR and pass paths", size>>20, mostText>>20)
	}
	return out, nil
}

func (s *server) openPaths(ctx context.Context, paths []string) (*opened, error) {
	if s.Open == nil {
		return nil, errors.New("this server reads no files: it was started without --files DIR. Pass the text itself as text or pieces, or have it started as kdlocks mcp --files DIR")
	}
	set, err := s.Open(ctx, paths)
	if err != nil && len(set.Inputs) == 0 {
		set.Close()
		return nil, err
	}
	return &opened{inputs: set.Inputs, trouble: err, set: set}, nil
}

// unreadable words the error of inputs in which nothing was recognised.
func unreadable(err error) error {
	switch {
	case errors.Is(err, inspect.ErrNothing):
		commands := quickCommands()
		if advice := inspect.Advice(err); advice.ID != report.NothingRead.ID {
			commands = advice.Commands
		}
		return fmt.Errorf("%w. Nothing can be said of it, neither that there is a deadlock nor that there is none. Pass the output of %s as the debugger printed it, with its prompts", err, strings.Join(commands, ", "))
	case err == nil:
		return errors.New("nothing was recognised")
	}
	return err
}
