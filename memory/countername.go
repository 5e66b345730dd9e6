package memory

import "strings"

// counterNames are the counters that are kept, in lower case, by what they count.
// The English names are those of Microsoft's documentation of the counter objects
// Memory, Process, Processor, Server, System, NUMA Node Memory and Terminal Services;
// the German, French, Spanish, Portuguese and Italian ones those of its translations and of the lists of
// counters that Windows keeps for those languages.
var counterNames = []struct {
	objects string // between bars
	names   string
	what    Measure
	scale   float64
}{
	{memoryObjects, "|pool nonpaged bytes|nicht-auslagerungsseiten (bytes)|nichtauslagerungsseiten (bytes)|octets de réserve non paginée|bytes de bloque no paginado|bytes de pool não pagináveis|byte del pool non di paging|", PoolNonPaged, 1},
	{memoryObjects, "|pool paged bytes|auslagerungsseiten (bytes)|octets de réserve paginée|bytes de bloque paginado|bytes de pool pagináveis|byte del pool di paging|", PoolPaged, 1},
	{memoryObjects, "|committed bytes|zugesicherte bytes|octets validés|bytes confirmados|", CommittedBytes, 1},
	{memoryObjects, "|commit limit|zusagegrenze|límite de confirmación|", CommitLimitBytes, 1},
	{memoryObjects, "|available bytes|verfügbare bytes|octets disponibles|bytes disponibles|bytes disponíveis|", AvailableBytes, 1},
	{memoryObjects, "|available kbytes|", AvailableBytes, 1 << 10},
	{memoryObjects, "|available mbytes|", AvailableBytes, 1 << 20},
	{"|numa node memory|", "|total mbytes|", RAMBytes, 1 << 20},
	{"|paging file|", "|% usage|", PagingFileUsed, 1},
	{"|system|", "|system up time|", SystemUpTime, 1},
	{"|system|", "|processes|", ProcessCount, 1},
	{processObjects, "|private bytes|octets privés|bytes privados|", PrivateBytes, 1},
	{processObjects, "|handle count|handleanzahl|", HandleCount, 1},
	{processObjects, "|thread count|threadanzahl|", ThreadCount, 1},
	{processObjects, "|working set|", WorkingSet, 1},
	{processObjects, "|id process|process id|prozesskennung|", ProcessID, 1},
	{processObjects, "|pool nonpaged bytes|nicht-auslagerungsseiten (bytes)|octets de réserve non paginée|bytes de bloque no paginado|", ProcessPoolNonPaged, 1},
	{processObjects, "|pool paged bytes|auslagerungsseiten (bytes)|octets de réserve paginée|bytes de bloque paginado|", ProcessPoolPaged, 1},
	{"|processor|processor information|prozessor|", "|% processor time|prozessorzeit (%)|", ProcessorTime, 1},
	{"|server|", "|server sessions|", Sessions, 1},
	{"|terminal services|", "|active sessions|total sessions|", Sessions, 1},
	{"|server|", "|files open|", FilesOpen, 1},
	{"|server|redirector|network interface|", "|bytes total/sec|", Traffic, 1},
	{"|physicaldisk|logicaldisk|", "|disk bytes/sec|disk transfers/sec|", Traffic, 1},
	{"|web service|", "|current connections|", Sessions, 1},
	{"|server work queues|", "|total operations/sec|", Requests, 1},
}

const (
	memoryObjects  = "|memory|arbeitsspeicher|speicher|mémoire|memoria|memória|"
	processObjects = "|process|process v2|prozess|processus|proceso|"
)

// measureOf returns what a column counts and in what unit, in bytes or 1. Of objects
// with an instance for each processor, disk or node the sum alone is kept.
func measureOf(object, instance, counter string) (Measure, float64) {
	counter = strings.ToLower(counter)
	if counter == "" || strings.Contains(counter, "|") {
		return NoMeasure, 0
	}
	object, counter = "|"+strings.ToLower(object)+"|", "|"+counter+"|"
	total := strings.HasSuffix(strings.ToLower(instance), "_total")
	for i := range counterNames {
		n := &counterNames[i]
		if !strings.Contains(n.names, counter) || !strings.Contains(n.objects, object) {
			continue
		}
		switch {
		case n.what.OfProcess():
			if total || instance == "" || strings.EqualFold(instance, "Idle") {
				return NoMeasure, 0
			}
		case n.what == ProcessorTime || n.what == RAMBytes || n.what == PagingFileUsed || strings.Contains(object, "disk"):
			if !total {
				return NoMeasure, 0
			}
		}
		return n.what, n.scale
	}
	return NoMeasure, 0
}

// isCounter reports whether a name is one of a counter of an object that is known: one that
// is kept, or one of several words, in percent or by the second, as most others are.
func isCounter(object, counter string) bool {
	object, listed := "|"+strings.ToLower(object)+"|", "|"+strings.ToLower(counter)+"|"
	for i := range counterNames {
		n := &counterNames[i]
		if strings.Contains(n.objects, object) && (strings.ContainsAny(counter, " %/") || strings.Contains(n.names, listed)) {
			return true
		}
	}
	return false
}

// counterPath splits a path such as \\SRV1\Process(svchost#3)\Private Bytes. The
// machine is "" where the path names none. An instance may have brackets and
// backslashes of its own.
func counterPath(path string) (machine, object, instance, counter string, ok bool) {
	rest := path
	if after, is := strings.CutPrefix(path, `\\`); is {
		machine, rest, ok = strings.Cut(after, `\`)
		if !ok || machine == "" {
			return "", "", "", "", false
		}
	} else if rest, ok = strings.CutPrefix(path, `\`); !ok {
		return "", "", "", "", false
	}
	at := strings.LastIndexByte(rest, '\\')
	if i := strings.LastIndex(rest, `)\`); i >= 0 { // a counter has no such end before it
		at = i + 1
	}
	if at <= 0 || at == len(rest)-1 {
		return "", "", "", "", false
	}
	object, counter = rest[:at], rest[at+1:]
	if i := strings.IndexByte(object, '('); i > 0 && strings.HasSuffix(object, ")") {
		object, instance = object[:i], object[i+1:len(object)-1]
	}
	return machine, object, instance, counter, object != ""
}
