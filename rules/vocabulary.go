package rules

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"kdlocks/rules/tree"
	"kdlocks/threads"
)

// vocabulary are the names that a field can have where they are not those of a word's
// list: newer systems may have others, which a pattern asks for.
type vocabulary struct {
	words []string
	// open is set where there are further names that are in use: then one that is
	// written nearly like one of the words alone is a mistake.
	open bool
}

// The functions of IRPs (wdm.h and ntifs.h, Windows Driver Kit).
var (
	irpMajors = prefixed("IRP_MJ_", `CREATE CREATE_NAMED_PIPE CLOSE READ WRITE QUERY_INFORMATION SET_INFORMATION QUERY_EA
		SET_EA FLUSH_BUFFERS QUERY_VOLUME_INFORMATION SET_VOLUME_INFORMATION DIRECTORY_CONTROL FILE_SYSTEM_CONTROL
		DEVICE_CONTROL INTERNAL_DEVICE_CONTROL SCSI SHUTDOWN LOCK_CONTROL CLEANUP CREATE_MAILSLOT QUERY_SECURITY
		SET_SECURITY POWER SYSTEM_CONTROL DEVICE_CHANGE QUERY_QUOTA SET_QUOTA PNP`)
	irpMinors = prefixed("IRP_MN_", `START_DEVICE QUERY_REMOVE_DEVICE REMOVE_DEVICE CANCEL_REMOVE_DEVICE STOP_DEVICE
		QUERY_STOP_DEVICE CANCEL_STOP_DEVICE QUERY_DEVICE_RELATIONS QUERY_INTERFACE QUERY_CAPABILITIES QUERY_RESOURCES
		QUERY_RESOURCE_REQUIREMENTS QUERY_DEVICE_TEXT FILTER_RESOURCE_REQUIREMENTS READ_CONFIG WRITE_CONFIG EJECT SET_LOCK
		QUERY_ID QUERY_PNP_DEVICE_STATE QUERY_BUS_INFORMATION DEVICE_USAGE_NOTIFICATION SURPRISE_REMOVAL DEVICE_ENUMERATED
		WAIT_WAKE POWER_SEQUENCE SET_POWER QUERY_POWER QUERY_DIRECTORY NOTIFY_CHANGE_DIRECTORY USER_FS_REQUEST MOUNT_VOLUME
		VERIFY_VOLUME LOAD_FILE_SYSTEM KERNEL_CALL LOCK UNLOCK_SINGLE UNLOCK_ALL UNLOCK_ALL_BY_KEY NORMAL COMPLETE
		QUERY_ALL_DATA QUERY_SINGLE_INSTANCE CHANGE_SINGLE_INSTANCE CHANGE_SINGLE_ITEM ENABLE_EVENTS DISABLE_EVENTS
		ENABLE_COLLECTION DISABLE_COLLECTION REGINFO EXECUTE_METHOD REGINFO_EX`)
)

func prefixed(prefix, words string) []string {
	var out []string
	for _, w := range strings.Fields(words) {
		out = append(out, prefix+w)
	}
	return out
}

// vocabularies are the fields that have one, by kind and field.
var vocabularies = map[string]vocabulary{
	"thread.wait_reason":      {words: threads.WaitReasons()},
	"thread.wait_mode":        {words: []string{"KernelMode", "UserMode"}},
	"thread.wait_object_kind": {words: []string{"SynchronizationEvent", "NotificationEvent", "SynchronizationTimer", "NotificationTimer", "Semaphore", "Mutant", "QueueObject", "ProcessObject", "Thread", "Process"}, open: true},
	"irp.major":               {words: irpMajors},
	"irp.minor":               {words: irpMinors, open: true},
	"queue.name":              {words: []string{"Critical", "Delayed", "HyperCritical"}, open: true},
}

// namesModule are the fields that hold names of modules and drivers, namesProgram those
// that hold names of programs, namesFunction those that hold module!function.
var (
	namesModule   = []string{"module.name", "thread.module", "queue.routine_module", "finding.suspect", "irp.driver", "irp.drivers"}
	namesProgram  = []string{"process.image", "thread.image", "message.server_image", "port.owner_image", "target.process"}
	namesFunction = []string{"thread.frame", "owner.set_by"}
	namesDriver   = []string{"irp.driver", "irp.drivers", "finding.suspect"}
)

// checks are what is asked of the literals of some fields.
var checks = sync.OnceValue(func() map[*field]func(string) string {
	out := make(map[*field]func(string) string)
	add := func(name string, check func(string) string) {
		kind, field, _ := strings.Cut(name, ".")
		if k := kindNamed(kind); k != nil && k.field(field) != nil {
			out[k.field(field)] = check
		}
	}
	for name, v := range vocabularies {
		add(name, v.lacks)
	}
	for _, name := range namesModule {
		add(name, unlikeModule)
	}
	for _, name := range namesProgram {
		add(name, unlikeProgram)
	}
	for _, name := range namesFunction {
		add(name, unlikeFunction)
	}
	for _, name := range namesDriver {
		add(name, unlikeDriver)
	}
	add("pool.tag", unlikeTag)
	add("thread.cid", unlikeCID)
	return out
})

// notInUse says why a field never has a name, "" if it may.
func notInUse(f *field, s string) string {
	if check := checks()[f]; check != nil {
		return check(s)
	}
	return ""
}

// lacks says that a name is none of the vocabulary's.
func (v vocabulary) lacks(s string) string {
	if slices.ContainsFunc(v.words, func(w string) bool { return strings.EqualFold(w, s) }) {
		return ""
	}
	if v.open {
		for _, w := range v.words {
			if distance(strings.ToLower(w), strings.ToLower(s)) <= min(2, len(s)/4) {
				return fmt.Sprintf("has no value %q; did you mean %q? (a pattern asks for others)", tree.Clip(s), w)
			}
		}
		return ""
	}
	hint := didYouMean(s, v.words)
	if hint == "" {
		hint = "; there are " + oneOf(v.words)
	}
	return fmt.Sprintf("has no value %q%s (a pattern asks for others)", tree.Clip(s), hint)
}

func unlikeModule(s string) string {
	switch {
	case strings.Contains(s, "!"):
		return fmt.Sprintf("is the name of a module, without a function: %q", tree.Clip(s))
	case strings.ContainsAny(s, `\/`):
		return fmt.Sprintf("is a name without its folder: %q", tree.Clip(s))
	}
	return ""
}

func unlikeProgram(s string) string {
	if strings.ContainsAny(s, `\/`) {
		return fmt.Sprintf("is the name of a program without its folder: %q", tree.Clip(s))
	}
	return ""
}

func unlikeFunction(s string) string {
	if !strings.Contains(s, "!") {
		return fmt.Sprintf("is module!function: %q; for a function of any module write \"*!%s\"", tree.Clip(s), tree.Clip(s))
	}
	return ""
}

func unlikeDriver(s string) string {
	if name, ok := strings.CutSuffix(strings.ToLower(s), ".sys"); ok {
		return fmt.Sprintf("is the name of a driver without .sys: %s", tree.Clip(name))
	}
	return unlikeModule(s)
}

func unlikeTag(s string) string {
	if len(s) > 4 {
		return fmt.Sprintf("is a tag of four letters at most: %q", tree.Clip(s))
	}
	return ""
}

func unlikeCID(s string) string {
	if !isCID(s) {
		return fmt.Sprintf("is written as in 0004.0b44, in small letters, and not %q; pid and tid are numbers", tree.Clip(s))
	}
	return ""
}
