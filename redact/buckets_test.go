package redact_test

import (
	"regexp"
	"strings"
	"testing"

	"kdlocks/redact"
)

// TestBuckets: of what a crash is filed under the stop code and the parts that are no
// names stay; XX and YY stand for the drivers.
func TestBuckets(t *testing.T) {
	lines := []string{
		"FAILURE_BUCKET_ID:  0x9F_3_XX_IMAGE_pci.sys",
		"BUCKET_ID:  X64_0x9F_3_POWER_DOWN_YY+1a2",
		"DEFAULT_BUCKET_ID:  VISTA_DRIVER_FAULT",
		"FAILURE_BUCKET_ID:  AV_R_INVALID_XX!KeQuery_XX_Lock",
		"FAILURE_BUCKET_ID:  LKD_0x141_Tdr:6_IMAGE_YY.sys",
		"PRIMARY_PROBLEM_CLASS:  0xC4_f6_VRF_nt!KiPageFault",
		"FAILURE_ID_HASH_STRING:  km:0x9f_3_XX_image_YY.sys",
		"see 0x133_ISR_YY there",
		"YY and XX.sys",
	}
	const x, y = "acmedrv", "zebra_flt2"
	text := "0: kd> !analyze -v\n" + strings.NewReplacer("XX", x, "YY", y).Replace(strings.Join(lines, "\n")) + "\n"
	got, r := redacted(t, text, redact.Options{})
	m := regexp.MustCompile(`(\w+) and (\w+)\.sys\n$`).FindStringSubmatch(got)
	if m == nil || m[1] == y || m[2] == x {
		t.Fatalf("got %s", got)
	}
	got = strings.NewReplacer(m[1], "YY", m[2], "XX").Replace(got)
	for i, line := range strings.Split(strings.TrimSpace(got), "\n")[1:] {
		want := lines[i]
		if strings.Contains(want, "!KeQuery") { // whose name has a pseudonym of its own
			line, want = line[:strings.IndexByte(line, '!')], want[:strings.IndexByte(want, '!')]
		}
		if line != want {
			t.Errorf("%q, want %q", line, want)
		}
	}
	out, _ := redacted(t, text, redact.Options{})
	if got := restored(t, r, out); got != text {
		t.Errorf("restored: %s", got)
	}
}

// TestBucketsNearMisses are words with underscores that are none.
func TestBucketsNearMisses(t *testing.T) {
	for _, line := range []string{
		"acme_image_store",             // a name as a whole
		"OTHER_KEY:  acme_image_store", // in a line that is no bucket's
		"nt!Foo 0xacme_image_store",    // no number
	} {
		got, _ := redacted(t, "0: kd> !analyze -v\n"+line+"\n", redact.Options{})
		if strings.Contains(got, "_image") {
			t.Errorf("%q becomes %q", line, got)
		}
	}
}
