package memory_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kdlocks/kd"
	"kdlocks/memory"
)

// counterLogs reads a text and returns its counter logs.
func counterLogs(text string) []*memory.CounterLog {
	l := memory.Read(kd.Lines(text))
	return l.Counters
}

// shown prints the values of a log, row by row, "-" for a gap.
func shown(l *memory.CounterLog) string {
	var b strings.Builder
	for i, row := range l.Rows {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%d", (row.Time-l.Rows[0].Time)/1000)
		for _, c := range l.Columns {
			if v, ok := c.Value(i); ok {
				fmt.Fprintf(&b, " %g", v)
			} else {
				b.WriteString(" -")
			}
		}
	}
	return b.String()
}

func TestCounterLogs(t *testing.T) {
	const path = `\\SRV1\Memory\Pool Nonpaged Bytes`
	for _, c := range []struct{ name, text, want string }{
		{"quoted", `"(PDH-CSV 4.0) (Pacific Standard Time)(480)","` + path + `"
"09/22/2026 23:59:59.500","100.000000"
"09/23/2026 00:00:01.500","200.000000"`, "0 100; 2 200"},
		{"gaps", `"(PDH-CSV 4.0)","` + path + `","\\SRV1\Memory\Pool Paged Bytes"
"09/22/2026 10:00:00.000"," ","7"
"09/22/2026 10:00:10.000","-1","8"
"09/22/2026 10:00:20.000","5",""`, "0 - 7; 10 - 8; 20 5 -"},
		{"tabs, blanks at the end lost", "\"(PDH-TSV 4.0) (CET)(-60)\"\t\"" + path + "\"\t\"\\\\SRV1\\Memory\\Pool Paged Bytes\"\n09/22/2026 10:00:00.000\t1.5\t2\n09/22/2026 10:00:01.000\t3", "0 1.5 2; 1 3 -"},
		{"tabs that became blanks", "\"(PDH-TSV 4.0) (CET)(-60)\" \"" + path + "\" \"\\\\SRV1\\Memory\\Pool Paged Bytes\"\n\"09/22/2026 10:00:00.000\" \"1\" \" \"\n\"09/22/2026 10:00:01.000\" \"3\" \"4\"", "0 1 -; 1 3 4"},
		{"semicolons and decimal commas", "(PDH-CSV 4.0) (X)(0);" + path + "\n22.09.2026 10:00;1.234.567,50\n22.09.2026 10:05;1e6", "0 1.2345675e+06; 300 1e+06"},
		{"the column of times is named anew", "Time," + path + "\n2026-09-22 10:00:00,5\n2026-09-22 10:05:00,6", "0 5; 300 6"},
		{"and in quotes, with semicolons", "\"Timestamp\";\"" + path + "\"\n22.09.2026 10:00;5,5\n22.09.2026 10:05;6", "0 5.5; 300 6"},
		{"times of ISO 8601 in UTC", "Date," + path + "\n2026-09-22T10:00:00.000Z,5\n2026-09-22T10:05:00.000Z,6", "0 5; 300 6"},
		{"and with a zone that changes", "Date," + path + "\n2026-10-25T02:59:00.0000000+02:00,5\n2026-10-25T02:00:00+0100,6\n2026-10-24T20:02:00-05,7\n2026-10-25T02:00:00+01:00:00,8", "0 5; 60 6; 180 7"},
		{"a date and a time", "Date,Time,\"" + path + "\"\n09/22/2026,10:00:00,5\n\"09/22/2026\",\"10:05:00 AM\",6", "0 5; 300 6"},
		{"decimal comma in quotes", `"(PDH-CSV 4.0)","` + path + `"
"09/22/2026 10:00:00.000","12345678,500000"`, "0 1.23456785e+07"},
		{"thousands in quotes", `"(PDH-CSV 4.0)","` + path + `"
"9/22/2026 1:00:00 PM","1,234"
"9/22/2026 1:00:05 PM","1,234,567"
"9/22/2026 1:00:06 PM","1,234,567.25"`, "0 1234; 5 1.234567e+06; 6 1.23456725e+06"},
		{"a comment behind the columns", `"(PDH-CSV 4.0) (X)(0)","` + path + `","A report of the system"
"09/22/2026 10:00:00.000","1"
"09/22/2026 10:00:01.000","2",""`, "0 1; 1 2"},
		{"a day first that only its order tells", "(PDH-CSV 4.0) (X)(0);" + path + "\n11/10/2026 23:00:00;1\n12/10/2026 00:00:00;2", "0 1; 3600 2"},
		{"a month first that only its order tells", "(PDH-CSV 4.0) (X)(0);" + path + "\n12.31.2026 23:00:00;1\n1.1.2027 00:00:00;2", "0 1; 3600 2"},
		{"thousands in groups", `"(PDH-CSV 4.0)","` + path + `"
"09/22/2026 10:00:00.000","1 234 567"
"09/22/2026 10:00:01.000","1 234.5"
"09/22/2026 10:00:02.000","12 345"
"09/22/2026 10:00:03.000","1'234"
"09/22/2026 10:00:04.000","12 34"
"09/22/2026 10:00:05.000","1234 56"`, "0 1.234567e+06; 1 1234.5; 2 12345; 3 1234; 4 -; 5 -"},
		{"a blank behind commas", `"(PDH-CSV 4.0)", "` + path + `"
"09/22/2026 10:00:00.000", "5"`, "0 5"},
		{"halves of the day with dots", `"(PDH-CSV 4.0)","` + path + `"
"09/22/2026 11:00:00 a.m.","1"
"09/22/2026 1:00:00 p.m.","2"`, "0 1; 7200 2"},
		{"a wrong year is left out", `"(PDH-CSV 4.0)","` + path + `"
"09/22/2026 10:00:00.000","1"
"09/22/2036 10:00:01.000","2"
"09/22/2026 10:00:02.000","3"`, "0 1; 2 3"},
		{"torn rows are none", `"(PDH-CSV 4.0)","` + path + `","\\SRV1\Memory\Pool Paged Bytes"
"09/22/2026 10:00:00.000","1","2"
"09/22/2026 10:00:01.000","3
"09/22/2026 10:00:02.000","4","x"`, "0 1 2; 2 4 -"},
	} {
		t.Run(c.name, func(t *testing.T) {
			logs := counterLogs(c.text)
			if len(logs) != 1 {
				t.Fatalf("%d logs", len(logs))
			}
			if got := shown(logs[0]); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if logs[0].Machine != "SRV1" {
				t.Errorf("machine %q", logs[0].Machine)
			}
		})
	}
}

