//go:build amd64 || arm64

package inspect_test

import (
	"os"
	"syscall"
	"testing"
)

// forget makes the operating system drop what it holds of a file, whose data is on the
// disk: the advice POSIX_FADV_DONTNEED.
func forget(b *testing.B, f *os.File) {
	b.Helper()
	const dontNeed = 4
	if _, _, errno := syscall.Syscall6(syscall.SYS_FADVISE64, f.Fd(), 0, 0, dontNeed, 0, 0); errno != 0 {
		b.Skip(errno)
	}
}
