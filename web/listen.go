package web

import (
	"context"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Bounds of the end: how long running requests may take to finish, and then to notice
// that they are ended.
const (
	finishTime = 10 * time.Second
	endTime    = 2 * time.Second
)

// Serve answers what comes to a listener until ctx is done, then lets running requests
// come to their end, for a while. It closes the listener. The error is that of the
// listener; there is none when ctx was done.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	s.hosts.listen(ln.Addr())
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    mostHeader,
		ErrorLog:          log.New(s.opt.Errors, "kdlocks: ", 0),
	}
	watching, unwatch := context.WithCancel(context.Background())
	var watch sync.WaitGroup
	watch.Go(func() { s.guard.watch(watching) })
	defer func() { unwatch(); watch.Wait() }()
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(&limited{Listener: ln, places: make(chan struct{}, s.limits.Connections)}) }()
	select {
	case err := <-ended:
		s.stop()
		return err
	case <-ctx.Done():
	}
	s.shutdown(srv)
	<-ended
	return nil
}

func (s *Server) shutdown(srv *http.Server) {
	for _, time := range []time.Duration{finishTime, endTime} {
		ctx, cancel := context.WithTimeout(context.Background(), time)
		err := srv.Shutdown(ctx)
		cancel()
		s.stop()
		if err == nil {
			return
		}
	}
	srv.Close()
}

// limited is a listener of which so many connections are open at a time; the others
// wait until one ends.
type limited struct {
	net.Listener
	places chan struct{}
}

// Accept waits for a place before it waits for a connection; a listener that is
// closed meanwhile is noticed when a place comes free.
func (l *limited) Accept() (net.Conn, error) {
	l.places <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &placed{Conn: c, leave: sync.OnceFunc(func() { <-l.places })}, nil
}

type placed struct {
	net.Conn
	leave func()
}

// CloseWrite lets the HTTP server send a last answer to a client that still sends.
func (c *placed) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close makes room for another connection.
func (c *placed) Close() error {
	err := c.Conn.Close()
	c.leave()
	return err
}