// TestCounterValuesNotRead holds that a value that is no number is told, and a gap is not.
func TestCounterValuesNotRead(t *testing.T) {
	head := `"(PDH-CSV 4.0)","\\S\Memory\Pool Paged Bytes"` + "\n"
	row := `"09/22/2026 10:00:00.000",`
	for value, told := range map[string]bool{"": false, " ": false, "-1": false, "7": false, "-1.#QNAN": true, "1.#QNAN": true, "n/a": true, "1 23": true} {
		logs := counterLogs(head + row + `"` + value + `"`)
		var notes string
		for _, n := range logs[0].Notes {
			notes += n.Text
		}
		if strings.Contains(notes, "1 value could not be read") != told || told && !strings.Contains(notes, `"`+value+`"`) {
			t.Errorf("%q: %q", value, notes)
		}
	}
}

// TestCounterPaths holds which columns are kept, and what they are taken for.
func TestCounterPaths(t *testing.T) {
	for path, want := range map[string]memory.Measure{
		`\\S\Memory\Pool Paged Bytes`:                                memory.PoolPaged,
		`\Memory\Available MBytes`:                                   memory.AvailableBytes,
		`\\S\Process(svchost#3)\Private Bytes`:                       memory.PrivateBytes,
		`\\S\Process(a (b)\c)\Handle Count`:                          memory.HandleCount,
		`\\S\Process(_Total)\Private Bytes`:                          memory.NoMeasure,
		`\\S\Process(Idle)\Thread Count`:                             memory.NoMeasure,
		`\\S\Processor(0)\% Processor Time`:                          memory.NoMeasure,
		`\\S\Processor Information(_Total)\% Processor Time`:         memory.ProcessorTime,
		`\\S\Processor Information(0,_Total)\% Processor Time`:       memory.ProcessorTime,
		`\\S\Mémoire\Octets de réserve non paginée`:                  memory.PoolNonPaged,
		`\\S\Memoria\Bytes de bloque paginado`:                       memory.PoolPaged,
		`\\S\Memória\Bytes de Pool Não Pagináveis`:                   memory.PoolNonPaged,
		`\\S\Memoria\Byte del pool di paging`:                        memory.PoolPaged,
		`\\S\Processus(x)\Octets privés`:                             memory.PrivateBytes,
		`\\S\Proceso(x)\Bytes privados`:                              memory.PrivateBytes,
		`\\S\Prozess(x)\Threadanzahl`:                                memory.ThreadCount,
		`\\S\SQLServer:Memory Manager\Total Server Memory (KB)`:      memory.NoMeasure,
		`\\S\PhysicalDisk(0 C:)\Disk Bytes/sec`:                      memory.NoMeasure,
		`\\S\Network Interface(Intel[R] 82574L (1))\Bytes Total/sec`: memory.Traffic,
		`\\S\Memory\|`: memory.NoMeasure,
	} {
		logs := counterLogs(`"(PDH-CSV 4.0)","` + path + `"`)
		got := memory.NoMeasure
		if len(logs) == 1 && len(logs[0].Columns) == 1 {
			got = logs[0].Columns[0].What
		}
		if got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}

// TestForeignNames: a log tells that names are in another language.
func TestForeignNames(t *testing.T) {
	for path, want := range map[string]bool{`Память\Доступно МБ`: true, `Memory\Pages/sec`: false, `Mémoire\Octets validés`: false} {
		if logs := counterLogs(`"(PDH-CSV 4.0)","\\S\` + path + `"`); len(logs) != 1 || logs[0].Foreign != want {
			t.Errorf("%s: %+v", path, logs)
		}
	}
}

// TestCountersAreBounded holds that a log of any length keeps a bounded number of
// rows, among them the first and the last.
func TestCountersAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(`"(PDH-CSV 4.0)"`)
	const columns, rows = 600, 9000
	for i := range columns {
		fmt.Fprintf(&b, `,"\\S\Process(p%d)\Private Bytes"`, i)
	}
	var r memory.Reader
	r.Line(kd.Line{Text: b.String(), Num: 1})
	from := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	tail := strings.Repeat(`,"1"`, columns)
	for i := range rows {
		r.Line(kd.Line{Text: from.Add(time.Duration(i)*time.Minute).Format(`"01/02/2006 15:04:05.000"`) + tail, Num: int32(i) + 2})
	}
	l := r.Done().Counters[0]
	if n := len(l.Rows) * len(l.Columns); n > 1<<20+columns {
		t.Errorf("%d values are kept", n)
	}
	last := len(l.Rows) - 1
	if l.Read != rows || l.Rows[0].At.Line != 2 || l.Rows[last].At.Line != rows+1 {
		t.Errorf("%d read, kept from line %d to %d", l.Read, l.Rows[0].At.Line, l.Rows[last].At.Line)
	}
	for i := 2; i < last; i++ {
		if l.Rows[i].Time-l.Rows[i-1].Time != int64(l.Stride)*60_000 {
			t.Fatalf("row %d is %d ms behind the one before, at a stride of %d", i, l.Rows[i].Time-l.Rows[i-1].Time, l.Stride)
		}
	}
	if l.Stride < 2 || len(l.Notes) == 0 {
		t.Errorf("stride %d, notes %v", l.Stride, l.Notes)
	}
}

