package threads

import (
	"testing"

	"kdlocks/kd"
)

func TestWinDERows(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       bool
		state      State
		reason     string
		ms         int64
		frames     int
	}{
		{"waits", "03FC csrss.exe          1   !t ffff988d`80e170c0    057c   15   14    1588582           35.640                0         1:59.937  -------    Wait* Exec                 !ev ffff8087`a7919740  dxgmms2!VidSchWaitForEvents+0x9c", true, Waiting, "Executive", 119937, 1},
		{"ready", "061C svchost.exe        2   !t ffff988d`8bd0b0c0    0af8   15   15       4474                0             .015         1:59.953  -r-----  Ready   UserRq", true, Ready, "", 119953, 0},
		{"ready, the star apart", "061C svchost.exe        1   !t ffff988d`8bd0b0c0    0af8   15   15       4474                0             .015         1:59.953  -r-----  Ready * UserRq                (CPU)                 nt!KiSwapContext+0x76", true, Ready, "", 119953, 0},
		{"for hours", "0214 smss.exe           1   !t ffff988d`80bdd040    0218   12   11        805             .125                0      3:17:37.218  -------    Wait* UserRq               !lp ffff988d`8b937140  nt!KiSystemServiceCopyEnd+0x25", true, Waiting, "UserRequest", 11857218, 1},
		{"image with a blank", "28C0 My App             3   !t ffff988d`93206080    2988   15   15      12398             .031                0               0  -r-----  Ready   Delay", true, Ready, "", 0, 0},
		{"owner of a block, without columns", "0004 System 1 !t ffff988d`9a2f0040", false, 0, "", 0, 0},
		{"flags missing", "061C svchost.exe        2   !t ffff988d`8bd0b0c0    0af8   15   15       4474                0             .015         1:59.953  Ready   UserRq", false, 0, "", 0, 0},
		{"address cut", "061C svchost.exe        2   !t ffff988d`8bd0b    0af8   15   15       4474                0             .015         1:59.953  -r-----  Ready   UserRq", false, 0, "", 0, 0},
		{"no thread", "061C svchost.exe        2   !lp ffff988d`8bd0b0c0    0af8   15   15       4474                0             .015         1:59.953  -r-----  Ready   UserRq", false, 0, "", 0, 0},
	} {
		var r Reader
		got := r.windeLine(kd.Line{Text: tc.text, Num: 1})
		l := r.Done()
		if got != tc.want || (len(l.Threads) == 1) != tc.want {
			t.Errorf("%s: %v, %d threads", tc.name, got, len(l.Threads))
			continue
		}
		if !got {
			continue
		}
		if th := l.Threads[0]; th.State != tc.state || th.WaitReason != tc.reason || th.WaitMS != tc.ms || len(th.Stack.Frames) != tc.frames {
			t.Errorf("%s: %s %q %d ms, %d frames", tc.name, th.State, th.WaitReason, th.WaitMS, len(th.Stack.Frames))
		}
	}
}

func TestWinDEQueues(t *testing.T) {
	var r Reader
	for i, text := range []string{
		"CPU 03:",
		"061C svchost.exe        2   !t ffff988d`8bd0b0c0    0af8   15   15       4474                0             .015         1:59.953  -r-----  Ready   UserRq",
		"CPU 04: No Ready Threads",
		"PROC Image Name       No.   Thread                   Id   Pri",
		"061C svchost.exe        2   !t ffff988d`8bd0c0c0    0af8   15   15       4474                0             .015         1:59.953  -r-----  Ready   UserRq",
	} {
		if !r.Line(kd.Line{Text: text, Num: int32(i) + 1}) {
			t.Errorf("not claimed: %q", text)
		}
	}
	ts := r.Done().Threads
	if len(ts) != 2 || ts[0].Processor != 3 || ts[1].Processor != -1 {
		t.Errorf("%d threads, %+v", len(ts), ts)
	}
}
