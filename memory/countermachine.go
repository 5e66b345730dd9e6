package memory

import "strings"

// MachineLogs are the counter logs of one machine, "" where the paths name none.
type MachineLogs struct {
	Machine string
	Logs    []*CounterLog
}

// ByMachine parts counter logs by the machine that the columns name, in the order of
// the first column of each. A log of several machines comes in parts that share its
// rows; one without columns goes with the first machine.
func ByMachine(logs []*CounterLog) []MachineLogs {
	var out []MachineLogs
	index := make(map[string]int)
	add := func(machine string, l *CounterLog) {
		key := strings.ToLower(machine)
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key] = i
			out = append(out, MachineLogs{Machine: machine})
		}
		out[i].Logs = append(out[i].Logs, l)
	}
	var bare []*CounterLog
	for _, l := range logs {
		if len(l.Columns) == 0 {
			bare = append(bare, l)
			continue
		}
		machines, parts := l.parts()
		for i := range parts {
			add(machines[i], parts[i])
		}
	}
	for _, l := range bare {
		if len(out) == 0 {
			add("", l)
			continue
		}
		out[0].Logs = append(out[0].Logs, l)
	}
	return out
}

// parts returns a log for each of the machines that its columns name.
func (l *CounterLog) parts() (machines []string, parts []*CounterLog) {
	for _, c := range l.Columns {
		if !strings.EqualFold(c.Machine, l.Columns[0].Machine) {
			index := make(map[string]int)
			for _, c := range l.Columns {
				key := strings.ToLower(c.Machine)
				i, ok := index[key]
				if !ok {
					i = len(parts)
					index[key] = i
					part := *l
					part.Machine, part.Columns = c.Machine, nil
					if i > 0 {
						part.Notes = nil
					}
					machines, parts = append(machines, c.Machine), append(parts, &part)
				}
				parts[i].Columns = append(parts[i].Columns, c)
			}
			return machines, parts
		}
	}
	return []string{l.Columns[0].Machine}, []*CounterLog{l}
}
