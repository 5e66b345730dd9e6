package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"kdlocks/inspect"
	"kdlocks/open"
	"kdlocks/report"
	"kdlocks/rules"
)

// work is what a request asks for. It writes the answer, and may say beside it what the
// user should know.
type work struct {
	format format
	// size is how many bytes of input there are, packed whether they are to be unpacked.
	size   int64
	packed bool
	run    func(ctx context.Context, j *job, w io.Writer) (told, error)
}

// told is what stands beside an answer: what could not be read, what was left out, and
// its type, "" for that of the format.
type told struct {
	trouble error
	notes   []string
	kind    string
}

// do waits for its turn, works, and sends the answer. What is worked with is let go by
// free before the answer is sent, which may take a client long.
func (s *Server) do(w http.ResponseWriter, r *http.Request, x work, free func()) error {
	answer := s.store.answer(s.limits.Answer)
	defer answer.close()
	t, err := s.work(r.Context(), x, answer)
	free()
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", cmp.Or(t.kind, x.format.kind))
	h.Set("Content-Length", strconv.FormatInt(answer.size, 10))
	h.Set("Cache-Control", "no-store")
	if x.format.attach != "" {
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": x.format.attach}))
	}
	if t.trouble != nil {
		h.Set("Kdlocks-Trouble", lines(strings.Split(t.trouble.Error(), "\n")))
	}
	if len(t.notes) > 0 {
		h.Set("Kdlocks-Notes", lines(t.notes))
	}
	_, err = io.Copy(w, io.NewSectionReader(answer, 0, answer.size))
	return err
}

// work runs when there is a place for it.
func (s *Server) work(ctx context.Context, x work, answer *spool) (told, error) {
	way, light := s.large, x.size <= smallInput && !x.packed
	if light {
		way = s.small
	}
	leave, err := way.enter(ctx)
	if err != nil {
		return told{}, err
	}
	defer leave()
	s.metrics.running.Add(1)
	defer s.metrics.running.Add(-1)
	ctx, cancel := context.WithTimeoutCause(ctx, s.limits.Time, errTime)
	defer cancel()
	ctx, j := s.guard.begin(ctx, light)
	defer s.guard.end(j)
	defer context.AfterFunc(s.stopping, func() { j.stop(errStop) })()
	s.guard.weighs(j, x.size)
	t, err := x.run(ctx, j, writing{ctx, answer})
	if err != nil && ctx.Err() != nil {
		return t, context.Cause(ctx)
	}
	return t, err
}

// writing writes an answer until ctx is done.
type writing struct {
	ctx context.Context
	to  *spool
}

func (w writing) Write(p []byte) (int, error) {
	if w.ctx.Err() != nil {
		return 0, context.Cause(w.ctx)
	}
	if err := w.to.write(w.ctx, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// lines puts lines of text into a header: a JSON list in ASCII, of the first lines.
func lines(list []string) string {
	const most, longest = 10, 300
	var out []string
	for i, line := range list {
		if i == most {
			out = append(out, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		line = report.Plain(line)
		if len(line) > longest {
			line = strings.ToValidUTF8(line[:longest], "") + "..."
		}
		out = append(out, line)
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err) // strings have a form in JSON
	}
	return ascii(string(text))
}

// ascii writes what is beyond ASCII the way JSON can.
func ascii(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c < 0x80:
			b.WriteRune(c)
		case c > 0xffff:
			c -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+c>>10, 0xdc00+c&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	return b.String()
}

// weigh says how much there is to do for inputs.
func (x *work) weigh(ins []inspect.Input) {
	for _, in := range ins {
		x.size += in.Size
		x.packed = x.packed || packingOf(in) != ""
	}
}

// packingOf says how an input is packed.
func packingOf(in inspect.Input) string {
	head := make([]byte, 8)
	n, _ := in.Data.ReadAt(head, 0) // what cannot be read is told when it is opened
	return open.Packing(head[:n])
}

// isOurs reports whether an error has a meaning for problemOf.
func isOurs(err error) bool {
	for _, known := range []error{
		inspect.ErrNothing, inspect.ErrNotText, open.ErrLimit, errMemory, errTime, errStop, errNoRoom, errTooBig, context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	return rules.ProblemsOf(err) != nil
}

// unreadable keeps errors with a meaning; any other tells of inputs that cannot be read.
func unreadable(err error) error {
	if isOurs(err) {
		return err
	}
	return trouble(http.StatusUnprocessableEntity, "unreadable", "%s", plain(err))
}
