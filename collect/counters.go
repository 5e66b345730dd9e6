package collect

import (
	"fmt"
	"strings"
)

// counters are what a leak is told from load by: what can leak, what tells restarts,
// how much memory there is and what was to be done. Paths are English in every
// language of Windows but that of the log's own machine, where logman wants those
// that perfmon shows.
var counters = []string{
	`\Memory\*`,
	`\System\*`,
	`\Process(*)\*`,
	`\Processor(_Total)\*`,
	`\PhysicalDisk(_Total)\*`,
	`\Network Interface(*)\*`,
	`\Server\*`,
	`\Server Work Queues(*)\*`,
	`\Terminal Services\*`,
	`\NUMA Node Memory(*)\*`,
}

// The bounds of the interval of counters, in seconds, and the usual one: that of
// Microsoft's article on pool leaks.
const (
	leastInterval = 1
	mostInterval  = 3600
	UsualInterval = 300
)

// logSize bounds the log, in MB: it goes round.
const logSize = 500

// Counters returns the commands that log performance counters on a machine every so
// many seconds, as Microsoft's documentation of logman and relog has them, for an
// elevated command prompt.
func Counters(interval int) (string, error) {
	if interval < leastInterval || interval > mostInterval {
		return "", fmt.Errorf("an interval of %d seconds: not %d to %d", interval, leastInterval, mostInterval)
	}
	const name, file = "kdlocks", `C:\PerfLogs\kdlocks`
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+lineEnd, args...) }
	line("rem Log counters, for a day and more, through a time in which the load falls:")
	line(`logman create counter %s -o "%s.blg" -f bincirc -v mmddhhmm -max %d -si %02d:%02d:%02d -c "%s"`,
		name, file, logSize, interval/3600, interval/60%60, interval%60, strings.Join(counters, `" "`))
	line("logman start %s", name)
	line("")
	line("rem Later:")
	line("logman stop %s", name)
	line("")
	line("rem Make text of the log, whose name ends with its date, and give that to kdlocks:")
	line(`relog "%s_MMDDHHMM.blg" -f csv -o "%s.csv"`, file, file)
	line("")
	line("rem When all is done:")
	line("logman delete %s", name)
	return b.String(), nil
}
