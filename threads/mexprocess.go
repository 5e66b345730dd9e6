package threads

import (
	"strconv"
	"strings"

	"kdlocks/kd"
)

// mexProcesses reads the heads of the table of processes that !mex.tl prints
// (DebugPrivilege/InsightEngineering, Kernel Forensics). Those of the counts are
// there unless a name was asked for.
func (r *Reader) mexProcesses(c kd.Cursor) bool {
	if !c.Take("PID Address Name") {
		return false
	}
	counts := c.Take("!! Rn Ry Bk Lc IO Er")
	if c.Peek() != "" {
		return false
	}
	r.closeBlock()
	r.proc = nil
	r.mex, r.mexCounts = mexProcess, counts
	return true
}

// mexProcessRow reads a row of it, with the number of the process in two bases:
//
//	PID           Address          Name       !! Rn Ry Bk Lc IO Er
//	0x4    0n4    ffff928d660a6040 System      4  .  .  1  .  1  .
//	0xd5c  0n3420 ffff928d6c755080 srv.exe*32  .  .  .  .  .  .  .
func (r *Reader) mexProcessRow(c kd.Cursor, l kd.Line) bool {
	if !strings.HasPrefix(l.Text, "0x") {
		return false
	}
	hex, _ := c.Word()
	dec, _ := c.Word()
	pid, err := strconv.ParseUint(hex[2:], 16, 32)
	if err != nil || dec != "0n"+strconv.FormatUint(pid, 10) {
		return false
	}
	w, at := c.Word()
	addr, ok := kd.ParseFullAddr(w)
	image, _ := c.Rest()
	if r.mexCounts {
		image, ok = withoutCounts(image), ok && withoutCounts(image) != image
	}
	if !ok || image == "" || !addr.IsKernel(kd.ArchUnknown) {
		return false
	}
	r.out.Processes = append(r.out.Processes, Process{
		Addr: addr, Image: strings.TrimSuffix(image, "*32"), CID: uint32(pid), CIDKnown: true, At: l.Ref(at, len(w)),
	})
	return true
}

// withoutCounts takes the seven counts off a row; s itself if they are not there.
func withoutCounts(s string) string {
	rest := s
	for range 7 {
		at := strings.LastIndexAny(rest, " \t")
		if at < 0 {
			return s
		}
		if _, err := strconv.Atoi(rest[at+1:]); err != nil && rest[at+1:] != "." {
			return s
		}
		rest, _ = kd.TrimBlanks(rest[:at])
	}
	return rest
}
