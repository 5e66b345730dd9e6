package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// What is promised of kdlocks serve: its memory, whatever is sent to it, and that
// others are served meanwhile.
const (
	promisedServeBase = 512 << 20
	promisedServeJob  = 256 << 20 // for each processor
	promisedOthers    = time.Second
)

// served is a server that runs, and what is sent to it.
type served struct {
	l    *lab
	url  string
	addr string
	http *http.Client
}

// load is one way to press a server. It says what became of what was sent.
type load struct {
	name string
	run  func(*served, context.Context) (string, error)
}

func (l *lab) loads() []load {
	return []load{
		{"64 clients with small logs", (*served).manyClients},
		{"300 slow and half-open clients", (*served).slowClients},
		{"64 clients who take no answer", (*served).slowReaders},
		{fmt.Sprintf("64 gzips of %s of zeros", size(l.sizes.unpacked)), (*served).zeros},
		{fmt.Sprintf("8 gzips of %s of prompts", size(l.sizes.unpacked*2/5)), (*served).prompts},
		{fmt.Sprintf("100 bodies of %s at once", size(l.sizes.body)), (*served).largeBodies},
	}
}

// serve presses a server of its own with each load, while others send it a small log.
func (l *lab) serve(ctx context.Context) ([]row, error) {
	l.dropMain()
	var rows []row
	for _, load := range l.loads() {
		l.say("  %s", load.name)
		r, err := l.pressed(ctx, load)
		if ctx.Err() != nil {
			return rows, ctx.Err()
		}
		if err != nil {
			r = row{figure: "serve, " + load.name, measured: "failed: " + firstLine(err.Error()), held: notHeld}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func (l *lab) pressed(ctx context.Context, load load) (row, error) {
	cmd := exec.CommandContext(ctx, l.program, "serve", "--no-open", "--addr", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", cores()), "TMPDIR="+l.dir)
	var said complaint
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return row{}, err
	}
	if err := cmd.Start(); err != nil {
		return row{}, err
	}
	defer cmd.Process.Kill()
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return row{}, fmt.Errorf("it does not start: %s", said.text)
	}
	url = strings.TrimSpace(url)
	s := &served{l: l, url: url, addr: strings.Trim(strings.TrimPrefix(url, "http://"), "/"), http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 200}}}
	o := s.others(ctx)
	begin := time.Now()
	became, err := load.run(s, ctx)
	took := time.Since(begin)
	o.end()
	s.http.CloseIdleConnections()
	if err != nil {
		return row{}, err
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		return row{}, err
	}
	if err := cmd.Wait(); err != nil {
		return row{}, fmt.Errorf("%w: %s", err, said.text)
	}
	peak, most := peakMemory(cmd.ProcessState), int64(promisedServeBase)+promisedServeJob*int64(cores())
	held := holds(peak <= most && o.refused == 0 && o.slow <= promisedOthers)
	if peak == 0 {
		held = unknown
	}
	return row{
		figure:   "serve, " + load.name,
		measured: fmt.Sprintf("peak memory %s; %s in %s; %s", mib(peak), became, round(took), o),
		promised: fmt.Sprintf("at most %s; all other clients served, 99 of 100 in %s", mib(most), round(promisedOthers)),
		held:     held,
	}, nil
}

// others are clients who want a small log analysed while the load is on.
type others struct {
	stop    chan struct{}
	done    sync.WaitGroup
	took    []time.Duration
	refused int
	answer  int           // to the last that was refused, 0 if there was none
	slow    time.Duration // of 99 of 100 none took longer
}

const smallLog = "0: kd> !locks\n**** DUMP OF ALL RESOURCE OBJECTS ****\nKD: Scanning for held locks.\n\nResource @ 0xfffffa8011ef1de8    Exclusively owned\n" +
	"    Contention Count = 5\n    NumberOfExclusiveWaiters = 1\n     Threads: fffffa8016910b60-01<*> \n     Threads Waiting On Exclusive Access:\n              fffffa8016920b60\n"

