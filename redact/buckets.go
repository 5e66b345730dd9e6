package redact

import (
	"slices"
	"strings"
)

// bucketKeys begin lines of !analyze that say under what a crash is filed: words such as
// 0x9F_3_acmedrv_IMAGE_pci.sys, put together from a stop code, its parameter, names of
// modules, and words that say how they were found.
var bucketKeys = []string{"FAILURE_BUCKET_ID", "DEFAULT_BUCKET_ID", "BUCKET_ID", "PRIMARY_PROBLEM_CLASS", "FAILURE_ID_HASH_STRING", "Failure.Bucket"}

// bucketParts are the parts of such a word that tell nobody anything.
var bucketParts = func() map[string]bool {
	set := make(map[string]bool)
	for _, p := range strings.Fields(`
		image av vrf lkd tdr x64 x86 arm64 ia64 wrong symbols symbol r w x c s
		null deref dereference invalid pointer read write execute code corruption memory large one bit stride
		power down up sleep timeout time out dpc isr interrupt watchdog stalled hang hung blocked deadlock
		driver drivers fault verifier enabled vista win7 win8 win10 winblue server minidump dump kernel user mode
		stack overflow zeroed frame trap ip misaligned unloaded unknown module page paged pool nonpaged heap stamp
		bad good disk io error hardware cpu call processor machine check whea genuineintel authenticamd mce
		common system application app exit session critical process died service exception breakpoint status
		graphics video engine scheduler bugcheck list entry corrupt modulelist modified no timeline live report
		thread lock irql apc count index mismatch wait object type handle reference syscallnum function
	`) {
		set[p] = true
	}
	return set
}()

// isBucket reports whether a word is one that a crash is filed under.
func (t *tokens) isBucket(i, j int) bool {
	w := t.s[i:j]
	k := strings.IndexByte(w, '_')
	if k < 0 || i > 0 && t.s[i-1] == '!' { // a function's name is one word
		return false
	}
	if isStopCode(w[:k]) {
		return true
	}
	key, _, found := strings.Cut(t.s[:i], ":")
	return found && slices.Contains(bucketKeys, strings.TrimSpace(key))
}

// isStopCode tells numbers that buckets begin with.
func isStopCode(s string) bool {
	return len(s) > 2 && len(s) <= 10 && s[0] == '0' && s[1]|0x20 == 'x' && hexLen(s[2:]) == len(s)-2
}

// bucketPart returns the next name or address in a bucket, false at its end. Parts side
// by side that are neither generic nor addresses are one name, as it stands elsewhere.
func (t *tokens) bucketPart() (token, bool) {
	for t.at < t.bucket {
		end := t.partEnd(t.at)
		switch part := t.s[t.at:end]; {
		case isBucketAddress(part):
			return t.take(t.at, end, aNumber), true
		case part == "" || bucketParts[lower(part)] || isStopCode(part) || isParameter(part):
			t.at = min(end+1, t.bucket)
		default:
			for end < t.bucket {
				next := t.partEnd(end + 1)
				if part := t.s[end+1 : next]; bucketParts[lower(part)] || isBucketAddress(part) {
					break
				}
				end = next
			}
			return t.take(t.at, end, aWord), true
		}
	}
	return token{}, false
}

// partEnd returns where the part of a bucket ends that begins at a byte.
func (t *tokens) partEnd(at int) int {
	if n := strings.IndexByte(t.s[at:t.bucket], '_'); n >= 0 {
		return at + n
	}
	return t.bucket
}

// isBucketAddress tells numbers with the digits of an address.
func isBucketAddress(s string) bool { return (len(s) == 8 || len(s) == 16) && hexLen(s) == len(s) }

// isParameter tells numbers that a stop code has as parameter: 3, f6.
func isParameter(s string) bool {
	return len(s) <= 4 && hexLen(s) == len(s) && strings.ContainsAny(s, "0123456789")
}