// FuzzCounters holds that every value stands where its Ref says.
func FuzzCounters(f *testing.F) {
	f.Add("\"(PDH-CSV 4.0) (X)(0)\",\"\\\\S\\Memory\\Pool Paged Bytes\"\n\"09/22/2026 10:00:00.000\",\"123.5\"")
	f.Add("(PDH-TSV 4.0)\t\\Process(a)\\ID Process\n22.09.26 10:00\t7\n22.09.26 10:00\t-1")
	f.Add("(PDH-CSV 4.0);\\Memory\\Commit Limit\n2026-09-22T10:00:00;1,5")
	f.Fuzz(func(t *testing.T, text string) {
		lines := kd.Lines(text)
		for _, l := range counterLogs(text) {
			for _, c := range l.Columns {
				for i := range l.Rows {
					if _, ok := c.Value(i); !ok {
						continue
					}
					at := l.Place(c, i)
					line := lines[at.Line-1]
					from := int(at.Col-1) - int(line.Off)
					if from < 0 || from+int(at.Len) > len(line.Text) || !strings.ContainsAny(line.Text[from:from+int(at.Len)], "0123456789") {
						t.Fatalf("line %d column %d length %d of %q", at.Line, at.Col, at.Len, line.Text)
					}
				}
			}
			for i := range l.Rows {
				if l.Rows[i].Time <= 0 {
					t.Fatalf("row %d: time %d", i, l.Rows[i].Time)
				}
			}
		}
	})
}

