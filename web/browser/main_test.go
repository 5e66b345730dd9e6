package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience is how long a test waits for anything. It is no promise of a speed: two
// busy cores take their time.
const patience = 60 * time.Second

func TestMain(m *testing.M) {
	code := m.Run()
	chrome.stop()
	built.remove()
	os.Exit(code)
}

// chrome is the one browser of all tests.
var chrome browser

type browser struct {
	once    sync.Once
	ctx     context.Context
	cancel  func()
	profile string
	err     error
}

// start returns the context of the browser; it skips the test where there is none.
func (b *browser) start(t testing.TB) context.Context {
	t.Helper()
	wanted := os.Getenv("KDLOCKS_BROWSER")
	if wanted == "off" {
		t.Skip("the page is not tested: KDLOCKS_BROWSER is off; unset it to test the page in Chromium")
	}
	path, err := find()
	switch {
	case err != nil && wanted == "required":
		t.Fatal(err)
	case err != nil:
		tell.Do(func() { fmt.Fprintln(os.Stderr, "web/browser: THE PAGE IS NOT TESTED:", err) })
		t.Skip("the page cannot be tested: ", err)
	}
	b.once.Do(func() { b.run(path) })
	if b.err != nil {
		t.Fatalf("%s does not start: %v", path, b.err)
	}
	return b.ctx
}

var tell sync.Once

// find returns where Chromium is.
func find() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	how := "install Chromium or Chrome"
	if runtime.GOOS == "linux" {
		how = "on Debian: apt-get install -y --no-install-recommends chromium"
	}
	return "", fmt.Errorf("no Chromium is installed here; %s", how)
}

func (b *browser) run(path string) {
	// Not TempDir of a test: Chromium writes for a moment after it was told to end.
	if b.profile, b.err = os.MkdirTemp("", "kdlocks-browser-*"); b.err != nil {
		return
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], // headless, no first run, nothing in the background, no sync
		chromedp.ExecPath(path), chromedp.UserDataDir(b.profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1280, 800))
	alloc, stopAlloc := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, stop := chromedp.NewContext(alloc)
	b.ctx, b.cancel = ctx, func() { stop(); stopAlloc() }
	b.err = chromedp.Do(ctx)
}

func (b *browser) stop() {
	if b.cancel != nil {
		b.cancel()
	}
	if b.profile == "" {
		return
	}
	for range 50 {
		if os.RemoveAll(b.profile) == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	fmt.Fprintln(os.Stderr, "web/browser: left behind:", b.profile)
}
