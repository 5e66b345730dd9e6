package rules_test

import (
	"strings"
	"testing"
)

// TestSoundClauses holds that what looks like a mistake and is none loads.
func TestSoundClauses(t *testing.T) {
	for _, clause := range []string{
		`{thread: {wait_reason: "WrOfTomorrow*"}}`,
		`{thread: {wait_reason: wrresource}}`,
		`{thread: {wait_reason: {ne: Executive}}}`,
		`{thread: {wait_object_kind: SomeObject}}`,
		`{irp: {minor: IRP_MN_OF_TOMORROW}}`,
		`{irp: {major: "irp_mj_*"}}`,
		`{queue: {name: "IoPool (Node 0)"}}`,
		`{module: {name: "acme*.sys"}}`,
		`{thread: {frame: "*!SipWait"}}`,
		`{thread: {priority: {gt: 8, lte: 9}}}`,
		`{thread: {priority: {gte: 8, lte: 8}}}`,
		`{thread: {priority: {eq: 8, ne: 9}}}`,
		`{thread: {priority: {gt: 8, ne: 9}}}`,
		`{lock: {waiters: {ne: L.owner}, address: {ne: L.address}}}`,
		`{as: A, lock: {state: shared}}, {as: B, lock: {state: shared, address: {ne: A.address}}}`,
		`{as: A, thread: {state: ready}}, {as: B, thread: {state: ready}}`,
		`{any: [{thread: {state: ready}}, [{thread: {state: ready}}, {lock: {state: shared}}]]}`,
	} {
		_, err := load(t, ruleOf("match: [{as: L, lock: {state: exclusive}}, "+clause+"]"), map[string]string{"a": "", "b": ""})
		if err != nil {
			t.Errorf("%s: %v", strings.TrimSpace(clause), err)
		}
	}
}