// TestTimesNotRead: rows of numbers whose times are not read are of the log, and not used.
func TestTimesNotRead(t *testing.T) {
	l, strange := read("\"Time\",\"\\Memory\\Pool Nonpaged Bytes\"\n\"1709280000\",\"200787650.5\"\n\"1709280300\",\"\"\n\"1709280600\",\"what\"\n\"17\",\"1\",\"2\"\nThe end,1\n")
	c := l.Counters[0]
	if c.Untimed != 2 || c.FirstUntimed != "1709280000" || c.Read+len(c.Rows) != 0 || c.EndLine != 3 {
		t.Errorf("%d untimed, the first %q, %d read, to line %d", c.Untimed, c.FirstUntimed, c.Read, c.EndLine)
	}
	if len(c.Columns) != 1 || len(c.Notes) != 1 || !strings.Contains(c.Notes[0].Text, `2 rows are not read, the first of them "1709280000"`) {
		t.Errorf("columns %d, notes %v", len(c.Columns), c.Notes)
	}
	if len(strange) != 3 {
		t.Errorf("not understood %q", strange)
	}
}

// TestIsCounterHead: other tables with a time in front are none.
func TestIsCounterHead(t *testing.T) {
	for text, want := range map[string]bool{
		`"(PDH-CSV 4.0)","\\SRV1\Memory\Available Bytes"`:         true,
		`Date/Time;\\SRV1\Memory\Available Bytes`:                 true,
		`Time,Memory,Bytes`:                                       false,
		`Time,\\server\share`:                                     false,
		`Date,"\\SRV\share\folder",x`:                             false,
		`Date,"\\SRV\Memory\folder",x`:                            false,
		`Date,"\Users\Available Bytes",x`:                         false,
		`"Time","\Memory\Pool Nonpaged Bytes"`:                    true,
		`Time,x,\\S\Memory\Pages/sec`:                             true,
		`Time,\\S\Process(a,b)\Handle Count,\\S\System\Processes`: true,
		`Task,\\SRV1\Memory\Kb`:                                   false,
		`Time`:                                                    false,
		`"`:                                                       false,
		``:                                                        false,
	} {
		if got := memory.IsCounterHead(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
