package heuristics

import (
	"fmt"
	"slices"
	"strings"

	"kdlocks/kd"
	"kdlocks/snapshot"
	"kdlocks/threads"
	"kdlocks/waitgraph"
)

// Judgement is all that is said of one snapshot.
type Judgement struct {
	Snap     *snapshot.Snapshot
	Verdict  Verdict
	Findings []Finding // the weightiest first
	Notes    []kd.Note
	Gaps     []kd.Gap
	// Undecided is set when a fact is missing that a verdict hangs on.
	Undecided bool
	// SelfChecks are what the input was asked about itself.
	SelfChecks []SelfCheck
	// Later returns what the input holds of later moments of the same machine and
	// boot, the first of them first. It is nil where there can be none.
	Later func() []Moment
	// NotSeen says what kinds of evidence the snapshot does not hold.
	NotSeen []string
}

// MostFindings bounds the findings of one detector; what is left out is noted.
const MostFindings = 200

// lookAgain is the command that goes on from a finding about which nothing is
// missing: the whole of its first thread, else of its lock.
func (d *diagnosis) lookAgain(f *Finding) []string {
	switch {
	case len(f.Threads) > 0:
		return []string{"!thread " + d.addr(f.Threads[0]) + " 1f"}
	case len(f.Resources) > 0:
		return []string{"!locks -v " + d.addr(f.Resources[0])}
	}
	return nil
}

// inUserMode turns !thread into what a user-mode debugger has for it, where the
// thread was printed by one (Microsoft Learn: Thread Syntax).
func (d *diagnosis) inUserMode(command string) string {
	addr, ok := strings.CutPrefix(command, "!thread ")
	if !ok {
		return command
	}
	addr, _, _ = strings.Cut(addr, " ")
	a, ok := kd.ParseAddr(addr)
	if t := d.snap.Thread(a); ok && t != nil && t.User && t.CID.Known {
		return fmt.Sprintf("~~[%x] kv", t.CID.Thread)
	}
	return command
}

// mostListed bounds the bystanders that a finding names; Blocked counts all.
const mostListed = 1000

// Judge runs all detectors over a snapshot.
func Judge(s *snapshot.Snapshot) Judgement {
	d := diagnose(s)
	j := Judgement{Snap: s}
	j.Findings = d.detect()
	d.seenStopCode(j.Findings)
	kd.SortStable(j.Findings, weigh)
	d.tellRoles(j.Findings)
	d.groupStacks(j.Findings)
	nothing := len(j.Findings) == 0 || rank(j.Findings[0].Kind) >= rank(NoDeadlock)
	if !s.HasLocks && !d.decides() && nothing && !s.OnlyCounters() && !d.decidesMemory() {
		what, next := d.askLocks()
		d.gap(kd.Gap{What: what, Why: kd.NotInInput, Next: next, Decides: true})
	}
	if n, held := s.HeldUnlisted(); n > 0 {
		d.gap(kd.Gap{What: fmt.Sprintf("who owns and waits for %d of %s", n, kd.Plural(held, "held lock")), Why: kd.NotInInput, Next: "!locks", Decides: nothing})
	}
	switch n := s.Unread(); {
	case !n.Known() || s.Held.Unread:
	case n.N == 1:
		d.gap(kd.Gap{What: "who owns and waits for the one lock that is counted", Why: kd.NotInInput, Next: "!locks", Decides: nothing})
	default:
		d.gap(kd.Gap{What: "the list of held locks", Why: kd.NotInInput, Next: "!locks", Decides: nothing})
	}
	if s.Held.Unread {
		d.gap(kd.Gap{What: "how many locks are held", Why: kd.Unreadable, Next: "!locks", Decides: nothing})
	}
	for i := range j.Findings {
		f := &j.Findings[i]
		if f.Suspect != nil {
			for _, e := range f.Suspect.frames {
				f.seen(e.At, e.Addr, e.Why)
			}
			d.suspectImage(f)
		}
		if len(f.Next) == 0 {
			f.Next = d.lookAgain(f)
		}
		for k, c := range f.Next {
			f.Next[k] = d.inUserMode(c)
		}
		kd.SortStable(f.Evidence, byPlace)
		f.Bystanders, f.Others = f.Bystanders[:min(len(f.Bystanders), mostListed)], f.Others[:min(len(f.Others), mostListed)]
	}
	d.collected()
	j.Notes = append(slices.Clone(s.Notes), d.notes...)
	j.SelfChecks = d.selfChecks(j.Findings)
	j.Gaps = d.gaps
	j.shortNames()
	j.Undecided = d.decides()
	j.NotSeen = notSeen(s)
	j.Verdict = d.verdict(j)
	j.Verdict.Summary = kd.ShortNames(j.Verdict.Summary)
	return j
}

