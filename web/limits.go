package web

import (
	"fmt"
	"runtime"
	"time"
)

// Limits bound what clients can make the server do. A zero stands for the default.
type Limits struct {
	Body     int64 // bytes of a request; 256 MiB
	Unpacked int64 // bytes that come out of the packed files of a request; 1 GiB
	Answer   int64 // bytes of an answer; 1 GiB
	Parts    int   // of a multipart request; 200

	Time  time.Duration // of the work for a request, without the sending and waiting; 60 s
	Jobs  int           // analyses at a time, and as many of small inputs beside them; GOMAXPROCS
	Queue int           // requests that wait for one of those; 128, and as many small ones
	Wait  time.Duration // how long a request waits, for that or for room; 30 s
	// Stall is how long a client may take to send, or to take, the next
	// LeastBytes; 10 s.
	Stall time.Duration
	// Connections are how many may be open at a time; 512.
	Connections int

	// Memory bounds the memory of the process in bytes, of which the heaviest
	// analyses are ended when it comes near; 512 MiB and 256 MiB for each of Jobs.
	Memory int64
	// Temp bounds the bytes of requests and answers in temporary files; 4 GiB. What
	// is unpacked comes to that: Jobs x Unpacked.
	Temp int64
}

// LeastBytes is what a client must send or take within Limits.Stall, unless less is left.
const LeastBytes = 160 << 10

// Bounds that are not worth an option.
const (
	keptInMemory  = 256 << 10 // bytes of a body or an answer
	allInMemory   = 64 << 20  // of all bodies and answers together
	mostHeader    = 32 << 10  // bytes of the header of a request
	mostPartHead  = 16 << 10  // bytes of the header of a part
	mostName      = 1 << 10   // bytes of the name of a file
	mostField     = 1 << 10   // bytes of a part that is no file
	mostArguments = 8 << 20   // bytes of the arguments of a page's call
	mostRules     = 4 << 20   // bytes of the rules of a request
	smallInput    = 1 << 20   // bytes of inputs that need not wait behind large ones
	unpackMemory  = 4 << 20   // bytes that a request unpacks into memory
	headerTime    = 10 * time.Second
	idleTime      = 60 * time.Second
	retryAfter    = 5 // seconds, told to those who are turned away
)

func (l *Limits) fill() {
	set(&l.Body, 256<<20)
	set(&l.Unpacked, 1<<30)
	set(&l.Answer, 1<<30)
	set(&l.Parts, 200)
	set(&l.Time, 60*time.Second)
	set(&l.Jobs, runtime.GOMAXPROCS(0))
	set(&l.Queue, 128)
	set(&l.Wait, 30*time.Second)
	set(&l.Stall, 10*time.Second)
	set(&l.Connections, 512)
	set(&l.Memory, 512<<20+int64(l.Jobs)*256<<20)
	set(&l.Temp, 4<<30)
}

func set[T int | int64 | time.Duration](p *T, otherwise T) {
	if *p <= 0 {
		*p = otherwise
	}
}

// size writes a number of bytes for people.
func size(n int64) string {
	for _, u := range []struct {
		bytes int64
		name  string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.bytes {
			if n%u.bytes == 0 {
				return fmt.Sprintf("%d %s", n/u.bytes, u.name)
			}
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.bytes), u.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
