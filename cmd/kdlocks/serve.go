package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kdlocks/inspect"
	"kdlocks/rules"
	"kdlocks/web"
	"kdlocks/web/page"
)

type serveOptions struct {
	addr      string
	noOpen    bool
	token     string
	public    bool
	hosts     []string
	maxBody   byteSize
	maxMemory byteSize
	timeout   time.Duration
	jobs      int
	verbose   bool
}

// servedSize is what comes out of the packed files of one request at most, unless
// --max-size says otherwise.
const servedSize = 1 << 30

func (a *app) serveCommand() *cobra.Command {
	opt := serveOptions{maxBody: 256 << 20}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the page that logs are pasted into, and the API beside it",
		Long: `Serve shows the page in the browser: paste a log, and read the verdict. It listens on
this machine alone unless --addr says otherwise; then clients must send a token (--token),
or anyone who reaches it may use it (--public): their logs take its time and memory, within
the limits below. Nothing that is sent is logged or kept. --max-size is 1G here, for each
request. docs/serve.md tells of the API.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("max-size") {
				a.max = servedSize
			}
			return a.serve(cmd.Context(), &opt)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opt.addr, "addr", "127.0.0.1:8080", "address and port to listen on; port 0 takes a free one")
	f.BoolVar(&opt.noOpen, "no-open", false, "open no browser")
	f.StringVar(&opt.token, "token", "", "what clients of the API must send as Authorization: Bearer TEXT; @FILE reads it from there")
	f.BoolVar(&opt.public, "public", false, "listen for others without a token: anyone who reaches it can use its time and memory")
	f.StringArrayVar(&opt.hosts, "host", nil, "a name that the server is called by, such as that of a proxy; may be given again")
	f.Var(&opt.maxBody, "max-body", "most that a request has")
	f.Var(&opt.maxMemory, "max-memory", "most memory; analyses that need more are ended; 0 is 512M and 256M for each of --jobs")
	f.DurationVar(&opt.timeout, "timeout", 60*time.Second, "most time that an analysis takes")
	f.IntVar(&opt.jobs, "jobs", 0, "analyses at a time, and as many of small logs beside them; 0 is the number of processors")
	f.BoolVar(&opt.verbose, "verbose", false, "tell of each request: method, route, code and milliseconds")
	return cmd
}

// serve serves until ctx is done.
func (a *app) serve(ctx context.Context, opt *serveOptions) error {
	if opt.jobs < 0 || opt.timeout <= 0 {
		return errors.New("--jobs and --timeout are more than 0")
	}
	token, err := tokenOf(opt.token)
	if err != nil {
		return err
	}
	addr, err := listenAddress(opt.addr)
	if err != nil {
		return err
	}
	if !addr.IP.IsLoopback() && token == "" && !opt.public {
		return fmt.Errorf("--addr %s can be reached from elsewhere\nhint: add --token TEXT or --token @FILE, or --public, by which anyone who reaches it can use its time and memory", opt.addr)
	}
	sources, err := a.allSources()
	if err != nil {
		return err
	}
	if sources == nil {
		sources = []rules.Source{} // no rules were asked for
	}
	wopt := web.Options{
		Page: page.Files(), Rules: sources, Today: today, Version: inspect.Version(), Hosts: opt.hosts, Token: token, Errors: a.stderr,
		Limits: web.Limits{Body: int64(opt.maxBody), Unpacked: int64(a.max), Memory: int64(opt.maxMemory), Time: opt.timeout, Jobs: opt.jobs},
	}
	if opt.verbose {
		wopt.Access = a.stderr
	}
	srv, err := web.New(wopt)
	if err != nil {
		return err
	}
	network := "tcp"
	if addr.IP.To4() != nil {
		network = "tcp4" // who names an address of IPv4 does not ask for IPv6
	}
	ln, err := net.ListenTCP(network, addr)
	if err != nil {
		return notListening(opt.addr, err)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(web.SoftMemory(srv.Limits().Memory))
	}
	a.announce(ln.Addr().(*net.TCPAddr), opt, token)
	a.patient.Store(true)
	return srv.Serve(ctx, ln)
}

// announce prints the address and opens it.
func (a *app) announce(addr *net.TCPAddr, opt *serveOptions, token string) {
	shown := *addr
	if shown.IP.IsUnspecified() {
		shown.IP = net.IPv4(127, 0, 0, 1)
	}
	url := "http://" + shown.String() + "/"
	if !a.quiet {
		fmt.Fprintln(a.stdout, url)
	}
	switch {
	case addr.IP.IsLoopback():
	case token == "":
		a.note([]string{fmt.Sprintf("listens on %s for anyone who reaches it (--public): they can use its time and memory; nothing that they send is kept", addr)})
	default:
		a.note([]string{fmt.Sprintf("listens on %s for those who have the token; put a proxy with TLS in front of it: the token and the logs pass the network as they are", addr)})
	}
	if token != "" && len(token) < 16 {
		a.note([]string{"the token is short and can be guessed"})
	}
	a.note([]string{"Ctrl-C ends it"})
	if opt.noOpen {
		return
	}
	openBrowser(url, func(err error) {
		a.note([]string{fmt.Sprintf("no browser was opened (%v): go to %s", err, url)})
	})
}

// tokenOf reads the token where it stands in a file.
func tokenOf(flag string) (string, error) {
	name, isFile := strings.CutPrefix(flag, "@")
	if !isFile {
		return flag, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("--token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("--token: %s holds no token: one word is expected", name)
	}
	return token, nil
}

func listenAddress(addr string) (*net.TCPAddr, error) {
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--addr %s: an address and a port such as 127.0.0.1:8080 is expected: %w", addr, err)
	}
	if a.IP == nil {
		a.IP = net.IPv6unspecified
	}
	return a, nil
}

// notListening says why a port cannot be had.
func notListening(addr string, err error) error {
	const windowsInUse = syscall.Errno(10048) // WSAEADDRINUSE
	if errors.Is(err, syscall.EADDRINUSE) || runtime.GOOS == "windows" && errors.Is(err, windowsInUse) {
		return fmt.Errorf("--addr %s: another program listens there, perhaps kdlocks itself\nhint: --addr 127.0.0.1:0 takes a free port", addr)
	}
	return fmt.Errorf("--addr %s: %w", addr, err)
}