func (s *served) others(ctx context.Context) *others {
	o := &others{stop: make(chan struct{})}
	o.done.Go(func() {
		for {
			begin := time.Now()
			if code := s.post(ctx, strings.NewReader(smallLog)); code != http.StatusOK {
				o.refused++
				o.answer = code
			}
			o.took = append(o.took, time.Since(begin))
			select {
			case <-o.stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	return o
}

func (o *others) end() {
	close(o.stop)
	o.done.Wait()
	slices.Sort(o.took)
	o.slow = o.took[len(o.took)*99/100]
}

func (o *others) String() string {
	refused := ""
	if o.refused > 0 {
		refused = fmt.Sprintf(", %d refused (%d)", o.refused, o.answer)
	}
	return fmt.Sprintf("others: %d served%s, median %s, 99 of 100 within %s, slowest %s",
		len(o.took)-o.refused, refused, round(o.took[len(o.took)/2]), round(o.slow), round(o.took[len(o.took)-1]))
}

// post sends a body and returns the status, 0 if there is none.
func (s *served) post(ctx context.Context, body io.Reader) int {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"api/v1/analyze?output=markdown", body)
	if err != nil {
		return 0
	}
	if f, ok := body.(*io.SectionReader); ok {
		r.ContentLength = f.Size()
	}
	answer, err := s.http.Do(r)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

// all sends many bodies at once and counts the answers.
func (s *served) all(ctx context.Context, clients, each int, body func() io.Reader) string {
	var mu sync.Mutex
	codes := make(map[int]int)
	var done sync.WaitGroup
	for range clients {
		done.Go(func() {
			for range each {
				code := s.post(ctx, body())
				mu.Lock()
				codes[code]++
				mu.Unlock()
			}
		})
	}
	done.Wait()
	var parts []string
	for _, code := range []int{0, 200, 413, 422, 503} {
		if n := codes[code]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d x %s", n, choose(code == 0, "no answer", fmt.Sprint(code))))
		}
	}
	return strings.Join(parts, ", ")
}

func (s *served) manyClients(ctx context.Context) (string, error) {
	return s.all(ctx, 64, 100, func() io.Reader { return strings.NewReader(smallLog) }), nil
}

// patience is longer than the server has with slow clients.
const patience = 15 * time.Second

// slowClients are some who send a byte now and then, some who stop in the middle of the
// body, and some who never end their header. All must be let go.
func (s *served) slowClients(ctx context.Context) (string, error) {
	const head = "POST /api/v1/analyze HTTP/1.1\r\nHost: localhost\r\n"
	var done sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for i := range 300 {
		done.Go(func() {
			err := s.slowClient(ctx, i%3, head)
			mu.Lock()
			failed = errors.Join(failed, err)
			mu.Unlock()
		})
	}
	done.Wait()
	return "all let go", failed
}

func (s *served) slowClient(ctx context.Context, kind int, head string) error {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	text := []string{head, head + "Content-Length: 100000000\r\n\r\n" + strings.Repeat("x", 50_000), head + "Content-Length: 100000000\r\n\r\n"}[kind]
	if _, err := io.WriteString(c, text); err != nil {
		return err
	}
	c.SetDeadline(time.Now().Add(s.l.sizes.hold))
	if kind == 2 {
		go func() {
			for {
				if _, err := io.WriteString(c, "x"); err != nil {
					return
				}
				time.Sleep(200 * time.Millisecond)
			}
		}()
	}
	_, err = io.Copy(io.Discard, c)
	var late net.Error
	if errors.As(err, &late) && late.Timeout() && s.l.sizes.hold > patience {
		return errors.New("a slow client holds its connection")
	}
	return nil // also when the connection was reset
}

// slowReaders send a log with a large report and do not read it.
func (s *served) slowReaders(ctx context.Context) (string, error) {
	var log bytes.Buffer
	log.WriteString("0: kd> !locks\n")
	for i := range uint64(20_000) {
		fmt.Fprintf(&log, "Resource @ 0x%016x    Exclusively owned\n     Threads: %016x-01<*> \n", 0xfffffa8011000000+i*128, 0xfffffa8016900000+i*4096)
	}
	var done sync.WaitGroup
	for range 64 {
		done.Go(func() {
			c, err := new(net.Dialer).DialContext(ctx, "tcp", s.addr)
			if err != nil {
				return
			}
			defer c.Close()
			fmt.Fprintf(c, "POST /api/v1/analyze HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", log.Len(), log.Bytes())
			time.Sleep(s.l.sizes.hold)
		})
	}
	done.Wait()
	return "all let go", nil
}

// packed writes text again and again to a gzip in memory, until so many bytes are in it.
func packed(text []byte, bytesIn int64) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	many := bytes.Repeat(text, max(1, (1<<20)/len(text)))
	for n := int64(0); n < bytesIn; n += int64(len(many)) {
		if _, err := z.Write(many); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), z.Close()
}

func (s *served) zeros(ctx context.Context) (string, error) {
	data, err := packed(make([]byte, 1<<16), s.l.sizes.unpacked)
	return s.all(ctx, 64, 1, func() io.Reader { return bytes.NewReader(data) }), err
}

// prompts make the most of memory of all that is known.
func (s *served) prompts(ctx context.Context) (string, error) {
	data, err := packed([]byte("0: kd> !locks\n"), s.l.sizes.unpacked*2/5)
	return s.all(ctx, 8, 1, func() io.Reader { return bytes.NewReader(data) }), err
}

func (s *served) largeBodies(ctx context.Context) (string, error) {
	g, err := s.l.log(ctx, s.l.sizes.body, "")
	defer g.remove()
	if err != nil {
		return "", err
	}
	f, err := os.Open(filepath.Clean(g.path))
	if err != nil {
		return "", err
	}
	defer f.Close()
	return s.all(ctx, 100, 1, func() io.Reader { return io.NewSectionReader(f, 0, g.bytes) }), nil
}
