// A program that is packed by a test: with the name of a folder it prints the reports of the logs there,
// without it shows what a packed program could get wrong. Its output is the same
// wherever it runs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"kdlocks/inspect"
	"kdlocks/report"
	"kdlocks/rules"
)

func main() {
	if len(os.Args) < 2 {
		exercise()
		return
	}
	if os.Args[1] == "die" {
		(*falling)(nil).down(3)
	}
	set, err := rules.Load([]rules.Source{rules.Builtin()}, "2026-01-01")
	if err != nil {
		fmt.Println(err)
		return
	}
	names, err := filepath.Glob(filepath.Join(os.Args[1], "*.log"))
	if err != nil || len(names) == 0 {
		fmt.Println("no logs", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			fmt.Println(err)
			return
		}
		r, err := inspect.Run(context.Background(), []inspect.Input{inspect.Bytes(filepath.Base(name), data)}, inspect.Options{Rules: inspect.These(set)})
		if err != nil {
			fmt.Println(err)
			continue
		}
		for _, write := range []report.Writer{report.WriteJSON, report.WriteHTML, report.WriteMarkdown, report.WriteSARIF} {
			if err := write(os.Stdout, r, report.Style{}); err != nil {
				fmt.Println(err)
			}
		}
	}
}

type falling struct{ depth int }

//go:noinline
func (f *falling) down(n int) int {
	if n == 0 {
		return f.depth
	}
	return f.down(n-1) + 1
}

func exercise() {
	fmt.Println("stack", deep(2_000))
	fmt.Println("jumps", jumps(), table(7), table(3), table(100))
	fmt.Println("indices", indices(len(os.Args)-4))
	for i, f := range []func(){
		func() { panic("said") },
		func() { _ = (*falling)(nil).down(2) },
		func() { _ = []int{1, 2}[len(os.Args)+4] },
		func() { _ = []int{1, 2}[len(os.Args)+4:] },
		func() { _ = 1 / (len(os.Args) - 1) },
		func() { _ = any(1).(string) },
		func() { defer func() { panic("again") }(); panic("first") },
		func() { panic(errors.New("an error")) },
		func() { defer recover(); panic("not so") },
		func() { defer func() { func() { recover() }() }(); panic("nor so") },
		func() { defer quiet{}.hush(); panic("hushed") },
		func() { defer interface{ hush() }(&quiet{}).hush(); panic("hushed by a wrapper") },
		func() {
			for n := range 3 {
				defer func() { recover(); fmt.Print(" deferred ", n) }()
			}
			panic("in a loop")
		},
	} {
		fmt.Println("panic", i, caught(f))
	}
	goroutines()
	collected()
	pc, _, _, _ := runtime.Caller(0)
	fmt.Println("function", runtime.FuncForPC(pc).Name())
}

type quiet struct{}

func (quiet) hush() { recover() }

func caught(f func()) (out string) {
	defer func() {
		if p := recover(); p != nil {
			out = fmt.Sprint("caught ", p)
		}
	}()
	f()
	return "none"
}

//go:noinline
func deep(n int) int {
	var room [64]byte
	room[n&63] = byte(n)
	if n == 0 {
		return 0
	}
	return deep(n-1) + 1 + int(room[(n+1)&63])
}

func jumps() (sum int) {
outer:
	for i := range 50 {
		for j := 0; ; j++ {
			switch {
			case j > i:
				continue outer
			case i*j == 1001, i > 44:
				break outer
			case j%3 == 0:
				continue
			}
			if sum += i ^ j; sum&1 == 0 {
				goto next
			}
			sum++
		next:
			sum += 2
		}
	}
	return sum
}

var numbers = [16]int64{1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987}

// indices reads a table by negative numbers and what is added to them.
//
//go:noinline
func indices(n int) (sum int64) {
	for i := n; i < 3; i++ {
		sum = sum*7 + numbers[i+5] - numbers[i+3]*numbers[8-i]
		numbers[i+6] += sum
	}
	return sum
}

func table(n int) string {
	switch n {
	case 0:
		return "none"
	case 1, 2:
		return "few"
	case 3:
		return "three"
	case 4:
		return "four"
	case 5:
		return "five"
	case 6:
		return "six"
	case 7:
		return "seven"
	case 8:
		return "eight"
	case 9:
		return "nine"
	}
	return "many"
}

func goroutines() {
	var wg sync.WaitGroup
	var mu sync.Mutex
	in, out := make(chan int), make(chan int, 3)
	sums := make(map[int]int)
	for w := range 8 {
		wg.Go(func() {
			for v := range in {
				mu.Lock()
				sums[v%5] += v
				mu.Unlock()
				if w%2 == 0 {
					runtime.Gosched()
				}
				out <- v * v
			}
		})
	}
	go func() {
		for i := range 1000 {
			in <- i
		}
		close(in)
		wg.Wait()
		close(out)
	}()
	total := 0
	for done := false; !done; {
		select {
		case v, ok := <-out:
			done = !ok
			total += v
		}
	}
	fmt.Println("goroutines", total, sums)
}

// collected keeps pointers in frames and maps alive through collections.
func collected() {
	kept := make(map[string]*strings.Builder)
	for i := range 20_000 {
		b := &strings.Builder{}
		fmt.Fprintf(b, "%d %x %v %.3f", i, i*i, []int{i}, float64(i)/7)
		kept[fmt.Sprint(i%257)] = b
		if i%5000 == 0 {
			runtime.GC()
		}
	}
	runtime.GC()
	n := 0
	for _, b := range kept {
		n += len(b.String())
	}
	fmt.Println("collected", len(kept), n, kept["13"])
}
