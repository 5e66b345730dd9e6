package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"kdlocks/inspect"
	"kdlocks/kd"
	"kdlocks/open"
	"kdlocks/redact"
	"kdlocks/report"
)

type redactOptions struct {
	redact.Options
	table   string // file that the way back is written to
	restore string // file that the way back is read from
}

func (a *app) redactCommand() *cobra.Command {
	var o redactOptions
	cmd := &cobra.Command{
		Use:   "redact FILE...|-",
		Short: "Replace names and addresses by pseudonyms, so that a log can be shared",
		Long: `redact prints the log with consistent pseudonyms for addresses, names, paths, machines, users, IPs, SIDs and
GUIDs. All that the verdict rests on stays: what is equal, the order and the low bits of addresses, the names of
Windows and of modules that rules know. kdlocks says of the redacted log what it says of the log, with pseudonyms.
Several files get the same pseudonyms. The result is pseudonymous, not anonymous: look through it before you share
it. docs/redact.md tells what is replaced, what stays, and what can still be learned. Of a crash dump it redacts
what a debugger would print (-o kd). With -q nothing is told of it on standard error; the log is printed all the same.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && a.readsTerminal() {
				fmt.Fprint(a.stderr, cmd.UsageString())
				return errors.New("name a FILE, or pipe a log in")
			}
			if len(args) == 0 {
				args = []string{"-"}
			}
			if o.restore != "" {
				return a.restore(cmd.Context(), o, args)
			}
			return a.redact(cmd.Context(), o, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Key, "key", "", "a secret: logs that are redacted with the same one get the same names, as a rule")
	f.StringSliceVar(&o.Keep, "keep", nil, "a word that stays, such as the name of a driver; may be given again")
	f.StringVar(&o.table, "map", "", "write what each pseudonym stands for to this file, as JSON")
	f.StringVar(&o.restore, "restore", "", "the way back: read what --map wrote and put the names back into a text, such as an answer")
	return cmd
}

// redact writes the named logs with pseudonyms. All are read before the first is
// written.
func (a *app) redact(ctx context.Context, o redactOptions, names []string) error {
	set, err := a.open(ctx, names)
	if err != nil {
		return err // what is missing would lack its names in the others
	}
	if set.Inputs, err = inspect.Texts(ctx, set.Inputs, a.options(nil)); err != nil {
		return err
	}
	r := redact.New(o.Options)
	if err := r.Learn(ctx, set.Inputs); err != nil {
		return err
	}
	if o.table != "" {
		if err := writeTable(o.table, r.Table()); err != nil {
			return err
		}
	}
	for _, in := range set.Inputs {
		if err := a.writeRedacted(ctx, r, in, len(set.Inputs) > 1); err != nil {
			return err
		}
	}
	a.note(set.Grown())
	a.note(redactNotes(r.Summary()))
	return nil
}

func (a *app) writeRedacted(ctx context.Context, r *redact.Redactor, in inspect.Input, several bool) error {
	if several {
		if _, err := fmt.Fprintf(a.stdout, "Opened log file '%s'\n", r.Text(report.Plain(in.Name))); err != nil {
			return err
		}
	}
	return r.Write(ctx, a.stdout, in)
}

// redactNotes tell what was replaced, and what to look at.
func redactNotes(s redact.Summary) []string {
	notes := []string{fmt.Sprintf("%s: %s replaced in %s, %s in %s, %s in %s", kd.Plural(int(s.Lines), "line"),
		kd.Plural(s.Names, "name"), kd.Plural(int(s.Words), "place"), kd.Plural(s.Numbers, "ID"), kd.Plural(int(s.IDs), "place"), "addresses", kd.Plural(int(s.Addresses), "place"))}
	if s.NotUnderstood > 0 {
		notes = append(notes, fmt.Sprintf("%s nobody understood: words that are no debugger's were replaced there as everywhere, and numbers of five digits or more; look through them before you share the log", kd.Plural(int(s.NotUnderstood), "line")))
	}
	if s.Unmoved > 0 {
		notes = append(notes, fmt.Sprintf("%s of addresses stayed: the log leaves them no room to move to", kd.Plural(int(s.Unmoved), "place")))
	}
	if s.Merged > 0 {
		notes = append(notes, fmt.Sprintf("%s share a pseudonym with others: there are too many so short", kd.Plural(s.Merged, "name")))
	}
	return notes
}

func writeTable(path string, t *redact.Table) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("--map %s: the file is there; it is not overwritten", path)
	}
	if err != nil {
		return err
	}
	e := json.NewEncoder(f)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return errors.Join(e.Encode(t), f.Close())
}

// restore puts back into texts what a table says.
func (a *app) restore(ctx context.Context, o redactOptions, names []string) error {
	if o.Key != "" || o.Keep != nil || o.table != "" {
		return errors.New("--restore goes with no other flag of redact")
	}
	data, err := os.ReadFile(o.restore)
	if err != nil {
		return err
	}
	var t redact.Table
	if err := json.Unmarshal(data, &t); err != nil {
		return fmt.Errorf("%s: %w", o.restore, err)
	}
	back, err := redact.NewRestorer(&t)
	if err != nil {
		return fmt.Errorf("%s: %w", o.restore, err)
	}
	set, err := open.Inputs(ctx, names, open.Options{Stdin: a.stdin, MaxSize: int64(a.max)})
	a.keep(set)
	if err != nil {
		return err
	}
	for _, in := range set.Inputs {
		if err := back.Write(ctx, a.stdout, in); err != nil {
			return err
		}
	}
	return nil
}
