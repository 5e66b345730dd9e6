package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func store8(t *testing.T, temp int64) *store {
	return newStore(t.TempDir(), &Limits{Body: 16 << 20, Temp: temp, Jobs: 1})
}

func TestSpoolKeepsWhatIsWritten(t *testing.T) {
	for _, n := range []int{0, 1, 5000, keptInMemory - 1, keptInMemory, keptInMemory + 1, 3 << 20, 20 << 20} {
		st := store8(t, 64<<20)
		s := st.body(64 << 20)
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(i * 7 >> 3)
		}
		for rest := data; len(rest) > 0; {
			k := min(len(rest), 70_001)
			if err := s.write(context.Background(), rest[:k]); err != nil {
				t.Fatal(err)
			}
			rest = rest[k:]
		}
		got, err := io.ReadAll(io.NewSectionReader(s, 0, s.size))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: %d come back, %v", n, len(got), err)
		}
		if inMemory := s.file == nil; inMemory != (n <= keptInMemory) {
			t.Errorf("%d bytes in memory: %v", n, inMemory)
		}
		if files, _ := filepath.Glob(st.dir + "/*"); len(files) > 0 && s.path == "" {
			t.Errorf("%d bytes: %v has a name", n, files)
		}
		s.close()
		s.close()
		if st.memory != allInMemory || st.disk != 64<<20 {
			t.Errorf("%d bytes: room is lost: %d, %d", n, st.memory, st.disk)
		}
	}
}

func TestSpoolBounds(t *testing.T) {
	st := store8(t, 64<<20)
	s := st.body(10)
	if err := s.write(context.Background(), make([]byte, 11)); !errors.Is(err, errTooBig) {
		t.Error(err)
	}
	st.memory = 100 // others have it
	if err := s.write(context.Background(), make([]byte, 10)); err != nil || s.file == nil {
		t.Errorf("without memory: %v, file %v", err, s.file)
	}
	s.close()
	st.dir = filepath.Join(st.dir, "none")
	s = st.body(1 << 20)
	if err := s.write(context.Background(), make([]byte, keptInMemory+1)); !errors.Is(err, errNoRoom) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a folder: %v", err)
	}
	s.close()
	if st.memory != 100 || st.disk != 64<<20 {
		t.Errorf("room is lost: %d, %d", st.memory, st.disk)
	}
}

// TestRoomIsWaitedFor: bodies that come at once share the disk, one after the other
// comes to its end, and an answer does not wait behind them.
func TestRoomIsWaitedFor(t *testing.T) {
	const temp = 64 << 20
	st := store8(t, temp)
	ended := make(chan error)
	piece := make([]byte, 1<<20)
	for range 20 {
		go func() {
			s := st.body(16 << 20)
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			var err error
			for range 16 { // all of them, 320 MiB
				if err = s.write(ctx, piece); err != nil {
					break
				}
			}
			s.close()
			ended <- err
		}()
	}
	for range 20 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if st.disk != temp || st.first != nil || len(st.line) > 0 {
		t.Errorf("left: %d free, %d wait", st.disk, len(st.line))
	}

	full := st.body(48 << 20)
	for range 48 {
		if err := full.write(context.Background(), piece); err != nil {
			t.Fatal(err)
		}
	}
	slow, late := st.body(16<<20), st.body(16<<20)
	if err := slow.write(context.Background(), piece); err != nil { // the first takes of the reserve
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := late.write(ctx, piece); !errors.Is(err, errNoRoom) {
		t.Errorf("a body beyond the room: %v", err)
	}
	answer := st.answer(1 << 30)
	if err := answer.write(ctx, piece); err != nil {
		t.Errorf("an answer: %v", err)
	}
	if err := st.answer(1<<30).write(context.Background(), make([]byte, 32<<20)); !errors.Is(err, errNoRoom) {
		t.Errorf("an answer beyond all: %v", err)
	}
	for _, s := range []*spool{full, slow, late, answer} {
		s.close()
	}
	if st.disk != temp || st.memory != allInMemory {
		t.Errorf("left: %d, %d", st.disk, st.memory)
	}
}

// TestFewLargeBodiesComeInAtATime: the others wait, but not behind one that is slow, and
// what is not large waits for nobody.
func TestFewLargeBodiesComeInAtATime(t *testing.T) {
	st := store8(t, 1<<30) // one job: four at a time
	piece := make([]byte, 9<<20)
	soon := func() context.Context {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	var large []*spool
	for range 4 {
		s := st.body(64 << 20)
		for range 2 { // two steps, three
			if err := s.write(soon(), piece); err != nil {
				t.Fatal(err)
			}
		}
		large = append(large, s)
	}
	large[0].whole()
	small, fifth := st.body(64<<20), st.body(64<<20)
	if err := small.write(soon(), piece[:5<<20]); err != nil {
		t.Errorf("a body of one step: %v", err)
	}
	if err := fifth.write(soon(), piece[:8<<20]); err != nil {
		t.Errorf("the first step: %v", err)
	}
	if err := fifth.write(soon(), piece); !errors.Is(err, errNoRoom) {
		t.Errorf("the fifth: %v", err)
	}
	if err := large[1].write(soon(), piece); err != nil {
		t.Errorf("one of the four: %v", err)
	}
	st.large[large[1]] = time.Now().Add(-2 * slowStep)
	if err := fifth.write(soon(), piece); err != nil {
		t.Errorf("beside a slow one: %v", err)
	}
	sixth := st.body(64 << 20)
	if err := sixth.write(soon(), piece[:8<<20]); err != nil {
		t.Error(err)
	}
	st.large[large[0]] = time.Time{} // it is whole, and waits for its turn
	late := make(chan error)
	go func() { late <- sixth.write(context.Background(), piece) }()
	select {
	case err := <-late:
		t.Errorf("the sixth does not wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	large[0].close()
	if err := <-late; err != nil {
		t.Errorf("the sixth: %v", err)
	}
	for _, s := range append(large, small, fifth, sixth) {
		s.close()
	}
	if st.disk != 1<<30 || len(st.large) != 0 || len(st.line) != 0 {
		t.Errorf("left: %d, %d, %d", st.disk, len(st.large), len(st.line))
	}
}
