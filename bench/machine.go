package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// cores is how many processors the harness may use.
func cores() int { return runtime.NumCPU() }

// header says on what and how the figures were measured.
func (l *lab) header() []string {
	pinned := "no taskset: not pinned to processors"
	if l.taskset != "" {
		pinned = "pinned with taskset"
	}
	clock := "wall time"
	if l.cpu {
		clock = "user and system time, wall time for c and f"
	}
	return []string{
		fmt.Sprintf("Machine: %s, %d cores, %s, %s", processor(), cores(), system(), runtime.Version()),
		fmt.Sprintf("Runs: in turn, page cache warm, %s, the fastest of %d (f: of %d); GOMAXPROCS=1, for two cores 2; %s", clock, l.runs, 4*l.runs, pinned),
		"Programs: " + strings.Join([]string{version("wc"), version("rg")}, "; "),
	}
}

// processor names the model as /proc/cpuinfo does, else the architecture.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// system names the operating system as os-release(5) and uname(1) do.
func system() string {
	name := runtime.GOOS
	text, _ := os.ReadFile("/etc/os-release")
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			name = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	if out, err := exec.Command("uname", "-sr").Output(); err == nil {
		name += ", " + strings.TrimSpace(string(out))
	}
	return name
}

// version is the first line that a program says of itself.
func version(program string) string {
	out, err := exec.Command(program, "--version").Output()
	if err != nil {
		return program + " unknown"
	}
	return firstLine(string(out))
}
