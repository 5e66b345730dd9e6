package threads_test

import (
	"testing"

	"kdlocks/kd"
	"kdlocks/threads"
)

// TestStateUnread: a THREAD line that shows a state nobody can read is told
// from one that shows none.
func TestStateUnread(t *testing.T) {
	const head = "THREAD fffffa8016910b60  Cid 0004.0100  Teb: 0000000000000000 Win32Thread:"
	for _, tc := range []struct {
		text   string
		state  threads.State
		unread bool
	}{
		{head + " 0000000000000000 RUNNING on processor 1 << why\nNot impersonating", threads.Running, false},
		{head + "\n0000000000000000 RUNNING on processor 1 << why\nNot impersonating", threads.Running, false},
		{head + " 00000\n00000000000 RUNNING on pro...\nNot impersonating", threads.Running, false},
		{head + " 0000000000000000\nRUNNING on processor 1\nNot impersonating", threads.Running, false},
		{head + " 0000000000000000 GATEWAIT (WrGate)\n", threads.Waiting, false},
		{head + " 0000000000000000 RUNN...\nNot impersonating", threads.StateUnknown, true},
		{head + " 0000000000000000 SLUMBER", threads.StateUnknown, true},
		{head + "\n0000000000000000 SLUMBER\nNot impersonating", threads.StateUnknown, true},
		{head + " 0000000000000000\nNot impersonating", threads.StateUnknown, true},
		{head + " 0000000000000000\n", threads.StateUnknown, false},
		{"THREAD fffffa8016910b60", threads.StateUnknown, false},
	} {
		l := threads.Read(kd.Lines(tc.text))
		if len(l.Threads) != 1 || l.Threads[0].State != tc.state || l.Threads[0].Unread() != tc.unread || (len(l.Notes) > 0) != tc.unread {
			t.Errorf("%q: %+v, notes %v", tc.text, l.Threads[0], l.Notes)
		}
	}
}