// shortNames shortens the names in sentences: evidence quotes them whole.
func (j *Judgement) shortNames() {
	for i := range j.Findings {
		f := &j.Findings[i]
		f.Summary, f.Explanation = kd.ShortNames(f.Summary), kd.ShortNames(f.Explanation)
		if f.Suspect != nil {
			f.Suspect.Reason = kd.ShortNames(f.Suspect.Reason)
		}
		for k := range f.Evidence {
			f.Evidence[k].Why = kd.ShortNames(f.Evidence[k].Why)
		}
	}
	for i := range j.Gaps {
		j.Gaps[i].What = kd.ShortNames(j.Gaps[i].What)
	}
}

// detect runs the detectors.
func (d *diagnosis) detect() []Finding {
	var out []Finding
	for _, c := range checks {
		found := c.find(d)
		if most := d.kept(found); len(found) > most {
			d.notes = append(d.notes, kd.Note{Text: fmt.Sprintf("%s: more than %d findings, the first %d are kept", c.ID, most, most)})
			found = found[:most]
		}
		out = append(out, found...)
	}
	for i := range out {
		switch f := &out[i]; f.Kind {
		case Deadlock:
			f.Explanation += d.notWaiting(f.Threads)
		case BlockedChain:
			d.ageOfRoot(f)
		}
		out[i].Explanation += d.tellAnyOf(&out[i])
	}
	d.lowerRoles(out)
	d.tellLive(out)
	return out
}

// tellLive weakens deadlocks over several locks or the answers of several
// commands where the machine ran meanwhile.
func (d *diagnosis) tellLive(fs []Finding) {
	at := d.snap.Target.LiveAt
	if !at.Known() {
		return
	}
	told := false
	for i := range fs {
		f := &fs[i]
		if f.Kind != Deadlock {
			continue
		}
		if d.ofMoments(f) {
			f.Grade = max(f.Grade, waitgraph.B)
			if f.Confidence == Certain {
				f.Confidence, f.Summary = VeryLikely, f.Worded(VeryLikely)
			}
		}
		if !told {
			d.notes = append(d.notes, kd.Note{At: at, Text: snapshot.LiveText})
		}
		told = true
	}
}

// notWaiting tells of threads of a deadlock that are not printed as waiting.
func (d *diagnosis) notWaiting(ts []kd.Addr) string {
	const few = 64
	for _, a := range ts[:min(len(ts), few)] {
		if b := d.snap.Brief(a); b != nil && b.State == threads.Waiting {
			continue
		}
		if t := d.snap.Thread(a); t != nil && t.State != threads.Waiting && t.State != threads.StateUnknown {
			return fmt.Sprintf(" %s is printed as %s: a wait for an ERESOURCE is begun anew every few seconds, and its stack shows it at that moment. That makes it less than certain.", capital(d.thread(a)), t.State)
		}
	}
	return ""
}

// ofMoments reports whether a finding puts together what was read at several
// moments: on a live machine one !locks reads its locks one after the other.
func (d *diagnosis) ofMoments(f *Finding) bool {
	return d.snap.Target.LiveAt.Known() && (len(f.Resources) > 1 || d.rounds(f.Resources) > 1)
}

// rounds counts the answers of !locks that some resources were printed in.
func (d *diagnosis) rounds(rs []kd.Addr) int {
	seen := make(map[int]bool)
	for _, a := range rs {
		if r := d.snap.Resource(a); r != nil {
			seen[r.Round] = true
		}
	}
	return len(seen)
}

func byPlace(a, b Evidence) int {
	switch {
	case a.At.Before(b.At):
		return -1
	case b.At.Before(a.At):
		return 1
	}
	return 0
}
